//! The application's last word on an attempt before it is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use surehook_core::telemetry::attempt::Attempt;

/// A function that may change an attempt, or answer false so that it is not sent.
///
/// It runs on the sender's thread, never on a handler's: one that hangs holds up telemetry and nothing else. What it
/// refuses, or fails over, is counted as `before_send`.
///
/// ```
/// use surehook::{BeforeSend, ClientOptions};
///
/// let options = ClientOptions {
///     before_send: Some(BeforeSend::new(|attempt| {
///         attempt.entity_id = None;
///         attempt.endpoint != "internal"
///     })),
///     ..ClientOptions::default()
/// };
/// assert!(surehook::Client::new(options).is_ok());
/// ```
#[derive(Clone)]
pub struct BeforeSend(Arc<dyn Fn(&mut Attempt) -> bool + Send + Sync>);

impl BeforeSend {
    /// Wraps a function.
    pub fn new(function: impl Fn(&mut Attempt) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    /// Whether the attempt is to be sent. Its id stays what it was: a collector tells attempts apart by it.
    pub(crate) fn wants(&self, attempt: &mut Attempt) -> bool {
        let id = attempt.id;
        let wanted = catch_unwind(AssertUnwindSafe(|| (self.0)(attempt))).unwrap_or(false);
        attempt.id = id;
        wanted
    }
}

impl PartialEq for BeforeSend {
    /// The same function is the same value; two functions cannot be compared.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for BeforeSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BeforeSend")
    }
}
