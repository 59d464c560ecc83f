//! What must hold for every provider of the table: what it signs passes, and no flipped bit of it does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod signed;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use signed::{Draft, Request};
use surehook_core::scheme::{Encoding, Piece, Place, SignaturePlace, TimestampPlace};
use surehook_core::{Scheme, Verifier, scheme};

const ID: &str = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj";

fn draft(body: &[u8]) -> Draft<'_> {
    Draft { method: "POST", query: "tenant=1", id: ID, body, form: true }
}

fn request_of(provider: &str, body: &[u8]) -> (Arc<Scheme>, Verifier, Request) {
    let scheme = scheme::find(provider).unwrap();
    let request = signed::request(&scheme, &draft(body)).unwrap_or_else(|| panic!("{provider} signs no such body"));
    let verifier = signed::verifier(&scheme);
    assert!(request.verdict(&verifier).is_ok(), "{provider}: {:?}", request.verdict(&verifier));
    (scheme, verifier, request)
}

/// Any bytes behind the start of a JSON body, where one whose URL is signed too has to begin.
fn one_kibibyte() -> Vec<u8> {
    std::iter::once(b'{').chain((1..1024_u32).map(|index| (index * 31 + index / 7) as u8)).collect()
}

/// Flips every bit, one at a time, and counts those that are refused. One that passes must be the case of a hexadecimal
/// digit, which says the same.
fn refused_flips(original: &[u8], hex: bool, passes: impl Fn(&[u8]) -> bool) -> usize {
    let mut text = original.to_vec();
    let mut refused = 0;
    for bit in 0..text.len() * 8 {
        let (at, mask) = (bit / 8, 1 << (bit % 8));
        let case = hex && mask == 0x20 && text[at].is_ascii_alphabetic();
        text[at] ^= mask;
        if passes(&text) {
            assert!(case, "bit {bit} of {:?}", String::from_utf8_lossy(&text));
        } else {
            refused += 1;
        }
        text[at] ^= mask;
    }
    refused
}

/// Every bit of the body where it is signed, of the signed headers, of the method and of the query where they are signed.
fn assert_every_flip_is_refused(provider: &str, body: &[u8]) -> usize {
    let (scheme, verifier, request) = request_of(provider, body);
    let mut refused = 0;
    let in_body = matches!(scheme.signature, SignaturePlace::Body(_));
    let hex = scheme.encoding == Encoding::Hex;
    if scheme.signs_body() || in_body {
        refused += refused_flips(&request.body, in_body && hex, |flipped| {
            Request { body: flipped.to_vec(), ..request.clone() }.verdict(&verifier).is_ok()
        });
    }
    for (at, (name, value)) in request.headers.iter().enumerate().filter(|(_, (name, _))| is_signed(&scheme, name)) {
        let hex = hex && !name.ends_with("timestamp");
        refused += refused_flips(value, hex, |flipped| {
            let mut changed = request.clone();
            changed.headers[at].1 = flipped.to_vec();
            changed.verdict(&verifier).is_ok()
        });
    }
    if scheme.signs_url() {
        // A bit that makes no ASCII text makes no request line either.
        refused += refused_flips(request.query.as_bytes(), false, |flipped| {
            String::from_utf8(flipped.to_vec())
                .is_ok_and(|query| Request { query, ..request.clone() }.verdict(&verifier).is_ok())
        });
    }
    if scheme.content.has(&Piece::Method) {
        let other = Request { method: "PUT".to_owned(), ..request.clone() };
        assert!(other.verdict(&verifier).is_err(), "{provider}");
        refused += 1;
    }
    refused
}

fn is_signed(scheme: &Scheme, name: &str) -> bool {
    let timestamp = match scheme.timestamp.as_ref().map(|rule| &rule.place) {
        Some(TimestampPlace::Header(own)) => own == name,
        _ => false,
    };
    let unsigned_id = matches!(&scheme.message_id, Some(Place::Header(own)) if own == name);
    timestamp || !(unsigned_id || name == "content-type")
}

#[test]
fn every_one_bit_flip_of_a_1_kib_message_is_refused_under_each_algorithm() {
    let providers = [
        ("svix", "HMAC-SHA-256 in a list"),
        ("stripe", "HMAC-SHA-256 in pairs"),
        ("shopify", "HMAC-SHA-256 in base64"),
        ("docusign", "HMAC-SHA-256 in numbered headers"),
        ("hubspot", "HMAC-SHA-256 with method and URL"),
        ("intercom", "HMAC-SHA-1"),
        ("discord", "Ed25519"),
        ("sendgrid", "ECDSA over P-256"),
    ];
    for (provider, words) in providers {
        let refused = assert_every_flip_is_refused(provider, &one_kibibyte());
        println!("refused {refused} one-bit flips ({provider}: {words})");
        assert!(refused >= 1024 * 8, "{provider}: {refused}");
    }
}

#[test]
fn every_one_bit_flip_of_any_providers_message_is_refused() {
    for scheme in scheme::providers() {
        let behind_a_url = scheme.signs_url() && scheme.signs_body();
        let body: &[u8] = if behind_a_url { b"{\"a\":1}" } else { b"a=1&b=2" };
        let refused = assert_every_flip_is_refused(&scheme.provider, body);
        assert!(refused > 0, "{}", scheme.provider);
    }
}

