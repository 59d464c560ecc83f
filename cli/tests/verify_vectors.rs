//! The shared vectors through `surehook verify`: whatever form a request was saved in, the verdict is the core's.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use common::saved::{FORMS, Received};
use common::{run, surehook, text};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/verify.json");

struct Row {
    id: String,
    request: Received,
    /// What the command is told beside the request.
    options: Vec<String>,
    secrets: String,
    expect: Value,
}

fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// A row as somebody would save it. `None`: HTTP cannot carry its headers, or the command has no such option.
fn row(row: &Value) -> Option<Row> {
    let header = |pair: &Value| {
        let value = match &pair[1] {
            Value::String(text) => text.clone().into_bytes(),
            other => STANDARD.decode(string(&other["base64"])).expect("base64"),
        };
        (string(&pair[0]), value)
    };
    let headers: Vec<(String, Vec<u8>)> = row["headers"].as_array().expect("headers").iter().map(header).collect();
    let is_text = |value: &[u8]| std::str::from_utf8(value).is_ok_and(|text| !text.contains(char::is_control));
    let fits = |(name, value): &(String, Vec<u8>)| {
        is_text(value)
            && value.trim_ascii() == value
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !headers.iter().all(fits) || row["options"].get("max_body_bytes").is_some() {
        return None;
    }
    let url = row.get("url").map_or_else(|| "https://app.example/hook".to_owned(), string);
    let mut options = vec!["--provider".to_owned(), string(&row["provider"])];
    options.extend(["--now".to_owned(), row["now"].to_string(), "--url".to_owned(), url.clone()]);
    if let Some(seconds) = row["options"].get("tolerance_seconds") {
        options.extend(["--tolerance".to_owned(), seconds.to_string()]);
    }
    let secrets: Vec<String> = row["secrets"].as_array().expect("secrets").iter().map(string).collect();
    Some(Row {
        id: string(&row["id"]),
        request: Received {
            method: row.get("method").map_or_else(|| "POST".to_owned(), string),
            url,
            headers,
            body: STANDARD.decode(string(&row["body"])).expect("base64"),
        },
        options,
        secrets: secrets.join("\n") + "\n",
        expect: row["expect"].clone(),
    })
}

#[test]
fn every_row_gets_its_verdict_in_the_form_it_was_saved_in() {
    let file: Value = serde_json::from_slice(&std::fs::read(VECTORS).expect("the vectors")).expect("JSON");
    let all = file["rows"].as_array().expect("rows");
    let rows: Vec<Row> = all.iter().filter_map(row).collect();
    assert!(rows.len() * 10 > all.len() * 9, "only {} of {} rows can be saved", rows.len(), all.len());

    let dir = tempfile::tempdir().expect("a directory");
    for (index, row) in rows.iter().enumerate() {
        std::fs::write(dir.path().join("secrets"), &row.secrets).expect("a file");
        let form = FORMS[index % FORMS.len()];
        let request = row.request.save(dir.path(), form);
        let mut command = surehook(&["verify", "--json", "--secret-file", "secrets"]);
        let output = run(command.args(&row.options).args(&request).current_dir(dir.path()));
        let said = text(&output.stdout);
        let found: Value = serde_json::from_str(&said)
            .unwrap_or_else(|_| panic!("{} as {form}: {said}{}", row.id, text(&output.stderr)));
        let valid = row.expect["valid"].as_bool().expect("a verdict");
        assert_eq!(found["valid"], valid, "{} as {form}: {said}", row.id);
        assert_eq!(output.status.code(), Some(if valid { 0 } else { 1 }), "{} as {form}", row.id);
        match valid {
            true => assert_eq!(found["message_id"], row.expect["message_id"], "{} as {form}", row.id),
            false => assert_eq!(found["code"], row.expect["code"], "{} as {form}: {said}", row.id),
        }
    }
}
