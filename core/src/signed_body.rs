//! What a provider writes into the body itself when it signs: the time, and the signature.

use serde_json::{Map, Value};

use crate::error::ConfigError;
use crate::scheme::{Path, Place, Scheme, Segment, SignaturePlace, TimestampPlace};

/// The body with the time of signing and, where the signature is in the body too, the message's id, unless it has one; `None` for
/// a scheme that writes neither.
pub(crate) fn prepared(scheme: &Scheme, body: &[u8], time: &str, id: &str) -> Result<Option<Vec<u8>>, ConfigError> {
    let time_at = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        Some(TimestampPlace::Body(path)) => Some(path),
        _ => None,
    };
    let id_at = match (&scheme.signature, &scheme.message_id) {
        (SignaturePlace::Body(_), Some(Place::Body(paths))) if paths.len() == 1 => paths.first(),
        _ => None,
    };
    if time_at.is_none() && id_at.is_none() {
        return Ok(None);
    }
    let mut json = read(scheme, body)?;
    if let Some(path) = time_at {
        let number = time.parse::<u64>().map(Value::from);
        write(scheme, &mut json, path, number.unwrap_or_else(|_| Value::from(time)), true)?;
    }
    if let Some(path) = id_at {
        write(scheme, &mut json, path, Value::from(id), false)?;
    }
    Ok(Some(json.to_string().into_bytes()))
}

/// The body with its signature.
pub(crate) fn signed(scheme: &Scheme, body: &[u8], path: &Path, signature: &str) -> Result<Vec<u8>, ConfigError> {
    let mut json = read(scheme, body)?;
    write(scheme, &mut json, path, Value::from(signature), true)?;
    Ok(json.to_string().into_bytes())
}

fn read(scheme: &Scheme, body: &[u8]) -> Result<Value, ConfigError> {
    serde_json::from_slice(body).map_err(|_| {
        ConfigError::invalid_option("body", format!("{} signs inside the body, which must be JSON", scheme.title))
    })
}

fn write(scheme: &Scheme, json: &mut Value, path: &Path, leaf: Value, replace: bool) -> Result<(), ConfigError> {
    let slot = path.segments().iter().try_fold(json, slot);
    let slot = slot.ok_or_else(|| {
        ConfigError::invalid_option(
            "body",
            format!("{} signs inside the body, which has no place for {path}", scheme.title),
        )
    })?;
    if replace || slot.is_null() {
        *slot = leaf;
    }
    Ok(())
}

/// The value one step down; members that are not there are made.
fn slot<'a>(value: &'a mut Value, segment: &Segment) -> Option<&'a mut Value> {
    if value.is_null() && !segment.is_first() {
        *value = Value::Object(Map::new());
    }
    match (value, segment) {
        (Value::Object(members), Segment::Member(name)) => Some(members.entry(name.as_str()).or_insert(Value::Null)),
        (Value::Array(items), segment) if segment.is_first() => items.first_mut(),
        _ => None,
    }
}
