//! What a store meets rarely: clocks that jump, keys of 10 kB, answers of 100 MB and streamed ones.

use std::sync::Arc;
use std::time::Duration;

use surehook::core::Timestamp;
use surehook::core::dedup::{Claim, Completion, Fingerprint, LEASE, OwnerToken, Store, StoredResponse};
use surehook::{Clock, Hooks, Response, ResponseBody};

use crate::bench::Bench;
use crate::support::{Message, answered, handled, ok};

const HOUR: i64 = 3_600_000_000;

/// A caller's clock that is set back by an hour keeps what is known. One that is set forward ends leases where the store has
/// no clock of its own, and changes nothing where it has one.
pub fn clocks_may_jump(bench: &Bench) {
    let (store, key, body) = (&bench.store, bench.key("msg_jump"), Fingerprint::of(b""));
    let [first, second] = [1, 2].map(OwnerToken::new);
    let at = |micros: i64| Timestamp::from_unix_micros(bench.clock.now().unix_micros() + micros);
    let answer = |text: &str| Arc::new(StoredResponse::capture(200, &[], Some(text.as_bytes())));
    let ttl = Duration::from_secs(4 * 3600);

    store.claim(&key, body, first, at(0), LEASE).unwrap();
    assert!(matches!(store.claim(&key, body, second, at(-HOUR), LEASE), Ok(Claim::Busy { .. })));
    let owner = match store.claim(&key, body, second, at(HOUR), LEASE).unwrap() {
        Claim::Busy { .. } if bench.has_own_clock() => first,
        Claim::Owned if !bench.has_own_clock() => {
            assert_eq!(store.complete(&key, first, answer("first"), at(0), ttl), Ok(Completion::Fenced));
            second
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(store.complete(&key, owner, answer("kept"), at(0), ttl), Ok(Completion::Stored));
    for jump in [-HOUR, 0, HOUR] {
        match store.claim(&key, body, OwnerToken::new(3), at(jump), LEASE) {
            Ok(Claim::Done { response, .. }) => assert_eq!(response.replay_body(), b"kept"),
            other => panic!("{other:?}"),
        }
    }
}

/// A key of 10 kB and an answer of 100 MB are messages like any other; a body that was not stored is counted, and said once.
pub fn large_and_streamed_answers_are_handled(bench: &Bench) {
    let endpoint = bench.endpoint(|_| {});
    let key = "k".repeat(10_000);
    let begin = |message: &Message| {
        message.with_request(|request| {
            let hooks = Hooks { key: Some(&mut |_| Some(format!("{key} {}", message.id))), ..Hooks::default() };
            endpoint.begin_with(request, hooks)
        })
    };
    let large = vec![0; 100 << 20];
    for (id, body) in [("msg_large", ResponseBody::Bytes(&large)), ("msg_streamed", ResponseBody::NotCaptured)] {
        let message = Message::user_created(id);
        handled(begin(&message)).finish(Response { status: 201, headers: &[], body });
        let replay = answered(begin(&message));
        assert_eq!((replay.status, &replay.body[..]), (201, &b""[..]));
        assert!(replay.headers.contains(&("Idempotent-Replayed".to_owned(), "body-omitted".to_owned())));
    }
    handled(begin(&Message::user_created("msg_small"))).finish(ok(b"small"));
    let counts = endpoint.dedup_counts();
    assert_eq!((counts.new, counts.duplicate, counts.bodies_omitted), (3, 2, 2));
}
