//! Signing secrets: strict parsing, a floor for their strength, and no way to print them.

mod decode;
mod generate;
pub(crate) mod key;
mod seed;
mod shape;
mod signing;

use smallvec::{SmallVec, smallvec};
use zeroize::Zeroizing;

use crate::error::ConfigError;
use crate::scheme::{Algorithm, Scheme, SecretForm};

pub(crate) use decode::{base64_strict, bytes_of, without_prefixes};
pub use generate::generate_secret;
use key::Key;
pub use seed::{SecretIdentity, TagSeed};
pub(crate) use signing::SigningKey;

/// Fewer bytes than this are refused, unless the user chose the secret.
pub(crate) const MIN_KEY_BYTES: usize = 16;
/// Fewer bytes than this are used with a warning: Standard Webhooks asks for 24 to 64.
const RECOMMENDED_KEY_BYTES: usize = 24;

/// A secret that checks signatures of one scheme.
///
/// For the Standard Webhooks family `whsec_…` (or its bare base64) checks `v1`, and `whpk_…` checks `v1a`. The key never
/// shows in `Debug`, and is wiped when dropped as far as its libraries can.
///
/// ```
/// use surehook_core::Secret;
///
/// let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
/// assert_eq!(format!("{secret:?}"), "Secret(hmac, [redacted])");
/// assert!(Secret::parse("whsec_").is_err());
/// ```
#[derive(Clone)]
pub struct Secret {
    /// One, or two where the text does not tell which of a scheme's two rules it follows.
    keys: SmallVec<[Key; 1]>,
    text: Zeroizing<String>,
    seed: TagSeed,
    weak: bool,
    /// What a text that its user chose looks like, where that is seldom meant.
    odd: Option<&'static str>,
}

impl Secret {
    /// Reads a secret of the Standard Webhooks family as the provider's dashboard shows it.
    ///
    /// # Errors
    /// [`ConfigError::SecretInvalid`] names the fault without repeating the text: stray whitespace or quotes, another
    /// kind of credential, base64 that is not strict, fewer than 16 bytes, a private key where the public one belongs.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::read(text, SecretForm::Standard, Algorithm::Standard, false)
    }

    /// Reads a secret of a scheme as the provider's dashboard shows it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), for the form that the scheme's secrets have. Where the user chooses the secret, only an empty
    /// one and one with whitespace or quotes around it are refused: for what is short or looks like something else there is a
    /// [`warning`](Self::warnings).
    ///
    /// ```
    /// use surehook_core::{Secret, scheme};
    ///
    /// let github = scheme::find("github").unwrap();
    /// assert!(Secret::for_scheme("It's a Secret to Everybody", &github).is_ok());
    /// assert_eq!(Secret::for_scheme("short", &github).unwrap().warnings().count(), 1);
    /// assert!(Secret::for_scheme("", &github).is_err());
    /// ```
    pub fn for_scheme(text: &str, scheme: &Scheme) -> Result<Self, ConfigError> {
        Self::read(text, scheme.secret, scheme.algorithm, scheme.secret_is_chosen)
    }

    /// What whoever configured the secret should be told, although it can be used.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let weak = self.weak.then_some(
            "The signing secret is shorter than 24 bytes. It works; rotate it to a longer one in the provider's dashboard.",
        );
        weak.into_iter().chain(self.odd)
    }

    /// What a text looks like that its user chose, where that is something else.
    pub(crate) fn looks_like(&self) -> Option<&'static str> {
        self.odd.and_then(|_| shape::looks_like(&self.text))
    }

    /// What its tag in a dedup store is made of.
    pub fn seed(&self) -> &TagSeed {
        &self.seed
    }

    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The text it was read from. Only for experiments of the diagnosis and for signing; it must not leave this crate.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn read(text: &str, form: SecretForm, algorithm: Algorithm, chosen: bool) -> Result<Self, ConfigError> {
        let odd = match chosen {
            true => shape::chosen(text)?,
            false => shape::refuse_what_is_no_secret(text, form).map(|()| None)?,
        };
        let text = Zeroizing::new(text.to_owned());
        if let Some(algorithm) = decode::public_key_algorithm(&text, form) {
            let bytes = bytes_of(&text, form)?;
            let keys = smallvec![Key::public(algorithm, &bytes)?];
            return Ok(Self { keys, text, seed: TagSeed::public(bytes), weak: false, odd });
        }
        let mut candidates = decode::shared_keys(&text, form)?;
        let length = candidates.iter().map(|bytes| bytes.len()).min().unwrap_or(0);
        if length == 0 {
            return Err(ConfigError::secret_invalid(shape::EMPTY));
        }
        if length < MIN_KEY_BYTES && !chosen {
            return Err(ConfigError::secret_invalid(
                "it holds fewer than 16 bytes; copy the whole secret from the provider's dashboard",
            ));
        }
        let keys = candidates.iter().map(|bytes| Key::shared(algorithm, bytes)).collect::<Result<_, _>>()?;
        // The last one is that of the narrower rule: with and without its prefix it is the same key.
        let seed = TagSeed::shared(candidates.pop().unwrap_or_default(), form);
        Ok(Self { keys, text, seed, weak: length < RECOMMENDED_KEY_BYTES, odd })
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({}, [redacted])", self.keys[0].kind())
    }
}
