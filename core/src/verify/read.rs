//! Strict, bounded reading of what a scheme puts into a request.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::signatures::{self, Signatures};
use super::timestamps;
use crate::error::ReasonCode;
use crate::fields;
use crate::request::{HeaderPairs, Incoming};
use crate::scheme::{Path, Piece, Place, Scheme, SignaturePlace, TimestampPlace};
use crate::time::Timestamp;

/// Longer message ids are refused.
const MAX_MESSAGE_ID: usize = 256;

/// What a request says of its signing, unread.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// The id's header, where the scheme has one and it is there.
    pub(crate) id: Option<&'a [u8]>,
    /// The timestamp's text, where the scheme has one.
    pub(crate) timestamp: Option<Cow<'a, [u8]>>,
    /// The event type's header, where the scheme has one and it is there.
    pub(crate) event_type: Option<&'a str>,
    signature: FoundSignature<'a>,
}

#[derive(Debug)]
enum FoundSignature<'a> {
    /// One header.
    Header(&'a [u8]),
    /// Several headers of one value each.
    Headers(SmallVec<[&'a [u8]; 4]>),
    /// A field of the body.
    Field(String),
}

/// Finds the parts of a request.
///
/// # Errors
/// `duplicate_header`, `mixed_header_family` or `missing_header`, in this order; for a timestamp inside of the signature
/// header `duplicate_header` or `malformed_timestamp`.
pub(crate) fn find<'a>(scheme: &Scheme, incoming: &Incoming<'a>) -> Result<Found<'a>, ReasonCode> {
    if let SignaturePlace::Families(_) = scheme.signature {
        let [id, timestamp, signature] = family(scheme, incoming.headers)?;
        return Ok(Found::of_family(id, timestamp, signature));
    }
    // Repeated headers come first, so all are looked up before any is missed.
    let id = match &scheme.message_id {
        Some(Place::Header(name)) => single(incoming.headers, name)?,
        _ => None,
    };
    let timestamp_header = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        Some(TimestampPlace::Header(name)) => Some(single(incoming.headers, name)?),
        _ => None,
    };
    let event_type = event_type(scheme, incoming.headers)?;
    let (signature, field_timestamp) = signature(scheme, incoming)?;
    let timestamp = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        None => None,
        Some(TimestampPlace::Header(_)) => {
            Some(Cow::Borrowed(timestamp_header.flatten().ok_or(ReasonCode::MissingHeader)?))
        }
        Some(TimestampPlace::Pair(key)) => Some(Cow::Borrowed(pair_timestamp(scheme, &signature, key)?)),
        Some(TimestampPlace::Body(_)) => {
            Some(Cow::Owned(field_timestamp.ok_or(ReasonCode::MissingHeader)?.into_bytes()))
        }
        Some(TimestampPlace::Family) => None,
    };
    Ok(Found { id: id.filter(|id| !id.is_empty()), timestamp, event_type, signature })
}

impl<'a> Found<'a> {
    /// The parts of a family, wherever they were found.
    pub(crate) fn of_family(id: &'a [u8], timestamp: &'a [u8], signature: &'a [u8]) -> Self {
        let signature = FoundSignature::Header(signature);
        Self { id: Some(id), timestamp: Some(Cow::Borrowed(timestamp)), event_type: None, signature }
    }

    /// The time of signing, and its text as it is signed.
    ///
    /// # Errors
    /// `malformed_timestamp`.
    pub(crate) fn read_timestamp(&self, scheme: &Scheme) -> Result<Option<Timestamp>, ReasonCode> {
        match (&scheme.timestamp, &self.timestamp) {
            (Some(rule), Some(text)) => timestamps::read(text, rule.unit).map(Some),
            _ => Ok(None),
        }
    }

    /// The signatures.
    ///
    /// # Errors
    /// `too_many_signatures` or `malformed_signature`.
    pub(crate) fn read_signatures(&self, scheme: &Scheme) -> Result<Signatures, ReasonCode> {
        match &self.signature {
            FoundSignature::Header(value) => signatures::read(scheme, value),
            FoundSignature::Headers(values) => signatures::read_values(scheme, values.iter().copied()),
            FoundSignature::Field(value) => signatures::read_values(scheme, [value.as_bytes()]),
        }
    }
}

