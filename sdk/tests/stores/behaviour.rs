//! What every store has to do, seen from an endpoint: bars D1 to D4 and D7, and waiting for an answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::{Duration, Instant};

use surehook::core::Timestamp;
use surehook::core::dedup::{
    Claim, Completion, DedupKey, Entry, Fingerprint, LEASE, LEASE_LIMIT, Likeness, OwnerToken, RegistryKey, Release,
    Renewal, Store, StoreError, StoredResponse,
};
use surehook::{AnswerKind, Begun, Clock, Decision, DedupStore, Endpoint, Hooks, OnInFlight};

use crate::bench::Bench;
pub use crate::crash::{killed_owners_lose_nothing, processes_share_the_work};
pub use crate::extremes::{clocks_may_jump, large_and_streamed_answers_are_handled};
use crate::support::{Message, answered, handled, ok, status};

/// D1: of 10 000 concurrent duplicates, 200 at a time, one is handled.
pub fn concurrent_duplicates_run_once(bench: &Bench) {
    let endpoint = bench.endpoint(|_| {});
    let message = Message::user_created("msg_storm");
    let (runs, replays, busy) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let gate = Barrier::new(200);
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                gate.wait();
                for _ in 0..50 {
                    match decided(&message, &endpoint) {
                        Decision::Handle(delivery) => {
                            runs.fetch_add(1, Ordering::SeqCst);
                            delivery.finish(ok(b"once"));
                        }
                        Decision::Answer(answer) if answer.kind == AnswerKind::Busy => {
                            busy.fetch_add(1, Ordering::SeqCst);
                        }
                        Decision::Answer(answer) => {
                            assert_eq!(
                                (answer.status, &answer.body[..]),
                                (200, &b"once"[..]),
                                "{:?}",
                                surehook::take_notices()
                            );
                            replays.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }
            });
        }
    });
    let (runs, replays, busy) = (runs.into_inner(), replays.into_inner(), busy.into_inner());
    assert_eq!((runs, runs + replays + busy), (1, 10_000), "{replays} replayed, {busy} busy");
}

/// D2: 10 000 messages, five times each, in any order: each runs once, and its replays have its own bytes.
pub fn shuffled_duplicates_run_once_each(bench: &Bench) {
    const IDS: usize = 10_000;
    let endpoint = bench.endpoint(|_| {});
    let seed = seed();
    let mut order: Vec<usize> = (0..IDS * 5).map(|index| index % IDS).collect();
    shuffle(&mut order, seed);
    let (runs, next) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(id) = order.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let body = format!("answer to {id}");
                    match decided(&Message::user_created(&format!("msg_{id}")), &endpoint) {
                        Decision::Handle(delivery) => {
                            runs.fetch_add(1, Ordering::SeqCst);
                            delivery.finish(ok(body.as_bytes()));
                        }
                        Decision::Answer(answer) if answer.kind == AnswerKind::Busy => {}
                        Decision::Answer(answer) => {
                            assert_eq!(answer.body, body.as_bytes(), "seed {seed}: {:?}", surehook::take_notices());
                        }
                    }
                }
            });
        }
    });
    assert_eq!(runs.into_inner(), IDS, "seed {seed}");
}

/// D3: status, body bytes and allowed headers of a replay are those of the first answer, even from another process.
pub fn replays_are_equal(bench: &Bench) {
    let body: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    let message = Message::user_created("msg_replay");
    handled(message.begin(&bench.endpoint(|_| {}))).finish(surehook::Response {
        status: 207,
        headers: &[(b"content-type", b"application/x"), (b"set-cookie", b"a=b"), (b"etag", b"\"1\"")],
        body: surehook::ResponseBody::Bytes(&body),
    });
    let replay = answered(message.begin(&bench.endpoint(|_| {})));
    assert_eq!((replay.kind, replay.status), (AnswerKind::Replay, 207));
    assert_eq!(replay.body, body);
    let headers: Vec<_> = replay.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("content-type", "application/x"), ("etag", "\"1\""), ("Idempotent-Replayed", "true")]);
}

