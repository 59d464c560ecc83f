//! Experiments with the headers.

use std::borrow::Cow;

use super::{Context, Diagnosis, Finding, Trial};
use crate::error::ReasonCode;
use crate::request::Incoming;
use crate::scheme::TimeUnit;
use crate::time::Timestamp;
use crate::verify::Verifier;
use crate::verify::content::Signed;
use crate::verify::read::{self, Found};
use crate::verify::timestamps;

/// Headers that cannot be read: was the request signed with what they say when read in another way?
pub(super) fn rewritten(
    verifier: &Verifier,
    incoming: &Incoming<'_>,
    code: ReasonCode,
    context: &Context<'_>,
) -> Option<Diagnosis> {
    match code {
        ReasonCode::MixedHeaderFamily => mixed(verifier, incoming, context),
        ReasonCode::MalformedTimestamp => {
            let trial = Trial::new(verifier, incoming, context)?;
            units(&trial).or_else(|| trimmed(&trial))
        }
        _ => trimmed(&Trial::new(verifier, incoming, context)?),
    }
}

/// Whitespace around the id or the timestamp, or a value that was folded over two lines.
pub(super) fn trimmed(trial: &Trial<'_>) -> Option<Diagnosis> {
    let signed = trial.signed();
    let (id, timestamp) = (unfolded(signed.id), unfolded(signed.timestamp));
    if *id == *signed.id && *timestamp == *signed.timestamp {
        return None;
    }
    trial.holds(&Signed { id: &id, timestamp: &timestamp, ..signed }).then(|| {
        Diagnosis::proved(
            Finding::HeaderRewritten,
            "The signature is right without the whitespace in the headers of the id and the time.",
        )
    })
}

fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if value.iter().any(u8::is_ascii_whitespace) {
        Cow::Owned(value.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect())
    } else {
        Cow::Borrowed(value)
    }
}

/// A time in the other unit: the signature is over its text, so it holds for the text as it came.
fn units(trial: &Trial<'_>) -> Option<Diagnosis> {
    other_unit(trial, |_| trial.holds(&trial.signed()))
}

/// A right signature whose time makes sense in the other unit.
pub(super) fn other_unit(trial: &Trial<'_>, makes_sense: impl FnOnce(Timestamp) -> bool) -> Option<Diagnosis> {
    let rule = trial.verifier.scheme().timestamp.as_ref()?;
    let (other, words) = match rule.unit {
        TimeUnit::Seconds => (TimeUnit::Milliseconds, "in milliseconds where seconds belong"),
        TimeUnit::Milliseconds => (TimeUnit::Seconds, "in seconds where milliseconds belong"),
        TimeUnit::Rfc3339 => return None,
    };
    let read = timestamps::read(trial.found.timestamp.as_deref()?, other).ok()?;
    makes_sense(read).then(|| {
        Diagnosis::proved(Finding::TimestampUnits, format!("The signature is right, and its time is {words}."))
    })
}

/// Headers of two families: does a mixture of them hold?
fn mixed(verifier: &Verifier, incoming: &Incoming<'_>, context: &Context<'_>) -> Option<Diagnosis> {
    let families = read::family_headers(verifier.scheme(), incoming.headers).ok()?;
    let values = |part: usize| families.iter().filter_map(move |family| family[part]);
    for signature in values(2) {
        let found = |id, timestamp| Found::of_family(id, timestamp, signature);
        let Some(id) = values(0).next() else { continue };
        let Some(timestamp) = values(1).next() else { continue };
        let Some(trial) = Trial::with(verifier, incoming, found(id, timestamp), context) else { continue };
        let holds =
            values(0).any(|id| values(1).any(|timestamp| trial.holds(&Signed { id, timestamp, ..trial.signed() })));
        if holds {
            return Some(Diagnosis::proved(
                Finding::HeaderRewritten,
                "The signature is right when the svix-* and webhook-* headers are taken together.",
            ));
        }
    }
    None
}
