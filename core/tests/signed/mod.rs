//! Requests as every provider of the table sends them, for tests and fuzz targets: made by the core's own signer, with the
//! signature put into the body where a provider has it there.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use surehook_core::scheme::{Path, Piece, Place, Segment, SignaturePlace, TimeUnit, TimestampPlace};
use surehook_core::{Incoming, Scheme, Signer, Timestamp, Unsigned, Verifier};

/// When everything is signed and checked.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const URL: &str = "https://example.com/webhooks";
const FORM: &str = "application/x-www-form-urlencoded";

const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TEXT: &str = "fuzz-0123456789abcdefghijklm";
const BASE64: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const ED25519_SEED: &str = "0909090909090909090909090909090909090909090909090909090909090909";
const ED25519_PUBLIC: &str = "fd1724385aa0c75b64fb78cd602fa1d991fdebf76b13c58ed702eac835e9f618";
const P256_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9ThScF5qrTA6OZPcNB4Hq8Crc0YBYzY/WqBqAdNWr/KhRANCAATipUsEALms8u6Qm0wpIJoFEHB6bXJIM55b7rJiCq/C1fwK1ABJpzl44wlbAtL7S3etUNR+vU4rsenCuew/KzDg";
const P256_PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4qVLBAC5rPLukJtMKSCaBRBwem1ySDOeW+6yYgqvwtX8CtQASac5eOMJWwLS+0t3rVDUfr1OK7HpwrnsPysw4A==";

/// What a message is before it is signed.
#[derive(Clone, Copy)]
pub(crate) struct Draft<'a> {
    pub(crate) method: &'a str,
    pub(crate) query: &'a str,
    pub(crate) id: &'a str,
    /// For a provider whose body holds the signature: what its signed fields say.
    pub(crate) body: &'a [u8],
    /// Of a provider that signs the parameters of forms: whether it is one.
    pub(crate) form: bool,
}

/// A request of one's own, to be changed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Calls `with` with the request as a verifier takes it.
    pub(crate) fn with<T>(&self, with: impl FnOnce(&Incoming<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())).collect();
        let path = if self.query.is_empty() { "/webhooks".to_owned() } else { format!("/webhooks?{}", self.query) };
        with(&Incoming { method: &self.method, path: &path, headers: &headers, body: &self.body })
    }

    /// The message id it is accepted under, or the code it is refused with.
    pub(crate) fn verdict(&self, verifier: &Verifier) -> Result<String, surehook_core::ReasonCode> {
        self.with(|incoming| match verifier.verify_request(incoming, NOW) {
            Ok(message) => Ok(message.message_id().to_owned()),
            Err(rejection) => Err(rejection.code()),
        })
    }
}

/// The verifier of an endpoint of this scheme.
pub(crate) fn verifier(scheme: &Arc<Scheme>) -> Verifier {
    use surehook_core::scheme::SecretForm as Form;
    let secret = match scheme.secret {
        Form::Ed25519Hex => ED25519_PUBLIC,
        Form::P256Spki => P256_PUBLIC,
        _ => signing_secret(scheme),
    };
    let verifier = Verifier::for_scheme(scheme.clone(), &[secret]).expect("the secret has the scheme's form");
    verifier.with_url(URL).expect("it is a URL")
}

/// The signer of the same endpoint.
pub(crate) fn signer(scheme: &Arc<Scheme>) -> Signer {
    Signer::new(scheme.clone(), signing_secret(scheme)).expect("the secret can sign").with_url(URL)
}

/// The secret that the provider signs with.
pub(crate) fn signing_secret(scheme: &Scheme) -> &'static str {
    use surehook_core::scheme::SecretForm as Form;
    match scheme.secret {
        Form::Standard | Form::StandardOrUtf8 => WHSEC,
        Form::Utf8 => TEXT,
        Form::Base64 => BASE64,
        Form::Hex => HEX,
        Form::Ed25519Hex => ED25519_SEED,
        Form::P256Spki => P256_PRIVATE,
    }
}

