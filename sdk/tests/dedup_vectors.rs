//! The rows of dedup.json: requests one after another at one endpoint, and what it does with each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::{ok, silent_client};
use surehook::core::Timestamp;
use surehook::{Body, Clock, Decision, Endpoint, EndpointOptions, OnUnsignedId, Request, Scheme};

struct RowClock(AtomicI64);

impl Clock for RowClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn options(row: &Value, clock: &Arc<RowClock>) -> Result<EndpointOptions, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let scheme =
        row.get("scheme").map(|scheme| Scheme::from_json(&scheme.to_string()).map_err(|error| error.to_string()));
    Ok(EndpointOptions {
        scheme: scheme.transpose()?,
        secrets: vec![text(&row["secret"]).unwrap()],
        name: text(&row["id"]),
        urls: row.get("url").and_then(text).into_iter().collect(),
        dedup: row["options"].get("dedup").and_then(text),
        on_unsigned_id: match row["options"].get("on_unsigned_id").and_then(Value::as_str) {
            Some("handle") => OnUnsignedId::Handle,
            _ => OnUnsignedId::Duplicate,
        },
        clock: Some(Arc::clone(clock) as Arc<dyn Clock>),
        client: Some(silent_client()),
        ..EndpointOptions::new(row.get("provider").and_then(text).unwrap_or_default())
    })
}

fn decided(endpoint: &Endpoint, request: &Value) -> String {
    let headers: Vec<[&str; 2]> = serde_json::from_value(request["headers"].clone())
        .map(|pairs: Vec<[String; 2]>| pairs.into_iter().map(|pair| pair.map(|text| &*text.leak())).collect())
        .unwrap();
    let pairs: Vec<_> = headers.iter().map(|[name, value]| (name.as_bytes(), value.as_bytes())).collect();
    let body = STANDARD.decode(request["body"].as_str().unwrap()).unwrap();
    let path = request["path"].as_str().unwrap();
    match endpoint.begin(Request { method: "POST", path, headers: &pairs, body: Body::Bytes(&body) }) {
        Decision::Handle(delivery) => {
            delivery.finish(ok(b"done"));
            "handle".to_owned()
        }
        Decision::Answer(answer) => match answer.rejection {
            Some(rejection) => rejection.code().as_str().to_owned(),
            None => answer.kind.as_str().to_owned(),
        },
    }
}

fn check(row: &Value) {
    let id = row["id"].as_str().unwrap();
    let clock = Arc::new(RowClock(AtomicI64::new(0)));
    let built = options(row, &clock).and_then(|options| Endpoint::new(options).map_err(|error| error.to_string()));
    if let Some(error) = row.get("error") {
        assert!(built.unwrap_err().contains(error["says"].as_str().unwrap()), "{id}");
        return;
    }
    let endpoint = built.unwrap();
    for (number, request) in row["requests"].as_array().unwrap().iter().enumerate() {
        clock.0.store(request["now"].as_i64().unwrap(), Ordering::SeqCst);
        assert_eq!(decided(&endpoint, request), request["expect"].as_str().unwrap(), "{id}, request {number}");
    }
    let counts = endpoint.dedup_counts();
    let found = [
        ("new", counts.new),
        ("duplicate", counts.duplicate),
        ("same_body_other_id", counts.same_body_other_id),
        ("id_reuse", counts.id_reuse),
    ];
    for (name, count) in found {
        assert_eq!(count, row["counts"].get(name).and_then(Value::as_u64).unwrap_or(0), "{id}: {name}");
    }
}

#[test]
fn every_request_gets_what_its_row_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/dedup.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rows = file["rows"].as_array().unwrap();
    rows.iter().for_each(check);
    println!("conformance rust: dedup.json {} rows", rows.len());
}
