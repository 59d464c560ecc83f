//! Bodies and metadata: what is told of them, and how much.

use serde_json::{Map, Value, json};
use surehook_core::telemetry::bodies::{BodyFilter, CaptureBody, MAX_BODY, MAX_METADATA, metadata};
use surehook_core::telemetry::redact::Redactor;

fn redactor() -> Redactor {
    Redactor::new::<&str>(&[])
}

fn told(body: &[u8]) -> Option<String> {
    BodyFilter::new(&CaptureBody::default()).expect("no paths").told(body, &redactor())
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn what_is_long_or_binary_is_not_told() {
    let longest = format!("\"{}\"", "x".repeat(MAX_BODY - 2));
    assert_eq!(told(longest.as_bytes()), Some(longest));
    assert_eq!(told(format!("\"{}\"", "x".repeat(MAX_BODY - 1)).as_bytes()), None);
    assert_eq!(told(b"\xff\xfe"), None);
    assert_eq!(told(b""), Some(String::new()));
}

#[test]
fn json_nested_without_end_is_no_panic() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    assert!(told(deep.as_bytes()).is_some());
    let keep = CaptureBody { keep: vec!["a".to_owned()], remove: vec![] };
    assert_eq!(BodyFilter::new(&keep).expect("a path").told(deep.as_bytes(), &redactor()), None);
}

#[test]
fn the_values_of_a_form_are_not_told() {
    assert_eq!(told(b"payload=%7B%22card%22%3A4111%7D&v=2").as_deref(), Some("payload=[redacted]&v=2"));
}

#[test]
fn what_paths_do_not_keep_is_gone_however_the_json_is_built() {
    let keep = CaptureBody { keep: vec!["data.id".to_owned()], remove: vec![] };
    let filter = BodyFilter::new(&keep).expect("a path");
    for (body, expected) in [
        (json!({ "data": { "id": 7, "name": "x" }, "id": 8 }), json!({ "data": { "id": 7 } })),
        (json!({ "data": [{ "id": 7, "name": "x" }] }), json!({ "data": [{ "id": 7 }] })),
        (json!({ "data": "x" }), json!({})),
        (json!([{ "name": "x" }]), json!([{}])),
        (json!("x"), json!({})),
    ] {
        let told = filter.told(body.to_string().as_bytes(), &redactor()).expect("JSON");
        assert_eq!(serde_json::from_str::<Value>(&told).expect("JSON"), expected, "{body}");
    }
}

#[test]
fn metadata_is_redacted_and_bounded() {
    let given = members(json!({ "order": 7, "api_key": "hunter2", "note": "Bearer abcdef123456", "none": null }));
    let expected = members(json!({ "order": 7, "api_key": "[redacted]", "note": "Bearer [redacted]", "none": null }));
    assert_eq!(metadata(given, &redactor()), expected);

    let mut long: Map<String, Value> =
        (0..1_000).map(|number| (format!("name-{number}"), json!("x".repeat(50)))).collect();
    long.insert("n".repeat(10_000), json!("y".repeat(100_000)));
    let told = metadata(long, &redactor());
    assert_eq!(told["_truncated"], true);
    assert!(told.len() > 50 && Value::Object(told).to_string().len() < 2 * MAX_METADATA);
}
