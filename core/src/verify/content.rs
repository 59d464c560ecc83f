//! The bytes that a request's signature is made over, and what of them tells one message from another.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::fields;
use crate::request::Incoming;
use crate::scheme::{Path, Piece, Scheme};

/// The pieces of the signed content, one after the other.
pub(crate) type Pieces<'a> = SmallVec<[Cow<'a, [u8]>; 6]>;

/// The parts of a request that can be signed. An experiment of the diagnosis changes one of them.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) timestamp: &'a [u8],
    pub(crate) body: &'a [u8],
    pub(crate) url: &'a str,
    pub(crate) incoming: &'a Incoming<'a>,
}

/// What is signed of these parts; `None`: nothing that the scheme would have signed.
pub(crate) fn pieces<'a>(scheme: &'a Scheme, signed: &Signed<'a>) -> Option<Pieces<'a>> {
    let mut fields = read_fields(scheme, signed);
    let mut pieces = Pieces::new();
    for piece in scheme.content.pieces() {
        pieces.push(match piece {
            Piece::Text(text) => Cow::Borrowed(text.as_bytes()),
            Piece::Id => Cow::Borrowed(signed.id),
            Piece::Timestamp => Cow::Borrowed(signed.timestamp),
            Piece::Body => Cow::Borrowed(signed.body),
            Piece::Url => Cow::Borrowed(signed.url.as_bytes()),
            Piece::Method => Cow::Borrowed(signed.incoming.method.as_bytes()),
            Piece::Params => Cow::Owned(params(signed)?),
            Piece::Field(_) => Cow::Owned(fields.next().flatten().unwrap_or_default().into_bytes()),
        });
    }
    Some(pieces)
}

/// The SHA-256 of what is signed but the time and the method: the same for every request that one signature fits. `None`:
/// nothing is signed, or not this.
pub(crate) fn identity(scheme: &Scheme, signed: &Signed<'_>) -> Option<[u8; 32]> {
    if scheme.content.pieces().is_empty() {
        return None;
    }
    let mut hash = Sha256::new();
    for (piece, value) in scheme.content.pieces().iter().zip(pieces(scheme, signed)?) {
        if !matches!(piece, Piece::Timestamp | Piece::Method) {
            hash.update(&value);
        }
    }
    Some(hash.finalize().into())
}

/// The names and values that are signed where not the whole body is: fields, or the members of a form. Sorted.
pub(crate) fn members(scheme: &Scheme, signed: &Signed<'_>) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    if scheme.signs_body() {
        return None;
    }
    let mut members: Vec<(Vec<u8>, Vec<u8>)> = if scheme.content.has(&Piece::Params) {
        if !signed.incoming.is_form() || claimed_hash(signed.url).is_some() {
            return None;
        }
        let pairs = form_urlencoded::parse(signed.body);
        pairs.map(|(name, value)| (name.into_owned().into_bytes(), value.into_owned().into_bytes())).collect()
    } else {
        let names = scheme.content.fields().map(|path| path.to_string().into_bytes());
        names.zip(read_fields(scheme, signed).map(|value| value.unwrap_or_default().into_bytes())).collect()
    };
    members.sort();
    members.dedup();
    (!members.is_empty()).then_some(members)
}

/// The fields of the body that are signed, in their order.
fn read_fields(scheme: &Scheme, signed: &Signed<'_>) -> impl Iterator<Item = Option<String>> {
    let paths: SmallVec<[&Path; 2]> = scheme.content.fields().collect();
    let incoming = Incoming { body: signed.body, ..*signed.incoming };
    fields::read_request(scheme, &incoming, &paths).into_iter()
}

/// Twilio's rule. A hash in the URL, which is signed, binds the body whatever its type is said to be: the content type is not
/// signed. Otherwise of a form names and values, sorted, equal pairs once; any other body is not signed at all.
fn params(signed: &Signed<'_>) -> Option<Vec<u8>> {
    if let Some(claimed) = claimed_hash(signed.url) {
        let mut buffer = [0_u8; 32];
        let hash = base16ct::mixed::decode(claimed.as_bytes(), &mut buffer).ok()?;
        return (hash == Sha256::digest(signed.body).as_slice()).then(Vec::new);
    }
    if signed.incoming.is_form() {
        let mut pairs: Vec<_> = form_urlencoded::parse(signed.body).collect();
        pairs.sort();
        pairs.dedup();
        return Some(pairs.into_iter().flat_map(|(name, value)| [name, value].concat().into_bytes()).collect());
    }
    signed.body.is_empty().then(Vec::new)
}

/// The hash of the body that a URL names.
fn claimed_hash(url: &str) -> Option<Cow<'_, str>> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256").map(|(_, claimed)| claimed)
}
