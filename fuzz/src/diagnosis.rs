//! A signed request with one change, diagnosed: what is proved was done, and the budget is kept.

use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use surehook_core::diagnose::{Certainty, Context, Diagnosis, Finding, MAX_EXPERIMENTS, MAX_TIME, diagnose};
use surehook_core::scheme::SecretForm;
use surehook_core::{Scheme, Timestamp, Verifier};

use super::signed::{self, Draft, Request};
use super::{edit::edit, input, verify};

const BOM: &[u8] = "\u{feff}".as_bytes();
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

pub fn run(bytes: &[u8]) {
    // What the fuzzer's bytes do not suffice for is no input.
    let _ = check(&mut Unstructured::new(bytes));
}

/// A request, what it was, and what else differs between its sender and its receiver.
struct Case {
    scheme: Arc<Scheme>,
    sent: Request,
    arrived: Request,
    other_secret: bool,
    now: Timestamp,
}

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let scheme = input::scheme(input)?;
    let (id, body) = (input::message_id(input)?, input::bytes(input)?);
    let draft = Draft { method: "POST", query: "", id: &id, body: &body, form: input.arbitrary()? };
    // Some bodies no provider would sign: they could be read in another way.
    let Some(sent) = signed::request(&scheme, &draft) else { return Ok(()) };
    let right = signed::verifier(&scheme);
    let other_secret = scheme.secret == SecretForm::Standard && input.ratio(1, 4)?;
    let verifier =
        if other_secret { Verifier::for_scheme(scheme.clone(), &[OTHER]).expect("a secret") } else { right.clone() };
    let late = if input.ratio(1, 8)? { input.int_in_range(-10_000..=10_000)? } else { 0 };
    let now = Timestamp::from_unix_seconds(signed::NOW.unix_seconds() + late);
    let case = Case { arrived: changed(&sent, input)?, scheme, sent, other_secret, now };

    let others = [("other", &right)];
    let others = if other_secret && input.arbitrary()? { &others[..] } else { &[] };
    case.arrived.with(|incoming| {
        let Err(rejection) = verifier.verify_request(incoming, case.now) else { return };
        let asked = Cell::new(0);
        let counted = || {
            asked.set(asked.get() + 1);
            Duration::ZERO
        };
        let context = Context { others, recent_drift: &[0], elapsed: &counted };
        let found = diagnose(&verifier, incoming, &rejection, case.now, &context);
        // The time is asked for once before an experiment, and once more where it takes time to prepare it.
        assert!(asked.get() <= 2 * MAX_EXPERIMENTS, "{} times", asked.get());
        if let Some(diagnosis) = found.filter(|diagnosis| diagnosis.certainty == Certainty::Proved) {
            assert!(
                case.explains(&diagnosis, others.len()),
                "{diagnosis:?}: {:?}\nbecame {:?}",
                case.sent,
                case.arrived
            );
            let over = Context { elapsed: &|| MAX_TIME, ..context };
            let late = diagnose(&verifier, incoming, &rejection, case.now, &over);
            assert!(late.is_none_or(|diagnosis| diagnosis.certainty == Certainty::Likely));
        }
    });
    Ok(())
}

fn changed(sent: &Request, input: &mut Unstructured<'_>) -> Result<Request> {
    let mut arrived = sent.clone();
    let body = &sent.body;
    arrived.body = match input.int_in_range(0..=11)? {
        0 => edit(body, input)?,
        1 => [body, &b"\n"[..]].concat(),
        2 => [BOM, body].concat(),
        3 => STANDARD.encode(body).into_bytes(),
        4 => gzipped(body),
        5 => format!("payload={}", form_urlencoded::byte_serialize(body).collect::<String>()).into_bytes(),
        6 => {
            serde_json::from_slice::<Value>(body).map_or_else(|_| body.clone(), |json| format!("{json:#}").into_bytes())
        }
        7 => body.strip_suffix(b"\n").unwrap_or(body).to_vec(),
        8 => String::from_utf8_lossy(body).replace('\n', "\r\n").into_bytes(),
        9 => input::bytes(input)?,
        _ => body.clone(),
    };
    if input.ratio(1, 4)? {
        let at = input.choose_index(arrived.headers.len())?;
        arrived.headers[at].1 = edit(&arrived.headers[at].1, input)?;
    }
    if input.ratio(1, 8)? {
        let at = input.choose_index(arrived.headers.len())?;
        arrived.headers[at].0 = arrived.headers[at].0.replace("svix-", "webhook-");
    }
    Ok(arrived)
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

impl Case {
    /// Whether what is said to be proved is what was done.
    fn explains(&self, diagnosis: &Diagnosis, others: usize) -> bool {
        let (before, after) = (self.sent.body.as_slice(), self.arrived.body.as_slice());
        let same = before == after || verify::body_may_differ(&self.scheme, &self.sent, &self.arrived);
        match diagnosis.finding {
            Finding::SecretOfAnotherEndpoint => self.other_secret && others > 0 && same,
            Finding::ClockSkew => self.now != signed::NOW && same,
            Finding::HeaderRewritten => self.sent.headers != self.arrived.headers && same,
            Finding::TimestampUnits => self.sent.headers != self.arrived.headers,
            Finding::BodyTrailingNewline => ended(before, after) || ended(after, before),
            Finding::BodyNewlineChanged => before != after && (unix(after) == before || unix(before) == after),
            Finding::BodyBom => after.strip_prefix(BOM) == Some(before) || before.strip_prefix(BOM) == Some(after),
            Finding::BodyBase64 => STANDARD.decode(after.trim_ascii()).is_ok_and(|inner| inner == before),
            Finding::BodyGzipped => {
                let mut inner = Vec::new();
                flate2::read::GzDecoder::new(after).read_to_end(&mut inner).is_ok() && inner == before
            }
            Finding::BodyFormWrapped => form_urlencoded::parse(after).any(|(_, value)| value.as_bytes() == before),
            Finding::BodyReserialized => before != after && same_json(before, after),
            _ => false,
        }
    }
}

/// Whether `longer` is `shorter` with a final newline.
fn ended(longer: &[u8], shorter: &[u8]) -> bool {
    longer.strip_prefix(shorter).is_some_and(|end| matches!(end, b"\n" | b"\r\n"))
}

fn unix(body: &[u8]) -> Vec<u8> {
    body.iter()
        .enumerate()
        .filter(|(at, byte)| **byte != b'\r' || body.get(at + 1) != Some(&b'\n'))
        .map(|(_, byte)| *byte)
        .collect()
}

fn same_json(before: &[u8], after: &[u8]) -> bool {
    let read = |body| serde_json::from_slice::<Value>(body);
    match (read(before), read(after)) {
        (Ok(before), Ok(after)) => before == after,
        (before, after) => before.is_err() && after.is_err(),
    }
}
