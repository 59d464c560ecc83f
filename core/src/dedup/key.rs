//! What a message is called in a dedup store.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use super::identity::{Identity, OnUnsignedId, PROVIDER_ID, USER_KEY};
use super::sender::Sender;
use crate::error::ConfigError;
use crate::scheme::Scheme;
use crate::verify::VerifiedMessage;

const MESSAGE: &str = "surehook/dedup/v2/message";

/// Whose messages an endpoint's are: what its name is, and where that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    namespace: String,
    provider: String,
    endpoint: String,
}

impl Scope {
    /// The `namespace` keeps applications apart that share a store. None of the three may come from a request.
    pub fn new(namespace: impl Into<String>, provider: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), provider: provider.into(), endpoint: endpoint.into() }
    }

    /// The digest over these names and then `parts`, for one use.
    pub(super) fn digest<'a>(&'a self, domain: &'a str, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let names = [domain, &self.namespace, &self.provider, &self.endpoint].map(str::as_bytes);
        digest(names.into_iter().chain(parts))
    }
}

/// What an operator calls a message by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorId<'a> {
    /// The provider's own id, which it signs.
    Provider(&'a str),
    /// What the user's function made of it.
    User(&'a str),
}

/// What a message is called among those of its sender: only signed bytes make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageName([u8; 32]);

impl MessageName {
    /// The name of a message: its provider's own id, or the key that the user's function made of it. The two are never the same,
    /// even when their texts are. Without a signed id, what was signed names it: see [`OnUnsignedId`].
    pub fn of(message: &VerifiedMessage<'_>, user_key: Option<&str>, policy: OnUnsignedId) -> Self {
        let Identity { kind, name } = Identity::of(message, user_key, policy);
        Self(digest([kind.as_bytes(), &*name]))
    }

    /// The name of a message that an operator means, to look it up or to let it run again. Never for what a request says.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for the id of a provider that does not sign it, e.g. `github`: there the body is a part of
    /// the name.
    pub fn for_operator(scheme: &Scheme, id: OperatorId<'_>) -> Result<Self, ConfigError> {
        match id {
            OperatorId::Provider(_) if !scheme.signs_message_id() => {
                let fault = format!("{} does not sign it, so it does not name a message by itself", scheme.provider);
                Err(ConfigError::invalid_option("id", fault))
            }
            id => Ok(Self::vouched(id)),
        }
    }

    /// The same, where somebody vouches for the id: the user's own verifier does for what it returns.
    pub fn vouched(id: OperatorId<'_>) -> Self {
        let (domain, id) = match id {
            OperatorId::Provider(id) => (PROVIDER_ID, id),
            OperatorId::User(key) => (USER_KEY, key),
        };
        Self(digest([domain, id].map(str::as_bytes)))
    }
}

/// The name of one message of one sender at one endpoint, in a dedup store.
///
/// A request yields one only as a [`VerifiedMessage`], so a forged one can never touch a store. It is the SHA-256 over the
/// length-prefixed namespace, provider, endpoint, sender and name, so no two different ones share an input.
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
    /// The key of a message. The same message at two endpoints, or of two senders, has two keys.
    pub fn of(scope: &Scope, sender: &Sender, name: &MessageName) -> Self {
        let [kind, who] = sender.parts();
        Self(scope.digest(MESSAGE, [kind, who, &name.0]))
    }

    /// The key that its 64 hexadecimal digits stand for, as an attempt's record has them.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let whole = digits.len() == 64 && base16ct::mixed::decode(digits, &mut bytes).is_ok();
        whole.then_some(Self(bytes))
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

/// The SHA-256 over parts of which each carries its length, so that a boundary between them cannot be shifted.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

pub(super) fn write_hex(f: &mut std::fmt::Formatter<'_>, bytes: &[u8]) -> std::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