/// Every end but a stored answer lets the provider's retry run the handler.
pub fn failed_messages_run_again(bench: &Bench) {
    let endpoint = bench.endpoint(|_| {});
    let message = Message::user_created("msg_failed");
    for code in [500, 302, 404] {
        handled(message.begin(&endpoint)).finish(status(code));
    }
    drop(handled(message.begin(&endpoint)));
    let marked = handled(message.begin(&endpoint));
    marked.failed("no such user");
    marked.finish(ok(b""));
    handled(message.begin(&endpoint)).finish(ok(b"at last"));
    assert_eq!(answered(message.begin(&endpoint)).body, b"at last");
}

/// D4: the owner stops past its lease, a second one runs, the first goes on: its answer is refused.
pub fn a_stopped_owner_is_fenced(bench: &Bench) {
    let (store, key) = (&bench.store, bench.key("msg_stopped"));
    let (first, second) = (OwnerToken::new(1), OwnerToken::new(2));
    let (body, ttl) = (Fingerprint::of(b"{}"), Duration::from_secs(3600));
    let answer = |text: &str| Arc::new(StoredResponse::capture(200, &[], Some(text.as_bytes())));
    let now = || bench.clock.now();
    assert_eq!(store.claim(&key, body, first, now(), LEASE), Ok(Claim::Owned));
    bench.pass(&[key], LEASE - Duration::from_secs(2));
    assert!(matches!(store.claim(&key, body, second, now(), LEASE), Ok(Claim::Busy { likeness: Likeness::Same, .. })));
    bench.pass(&[key], Duration::from_secs(2));
    assert_eq!(store.claim(&key, body, second, now(), LEASE), Ok(Claim::Owned));
    assert_eq!(store.renew(&key, first, now(), LEASE), Ok(Renewal::Fenced));
    assert_eq!(store.complete(&key, first, answer("first"), now(), ttl), Ok(Completion::Fenced));
    assert_eq!(store.release(&key, first), Ok(Release::Fenced));
    assert_eq!(store.complete(&key, second, answer("second"), now(), ttl), Ok(Completion::Stored));
    assert_eq!(store.complete(&key, first, answer("first"), now(), ttl), Ok(Completion::Fenced));
    match store.claim(&key, body, first, now(), LEASE) {
        Ok(Claim::Done { response, likeness: Likeness::Same }) => assert_eq!(response.replay_body(), b"second"),
        other => panic!("{other:?}"),
    }
}

/// D4, as endpoints see it: the stopped owner's answer is refused, which is counted once.
pub fn a_fenced_answer_is_counted_once(bench: &Bench) {
    let (stopped, next) = (bench.endpoint(|_| {}), bench.endpoint(|_| {}));
    let (message, key) = (Message::user_created("msg_fenced"), bench.key("msg_fenced"));
    let first = handled(decided(&message, &stopped));
    // In memory a claim lasts for as long as a handler may run.
    let lease = if bench.url == "memory://" { LEASE_LIMIT } else { LEASE };
    bench.pass(&[key], lease);
    let retry = Message { sent_at: message.sent_at + i64::try_from(lease.as_secs()).unwrap(), ..message.clone() };
    handled(decided(&retry, &next)).finish(ok(b"second"));
    assert!(first.finish(ok(b"first")).is_none(), "its own sender gets its own answer");
    assert_eq!(answered(decided(&retry, &stopped)).body, b"second");
    let counts = stopped.dedup_counts();
    assert_eq!((counts.new, counts.fenced, counts.duplicate), (0, 1, 1));
    assert_eq!((next.dedup_counts().new, next.dedup_counts().fenced), (1, 0));
}

