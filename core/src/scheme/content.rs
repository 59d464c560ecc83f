//! What a provider signs: a template of text and of pieces of the request.

use serde::{Deserialize, Deserializer};

use super::path::Path;

/// What is signed, e.g. `{id}.{timestamp}.{body}` or `v0:{timestamp}:{body}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(Vec<Piece>);

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
    /// `{field:PATH}`: a scalar of the JSON body as text, empty where there is none.
    Field(Path),
}

impl Content {
    /// The pieces, in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Whether it holds such a piece.
    pub fn has(&self, piece: &Piece) -> bool {
        self.0.contains(piece)
    }

    /// The fields of the body that it holds.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Field(path) => Some(path),
            _ => None,
        })
    }
}

impl std::str::FromStr for Content {
    type Err = String;

    fn from_str(mut text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        while let Some(open) = text.find('{') {
            let close = text[open..].find('}').ok_or("a { of the content is never closed")? + open;
            if open > 0 {
                pieces.push(Piece::Text(text[..open].to_owned()));
            }
            pieces.push(piece(&text[open + 1..close])?);
            text = &text[close + 1..];
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        Ok(Self(pieces))
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
                    "{{{name}}} is no piece of a request; there are id, timestamp, body, url, method, params and field:PATH"
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
    }
}
