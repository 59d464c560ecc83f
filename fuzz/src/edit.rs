//! Small changes of bytes.

use arbitrary::{Result, Unstructured};

/// Changes bytes at one place: a bit, a byte more, a byte less, an end cut off, a piece doubled.
pub(super) fn edit(original: &[u8], input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = original.to_vec();
    let at = input.int_in_range(0..=bytes.len())?;
    match input.int_in_range(0..=4)? {
        0 if at < bytes.len() => bytes[at] ^= 1 << input.int_in_range(0..=7)?,
        1 if at < bytes.len() => drop(bytes.remove(at)),
        2 => bytes.truncate(at),
        3 => bytes.extend_from_within(at..),
        _ => bytes.insert(at, input.arbitrary()?),
    }
    Ok(bytes)
}
