//! Paths and the reader of bodies, against a second reading that builds the whole tree.

use arbitrary::{Result, Unstructured};
use serde_json::Value;
use surehook_core::envelope::EnvelopeFields;
use surehook_core::scheme::Path;

use super::{input, reference};

/// The core cuts longer values, between two characters.
const MAX_LABEL: usize = 256;

pub fn run(bytes: &[u8]) {
    // What the fuzzer's bytes do not suffice for is no input.
    let _ = check(Unstructured::new(bytes));
}

fn check(mut input: Unstructured<'_>) -> Result<()> {
    let scheme = input::scheme(&mut input)?;
    let own = EnvelopeFields::of(&scheme);
    let length = input.int_in_range(0..=60)?.min(input.len());
    let text = String::from_utf8_lossy(input.bytes(length)?).into_owned();
    let body = input.take_rest();
    own.read(&[], body);

    let Ok(path) = text.parse::<Path>() else { return Ok(()) };
    assert_eq!(path.to_string(), text);
    let found = own.clone().with_event_type(path.clone()).read(&[], body);
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
    assert_label(found.event_type, reference::scalar(&json, &path));
    assert_label(found.entity_id, scheme.entity_id.as_ref().and_then(|path| reference::scalar(&json, path)));
    Ok(())
}

fn assert_label(found: Option<String>, expected: Option<String>) {
    match (&found, &expected) {
        (Some(cut), Some(whole)) if whole.len() > MAX_LABEL => {
            assert!(whole.starts_with(cut.as_str()) && (MAX_LABEL - 3..=MAX_LABEL).contains(&cut.len()), "{cut:?}");
        }
        _ => assert_eq!(found, expected),
    }
}