/// The request that the provider would send at [`NOW`]. `None`: the scheme asks two things of one member of the body, or the
/// provider would not sign this, for it could be read in another way.
pub(crate) fn request(scheme: &Arc<Scheme>, draft: &Draft<'_>) -> Option<Request> {
    let signer = signer(scheme);
    let mut json = members(scheme, draft)?;
    let mut body = json.as_ref().map_or_else(|| draft.body.to_vec(), |json| json.to_string().into_bytes());
    let (query, content_type) = parameters(scheme, draft);
    let unsigned_headers: Vec<_> = content_type.iter().map(|kind| (&b"content-type"[..], kind.as_bytes())).collect();
    let unsigned = Unsigned {
        method: draft.method,
        query: &query,
        headers: &unsigned_headers,
        message_id: draft.id,
        timestamp: NOW,
        body: &body,
    };
    let signed = match (&scheme.signature, &mut json) {
        (SignaturePlace::Body(path), Some(json)) => {
            let signature = signer.signature(&unsigned).ok()?;
            put(json, path.segments(), &signature)?;
            body = json.to_string().into_bytes();
            own_headers(scheme, draft)?
        }
        _ => signer.sign(&unsigned).ok()?,
    };
    let kind = content_type.map(|kind| ("content-type".to_owned(), kind));
    let headers = signed.into_iter().chain(kind).map(|(name, value)| (name, value.into_bytes())).collect();
    Some(Request { method: draft.method.to_owned(), query, headers, body })
}

/// The JSON body of a provider that puts its signature or its time there. The outer `None`: its members are in each other's way.
#[allow(clippy::option_option, reason = "no such body, or no way to make it")]
fn members(scheme: &Scheme, draft: &Draft<'_>) -> Option<Option<Value>> {
    let time = scheme.timestamp.as_ref();
    let time_path = time.and_then(|rule| match &rule.place {
        TimestampPlace::Body(path) => Some((path, rule.unit)),
        _ => None,
    });
    let signed_in_body = matches!(scheme.signature, SignaturePlace::Body(_));
    if time_path.is_none() && !signed_in_body {
        return Some(None);
    }
    let mut json = Value::Null;
    if let Some((path, unit)) = time_path {
        put(&mut json, path.segments(), &time_text(unit)?)?;
    }
    let text = String::from_utf8_lossy(draft.body);
    if !signed_in_body {
        put(&mut json, "draft".parse::<Path>().ok()?.segments(), &text)?;
    }
    for (number, piece) in scheme.content.pieces().iter().enumerate() {
        if let Piece::Field(path) = piece {
            put(&mut json, path.segments(), &format!("{number}{text}"))?;
        }
    }
    Some(Some(json))
}

/// The query, and the content type where it matters: of a form, or with the body's hash in the query.
fn parameters(scheme: &Scheme, draft: &Draft<'_>) -> (String, Option<String>) {
    if !scheme.content.has(&Piece::Params) {
        return (draft.query.to_owned(), None);
    }
    if draft.form {
        return (draft.query.to_owned(), Some(FORM.to_owned()));
    }
    let hash: String = Sha256::digest(draft.body).iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("bodySHA256={hash}"), Some("application/json".to_owned()))
}

/// The headers beside a body that holds the signature.
fn own_headers(scheme: &Scheme, draft: &Draft<'_>) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    if let Some(rule) = &scheme.timestamp
        && let TimestampPlace::Header(name) = &rule.place
    {
        headers.push((name.clone(), time_text(rule.unit)?));
    }
    if let Some(Place::Header(name)) = &scheme.message_id {
        headers.push((name.clone(), draft.id.to_owned()));
    }
    Some(headers)
}

fn time_text(unit: TimeUnit) -> Option<String> {
    match unit {
        TimeUnit::Seconds => Some(NOW.unix_seconds().to_string()),
        TimeUnit::Milliseconds => Some(NOW.unix_millis().to_string()),
        TimeUnit::Rfc3339 => Some("2023-11-14T22:13:20Z".to_owned()),
    }
}

/// Puts a text at a path, with the objects and arrays that lead there. `None`: something else is in its way.
fn put(json: &mut Value, path: &[Segment], text: &str) -> Option<()> {
    let Some((head, rest)) = path.split_first() else {
        let free = json.is_null();
        *json = Value::String(text.to_owned());
        return free.then_some(());
    };
    match head {
        Segment::Only => put(first(json)?, rest, text),
        Segment::Member(name) if name == "0" => put(first(json)?, rest, text),
        Segment::Member(name) => {
            if json.is_null() {
                *json = Value::Object(Map::new());
            }
            put(json.as_object_mut()?.entry(name.as_str()).or_insert(Value::Null), rest, text)
        }
    }
}

fn first(json: &mut Value) -> Option<&mut Value> {
    if json.is_null() {
        *json = Value::Array(vec![Value::Null]);
    }
    json.as_array_mut()?.first_mut()
}
