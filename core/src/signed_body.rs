//! What a provider writes into the body itself: the message's id, the time of signing, and the signature.

use serde_json::{Map, Value};

use crate::error::ConfigError;
use crate::scheme::{Path, Place, Scheme, Segment, SignaturePlace, TimestampPlace};

/// The body with the time of signing and the message's id, unless it has one; `None` for a scheme that writes neither, and for a
/// body that is not JSON where nothing but its id would be written.
pub(crate) fn prepared(scheme: &Scheme, body: &[u8], time: &str, id: &str) -> Result<Option<Vec<u8>>, ConfigError> {
    let time_at = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        Some(TimestampPlace::Body(path)) => Some(path),
        _ => None,
    };
    // What is joined from several members is the message's own.
    let id_at = match &scheme.message_id {
        Some(Place::Body(paths)) if paths.len() == 1 && !id.is_empty() => paths.first(),
        _ => None,
    };
    let signs_inside = time_at.is_some() || matches!(scheme.signature, SignaturePlace::Body(_));
    let mut json = match read(scheme, body) {
        _ if id_at.is_none() && time_at.is_none() => return Ok(None),
        Err(_) if !signs_inside => return Ok(None),
        json => json?,
    };
    let given = json.clone();
    if let Some(path) = time_at {
        let number = time.parse::<u64>().map(Value::from);
        write(scheme, &mut json, path, number.unwrap_or_else(|_| Value::from(time)), true)?;
    }
    if let Some(path) = id_at {
        match write(scheme, &mut json, path, Value::from(id), false) {
            Err(_) if !signs_inside => return Ok(None),
            written => written?,
        }
    }
    Ok((json != given).then(|| json.to_string().into_bytes()))
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
