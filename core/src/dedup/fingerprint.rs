//! How a message's body is told from another, and under which unsigned id it came.

use sha2::{Digest, Sha256};

use super::key::{digest, write_hex};
use crate::verify::VerifiedMessage;

/// What an entry keeps of the message it is for: the hash of its body, and of its id where that is not signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; Self::BYTES]);

/// How a message compares to the one that its entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The same body, under the same id.
    Same,
    /// The same body under another id that is not signed: a second event or a replay.
    OtherId,
    /// Another body.
    OtherBody,
}

impl Fingerprint {
    /// How many bytes a store keeps of it.
    pub const BYTES: usize = 64;

    /// The fingerprint of a body that came under a signed id.
    pub fn of(body: &[u8]) -> Self {
        Self::join(Sha256::digest(body).into(), None)
    }

    /// The fingerprint of a message: of its raw body, or where only members of a form or fields are signed, of those. Never of
    /// the time, the method or the URL.
    pub fn of_message(message: &VerifiedMessage<'_>) -> Self {
        let body = match message.signed_members() {
            Some(members) => digest(members.iter().flat_map(|(name, value)| [name.as_slice(), value.as_slice()])),
            None => Sha256::digest(message.body()).into(),
        };
        Self::join(body, message.unsigned_id())
    }

    fn join(body: [u8; 32], unsigned_id: Option<&str>) -> Self {
        let id = unsigned_id.map_or([0; 32], |id| Sha256::digest(id).into());
        let mut bytes = [0; Self::BYTES];
        bytes[..32].copy_from_slice(&body);
        bytes[32..].copy_from_slice(&id);
        Self(bytes)
    }

    /// The same, of a message that is named by a user's key: its id says nothing then.
    pub fn without_id(self) -> Self {
        let mut bytes = self.0;
        bytes[32..].fill(0);
        Self(bytes)
    }

    /// How a message with this fingerprint compares to the one whose fingerprint an entry holds.
    pub fn compare(&self, held: &Self) -> Likeness {
        match (self.0[..32] == held.0[..32], self.0 == held.0) {
            (false, _) => Likeness::OtherBody,
            (true, false) => Likeness::OtherId,
            (true, true) => Likeness::Same,
        }
    }

    /// A fingerprint that a store kept.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for stores outside of this process.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
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
