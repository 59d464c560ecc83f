//! Work that goes on after the answer: what another process has to know to say what became of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attempt::VerificationResult;
use crate::error::ConfigError;
use crate::marks::{MAX_STEP_NAME, MAX_STEPS};
use crate::text::cut_chars;
use crate::time::Timestamp;

/// Every token starts so.
const PREFIX: &str = "shd_";
/// No token of ours is longer, in bytes.
const MAX_TOKEN: usize = 256 * 1024;

/// A delivery whose work was deferred. As a token it goes through the application's own queue to the process that does the
/// work; it names ids and steps, and holds no secret and nothing of the body.
///
/// ```
/// use surehook_core::Timestamp;
/// use surehook_core::telemetry::attempt::VerificationResult;
/// use surehook_core::telemetry::deferral::Deferral;
///
/// let deferral = Deferral {
///     attempt: uuid::Uuid::from_u128(1),
///     endpoint: "clerk".to_owned(),
///     provider: "clerk".to_owned(),
///     message_id: Some("msg_1".to_owned()),
///     event_type: Some("user.created".to_owned()),
///     entity_id: None,
///     verification: VerificationResult::Verified,
///     deadline: Timestamp::from_unix_seconds(1_700_000_300),
///     missing_steps: vec!["send_welcome".to_owned()],
/// };
/// assert_eq!(Deferral::read(&deferral.token()).unwrap(), deferral);
/// assert!(Deferral::read("shd_e30").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferral {
    /// The attempt that deferred its work.
    pub attempt: Uuid,
    /// Its endpoint's name.
    pub endpoint: String,
    /// Its provider.
    pub provider: String,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The event type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The id of what the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// Whether its signature was checked.
    pub verification: VerificationResult,
    /// By when the work is to be marked.
    pub deadline: Timestamp,
    /// The required steps that were not done yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_steps: Vec<String>,
}

impl Deferral {
    /// The token: letters, digits, `-` and `_`.
    pub fn token(&self) -> String {
        let mut told = self.clone();
        told.missing_steps.truncate(MAX_STEPS);
        for step in &mut told.missing_steps {
            *step = cut_chars(step, MAX_STEP_NAME).to_owned();
        }
        // Text, ids and numbers: nothing that JSON cannot say.
        let json = serde_json::to_vec(&told).unwrap_or_default();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] when the text is none, or was cut.
    pub fn read(token: &str) -> Result<Self, ConfigError> {
        let fault = || ConfigError::invalid_option("token", "it is not a token that defer() returned, or was cut");
        let encoded = token.strip_prefix(PREFIX).filter(|_| token.len() <= MAX_TOKEN).ok_or_else(fault)?;
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| fault())?;
        let deferral: Self = serde_json::from_slice(&json).map_err(|_| fault())?;
        let named = !deferral.endpoint.is_empty() && !deferral.provider.is_empty();
        let believed = deferral.verification != VerificationResult::Rejected;
        if named && believed && deferral.missing_steps.len() <= MAX_STEPS { Ok(deferral) } else { Err(fault()) }
    }
}
