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

/// Which characters of a string are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// Only those that must be.
    Least,
    /// All that are not ASCII, too.
    Ascii,
}

pub(super) const STYLES: &[(Style, &str)] = &[
    (Style::Compact, "without spaces"),
    (Style::Spaced, "with a space after each colon and comma"),
    (Style::Indented(2), "indented by 2"),
    (Style::Indented(4), "indented by 4"),
];

pub(super) const ESCAPINGS: &[Escaping] = &[Escaping::Least, Escaping::Ascii];

impl Escaping {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Least => "",
            Self::Ascii => ", everything but ASCII escaped",
        }
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
    if escaping == Escaping::Least || least.is_ascii() {
        out.extend_from_slice(least.as_bytes());
        return;
    }
    for character in least.chars() {
        if character.is_ascii() {
            out.push(character as u8);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
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
        assert_eq!(written(body, Style::Compact, Escaping::Least), r#"{"a":[1.0,1e3,true],"b":{},"c":"é/"}"#);
        assert_eq!(
            written(body, Style::Spaced, Escaping::Ascii),
            r#"{"a": [1.0, 1e3, true], "b": {}, "c": "\u00e9/"}"#
        );
        let indented = "{\n  \"a\": [\n    1.0,\n    1e3,\n    true\n  ],\n  \"b\": {},\n  \"c\": \"é/\"\n}";
        assert_eq!(written(body, Style::Indented(2), Escaping::Least), indented);
        assert_eq!(written("\"\u{1f600}\"", Style::Compact, Escaping::Ascii), r#""\ud83d\ude00""#);
    }

    #[test]
    fn what_would_become_too_long_is_not_written() {
        let tokens = Tokens::read(b"[[1,2]]").unwrap();
        assert_eq!(tokens.write(Style::Compact, Escaping::Least, 7).unwrap(), b"[[1,2]]");
        assert_eq!(tokens.write(Style::Compact, Escaping::Least, 6), None);
        assert_eq!(tokens.write(Style::Indented(4), Escaping::Least, 20), None);
    }

    #[test]
    fn what_is_no_json_is_not_rewritten() {
        for body in ["", "{", "{\"a\":1} x", "{'a':1}", "\"a"] {
            assert!(Tokens::read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
