//! What a message is called in a dedup store, and how its body is told from another.

use sha2::{Digest, Sha256};

use crate::verify::VerifiedMessage;

/// Keeps a provider's ids apart from the keys of a user's function.
const PROVIDER_ID: &str = "surehook/dedup/v1/provider-id";
const USER_KEY: &str = "surehook/dedup/v1/user-key";

/// What an operator calls a message by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorId<'a> {
    /// The provider's own id.
    Provider(&'a str),
    /// What the user's function made of it.
    User(&'a str),
}

/// The name of one message at one endpoint, in a dedup store.
///
/// A request yields one only as a [`VerifiedMessage`], so a forged one can never touch a store. It is the SHA-256 over the
/// length-prefixed namespace, provider, endpoint and id, so no two different quadruples share an input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupKey([u8; 32]);

impl DedupKey {
    /// The key of a message, under the provider's own id or under the key that the user's function made of it.
    ///
    /// The `namespace` keeps applications apart that share a store. The same message sent to two endpoints has two
    /// keys. A user's key never equals a provider's id, even when the texts are the same.
    pub fn of(namespace: &str, endpoint: &str, message: &VerifiedMessage<'_>, user_key: Option<&str>) -> Self {
        match user_key {
            None => Self::over(PROVIDER_ID, namespace, message.scheme().provider, endpoint, message.message_id()),
            Some(key) => Self::over(USER_KEY, namespace, message.scheme().provider, endpoint, key),
        }
    }

    /// The key of a message that an operator names, to look it up or to let it run again. Never for what a request says.
    pub fn for_operator(namespace: &str, provider: &str, endpoint: &str, id: OperatorId<'_>) -> Self {
        match id {
            OperatorId::Provider(id) => Self::over(PROVIDER_ID, namespace, provider, endpoint, id),
            OperatorId::User(key) => Self::over(USER_KEY, namespace, provider, endpoint, key),
        }
    }

    fn over(domain: &str, namespace: &str, provider: &str, endpoint: &str, id: &str) -> Self {
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

fn write_hex(f: &mut std::fmt::Formatter<'_>, bytes: &[u8]) -> std::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
