//! A signed request of every provider, then one change: unchanged it passes, and no change of what is signed passes.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use serde_json::Value;
use surehook_core::scheme::{Encoding, HeaderFamily, Piece, Place, SignaturePlace, TimestampPlace};
use surehook_core::{ReasonCode, Scheme, Verifier};

use super::signed::{self, Draft, Request};
use super::{edit::edit, input, reference};

pub fn run(bytes: &[u8]) {
    // What the fuzzer's bytes do not suffice for is no input.
    let _ = check(&mut Unstructured::new(bytes));
}

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let scheme = input::scheme(input)?;
    let (id, body) = (input::message_id(input)?, input::bytes(input)?);
    let query = *input.choose(&["", "tenant=1", "a=b&c=%20"])?;
    let draft = Draft { method: "POST", query, id: &id, body: &body, form: input.arbitrary()? };
    // Some bodies no provider would sign: they could be read in another way.
    let Some(request) = signed::request(&scheme, &draft) else { return Ok(()) };
    let verifier = signed::verifier(&scheme);
    let accepted = request.verdict(&verifier);
    assert!(accepted.is_ok(), "{}: {accepted:?} {request:?}", scheme.provider);

    let same = harmless(&request, input)?;
    assert_eq!(same.verdict(&verifier), accepted, "{}: {same:?}", scheme.provider);
    let changed = harmful(&same, input)?;
    match changed.verdict(&verifier) {
        Ok(_) => assert_may_pass(&scheme, &verifier, &same, &changed),
        Err(code) => assert!(ReasonCode::ALL.contains(&code)),
    }
    Ok(())
}

/// Headers in another order, in capitals, and one that nobody looks at.
fn harmless(request: &Request, input: &mut Unstructured<'_>) -> Result<Request> {
    let mut same = request.clone();
    same.headers.push((format!("x-{}", input::message_id(input)?), input::bytes(input)?));
    let by = input.choose_index(same.headers.len())?;
    same.headers.rotate_left(by);
    if input.arbitrary()? {
        same.headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
    }
    Ok(same)
}

fn harmful(request: &Request, input: &mut Unstructured<'_>) -> Result<Request> {
    let mut changed = request.clone();
    match input.int_in_range(0..=8)? {
        0 => changed.method = "PUT".to_owned(),
        1 => changed.query.push('&'),
        2..=4 => changed.body = edit(&request.body, input)?,
        _ => {
            let at = input.choose_index(changed.headers.len())?;
            changed.headers[at].1 = edit(&request.headers[at].1, input)?;
        }
    }
    Ok(changed)
}

/// A changed request was accepted: the change must be in nothing that is signed.
fn assert_may_pass(scheme: &Arc<Scheme>, verifier: &Verifier, sent: &Request, changed: &Request) {
    let report = || format!("{}: {sent:?}\nbecame {changed:?}", scheme.provider);
    assert!(sent.method == changed.method || !scheme.content.has(&Piece::Method), "{}", report());
    assert!(sent.query == changed.query || !scheme.signs_url(), "{}", report());
    assert!(sent.body == changed.body || body_may_differ(scheme, sent, changed), "{}", report());
    for ((name, before), (_, after)) in sent.headers.iter().zip(&changed.headers).filter(|(old, new)| old != new) {
        assert!(header_may_differ(scheme, &name.to_ascii_lowercase(), before, after), "{}", report());
    }
    changed.with(|incoming| {
        let message = verifier.verify_request(incoming, signed::NOW).expect("it was accepted before");
        let new_id = Ok(message.message_id().to_owned()) != sent.verdict(verifier);
        let by_hash = message.message_id().starts_with("sha256-");
        assert!(!new_id || !message.id_is_signed() || by_hash, "{}", report());
    });
}

/// Whether two bodies say the same in all that is signed of them.
pub(super) fn body_may_differ(scheme: &Scheme, sent: &Request, changed: &Request) -> bool {
    if scheme.signs_body() {
        return false;
    }
    if scheme.content.has(&Piece::Params) {
        let hashed = sent.query.starts_with("bodySHA256");
        return !hashed && reference::parameters(&sent.body) == reference::parameters(&changed.body);
    }
    let read = |request: &Request| serde_json::from_slice::<Value>(&request.body).ok();
    let (before, after) = (read(sent), read(changed));
    let same = |path| {
        let field = |json: &Option<Value>| json.as_ref().and_then(|json| reference::scalar(json, path));
        field(&before) == field(&after)
    };
    let timed = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        Some(TimestampPlace::Body(path)) => same(path),
        _ => true,
    };
    timed && scheme.content.pieces().iter().all(|piece| !matches!(piece, Piece::Field(path) if !same(path)))
}

fn header_may_differ(scheme: &Scheme, name: &str, before: &[u8], after: &[u8]) -> bool {
    let listed = |own: &str, list: bool| own == name && same_signature(scheme, before, after, list);
    let timed = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        Some(TimestampPlace::Header(own)) => own == name && scheme.content.has(&Piece::Timestamp),
        _ => false,
    };
    let named = matches!(&scheme.message_id, Some(Place::Header(own)) if own == name);
    match &scheme.signature {
        _ if timed => false,
        _ if named => !scheme.content.has(&Piece::Id),
        SignaturePlace::Families(families) => {
            let own = |family: &HeaderFamily| {
                [&family.id, &family.timestamp, &family.signature].iter().any(|own| *own == name)
            };
            !families.iter().any(own) || families.iter().any(|family| listed(&family.signature, true))
        }
        SignaturePlace::Header { name: own, .. } => own != name || listed(own, false),
        SignaturePlace::Pairs { name: own, .. } => own != name || listed(own, true),
        SignaturePlace::Numbered { name: own, .. } => {
            !name.starts_with(own.as_str()) || listed(&format!("{own}1"), false)
        }
        SignaturePlace::Body(_) => true,
    }
}

/// Whether the signature is still there: hexadecimal in another case, or in a list with something else beside it.
fn same_signature(scheme: &Scheme, before: &[u8], after: &[u8], list: bool) -> bool {
    let hex = scheme.encoding == Encoding::Hex;
    let plain = |value: &[u8]| if hex { value.to_ascii_lowercase() } else { value.to_vec() };
    let (before, after) = (plain(before), plain(after));
    let value = before.rsplit(|byte| matches!(byte, b',' | b';' | b' ')).next().unwrap_or_default();
    if list { after.windows(value.len()).any(|window| window == value) } else { before == after }
}
