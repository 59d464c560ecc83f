//! Verifiers that were built before: a program that verifies gives its settings with each request, and reading a secret takes longer
//! than a check.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use surehook_core::{ConfigError, Scheme, Verifier};

use crate::process::PerProcess;
use crate::webhook::Webhook;

/// So many are kept; then the oldest goes.
const KEPT: usize = 1_000;

/// What a verifier is made of.
#[derive(Clone, Debug, Default)]
pub struct VerifierSettings<'s> {
    /// The provider's name; not looked at where there is a scheme.
    pub provider: &'s str,
    /// A scheme of the user's own, as JSON.
    pub scheme: Option<&'s str>,
    /// The secrets.
    pub secrets: &'s [String],
    /// The public URL without its query, for providers that sign it.
    pub url: Option<&'s str>,
    /// By how much a signed timestamp may be off.
    pub tolerance: Option<Duration>,
    /// The largest body that is accepted, in bytes.
    pub max_body_bytes: Option<usize>,
}

/// What names a verifier: a hash, so that no secret stands in one more place.
type Name = [u8; 32];

struct Verifiers {
    by_name: HashMap<Name, Arc<Webhook>>,
    order: VecDeque<Name>,
}

static VERIFIERS: LazyLock<PerProcess<Mutex<Verifiers>>> =
    LazyLock::new(|| PerProcess::new(|| Mutex::new(Verifiers { by_name: HashMap::new(), order: VecDeque::new() })));

pub(crate) fn cached(settings: &VerifierSettings<'_>) -> Result<Arc<Webhook>, ConfigError> {
    let name = settings.name();
    let verifiers = VERIFIERS.get();
    let known = |verifiers: &Verifiers| verifiers.by_name.get(&name).cloned();
    if let Some(webhook) = known(&verifiers.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(webhook);
    }
    let webhook = Arc::new(Webhook::with_verifier(settings.build()?));
    verifiers.lock().unwrap_or_else(PoisonError::into_inner).keep(name, &webhook);
    Ok(webhook)
}

impl Verifiers {
    fn keep(&mut self, name: Name, webhook: &Arc<Webhook>) {
        if self.by_name.insert(name, Arc::clone(webhook)).is_none() {
            self.order.push_back(name);
        }
        if self.order.len() > KEPT {
            self.order.pop_front().and_then(|oldest| self.by_name.remove(&oldest));
        }
    }
}

impl VerifierSettings<'_> {
    fn build(&self) -> Result<Verifier, ConfigError> {
        let mut verifier = match self.scheme {
            Some(json) => Verifier::for_scheme(Arc::new(Scheme::from_json(json)?), self.secrets)?,
            None => Verifier::new(self.provider, self.secrets)?,
        };
        if let Some(url) = self.url {
            verifier = verifier.with_url(url)?;
        }
        if let Some(tolerance) = self.tolerance {
            verifier = verifier.with_tolerance(tolerance)?;
        }
        if let Some(limit) = self.max_body_bytes {
            verifier = verifier.with_max_body_bytes(limit)?;
        }
        verifier.complete()
    }

    /// Every member, each with its length before it.
    fn name(&self) -> Name {
        let tolerance = self.tolerance.map(|span| span.as_nanos().to_be_bytes());
        let limit = self.max_body_bytes.map(|bytes| (bytes as u64).to_be_bytes());
        let members = [
            Some(self.provider.as_bytes()),
            self.scheme.map(str::as_bytes),
            self.url.map(str::as_bytes),
            tolerance.as_ref().map(<[u8; 16]>::as_slice),
            limit.as_ref().map(<[u8; 8]>::as_slice),
        ];
        let secrets = self.secrets.iter().map(|secret| Some(secret.as_bytes()));
        let mut hash = Sha256::new();
        for member in members.into_iter().chain(secrets) {
            // No member is as long as the mark of an absent one.
            hash.update(member.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
            hash.update(member.unwrap_or_default());
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings<'s>(secrets: &'s [String], provider: &'s str) -> VerifierSettings<'s> {
        VerifierSettings { provider, secrets, ..VerifierSettings::default() }
    }

    fn secret(n: usize) -> Vec<String> {
        vec![format!("a secret that only tests may know, {n}")]
    }

    #[test]
    fn the_same_settings_give_the_same_verifier_and_others_another() {
        let (one, two) = (secret(1), secret(2));
        let first = cached(&settings(&one, "github")).unwrap();
        assert!(Arc::ptr_eq(&first, &cached(&settings(&one, "github")).unwrap()));
        for other in [
            settings(&two, "github"),
            settings(&one, "shopify"),
            VerifierSettings { max_body_bytes: Some(10), ..settings(&one, "github") },
            VerifierSettings { tolerance: Some(Duration::from_secs(10)), ..settings(&one, "github") },
            VerifierSettings { url: Some("https://example.com/"), ..settings(&one, "github") },
        ] {
            assert!(!Arc::ptr_eq(&first, &cached(&other).unwrap()));
        }
    }

    #[test]
    fn lists_that_join_to_one_text_are_two() {
        let name = |secrets: &[&str]| {
            let secrets: Vec<_> = secrets.iter().map(|text| (*text).to_owned()).collect();
            settings(&secrets, "github").name()
        };
        assert_ne!(name(&["ab", "c"]), name(&["a", "bc"]));
        assert_ne!(name(&["abc"]), name(&["abc", ""]));
    }

    #[test]
    fn they_are_bounded() {
        let mut verifiers = Verifiers { by_name: HashMap::new(), order: VecDeque::new() };
        let own = secret(0);
        let webhook = Arc::new(Webhook::with_verifier(settings(&own, "github").build().unwrap()));
        for n in 0..2 * KEPT {
            verifiers.keep(settings(&secret(n), "github").name(), &webhook);
        }
        assert_eq!((verifiers.by_name.len(), verifiers.order.len()), (KEPT, KEPT));
    }

    #[test]
    fn what_cannot_be_used_is_an_error_each_time() {
        for _ in 0..2 {
            assert!(cached(&settings(&secret(1), "nobody")).is_err());
        }
    }
}
