//! What a message is called in a dedup store, and how its body is told from another.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use crate::verify::VerifiedMessage;

/// Keeps a provider's ids apart from the keys of a user's function.
const PROVIDER_ID: &str = "surehook/dedup/v1/provider-id";
const USER_KEY: &str = "surehook/dedup/v1/user-key";

/// What an operator calls a message by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorId<'a> {
    /// The provider's own id, which it signs.
    Provider(&'a str),
    /// What the user's function made of it.
    User(&'a str),
}

/// The name of one message at one endpoint, in a dedup store.
///
/// A request yields one only as a [`VerifiedMessage`], so a forged one can never touch a store. It is the SHA-256 over the
/// length-prefixed namespace, provider, endpoint and id, so no two different quadruples share an input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DedupKey([u8; 32]);

impl Hash for DedupKey {
    /// Eight bytes of a SHA-256 tell it from others as well as all of them do; the hasher mixes its seed into them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl DedupKey {
    /// The key of a message, under the provider's own id or under the key that the user's function made of it.
    ///
    /// The `namespace` keeps applications apart that share a store. The same message sent to two endpoints has two
    /// keys. A user's key never equals a provider's id, even when the texts are the same.
    ///
    /// Only signed bytes make an id: where the provider does not sign its own, whoever saw a message could send it again under
    /// another. The body's hash then stands for it. Where a signed time bounds how late that can be done, or where the body is
    /// not signed either, id and hash together do: two events may have the same body.
    pub fn of(namespace: &str, endpoint: &str, message: &VerifiedMessage<'_>, user_key: Option<&str>) -> Self {
        let body_alone = message.scheme().signs_body() && message.timestamp().is_none();
        // A body is hashed only where it counts: it may be long.
        let (domain, id, body) = match user_key {
            Some(key) => (USER_KEY, key, None),
            None if message.id_is_signed() => (PROVIDER_ID, message.message_id(), None),
            None if body_alone => ("surehook/dedup/v1/body", "", Some(Fingerprint::of(message.body()))),
            None => ("surehook/dedup/v1/unsigned-id", message.message_id(), Some(Fingerprint::of(message.body()))),
        };
        let parts = [domain, namespace, &message.scheme().provider, endpoint, id].map(str::as_bytes);
        Self(digest(parts.into_iter().chain(body.as_ref().map(|body| &body.as_bytes()[..]))))
    }

    /// The key of a message that an operator names, to look it up or to let it run again. Never for what a request says.
    /// A message whose provider does not sign its id has no such key: its body is a part of the key.
    pub fn for_operator(namespace: &str, provider: &str, endpoint: &str, id: OperatorId<'_>) -> Self {
        let (domain, id) = match id {
            OperatorId::Provider(id) => (PROVIDER_ID, id),
            OperatorId::User(key) => (USER_KEY, key),
        };
        Self(digest([domain, namespace, provider, endpoint, id].map(str::as_bytes)))
    }

    /// The key's bytes, for stores outside of this process.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for DedupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_hex(f, &self.0)
    }
}

impl std::fmt::Debug for DedupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DedupKey({self})")
    }
}

/// The SHA-256 of a body: equal exactly when the bodies are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of these bytes.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// A fingerprint that a store kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for stores outside of this process.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(")?;
        write_hex(f, &self.0)?;
        f.write_str(")")
    }
}

/// The SHA-256 over parts of which each carries its length, so that a boundary between them cannot be shifted.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn write_hex(f: &mut std::fmt::Formatter<'_>, bytes: &[u8; 32]) -> std::fmt::Result {
    let mut text = [0; 64];
    f.write_str(base16ct::lower::encode_str(bytes, &mut text).map_err(|_| std::fmt::Error)?)
}
