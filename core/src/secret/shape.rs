//! What people paste in place of a secret, told by its shape.

use crate::diagnose::Finding;
use crate::error::ConfigError;
use crate::scheme::SecretForm;

/// More text than this is no secret of any provider.
const MAX_SECRET_TEXT: usize = 1024;

pub(super) const EMPTY: &str = "it is empty";

/// Refuses, with a reason, what people paste by mistake. The text itself never becomes part of the error.
pub(super) fn refuse_what_is_no_secret(text: &str, form: SecretForm) -> Result<(), ConfigError> {
    check_length(text)?;
    if let Some(fault) = stray_characters(text, form) {
        return Err(found(Finding::SecretWhitespaceOrQuotes, fault));
    }
    another_thing(text, form).map_or(Ok(()), |fault| Err(found(Finding::NotAWebhookSecret, fault)))
}

/// Refuses of a text that its user chose only what nobody means; says what it looks like where that is seldom meant.
pub(super) fn chosen(text: &str) -> Result<Option<&'static str>, ConfigError> {
    check_length(text)?;
    let fault = surrounding_whitespace(text).or_else(|| wrapped_in_quotes(text).then_some(QUOTED));
    match fault {
        Some(fault) => Err(found(Finding::SecretWhitespaceOrQuotes, fault)),
        None => Ok(odd(text)),
    }
}

fn check_length(text: &str) -> Result<(), ConfigError> {
    if text.is_empty() {
        return Err(ConfigError::secret_invalid(EMPTY));
    }
    if text.len() > MAX_SECRET_TEXT {
        return Err(ConfigError::secret_invalid("it is longer than any signing secret"));
    }
    Ok(())
}

fn found(finding: Finding, fault: &str) -> ConfigError {
    ConfigError::SecretInvalid { fault: fault.to_owned(), finding: Some(finding) }
}

const QUOTES: [char; 3] = ['"', '\'', '`'];
const ODD: &str = "The signing secret looks like a placeholder, a URL, a token or a key of another kind. It works if it is what you chose.";
const QUOTED: &str = "it is wrapped in quotes; remove them";

/// What config files and shells leave of a line's end that was meant to be escaped.
const ESCAPED_ENDS: [&str; 4] = ["\\n", "\\r", "\\t", "%0A"];

fn stray_characters(text: &str, form: SecretForm) -> Option<&'static str> {
    if let Some(fault) = surrounding_whitespace(text) {
        Some(fault)
    } else if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        Some(QUOTED)
    } else if form != SecretForm::Utf8 && ESCAPED_ENDS.iter().any(|end| text.ends_with(end)) {
        Some("it ends in an escaped newline or whitespace; remove that")
    } else {
        None
    }
}

fn surrounding_whitespace(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is only whitespace")
    } else if text.trim() != text {
        Some("it has whitespace before or after it; remove the stray space or newline")
    } else {
        None
    }
}

fn wrapped_in_quotes(text: &str) -> bool {
    let ends = (text.chars().next(), text.chars().next_back());
    text.len() > 1 && ends.0 == ends.1 && ends.0.is_some_and(|end| QUOTES.contains(&end))
}

/// Something else that a text looks like, although its user may well have chosen it.
pub(super) fn looks_like(text: &str) -> Option<&'static str> {
    if text.contains("${") || text.contains("{{") || text.starts_with('$') {
        Some("a placeholder that was never replaced by its value")
    } else if text.contains("://") {
        Some("a URL")
    } else if ["sk_", "pk_", "whsk_", "whpk_"].iter().any(|prefix| text.starts_with(prefix)) {
        Some("a key for something else")
    } else if text.starts_with("eyJ") && text.contains('.') {
        Some("a JWT")
    } else {
        None
    }
}

/// What should be said of a text that can be used, and is seldom meant.
fn odd(text: &str) -> Option<&'static str> {
    if looks_like(text).is_some() {
        Some(ODD)
    } else if text.starts_with(QUOTES) || text.ends_with(QUOTES) || ESCAPED_ENDS.iter().any(|end| text.ends_with(end)) {
        Some("The signing secret begins or ends with a quote or an escape. It works if that is part of what you chose.")
    } else {
        None
    }
}

fn another_thing(text: &str, form: SecretForm) -> Option<&'static str> {
    if text.contains("${") || text.contains("{{") || text.starts_with('$') {
        Some("it is a placeholder that was never replaced by its value")
    } else if text.contains("://") {
        Some("it is a URL; the signing secret is shown on the webhook endpoint's page")
    } else if text.starts_with("whsk_") {
        Some("it is the private signing key (whsk_); a receiver needs the public key (whpk_)")
    } else if text.starts_with("sk_") || text.starts_with("pk_") {
        Some("it is an API key; the signing secret is shown on the webhook endpoint's page")
    } else if text.starts_with("eyJ") && text.contains('.') {
        Some("it is a JWT; the signing secret is shown on the webhook endpoint's page")
    } else if form != SecretForm::Standard && text.starts_with("whpk_") {
        Some("it is a public key of Standard Webhooks (whpk_), which this provider does not use")
    } else {
        None
    }
}