/// The header of the event type, where the scheme has one and it is there.
///
/// # Errors
/// `duplicate_header`: which of two would count?
pub(crate) fn event_type<'a>(scheme: &Scheme, headers: HeaderPairs<'a>) -> Result<Option<&'a str>, ReasonCode> {
    let Some(Place::Header(name)) = &scheme.event_type else { return Ok(None) };
    Ok(single(headers, name)?.and_then(|value| std::str::from_utf8(value).ok()))
}

/// Reads a message id: 1 to 256 visible ASCII characters. Of a signed one none may be `.`: that would let a sender move the
/// border between id and timestamp without changing the signed bytes.
pub(crate) fn message_id<'a>(scheme: &Scheme, raw: &'a [u8]) -> Result<&'a str, ReasonCode> {
    let families = matches!(scheme.signature, SignaturePlace::Families(_));
    let allowed = |byte: &u8| byte.is_ascii_graphic() && !(families && *byte == b'.');
    if raw.is_empty() || raw.len() > MAX_MESSAGE_ID || !raw.iter().all(allowed) || !ends_at_its_text(scheme, raw) {
        return Err(ReasonCode::MalformedMessageId);
    }
    std::str::from_utf8(raw).map_err(|_| ReasonCode::MalformedMessageId)
}

/// Whether an id that is signed does not contain the text that parts it from what follows.
fn ends_at_its_text(scheme: &Scheme, raw: &[u8]) -> bool {
    let pieces = scheme.content.pieces();
    let before_free = |at: usize| scheme.content.free().is_none_or(|free| at < free);
    pieces.windows(2).enumerate().all(|(at, pair)| match pair {
        [Piece::Id, Piece::Text(text)] if before_free(at) => {
            !raw.windows(text.len()).any(|window| window == text.as_bytes())
        }
        _ => true,
    })
}

/// The three headers of the one family that a request uses: id, timestamp, signature.
fn family<'a>(scheme: &Scheme, headers: HeaderPairs<'a>) -> Result<[&'a [u8]; 3], ReasonCode> {
    let found = family_headers(scheme, headers)?;
    let mut used = found.iter().filter(|family| family.iter().any(Option::is_some));
    let family = used.next().ok_or(ReasonCode::MissingHeader)?;
    if used.next().is_some() {
        return Err(ReasonCode::MixedHeaderFamily);
    }
    match *family {
        [Some(id), Some(timestamp), Some(signature)] => Ok([id, timestamp, signature]),
        _ => Err(ReasonCode::MissingHeader),
    }
}

/// For each family its id, timestamp and signature, as far as they are there.
pub(crate) type FamilyHeaders<'a> = SmallVec<[[Option<&'a [u8]>; 3]; 2]>;

/// For each family what is there of it.
pub(crate) fn family_headers<'a>(scheme: &Scheme, headers: HeaderPairs<'a>) -> Result<FamilyHeaders<'a>, ReasonCode> {
    let SignaturePlace::Families(families) = &scheme.signature else { return Ok(SmallVec::new()) };
    let mut found: FamilyHeaders<'a> = SmallVec::from_elem([None; 3], families.len());
    for &(name, value) in headers {
        let position = families.iter().enumerate().find_map(|(index, family)| {
            [&family.id, &family.timestamp, &family.signature]
                .iter()
                .position(|known| is_name(name, known))
                .map(|part| (index, part))
        });
        let Some((family, part)) = position else { continue };
        if found[family][part].replace(value).is_some() {
            return Err(ReasonCode::DuplicateHeader);
        }
    }
    Ok(found)
}

/// Whether a header has this name, in any case. Nearly all have it in lower case, which is compared faster.
fn is_name(own: &[u8], name: &str) -> bool {
    own == name.as_bytes() || own.eq_ignore_ascii_case(name.as_bytes())
}

