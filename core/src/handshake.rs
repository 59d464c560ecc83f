//! The answers to what a provider asks of an endpoint before it sends events.

use serde_json::{Value, json};

use crate::request::Incoming;
use crate::scheme::{Algorithm, Handshake, Path};
use crate::secret::key::{Key, Tag};
use crate::verify::{VerifiedMessage, check};

/// What to answer a provider that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body; `None`: there is none.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

impl HandshakeAnswer {
    fn json(status: u16, value: &Value) -> Self {
        Self { status, content_type: Some("application/json"), body: value.to_string().into_bytes() }
    }
}

/// The answer to a signed question (Slack, Zoom, Discord), made with the key that signed it; `None`: the message is an event.
///
/// ```
/// use surehook_core::{Incoming, Scheme, Signer, Timestamp, Unsigned, Verifier, handshake};
///
/// let scheme = std::sync::Arc::new(Scheme::from_json(r#"{
///     "provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256",
///     "signature": {"header": "x-acme"}, "content": "{body}",
///     "handshake": {"kind": "echo", "when": {"type": "hello"}, "field": "challenge"}
/// }"#).unwrap());
/// let body = br#"{"type":"hello","challenge":"abc"}"#;
/// let signed = Signer::new(scheme.clone(), "0123456789abcdef").unwrap().sign(&Unsigned::post(body)).unwrap();
/// let headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
/// let verifier = Verifier::for_scheme(scheme, &["0123456789abcdef"]).unwrap();
/// let message = verifier.verify(body, &headers, Timestamp::from_unix_seconds(0)).unwrap();
///
/// assert_eq!(handshake::answer(&message).unwrap().body, br#"{"challenge":"abc"}"#);
/// ```
pub fn answer(message: &VerifiedMessage<'_>) -> Option<HandshakeAnswer> {
    let handshake = message.scheme().handshake.as_ref()?;
    let (Handshake::Echo { when, .. } | Handshake::Hmac { when, .. } | Handshake::Reply { when, .. }) = handshake
    else {
        return None;
    };
    let body: Value = serde_json::from_slice(message.body()).ok()?;
    let asked = when.iter().all(|(path, value)| path.parse().is_ok_and(|path| at(&body, &path) == Some(value)));
    if !asked {
        return None;
    }
    match handshake {
        Handshake::Echo { field, .. } => {
            let name = last_name(field);
            Some(HandshakeAnswer::json(200, &json!({ name: at(&body, field)?.as_str()? })))
        }
        Handshake::Hmac { field, .. } => {
            let token = at(&body, field)?.as_str()?;
            let Key::Hmac(keyed) = message.key()? else { return None };
            let encrypted = base16ct::lower::encode_string(&keyed.mac(&[token]));
            Some(HandshakeAnswer::json(200, &json!({ last_name(field): token, "encryptedToken": encrypted })))
        }
        Handshake::Reply { status, body: Some(body), .. } => Some(HandshakeAnswer::json(*status, body)),
        Handshake::Reply { status, body: None, .. } => {
            Some(HandshakeAnswer { status: *status, content_type: None, body: Vec::new() })
        }
        Handshake::Subscribe => None,
    }
}

/// The answer to an unsigned question that carries a token the user chose (Meta); `None`: it is not one, or the token is
/// another. The tokens are compared in constant time.
pub fn subscription(
    incoming: &Incoming<'_>,
    handshake: Option<&Handshake>,
    verify_token: Option<&str>,
) -> Option<HandshakeAnswer> {
    if handshake != Some(&Handshake::Subscribe) || incoming.method != "GET" {
        return None;
    }
    let query = incoming.query()?.as_bytes();
    let parameter = |name: &str| form_urlencoded::parse(query).find(|(own, _)| own == name).map(|(_, value)| value);
    let expected = Key::shared(Algorithm::Token, verify_token.filter(|token| !token.is_empty())?.as_bytes()).ok()?;
    let given = parameter("hub.verify_token")?;
    let right = parameter("hub.mode")? == "subscribe"
        && check::any_valid(&expected, &[b""], &[Tag::from_slice(given.as_bytes())]);
    let challenge = parameter("hub.challenge")?;
    right.then(|| HandshakeAnswer {
        status: 200,
        content_type: Some("text/plain; charset=utf-8"),
        body: challenge.into_owned().into_bytes(),
    })
}

/// The value at a path.
fn at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.segments().iter().try_fold(value, |value, segment| match value {
        Value::Array(items) => items.first().filter(|_| segment.is_first()),
        Value::Object(members) => members.iter().find(|(name, _)| segment.is_member(name)).map(|(_, value)| value),
        _ => None,
    })
}

fn last_name(path: &Path) -> String {
    path.to_string().rsplit('.').next().unwrap_or_default().to_owned()
}