#[test]
fn every_one_bit_flip_under_hmac_sha512_is_refused() {
    let row = r#"{"provider": "acme", "secret": "base64", "algorithm": "hmac_sha512", "encoding": "base64",
        "signature": {"header": "x-acme"}, "content": "{timestamp}.{body}", "timestamp": {"header": "x-time"}}"#;
    let scheme = Arc::new(Scheme::from_json(row).unwrap());
    let (verifier, body) = (signed::verifier(&scheme), one_kibibyte());
    let request = signed::request(&scheme, &draft(&body)).unwrap();
    assert!(request.verdict(&verifier).is_ok());
    let refused = refused_flips(&body, false, |flipped| {
        Request { body: flipped.to_vec(), ..request.clone() }.verdict(&verifier).is_ok()
    });
    assert_eq!(refused, 1024 * 8);
}

#[test]
fn every_one_bit_flip_of_a_form_that_twilio_signs_is_refused() {
    let (_, verifier, request) = request_of("twilio", b"Body=hello&From=%2B15550001111");
    refused_flips(&request.body, false, |flipped| {
        let changed = Request { body: flipped.to_vec(), ..request.clone() };
        let read = |body: &[u8]| form_urlencoded::parse(body).into_owned().collect::<Vec<_>>();
        changed.verdict(&verifier).is_ok() && read(flipped) != read(&request.body)
    });
}

/// The values of a list in another order, with others that are wrong among them.
fn lists() -> impl Strategy<Value = (Arc<Scheme>, Vec<String>, String)> {
    let pairs: Vec<_> = scheme::providers()
        .iter()
        .filter_map(|scheme| match &scheme.signature {
            SignaturePlace::Pairs { name, separator, .. } => Some((scheme.clone(), name.clone(), *separator)),
            _ => None,
        })
        .collect();
    proptest::sample::select(pairs).prop_flat_map(|(scheme, name, separator)| {
        let request = signed::request(&scheme, &draft(b"{}")).unwrap();
        let (_, value) = request.headers.iter().find(|(own, _)| *own == name).unwrap();
        let mut entries: Vec<_> =
            String::from_utf8(value.clone()).unwrap().split(separator).map(str::to_owned).collect();
        let SignaturePlace::Pairs { key, .. } = &scheme.signature else { unreachable!("only lists were chosen") };
        entries.extend([
            format!("{key}={}", "0".repeat(64)),
            format!("{key}=x"),
            "v9=abc".to_owned(),
            "junk".to_owned(),
        ]);
        (Just(scheme), Just(entries).prop_shuffle(), Just(separator.to_string()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_provider_signs_verifies_whatever_else_is_sent(
        scheme in proptest::sample::select(scheme::providers()),
        id in "[a-zA-Z0-9_-]{1,64}",
        body in vec(any::<u8>(), 0..512),
        query in "([a-z]{1,4}=[a-z0-9%+]{0,4}&?){0,3}",
        form: bool,
        others in vec(("x-other-[a-z0-9-]{1,12}", vec(any::<u8>(), 0..40)), 0..6),
        turn: prop::sample::Index,
        capitals: bool,
    ) {
        let draft = Draft { method: "POST", query: &query, id: &id, body: &body, form };
        // A body that does not begin as JSON is not signed behind a query: the border between them could be moved.
        let signed_request = signed::request(&scheme, &draft);
        prop_assume!(signed_request.is_some());
        let mut request = signed_request.unwrap();
        let verifier = signed::verifier(&scheme);
        let accepted = request.verdict(&verifier);
        prop_assert!(accepted.is_ok(), "{}: {:?}", scheme.provider, accepted);

        request.headers.extend(others);
        if !request.headers.is_empty() {
            let by = turn.index(request.headers.len());
            request.headers.rotate_left(by);
        }
        request.headers.reverse();
        if capitals {
            request.headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
        }
        prop_assert_eq!(request.verdict(&verifier), accepted);
    }

    #[test]
    fn the_order_of_a_lists_entries_never_matters((scheme, entries, separator) in lists(), spaced: bool) {
        let (_, verifier, mut request) = request_of(&scheme.provider, b"{}");
        let gap = if spaced { " " } else { "" };
        request.headers[0].1 = entries.join(&format!("{separator}{gap}")).into_bytes();
        prop_assert!(request.verdict(&verifier).is_ok(), "{:?}", request);
    }

    #[test]
    fn any_of_the_numbered_headers_may_hold_the_right_signature(right in 1_usize..=100, wrong in 1_usize..=100) {
        prop_assume!(right != wrong);
        let (_, verifier, mut request) = request_of("docusign", b"{}");
        let name = |number: usize| format!("x-docusign-signature-{number}");
        request.headers[0].0 = name(right);
        request.headers.insert(0, (name(wrong), vec![b'A'; 43].into_iter().chain(*b"=").collect()));
        prop_assert!(request.verdict(&verifier).is_ok());
        request.headers.pop();
        prop_assert!(request.verdict(&verifier).is_err());
    }
}
