//! From the name of a credential to its value: what stands between them, and where the value ends.

use std::ops::Range;

use super::issuers::run;
use super::names::is_header;

/// What a credential is not, though it stands in the place of one.
const NOTHING: &[&str] = &["", "none", "null", "nil", "true", "false", "undefined", "[redacted]", "-", "?"];
/// Quotes as pages of errors have them, behind the `&`.
const ENTITIES: &[&[u8]] = &[b"quot;", b"#34;", b"#39;", b"#x27;", b"apos;"];
/// How often a page may be quoted by another, which writes `&amp;quot;`.
const MAX_PAGES: usize = 4;
/// The most closing brackets, of `user[password][]`, between a name and what assigns to it.
const MAX_CLOSERS: usize = 4;

/// How a value stands behind its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `=`, `:`, `=>` and their kin.
    Assigns,
    /// The first of a pair: `('password', 'x')`.
    Pairs,
    /// `--password x`.
    Flag,
    /// `<password>x</password>`.
    Tag,
    /// A column of a database: `(password)=(x)`.
    Column,
}

/// Where the value of a name begins, or `None` when none is given to it.
#[derive(Clone, Copy)]
pub(super) struct Assignment {
    start: usize,
    operator: Operator,
}

/// What is given to the name at `name`, if anything is.
pub(super) fn assignment(bytes: &[u8], name: &Range<usize>) -> Option<Assignment> {
    let before = |back: usize| name.start.checked_sub(back).map(|at| bytes[at]);
    let at = |at: usize| bytes.get(at).copied();
    if before(1) == Some(b'<') && at(name.end) == Some(b'>') {
        return Some(Assignment { start: name.end + 1, operator: Operator::Tag });
    }
    if before(1) == Some(b'-') && before(2) == Some(b'-') && at(name.end) == Some(b' ') {
        let flag = at(name.end + 1).is_some_and(|next| next != b'-' && !next.is_ascii_whitespace());
        return flag.then_some(Assignment { start: name.end + 1, operator: Operator::Flag });
    }
    let slashes = run(&bytes[name.end..], |byte| byte == b'\\');
    let quoted = matches!(at(name.end + slashes), Some(b'"' | b'\'' | b'`'));
    let quote = if quoted { slashes + 1 } else { entity(&bytes[name.end..]).map_or(0, <[u8]>::len) };
    let mut end = name.end + quote;
    if bytes[end..].starts_with(b")=(") {
        return Some(Assignment { start: end + 3, operator: Operator::Column });
    }
    end += run(&bytes[end..(end + MAX_CLOSERS).min(bytes.len())], |byte| matches!(byte, b']' | b'[' | b')'));
    end += run(&bytes[end..], |byte| byte.is_ascii_whitespace());
    let (length, operator) = match (at(end)?, at(end + 1)) {
        (b':', Some(b':' | b'/')) => return None,
        (b'=' | b':' | b'-', Some(b'>')) | (b':' | b'=', Some(b'=')) => (2, Operator::Assigns),
        (b'=' | b':', _) => (1, Operator::Assigns),
        (b'%', Some(b'3')) if matches!(at(end + 2), Some(b'D' | b'd' | b'A' | b'a')) => (3, Operator::Assigns),
        (b',', _) if quote > 0 && opens_pair(&bytes[..name.start.saturating_sub(quote)]) => (1, Operator::Pairs),
        _ => return None,
    };
    end += length;
    end += run(&bytes[end..], |byte| byte.is_ascii_whitespace());
    Some(Assignment { start: end, operator })
}

/// Whether a name in quotes is the first of a pair, by what stands before its quote.
fn opens_pair(before: &[u8]) -> bool {
    let before = before.strip_suffix(b"b").unwrap_or(before);
    matches!(before.last(), Some(b'(' | b'[' | b'{'))
}

