//! What may be told of bodies and of values the application attaches: JSON, with credentials taken out of it.

use serde_json::{Map, Value};

use super::credentials::{REDACTED, is_telling_name};
use super::redact::Redactor;
use crate::error::ConfigError;
use crate::text::cut_chars;

/// A longer body is not told at all: half of one could not be read as JSON.
pub const MAX_BODY: usize = 64 * 1024;
/// The most bytes of metadata, as JSON, that are told.
pub const MAX_METADATA: usize = 8 * 1024;
/// The most characters of a metadata member's name.
const MAX_NAME: usize = 200;
/// What the name and the value of a pair are called.
const NAME_MEMBERS: &[&str] = &["name", "key", "field", "header", "label", "Name", "Key"];
const VALUE_MEMBERS: &[&str] = &["value", "values", "val", "content", "text", "Value"];
/// Stands in metadata from which members were left out.
const TRUNCATED: &str = "_truncated";

/// Which parts of JSON bodies are told, by dotted paths: `data.email_addresses`. `*` stands for every member, and lists
/// are looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureBody {
    /// What is told; all of it when empty.
    pub keep: Vec<String>,
    /// What is taken out of that.
    pub remove: Vec<String>,
}

/// [`CaptureBody`], checked.
///
/// ```
/// use surehook_core::telemetry::bodies::{BodyFilter, CaptureBody};
/// use surehook_core::telemetry::redact::Redactor;
///
/// let options = CaptureBody { keep: vec![], remove: vec!["data.email_addresses".to_owned()] };
/// let filter = BodyFilter::new(&options).unwrap();
/// let body = br#"{"type":"user.created","data":{"email_addresses":["a@b.example"],"password":"hunter2"}}"#;
/// assert_eq!(
///     filter.told(body, &Redactor::new::<&str>(&[])).unwrap(),
///     r#"{"data":{"password":"[redacted]"},"type":"user.created"}"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyFilter {
    keep: Vec<Path>,
    remove: Vec<Path>,
}

type Path = Vec<String>;

impl BodyFilter {
    /// Reads the paths.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when a path is empty or has an empty part.
    pub fn new(options: &CaptureBody) -> Result<Self, ConfigError> {
        Ok(Self { keep: paths(&options.keep)?, remove: paths(&options.remove)? })
    }

    /// The body as it may be told, the members of JSON in the order of their names; `None` when it is too long or binary, or when paths are given and it is not JSON.
    pub fn told(&self, body: &[u8], redactor: &Redactor) -> Option<String> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= MAX_BODY)?;
        match serde_json::from_str(text) {
            Ok(value) => {
                let kept = if self.keep.is_empty() { value } else { self.kept(value) };
                let left = without(kept, &self.remove.iter().map(Vec::as_slice).collect::<Vec<_>>());
                Some(redacted(left, redactor).to_string())
            }
            Err(_) if !(self.keep.is_empty() && self.remove.is_empty()) => None,
            Err(_) if is_form(text) => Some(redactor.query(text)),
            Err(_) => Some(redactor.text(text).into_owned()),
        }
    }

    fn kept(&self, value: Value) -> Value {
        only(value, &self.keep.iter().map(Vec::as_slice).collect::<Vec<_>>())
            .unwrap_or_else(|| Value::Object(Map::new()))
    }
}

/// Metadata as it may be told: redacted, and cut where it is longer than [`MAX_METADATA`].
pub fn metadata(given: Map<String, Value>, redactor: &Redactor) -> Map<String, Value> {
    let (mut told, mut left) = (Map::new(), MAX_METADATA);
    let Value::Object(redacted) = redacted(Value::Object(given), redactor) else { return told };
    for (name, value) in redacted {
        let name = cut_chars(&name, MAX_NAME).to_owned();
        let size = name.len() + value.to_string().len();
        match left.checked_sub(size) {
            Some(rest) => {
                left = rest;
                told.insert(name, value);
            }
            None => {
                told.insert(TRUNCATED.to_owned(), Value::Bool(true));
            }
        }
    }
    told
}

fn paths(texts: &[String]) -> Result<Vec<Path>, ConfigError> {
    let path = |text: &String| {
        let parts: Path = text.split('.').map(str::to_owned).collect();
        match parts.iter().any(String::is_empty) {
            true => {
                Err(ConfigError::invalid_option("capture_body", "a path is dotted names, e.g. data.email_addresses"))
            }
            false => Ok(parts),
        }
    };
    texts.iter().map(path).collect()
}

/// What the paths leave to be looked for below a member; an empty rest means the member itself.
fn below<'p>(paths: &[&'p [String]], name: &str) -> Vec<&'p [String]> {
    let steps = paths.iter().filter_map(|path| path.split_first());
    steps.filter(|(first, _)| *first == "*" || *first == name).map(|(_, rest)| rest).collect()
}

/// The parts of a value that the paths name.
fn only(value: Value, paths: &[&[String]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value);
    }
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter_map(|(name, value)| {
                let below = below(paths, &name);
                Some((name, only(value, &below)?))
            });
            Some(Value::Object(kept.collect())).filter(|_| !paths.is_empty())
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(|item| only(item, paths)).collect()))
            .filter(|_| !paths.is_empty()),
        _ => None,
    }
}

/// A value without the parts that the paths name.
fn without(value: Value, paths: &[&[String]]) -> Value {
    if paths.is_empty() {
        return value;
    }
    match value {
        Value::Object(members) => {
            let left = members.into_iter().filter_map(|(name, value)| {
                let below = below(paths, &name);
                let removed = below.iter().any(|path| path.is_empty());
                (!removed).then(|| (name, without(value, &below)))
            });
            Value::Object(left.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| without(item, paths)).collect()),
        other => other,
    }
}

/// The value without credentials: whole values under telling names, and what looks like one anywhere else.
fn redacted(value: Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.limited(&text, MAX_BODY)),
        Value::Number(number) if redactor.text(&number.to_string()).contains(REDACTED) => {
            Value::String(REDACTED.into())
        }
        Value::Array(items) => match items.as_slice() {
            // A pair, as lists of headers and of values of a statement have them.
            [Value::String(name), value] if is_telling_name(name) && !is_told(value) => {
                Value::Array(vec![Value::String(name.clone()), Value::String(REDACTED.into())])
            }
            _ => Value::Array(items.into_iter().map(|item| redacted(item, redactor)).collect()),
        },
        Value::Object(members) => {
            let names_one = names_a_credential(&members);
            let redacted = members.into_iter().map(|(name, value)| {
                let hidden = is_telling_name(&name) || names_one && VALUE_MEMBERS.contains(&name.as_str());
                let value =
                    if hidden && !is_told(&value) { Value::String(REDACTED.into()) } else { redacted(value, redactor) };
                (redactor.name(&name), value)
            });
            Value::Object(redacted.collect())
        }
        other => other,
    }
}

/// Whether a value holds nothing secret, whatever its name.
fn is_told(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(_))
}

/// Whether an object is a pair of a telling name and its value: `{"name": "password", "value": "x"}`.
fn names_a_credential(members: &Map<String, Value>) -> bool {
    NAME_MEMBERS.iter().filter_map(|member| members.get(*member)?.as_str()).any(is_telling_name)
}

/// Whether a text is a form, whose values are encoded so that no credential in them could be recognised.
fn is_form(text: &str) -> bool {
    text.contains('=') && !text.contains(char::is_whitespace)
}
