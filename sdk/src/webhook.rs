//! Verification alone, for programs that want nothing else.

use std::sync::Arc;

use surehook_core::{ConfigError, HeaderPairs, Incoming, Rejection, Timestamp, VerifiedMessage, Verifier};

use crate::clock::{Clock, SystemClock};
use crate::diagnosis::{self, Diagnostician};

/// Checks signatures by the operating system's clock; sends nothing.
///
/// ```
/// let webhook = surehook::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
/// assert_eq!(webhook.verify(b"{}", &[]).unwrap_err().code().as_str(), "missing_header");
/// ```
#[derive(Clone, Debug)]
pub struct Webhook {
    verifier: Verifier,
    diagnostician: Arc<Diagnostician>,
}

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
        Verifier::new(provider, secrets).map(Self::with_verifier)
    }

    /// For a verifier with its own limits.
    pub fn with_verifier(verifier: Verifier) -> Self {
        Self { verifier, diagnostician: Arc::default() }
    }

    /// Checks one request now. A rejection carries its diagnosis, where a cause is found; at most five a second are diagnosed,
    /// for more would let whoever sends forged requests spend this process's time.
    ///
    /// # Errors
    /// The reason, as [`Verifier::verify`] finds it.
    pub fn verify<'a>(&'a self, body: &'a [u8], headers: HeaderPairs<'a>) -> Result<VerifiedMessage<'a>, Rejection> {
        let (incoming, now) = (Incoming::post(headers, body), SystemClock.now());
        let verified = self.verifier.verify_request(&incoming, now);
        verified.map_err(|rejection| self.diagnostician.explain(None, &self.verifier, &incoming, rejection, now))
    }

    /// Checks one request at the time `now`. Every rejection carries its diagnosis, where a cause is found; the secrets of the
    /// process's endpoints are tried too.
    ///
    /// # Errors
    /// The reason, as [`Verifier::verify_request`] finds it.
    pub fn verify_request<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        now: Timestamp,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        let verified = self.verifier.verify_request(incoming, now);
        verified.map_err(|rejection| diagnosis::explain(None, &self.verifier, incoming, rejection, now, &[]))
    }

    /// The verifier, e.g. to check a request at another time.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}