/// The value, as far as it is to be hidden; `None` when it is nothing.
pub(super) fn value(text: &str, name: &str, given: Assignment) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = given.start;
    // `b'…'`, `r"…"`, `u'…'`.
    if matches!(bytes.get(start), Some(b'b' | b'r' | b'u' | b'f' | b'B')) {
        start += usize::from(matches!(bytes.get(start + 1), Some(b'"' | b'\'')));
    }
    let slashes = run(&bytes[start..], |byte| byte == b'\\');
    let page = entity(&bytes[start..]).map_or(0, <[u8]>::len);
    let range = match bytes.get(start + slashes)? {
        b'&' if page > 0 => {
            let (quote, line) = bytes[start..line_end(bytes, start)].split_at(page);
            let end = line.windows(page).position(|part| part == quote).unwrap_or(line.len());
            start + page..start + page + end
        }
        quote @ (b'"' | b'\'' | b'`') => {
            let from = start + slashes + 1;
            from..closing_quote(bytes, from, *quote, slashes)
        }
        _ if given.operator == Operator::Pairs => return None,
        _ if given.operator == Operator::Tag => start..start + run(&bytes[start..], |byte| byte != b'<'),
        _ if given.operator == Operator::Column || is_header(name) => start..line_end(bytes, start),
        b'[' if text[start..].starts_with("[redacted") => return None,
        opening @ (b'[' | b'(' | b'{') => start..closing_bracket(bytes, start, *opening),
        _ => bare(bytes, start),
    };
    let value = text.get(range.clone())?.trim();
    let is_nothing = NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(value));
    let is_something = value.bytes().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    (!is_nothing && is_something).then_some(range)
}

/// The quote that a text begins with, written for a page.
fn entity(bytes: &[u8]) -> Option<&[u8]> {
    let mut name = bytes.strip_prefix(b"&")?;
    for _ in 1..MAX_PAGES {
        name = name.strip_prefix(b"amp;").unwrap_or(name);
    }
    let rest = ENTITIES.iter().find_map(|entity| name.strip_prefix(*entity))?;
    Some(&bytes[..bytes.len() - rest.len()])
}

/// Where a quoted value ends: at a quote that is escaped as its first was.
fn closing_quote(bytes: &[u8], from: usize, quote: u8, slashes: usize) -> usize {
    let mut escapes = 0;
    for (offset, &byte) in bytes[from..].iter().enumerate() {
        let closes = if slashes == 0 { escapes % 2 == 0 } else { escapes <= slashes };
        if byte == quote && closes {
            return from + offset - escapes.min(slashes);
        }
        escapes = if byte == b'\\' { escapes + 1 } else { 0 };
    }
    bytes.len()
}

/// Behind the bracket that closes the one at `from`; the end of the line where none does.
fn closing_bracket(bytes: &[u8], from: usize, opening: u8) -> usize {
    let closing = match opening {
        b'[' => b']',
        b'(' => b')',
        _ => b'}',
    };
    let mut depth = 0_usize;
    for (offset, &byte) in bytes[from..].iter().enumerate() {
        if byte == opening {
            depth += 1;
        } else if byte == closing {
            depth -= 1;
            if depth == 0 {
                return from + offset + 1;
            }
        }
    }
    line_end(bytes, from)
}

pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    from + run(&bytes[from..], |byte| byte != b'\n' && byte != b'\r')
}

/// A value without quotes: to the next white space or quote, or to a separator behind which another name begins.
fn bare(bytes: &[u8], from: usize) -> Range<usize> {
    let word = |from: usize| run(&bytes[from..], |byte| !byte.is_ascii_whitespace() && !b"\"'`<".contains(&byte));
    let mut start = from;
    let mut end = from + word(from);
    // The scheme of an authorization belongs to it.
    let scheme = &bytes[from..end];
    if [&b"bearer"[..], b"basic", b"token", b"digest"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        && bytes.get(end) == Some(&b' ')
    {
        start = end + 1;
        end = start + word(start);
    }
    let mut at = start;
    while at < end {
        if matches!(bytes[at], b'&' | b',' | b';' | b')' | b']' | b'}' | b'\\') && ends_here(bytes, at, end) {
            break;
        }
        at += 1;
    }
    from..at
}

/// Whether a value ends with the separator at `at`: what follows is nothing but separators, or another name.
fn ends_here(bytes: &[u8], at: usize, end: usize) -> bool {
    if bytes[at] == b'\\' {
        return matches!(bytes.get(at + 1), Some(b'n' | b'r' | b't')) || at + 1 == end;
    }
    let separators = run(&bytes[at..end], |byte| b"&,;)]}.!?:".contains(&byte));
    let next = at + separators;
    let name = run(&bytes[next..end], |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    next == end || name > 0 && matches!(bytes.get(next + name), Some(b'=' | b':'))
}
