//! Deferred work that nobody marked by its deadline: the record that says so.

use sha2::{Digest as _, Sha256};
use surehook_core::telemetry::attempt::{
    Attempt, Dedup, DedupResult, Failure, RequestInfo, Verification, VerificationResult,
};
use surehook_core::{Outcome, Timestamp};
use uuid::{Builder, Uuid};

/// What such a record says went wrong. The dashboard knows it by this text.
pub(crate) const REASON: &str = "not marked by its deadline";

/// A deferred attempt whose deadline has passed, as far as it is needed here.
pub(crate) struct Missed {
    pub(crate) attempt: Uuid,
    pub(crate) due: Timestamp,
    pub(crate) verified: bool,
    pub(crate) endpoint: String,
    pub(crate) provider: String,
    pub(crate) message_id: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) entity_id: Option<String>,
}

impl Missed {
    /// The silent drop that continues the attempt, dated at the deadline. The same each time it is made.
    pub(crate) fn record(self) -> Attempt {
        let result = if self.verified { VerificationResult::Verified } else { VerificationResult::Unverified };
        Attempt {
            id: id_of_miss(self.attempt),
            continues: Some(self.attempt),
            endpoint: self.endpoint,
            provider: self.provider,
            message_id: self.message_id,
            event_type: self.event_type,
            entity_id: self.entity_id,
            received_at: self.due,
            provider_timestamp: None,
            duration_us: 0,
            status: None,
            outcome: Outcome::SilentDrop,
            verification: Verification { result, code: None, diagnosis: None },
            dedup: Dedup { result: DedupResult::Off, store: None, key: None },
            sender_left: false,
            deferred_until: None,
            steps: Vec::new(),
            missing_steps: Vec::new(),
            failure: Some(Failure { reason: Some(REASON.to_owned()), error: None }),
            request: RequestInfo::default(),
            response: None,
            bodies: None,
            metadata: serde_json::Map::new(),
        }
    }
}

/// The attempt whose missed deadline a record tells of, if it is such a record.
pub(crate) fn of(attempt: &Attempt) -> Option<Uuid> {
    attempt.continues.filter(|deferred| attempt.id == id_of_miss(*deferred))
}

/// An id that follows from the attempt's, so that its miss is stored once, whoever finds it and however often.
pub(crate) fn id_of_miss(attempt: Uuid) -> Uuid {
    let hash =
        Sha256::new().chain_update(b"surehook: ").chain_update(REASON).chain_update(attempt.as_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_follows_from_the_attempts_and_from_nothing_else() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(id_of_miss(one), id_of_miss(one));
        assert_ne!(id_of_miss(one), id_of_miss(other));
        // A file written by this version is read by the next: the id must not change.
        assert_eq!(id_of_miss(one).to_string(), "1a28aa16-bef4-88ae-b706-2a75c09d8f32");
        assert_eq!(id_of_miss(one).get_version_num(), 8);
    }
}
