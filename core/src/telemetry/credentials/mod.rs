//! Finding credentials in text that people wrote for people.
//!
//! One pass over the text, from word to word; what has to be known of the rest of a text is looked for once. So the time
//! grows with the length, whatever the text, and a text without credentials costs next to nothing.

mod issuers;
mod names;
mod numbers;
mod statements;
mod urls;
mod values;

use std::borrow::Cow;
use std::ops::Range;

pub(super) use names::is_telling_name;

use issuers::run;

/// What stands in the place of a credential.
pub(super) const REDACTED: &str = "[redacted]";

/// Words behind which a credential stands without a mark between.
const SCHEMES: &[&str] = &["bearer", "basic", "negotiate", "apikey", "ntlm"];
/// What is said of such a scheme by people.
const SAID_OF_SCHEMES: &[&str] = &[
    "authentication",
    "authorization",
    "challenge",
    "credentials",
    "format",
    "header",
    "realm",
    "required",
    "scheme",
    "schemes",
    "settings",
    "string",
    "structure",
    "support",
    "tokens",
    "validation",
];
/// The least length of a credential behind a scheme.
const MIN_SCHEMED: usize = 6;
/// No header of a private key is longer, in bytes.
const MAX_PEM_HEADER: usize = 64;

/// Prepares what [`without_credentials`] needs, so that no request has to wait for it.
pub(super) fn prepare() {
    issuers::prepare();
}

