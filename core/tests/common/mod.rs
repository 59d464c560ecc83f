//! Signed messages for tests.

use surehook_core::dedup::{DedupKey, MessageName, OnUnsignedId, RegistryKey, Scope, Sender, Senders};
use surehook_core::{Timestamp, VerifiedMessage, Verifier, sign};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const SIGNED_AT: i64 = 1_700_000_000;

/// Calls `with` with a message of this provider, signed and verified at `signed_at`.
pub(crate) fn verified<T>(
    provider: &str,
    id: &str,
    signed_at: i64,
    body: &[u8],
    with: impl FnOnce(&VerifiedMessage<'_>) -> T,
) -> T {
    let signature = sign(SECRET, id, signed_at, body).expect("it can be signed");
    let time = signed_at.to_string();
    let headers: [(&[u8], &[u8]); 3] = [
        (b"webhook-id", id.as_bytes()),
        (b"webhook-timestamp", time.as_bytes()),
        (b"webhook-signature", signature.as_bytes()),
    ];
    let verifier = Verifier::new(provider, &[SECRET]).expect("a verifier");
    with(&verifier.verify(body, &headers, Timestamp::from_unix_seconds(signed_at)).expect("it verifies"))
}

/// The key of a message of `clerk` at the endpoint `clerk`.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn key(id: &str) -> DedupKey {
    verified("clerk", id, SIGNED_AT, b"{}", |message| key_of("app", "clerk", message, None))
}

/// The key of a message whose sender is registered with one secret.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn key_of(
    namespace: &str,
    endpoint: &str,
    message: &VerifiedMessage<'_>,
    user_key: Option<&str>,
) -> DedupKey {
    let scope = Scope::new(namespace, &message.scheme().provider, endpoint);
    let tag = message.signers().next().expect("a signer").seed().tag(&RegistryKey::of(&scope));
    let mut senders = Senders::default();
    senders.register(&[tag]);
    let sender = Sender::Registered(senders.of(tag).expect("it was registered"));
    DedupKey::of(&scope, &sender, &MessageName::of(message, user_key, OnUnsignedId::Duplicate))
}
