//! De-duplication: which attempt of a message may run the handler, and what the others are answered.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use surehook_core::dedup::{
//!     Claim, Completion, DedupKey, Fingerprint, MemoryStore, MessageName, OnUnsignedId, OwnerToken, RegistryKey, Scope, Sender,
//!     Senders, Store, StoredResponse,
//! };
//! use surehook_core::{Timestamp, Verifier, sign};
//!
//! let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
//! let signature = sign(secret, "msg_1", 1_700_000_000, b"{}").unwrap();
//! let headers: [(&[u8], &[u8]); 3] = [
//!     (b"svix-id", b"msg_1"),
//!     (b"svix-timestamp", b"1700000000"),
//!     (b"svix-signature", signature.as_bytes()),
//! ];
//! let now = Timestamp::from_unix_seconds(1_700_000_001);
//! let verifier = Verifier::new("clerk", &[secret]).unwrap();
//! let message = verifier.verify(b"{}", &headers, now).unwrap();
//!
//! let store = MemoryStore::default();
//! // Who signs with another secret is another sender.
//! let scope = Scope::new("my-app", "clerk", "users");
//! let registry = RegistryKey::of(&scope);
//! let tag = message.signers().next().unwrap().seed().tag(&registry);
//! let mut senders = Senders::default();
//! senders.register(&[tag]);
//! let sender = Sender::Registered(senders.of(tag).unwrap());
//! let key = DedupKey::of(&scope, &sender, &MessageName::of(&message, None, OnUnsignedId::Duplicate));
//! let body = Fingerprint::of_message(&message);
//! let (first, second) = (OwnerToken::new(1), OwnerToken::new(2));
//! let lease = Duration::from_secs(30);
//!
//! // The first attempt runs the handler; a second one has to wait, and later gets the same answer.
//! assert_eq!(store.claim(&key, body, first, now, lease), Ok(Claim::Owned));
//! assert!(matches!(store.claim(&key, body, second, now, lease), Ok(Claim::Busy { .. })));
//! let response = Arc::new(StoredResponse::capture(200, &[], Some(b"ok")));
//! let ttl = Duration::from_secs(96 * 3600);
//! assert_eq!(store.complete(&key, first, response, now, ttl), Ok(Completion::Stored));
//! assert!(matches!(store.claim(&key, body, second, now, lease), Ok(Claim::Done { .. })));
//! ```

mod encoding;
mod entry;
mod fingerprint;
mod identity;
mod key;
mod machine;
mod memory;
mod replay_guard;
mod response;
mod reuse;
mod sender;
mod store;
mod sync;

pub use entry::UnreadableEntry;
pub use fingerprint::{Fingerprint, Likeness};
pub use identity::OnUnsignedId;
pub(crate) use key::digest;
pub use key::{DedupKey, MessageName, OperatorId, Scope};
pub use machine::{
    Change, Claim, Completion, Entry, LEASE, LEASE_LIMIT, LEASE_RENEWAL, OwnerToken, Release, Renewal, Transition,
    claim, complete, release, renew,
};
pub use memory::{MemoryLimits, MemoryStats, MemoryStore};
pub use replay_guard::{Guarded, ReplayGuard, ReplayPass};
pub use response::{STORED_BODY_LIMIT, STORED_HEADERS_LIMIT, StoredBody, StoredResponse};
pub use reuse::{IdReuse, OnIdReuse, on_id_reuse};
pub use sender::{RegistryKey, Sender, SenderId, SenderTag, Senders};
pub use store::{Store, StoreError};