/// The text without anything that looks like a credential.
pub(super) fn without_credentials(text: &str) -> Cow<'_, str> {
    let mut scan = Scan::new(text);
    let mut clean = String::new();
    let (mut at, mut copied) = (0, 0);
    while at < text.len() {
        match scan.look(at) {
            Found::Nothing { next } => at = next,
            Found::Credential(range) => {
                clean.push_str(&text[copied..range.start]);
                clean.push_str(REDACTED);
                // A credential is never empty, so this goes on.
                at = range.end.max(at + 1);
                copied = range.end;
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[copied..]);
    Cow::Owned(clean)
}

enum Found {
    Nothing { next: usize },
    Credential(Range<usize>),
}

impl Found {
    fn or_next(range: Option<Range<usize>>, next: usize) -> Self {
        range.map_or(Self::Nothing { next }, Self::Credential)
    }
}

/// A text, and what is known of it already.
struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The word before the one that is looked at.
    before: Range<usize>,
    /// The end of the run of token characters that was judged last.
    judged: usize,
    urls: urls::Seen,
    tells_codes: Option<bool>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        let urls = urls::Seen::default();
        Self { text, bytes: text.as_bytes(), before: 0..0, judged: 0, urls, tells_codes: None }
    }

    /// What begins at a place.
    fn look(&mut self, at: usize) -> Found {
        match self.bytes[at] {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => self.word(at),
            b'\\' => Found::Nothing { next: self.escape_end(at) },
            b'%' if self.is_escape(at) => Found::Nothing { next: at + 3 },
            b':' if self.bytes[at..].starts_with(b"://") => {
                Found::or_next(urls::user_info(self.bytes, at + 3, &mut self.urls), at + 3)
            }
            b'-' if self.bytes[at..].starts_with(b"-----BEGIN ") => Found::or_next(self.private_key(at), at + 11),
            _ => Found::Nothing { next: at + 1 },
        }
    }

    /// Behind an escape, whose letter belongs to no word: `\n`, `\u0022`.
    fn escape_end(&self, at: usize) -> usize {
        match self.bytes.get(at + 1) {
            Some(b'u') if self.hexadecimal(at + 2, 4) => at + 6,
            Some(b'n' | b'r' | b't') => at + 2,
            _ => at + 1,
        }
    }

    fn is_escape(&self, at: usize) -> bool {
        self.hexadecimal(at + 1, 2)
    }

    fn hexadecimal(&self, at: usize, count: usize) -> bool {
        self.bytes.get(at..at + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    /// A private key in PEM, whole or cut.
    fn private_key(&self, at: usize) -> Option<Range<usize>> {
        let header = &self.bytes[at..(at + MAX_PEM_HEADER).min(self.bytes.len())];
        let header = &header
            [..11 + run(&header[11..], |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ')];
        if !header.windows(11).any(|words| words == b"PRIVATE KEY") {
            return None;
        }
        let rest = &self.text[at..];
        let end = rest.find("-----END ").map_or(rest.len(), |end| {
            let line = end + 9;
            line + rest[line..].find("-----").map_or(rest.len() - line, |close| close + 5)
        });
        Some(at..at + end)
    }

    fn word(&mut self, at: usize) -> Found {
        let end = at + run(&self.bytes[at..], |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let word = at..end;
        if self.bytes[at].is_ascii_digit() {
            let (text, known) = (self.text, &mut self.tells_codes);
            let tells_codes = || *known.get_or_insert_with(|| numbers::tells_codes(text));
            match numbers::number_at(text, at, tells_codes) {
                Ok(range) if range.end >= end || self.is_card(&range) => return Found::Credential(range),
                Err(next) if next >= end => return self.passed(word, next),
                _ => {}
            }
        }
        let found = self.token(&word).or_else(|| self.named(&word)).or_else(|| self.listed(&word));
        match found.or_else(|| self.random(at)) {
            Some(range) => Found::Credential(range),
            None => self.passed(word, end),
        }
    }

    fn passed(&mut self, word: Range<usize>, next: usize) -> Found {
        self.before = word;
        Found::Nothing { next }
    }

    fn is_card(&self, range: &Range<usize>) -> bool {
        numbers::is_card_number(&self.text[range.clone()])
    }

    /// A token that is known by its own look.
    fn token(&self, word: &Range<usize>) -> Option<Range<usize>> {
        if issuers::is_id(&self.text[word.clone()]) {
            return None;
        }
        let mut begins = true;
        let mut digits = 0;
        for at in word.clone() {
            let byte = self.bytes[at];
            if begins && let Some(range) = issuers::credential_at(self.bytes, at) {
                return Some(range);
            }
            begins = matches!(byte, b'_' | b'-');
            digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
            let number = at + 1 - digits..at + 1;
            if digits >= 13 && !self.bytes.get(at + 1).is_some_and(u8::is_ascii_digit) && self.is_card(&number) {
                return Some(number);
            }
        }
        if issuers::is_marked_token(&self.text[word.clone()]) {
            return Some(word.clone());
        }
        self.of_azure(word)
    }

    /// A client secret of Azure: `…8Q~…`.
    fn of_azure(&self, word: &Range<usize>) -> Option<Range<usize>> {
        let start = &self.bytes[word.clone()];
        let marked = start.ends_with(b"Q") && start.len() >= 2 && start[start.len() - 2].is_ascii_digit();
        if !marked || self.bytes.get(word.end) != Some(&b'~') {
            return None;
        }
        let tail = run(&self.bytes[word.end..], |byte| byte.is_ascii_alphanumeric() || b"_~.-".contains(&byte));
        (tail >= 30).then_some(word.start..word.end + tail)
    }

    /// The value of a telling name, or what stands behind the scheme of an authorization.
    fn named(&self, word: &Range<usize>) -> Option<Range<usize>> {
        let name = &self.text[word.clone()];
        if let Some(given) = values::assignment(self.bytes, word) {
            let is_telling = self.is_telling(word, name);
            return is_telling.then(|| values::value(self.text, name, given)).flatten();
        }
        if self.bytes.get(word.end) != Some(&b' ') {
            return None;
        }
        if name == "u" && self.is_option(word) {
            return self.user_option(word.end + 1);
        }
        if name.eq_ignore_ascii_case("digest") {
            return self.digest(word.end + 1);
        }
        let is_scheme = SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(name));
        is_scheme.then(|| self.schemed(name, word.end + 1)).flatten()
    }

    fn is_telling(&self, word: &Range<usize>, name: &str) -> bool {
        let in_query = word.start.checked_sub(1).is_some_and(|at| matches!(self.bytes[at], b'?' | b'&'));
        if in_query && names::is_telling_in_query(name) {
            return true;
        }
        let is_next = self.before.end + 1 == word.start && self.bytes[self.before.end] == b' ';
        let before = if is_next { &self.text[self.before.clone()] } else { "" };
        // What parsers say of syntax.
        !before.eq_ignore_ascii_case("unexpected") && names::is_telling_pair(before, name)
    }

    /// Whether a letter is an option of a command: ` -u `.
    fn is_option(&self, word: &Range<usize>) -> bool {
        self.bytes[..word.start].ends_with(b" -")
    }

    /// `user:password` behind `-u`.
    fn user_option(&self, from: usize) -> Option<Range<usize>> {
        let end = from + run(&self.bytes[from..], |byte| !byte.is_ascii_whitespace());
        self.bytes[from..end].contains(&b':').then_some(from..end)
    }

    /// The members of a digest: `username="…", response="…"`.
    fn digest(&self, from: usize) -> Option<Range<usize>> {
        let name = run(&self.bytes[from..], |byte| byte.is_ascii_alphabetic());
        let given = name > 0 && self.bytes[from + name..].starts_with(b"=");
        given.then(|| from..values::line_end(self.bytes, from))
    }

    fn schemed(&self, scheme: &str, from: usize) -> Option<Range<usize>> {
        let from = from + run(&self.bytes[from..], |byte| byte == b' ');
        let end = from + run(&self.bytes[from..], |byte| byte.is_ascii_alphanumeric() || b"._~+/=:-".contains(&byte));
        let value = &self.text[from..end];
        let said = value.trim_end_matches(['.', ':']);
        let is_said = SAID_OF_SCHEMES.iter().any(|word| word.eq_ignore_ascii_case(said));
        let is_word = !scheme.eq_ignore_ascii_case("bearer") && value.bytes().all(|byte| byte.is_ascii_lowercase());
        (value.len() >= MIN_SCHEMED && !is_said && !is_word).then_some(from..end)
    }

    /// Values that a database driver lists, and parts of forms.
    fn listed(&self, word: &Range<usize>) -> Option<Range<usize>> {
        match self.bytes[word.start] {
            b'p' | b'P' | b'b' | b'B' | b'r' | b'R' => statements::listed_values(self.text, word.start),
            b'v' | b'V' => statements::inserted_values(self.text, word.start),
            b'e' | b'E' => statements::duplicate_entry(self.text, word.start, is_telling_name),
            b'n' => self.part_of_a_form(word),
            _ => None,
        }
    }

    /// The value behind `name="password"` and an empty line, as `multipart/form-data` has it.
    fn part_of_a_form(&self, word: &Range<usize>) -> Option<Range<usize>> {
        let rest = self.text[word.start..].strip_prefix("name=")?;
        let slashes = run(rest.as_bytes(), |byte| byte == b'\\');
        let rest = rest[slashes..].strip_prefix('"')?;
        let name = &rest[..run(rest.as_bytes(), |byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))];
        let rest = rest[name.len() + slashes.min(rest.len() - name.len())..].strip_prefix('"')?;
        // Inside of JSON the ends of lines are escaped, and in a header they are spaces.
        let value =
            ["\r\n\r\n", "\n\n", "\\r\\n\\r\\n", "\\n\\n", "  "].iter().find_map(|gap| rest.strip_prefix(gap))?;
        let length = run(value.as_bytes(), |byte| !matches!(byte, b'\r' | b'\n' | b'\\'));
        let start = self.text.len() - value.len();
        (is_telling_name(name) && length > 0).then_some(start..start + length)
    }

    /// Behind the parts of a path that are words in small letters: they are no part of a key.
    fn behind_plain_parts(&self, from: usize, end: usize) -> usize {
        let mut start = from;
        while let Some(length) = self.text[start..end].find('/') {
            if self.bytes[start..start + length].iter().any(u8::is_ascii_uppercase) {
                break;
            }
            start += length + 1;
        }
        start
    }

    /// A long run of all kinds of characters in no order. It is judged once, where it begins.
    fn random(&mut self, at: usize) -> Option<Range<usize>> {
        if at < self.judged {
            return None;
        }
        let length = run(&self.bytes[at..], |byte| byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte));
        let dotted =
            length + run(&self.bytes[at + length..], |byte| byte.is_ascii_alphanumeric() || b"_-.=".contains(&byte));
        self.judged = at + dotted;
        let start = self.behind_plain_parts(at, at + length);
        if issuers::is_random(&self.text[start..at + length]) {
            return Some(start..at + length);
        }
        issuers::is_dotted_token(&self.text[at..at + dotted]).then_some(at..at + dotted)
    }
}
