//! What the options of curl mean for a request.

use super::data::Kind;

/// What an option does to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Url,
    Method,
    Header,
    User,
    /// Takes a piece of the body.
    Data(Kind),
    /// Asks for the headers only.
    Head,
    /// Is about the connection or the output.
    Nothing,
    /// The same, and takes a value.
    NothingOf,
}

impl Effect {
    pub(super) fn takes_value(self) -> bool {
        !matches!(self, Effect::Head | Effect::Nothing)
    }
}

/// The options of curl 8 that a person may have used to send a webhook, by their long and, where there is one, short name.
/// An option that is not here is refused: it might change the request.
const OPTIONS: &[(&str, Option<u8>, Effect)] = &[
    ("url", None, Effect::Url),
    ("request", Some(b'X'), Effect::Method),
    ("header", Some(b'H'), Effect::Header),
    ("user", Some(b'u'), Effect::User),
    ("data", Some(b'd'), Effect::Data(Kind::Ascii)),
    ("data-ascii", None, Effect::Data(Kind::Ascii)),
    ("data-binary", None, Effect::Data(Kind::Binary)),
    ("data-raw", None, Effect::Data(Kind::Raw)),
    ("data-urlencode", None, Effect::Data(Kind::UrlEncoded)),
    ("json", None, Effect::Data(Kind::Json)),
    ("head", Some(b'I'), Effect::Head),
    ("basic", None, Effect::Nothing),
    ("compressed", None, Effect::Nothing),
    ("fail", Some(b'f'), Effect::Nothing),
    ("fail-with-body", None, Effect::Nothing),
    ("globoff", Some(b'g'), Effect::Nothing),
    ("http0.9", None, Effect::Nothing),
    ("http1.0", Some(b'0'), Effect::Nothing),
    ("http1.1", None, Effect::Nothing),
    ("http2", None, Effect::Nothing),
    ("http2-prior-knowledge", None, Effect::Nothing),
    ("http3", None, Effect::Nothing),
    ("include", Some(b'i'), Effect::Nothing),
    ("insecure", Some(b'k'), Effect::Nothing),
    ("ipv4", Some(b'4'), Effect::Nothing),
    ("ipv6", Some(b'6'), Effect::Nothing),
    ("location", Some(b'L'), Effect::Nothing),
    ("location-trusted", None, Effect::Nothing),
    ("no-buffer", Some(b'N'), Effect::Nothing),
    ("no-progress-meter", None, Effect::Nothing),
    ("path-as-is", None, Effect::Nothing),
    ("progress-bar", Some(b'#'), Effect::Nothing),
    ("remote-name", Some(b'O'), Effect::Nothing),
    ("show-error", Some(b'S'), Effect::Nothing),
    ("show-headers", None, Effect::Nothing),
    ("silent", Some(b's'), Effect::Nothing),
    ("ssl-no-revoke", None, Effect::Nothing),
    ("tlsv1.2", None, Effect::Nothing),
    ("tlsv1.3", None, Effect::Nothing),
    ("verbose", Some(b'v'), Effect::Nothing),
    ("cacert", None, Effect::NothingOf),
    ("cert", Some(b'E'), Effect::NothingOf),
    ("connect-timeout", None, Effect::NothingOf),
    ("connect-to", None, Effect::NothingOf),
    ("cookie", Some(b'b'), Effect::NothingOf),
    ("cookie-jar", Some(b'c'), Effect::NothingOf),
    ("dump-header", Some(b'D'), Effect::NothingOf),
    ("key", None, Effect::NothingOf),
    ("max-redirs", None, Effect::NothingOf),
    ("max-time", Some(b'm'), Effect::NothingOf),
    ("output", Some(b'o'), Effect::NothingOf),
    ("proxy", Some(b'x'), Effect::NothingOf),
    ("referer", Some(b'e'), Effect::NothingOf),
    ("resolve", None, Effect::NothingOf),
    ("retry", None, Effect::NothingOf),
    ("retry-delay", None, Effect::NothingOf),
    ("retry-max-time", None, Effect::NothingOf),
    ("trace", None, Effect::NothingOf),
    ("trace-ascii", None, Effect::NothingOf),
    ("user-agent", Some(b'A'), Effect::NothingOf),
    ("write-out", Some(b'w'), Effect::NothingOf),
];

/// An option as it was written, without its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) effect: Effect,
    /// Empty for an option that takes none.
    pub(super) value: Vec<u8>,
}

