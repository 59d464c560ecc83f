//! Numbers that are credentials: cards, one-time codes, tokens that begin with a number.

use std::ops::Range;

use super::issuers::run;

/// The fewest and the most digits of a card number.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// The fewest and the most digits of a code that is sent to a person.
const CODE_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;
/// What stands before `code` where such a code is told.
const CODE_WORDS: &[&str] = &[
    "verification ",
    "security ",
    "login ",
    "log-in ",
    "sign-in ",
    "signin ",
    "authentication ",
    "authorization ",
    "confirmation ",
    "access ",
    "recovery ",
    "reset ",
    "pass",
];

/// The credential among the digits at the start, which is a digit, and how far one may go on reading when there is none.
///
/// `tells_codes` is asked whether the text tells codes: see [`tells_codes`].
pub(super) fn number_at(text: &str, at: usize, tells_codes: impl FnOnce() -> bool) -> Result<Range<usize>, usize> {
    let bytes = &text.as_bytes()[at..];
    let digits = digit_run(bytes);
    if is_card_number(&text[at..at + digits]) {
        return Ok(at..at + digits);
    }
    let plain = run(bytes, |byte| byte.is_ascii_digit());
    if let Some(length) = after_a_number(bytes, plain) {
        return Ok(at..at + length);
    }
    if has_code_form(&text[at..at + digits]) && tells_codes() {
        return Ok(at..at + digits);
    }
    Err(at + digits)
}

/// The length of a token of Telegram, Facebook or Asana: a number, a mark and much that is random.
fn after_a_number(bytes: &[u8], digits: usize) -> Option<usize> {
    let least = match bytes.get(digits)? {
        b':' if (6..=16).contains(&digits) => 30,
        b'|' if digits >= 10 => 20,
        b'/' if digits == 1 => return asana(bytes),
        _ => return None,
    };
    let tail = run(&bytes[digits + 1..], |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    (tail >= least).then_some(digits + 1 + tail)
}

/// `1/1200000000000000:` and 32 hexadecimal digits.
fn asana(bytes: &[u8]) -> Option<usize> {
    let number = run(&bytes[2..], |byte| byte.is_ascii_digit() || byte == b'/');
    let mark = 2 + number;
    let tail =
        if bytes.get(mark) == Some(&b':') { run(&bytes[mark + 1..], |byte| byte.is_ascii_hexdigit()) } else { 0 };
    (number >= 10 && tail >= 32).then_some(mark + 1 + tail)
}

/// Whether some digits may be a code: few, in at most two groups.
fn has_code_form(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    CODE_DIGITS.contains(&digits) && run.len() <= digits + 1
}

/// Whether a text is one in which a code is told to a person: "123456 is your verification code".
pub(super) fn tells_codes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is = |at: usize, word: &str| {
        bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    };
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (0..bytes.len()).any(|at| match bytes[at] | 0x20 {
        b'c' if is(at, "code") => {
            CODE_WORDS.iter().any(|word| at.checked_sub(word.len()).is_some_and(|start| is(start, word)))
        }
        b'o' if is(at, "one-time") || is(at, "one time") => true,
        b'o' if is(at, "otp") => !letter(at + 3) && at.checked_sub(1).is_none_or(|before| !letter(before)),
        _ => false,
    })
}

/// The length of the digits at the start, with single spaces or dashes between them.
fn digit_run(bytes: &[u8]) -> usize {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while digit(end) || (matches!(bytes.get(end), Some(b' ' | b'-')) && digit(end + 1)) {
        end += 1;
    }
    end
}

/// Whether some whole groups of this run of digits are a card number: right first digit, right length, right check digit.
pub(super) fn is_card_number(run: &str) -> bool {
    if run.len() < *CARD_DIGITS.start() {
        return false;
    }
    let groups: Vec<&str> = run.split([' ', '-']).collect();
    (0..groups.len()).any(|first| {
        let mut digits = String::new();
        for group in &groups[first..] {
            digits.push_str(group);
            if digits.len() > *CARD_DIGITS.end() {
                return false;
            }
            if has_card_form(&digits) && passes_luhn(&digits) {
                return true;
            }
        }
        false
    })
}

/// The first digits and lengths that card networks use.
fn has_card_form(digits: &str) -> bool {
    match (digits.as_bytes()[0], digits.len()) {
        (b'2' | b'5', length) => length == 16,
        (b'3', length) => (14..=16).contains(&length),
        (b'4', length) => matches!(length, 13 | 16 | 19),
        (b'6', length) => (16..=19).contains(&length),
        _ => false,
    }
}

/// The check digit of ISO/IEC 7812-1.
fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') << (place % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_told_from_other_numbers() {
        for card in
            ["4222222222222", "4111 1111 1111 1111", "5555-5555-5555-4444", "6011111111111117", "12 378282246310005"]
        {
            assert!(is_card_number(card), "{card}");
        }
        for number in ["4111111111111112", "1654012591836", "0000000000000000", "1700000000123456", "41111111 1111111"]
        {
            assert!(!is_card_number(number), "{number}");
        }
    }
}
