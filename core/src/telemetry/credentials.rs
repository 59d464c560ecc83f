//! Finding credentials in text that people wrote for people.
//!
//! One pass over the text. Each kind of credential has marks, the few bytes it begins with; only where one of them stands
//! is the kind's expression tried, at that place. So a text without credentials costs next to nothing.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_lite::Regex;

/// What stands in the place of a credential.
pub(super) const REDACTED: &str = "[redacted]";

/// One kind of credential.
struct Kind {
    /// What it begins with, in lower case.
    marks: &'static [&'static str],
    /// Whether it only begins where a word does.
    starts_word: bool,
    /// What must follow somewhere, for kinds whose marks are common.
    needs: &'static str,
    /// The whole of it. What a group finds is kept.
    expression: &'static str,
}

/// In the order they are tried where several begin alike.
const KINDS: &[Kind] = &[
    // A private key in PEM, whole or cut.
    whole(
        &["-----begin"],
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----|$)",
    ),
    // User and password in a URL.
    Kind { marks: &["://"], starts_word: false, needs: "@", expression: r"(://)[^\s/@]+@" },
    // Slack's webhook addresses are credentials.
    inside(&["hooks.slack.com/"], r"(?i)(hooks\.slack\.com/[a-z]+/)[a-z0-9/_-]+"),
    // A whole header, to the end of its line.
    whole(
        &["set-cookie", "cookie", "authorization"],
        r#"(?i)((?:set-cookie|cookie|authorization)(?:\\*["']\s*[:=,]|\s*[:=]))[^\r\n]+"#,
    ),
    // The scheme words of `Authorization`, wherever they are.
    whole(
        &["bearer", "basic", "digest", "negotiate"],
        r"(?i)((?:bearer|basic|digest|negotiate)\s+)[a-z0-9._~+/=:-]{6,}",
    ),
    // Webhook secrets and the keys of this product.
    whole(&["whsec_", "whsk_", "shk_"], r"(?:whsec|whsk|shk)_[A-Za-z0-9+/=_-]{4,}"),
    // Stripe, Clerk, OpenAI and their kin.
    whole(&["sk_", "rk_", "pk_", "ak_"], r"[srpa]k_(?:live|test|prod)_[A-Za-z0-9$_-]{4,}"),
    whole(&["sk-"], r"sk-[A-Za-z0-9_-]{16,}"),
    // JSON web tokens, whole or cut.
    whole(&["eyj"], r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}"),
    // AWS.
    whole(&["akia", "asia", "aroa", "aida"], r"A(?:KIA|SIA|ROA|IDA)[A-Z0-9]{12,}"),
    // GitHub, GitLab, npm, PyPI, Shopify.
    whole(
        &[
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "npm_",
            "pypi-",
            "shpat_",
            "shpss_",
            "shpca_",
        ],
        r"(?:gh[pousr]_|github_pat_|glpat-|npm_|pypi-|shp(?:at|ss|ca)_)[A-Za-z0-9_-]{8,}",
    ),
    // Slack, Google, SendGrid.
    whole(&["xox", "xapp-"], r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{6,}"),
    whole(&["aiza"], r"AIza[A-Za-z0-9_-]{20,}"),
    whole(&["sg."], r"SG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    // Signatures as the providers write them.
    whole(
        &["v0,", "v0=", "v1,", "v1=", "v1a,", "sha1=", "sha256=", "sha512="],
        r"((?:v[01]a?[,=]|sha(?:1|256|512)=))[A-Za-z0-9+/=_-]{16,}",
    ),
    // A value with a telling name, also in JSON, in JSON inside of JSON, and in Python's and Ruby's way.
    inside(
        &[
            "pass",
            "pwd",
            "secret",
            "token",
            "credential",
            "signature",
            "api",
            "access",
            "private",
            "signing",
            "client",
            "account",
            "shared",
        ],
        r#"(?ix)( (?: pass(?:word|wd|phrase)? | pwd | secret | token | credential s? | signature
            | (?: api | access | private | signing | client | account | shared ) [_\s-]? (?:key|secret|token) )
            \\*["']? \s* (?: => | [:=] ) \s* \\* )
            (?: "[^"]*"? | '[^']*'? | (?: (?:bearer|basic) \s+ )? [^\s"',;&)\}\]]+ )"#,
    ),
];

/// A kind that begins where a word does.
const fn whole(marks: &'static [&'static str], expression: &'static str) -> Kind {
    Kind { marks, starts_word: true, needs: "", expression }
}