/// The one header of a name.
fn single<'a>(headers: HeaderPairs<'a>, name: &str) -> Result<Option<&'a [u8]>, ReasonCode> {
    let mut values = headers.iter().filter(|(own, _)| is_name(own, name));
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(ReasonCode::DuplicateHeader),
        (found, None) => Ok(found.map(|(_, value)| *value)),
    }
}

/// The signature, and the timestamp's field where that is in the body: one reading for both.
fn signature<'a>(scheme: &Scheme, incoming: &Incoming<'a>) -> Result<(FoundSignature<'a>, Option<String>), ReasonCode> {
    let body_paths: SmallVec<[&Path; 2]> = match (&scheme.signature, scheme.timestamp.as_ref().map(|rule| &rule.place))
    {
        (SignaturePlace::Body(path), Some(TimestampPlace::Body(time))) => SmallVec::from_slice(&[time, path]),
        (SignaturePlace::Body(path), _) => SmallVec::from_slice(&[path]),
        (_, Some(TimestampPlace::Body(time))) => SmallVec::from_slice(&[time]),
        _ => SmallVec::new(),
    };
    let mut values = fields::read_request(scheme, incoming, &body_paths);
    let signature = match &scheme.signature {
        SignaturePlace::Header { name, .. } | SignaturePlace::Pairs { name, .. } => {
            FoundSignature::Header(single(incoming.headers, name)?.ok_or(ReasonCode::MissingHeader)?)
        }
        SignaturePlace::Numbered { name, most } => FoundSignature::Headers(numbered(incoming.headers, name, *most)?),
        SignaturePlace::Body(_) => FoundSignature::Field(values.pop().flatten().ok_or(ReasonCode::MissingHeader)?),
        SignaturePlace::Families(_) => return Err(ReasonCode::VerifierError),
    };
    let timed_by_body = matches!(scheme.timestamp.as_ref().map(|rule| &rule.place), Some(TimestampPlace::Body(_)));
    Ok((signature, if timed_by_body { values.pop().flatten() } else { None }))
}

/// The headers `NAME1` to `NAMEmost`.
fn numbered<'a>(headers: HeaderPairs<'a>, name: &str, most: usize) -> Result<SmallVec<[&'a [u8]; 4]>, ReasonCode> {
    let mut numbers: SmallVec<[usize; 4]> = SmallVec::new();
    let mut values = SmallVec::new();
    for &(own, value) in headers {
        let Some(number) = number_behind(own, name).filter(|number| (1..=most).contains(number)) else { continue };
        if numbers.contains(&number) {
            return Err(ReasonCode::DuplicateHeader);
        }
        numbers.push(number);
        values.push(value);
    }
    if values.is_empty() { Err(ReasonCode::MissingHeader) } else { Ok(values) }
}

fn number_behind(own: &[u8], name: &str) -> Option<usize> {
    let (head, digits) = own.split_at_checked(name.len())?;
    let canonical = head.eq_ignore_ascii_case(name.as_bytes())
        && digits.len() <= 4
        && digits.iter().all(u8::is_ascii_digit)
        && digits.first() != Some(&b'0');
    canonical.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

fn pair_timestamp<'a>(scheme: &Scheme, signature: &FoundSignature<'a>, key: &str) -> Result<&'a [u8], ReasonCode> {
    let (SignaturePlace::Pairs { separator, key: signed, .. }, FoundSignature::Header(value)) =
        (&scheme.signature, signature)
    else {
        return Err(ReasonCode::VerifierError);
    };
    if value.len() > signatures::MAX_HEADER {
        return Err(ReasonCode::TooManySignatures);
    }
    let mut times = signatures::pairs(value, *separator).filter(|(own, _)| *own == key.as_bytes());
    match (times.next(), times.next()) {
        (_, Some(_)) => Err(ReasonCode::DuplicateHeader),
        (Some((_, time)), None) => Ok(time),
        (None, None) if signatures::is_list(value, *separator, signed) => Err(ReasonCode::MalformedTimestamp),
        (None, None) => Err(ReasonCode::MalformedSignature),
    }
}
