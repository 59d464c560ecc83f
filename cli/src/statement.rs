//! What `surehook verify` prints: a few aligned lines for a person, one object for a program.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::check::{AsOf, Checked, Refusal};
use crate::moment::{rfc3339, span};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const LABEL: Style = Style::new().dimmed();

/// Prints lines for a person. What the request says of itself cannot change the terminal.
pub(crate) fn text(out: &mut impl Write, checked: &Checked, notes: &[String]) -> io::Result<()> {
    match &checked.refusal {
        None => writeln!(out, "{GOOD}valid{GOOD:#}")?,
        Some(refusal) => writeln!(out, "{BAD}invalid{BAD:#}  {}", refusal.code)?,
    }
    for (label, content) in lines(checked, notes) {
        writeln!(out, "  {LABEL}{label:<9}{LABEL:#}  {}", harmless(&content))?;
    }
    out.flush()
}

/// Prints one JSON object.
pub(crate) fn json(out: &mut impl Write, checked: &Checked, notes: &[String]) -> io::Result<()> {
    let refusal = checked.refusal.as_ref();
    let object = json!({
        "valid": refusal.is_none(),
        "provider": checked.provider,
        "message_id": checked.message_id,
        "event_type": checked.event_type,
        "signed_at": checked.signed_at.map(|at| at.unix_seconds()),
        "checked_at": checked.checked_at.unix_seconds(),
        "age_seconds": checked.age_seconds(),
        "signature_valid": checked.signature_is_right(),
        "code": refusal.map(|refusal| refusal.code.as_str()),
        "message": refusal.map(|refusal| refusal.message),
        "docs": refusal.map(|refusal| &refusal.docs),
        "diagnosis": refusal.map_or(Value::Null, diagnosis),
        "notes": notes,
    });
    writeln!(out, "{object}")?;
    out.flush()
}

fn diagnosis(refusal: &Refusal) -> Value {
    refusal.diagnosis.as_ref().map_or(Value::Null, |found| {
        json!({
            "finding": found.finding.as_str(),
            "certainty": found.certainty.as_str(),
            "evidence": found.evidence,
            "fix": found.fix,
            "docs": found.docs(),
        })
    })
}

fn lines(checked: &Checked, notes: &[String]) -> Vec<(&'static str, String)> {
    let claimed = if checked.refusal.is_some() { " (as the request says)" } else { "" };
    let mut lines = vec![("provider", checked.provider.clone())];
    lines.extend(checked.message_id.as_ref().map(|id| ("message", format!("{id}{claimed}"))));
    lines.extend(checked.event_type.as_ref().map(|event_type| ("event", event_type.clone())));
    lines.extend(signed(checked).map(|signed| ("signed", signed)));
    if let Some(refusal) = &checked.refusal {
        lines.extend(refusal_lines(checked, refusal));
    }
    lines.extend(notes.iter().map(|note| ("note", note.clone())));
    lines
}

fn signed(checked: &Checked) -> Option<String> {
    let (at, age) = (rfc3339(checked.signed_at?), checked.age_seconds()?);
    Some(match age {
        0 => format!("{at}, at the time of the check"),
        age if age > 0 => format!("{at}, {} before the check", span(age)),
        age => format!("{at}, {} after the check", span(age)),
    })
}

fn refusal_lines(checked: &Checked, refusal: &Refusal) -> Vec<(&'static str, String)> {
    let mut lines = vec![("reason", refusal.message.to_owned())];
    let aged = aged(checked, refusal).map(|aged| ("but", aged));
    // A check long after the receipt does not show that this clock is off.
    let is_late = aged.is_some() && matches!(checked.as_of, AsOf::Now(_));
    lines.extend(aged);
    let mut docs = refusal.code.docs();
    if let Some(found) = refusal.diagnosis.as_ref().filter(|_| !is_late) {
        lines.push(("found", format!("{} ({})", found.finding, found.certainty.as_str())));
        lines.push(("evidence", found.evidence.clone()));
        lines.push(("fix", found.fix.clone()));
        docs = refusal.docs.clone();
    }
    lines.push(("docs", docs));
    lines
}

/// What to know of a request that is right but for its age.
fn aged(checked: &Checked, refusal: &Refusal) -> Option<String> {
    let age = checked.age_seconds().filter(|_| refusal.is_only_its_age())?;
    let off = match age < 0 {
        true => format!("was signed {} from now", span(age)),
        false => format!("is {} old", span(age)),
    };
    Some(format!("the signature is right, and the request {off}; --at-signing-time leaves its age out"))
}

/// Control characters, and those that turn the direction of text, as escapes.
fn harmless(text: &str) -> String {
    let turns =
        |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() || turns(character) {
            true => harmless.extend(character.escape_unicode()),
            false => harmless.push(character),
        }
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_escaped() {
        assert_eq!(harmless("a\x1b[2J\n\u{202e}é\u{9b}"), "a\\u{1b}[2J\\u{a}\\u{202e}é\\u{9b}");
    }
}
