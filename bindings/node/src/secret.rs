//! What a JavaScript function says of the secrets of a request.

use napi_derive::napi;

/// How long a call is waited for, in milliseconds.
#[napi(catch_unwind)]
pub fn secret_timeout_ms() -> u32 {
    u32::try_from(surehook::SECRET_TIMEOUT.as_millis()).unwrap_or(u32::MAX)
}

/// One call of the function, from before it starts until it has ended.
#[napi]
pub struct SecretCall(pub(crate) surehook::SecretCall);

#[napi]
impl SecretCall {
    /// What counts of what it said just now.
    #[napi(catch_unwind)]
    pub fn answered(&self, said: SecretSaid) -> SecretSaid {
        match self.0.answered(surehook::SecretAnswer::Unknown) {
            surehook::SecretAnswer::Failed(fault) => SecretSaid { secrets: None, sender: None, fault: Some(fault) },
            _ => said,
        }
    }

    /// It has ended, whether somebody still waits for it or not.
    #[napi(catch_unwind)]
    pub fn end(&self) {
        self.0.end();
    }
}

/// Secrets and whose they are; or a fault; or nothing, when it knows nobody.
#[napi(object)]
pub struct SecretSaid {
    pub secrets: Option<Vec<String>>,
    pub sender: Option<String>,
    pub fault: Option<String>,
}

/// What is said when the function was waited for long enough.
#[napi(catch_unwind)]
pub fn secret_timed_out() -> SecretSaid {
    surehook::SecretAnswer::timed_out().into()
}

/// What is said when too many calls run.
#[napi(catch_unwind)]
pub fn too_many_secret_calls() -> SecretSaid {
    surehook::SecretAnswer::too_many().into()
}

impl From<SecretSaid> for surehook::SecretAnswer {
    fn from(said: SecretSaid) -> Self {
        match said {
            SecretSaid { fault: Some(fault), .. } => Self::Failed(fault),
            SecretSaid { secrets: Some(secrets), sender, .. } => Self::Secrets { secrets, sender },
            SecretSaid { secrets: None, .. } => Self::Unknown,
        }
    }
}

impl From<surehook::SecretAnswer> for SecretSaid {
    fn from(answer: surehook::SecretAnswer) -> Self {
        match answer {
            surehook::SecretAnswer::Secrets { secrets, sender } => Self { secrets: Some(secrets), sender, fault: None },
            surehook::SecretAnswer::Unknown => Self { secrets: None, sender: None, fault: None },
            surehook::SecretAnswer::Failed(fault) => Self { secrets: None, sender: None, fault: Some(fault) },
        }
    }
}
