//! What contradicts itself in a row, and what is wrong with the text of one.

use super::{Algorithm, Piece, Place, Scheme, SecretForm, SignaturePlace, TimestampPlace};

/// What may part pairs: nothing that is in a time or a signature.
const SEPARATORS: &str = ",;&| ";
/// More numbered headers are no provider's.
const MAX_NUMBERED: usize = 100;

impl Scheme {
    /// The first thing that contradicts itself in this row.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let families = matches!(self.signature, SignaturePlace::Families(_));
        let timed = self.timestamp.as_ref();
        let id_header = families || matches!(self.message_id, Some(Place::Header(_)));
        let in_family = timed.is_some_and(|rule| rule.place == TimestampPlace::Family);
        let tolerance = timed.and_then(|rule| rule.tolerance_seconds);
        let max_tolerance = crate::verify::MAX_TOLERANCE.as_secs();
        [
            (self.provider.is_empty(), "provider must not be empty"),
            (!self.secret_env.iter().all(|name| is_variable(name)), "secret_env holds names like ACME_WEBHOOK_SECRET"),
            (!self.key_fits(), "secret and algorithm do not go together"),
            (families != (self.algorithm == Algorithm::Standard), "families go with the algorithm standard"),
            (families && !in_family, "a family needs a timestamp without a place of its own"),
            (!families && in_family, "the timestamp needs a place: header, pair or body"),
            (tolerance.is_some_and(|span| !(1..=max_tolerance).contains(&span)), "tolerance_seconds must be 1 to 3600"),
            (self.content.has(&Piece::Id) && !id_header, "{id} needs a message_id in a header"),
            (self.content.has(&Piece::Timestamp) && timed.is_none(), "{timestamp} needs a timestamp"),
            (self.url.is_some() && !self.signs_url(), "a rule for the URL needs {url} in the content"),
            (self.max_body_bytes == 0, "max_body_bytes must be at least 1"),
            (
                self.event_action.is_some() && !matches!(self.event_type, Some(Place::Header(_))),
                "event_action goes with an event_type in a header",
            ),
        ]
        .into_iter()
        .find_map(|(wrong, fault)| wrong.then_some(fault))
        .or_else(|| self.content_fault())
        .or_else(|| self.border_fault())
        .or_else(|| self.pairs_fault())
        .or_else(|| self.header_fault())
        .or_else(|| self.time_fault())
    }

    fn key_fits(&self) -> bool {
        match self.algorithm {
            Algorithm::Standard => matches!(self.secret, SecretForm::Standard | SecretForm::StandardOrUtf8),
            Algorithm::Ed25519 => self.secret == SecretForm::Ed25519Hex,
            Algorithm::EcdsaP256 => self.secret == SecretForm::P256Spki,
            Algorithm::Token => self.secret == SecretForm::Utf8,
            _ => !matches!(self.secret, SecretForm::Ed25519Hex | SecretForm::P256Spki),
        }
    }

    fn content_fault(&self) -> Option<&'static str> {
        let pieces = self.content.pieces();
        if self.algorithm == Algorithm::Token {
            return None;
        }
        if pieces.is_empty() {
            return Some("content must not be empty");
        }
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return Some(
                "content must hold something of the request, e.g. {body}: one signature would fit every request",
            );
        }
        let SignaturePlace::Body(path) = &self.signature else { return None };
        let signs_itself = [Piece::Body, Piece::Params, Piece::Field(path.clone())];
        signs_itself
            .iter()
            .any(|piece| self.content.has(piece))
            .then_some("a signature in the body cannot sign itself: the content must be made of other fields")
    }

    /// Values that follow one another cannot be told apart; a time can, by its form.
    fn border_fault(&self) -> Option<&'static str> {
        let named = |piece: &Piece| matches!(piece, Piece::Id | Piece::Field(_));
        let varies = |piece: &Piece| named(piece) || *piece == Piece::Body;
        let touch = |pair: &[Piece]| (named(&pair[0]) && varies(&pair[1])) || (varies(&pair[0]) && named(&pair[1]));
        self.content.pieces().windows(2).any(touch).then_some(
            "two values of the content need a text between them: where one ends could be changed without a trace",
        )
    }

    /// A time that anybody can change bounds nothing.
    fn time_fault(&self) -> Option<&'static str> {
        let rule = self.timestamp.as_ref()?;
        let signed = self.algorithm != Algorithm::Token
            && match &rule.place {
                _ if self.content.has(&Piece::Timestamp) => true,
                TimestampPlace::Body(path) => self.signs_body() || self.content.has(&Piece::Field(path.clone())),
                _ => false,
            };
        (!signed).then_some(
            "the timestamp is not signed, so it says nothing of a request's age: put {timestamp} into the content where the \
             sender signs it, or leave the timestamp out",
        )
    }

    fn pairs_fault(&self) -> Option<&'static str> {
        let in_pair = match self.timestamp.as_ref().map(|rule| &rule.place) {
            Some(TimestampPlace::Pair(key)) => Some(key),
            _ => None,
        };
        let SignaturePlace::Pairs { separator, key, .. } = &self.signature else {
            return in_pair.and(Some("a timestamp in a pair needs a signature in pairs"));
        };
        if !SEPARATORS.contains(*separator) {
            return Some("the separator of pairs must be a comma, a semicolon, an ampersand, a bar or a space");
        }
        let readable = |key: &String| {
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let fine = readable(key) && in_pair.is_none_or(|own| readable(own) && own != key);
        (!fine).then_some("the key of a pair must be made of letters, digits, - _ or ., and each be another")
    }

    fn header_fault(&self) -> Option<&'static str> {
        let names = self.header_names();
        if !names.iter().all(|name| is_token(name)) {
            return Some("one of the names is no header name");
        }
        let repeated = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
        let (numbered, most) = match &self.signature {
            SignaturePlace::Numbered { name, most } => (Some(name.as_str()), *most),
            _ => (None, 1),
        };
        if !(1..=MAX_NUMBERED).contains(&most) {
            return Some("most must be 1 to 100");
        }
        let shadowed =
            numbered.is_some_and(|prefix| names.iter().any(|name| *name != prefix && name.starts_with(prefix)));
        (repeated || shadowed).then_some("a header is named twice: signature, timestamp and id each need their own")
    }

    /// The headers that decide, in lower case.
    fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = match &self.signature {
            SignaturePlace::Families(families) => {
                families.iter().flat_map(|family| [family.id.as_str(), &family.timestamp, &family.signature]).collect()
            }
            SignaturePlace::Header { name, .. }
            | SignaturePlace::Pairs { name, .. }
            | SignaturePlace::Numbered { name, .. } => vec![name],
            SignaturePlace::Body(_) => Vec::new(),
        };
        if let Some(TimestampPlace::Header(name)) = self.timestamp.as_ref().map(|rule| &rule.place) {
            names.push(name);
        }
        if let Some(Place::Header(name)) = &self.message_id {
            names.push(name);
        }
        names
    }
}

/// Whether a text can be the name of a header (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether a text is written like the name of a variable; anything else may be the secret itself in the wrong place.
fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

/// What is wrong with the text of a scheme. The value itself is left out: it may be a secret in the wrong place.
pub(super) fn of_text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let values = [("unknown variant `", "`, expected "), (": string \"", "\", expected ")];
    let around = values.iter().find_map(|(before, after)| {
        let (start, end) = (text.find(before)? + before.len(), text.rfind(after)?);
        (start <= end).then(|| format!("{}…{}", &text[..start], &text[end..]))
    });
    around.unwrap_or(text)
}