/// D7: forged requests with a victim's id never reach the store, and the real one still runs.
pub fn forged_requests_touch_nothing(bench: &Bench) {
    let counting = Arc::new(Counting { store: bench.store.clone(), asked: AtomicUsize::new(0) });
    let endpoint = bench.endpoint(|options| options.store = Some(DedupStore::of(counting.clone())));
    let real = Message::user_created("msg_victim");
    for index in 0..10_000_u32 {
        let forged = real.with_request(|request| {
            let signature = format!("v1,{:0>43}=", index);
            let headers: Vec<(&[u8], &[u8])> = request
                .headers
                .iter()
                .map(
                    |&(name, value)| {
                        if name == b"Svix-Signature" { (name, signature.as_bytes()) } else { (name, value) }
                    },
                )
                .collect();
            answered(endpoint.begin(surehook::Request { headers: &headers, ..request }))
        });
        assert_eq!(forged.status, 401);
    }
    assert_eq!(counting.asked.load(Ordering::SeqCst), 0);
    handled(real.begin(&endpoint)).finish(ok(b"real"));
    let registration = counting.asked.swap(0, Ordering::SeqCst) - 2;
    assert!((1..=2).contains(&registration), "beside a claim and a completion: {registration}");
    handled(Message::user_created("msg_next").begin(&endpoint)).finish(ok(b"next"));
    assert_eq!(counting.asked.load(Ordering::SeqCst), 2, "a claim and a completion");
}

/// A duplicate that waits gets the answer of the attempt that runs, and runs itself where that one fails.
pub fn waiting_duplicates_get_the_answer(bench: &Bench) {
    let endpoint = bench.endpoint(|options| options.on_in_flight = Some(OnInFlight::Wait));
    for (id, code) in [("msg_waited_for", 200), ("msg_waited_in_vain", 500)] {
        let message = Message::user_created(id);
        let first = handled(message.begin(&endpoint));
        let (sender, receiver) = mpsc::channel();
        match message.with_request(|request| endpoint.begin_without_waiting(request, Hooks::default())) {
            Begun::Later(pending) => pending.then(move |decision| sender.send(decision).unwrap()),
            Begun::Now(_) | Begun::Ask(_) | Begun::Prepare(_) => panic!("it has to wait"),
        }
        assert!(receiver.recv_timeout(Duration::from_millis(100)).is_err(), "the first attempt still runs");
        first.finish(surehook::Response { status: code, ..ok(b"waited for") });
        match (code, receiver.recv_timeout(Duration::from_secs(9)).unwrap()) {
            (200, Decision::Answer(answer)) => assert_eq!(answer.body, b"waited for"),
            (500, Decision::Handle(second)) => assert!(second.finish(ok(b"")).is_none()),
            (_, other) => panic!("{:?}", matches!(other, Decision::Handle(_))),
        }
    }
}

/// At most 32 requests of one message wait; the next is answered at once.
pub fn only_so_many_wait(bench: &Bench) {
    let endpoint = bench.endpoint(|options| options.on_in_flight = Some(OnInFlight::Wait));
    let message = Message::user_created("msg_crowd");
    let first = handled(message.begin(&endpoint));
    let (sender, receiver) = mpsc::channel();
    for _ in 0..33 {
        let sender = sender.clone();
        match message.with_request(|request| endpoint.begin_without_waiting(request, Hooks::default())) {
            Begun::Later(pending) => pending.then(move |decision| sender.send(decision).unwrap()),
            Begun::Now(_) | Begun::Ask(_) | Begun::Prepare(_) => panic!("it has to wait"),
        }
    }
    let turned_away = answered(receiver.recv_timeout(Duration::from_secs(5)).unwrap());
    assert_eq!(turned_away.status, 409);
    first.finish(ok(b"done"));
    for _ in 0..32 {
        assert_eq!(answered(receiver.recv_timeout(Duration::from_secs(9)).unwrap()).body, b"done");
    }
}