/// A kind that may begin inside of a word.
const fn inside(marks: &'static [&'static str], expression: &'static str) -> Kind {
    Kind { marks, starts_word: false, needs: "", expression }
}

/// A mark, and what is tried where it stands.
struct Trial {
    mark: &'static [u8],
    starts_word: bool,
    needs: &'static str,
    regex: Regex,
}

impl Trial {
    fn stands_at(&self, text: &str) -> bool {
        // Nearly every place is ruled out by its second byte.
        let bytes = text.as_bytes();
        bytes.get(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&self.mark[1]))
            && bytes.get(..self.mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(self.mark))
            && (self.needs.is_empty() || text.contains(self.needs))
    }
}

/// The trials by the byte they begin with, which is never a letter in upper case.
static TRIALS: LazyLock<Trials> = LazyLock::new(|| {
    let mut trials = std::array::from_fn(|_| Vec::new());
    for kind in KINDS {
        let Ok(regex) = Regex::new(&format!("^(?:{})", kind.expression)) else { continue };
        for mark in kind.marks.iter().map(|mark| mark.as_bytes()) {
            let trial = Trial { mark, starts_word: kind.starts_word, needs: kind.needs, regex: regex.clone() };
            trials[usize::from(mark[0])].push(trial);
        }
    }
    trials
});

type Trials = [Vec<Trial>; 256];

/// Prepares what [`without_credentials`] needs, so that no request has to wait for it.
pub(super) fn prepare() {
    LazyLock::force(&TRIALS);
}

/// The text without anything that looks like a credential.
pub(super) fn without_credentials(text: &str) -> Cow<'_, str> {
    let trials = &*TRIALS;
    let mut clean = String::new();
    let (mut at, mut copied) = (0, 0);
    while at < text.len() {
        match found_at(trials, text, at) {
            Found::Nothing => at += 1,
            Found::Number { end } => at = end,
            Found::Credential { start, end } => {
                clean.push_str(&text[copied..start]);
                clean.push_str(REDACTED);
                (at, copied) = (end, end);
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[copied..]);
    Cow::Owned(clean)
}

/// Whether a member of this name holds a credential, whatever it looks like.
pub(super) fn is_telling_name(name: &str) -> bool {
    static TELLING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?ix) (?: pass(?:word|wd|phrase)? | pwd | secret | token | credential s? | signature | authorization
                | (?:set-)? cookie s? | cv[cv]2? | card [_\s-]? number
                | (?: api | access | private | signing | client | account | shared ) [_\s-]? (?:key|secret|token) ) $",
        )
        .ok()
    });
    TELLING.as_ref().is_none_or(|telling| telling.is_match(name))
}

enum Found {
    Nothing,
    /// Digits that can be passed over.
    Number {
        end: usize,
    },
    Credential {
        start: usize,
        end: usize,
    },
}

fn found_at(trials: &Trials, text: &str, at: usize) -> Found {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if bytes[at].is_ascii_digit() {
        let end = at + digit_run(&bytes[at..]);
        return if is_card_number(&text[at..end]) {
            Found::Credential { start: at, end }
        } else {
            Found::Number { end }
        };
    }
    let inside_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    for trial in &trials[usize::from(bytes[at].to_ascii_lowercase())] {
        if (trial.starts_word && inside_word) || !trial.stands_at(&text[at..]) {
            continue;
        }
        if let Some(found) = trial.regex.captures(&text[at..]) {
            let end = found.get(0).map_or(0, |whole| whole.end());
            let kept = found.get(1).map_or(0, |kept| kept.end());
            return Found::Credential { start: at + kept, end: at + end };
        }
    }
    Found::Nothing
}

/// The fewest and the most digits of a card number.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

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
fn is_card_number(run: &str) -> bool {
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
    fn every_expression_compiles_and_every_mark_can_be_found() {
        let marks: usize = KINDS.iter().map(|kind| kind.marks.len()).sum();
        assert_eq!(TRIALS.iter().map(Vec::len).sum::<usize>(), marks);
        for mark in KINDS.iter().flat_map(|kind| kind.marks) {
            assert_eq!(*mark, mark.to_ascii_lowercase());
            assert!(mark.len() >= 2);
            assert!(!mark.as_bytes()[0].is_ascii_digit(), "digits are read as numbers");
        }
    }

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
