//! New secrets in the form that a provider gives out, for an application's tests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::ConfigError;
use crate::scheme::{Scheme, SecretForm};

/// A new secret of the form that a provider's secrets have, made of randomness that nobody else has.
///
/// # Errors
/// [`ConfigError::InvalidOption`] for a provider that signs with a private key: its receiver has no secret.
///
/// ```
/// use surehook_core::{Secret, generate_secret, scheme};
///
/// let svix = scheme::find("svix").unwrap();
/// let secret = generate_secret(&svix, &[7; 24]).unwrap();
/// assert!(secret.starts_with("whsec_") && Secret::for_scheme(&secret, &svix).is_ok());
/// assert!(generate_secret(&scheme::find("discord").unwrap(), &[7; 24]).is_err());
/// ```
pub fn generate_secret(scheme: &Scheme, random: &[u8; 24]) -> Result<String, ConfigError> {
    match scheme.secret {
        SecretForm::Standard => Ok(format!("whsec_{}", STANDARD.encode(random))),
        SecretForm::Base64 => Ok(STANDARD.encode(random)),
        SecretForm::StandardOrUtf8 | SecretForm::Utf8 | SecretForm::Hex => Ok(base16ct::lower::encode_string(random)),
        SecretForm::Ed25519Hex | SecretForm::P256Spki => {
            let fault = format!("{} signs with a private key: make a pair of keys", scheme.title);
            Err(ConfigError::invalid_option("provider", fault))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::providers;
    use crate::{Secret, Signer};

    #[test]
    fn every_provider_with_a_shared_secret_takes_what_is_made_without_a_warning() {
        let mut made = 0;
        for scheme in providers() {
            let Ok(secret) = generate_secret(scheme, &std::array::from_fn(|i| i as u8 * 7)) else { continue };
            let read = Secret::for_scheme(&secret, scheme).unwrap();
            assert_eq!(read.warnings().next(), None, "{}", scheme.provider);
            assert!(Signer::new(scheme.clone(), &secret).is_ok(), "{}", scheme.provider);
            made += 1;
        }
        assert_eq!(made, providers().len() - 3, "all but Discord's two and SendGrid");
    }
}
