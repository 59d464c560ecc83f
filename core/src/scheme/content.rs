//! What a provider signs: a template of text and of pieces of the request.

use serde::{Deserialize, Deserializer};

use super::path::Path;

/// What is signed, e.g. `{id}.{timestamp}.{body}` or `v0:{timestamp}:{body}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pieces: Vec<Piece>,
    /// Where the piece is that may contain the text around it.
    free: Option<usize>,
    /// Whether the borders between pieces have to be looked for in their values.
    borders: bool,
}

/// One piece of a [`Content`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// `{id}`: the message id's header.
    Id,
    /// `{timestamp}`: the timestamp's text, as it was sent.
    Timestamp,
    /// `{body}`: the raw body.
    Body,
    /// `{url}`: the public URL with its query.
    Url,
    /// `{method}`: the HTTP method.
    Method,
    /// `{params}`: the parameters of a form, sorted by name, name and value without separators (Twilio's rule). For any
    /// other body nothing, and the URL's `bodySHA256` must be the SHA-256 of the body.
    Params,
    /// `{field:PATH}`: a scalar of the JSON body as text, empty where there is none. Several are told apart by the texts between
    /// them, which none may contain but the one that is written `{free:PATH}`; without it, the last.
    Field(Path),
}

impl Content {
    /// The pieces, in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether it holds such a piece.
    pub fn has(&self, piece: &Piece) -> bool {
        self.pieces.contains(piece)
    }

    /// Where the piece is that may contain the text around it.
    pub(crate) fn free(&self) -> Option<usize> {
        self.free
    }

    /// Whether the borders between pieces have to be looked for in their values.
    pub(crate) fn has_borders(&self) -> bool {
        self.borders
    }

    /// The fields of the body that it holds.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Path> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(path) => Some(path),
            _ => None,
        })
    }

    /// The body's end is the content's own, so it may contain anything; of fields one may.
    fn of(pieces: Vec<Piece>, marked: Option<usize>) -> Self {
        let last_field = || pieces.iter().rposition(|piece| matches!(piece, Piece::Field(_)));
        let free = marked.or_else(|| pieces.iter().position(|piece| *piece == Piece::Body)).or_else(last_field);
        let beside_another = |at: usize| {
            let varies = |at: usize| pieces.get(at).is_some_and(|piece| !matches!(piece, Piece::Text(_)));
            varies(at + 1) || (at > 0 && varies(at - 1))
        };
        let borders = pieces.iter().enumerate().any(|(at, piece)| match piece {
            Piece::Id | Piece::Field(_) => true,
            Piece::Timestamp | Piece::Url => beside_another(at),
            _ => false,
        });
        Self { pieces, free, borders }
    }
}

impl std::str::FromStr for Content {
    type Err = String;

    fn from_str(mut text: &str) -> Result<Self, String> {
        let (mut pieces, mut free) = (Vec::new(), None);
        while let Some(open) = text.find('{') {
            let close = text[open..].find('}').ok_or("a { of the content is never closed")? + open;
            if open > 0 {
                pieces.push(Piece::Text(text[..open].to_owned()));
            }
            let name = &text[open + 1..close];
            let marked = name.strip_prefix("free:").map(|path| format!("field:{path}"));
            if marked.is_some() && free.replace(pieces.len()).is_some() {
                return Err("at most one field of the content may be free".to_owned());
            }
            pieces.push(piece(marked.as_deref().unwrap_or(name))?);
            text = &text[close + 1..];
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        Ok(Self::of(pieces, free))
    }
}

fn piece(name: &str) -> Result<Piece, String> {
    Ok(match name {
        "id" => Piece::Id,
        "timestamp" => Piece::Timestamp,
        "body" => Piece::Body,
        "url" => Piece::Url,
        "method" => Piece::Method,
        "params" => Piece::Params,
        _ => match name.strip_prefix("field:") {
            Some(path) => Piece::Field(path.parse()?),
            None => {
                return Err(format!(
                    "{{{name}}} is no piece of a request; there are id, timestamp, body, url, method, params, field:PATH and free:PATH"
                ));
            }
        },
    })
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_into_its_pieces() {
        let content: Content = "v0:{timestamp}:{body}".parse().unwrap();
        let pieces = [Piece::Text("v0:".into()), Piece::Timestamp, Piece::Text(":".into()), Piece::Body];
        assert_eq!(content.pieces(), pieces);
        assert_eq!("{id}{body}".parse::<Content>().unwrap().pieces(), [Piece::Id, Piece::Body]);
    }

    #[test]
    fn a_template_with_a_fault_says_which() {
        assert!("{body".parse::<Content>().unwrap_err().contains("never closed"));
        assert!("{Body}".parse::<Content>().unwrap_err().contains("{Body}"));
        assert!("{field:a..b}".parse::<Content>().unwrap_err().contains("a..b"));
        assert!("{free:a}:{free:b}".parse::<Content>().unwrap_err().contains("at most one"));
    }

    #[test]
    fn the_body_or_the_marked_or_the_last_field_may_contain_what_is_around_it() {
        let free = |text: &str| text.parse::<Content>().unwrap().free();
        assert_eq!(free("{id}.{timestamp}.{body}"), Some(4));
        assert_eq!(free("{field:a}:{free:b}:{field:c}"), Some(2));
        assert_eq!(free("{field:a}:{field:b}"), Some(2));
        assert_eq!(free("{url}{params}"), None);
    }
}
