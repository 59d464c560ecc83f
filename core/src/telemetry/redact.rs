//! What may be told of a request and of an error. Everything passes through here before it is queued.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::attempt::ErrorInfo;
use super::credentials::{self, REDACTED, without_credentials};
use super::fingerprint::error_fingerprint;
use crate::marks::MAX_STEP_NAME;
use crate::request::HeaderPairs;
use crate::text::cut;

/// The most bytes of an error's message that are told.
pub const MAX_MESSAGE: usize = 1000;
/// The most bytes of a path with its query that are told.
pub const MAX_PATH: usize = 1000;
/// The most bytes of a header's value that are told.
pub const MAX_HEADER: usize = 200;
/// The most bytes of a label (a message's id, an event type) that are told.
pub const MAX_LABEL: usize = 1000;
/// So much more than its limit is looked at of a text: what is redacted makes room.
const LOOK_AHEAD: usize = 1024;
/// How much of a secret must stand at the end of a text to be taken for its beginning.
const MIN_BEGINNING: usize = 4;
/// The most members of a query that are told.
const MAX_QUERY_MEMBERS: usize = 20;
/// The most bytes of a name, such as that of a step or of an error's type, that are told.
pub const MAX_NAME: usize = 200;
/// A shorter secret would be found in harmless text.
const MIN_SECRET: usize = 8;
/// A path segment of this length that mixes letters and digits is a capability, not a name.
const MIN_CAPABILITY: usize = 24;

/// Headers that help to understand an attempt and carry no secret. Never a signature, a cookie or an authorization.
const TOLD_HEADERS: &[&str] = &[
    "content-encoding",
    "content-length",
    "content-type",
    "svix-id",
    "svix-timestamp",
    "traceparent",
    "transfer-encoding",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "x-forwarded-proto",
    "x-request-id",
];
/// Query members whose values are harmless, as long as they are short and plain.
const TOLD_QUERY: &[&str] = &["format", "lang", "locale", "provider", "source", "v", "version"];

/// Makes text safe to send. It knows the secrets of its endpoint, and what credentials look like.
///
/// ```
/// use surehook_core::telemetry::redact::Redactor;
///
/// let redactor = Redactor::new(&["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]);
/// assert_eq!(redactor.text("key C2FVsBQIhrscChlQIMV+b5sSYspob7oD is bad"), "key [redacted] is bad");
/// assert_eq!(redactor.text("password=hunter2 for Bearer abcdef123"), "password=[redacted] for Bearer [redacted]");
/// assert_eq!(redactor.path("/hooks/clerk?tenant=acme&v=2"), "/hooks/clerk?tenant=[redacted]&v=2");
/// ```
#[derive(Clone)]
pub struct Redactor {
    secrets: Vec<Zeroizing<String>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} forms of secrets)", self.secrets.len())
    }
}

impl Redactor {
    /// A redactor that also knows these secrets: as they are, without their prefix, and percent-encoded.
    pub fn new<S: AsRef<str>>(secrets: &[S]) -> Self {
        credentials::prepare();
        let mut forms: Vec<_> = secrets.iter().flat_map(|secret| forms(secret.as_ref())).collect();
        // The longest first: a part of it must not be all that is found.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self { secrets: forms }
    }

