//! Experiments with the body.

use std::borrow::Cow;
use std::io::Read as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Diagnosis, Finding, MAX_BODY, Trial, json};

const BOM: &[u8] = b"\xef\xbb\xbf";
/// Longer JSON is not written: lines of a deep tree are mostly indentation, so a sender could make it as long as he likes.
const MAX_WRITTEN: usize = 4 * MAX_BODY;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
/// The field of GitHub's form deliveries, and of many that copied them.
const FORM_FIELD: &str = "payload";

/// Is the signature right for a body that something on the way turned into this one? A large one is not written anew, nor unpacked.
pub(super) fn changed(trial: &Trial<'_>) -> Option<Diagnosis> {
    if !trial.verifier.scheme().signs_body() {
        return None;
    }
    if trial.incoming.body.len() > MAX_BODY {
        return trailing_newline(trial).or_else(|| bom(trial)).or_else(|| newlines(trial));
    }
    unwrapped(trial)
        .or_else(|| trailing_newline(trial))
        .or_else(|| newlines(trial))
        .or_else(|| bom(trial))
        .or_else(|| rewritten(trial))
}

/// What can be seen to be wrapped is unwrapped first: no other experiment could succeed.
fn unwrapped(trial: &Trial<'_>) -> Option<Diagnosis> {
    let body = trial.incoming.body;
    let proved = |finding, inner: Option<Vec<u8>>, evidence: &str| {
        inner.filter(|inner| trial.body_holds(inner)).map(|_| Diagnosis::proved(finding, evidence))
    };
    proved(Finding::BodyGzipped, gunzipped(body), "The signature is right for the decompressed body.")
        .or_else(|| {
            let decoded = STANDARD.decode(body.trim_ascii()).ok().filter(|inner| !inner.is_empty());
            proved(Finding::BodyBase64, decoded, "The signature is right for the base64-decoded body.")
        })
        .or_else(|| {
            proved(
                Finding::BodyFormWrapped,
                form_field(body),
                "The signature is right for a decoded field of the form.",
            )
        })
}

fn gunzipped(body: &[u8]) -> Option<Vec<u8>> {
    if !body.starts_with(GZIP_MAGIC) {
        return None;
    }
    let mut inner = Vec::new();
    let limit = MAX_BODY as u64 + 1;
    flate2::read::GzDecoder::new(body).take(limit).read_to_end(&mut inner).ok()?;
    (inner.len() <= MAX_BODY).then_some(inner)
}

/// The field `payload`, or the first one.
fn form_field(body: &[u8]) -> Option<Vec<u8>> {
    if !body.contains(&b'=') || body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let named = form_urlencoded::parse(body).find(|(name, _)| name == FORM_FIELD);
    let (_, value) = named.or_else(|| form_urlencoded::parse(body).next())?;
    (!value.is_empty()).then(|| value.into_owned().into_bytes())
}

fn trailing_newline(trial: &Trial<'_>) -> Option<Diagnosis> {
    let body = trial.incoming.body;
    let stripped = body.strip_suffix(b"\n").map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest));
    if let Some(stripped) = stripped {
        return trial.body_holds(stripped).then(|| {
            Diagnosis::proved(Finding::BodyTrailingNewline, "The signature is right without the body's final newline.")
        });
    }
    let added = [("\n", "a final newline"), ("\r\n", "a final carriage return and newline")];
    added.into_iter().find(|(end, _)| trial.body_holds(&[body, end.as_bytes()].concat())).map(|(_, what)| {
        Diagnosis::proved(Finding::BodyTrailingNewline, format!("The signature is right with {what} after the body."))
    })
}

fn newlines(trial: &Trial<'_>) -> Option<Diagnosis> {
    let body = trial.incoming.body;
    if !body.contains(&b'\n') {
        return None;
    }
    let unix = without_carriage_returns(body);
    let (original, how) = match &unix {
        Cow::Owned(unix) => (unix.clone(), "with LF line endings; it came with CRLF"),
        Cow::Borrowed(_) => (with_carriage_returns(body), "with CRLF line endings; it came with LF"),
    };
    trial
        .body_holds(&original)
        .then(|| Diagnosis::proved(Finding::BodyNewlineChanged, format!("The signature is right for the body {how}.")))
}

fn without_carriage_returns(body: &[u8]) -> Cow<'_, [u8]> {
    if !body.windows(2).any(|pair| pair == b"\r\n") {
        return Cow::Borrowed(body);
    }
    let kept = body.iter().enumerate().filter(|(at, byte)| !(**byte == b'\r' && body.get(at + 1) == Some(&b'\n')));
    Cow::Owned(kept.map(|(_, byte)| *byte).collect())
}

fn with_carriage_returns(body: &[u8]) -> Vec<u8> {
    body.iter()
        .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
        .copied()
        .collect()
}

fn bom(trial: &Trial<'_>) -> Option<Diagnosis> {
    let body = trial.incoming.body;
    let (original, how) = match body.strip_prefix(BOM) {
        Some(rest) => (rest.to_vec(), "without the byte order mark before it"),
        None => ([BOM, body].concat(), "with a byte order mark before it"),
    };
    trial
        .body_holds(&original)
        .then(|| Diagnosis::proved(Finding::BodyBom, format!("The signature is right for the body {how}.")))
}

/// JSON that was parsed and written again: is the signature right for one of the usual ways to write it?
fn rewritten(trial: &Trial<'_>) -> Option<Diagnosis> {
    let tokens = json::Tokens::read(trial.incoming.body)?;
    let mut tried = vec![trial.incoming.body.to_vec()];
    for (style, escaping) in json::forms() {
        // Writing costs time as well, so none is written for an experiment that will not be made.
        if trial.budget.is_over() {
            return None;
        }
        let Some(original) = tokens.write(style, escaping, MAX_WRITTEN).filter(|own| !tried.contains(own)) else {
            continue;
        };
        if trial.body_holds(&original) {
            let evidence =
                format!("The signature is right for the same JSON written {}{}.", style.words(), escaping.words());
            return Some(Diagnosis::proved(Finding::BodyReserialized, evidence));
        }
        tried.push(original);
    }
    None
}
