//! What tells one signing secret from another in a store, without telling the secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::RECOMMENDED_KEY_BYTES;
use crate::dedup::{RegistryKey, SenderTag};
use crate::scheme::SecretForm;

const DOMAIN: &[u8] = b"surehook/dedup/v2/tag";
/// A guess at a secret that a person chose costs so many rounds.
const ROUNDS: u32 = 10_000;
/// So many bytes of them are kept.
const CHOSEN_BYTES: usize = 8;

/// What a secret's tag is made of. It is worth as much as the secret, never shows in `Debug`, and is wiped when dropped.
#[derive(Clone)]
pub struct TagSeed {
    kind: Kind,
    bytes: Zeroizing<Vec<u8>>,
    identity: SecretIdentity,
}

/// Tells secrets apart inside of one process; it must not leave it. One key has one identity, however it is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretIdentity([u8; 32]);

#[derive(Clone, Copy)]
enum Kind {
    /// A person may have chosen it, so it may be guessed.
    Chosen,
    /// A machine made it of random bytes.
    Generated,
    /// Everybody may know it.
    Public,
}

impl TagSeed {
    /// Of a shared secret's bytes.
    pub(super) fn shared(bytes: Zeroizing<Vec<u8>>, form: SecretForm) -> Self {
        // Random bytes are not all printable; what a person wrote, and then encoded, is.
        let generated = form == SecretForm::Standard
            && bytes.len() >= RECOMMENDED_KEY_BYTES
            && !bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        Self::new(if generated { Kind::Generated } else { Kind::Chosen }, bytes)
    }

    /// Of a public key's bytes.
    pub(super) fn public(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self::new(Kind::Public, bytes)
    }

    fn new(kind: Kind, bytes: Zeroizing<Vec<u8>>) -> Self {
        let public = matches!(kind, Kind::Public);
        let identity = Sha256::new_with_prefix([u8::from(public)]).chain_update(&bytes[..]).finalize().into();
        Self { kind, bytes, identity: SecretIdentity(identity) }
    }

    /// Which secret it is, inside of this process.
    pub fn identity(&self) -> SecretIdentity {
        self.identity
    }

    /// Whether making its tag takes milliseconds.
    pub fn is_slow(&self) -> bool {
        matches!(self.kind, Kind::Chosen)
    }

    /// The secret's tag in this record. It takes some milliseconds where a person may have chosen the secret: make it once, where
    /// nobody waits for the thread. In another record the same secret has another tag.
    pub fn tag(&self, registry: &RegistryKey) -> SenderTag {
        let mut tag = [0; 16];
        match self.kind {
            Kind::Chosen => {
                let salt = [DOMAIN, registry.as_bytes()].concat();
                pbkdf2::pbkdf2_hmac::<Sha256>(&self.bytes, &salt, ROUNDS, &mut tag[..CHOSEN_BYTES]);
            }
            Kind::Generated => tag.copy_from_slice(&mac(&self.bytes, &[DOMAIN, registry.as_bytes()])[..16]),
            Kind::Public => {
                let hash =
                    Sha256::new_with_prefix(DOMAIN).chain_update(registry.as_bytes()).chain_update(&self.bytes[..]);
                tag.copy_from_slice(&hash.finalize()[..16]);
            }
        }
        SenderTag::new(tag)
    }

    /// A tag for a store that ends with its process: made at once. Under `key`, random bytes of this process alone, nothing can be
    /// guessed by it.
    pub fn passing_tag(&self, key: &[u8; 32]) -> SenderTag {
        let mut tag = [0; 16];
        tag.copy_from_slice(&mac(key, &[DOMAIN, &self.identity.0])[..16]);
        SenderTag::new(tag)
    }
}

impl std::fmt::Debug for TagSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TagSeed([redacted])")
    }
}

impl std::fmt::Debug for SecretIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretIdentity([redacted])")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let keyed = Hmac::<Sha256>::new_from_slice(key);
    // An HMAC takes a key of any length.
    let Ok(mut mac) = keyed else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
