//! Whole requests as a provider would send them: with what it puts into the body and the query beside its headers.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::error::ConfigError;
use crate::request::Incoming;
use crate::scheme::{Piece, Place, Segment, SignaturePlace, TimestampPlace};
use crate::sign::{Signer, Unsigned};

/// What is sent of a message that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The query of the URL, without its question mark; empty for none.
    pub query: String,
    /// The headers that come to those it had.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Signer {
    /// The whole request. A signature that belongs into the body is put there. With `fill`, so are the time and the message's
    /// id, where the scheme has them there and the body does not. A body that is no form gets its hash into the query, where
    /// nothing else of it is signed.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the signature belongs into a body that is not such JSON.
    ///
    /// ```
    /// use surehook_core::{Signer, Timestamp, Unsigned, Verifier, scheme};
    ///
    /// let now = Timestamp::from_unix_seconds(1_700_000_000);
    /// let unsigned = Unsigned { timestamp: now, message_id: "token", ..Unsigned::post(br#"{"event-data":{}}"#) };
    /// let signer = Signer::new(scheme::find("mailgun").unwrap(), "0123456789abcdef").unwrap();
    /// let whole = signer.whole(&unsigned, true).unwrap();
    /// let verifier = Verifier::new("mailgun", &["0123456789abcdef"]).unwrap();
    /// assert_eq!(verifier.verify(&whole.body, &[], now).unwrap().message_id(), "token");
    /// ```
    pub fn whole(&self, unsigned: &Unsigned<'_>, fill: bool) -> Result<Whole, ConfigError> {
        let query = self.query_with_hash(unsigned);
        let unsigned = Unsigned { query: &query, ..*unsigned };
        if let SignaturePlace::Body(path) = &self.scheme.signature {
            let signed = self.signed_inside(&unsigned, path.segments());
            let (headers, body) = signed.ok_or_else(|| {
                let fault =
                    format!("{} signs inside of JSON, at {path}: this body has no such place", self.scheme.title);
                ConfigError::invalid_option("body", fault)
            })??;
            return Ok(Whole { headers, body, query });
        }
        let body = if fill { self.filled(&unsigned) } else { unsigned.body.to_vec() };
        let headers = self.sign(&Unsigned { body: &body, ..unsigned })?;
        Ok(Whole { headers, body, query })
    }

    fn query_with_hash(&self, unsigned: &Unsigned<'_>) -> String {
        let incoming = Incoming { method: unsigned.method, path: "", headers: unsigned.headers, body: unsigned.body };
        let hashed = self.scheme.content.has(&Piece::Params) && !incoming.is_form() && !unsigned.body.is_empty();
        if !hashed || unsigned.query.contains("bodySHA256=") {
            return unsigned.query.to_owned();
        }
        let parted = if unsigned.query.is_empty() { "" } else { "&" };
        let hash = base16ct::lower::encode_string(&Sha256::digest(unsigned.body));
        format!("{}{parted}bodySHA256={hash}", unsigned.query)
    }

    /// The headers, and the body with its signature. `None`: there is no place for that.
    #[allow(clippy::type_complexity, reason = "it is taken apart at once")]
    fn signed_inside(
        &self,
        unsigned: &Unsigned<'_>,
        place: &[Segment],
    ) -> Option<Result<(Vec<(String, String)>, Vec<u8>), ConfigError>> {
        let mut json: Value = serde_json::from_slice(unsigned.body).ok()?;
        json.as_object()?;
        if let Some(TimestampPlace::Body(path)) = self.scheme.timestamp.as_ref().map(|rule| &rule.place) {
            *at(&mut json, path.segments())? = Value::String(self.timestamp_text(unsigned));
        }
        self.fill_id(&mut json, unsigned.message_id);
        let body = json.to_string();
        let signature = match self.signature(&Unsigned { body: body.as_bytes(), ..*unsigned }) {
            Ok(signature) => signature,
            Err(error) => return Some(Err(error)),
        };
        *at(&mut json, place)? = Value::String(signature);
        Some(Ok((self.own_headers(unsigned), json.to_string().into_bytes())))
    }

    /// The body with its time and its message's id, as far as it is JSON that lacks them.
    fn filled(&self, unsigned: &Unsigned<'_>) -> Vec<u8> {
        let Ok(mut json) = serde_json::from_slice::<Value>(unsigned.body) else { return unsigned.body.to_vec() };
        let before = json.clone();
        if let Some(TimestampPlace::Body(path)) = self.scheme.timestamp.as_ref().map(|rule| &rule.place)
            && let Some(place) = at(&mut json, path.segments()).filter(|place| place.is_null())
        {
            let text = self.timestamp_text(unsigned);
            *place = text.parse::<u64>().map_or_else(|_| Value::String(text.clone()), Value::from);
        }
        self.fill_id(&mut json, unsigned.message_id);
        if json == before { unsigned.body.to_vec() } else { json.to_string().into_bytes() }
    }

    /// Only where one member is the id: what is joined from several is the message's own.
    fn fill_id(&self, json: &mut Value, id: &str) {
        if let Some(Place::Body(paths)) = &self.scheme.message_id
            && let [path] = &paths[..]
            && let Some(place) = at(json, path.segments()).filter(|place| place.is_null())
        {
            *place = Value::String(id.to_owned());
        }
    }
}

/// The place that a path leads to, made where it is missing. `None`: something else is in its way.
fn at<'v>(json: &'v mut Value, path: &[Segment]) -> Option<&'v mut Value> {
    let Some((head, rest)) = path.split_first() else { return Some(json) };
    if head.is_first() {
        if json.is_null() {
            *json = Value::Array(vec![Value::Null]);
        }
        return at(json.as_array_mut()?.first_mut()?, rest);
    }
    let Segment::Member(name) = head else { return None };
    if json.is_null() {
        *json = Value::Object(Map::new());
    }
    at(json.as_object_mut()?.entry(name.as_str()).or_insert(Value::Null), rest)
}
