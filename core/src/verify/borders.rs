//! Where one signed value ends and the next begins: a signature over joined values must not fit two readings of them.

use std::borrow::Cow;

use crate::scheme::{Piece, Place, Scheme, TimeUnit};

/// Whether these pieces, joined, can be read as nothing else that the scheme would sign.
///
/// Read from both ends, each value ends at the first text that parts it from the next, up to the one value that may contain
/// such a text. A value that contains it would be read otherwise, so whoever saw the signature could move the border.
pub(crate) fn are_clear(scheme: &Scheme, values: &[Cow<'_, [u8]>], time_is_checked: bool) -> bool {
    let pieces = scheme.content.pieces();
    // Fields of a body that is signed as a whole are what that body says.
    let whole_body = scheme.signs_body();
    pieces.iter().enumerate().all(|(at, piece)| match piece {
        Piece::Field(_) if whole_body => true,
        Piece::Id | Piece::Field(_) if scheme.content.free() != Some(at) => is_parted(scheme, values, at),
        Piece::Timestamp if !time_is_checked => stands_apart(scheme, values, at),
        Piece::Url if pieces.get(at + 1) == Some(&Piece::Body) => {
            ends_before_json(scheme, &values[at], &values[at + 1])
        }
        _ => true,
    })
}

/// Whether the text that parts a value from its neighbour, on the side of the free one, is not also in the value.
fn is_parted(scheme: &Scheme, values: &[Cow<'_, [u8]>], at: usize) -> bool {
    let pieces = scheme.content.pieces();
    let text = |at: usize| match pieces.get(at) {
        Some(Piece::Text(text)) => Some(text.as_bytes()),
        _ => None,
    };
    if scheme.content.free().is_none_or(|free| at < free) {
        return text(at + 1).is_none_or(|text| !begins_inside(&values[at], text));
    }
    let before = at.checked_sub(1).and_then(text);
    before.is_none_or(|text| !ends_inside(text, &values[at]))
}

/// Whether `text` is found earlier than right behind the value.
fn begins_inside(value: &[u8], text: &[u8]) -> bool {
    (0..value.len()).any(|from| value[from..].iter().chain(text).zip(text).all(|(own, wanted)| own == wanted))
}

/// Whether `text` is found later than right before the value.
fn ends_inside(text: &[u8], value: &[u8]) -> bool {
    (1..=value.len()).any(|to| {
        value[..to].iter().rev().chain(text.iter().rev()).zip(text.iter().rev()).all(|(own, wanted)| own == wanted)
    })
}

/// Whether no digit is beside a time in digits. One whose age is checked cannot lose or gain a digit.
fn stands_apart(scheme: &Scheme, values: &[Cow<'_, [u8]>], at: usize) -> bool {
    if scheme.timestamp.as_ref().is_some_and(|rule| rule.unit == TimeUnit::Rfc3339) {
        return true;
    }
    let beside = |at: Option<usize>| at.and_then(|at| Some((scheme.content.pieces().get(at)?, values.get(at)?)));
    let digit =
        |piece: &Piece, byte: Option<&u8>| !matches!(piece, Piece::Text(_)) && byte.is_some_and(u8::is_ascii_digit);
    let before = beside(at.checked_sub(1)).is_some_and(|(piece, value)| digit(piece, value.last()));
    let behind = beside(Some(at + 1)).is_some_and(|(piece, value)| digit(piece, value.first()));
    !before && !behind
}

/// Whether a URL with a query ends where a JSON body begins, for schemes whose messages are JSON.
fn ends_before_json(scheme: &Scheme, url: &[u8], body: &[u8]) -> bool {
    let Some(query) = url.iter().position(|byte| *byte == b'?') else { return true };
    let opens = |byte: &u8| matches!(byte, b'{' | b'[');
    // No body at all leaves nothing to move: what could be moved out of the query does not open JSON.
    !matches!(scheme.message_id, Some(Place::Body(_)))
        || (body.first().is_none_or(opens) && !url[query..].iter().any(opens))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_bytes_is_found_where_it_overlaps_the_border() {
        assert!(begins_inside(b"a:", b"::"));
        assert!(!begins_inside(b"a", b"::"));
        assert!(begins_inside(b"a::b", b"::"));
        assert!(ends_inside(b"::", b":a"));
        assert!(!ends_inside(b"::", b"a"));
        assert!(!begins_inside(b"", b"::") && !ends_inside(b"::", b""));
    }

    fn clear(row: &str, values: &[&str], checked: bool) -> bool {
        let scheme = Scheme::from_json(&format!(
            r#"{{"provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256", "signature": {{"header": "x-acme"}}, {row}}}"#
        ));
        let values: Vec<Cow<'_, [u8]>> = values.iter().map(|value| Cow::Borrowed(value.as_bytes())).collect();
        are_clear(&scheme.unwrap(), &values, checked)
    }

    #[test]
    fn of_fields_only_the_free_one_may_contain_what_parts_them() {
        let row = r#""content": "{field:a}:{free:b}:{field:c}""#;
        assert!(clear(row, &["1", ":", "2", ":", "3"], true));
        assert!(clear(row, &["1", ":", "2:2", ":", "3"], true));
        assert!(!clear(row, &["1:2", ":", "2", ":", "3"], true));
        assert!(!clear(row, &["1", ":", "2", ":", "2:3"], true));
        let last = r#""content": "{field:a}.{field:b}""#;
        assert!(clear(last, &["1", ".", "2.3"], true));
        assert!(!clear(last, &["1.2", ".", "3"], true));
    }

    #[test]
    fn a_time_that_is_not_checked_stands_apart_from_digits() {
        let row = r#""content": "{timestamp}{body}", "timestamp": {"header": "x-time", "tolerance_seconds": null}"#;
        assert!(clear(row, &["1700000000", "{}"], false));
        assert!(!clear(row, &["170000000", "0{}"], false));
        assert!(clear(row, &["1700000000", "0"], true));
    }

    #[test]
    fn an_id_in_a_header_is_parted_from_the_time_and_the_body() {
        let row = r#""content": "{id}.{timestamp}.{body}", "timestamp": {"header": "x-time"}, "message_id": {"header": "x-id"}"#;
        assert!(clear(row, &["a", ".", "1700000000", ".", "x.y"], true));
        assert!(!clear(row, &["a.1", ".", "1700000000", ".", "x"], true));
    }

    #[test]
    fn a_url_with_a_query_ends_where_json_begins() {
        let row = r#""content": "{url}{body}", "message_id": {"body": ["id"]}"#;
        assert!(clear(row, &["https://a.example/x", "1{}"], true));
        assert!(clear(row, &["https://a.example/x?t=1", "{}"], true));
        assert!(clear(row, &["https://a.example/x?t=1", ""], true));
        assert!(!clear(row, &["https://a.example/x?t=", "1{}"], true));
        assert!(!clear(row, &["https://a.example/x?t=1{}", ""], true));
        assert!(!clear(row, &["https://a.example/x?t=1{\"a\":", "{}}"], true));
    }
}