/// A lease is renewed while the handler runs, although the thread of the handler is blocked.
pub fn leases_are_renewed(bench: &Bench) {
    let key = bench.key("msg_long");
    let lease_end = || match bench.store.get(&key).unwrap() {
        Some(Entry::Running { lease_end, .. }) => lease_end,
        other => panic!("{other:?}"),
    };
    let delivery = handled(Message::user_created("msg_long").begin(&bench.endpoint(|_| {})));
    let before = lease_end();
    // As if the claim had been made five seconds ago; the renewal makes it last 30 s again.
    bench.pass(&[key], Duration::from_secs(5));
    let (began, aged) = (Instant::now(), lease_end());
    while lease_end() <= aged {
        assert!(began.elapsed() < Duration::from_secs(15), "the lease was not renewed");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(began.elapsed() > Duration::from_secs(8), "it was renewed too early");
    assert!(lease_end().unix_micros() - before.unix_micros() > 4_000_000);
    assert!(delivery.finish(ok(b"")).is_none());
    assert!(matches!(bench.store.get(&key), Ok(Some(Entry::Done { .. }))));
}

/// An operator can look a message up, let it run again, and count.
pub fn operators_can_look_and_forget(bench: &Bench) {
    let (endpoint, message, key) = (bench.endpoint(|_| {}), Message::user_created("msg_known"), bench.key("msg_known"));
    assert_eq!(bench.store.get(&key), Ok(None));
    assert_eq!(bench.store.forget(&key), Ok(false));
    let delivery = handled(message.begin(&endpoint));
    assert!(matches!(bench.store.get(&key), Ok(Some(Entry::Running { .. }))));
    delivery.finish(ok(b"known"));
    match bench.store.get(&key) {
        Ok(Some(Entry::Done { response, .. })) => assert_eq!(response.replay_body(), b"known"),
        other => panic!("{other:?}"),
    }
    assert!(bench.store.stats().unwrap().done >= 1);
    assert_eq!(bench.store.forget(&key), Ok(true));
    handled(message.begin(&endpoint)).finish(ok(b"again"));
}

/// What an endpoint decides. On a machine that is busy with something else a store may miss its 250 ms; then it is asked
/// again, as a provider would.
pub fn decided(message: &Message, endpoint: &Endpoint) -> Decision {
    for _ in 0..20 {
        match message.begin(endpoint) {
            Decision::Answer(answer) if answer.kind == AnswerKind::Unavailable => {
                std::thread::park_timeout(Duration::from_millis(100));
            }
            decision => return decision,
        }
    }
    panic!("the store does not answer: {:?}", surehook::take_notices());
}

/// A store that counts how often it is asked.
struct Counting {
    store: DedupStore,
    asked: AtomicUsize,
}

impl Counting {
    fn count(&self) -> &DedupStore {
        self.asked.fetch_add(1, Ordering::SeqCst);
        &self.store
    }
}

impl Store for Counting {
    fn kind(&self) -> &str {
        self.store.kind()
    }

    fn claim(
        &self,
        key: &DedupKey,
        body: Fingerprint,
        owner: OwnerToken,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.count().claim(key, body, owner, now, lease)
    }

    fn renew(&self, key: &DedupKey, owner: OwnerToken, now: Timestamp, lease: Duration) -> Result<Renewal, StoreError> {
        self.count().renew(key, owner, now, lease)
    }

    fn complete(
        &self,
        key: &DedupKey,
        owner: OwnerToken,
        response: Arc<StoredResponse>,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Completion, StoreError> {
        self.count().complete(key, owner, response, now, ttl)
    }

    fn release(&self, key: &DedupKey, owner: OwnerToken) -> Result<Release, StoreError> {
        self.count().release(key, owner)
    }

    fn load_senders(&self, registry: &RegistryKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.count().load_senders(registry)
    }

    fn replace_senders(&self, registry: &RegistryKey, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        self.count().replace_senders(registry, old, new)
    }
}

/// The seed of this run: `SEED`, or one that is printed.
pub fn seed() -> u64 {
    static PRINTED: Mutex<Option<u64>> = Mutex::new(None);
    *PRINTED.lock().unwrap().get_or_insert_with(|| {
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into());
        eprintln!("SEED={seed}");
        seed
    })
}

/// The numbers of SplitMix64.
pub struct Random(pub u64);

impl Random {
    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// Fisher and Yates.
pub fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut random = Random(seed);
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}
