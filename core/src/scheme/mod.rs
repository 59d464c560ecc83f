//! What a provider is: one row of data.

mod providers;

pub use providers::PROVIDERS;

/// How one provider signs, and what its messages look like.
///
/// ```
/// let clerk = surehook_core::scheme::find("clerk").unwrap();
/// assert_eq!(clerk.secret_env[0], "CLERK_WEBHOOK_SIGNING_SECRET");
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scheme {
    /// The name users give, in lower case.
    pub provider: &'static str,
    /// The name people read.
    pub title: &'static str,
    /// The header families it may use; a request must use exactly one.
    pub header_families: &'static [HeaderFamily],
    /// Environment variables that usually hold the secret, in the order they are tried.
    pub secret_env: &'static [&'static str],
    /// Where the event type is in the JSON body, as a dotted path.
    pub event_type_field: &'static str,
    /// Where the id of the entity is in the JSON body, as a dotted path.
    pub entity_id_field: &'static str,
    /// The largest body the provider sends, in bytes.
    pub max_body_bytes: usize,
    /// Whether the provider sends the same bytes again when it retries a message.
    pub constant_body: bool,
}

/// The three headers that belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct HeaderFamily {
    /// Carries the message id.
    pub id: &'static str,
    /// Carries the time of signing.
    pub timestamp: &'static str,
    /// Carries the list of signatures.
    pub signature: &'static str,
}

/// The row of a provider, or `None` when there is no such provider.
pub fn find(provider: &str) -> Option<&'static Scheme> {
    PROVIDERS.iter().find(|scheme| scheme.provider == provider)
}