    /// The text without credentials, whatever its length.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut clean = Cow::Borrowed(text);
        for secret in &self.secrets {
            if clean.len() >= secret.len() && clean.contains(secret.as_str()) {
                clean = Cow::Owned(clean.replace(secret.as_str(), REDACTED));
            }
        }
        match clean {
            Cow::Borrowed(text) => without_credentials(text),
            Cow::Owned(text) => Cow::Owned(without_credentials(&text).into_owned()),
        }
    }

    /// A message of an error, or a reason: redacted, and cut to [`MAX_MESSAGE`] bytes.
    pub fn message(&self, message: &str) -> String {
        self.limited(message, MAX_MESSAGE)
    }

    /// A short name, such as an error's type: redacted, and cut to [`MAX_NAME`] bytes.
    pub fn name(&self, name: &str) -> String {
        self.limited(name, MAX_NAME)
    }

    /// The name of a step: redacted, and cut to no fewer than [`MAX_STEP_NAME`] characters.
    pub fn step(&self, name: &str) -> String {
        self.limited(name, MAX_STEP_NAME * 4)
    }

    /// A label, by which records are found and told apart. One with a credential in it becomes `redacted-` and its HMAC
    /// under `key`, the API key, so that two different ones stay two.
    ///
    /// ```
    /// use surehook_core::telemetry::redact::Redactor;
    ///
    /// let redactor = Redactor::new::<&str>(&[]);
    /// assert_eq!(redactor.label("msg_1", b"shk_1"), "msg_1");
    /// let label = redactor.label("sk_live_51H8xCanary", b"shk_1");
    /// assert!(label.starts_with("redacted-") && label.len() == 41);
    /// assert_ne!(label, redactor.label("sk_live_51H8xCanary2", b"shk_1"));
    /// ```
    pub fn label(&self, label: &str, key: &[u8]) -> String {
        let told = self.limited(label, MAX_LABEL);
        if label.len() <= MAX_LABEL && told == label {
            return told;
        }
        if self.text(cut(label, MAX_LABEL + LOOK_AHEAD)) == cut(label, MAX_LABEL + LOOK_AHEAD) {
            return cut(label, MAX_LABEL).to_owned();
        }
        // Any length of key will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return REDACTED.to_owned() };
        mac.update(label.as_bytes());
        let digest = mac.finalize().into_bytes();
        format!("redacted-{}", base16ct::lower::encode_string(&digest[..16]))
    }

    /// A text as far as it is told: cut a little beyond `limit`, redacted, and cut to it. What the first cut may have split
    /// goes, for half of a credential looks like none.
    pub(super) fn limited(&self, text: &str, limit: usize) -> String {
        let start = cut(text, limit + LOOK_AHEAD);
        let clean = self.text(start);
        if start.len() == text.len() {
            return cut(&clean, limit).to_owned();
        }
        let whole = self.without_split_end(&clean);
        let told = cut(whole, limit);
        if told.len() < whole.len() {
            told.to_owned()
        } else {
            format!("{} …", told.trim_end()).trim_start().to_owned()
        }
    }

    /// A text that was cut, without its last word, digits before that, and what may be the beginning of a known secret.
    fn without_split_end<'t>(&self, text: &'t str) -> &'t str {
        let end = text.rfind(|c: char| c.is_whitespace() || matches!(c, '/' | '&' | ',' | ';')).unwrap_or(0);
        let split = self.secrets.iter().filter_map(|secret| beginning_at_end(text, secret)).min();
        let text = &text[..split.unwrap_or(end).min(end)];
        text.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '-'))
    }

    /// An error as it may be told. `location` is where it was raised, in any form; it only goes into the fingerprint.
    pub fn error(&self, kind: &str, message: &str, location: Option<&str>) -> ErrorInfo {
        let kind = self.name(kind);
        let message = self.message(message);
        let fingerprint = error_fingerprint(&kind, &message, location);
        ErrorInfo { kind, message, fingerprint }
    }

    /// A path with its query: the query's values are redacted, and so is every part of the path that looks like a
    /// capability. Cut to [`MAX_PATH`] bytes.
    pub fn path(&self, path: &str) -> String {
        let start = cut(path, MAX_PATH + LOOK_AHEAD);
        let path = if start.len() < path.len() { self.without_split_end(start) } else { start };
        let path = path.split('#').next().unwrap_or_default();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let path = self.text(path);
        let mut told = String::with_capacity(path.len());
        for (index, segment) in path.split('/').enumerate() {
            told.push_str(if index > 0 { "/" } else { "" });
            told.push_str(if is_capability(segment) { REDACTED } else { segment });
        }
        if let Some(query) = query {
            told.push('?');
            told.push_str(&self.query(query));
        }
        cut(&told, MAX_PATH).to_owned()
    }

    /// Whether a header is, or holds, what would be redacted.
    pub(crate) fn takes_for_a_credential(&self, name: &str, value: &str) -> bool {
        credentials::is_telling_name(name) || matches!(self.text(value), Cow::Owned(_))
    }

    /// The headers of the allow-list, names in lower case. Of a repeated one the first is told.
    pub fn headers(&self, headers: HeaderPairs<'_>) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for &(name, value) in headers {
            let known = TOLD_HEADERS.iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()));
            if let Some(known) = known.filter(|known| !told.contains_key(**known)) {
                told.insert((*known).to_owned(), self.header(known, value));
            }
        }
        told
    }

    fn header(&self, name: &str, value: &[u8]) -> String {
        // A cut may split a character.
        let start = &value[..value.len().min(MAX_HEADER + LOOK_AHEAD + 4)];
        let value = match std::str::from_utf8(start) {
            Ok(value) => value,
            Err(error) if error.error_len().is_none() && start.len() < value.len() => {
                std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return REDACTED.to_owned(),
        };
        if !has_the_form(name, value) {
            return REDACTED.to_owned();
        }
        self.limited(value, MAX_HEADER)
    }

    /// The members of a query or a form, their values redacted.
    pub(super) fn query(&self, query: &str) -> String {
        let members: Vec<String> =
            query.split('&').take(MAX_QUERY_MEMBERS).map(|member| self.query_member(member)).collect();
        members.join("&")
    }

    fn query_member(&self, member: &str) -> String {
        // A member without a value may be a bare token.
        let Some((name, value)) = member.split_once('=') else {
            return if is_plain(member) { member.to_owned() } else { REDACTED.to_owned() };
        };
        let plain = TOLD_QUERY.contains(&name) && is_plain(value);
        let name = if is_capability(name) || self.hides_one(name) { Cow::Borrowed(REDACTED) } else { self.text(name) };
        format!("{}={}", name, if plain || value.is_empty() { value } else { REDACTED })
    }

    /// Whether there is a credential in what an encoded name stands for.
    fn hides_one(&self, name: &str) -> bool {
        let decoded = || form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.into_owned());
        name.contains('%') && decoded().is_some_and(|name| self.text(&name).contains(REDACTED))
    }
}

