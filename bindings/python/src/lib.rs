//! The native module of the `surehook` Python package: converts, forwards, converts back.
//!
//! Nothing here decides anything. Errors leave as one private exception with (code, message, details); the package's
//! `errors.py` turns it into the public ones.

mod before_send;
mod client;
mod convert;
mod deferred;
mod delivery;
mod endpoint;
mod errors;
mod handler_error;
mod interruptible;
mod json;
mod pending;
mod question;
mod secret;
mod testing;
mod waker;
mod webhook;

/// `surehook._native`. It keeps nothing that the interpreter's lock would have to guard.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::before_send::Attempts;
    #[pymodule_export]
    use crate::client::{flush, init, shutdown, stats, take_notices};
    #[pymodule_export]
    use crate::deferred::Deferred;
    #[pymodule_export]
    use crate::delivery::Delivery;
    #[pymodule_export]
    use crate::endpoint::Endpoint;
    #[pymodule_export]
    use crate::errors::NativeError;
    #[pymodule_export]
    use crate::pending::Pending;
    #[pymodule_export]
    use crate::question::{Question, Settled, may_commit};
    #[pymodule_export]
    use crate::secret::{SecretAnswer, SecretCall};
    #[pymodule_export]
    use crate::testing::{Capture, freeze, new_secret, now, sign};
    #[pymodule_export]
    use crate::waker::stop_waker;
    #[pymodule_export]
    use crate::webhook::{Webhook, findings, reason_codes, verify};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    const STORED_BODY_LIMIT: usize = surehook::STORED_BODY_LIMIT;
    #[pymodule_export]
    const SECRET_TIMEOUT: f64 = surehook::SECRET_TIMEOUT.as_secs() as f64;
}
