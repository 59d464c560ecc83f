//! Making signatures, for test events.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use hmac::Mac;

use crate::error::ConfigError;
use crate::secret::SigningSecret;

/// The signature entry of a message by the Standard Webhooks rules: `v1,…` for `whsec_` secrets, `v1a,…` for `whsk_` keys.
///
/// # Errors
/// [`ConfigError::SecretInvalid`] when the secret cannot sign.
///
/// ```
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let entry = surehook_core::sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, br#"{"test": 2432232314}"#);
/// assert_eq!(entry.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// ```
pub fn sign(secret: &str, message_id: &str, timestamp_seconds: i64, body: &[u8]) -> Result<String, ConfigError> {
    let head = format!("{message_id}.{timestamp_seconds}.");
    Ok(match SigningSecret::parse(secret)? {
        SigningSecret::Hmac(keyed) => {
            let mac = keyed.chain_update(head.as_bytes()).chain_update(body).finalize();
            format!("v1,{}", STANDARD.encode(mac.into_bytes()))
        }
        SigningSecret::Ed25519(key) => {
            let signed = [head.as_bytes(), body].concat();
            format!("v1a,{}", STANDARD.encode(key.sign(&signed).to_bytes()))
        }
    })
}