/// How a secret may turn up in a text.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let bare = secret.strip_prefix("whsec_").or_else(|| secret.strip_prefix("whsk_")).unwrap_or(secret);
    let mut forms = vec![Zeroizing::new(secret.to_owned()), Zeroizing::new(bare.to_owned())];
    if bare.contains(['+', '/', '=']) {
        forms.push(Zeroizing::new(bare.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")));
        forms.push(Zeroizing::new(bare.replace('+', "%2b").replace('/', "%2f").replace('=', "%3d")));
        forms.push(Zeroizing::new(bare.trim_end_matches('=').to_owned()));
    }
    forms.retain(|form| form.len() >= MIN_SECRET);
    forms
}

/// Where a beginning of the secret stands at the end of a text.
fn beginning_at_end(text: &str, secret: &str) -> Option<usize> {
    let longest = secret.len().saturating_sub(1).min(text.len());
    let lengths = (MIN_BEGINNING..=longest).rev();
    lengths
        .filter(|length| secret.is_char_boundary(*length))
        .find(|&length| text.ends_with(&secret[..length]))
        .map(|length| text.len() - length)
}

/// Whether a header that has a form has it. Anything else in its place could be anything.
fn has_the_form(name: &str, value: &str) -> bool {
    match name {
        "content-length" | "svix-timestamp" | "webhook-timestamp" => {
            value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        "svix-id" | "webhook-id" | "traceparent" | "x-request-id" | "x-forwarded-proto" => value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b',' | b' ')),
        _ => !value.bytes().any(|byte| byte.is_ascii_control()),
    }
}

fn is_plain(text: &str) -> bool {
    text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.'))
        || text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a part of a path is long and random, so that knowing it may be what gives access. UUIDs are names.
fn is_capability(segment: &str) -> bool {
    let random = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'=' | b'%' | b'+' | b'~');
    segment.len() >= MIN_CAPABILITY
        && segment.bytes().all(random)
        && segment.bytes().any(|byte| byte.is_ascii_digit())
        && segment.bytes().any(|byte| byte.is_ascii_alphabetic())
        && super::fingerprint::uuid(segment) != Some(segment.len())
}
