//! Second, slower readings of what the core reads in its own way.

use serde_json::Value;
use surehook_core::scheme::{Path, Segment};

/// The scalar at a path of a parsed JSON text; of several paths at the first that leads to one.
pub(super) fn scalar(json: &Value, path: &Path) -> Option<String> {
    path.alternatives().find_map(|segments| scalar_at(json, segments))
}

fn scalar_at(json: &Value, segments: &[Segment]) -> Option<String> {
    match segments.iter().try_fold(json, step)? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => {
            number.as_u64().map(|value| value.to_string()).or_else(|| number.as_i64().map(|value| value.to_string()))
        }
        _ => None,
    }
}

fn step<'v>(json: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match (json, segment) {
        (Value::Object(members), Segment::Member(name)) => members.get(name),
        (Value::Array(items), Segment::Member(name)) if name == "0" => items.first(),
        (Value::Array(items), Segment::Only) if items.len() == 1 => items.first(),
        _ => None,
    }
}

/// What Twilio signs of a form.
pub(super) fn parameters(form: &[u8]) -> String {
    let pairs: std::collections::BTreeSet<_> = form_urlencoded::parse(form).collect();
    pairs.into_iter().map(|(name, value)| format!("{name}{value}")).collect()
}
