//! Telling errors of one cause from errors of another.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// Longer texts differ in their details, not in their cause.
const MAX_MESSAGE: usize = 4096;
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
/// Shorter words of hexadecimal letters may be words.
const MIN_HEX: usize = 8;

/// Sixteen hexadecimal digits that are the same for errors of one cause.
///
/// What differs from one event to the next does not count: numbers, ids, UUIDs, quoted text. Line numbers do not count
/// either, so a cause keeps its fingerprint over releases.
///
/// ```
/// use surehook_core::telemetry::error_fingerprint;
///
/// let first = error_fingerprint("IntegrityError", "Key (id)=(user_29w83sx) already exists.", Some("views.py:42"));
/// let second = error_fingerprint("IntegrityError", "Key (id)=(user_30aa1bz) already exists.", Some("views.py:57"));
/// let other = error_fingerprint("IntegrityError", "Column is null.", Some("views.py:57"));
/// assert_eq!(first, second);
/// assert_ne!(first, other);
/// ```
pub fn error_fingerprint(kind: &str, message: &str, location: Option<&str>) -> String {
    let message = normalise(crate::text::cut(message, MAX_MESSAGE));
    let location = normalise(location.unwrap_or_default());
    let digest = Sha256::digest(format!("{kind}\0{message}\0{location}"));
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// The text with a mark in place of whatever differs from event to event.
fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = if is_quote(first) && !before.is_alphanumeric() {
            quoted(rest, first).inspect(|_| normal.push('?'))
        } else if is_word(first) {
            let length = uuid(rest).unwrap_or_else(|| rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
            normal.push_str(&word(&rest[..length]));
            Some(length)
        } else {
            None
        };
        let length = length.unwrap_or_else(|| {
            push_separator(&mut normal, first);
            first.len_utf8()
        });
        before = rest[..length].chars().next_back().unwrap_or(' ');
        rest = &rest[length..];
    }
    normal
}

fn push_separator(normal: &mut String, separator: char) {
    if !separator.is_whitespace() {
        normal.push(separator);
    } else if !normal.ends_with(' ') {
        normal.push(' ');
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// The length of the quoted text at the start, with its quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    text.match_indices(quote).skip(1).map(|(at, _)| at + 1).find(|&end| {
        // An apostrophe inside a word does not end a quotation.
        !text[end..].chars().next().is_some_and(char::is_alphanumeric)
    })
}

/// The length of the UUID at the start.
pub(super) fn uuid(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    for (index, group) in UUID_GROUPS.into_iter().enumerate() {
        if index > 0 {
            (bytes.get(at) == Some(&b'-')).then_some(())?;
            at += 1;
        }
        bytes.get(at..at + group)?.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        at += group;
    }
    Some(at)
}

/// A word as it is, or `#` where it is an id or a number. The prefix of an id (`user_`) stays.
fn word(word: &str) -> Cow<'_, str> {
    let is_hex = word.len() >= MIN_HEX && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex && !word.contains(|c: char| c.is_numeric()) && uuid(word).is_none() {
        return Cow::Borrowed(word);
    }
    match word.split_once('_') {
        Some((prefix, _)) if !prefix.is_empty() && prefix.chars().all(char::is_alphabetic) => {
            Cow::Owned(format!("{prefix}_#"))
        }
        _ => Cow::Borrowed("#"),
    }
}
