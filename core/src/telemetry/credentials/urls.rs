//! User names and passwords in URLs.

use std::ops::Range;

use super::issuers::run;

/// What was looked for already, so that no part of a text is looked through twice.
#[derive(Default)]
pub(super) struct Seen {
    /// The end of the address that was looked through last.
    address_end: usize,
    /// The last `@` in it.
    last_at_sign: Option<usize>,
}

/// The user and the password after the `://` whose end is at `from`.
pub(super) fn user_info(bytes: &[u8], from: usize, seen: &mut Seen) -> Option<Range<usize>> {
    if from >= seen.address_end {
        let end = from + run(&bytes[from..], is_of_address);
        let at_sign = bytes[from..end].iter().rposition(|byte| *byte == b'@');
        *seen = Seen { address_end: end, last_at_sign: at_sign.map(|offset| from + offset) };
    }
    let last = seen.last_at_sign.filter(|at| *at >= from)?;
    let authority_end = from + run(&bytes[from..seen.address_end], |byte| !matches!(byte, b'/' | b'?' | b'#'));
    let authority = &bytes[from..authority_end];
    if let Some(at_sign) = authority.iter().rposition(|byte| *byte == b'@') {
        // `user:p@ss/w@rd@host`: what looks like the host belongs to the password when it cannot be one.
        let host = &authority[at_sign + 1..];
        let end = if is_host(host) { from + at_sign } else { last };
        return Some(from..end);
    }
    // A password with a `/` in it, that nobody encoded: what stands behind the colon is no port.
    let (_, port) = authority.iter().position(|byte| *byte == b':').map(|colon| authority.split_at(colon + 1))?;
    (!port.is_empty() && !port.iter().all(u8::is_ascii_digit) && !authority.starts_with(b"[")).then_some(from..last)
}

fn is_host(host: &[u8]) -> bool {
    host.starts_with(b"[")
        || !host.is_empty()
            && host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:,%".contains(byte) || !byte.is_ascii())
}

fn is_of_address(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"\"'`<>".contains(&byte)
}
