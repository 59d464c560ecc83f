//! What verification yields.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::content::{self, Signed};
use crate::dedup;
use crate::fields;
use crate::request::Incoming;
use crate::scheme::{Path, Place, Scheme};
use crate::secret::Secret;
use crate::secret::key::Key;
use crate::text::cut;
use crate::time::Timestamp;

/// Bytes of the body's hash that name a message without an id.
const HASH_BYTES: usize = 16;
/// Longer ids are named by their hash: they come from a signed body or a verifier, so nobody but the provider made them.
const MAX_ID_BYTES: usize = 256;

/// A message whose signature was right. Only a [`Verifier`](crate::Verifier) makes one.
#[derive(Clone, Debug)]
pub struct VerifiedMessage<'a> {
    scheme: &'a Scheme,
    message_id: Cow<'a, str>,
    naming: Naming,
    timestamp: Option<Timestamp>,
    event_type: Option<&'a str>,
    incoming: Incoming<'a>,
    /// The public URL with the query of the request, where that is signed. Of several public URLs always the same one.
    url: Cow<'a, str>,
    signers: Signers<'a>,
    sender: Option<String>,
}

/// What a message's id is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// It is in signed bytes, or is the hash of a body that is signed as a whole.
    Signed,
    /// It is the sender's, but anybody can change it.
    Unsigned,
    /// There is none, and the body's hash does not stand for all that is signed.
    Nameless,
}

/// The secrets that a message was signed with, each with the key of it that was used.
pub(super) type Signers<'a> = SmallVec<[(&'a Secret, &'a Key); 1]>;

impl<'a> VerifiedMessage<'a> {
    /// A message with the id that its provider gave it, or with the hash of its body in place of one.
    pub(super) fn new(
        scheme: &'a Scheme,
        incoming: &Incoming<'a>,
        url: Cow<'a, str>,
        id: Option<Cow<'a, str>>,
        (timestamp, event_type): (Option<Timestamp>, Option<&'a str>),
    ) -> Self {
        let typed = matches!(scheme.event_type, Some(Place::Header(_))) && !scheme.event_types.is_empty();
        let naming = match (&id, scheme.signs_message_id()) {
            (Some(_), true) => Naming::Signed,
            (Some(_), false) => Naming::Unsigned,
            (None, true) if scheme.signs_body() && !scheme.signs_url() && !typed => Naming::Signed,
            (None, _) => Naming::Nameless,
        };
        let message_id = id.unwrap_or_else(|| Cow::Owned(hash_name(incoming.body)));
        let signers = Signers::new();
        Self { scheme, message_id, naming, timestamp, event_type, incoming: *incoming, url, signers, sender: None }
    }

    /// The same, signed with these secrets.
    pub(super) fn signed_with(self, signers: Signers<'a>) -> Self {
        Self { signers, ..self }
    }

    /// The key that it was signed with, the first of several; `None`: a function of the user verified it.
    pub(crate) fn key(&self) -> Option<&'a Key> {
        self.signers.first().map(|(_, key)| *key)
    }

    /// The same with an id that a verifier of the user's own vouches for.
    pub(super) fn vouched_for(self, id: String) -> Self {
        Self { message_id: Cow::Owned(bounded(id)), naming: Naming::Signed, ..self }
    }

    /// The same, from a sender that the user's own function names: it stands in the message's key in place of the secrets. An
    /// empty name is none.
    pub fn from_sender(self, name: Option<String>) -> Self {
        Self { sender: name.filter(|name| !name.is_empty()), ..self }
    }

    /// The row of the provider that signed it.
    pub fn scheme(&self) -> &'a Scheme {
        self.scheme
    }

    /// What names the message over its attempts: the provider's id, or `sha256-` and 32 digits of the body's hash where the
    /// provider gives none.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Whether the id was signed. Where not, somebody who saw a message can send it again under another id, so only what is
    /// signed may tell it from others.
    pub fn id_is_signed(&self) -> bool {
        self.naming == Naming::Signed
    }

    /// The sender's id, where anybody could have changed it.
    pub fn unsigned_id(&self) -> Option<&str> {
        (self.naming == Naming::Unsigned).then_some(&*self.message_id)
    }

    /// The event type of a header, where it is one of those that the provider documents. Anybody could have changed it to another
    /// of them, but not to anything else.
    pub fn listed_event_type(&self) -> Option<&'a str> {
        self.event_type.filter(|event_type| self.scheme.event_types.iter().any(|listed| listed == event_type))
    }

    /// The hash of what was signed but the time and the method; `None` where nothing was. The same for every request that one
    /// signature fits.
    pub(crate) fn signed_hash(&self) -> Option<[u8; 32]> {
        content::identity(self.scheme, &self.signed())
    }

    /// The names and values that were signed, where not the whole body was.
    pub(crate) fn signed_members(&self) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
        content::members(self.scheme, &self.signed())
    }

    fn signed(&self) -> Signed<'_> {
        let id = self.message_id.as_bytes();
        Signed { id, timestamp: b"", body: self.incoming.body, url: &self.url, incoming: &self.incoming }
    }

    /// When the provider signed this attempt, where its scheme says so.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// The secrets of the endpoint that the message was signed with, in their order; none where the user's own function verified.
    pub fn signers(&self) -> impl Iterator<Item = &'a Secret> {
        self.signers.iter().map(|(secret, _)| *secret)
    }

    /// Who sent it, where a function of the user named somebody.
    pub fn sender(&self) -> Option<&str> {
        self.sender.as_deref()
    }

    /// The body's bytes.
    pub fn body(&self) -> &'a [u8] {
        self.incoming.body
    }
}

/// The id that a body holds; `None` unless all of its parts are there.
pub(super) fn id_in_body(scheme: &Scheme, paths: &[Path], incoming: &Incoming<'_>) -> Option<String> {
    let paths: SmallVec<[&Path; 4]> = paths.iter().collect();
    let parts: Option<Vec<String>> = fields::read_request(scheme, incoming, &paths).into_iter().collect();
    let parts = parts?;
    let id = parts.join(":");
    // Where only the last part has colons, the others end at the first ones. Otherwise a boundary could be shifted.
    let ambiguous = parts.split_last().is_some_and(|(_, first)| first.iter().any(|part| part.contains(':')));
    match ambiguous {
        true => Some(named_by(&id, &hex(&dedup::digest(parts.iter().map(String::as_bytes))))),
        false => (!id.is_empty()).then(|| bounded(id)),
    }
}

/// The id, or where it is long its start and its hash.
fn bounded(id: String) -> String {
    if id.len() <= MAX_ID_BYTES {
        return id;
    }
    named_by(&id, &hex(&Sha256::digest(id.as_bytes()).into()))
}

/// The start of an id, and a hash that tells it from others.
fn named_by(id: &str, hash: &str) -> String {
    format!("{}-sha256-{hash}", cut(id, MAX_ID_BYTES / 2))
}

fn hash_name(bytes: &[u8]) -> String {
    format!("sha256-{}", hex(&Sha256::digest(bytes).into()))
}

fn hex(hash: &[u8; 32]) -> String {
    base16ct::lower::encode_string(&hash[..HASH_BYTES])
}
