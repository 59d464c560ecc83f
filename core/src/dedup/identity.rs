//! What tells one message from another: only what is signed, as far as anything is.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::key::digest;
use crate::verify::VerifiedMessage;

/// Keeps a provider's ids apart from the keys of a user's function.
pub(super) const PROVIDER_ID: &str = "surehook/dedup/v2/provider-id";
pub(super) const USER_KEY: &str = "surehook/dedup/v2/user-key";
const SIGNED_CONTENT: &str = "surehook/dedup/v2/signed-content";
const NOTHING_SIGNED: &str = "surehook/dedup/v2/nothing-signed";

/// What an endpoint does with an identical message of the same type under another id, where the id is not signed
/// (`onUnsignedId`). It may be a second event or a replay: nothing that is signed can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnUnsignedId {
    /// It gets the stored answer, is reported, and counts as not handled until somebody has looked at it.
    #[default]
    Duplicate,
    /// Its handler runs: the id counts as if it were signed, so a replay under new ids is handled each time.
    Handle,
}

/// What a message is called within its endpoint.
pub(super) struct Identity<'m> {
    /// Of which kind the name is; two kinds never name the same message.
    pub(super) kind: &'static str,
    pub(super) name: Cow<'m, [u8]>,
}

impl<'m> Identity<'m> {
    /// The user's key, else the signed id. Without one: what is signed but the time, and the type's header where its value is
    /// listed, so that a replay gains at most one run for each listed type.
    pub(super) fn of(message: &'m VerifiedMessage<'_>, user_key: Option<&'m str>, policy: OnUnsignedId) -> Self {
        if let Some(key) = user_key {
            return Self { kind: USER_KEY, name: Cow::Borrowed(key.as_bytes()) };
        }
        if message.id_is_signed() {
            return Self { kind: PROVIDER_ID, name: Cow::Borrowed(message.message_id().as_bytes()) };
        }
        let event_type = message.listed_event_type().unwrap_or_default().as_bytes();
        let unsigned_id = message.unsigned_id().unwrap_or_default().as_bytes();
        // Where nothing is signed, whoever saw a message can send any other: the id counts for what it says.
        let (kind, content, id) = match (message.signed_hash(), policy) {
            (Some(signed), OnUnsignedId::Duplicate) => (SIGNED_CONTENT, signed, &b""[..]),
            (Some(signed), OnUnsignedId::Handle) => (SIGNED_CONTENT, signed, unsigned_id),
            (None, _) => (NOTHING_SIGNED, Sha256::digest(message.body()).into(), unsigned_id),
        };
        Self { kind, name: Cow::Owned(digest([&content[..], event_type, id]).to_vec()) }
    }
}
