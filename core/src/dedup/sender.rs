//! Who sent a message, as far as its key is concerned: whoever signs with another secret is another sender.
//!
//! A secret stands in a store as its tag. A record for each endpoint says which sender a tag belongs to, so that the secrets
//! of a rotation are one sender in every process, whatever their order.

use std::collections::{BTreeMap, BTreeSet};

use super::key::Scope;
use super::store::StoreError;

/// The layout of a record; the first of its bytes.
const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
const DAMAGED: &str = "its record of senders is damaged: delete it, and it is written anew";

/// What stands for a signing secret in a store. It does not tell the secret, and guessing one by it is slow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderTag([u8; TAG_BYTES]);

impl SenderTag {
    /// A tag of these bytes.
    pub(crate) const fn new(bytes: [u8; TAG_BYTES]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for SenderTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SenderTag({})", base16ct::lower::encode_string(&self.0))
    }
}

/// A registered sender: the lowest tag of the secrets it was first seen with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(SenderTag);

/// Who sent a message: a part of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Whoever signs with the secrets of this id.
    Registered(SenderId),
    /// Whom the user's own function named.
    Named(String),
    /// Nobody was named: everything that the user's own verifier accepts has one sender.
    Unnamed,
}

impl Sender {
    /// The parts that stand for it in a key: no two senders have the same.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        match self {
            Self::Registered(SenderId(SenderTag(bytes))) => [b"id", bytes],
            Self::Named(name) => [b"name", name.as_bytes()],
            Self::Unnamed => [b"unnamed", b""],
        }
    }
}

/// Where the record of an endpoint's senders stands in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryKey([u8; 32]);

impl RegistryKey {
    /// The record's key for the endpoints of this name.
    pub fn of(scope: &Scope) -> Self {
        Self(scope.digest("surehook/dedup/v2/senders", []))
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for RegistryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

/// The senders of one endpoint by the tags of their secrets. What it says of a tag never changes.
///
/// ```
/// use surehook_core::dedup::{RegistryKey, Scope, Senders};
/// use surehook_core::Secret;
///
/// let registry = RegistryKey::of(&Scope::new("shop", "clerk", "users"));
/// let tag = |text| Secret::parse(text).unwrap().seed().tag(&registry);
/// let (old, new) = (tag("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), tag("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"));
///
/// let mut senders = Senders::default();
/// senders.register(&[old]);
/// senders.register(&[new, old]);
/// assert_eq!(senders.of(new), senders.of(old));
/// assert_eq!(Senders::from_bytes(&senders.to_bytes()).unwrap(), senders);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senders(BTreeMap<SenderTag, SenderId>);

impl Senders {
    /// The sender that a tag belongs to.
    pub fn of(&self, tag: SenderTag) -> Option<SenderId> {
        self.0.get(&tag).copied()
    }

    /// Gives every tag of one endpoint's secrets a sender: that of those which have one, or a new one that is called by the
    /// lowest tag, so that a record that was lost becomes what it was. What has a sender keeps it. Where those differ nothing
    /// merges, and a tag without a sender takes the lower one.
    pub fn register(&mut self, tags: &[SenderTag]) {
        let registered = tags.iter().filter_map(|tag| self.of(*tag)).min();
        let Some(sender) = registered.or_else(|| tags.iter().min().copied().map(SenderId)) else { return };
        for tag in tags {
            self.0.entry(*tag).or_insert(sender);
        }
    }

    /// Adds what another copy of the record knows and this one has lost. False: they contradict each other; this one stands.
    pub fn restore(&mut self, known: &Self) -> bool {
        known.0.iter().fold(true, |agree, (tag, sender)| agree & (self.0.entry(*tag).or_insert(*sender) == sender))
    }

    /// Every sender, each once.
    pub fn ids(&self) -> BTreeSet<SenderId> {
        self.0.values().copied().collect()
    }

    /// How many tags it knows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The record as bytes: a version, then each tag and its sender.
    pub fn to_bytes(&self) -> Vec<u8> {
        let pairs = self.0.iter().flat_map(|(tag, SenderId(sender))| [tag.0, sender.0]).flatten();
        std::iter::once(VERSION).chain(pairs).collect()
    }

    /// The record that these bytes are.
    ///
    /// # Errors
    /// A later version wrote them, or none did. A record that cannot be read never counts as one that is missing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let failed = |reason: String| Err(StoreError { reason });
        match bytes.split_first() {
            Some((&VERSION, pairs)) if pairs.len() % (2 * TAG_BYTES) == 0 => {
                let (tags, _) = pairs.as_chunks::<TAG_BYTES>();
                let (pairs, _) = tags.as_chunks::<2>();
                Ok(Self(pairs.iter().map(|[tag, sender]| (SenderTag(*tag), SenderId(SenderTag(*sender)))).collect()))
            }
            Some((&version, _)) if version > VERSION => {
                failed(format!("its record of senders is of the version {version}; this one reads {VERSION}"))
            }
            _ => failed(DAMAGED.to_owned()),
        }
    }
}
