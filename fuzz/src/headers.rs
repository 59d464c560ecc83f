//! Hostile headers before a verifier of every provider: never a panic, never a pass, always a code.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use surehook_core::scheme::{Place, SignaturePlace, TimestampPlace};
use surehook_core::{HeaderPairs, ReasonCode, Rejection, Scheme, Timestamp};

use super::{input, signed};

pub fn run(bytes: &[u8]) {
    // What the fuzzer's bytes do not suffice for is no input.
    let _ = check(Unstructured::new(bytes));
}

fn check(mut input: Unstructured<'_>) -> Result<()> {
    let scheme = input::scheme(&mut input)?;
    let names = names(&scheme);
    let now =
        Timestamp::from_unix_micros(if input.arbitrary()? { signed::NOW.unix_micros() } else { input.arbitrary()? });
    let mut owned = Vec::new();
    for _ in 0..input.int_in_range(0..=6)? {
        let name =
            if input.ratio(7, 8)? { input.choose(&names)?.clone().into_bytes() } else { input::bytes(&mut input)? };
        owned.push((name, input::bytes(&mut input)?));
    }
    let body = input.take_rest();
    let headers: Vec<_> = owned.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let verifier = signed::verifier(&scheme);
    match verifier.verify(body, &headers, now) {
        Ok(message) => panic!("nobody signed {message:?}"),
        Err(rejection) => assert_well_formed(&rejection, &headers),
    }
    assert_well_formed(&verifier.refuse(ReasonCode::BodyTooLarge, &headers), &headers);
    Ok(())
}

fn assert_well_formed(rejection: &Rejection, headers: HeaderPairs<'_>) {
    assert!(ReasonCode::ALL.contains(&rejection.code()));
    assert!(rejection.docs().contains(rejection.code().as_str()));
    assert!(!rejection.message().is_empty());
    if let Some(id) = rejection.claimed_message_id() {
        assert!((1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
        assert!(headers.iter().any(|(_, value)| *value == id.as_bytes()), "nobody claimed {id:?}");
    }
}

/// The headers that a scheme looks at.
fn names(scheme: &Arc<Scheme>) -> Vec<String> {
    let mut names = match &scheme.signature {
        SignaturePlace::Families(families) => families
            .iter()
            .flat_map(|family| [family.id.clone(), family.timestamp.clone(), family.signature.clone()])
            .collect(),
        SignaturePlace::Header { name, .. } | SignaturePlace::Pairs { name, .. } => vec![name.clone()],
        SignaturePlace::Numbered { name, .. } => vec![format!("{name}1"), format!("{name}2"), format!("{name}100")],
        SignaturePlace::Body(_) => Vec::new(),
    };
    if let Some(TimestampPlace::Header(name)) = scheme.timestamp.as_ref().map(|rule| &rule.place) {
        names.push(name.clone());
    }
    if let Some(Place::Header(name)) = &scheme.message_id {
        names.push(name.clone());
    }
    names.push("Content-Type".to_owned());
    names
}
