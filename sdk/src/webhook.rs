//! Verification alone, for programs that want nothing else.

use std::sync::Arc;

use surehook_core::verify::reference_time;
use surehook_core::{
    ConfigError, HeaderPairs, Incoming, ReasonCode, Rejection, Signer, Timestamp, Unsigned, VerifiedMessage, Verifier,
};

use crate::clock::{Clock, SystemClock};
use crate::diagnosis::{self, Diagnose};
use crate::settings::DEFAULT_TTL;
use crate::verifiers::{self, VerifierSettings};

/// Checks signatures by the operating system's clock; sends nothing.
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
        Verifier::new(provider, secrets).map(Self::with_verifier)
    }

    /// For a verifier with its own limits.
    pub fn with_verifier(verifier: Verifier) -> Self {
        Self(verifier)
    }

    /// The one with these settings: what was asked for before is not built again.
    ///
    /// # Errors
    /// The first of the settings that cannot be used.
    pub fn cached(settings: &VerifierSettings<'_>) -> Result<Arc<Self>, ConfigError> {
        verifiers::cached(settings)
    }

    /// Checks one request now. A rejection carries its diagnosis, where a cause is found; a process diagnoses at most five a
    /// second, for more would let whoever sends forged requests spend its time.
    ///
    /// # Errors
    /// The reason, as [`Verifier::verify`] finds it.
    pub fn verify<'a>(&'a self, body: &'a [u8], headers: HeaderPairs<'a>) -> Result<VerifiedMessage<'a>, Rejection> {
        self.verify_request(&Incoming::post(headers, body), SystemClock.now())
    }

    /// Checks one request at the time `now`. The secrets of the process's endpoints are tried too.
    ///
    /// # Errors
    /// The reason, as [`Verifier::verify_request`] finds it.
    pub fn verify_request<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        now: Timestamp,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        self.check(incoming, now, Diagnose::WithinLimit)
    }

    /// The same, and looks for the cause of every rejection: for tools and tests, where nobody else decides how many requests
    /// come. A diagnosis takes up to 5 ms.
    ///
    /// # Errors
    /// The reason, as [`Verifier::verify_request`] finds it.
    pub fn verify_and_diagnose<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        now: Timestamp,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        self.check(incoming, now, Diagnose::Always)
    }

    /// The time to check a request at that waited in a queue: when it was received, from the queue's own metadata. Not later than now,
    /// and at most 96 hours ago.
    pub fn reference_time(received_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        reference_time(received_at, now, DEFAULT_TTL)
    }

    /// The signature entry of a message, `v1,…`, with the first secret that can sign. What [`verify`](Self::verify) refuses for
    /// its form is not signed.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for an id, a time or a body that no verifier takes; [`ConfigError::SecretInvalid`] where there
    /// are only public keys.
    ///
    /// ```
    /// use surehook::core::Timestamp;
    ///
    /// let webhook = surehook::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    /// let at = Timestamp::from_unix_seconds(1_614_265_330);
    /// let signature = webhook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#).unwrap();
    /// assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    /// assert!(webhook.sign("msg.1", at, b"{}").is_err());
    /// ```
    pub fn sign(&self, message_id: &str, timestamp: Timestamp, body: &[u8]) -> Result<String, ConfigError> {
        if body.len() > self.0.max_body_bytes() {
            let code = ReasonCode::BodyTooLarge;
            return Err(ConfigError::invalid_option("body", format!("{code}: {}", code.message())));
        }
        Signer::of(&self.0)?.signature(&Unsigned { message_id, timestamp, ..Unsigned::post(body) })
    }

    /// The verifier, e.g. to check a request at another time.
    pub fn verifier(&self) -> &Verifier {
        &self.0
    }

    fn check<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        now: Timestamp,
        diagnose: Diagnose,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        let verified = self.0.verify_request(incoming, now);
        let known = diagnosis::Known::default();
        verified.map_err(|rejection| diagnosis::explain(&known, &self.0, incoming, rejection, now, diagnose))
    }
}
