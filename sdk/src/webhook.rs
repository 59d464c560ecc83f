//! Verification alone, for programs that want nothing else.

use surehook_core::{ConfigError, HeaderPairs, Rejection, VerifiedMessage, Verifier};

use crate::clock::{Clock, SystemClock};

/// Checks signatures by the operating system's clock; remembers nothing and sends nothing.
///
/// ```
/// let webhook = surehook::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
/// assert_eq!(webhook.verify(b"{}", &[]).unwrap_err().code().as_str(), "missing_header");
/// ```
#[derive(Clone, Debug)]
pub struct Webhook(Verifier);

impl Webhook {
    /// For one secret of a Standard Webhooks sender, Svix and Clerk among them.
    ///
    /// # Errors
    /// A secret that cannot be used.
    pub fn new(secret: &str) -> Result<Self, ConfigError> {
        Self::with_provider("standard-webhooks", &[secret])
    }

    /// For a provider and all of its secrets.
    ///
    /// # Errors
    /// An unknown provider, no secret, or one that cannot be used.
    pub fn with_provider<S: AsRef<str>>(provider: &str, secrets: &[S]) -> Result<Self, ConfigError> {
        Verifier::new(provider, secrets).map(Self)
    }

    /// For a verifier with its own limits.
    pub fn with_verifier(verifier: Verifier) -> Self {
        Self(verifier)
    }

    /// Checks one request now.
    ///
    /// # Errors
    /// The reason, as [`Verifier::verify`] finds it.
    pub fn verify<'a>(&self, body: &'a [u8], headers: HeaderPairs<'a>) -> Result<VerifiedMessage<'a>, Rejection> {
        self.0.verify(body, headers, SystemClock.now())
    }

    /// The verifier, e.g. to check a request at another time.
    pub fn verifier(&self) -> &Verifier {
        &self.0
    }
}
