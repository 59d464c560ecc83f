//! The same id with another body. Both were signed by the provider, so neither is forged.

/// What an endpoint does with a message whose id came before with another body (`onIdReuse`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnIdReuse {
    /// It is a duplicate, and gets the stored answer.
    Replay,
    /// The handler runs, and nothing is stored.
    Handle,
    /// It is refused with 422.
    Reject,
}

/// What is done with one such message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdReuse {
    /// The answer.
    pub action: OnIdReuse,
    /// Whether the attempt's record says `id_reuse`; otherwise it is a duplicate like any other.
    pub reported: bool,
}

/// Decides about a message whose id came before with another body.
///
/// With a key of the user's function the handler runs by default: the function is not unique, and events must not be lost
/// to that. With the provider's own id it is a duplicate: some providers render a body anew for each retry (Stripe's
/// `pending_webhooks`). That is only worth a report where the provider sends the same bytes again (`constant_body`).
///
/// ```
/// use surehook_core::dedup::{OnIdReuse, on_id_reuse};
///
/// assert_eq!(on_id_reuse(None, true, true).action, OnIdReuse::Handle);
/// assert_eq!(on_id_reuse(None, false, true).action, OnIdReuse::Replay);
/// ```
pub fn on_id_reuse(policy: Option<OnIdReuse>, user_key: bool, constant_body: bool) -> IdReuse {
    let default = if user_key { OnIdReuse::Handle } else { OnIdReuse::Replay };
    let action = policy.unwrap_or(default);
    IdReuse { action, reported: user_key || constant_body || action != OnIdReuse::Replay }
}
