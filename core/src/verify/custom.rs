//! Verification by a function of the user, for what no scheme can say.

use std::sync::Arc;

use super::{VerifiedMessage, Verifier, read};
use crate::error::{ReasonCode, Rejection};
use crate::request::Incoming;
use crate::scheme::Scheme;

/// What a user's own verifier said of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomVerdict {
    /// The signature is right.
    Accepted {
        /// What names the message over its attempts, where the verifier knows it; it counts as signed. The scheme's place
        /// otherwise.
        message_id: Option<String>,
        /// Who sent the message, where the verifier tells several senders apart; one and the same otherwise.
        sender: Option<String>,
    },
    /// It is not right.
    Refused,
    /// The verifier itself failed.
    Failed,
}

impl Verifier {
    /// A verifier without secrets, for a function of the user. The scheme only tells where id and event type are.
    pub fn custom(scheme: Arc<Scheme>) -> Self {
        Self::with_secrets(scheme, Vec::new())
    }

    /// Checks one request with a function of the user. It is not called for a body over the limit.
    ///
    /// # Errors
    /// `body_too_large`, or `verifier_error` for anything but [`CustomVerdict::Accepted`].
    ///
    /// ```
    /// use surehook_core::{CustomVerdict, Incoming, Verifier, scheme};
    ///
    /// let verifier = Verifier::custom(scheme::find("github").unwrap());
    /// let incoming = Incoming::post(&[], b"{}");
    /// let accepted = || CustomVerdict::Accepted { message_id: Some("msg_1".to_owned()), sender: None };
    /// assert_eq!(verifier.verify_by(&incoming, accepted).unwrap().message_id(), "msg_1");
    /// assert_eq!(verifier.verify_by(&incoming, || CustomVerdict::Refused).unwrap_err().code().as_str(), "verifier_error");
    /// ```
    pub fn verify_by<'a>(
        &'a self,
        incoming: &Incoming<'a>,
        check: impl FnOnce() -> CustomVerdict,
    ) -> Result<VerifiedMessage<'a>, Rejection> {
        if incoming.body.len() > self.max_body_bytes {
            return Err(self.refuse(ReasonCode::BodyTooLarge, incoming.headers));
        }
        let event_type =
            read::event_type(&self.scheme, incoming.headers).map_err(|code| self.refuse(code, incoming.headers))?;
        match check() {
            CustomVerdict::Accepted { message_id, sender } => {
                let message = match message_id.filter(|id| !id.is_empty()) {
                    Some(id) => self.message(incoming, None, (None, event_type)).vouched_for(id),
                    None => self.message(incoming, self.claimed_id(incoming.headers), (None, event_type)),
                };
                Ok(message.from_sender(sender))
            }
            CustomVerdict::Refused | CustomVerdict::Failed => {
                Err(self.refuse(ReasonCode::VerifierError, incoming.headers))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_of_a_verifier_is_named_by_its_hash() {
        let verifier = Verifier::custom(crate::scheme::find("github").unwrap());
        let named = |id: String| {
            let accepted = || CustomVerdict::Accepted { message_id: Some(id), sender: None };
            verifier.verify_by(&Incoming::post(&[], b"{}"), accepted).unwrap().message_id().to_owned()
        };
        assert_eq!(named("x".repeat(256)), "x".repeat(256));
        assert!(named("x".repeat(2000)).len() < 200);
        assert_ne!(named("x".repeat(2000)), named("x".repeat(2001)));
    }
}
