//! From text to checked attempts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use surehook_core::dedup::DedupKey;
use surehook_core::telemetry::attempt::{Attempt, DropReason, Instance, SCHEMA_VERSION, SdkInfo, VerificationResult};
use surehook_core::{Outcome, Timestamp};
use uuid::Uuid;

use crate::error::Error;
use crate::store::{Record, Refusals, Summary};

/// The largest attempt that is kept, as JSON, in bytes: what the SDKs put in one batch at most.
const LARGEST_RECORD: usize = 256 * 1024;

/// A batch whose attempts are looked at one by one, so that a bad one does not take the others with it.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    schema: &'a RawValue,
    /// Checked like the rest, and not kept yet.
    #[serde(rename = "sdk")]
    _sdk: SdkInfo,
    instance: Instance,
    sent_at: Timestamp,
    #[serde(default)]
    dropped: BTreeMap<String, u64>,
    report_id: Option<Uuid>,
    #[serde(default)]
    refused: Vec<Summary>,
    #[serde(borrow)]
    attempts: Vec<&'a RawValue>,
}

/// The first thing to know of a batch: whether the rest can be understood.
#[derive(Deserialize)]
struct Version<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

/// A decoded batch.
pub(super) struct Decoded {
    pub(super) instance: Uuid,
    pub(super) sent_at: Timestamp,
    pub(super) dropped: Vec<(String, u64)>,
    pub(super) refused: Option<Refusals>,
    pub(super) attempts: Vec<Record>,
    pub(super) rejected: Vec<Refused>,
}

/// An attempt that breaks the schema.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    pub(super) index: usize,
    pub(super) code: &'static str,
}

/// Decodes a batch of at most `most` attempts.
pub(super) fn batch(body: &[u8], most: usize) -> Result<Decoded, Error> {
    let text = std::str::from_utf8(body).map_err(|_| Error::InvalidJson("it is not UTF-8".to_owned()))?;
    let wire: Wire<'_> = match serde_json::from_str(text) {
        Ok(wire) => wire,
        Err(error) => return Err(explain(text, &error)),
    };
    check_version(Some(wire.schema))?;
    if wire.attempts.len() > most {
        return Err(Error::BatchTooLarge(format!("at most {most} attempts")));
    }
    let mut decoded = Decoded {
        instance: wire.instance.id,
        sent_at: wire.sent_at,
        dropped: dropped(wire.dropped),
        refused: wire.report_id.map(|report| Refusals { report, counted: summaries(wire.refused) }),
        attempts: Vec::with_capacity(wire.attempts.len()),
        rejected: Vec::new(),
    };
    for (index, raw) in wire.attempts.into_iter().enumerate() {
        match record(raw) {
            Some(record) => decoded.attempts.push(record),
            None => decoded.rejected.push(Refused { index, code: "invalid_attempt" }),
        }
    }
    Ok(decoded)
}

/// The counts of refused requests that can be kept.
fn summaries(counted: Vec<Summary>) -> Vec<Summary> {
    let short = |text: &str| within(text, 1, 100);
    let is_kept = |summary: &Summary| {
        within(&summary.endpoint, 1, 200)
            && short(&summary.provider)
            && short(&summary.code)
            && summary.finding.as_deref().is_none_or(short)
            && short(&summary.shape)
    };
    counted.into_iter().filter(is_kept).collect()
}

/// Losses by reason; those that this version does not know are one reason together.
fn dropped(told: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut dropped = BTreeMap::<&str, u64>::new();
    for (reason, count) in told {
        let sum = dropped.entry(DropReason::named(&reason).as_str()).or_default();
        *sum = sum.saturating_add(count);
    }
    dropped.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect()
}

/// Why a text is not a batch: not JSON, of another schema (which may differ in anything), or of the wrong shape.
fn explain(text: &str, error: &serde_json::Error) -> Error {
    match serde_json::from_str::<Version<'_>>(text) {
        Err(syntax) if !syntax.is_data() => Error::InvalidJson(place(&syntax)),
        Err(shape) => Error::InvalidBatch(place(&shape)),
        Ok(version) => check_version(version.schema).err().unwrap_or_else(|| Error::InvalidBatch(place(error))),
    }
}

