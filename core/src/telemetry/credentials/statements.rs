//! What database drivers put into their errors: the values of a statement.

use std::ops::Range;

use super::issuers::run;
use super::values::line_end;

/// Words behind which a driver lists the values: SQLAlchemy, psycopg, Drizzle, Sequelize, Postgres.
const LISTS: &[&str] = &[
    "parameters:",
    "parameters=",
    "parameters :",
    "params:",
    "params=",
    "bindings:",
    "bind values:",
    "binds:",
    "row contains (",
];

/// How far is looked for what belongs together, in bytes.
const NEAR: usize = 256;
/// What stands between a value and its column.
const FOR_KEY: &[u8] = b"' for key '";

/// The values that are listed behind the word at `at`.
pub(super) fn listed_values(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let list = LISTS.iter().find(|list| starts_with(bytes, at, list))?;
    let start = at + list.len();
    let start = start + run(&bytes[start..], |byte| byte == b' ');
    let end = line_end(bytes, start);
    // The bracket or the sentence that holds the list ends behind it.
    let end = start + bytes[start..end].trim_ascii_end().len();
    let kept = if matches!(bytes[..end].last(), Some(b']')) && bytes[..at].last() == Some(&b'[') { 1 } else { 0 };
    let end = end - kept;
    let is_told = bytes[start..end].iter().any(u8::is_ascii_alphanumeric) && !text[start..end].starts_with("[redacted");
    is_told.then_some(start..end)
}

/// The values of an `insert` whose word `values` is at `at`, from the first that is quoted on; `None` when none is.
pub(super) fn inserted_values(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if !starts_with(bytes, at, "values") {
        return None;
    }
    let open = at + 6 + run(&bytes[at + 6..], |byte| byte.is_ascii_whitespace());
    if bytes.get(open) != Some(&b'(') {
        return None;
    }
    let first = open + 1 + run(near(bytes, open + 1), |byte| !matches!(byte, b'\'' | b')' | b'\n'));
    if bytes.get(first) != Some(&b'\'') {
        return None;
    }
    let end = line_end(bytes, first);
    let last = bytes[first..end].iter().rposition(|byte| *byte == b'\'').map_or(end, |offset| first + offset + 1);
    Some(first..last)
}

/// The value of `Duplicate entry 'x' for key 'users.token'`, of MySQL.
pub(super) fn duplicate_entry(text: &str, at: usize, is_telling: impl Fn(&str) -> bool) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if !starts_with(bytes, at, "entry '") {
        return None;
    }
    let start = at + 7;
    let near = near(bytes, start);
    let Some(behind) = near.windows(FOR_KEY.len()).position(|part| part == FOR_KEY) else {
        // Where the text was cut, nobody knows of which column it is.
        return (start + near.len() == bytes.len() && !near.is_empty()).then_some(start..bytes.len());
    };
    let key = &near[behind + FOR_KEY.len()..];
    let key = std::str::from_utf8(&key[..run(key, |byte| !b"'\"`\n".contains(&byte))]).ok()?;
    is_telling(key).then_some(start..start + behind)
}

/// What stands behind a place, as far as it is looked through there: no text is looked through again and again.
fn near(bytes: &[u8], from: usize) -> &[u8] {
    &bytes[from..(from + NEAR).min(bytes.len())]
}

fn starts_with(bytes: &[u8], at: usize, start: &str) -> bool {
    bytes.get(at..at + start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
}
