//! P11: verify, begin and finish with the memory store, less the verify alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use surehook::core::dedup::{
    Claim, Completion, DedupKey, Fingerprint, LEASE_LIMIT, MemoryStore, MessageName, OnUnsignedId, OwnerToken, Scope,
    Sender, Store, StoredResponse,
};
use surehook::core::{Incoming, Timestamp, VerifiedMessage, Verifier};
use surehook::{Body, Decision, DedupStore, Request, ResponseBody};

use crate::messages::{ANSWER, Message, SECRET, endpoint};
use crate::{ROUNDS, medians, print};

const MESSAGES: usize = 256;
const TTL: Duration = Duration::from_secs(96 * 3600);

pub(crate) fn run() {
    let messages = Message::several(MESSAGES);
    let verifier = Verifier::new("clerk", &[SECRET]).unwrap();
    let now = Timestamp::from_unix_micros(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap());
    let verify_alone = |_| {
        for message in &messages {
            message.with_request(|request| drop(black_box(verifier.verify_request(&incoming(&request), now))));
        }
    };

    let store = MemoryStore::default();
    let decide = |round: usize| {
        let namespace = round.to_string();
        for (index, message) in messages.iter().enumerate() {
            let owner = OwnerToken::new((round * MESSAGES + index) as u128);
            message.with_request(|request| {
                let verified = verifier.verify_request(&incoming(&request), now).unwrap();
                handle(&store, &namespace, &verified, owner, now);
            });
        }
    };
    let (ours, alone) = medians(MESSAGES, decide, verify_alone);
    print("P11", "1 KiB", ours - alone, "verify alone", alone);

    let store = DedupStore::open("memory://").unwrap();
    let endpoints: Vec<_> = (0..ROUNDS).map(|round| endpoint(&store, round)).collect();
    let serve = |round: usize| {
        for message in &messages {
            match message.with_request(|request| endpoints[round].begin(request)) {
                Decision::Handle(delivery) => drop(black_box(delivery.finish(ANSWER))),
                Decision::Answer(answer) => panic!("{answer:?}"),
            }
        }
    };
    let (ours, alone) = medians(MESSAGES, serve, verify_alone);
    print("P11", "1 KiB, the whole endpoint", ours - alone, "verify alone", alone);
}

fn incoming<'r>(request: &Request<'r>) -> Incoming<'r> {
    let Body::Bytes(body) = request.body else { panic!("it has a body") };
    Incoming { method: request.method, path: request.path, headers: request.headers, body }
}

/// What the core does for a message that is new.
fn handle(store: &MemoryStore, namespace: &str, message: &VerifiedMessage<'_>, owner: OwnerToken, now: Timestamp) {
    let scope = Scope::new(namespace, "clerk", "clerk");
    let key = DedupKey::of(&scope, &Sender::Unnamed, &MessageName::of(message, None, OnUnsignedId::Duplicate));
    let claim = store.claim(&key, Fingerprint::of_message(message), owner, now, LEASE_LIMIT);
    assert_eq!(claim, Ok(Claim::Owned));
    let ResponseBody::Bytes(body) = ANSWER.body else { panic!("it has a body") };
    let response = Arc::new(StoredResponse::capture(ANSWER.status, ANSWER.headers, Some(body)));
    assert_eq!(store.complete(&key, owner, response, now, TTL), Ok(Completion::Stored));
}
