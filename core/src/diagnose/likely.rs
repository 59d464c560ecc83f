//! What the shape of a request or of a secret suggests, where nothing can be proved.

use super::{Diagnosis, Finding};
use crate::fields;
use crate::request::Incoming;
use crate::secret::Secret;
use crate::verify::Verifier;
use crate::verify::signatures::Signatures;

/// U+FFFD in UTF-8: what a lossy decoder writes for bytes that are no text.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The length of the body that the sender announced.
fn announced(incoming: &Incoming<'_>) -> Option<u64> {
    std::str::from_utf8(incoming.header("content-length")?).ok()?.trim().parse().ok()
}

/// No body, although one was announced.
pub(super) fn consumed(incoming: &Incoming<'_>) -> Option<Diagnosis> {
    let announced = announced(incoming).filter(|length| *length > 0 && incoming.body.is_empty())?;
    Some(Diagnosis::likely(
        Finding::BodyEmptyWasConsumed,
        format!("The body is empty here, but content-length announced {announced} bytes."),
    ))
}

pub(super) fn by_shape(verifier: &Verifier, incoming: &Incoming<'_>) -> Option<Diagnosis> {
    truncated(incoming)
        .or_else(|| replaced(incoming))
        .or_else(|| mode(verifier, incoming))
        .or_else(|| odd_secret(verifier))
}

/// Fewer bytes than were announced, and no whole JSON: written anew it can be shorter, cut off it breaks off. The length of a
/// compressed body says nothing of what it unpacks to.
fn truncated(incoming: &Incoming<'_>) -> Option<Diagnosis> {
    let length = incoming.body.len() as u64;
    let announced = announced(incoming).filter(|announced| *announced > length)?;
    let packed = incoming.header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    if packed || serde_json::from_slice::<serde::de::IgnoredAny>(incoming.body).is_ok() {
        return None;
    }
    Some(Diagnosis::likely(Finding::BodyTruncated, format!("{length} of {announced} announced bytes arrived.")))
}

fn replaced(incoming: &Incoming<'_>) -> Option<Diagnosis> {
    let count = incoming.body.windows(REPLACEMENT.len()).filter(|window| *window == REPLACEMENT).count();
    (count > 0).then(|| {
        Diagnosis::likely(
            Finding::BodyDecodedLossily,
            format!("The body holds U+FFFD {count} times, which decoders write in place of bytes that are no text."),
        )
    })
}

/// A secret that may be what its user chose, and looks like something else.
fn odd_secret(verifier: &Verifier) -> Option<Diagnosis> {
    verifier.secrets().iter().find_map(Secret::looks_like).map(|thing| {
        Diagnosis::likely(Finding::NotAWebhookSecret, format!("The secret of this endpoint looks like {thing}."))
    })
}

/// A message of one mode, a secret that is marked for the other.
fn mode(verifier: &Verifier, incoming: &Incoming<'_>) -> Option<Diagnosis> {
    let path = "livemode".parse().ok()?;
    let live = match fields::read(incoming.body, &[&path]).remove(0)?.as_str() {
        "true" => true,
        "false" => false,
        _ => return None,
    };
    let (message, secret) = if live { ("live", "_test_") } else { ("test", "_live_") };
    verifier.secrets().iter().any(|own| own.text().contains(secret)).then(|| {
        Diagnosis::likely(
            Finding::TestLiveMix,
            format!("The message is from {message} mode, and the secret is marked {}.", secret.trim_matches('_')),
        )
    })
}

/// Signatures of one kind, a key of the other.
pub(super) fn wrong_version(verifier: &Verifier, signatures: &Signatures) -> Option<Diagnosis> {
    let public = verifier.secrets().iter().all(|secret| secret.text().starts_with("whpk_"));
    let evidence = match public {
        true if signatures.has_shared() => {
            "The endpoint has a public key (whpk_), and the message is signed with a shared secret (v1)."
        }
        false if signatures.has_public() => {
            "The endpoint has a shared secret (whsec_), and the message is signed with a private key (v1a)."
        }
        _ => return None,
    };
    Some(Diagnosis::likely(Finding::NotAWebhookSecret, evidence))
}