/// Where a text is wrong, and how, without repeating any of it.
fn place(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "a member is missing or of the wrong type",
        _ => "it breaks the syntax",
    };
    format!("{kind}, at line {} column {}", error.line(), error.column())
}

fn check_version(schema: Option<&RawValue>) -> Result<(), Error> {
    let schema = schema.ok_or_else(|| Error::InvalidBatch("`schema` is missing".to_owned()))?.get();
    match schema.parse::<u64>() {
        Ok(number) if number == u64::from(SCHEMA_VERSION) => Ok(()),
        Ok(number) => Err(Error::UnsupportedSchema(number.to_string())),
        Err(_) => Err(Error::InvalidBatch("`schema` is not a whole number".to_owned())),
    }
}

/// Reads one attempt, or finds that it breaks the schema.
fn record(raw: &RawValue) -> Option<Record> {
    let attempt: Attempt = serde_json::from_str(raw.get()).ok()?;
    if !keeps_schema(&attempt) {
        return None;
    }
    // What a later version says beside it is kept as it came.
    (raw.get().len() <= LARGEST_RECORD).then(|| Record { attempt, json: raw.get().to_owned() })
}

/// The most steps of an attempt, and the most characters of a step's name.
const STEPS: usize = 1_000;
const STEP_NAME: usize = 1_000;

/// The bounds of `tests/contract/batch.v1.schema.json` that the types do not say.
fn keeps_schema(attempt: &Attempt) -> bool {
    keeps_texts(attempt) && keeps_steps(attempt) && keeps_deferral(attempt)
}

fn within(text: &str, least: usize, most: usize) -> bool {
    let length = text.chars().count();
    (least..=most).contains(&length)
}

fn keeps_texts(attempt: &Attempt) -> bool {
    let optional = |text: &Option<String>| text.as_deref().is_none_or(|text| within(text, 0, 1_000));
    within(&attempt.endpoint, 1, 200)
        && within(&attempt.provider, 1, 100)
        && optional(&attempt.message_id)
        && optional(&attempt.event_type)
        && optional(&attempt.entity_id)
        && attempt.status.is_none_or(|status| (100..=999).contains(&status))
        && attempt.dedup.key.as_deref().is_none_or(|key| DedupKey::from_hex(key).is_some())
        && attempt.verification.diagnosis.as_ref().is_none_or(|diagnosis| {
            attempt.verification.code.is_some()
                && within(&diagnosis.evidence, 1, 1_000)
                && within(&diagnosis.fix, 1, 1_000)
        })
        && attempt
            .failure
            .iter()
            .filter_map(|failure| failure.error.as_ref())
            .all(|error| is_fingerprint(&error.fingerprint))
}

fn keeps_steps(attempt: &Attempt) -> bool {
    attempt.steps.len() <= STEPS
        && attempt.missing_steps.len() <= STEPS
        && attempt.missing_steps.iter().all(|name| within(name, 0, STEP_NAME))
        && attempt.steps.iter().all(|step| {
            within(&step.name, 0, STEP_NAME)
                && step.error.as_ref().is_none_or(|error| is_fingerprint(&error.fingerprint))
        })
}

/// Deferred work has a deadline and nothing else has. What is said to continue it came from a handler that ran, and says how it
/// ended: it is not refused, and not deferred once more.
fn keeps_deferral(attempt: &Attempt) -> bool {
    let ended = matches!(attempt.outcome, Outcome::Processed | Outcome::SilentDrop | Outcome::Failed | Outcome::Other);
    (attempt.outcome == Outcome::Other || attempt.deferred_until.is_some() == (attempt.outcome == Outcome::Deferred))
        && (attempt.continues.is_none() || ended && attempt.verification.result != VerificationResult::Rejected)
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
