//! Any text as a scheme of a user: refused with its fault, or it can be signed and verified.

use std::sync::Arc;

use surehook_core::{Scheme, Verifier};

use super::signed::{self, Draft};

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scheme = match Scheme::from_json(text) {
        Ok(scheme) => Arc::new(scheme),
        Err(error) => return assert_eq!(error.code(), "invalid_option"),
    };
    let verifier = signed::verifier(&scheme);
    assert!(verifier.tolerance().is_none_or(|tolerance| tolerance <= surehook_core::verify::MAX_TOLERANCE));
    let draft = Draft { method: "POST", query: "a=1", id: "msg_1", body: b"{\"id\":\"1\"}", form: true };
    if let Some(request) = signed::request(&scheme, &draft) {
        let verdict = request.verdict(&verifier);
        let fits = request.body.len() <= verifier.max_body_bytes();
        assert!(!fits || verdict.is_ok(), "{verdict:?} {request:?}");
        let unsigned = signed::Request { headers: Vec::new(), body: b"{}".to_vec(), ..request };
        assert!(unsigned.verdict(&verifier).is_err());
    }
    assert!(Verifier::custom(scheme).verify(b"", &[], signed::NOW).is_err());
}
