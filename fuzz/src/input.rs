//! What the targets make of a fuzzer's bytes.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use surehook_core::{Scheme, scheme};

/// Longer texts only make the corpus larger.
const MAX_TEXT: usize = 512;

/// A provider of the table.
pub(super) fn scheme(input: &mut Unstructured<'_>) -> Result<Arc<Scheme>> {
    input.choose(scheme::providers()).cloned()
}

/// Some bytes, mostly few.
pub(super) fn bytes(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = input.int_in_range(0..=MAX_TEXT)?.min(input.len());
    input.bytes(length).map(<[u8]>::to_vec)
}

/// A message id that every scheme accepts.
pub(super) fn message_id(input: &mut Unstructured<'_>) -> Result<String> {
    let length = input.int_in_range(1..=40)?.min(input.len()).max(1);
    let raw = input.bytes(length)?;
    Ok(raw.iter().map(|byte| char::from(b'!' + byte % 94)).map(|sign| if sign == '.' { '_' } else { sign }).collect())
}