/// Reads the arguments as curl does: short options may stand together and have their value attached; long ones have it
/// in the next word. What is no option is a URL.
pub(super) fn parse(words: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Given>, String> {
    let mut words = words.into_iter();
    let mut given = Vec::new();
    while let Some(word) = words.next() {
        match &word[..] {
            [b'-', b'-', name @ ..] if !name.is_empty() => {
                let (shown, effect) = long(name)?;
                given.push(Given { effect, value: value(effect, None, &shown, &mut words)? });
            }
            [b'-', letters @ ..] if !letters.is_empty() && *letters != *b"-" => short(letters, &mut words, &mut given)?,
            b"--" | b"-" => return Err(format!("the argument `{}` is not understood", word.escape_ascii())),
            _ => given.push(Given { effect: Effect::Url, value: word }),
        }
    }
    Ok(given)
}

fn long(name: &[u8]) -> Result<(String, Effect), String> {
    let found = OPTIONS.iter().find(|(long, ..)| long.as_bytes() == name);
    let (long, _, effect) = found.ok_or_else(|| {
        // What follows a `=` is a value, and may be a secret.
        let name = name.split(|byte| *byte == b'=').next().unwrap_or_default();
        unknown(&format!("--{}", name.escape_ascii()))
    })?;
    Ok((format!("--{long}"), *effect))
}

fn short(letters: &[u8], words: &mut impl Iterator<Item = Vec<u8>>, given: &mut Vec<Given>) -> Result<(), String> {
    for (index, letter) in letters.iter().enumerate() {
        let shown = format!("-{}", letter.escape_ascii());
        let found = OPTIONS.iter().find(|(_, short, _)| *short == Some(*letter));
        let (.., effect) = *found.ok_or_else(|| unknown(&shown))?;
        let attached = Some(&letters[index + 1..]).filter(|rest| effect.takes_value() && !rest.is_empty());
        given.push(Given { effect, value: value(effect, attached, &shown, words)? });
        if effect.takes_value() {
            break;
        }
    }
    Ok(())
}

fn value(
    effect: Effect,
    attached: Option<&[u8]>,
    shown: &str,
    words: &mut impl Iterator<Item = Vec<u8>>,
) -> Result<Vec<u8>, String> {
    match (effect.takes_value(), attached) {
        (false, _) => Ok(Vec::new()),
        (true, Some(attached)) => Ok(attached.to_owned()),
        (true, None) => words.next().ok_or_else(|| format!("{shown} has no value")),
    }
}

fn unknown(shown: &str) -> String {
    format!("the option {shown} of curl is not understood here")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Vec<(Effect, String)>, String> {
        let words = line.split(' ').filter(|word| !word.is_empty()).map(|word| word.as_bytes().to_vec());
        let text = |given: Given| (given.effect, String::from_utf8(given.value).unwrap());
        parse(words).map(|given| given.into_iter().map(text).collect())
    }

    #[test]
    fn options_are_read_as_curl_reads_them() {
        let (raw, ascii) = (Effect::Data(Kind::Raw), Effect::Data(Kind::Ascii));
        for (line, expected) in [
            ("u", vec![(Effect::Url, "u")]),
            (
                "-sSXPUT u",
                vec![(Effect::Nothing, ""), (Effect::Nothing, ""), (Effect::Method, "PUT"), (Effect::Url, "u")],
            ),
            ("-d=a -d b -dX", vec![(ascii, "=a"), (ascii, "b"), (ascii, "X")]),
            ("--data-raw -d --url -x", vec![(raw, "-d"), (Effect::Url, "-x")]),
            ("-o f -m5", vec![(Effect::NothingOf, "f"), (Effect::NothingOf, "5")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(effect, value)| (effect, value.to_owned())).collect();
            assert_eq!(parsed(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_might_change_the_request_unseen_is_refused() {
        for (line, named) in [
            ("-F a=b", "-F"),
            ("-sG", "-G"),
            ("--get", "--get"),
            ("--data=canary", "--data of"),
            ("--form a", "--form"),
            ("--dat a", "--dat "),
            ("-X", "-X has no value"),
            ("--header", "--header has no value"),
            ("-", "`-`"),
            ("-- u", "`--`"),
        ] {
            let fault = parsed(line).unwrap_err();
            assert!(fault.contains(named) && !fault.contains("canary"), "{line}: {fault}");
        }
    }

    #[test]
    fn no_option_stands_in_the_table_twice() {
        let mut names: Vec<_> = OPTIONS.iter().map(|(long, ..)| *long).collect();
        let mut letters: Vec<_> = OPTIONS.iter().filter_map(|(_, short, _)| *short).collect();
        names.sort();
        names.dedup();
        letters.sort();
        letters.dedup();
        assert_eq!(names.len(), OPTIONS.len());
        assert_eq!(letters.len(), OPTIONS.iter().filter(|(_, short, _)| short.is_some()).count());
    }
}
