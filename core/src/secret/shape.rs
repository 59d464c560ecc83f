//! What people paste in place of a secret, told by its shape.

use crate::diagnose::Finding;
use crate::error::ConfigError;
use crate::scheme::SecretForm;

/// More text than this is no secret of any provider.
const MAX_SECRET_TEXT: usize = 1024;

/// Refuses, with a reason, what people paste by mistake. The text itself never becomes part of the error.
pub(super) fn refuse_what_is_no_secret(text: &str, form: SecretForm) -> Result<(), ConfigError> {
    if text.is_empty() {
        return Err(ConfigError::secret_invalid("it is empty"));
    }
    if text.len() > MAX_SECRET_TEXT {
        return Err(ConfigError::secret_invalid("it is longer than any signing secret"));
    }
    if let Some(fault) = stray_characters(text, form) {
        return Err(found(Finding::SecretWhitespaceOrQuotes, fault));
    }
    another_thing(text, form).map_or(Ok(()), |fault| Err(found(Finding::NotAWebhookSecret, fault)))
}

fn found(finding: Finding, fault: &str) -> ConfigError {
    ConfigError::SecretInvalid { fault: fault.to_owned(), finding: Some(finding) }
}

/// What config files and shells leave of a line's end that was meant to be escaped.
const ESCAPED_ENDS: [&str; 4] = ["\\n", "\\r", "\\t", "%0A"];

fn stray_characters(text: &str, form: SecretForm) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is only whitespace")
    } else if text.trim() != text {
        Some("it has whitespace before or after it; remove the stray space or newline")
    } else if text.starts_with(['"', '\'', '`']) || text.ends_with(['"', '\'', '`']) {
        Some("it is wrapped in quotes; remove them")
    } else if form != SecretForm::Utf8 && ESCAPED_ENDS.iter().any(|end| text.ends_with(end)) {
        Some("it ends in an escaped newline or whitespace; remove that")
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
