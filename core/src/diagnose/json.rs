//! JSON written in the ways that serializers write it, token by token: numbers keep their digits, members their order.

/// How the tokens are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `{"a":1}`
    Compact,
    /// `{"a": 1, "b": 2}`
    Spaced,
    /// One member a line, indented by so many spaces a level.
    Indented(usize),
}

/// Which characters of a string are escaped, beyond those that must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escaping {
    /// All that are not ASCII.
    ascii: bool,
    /// `/`, as `\/`.
    slash: bool,
    /// These, as `\u003c`.
    others: &'static str,
    words: &'static str,
}

/// Nothing more.
pub(super) const LEAST: Escaping = Escaping { ascii: false, slash: false, others: "", words: "" };
const ASCII: Escaping = Escaping { ascii: true, words: ", everything but ASCII escaped", ..LEAST };

/// How a serializer writes: the spaces, and what is escaped.
pub(super) type Form = (Style, Escaping);

const STYLES: [Style; 4] = [Style::Compact, Style::Spaced, Style::Indented(2), Style::Indented(4)];

/// The forms of the usual serializers, the most frequent first. Many are the same for a body without the characters in question.
pub(super) fn forms() -> impl Iterator<Item = Form> {
    let plain = STYLES.into_iter().flat_map(|style| [(style, LEAST), (style, ASCII)]);
    let php = Escaping { ascii: true, slash: true, words: ", as PHP escapes it", ..LEAST };
    let php_unicode = Escaping { ascii: false, others: "\u{2028}\u{2029}", ..php };
    let html = Escaping { others: "<>&\u{2028}\u{2029}", words: ", as Go and Rails escape it", ..LEAST };
    let meta = Escaping { ascii: true, slash: true, others: "<%@", words: ", as Meta escapes it" };
    let gson = Escaping { others: "<>&='\u{2028}\u{2029}", words: ", as Gson escapes it", ..LEAST };
    let escaped = [php, html, php_unicode, meta, gson].map(|escaping| (Style::Compact, escaping));
    let printed = [(Style::Indented(4), php), (Style::Indented(2), html)];
    plain.chain(escaped).chain(printed)
}

impl Style {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Compact => "without spaces",
            Self::Spaced => "with a space after each colon and comma",
            Self::Indented(2) => "indented by 2",
            Self::Indented(_) => "indented by 4",
        }
    }
}

impl Escaping {
    pub(super) const fn words(self) -> &'static str {
        self.words
    }

    fn escapes(self, character: char) -> bool {
        (self.ascii && !character.is_ascii()) || self.others.contains(character)
    }
}

enum Token<'a> {
    /// `{` `}` `[` `]` `:` `,`
    Sign(u8),
    /// A string, unescaped.
    Text(String),
    /// A number, a literal or a string that is no text, as it was written.
    Word(&'a [u8]),
}

/// The tokens of a JSON text.
pub(super) struct Tokens<'a>(Vec<Token<'a>>);

impl<'a> Tokens<'a> {
    /// `None` for what is not JSON.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<serde::de::IgnoredAny>(body).ok()?;
        let mut tokens = Vec::new();
        let mut rest = body;
        while let Some(&byte) = rest.first() {
            let length = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => 1,
                b'{' | b'}' | b'[' | b']' | b':' | b',' => {
                    tokens.push(Token::Sign(byte));
                    1
                }
                b'"' => {
                    let length = string_length(rest)?;
                    // A lone surrogate has no text: such a string stays as it was written.
                    let text = serde_json::from_slice(&rest[..length]);
                    tokens.push(text.map_or(Token::Word(&rest[..length]), Token::Text));
                    length
                }
                _ => {
                    let length = rest.iter().position(|byte| b" \t\r\n{}[]:,\"".contains(byte)).unwrap_or(rest.len());
                    tokens.push(Token::Word(&rest[..length]));
                    length
                }
            };
            rest = &rest[length..];
        }
        Some(Self(tokens))
    }

    /// Writes them; `None` when that would be longer than `most` bytes.
    pub(super) fn write(&self, style: Style, escaping: Escaping, most: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut depth = 0;
        for (at, token) in self.0.iter().enumerate() {
            if out.len() > most {
                return None;
            }
            match token {
                Token::Text(text) => write_text(text, escaping, &mut out),
                Token::Word(word) => out.extend_from_slice(word),
                Token::Sign(sign @ (b'{' | b'[')) => {
                    out.push(*sign);
                    depth += 1;
                    if !self.closes(at + 1) {
                        break_line(style, depth, &mut out);
                    }
                }
                Token::Sign(sign @ (b'}' | b']')) => {
                    depth -= 1;
                    if !self.opens_before(at) {
                        break_line(style, depth, &mut out);
                    }
                    out.push(*sign);
                }
                Token::Sign(b':') => out.extend_from_slice(if style == Style::Compact { b":" } else { b": " }),
                Token::Sign(sign) => {
                    out.push(*sign);
                    match style {
                        Style::Spaced => out.push(b' '),
                        _ => break_line(style, depth, &mut out),
                    }
                }
            }
        }
        (out.len() <= most).then_some(out)
    }

    fn closes(&self, at: usize) -> bool {
        matches!(self.0.get(at), Some(Token::Sign(b'}' | b']')))
    }

    fn opens_before(&self, at: usize) -> bool {
        matches!(at.checked_sub(1).and_then(|before| self.0.get(before)), Some(Token::Sign(b'{' | b'[')))
    }
}

