//! The shared vectors through `surehook verify`: whatever form a request was saved in, verdict and finding are the
//! core's.

mod common;

use std::path::Path;
use std::process::Output;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::saved::{FORMS, Received};
use common::{refusal, run, surehook, text};
use serde_json::Value;

struct Row {
    id: String,
    request: Received,
    /// What the command is told beside the request.
    options: Vec<String>,
    /// What stands in files: its own secrets, and those of other endpoints.
    secrets: Vec<(String, String)>,
    expect: Value,
}

fn rows(name: &str) -> Vec<Row> {
    let path = format!("{}/../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).expect("the vectors")).expect("JSON");
    let all = list(&file["rows"]);
    let rows: Vec<Row> = all.iter().filter_map(row).collect();
    assert!(rows.len() * 10 > all.len() * 9, "only {} of {} rows can be saved", rows.len(), all.len());
    rows
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// A row as somebody would save it. `None`: HTTP cannot carry its headers, or the command has no such option.
fn row(row: &Value) -> Option<Row> {
    let headers: Vec<(String, Vec<u8>)> = list(&row["headers"]).iter().map(header).collect();
    let secrets: Vec<String> = list(&row["secrets"]).iter().map(string).collect();
    let is_line = |secret: &String| !secret.is_empty() && !secret.contains(['\r', '\n']);
    if !headers.iter().all(can_be_sent)
        || !secrets.iter().all(is_line)
        || row["options"].get("max_body_bytes").is_some()
    {
        return None;
    }
    let url = row.get("url").map_or_else(|| "https://app.example/hook".to_owned(), string);
    let mut options = vec!["--provider".to_owned(), string(&row["provider"])];
    options.extend(["--now".to_owned(), row["now"].to_string(), "--url".to_owned(), url.clone()]);
    if let Some(seconds) = row["options"].get("tolerance_seconds") {
        options.extend(["--tolerance".to_owned(), seconds.to_string()]);
    }
    options.extend(["--secret-file".to_owned(), "secrets".to_owned()]);
    let mut files = vec![("secrets".to_owned(), secrets.join("\n"))];
    for (index, other) in list(&row["others"]).iter().enumerate() {
        options.extend(["--other-file".to_owned(), format!("{}=other-{index}", string(&other["endpoint"]))]);
        files.push((format!("other-{index}"), string(&other["secret"])));
    }
    Some(Row {
        id: string(&row["id"]),
        request: Received {
            method: row.get("method").map_or_else(|| "POST".to_owned(), string),
            url,
            headers,
            body: STANDARD.decode(string(&row["body"])).expect("base64"),
        },
        options,
        secrets: files,
        expect: row["expect"].clone(),
    })
}

fn header(pair: &Value) -> (String, Vec<u8>) {
    let value = match &pair[1] {
        Value::String(text) => text.clone().into_bytes(),
        other => STANDARD.decode(string(&other["base64"])).expect("base64"),
    };
    (string(&pair[0]), value)
}

fn can_be_sent((name, value): &(String, Vec<u8>)) -> bool {
    let is_text = std::str::from_utf8(value).is_ok_and(|text| !text.contains(char::is_control));
    is_text && value.trim_ascii() == value && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Saves the row in this form and runs the command.
fn verify(row: &Row, dir: &Path, form: &str) -> Output {
    for (name, content) in &row.secrets {
        std::fs::write(dir.join(name), content).expect("a file");
    }
    let request = row.request.save(dir, form);
    run(surehook(&["verify", "--json"]).args(&row.options).args(&request).current_dir(dir))
}

fn json_of(row: &Row, output: &Output) -> Value {
    let said = || format!("{}: {}{}", row.id, text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said()))
}

#[test]
fn every_row_gets_its_verdict_in_the_form_it_was_saved_in() {
    let dir = tempfile::tempdir().expect("a directory");
    for (index, row) in rows("verify.json").iter().enumerate() {
        let form = FORMS[index % FORMS.len()];
        let output = verify(row, dir.path(), form);
        let found = json_of(row, &output);
        let valid = row.expect["valid"].as_bool().expect("a verdict");
        assert_eq!(found["valid"], valid, "{} as {form}: {found}", row.id);
        assert_eq!(output.status.code(), Some(if valid { 0 } else { 1 }), "{} as {form}", row.id);
        match valid {
            true => assert_eq!(found["message_id"], row.expect["message_id"], "{} as {form}", row.id),
            false => assert_eq!(found["code"], row.expect["code"], "{} as {form}: {found}", row.id),
        }
    }
}

#[test]
fn every_row_of_the_diagnosis_gets_its_finding() {
    let dir = tempfile::tempdir().expect("a directory");
    for (index, row) in rows("diagnosis.json").iter().enumerate() {
        let output = verify(row, dir.path(), FORMS[index % FORMS.len()]);
        if row.expect["code"] == "secret_invalid" {
            let (code, said) = refusal(&output);
            assert_eq!(code, 2, "{}: {said}", row.id);
            assert!(row.expect["finding"].as_str().is_none_or(|finding| said.contains(finding)), "{}: {said}", row.id);
            continue;
        }
        let found = json_of(row, &output);
        assert_eq!(found["code"], row.expect["code"], "{}: {found}", row.id);
        for member in ["finding", "certainty"] {
            assert_eq!(found["diagnosis"][member], row.expect[member], "{}: {found}", row.id);
        }
    }
}
