//! Experiments with the key.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{Context, Diagnosis, Finding, Trial};
use crate::scheme::{Algorithm, SecretForm};
use crate::secret::key::Key;
use crate::secret::{Secret, base64_strict, without_prefixes};

/// Other endpoints beyond this many are not tried.
const MAX_OTHERS: usize = 32;
const ALPHABETS: [GeneralPurpose; 4] = [STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD];
/// What config files and shells leave in a text that was meant to be escaped.
const ESCAPES: [&str; 5] = ["\\n", "\\r", "\\t", "%0A", "%0D"];

/// Does the secret of another endpoint fit? All of them are one experiment.
pub(super) fn another_endpoint(trial: &Trial<'_>, context: &Context<'_>) -> Option<Diagnosis> {
    if context.others.is_empty() || !trial.budget.spend() {
        return None;
    }
    let algorithm = trial.verifier.scheme().algorithm;
    let fitting = context.others.iter().take(MAX_OTHERS).find(|(_, other)| {
        other.scheme().algorithm == algorithm
            && !trial.budget.is_over()
            && trial.verifier.is_signed(&trial.signed(), &trial.signatures, other.keys())
    });
    fitting.map(|(name, _)| {
        Diagnosis::proved(
            Finding::SecretOfAnotherEndpoint,
            format!("The signature is right under the secret of the endpoint {name:?}."),
        )
    })
}

/// Does a secret fit when its text is read in another way?
pub(super) fn another_form(trial: &Trial<'_>) -> Option<Diagnosis> {
    if matches!(trial.verifier.scheme().algorithm, Algorithm::Token | Algorithm::Ed25519 | Algorithm::EcdsaP256) {
        return None;
    }
    let tries: [(Finding, &str, Reading); 3] = [
        (
            Finding::SecretNotDecoded,
            "The signature is right when the secret's text is read in another form",
            other_forms,
        ),
        (
            Finding::SecretDoubleEncoded,
            "The signature is right when the secret is base64-decoded once more",
            twice_decoded,
        ),
        (Finding::SecretWhitespaceOrQuotes, "The signature is right without the characters around the secret", cleaned),
    ];
    tries.into_iter().find_map(|(finding, evidence, reading)| {
        let hit = trial.verifier.secrets().iter().find_map(|secret| {
            reading(secret, trial.verifier.scheme().secret).into_iter().find(|(_, bytes)| fits(trial, bytes))
        });
        hit.map(|(how, _)| Diagnosis::proved(finding, format!("{evidence}: {how}.")))
    })
}

/// A reading of a secret's text: what was done to it, and the key that yields.
type Reading = fn(&Secret, SecretForm) -> Vec<(&'static str, Zeroizing<Vec<u8>>)>;

fn other_forms(secret: &Secret, form: SecretForm) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
    let text = secret.text();
    let bare = without_prefixes(text);
    let plain = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let mut forms = Vec::new();
    if form != SecretForm::Utf8 {
        forms.push(("its characters are the key, undecoded", plain(text)));
        if bare != text {
            forms.push(("its characters behind the prefix are the key, undecoded", plain(bare)));
        }
    }
    if matches!(form, SecretForm::Utf8 | SecretForm::Hex) {
        forms.extend(base64_strict(bare).map(|bytes| ("it is base64-decoded", bytes)));
        if bare != text {
            forms.push(("its prefix is left out", plain(bare)));
        }
    }
    if form != SecretForm::Hex {
        forms.extend(
            base16ct::mixed::decode_vec(bare)
                .ok()
                .map(|bytes| ("it is decoded from hexadecimal", Zeroizing::new(bytes))),
        );
    }
    forms
}

fn twice_decoded(secret: &Secret, _: SecretForm) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
    let once = base64_strict(without_prefixes(secret.text()));
    let inner =
        once.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok()).map(|text| without_prefixes(text.trim()));
    let Some(inner) = inner else { return Vec::new() };
    let twice = ALPHABETS.iter().find_map(|alphabet| alphabet.decode(inner).ok());
    twice.into_iter().map(|bytes| ("the text was encoded twice", Zeroizing::new(bytes))).collect()
}

fn cleaned(secret: &Secret, form: SecretForm) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
    let text = secret.text();
    let mut clean = text;
    loop {
        let trimmed = clean.trim_matches(|character: char| character.is_whitespace() || "\"'`".contains(character));
        let trimmed = ESCAPES.iter().fold(trimmed, |rest, escape| {
            let rest = rest.strip_suffix(escape).unwrap_or(rest);
            rest.strip_prefix(escape).unwrap_or(rest)
        });
        if trimmed == clean {
            break;
        }
        clean = trimmed;
    }
    if clean == text || clean.is_empty() {
        return Vec::new();
    }
    crate::secret::bytes_of(clean, form)
        .ok()
        .map(|bytes| ("without stray whitespace, quotes or escapes", bytes))
        .into_iter()
        .collect()
}

fn fits(trial: &Trial<'_>, bytes: &[u8]) -> bool {
    let key = Key::shared(trial.verifier.scheme().algorithm, bytes);
    trial.budget.spend()
        && key.is_ok_and(|key| trial.verifier.is_signed(&trial.signed(), &trial.signatures, std::iter::once(&key)))
}