/// The length of the string that a text begins with, quotes included.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn break_line(style: Style, depth: usize, out: &mut Vec<u8>) {
    if let Style::Indented(width) = style {
        out.push(b'\n');
        out.resize(out.len() + depth * width, b' ');
    }
}

fn write_text(text: &str, escaping: Escaping, out: &mut Vec<u8>) {
    let Ok(least) = serde_json::to_string(text) else { return };
    if escaping == LEAST {
        out.extend_from_slice(least.as_bytes());
        return;
    }
    for character in least.chars() {
        if escaping.escapes(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        } else if escaping.slash && character == '/' {
            out.extend_from_slice(b"\\/");
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: &str, style: Style, escaping: Escaping) -> String {
        String::from_utf8(Tokens::read(body.as_bytes()).unwrap().write(style, escaping, 1024).unwrap()).unwrap()
    }

    #[test]
    fn each_style_is_what_the_usual_serializers_write() {
        let body = "{\"a\" : [1.0,1e3, true],\r\n\"b\":{},\"c\":\"\\u00e9\\/\"}";
        assert_eq!(written(body, Style::Compact, LEAST), r#"{"a":[1.0,1e3,true],"b":{},"c":"é/"}"#);
        assert_eq!(written(body, Style::Spaced, ASCII), r#"{"a": [1.0, 1e3, true], "b": {}, "c": "\u00e9/"}"#);
        let indented = "{\n  \"a\": [\n    1.0,\n    1e3,\n    true\n  ],\n  \"b\": {},\n  \"c\": \"é/\"\n}";
        assert_eq!(written(body, Style::Indented(2), LEAST), indented);
        assert_eq!(written("\"\u{1f600}\"", Style::Compact, ASCII), r#""\ud83d\ude00""#);
    }

    #[test]
    fn each_escaping_is_what_its_serializer_writes() {
        let body = r#"{"a/":"<b> & é@ 50% 'x'=\u2028"}"#;
        let written = |words: &str| {
            let (style, escaping) = forms().find(|(_, escaping)| escaping.words().contains(words)).unwrap();
            written(body, style, escaping)
        };
        assert_eq!(written("PHP"), r#"{"a\/":"<b> & \u00e9@ 50% 'x'=\u2028"}"#);
        assert_eq!(written("Go"), r#"{"a/":"\u003cb\u003e \u0026 é@ 50% 'x'=\u2028"}"#);
        assert_eq!(written("Meta"), r#"{"a\/":"\u003cb> & \u00e9\u0040 50\u0025 'x'=\u2028"}"#);
        assert_eq!(written("Gson"), r#"{"a/":"\u003cb\u003e \u0026 é@ 50% \u0027x\u0027\u003d\u2028"}"#);
    }

    #[test]
    fn what_would_become_too_long_is_not_written() {
        let tokens = Tokens::read(b"[[1,2]]").unwrap();
        assert_eq!(tokens.write(Style::Compact, LEAST, 7).unwrap(), b"[[1,2]]");
        assert_eq!(tokens.write(Style::Compact, LEAST, 6), None);
        assert_eq!(tokens.write(Style::Indented(4), LEAST, 20), None);
    }

    #[test]
    fn what_is_no_json_is_not_rewritten() {
        for body in ["", "{", "{\"a\":1} x", "{'a':1}", "\"a"] {
            assert!(Tokens::read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
