//! De-duplication without a store: keys, the state machine, stored responses, the replay guard, reused ids.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::{SIGNED_AT, key_of, verified};
use surehook_core::dedup::{
    self, Change, Claim, Completion, DedupKey, Entry, Fingerprint, Guarded, IdReuse, LEASE, LEASE_LIMIT, Likeness,
    MessageName, OnIdReuse, OnUnsignedId, OperatorId, OwnerToken, Release, Renewal, ReplayGuard, STORED_BODY_LIMIT,
    StoredBody, StoredResponse, UnreadableEntry, on_id_reuse,
};
use surehook_core::telemetry::redact::Redactor;
use surehook_core::{ReasonCode, Timestamp, scheme};

const FIRST: OwnerToken = OwnerToken::new(1);
const SECOND: OwnerToken = OwnerToken::new(2);
const TTL: Duration = Duration::from_secs(96 * 3600);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(SIGNED_AT) + Duration::from_secs(seconds)
}

fn body(text: &str) -> Fingerprint {
    Fingerprint::of(text.as_bytes())
}

fn response(text: &str) -> Arc<StoredResponse> {
    Arc::new(StoredResponse::capture(200, &[], Some(text.as_bytes())))
}

fn set<T>(transition: dedup::Transition<T>) -> Entry {
    match transition.change {
        Change::Set(entry) => entry,
        _ => panic!("the entry should have been set"),
    }
}

fn claimed_by(owner: OwnerToken, now: Timestamp) -> Entry {
    set(dedup::claim(None, body("a"), owner, now, LEASE))
}

fn done_by(owner: OwnerToken, now: Timestamp) -> Entry {
    set(dedup::complete(Some(&claimed_by(owner, now)), owner, response("first"), now, TTL))
}

// Keys

#[test]
fn every_part_of_a_key_counts() {
    let key = |namespace: &str, provider: &str, endpoint: &str, id: &str, user_key: Option<&str>| {
        verified(provider, id, SIGNED_AT, b"{}", |message| key_of(namespace, endpoint, message, user_key))
    };
    let keys = [
        key("app", "clerk", "users", "msg_1", None),
        key("app2", "clerk", "users", "msg_1", None),
        key("app", "svix", "users", "msg_1", None),
        key("app", "clerk", "billing", "msg_1", None),
        key("app", "clerk", "users", "msg_2", None),
        // A boundary that moves makes another key.
        key("appc", "clerk", "users", "msg_1", None),
        key("ap", "clerk", "pusers", "msg_1", None),
        key("app", "clerk", "usersm", "sg_1", None),
        // A user's key is never a provider's id, not even with the same text.
        key("app", "clerk", "users", "msg_1", Some("msg_1")),
        key("app", "clerk", "users", "msg_1", Some("")),
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    assert_eq!(keys[0], key("app", "clerk", "users", "msg_1", None));
    assert_eq!(keys[8], key("app", "clerk", "users", "msg_9", Some("msg_1")));
}

#[test]
fn a_retry_has_the_key_of_its_message() {
    let key = |signed_at, body: &[u8]| {
        verified("clerk", "msg_1", signed_at, body, |message| key_of("app", "users", message, None))
    };
    assert_eq!(key(SIGNED_AT, b"{}"), key(SIGNED_AT + 300, b"{ }"));
}

#[test]
fn an_operator_names_the_same_message() {
    let name = |user_key| {
        verified("clerk", "msg_1", SIGNED_AT, b"{}", |message| {
            MessageName::of(message, user_key, OnUnsignedId::Duplicate)
        })
    };
    let meant = |provider, id| MessageName::for_operator(&scheme::find(provider).unwrap(), id);
    assert_eq!(meant("clerk", OperatorId::Provider("msg_1")), Ok(name(None)));
    assert_eq!(meant("clerk", OperatorId::User("order-7")), Ok(name(Some("order-7"))));
    assert!(meant("github", OperatorId::Provider("72d3162e")).unwrap_err().to_string().contains("does not sign it"));
}

#[test]
fn a_key_is_read_from_its_digits() {
    let key = verified("clerk", "msg_1", SIGNED_AT, b"{}", |message| key_of("app", "users", message, None));
    assert_eq!(DedupKey::from_hex(&key.to_string()), Some(key));
    assert_eq!(DedupKey::from_hex(&key.to_string().to_uppercase()), Some(key));
    for other in ["", "00", &format!("{key}0"), &key.to_string().replace(|digit: char| digit.is_ascii_digit(), "x")] {
        assert_eq!(DedupKey::from_hex(other), None, "{other}");
    }
}

// The machine

#[test]
fn an_unknown_message_is_claimed() {
    let step = dedup::claim(None, body("a"), FIRST, at(0), LEASE);
    assert_eq!(step.verdict, Claim::Owned);
    let running = Entry::Running { owner: FIRST, claimed_at: at(0), lease_end: at(30), fingerprint: body("a") };
    assert_eq!(step.change, Change::Set(running));
}

#[test]
fn a_running_message_is_busy_until_its_lease_ends() {
    let running = claimed_by(FIRST, at(0));
    let step = dedup::claim(Some(&running), body("a"), SECOND, at(29), LEASE);
    assert_eq!(
        (step.change, step.verdict),
        (Change::Keep, Claim::Busy { lease_end: at(30), likeness: Likeness::Same })
    );
    let step = dedup::claim(Some(&running), body("b"), SECOND, at(29), LEASE);
    assert_eq!(step.verdict, Claim::Busy { lease_end: at(30), likeness: Likeness::OtherBody });
    assert_eq!(dedup::claim(Some(&running), body("a"), SECOND, at(30), LEASE).verdict, Claim::Owned);
}

#[test]
fn claiming_again_with_the_same_token_succeeds() {
    let running = claimed_by(FIRST, at(0));
    assert_eq!(dedup::claim(Some(&running), body("a"), FIRST, at(1), LEASE).verdict, Claim::Owned);
}

#[test]
fn a_lease_is_never_longer_than_its_limit() {
    let Entry::Running { lease_end, .. } = set(dedup::claim(None, body("a"), FIRST, at(0), Duration::MAX)) else {
        panic!("it should be running")
    };
    assert_eq!(lease_end, at(0) + LEASE_LIMIT);
}

#[test]
fn a_done_message_is_answered_until_it_expires() {
    let done = done_by(FIRST, at(0));
    for (text, likeness) in [("a", Likeness::Same), ("b", Likeness::OtherBody)] {
        let step = dedup::claim(Some(&done), body(text), SECOND, at(TTL.as_secs() - 1), LEASE);
        assert_eq!((step.change, step.verdict), (Change::Keep, Claim::Done { response: response("first"), likeness }));
    }
    assert_eq!(dedup::claim(Some(&done), body("a"), SECOND, at(TTL.as_secs()), LEASE).verdict, Claim::Owned);
}

#[test]
fn a_stale_owner_cannot_complete() {
    let taken_over = set(dedup::claim(Some(&claimed_by(FIRST, at(0))), body("a"), SECOND, at(31), LEASE));
    let done = done_by(SECOND, at(32));
    for entry in [Some(&taken_over), Some(&done), None] {
        let step = dedup::complete(entry, FIRST, response("stale"), at(33), TTL);
        assert_eq!((step.change, step.verdict), (Change::Keep, Completion::Fenced));
    }
}

#[test]
fn a_lapsed_claim_that_nobody_took_can_be_completed() {
    let step = dedup::complete(Some(&claimed_by(FIRST, at(0))), FIRST, response("late"), at(5000), TTL);
    assert_eq!(step.verdict, Completion::Stored);
}

#[test]
fn completing_again_with_the_same_token_changes_nothing() {
    let step = dedup::complete(Some(&done_by(FIRST, at(0))), FIRST, response("again"), at(1), TTL);
    assert_eq!((step.change, step.verdict), (Change::Keep, Completion::Stored));
    let step = dedup::complete(Some(&done_by(FIRST, at(0))), FIRST, response("again"), at(TTL.as_secs()), TTL);
    assert_eq!((step.change, step.verdict), (Change::Keep, Completion::Fenced));
}

#[test]
fn only_the_owner_can_release() {
    let running = claimed_by(FIRST, at(0));
    let step = dedup::release(Some(&running), FIRST);
    assert_eq!((step.change, step.verdict), (Change::Clear, Release::Released));
    for (entry, owner) in [(Some(&running), SECOND), (Some(&done_by(FIRST, at(0))), FIRST), (None, FIRST)] {
        let step = dedup::release(entry, owner);
        assert_eq!((step.change, step.verdict), (Change::Keep, Release::Fenced));
    }
}

#[test]
fn a_lease_is_renewed_up_to_its_limit_and_by_its_owner_only() {
    let running = claimed_by(FIRST, at(0));
    let step = dedup::renew(Some(&running), FIRST, at(10), LEASE);
    assert_eq!(step.verdict, Renewal::Renewed { lease_end: at(40) });
    let limit = at(LEASE_LIMIT.as_secs());
    let step = dedup::renew(Some(&running), FIRST, at(LEASE_LIMIT.as_secs() - 5), LEASE);
    assert_eq!(step.verdict, Renewal::Renewed { lease_end: limit });
    let step = dedup::renew(Some(&running), FIRST, limit, LEASE);
    assert_eq!((step.change, step.verdict), (Change::Keep, Renewal::Exhausted));
    for (entry, owner) in [(Some(&running), SECOND), (Some(&done_by(FIRST, at(0))), FIRST), (None, FIRST)] {
        let step = dedup::renew(entry, owner, at(1), LEASE);
        assert_eq!((step.change, step.verdict), (Change::Keep, Renewal::Fenced));
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_shorten_a_lease() {
    let running = claimed_by(FIRST, at(100));
    let step = dedup::renew(Some(&running), FIRST, at(50), LEASE);
    assert_eq!(step.verdict, Renewal::Renewed { lease_end: at(130) });
}

// Responses

#[test]
fn replays_are_byte_equal() {
    let bytes: Vec<u8> = (0..=255).cycle().take(STORED_BODY_LIMIT).collect();
    let stored = StoredResponse::capture(207, &[(b"CONTENT-TYPE", b"application/octet-stream")], Some(&bytes));
    assert_eq!((stored.status(), stored.replay_body()), (207, &bytes[..]));
    assert_eq!(
        stored.replay_headers(),
        [
            ("content-type".to_owned(), "application/octet-stream".to_owned()),
            ("Idempotent-Replayed".to_owned(), "true".to_owned())
        ]
    );
}

#[test]
fn a_long_body_is_left_out_as_a_whole_with_what_describes_it() {
    let headers: [(&[u8], &[u8]); 8] = [
        (b"content-type", b"text/plain"),
        (b"content-encoding", b"gzip"),
        (b"content-language", b"de"),
        (b"Content-Disposition", b"inline"),
        (b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (b"etag", b"\"1\""),
        (b"Content-Security-Policy", b"default-src 'none'"),
        (b"location", b"/users/1"),
    ];
    let long = vec![b'x'; STORED_BODY_LIMIT + 1];
    for body in [Some(&long[..]), None] {
        let stored = StoredResponse::capture(200, &headers, body);
        assert_eq!((stored.body(), stored.replay_body()), (&StoredBody::Omitted, &b""[..]));
        let headers = stored.replay_headers();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-security-policy", "location", "Idempotent-Replayed"]);
        assert_eq!(headers[2].1, "body-omitted");
    }
}

fn kept(stored: &StoredResponse) -> Vec<(&str, &str)> {
    stored.headers().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn headers_are_stored_but_for_those_that_are_wrong_a_second_time() {
    let wrong: [(&[u8], &[u8]); 25] = [
        (b"Set-Cookie", b"session=1"),
        (b"Set-Cookie2", b"session=1"),
        (b"Content-Length", b"2"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"close, X-One-Hop"),
        (b"x-one-hop", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Proxy-Authenticate", b"Basic"),
        (b"TE", b"trailers"),
        (b"Trailer", b"expires"),
        (b"Upgrade", b"h2c"),
        (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (b"Clear-Site-Data", b"\"*\""),
        (b"Server-Timing", b"db;dur=53"),
        (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        (b"X-Request-Id", b"1"),
        (b"X-Api-Key", b"1"),
        (b"X-CSRF-Token", b"1"),
        (b"Authorization", b"Bearer abcdef123456"),
        (b"X-Note", b"sk_live_51H8xCanary"),
        (b"Location", b"https://user:hunter2@example.com/"),
        (b"Idempotent-Replayed", b"true"),
        (b"ETag", b"split\r\nset-cookie: a=b"),
        (b"X-Name", b"caf\xc3\xa9"),
        (b"no name", b"1"),
    ];
    let right: [(&[u8], &[u8]); 6] = [
        (b"Content-Language", b"de"),
        (b"content-language", b"fr"),
        (b"Webhook-Delivery", b"abort-message"),
        (b"Cache-Control", b"no-store"),
        (b"X-Anything", b"of the handler's"),
        (b"Vary", b"accept"),
    ];
    let all = [&wrong[..], &right].concat();
    let stored = StoredResponse::capture(200, &all, Some(b"ok"));
    assert_eq!(
        kept(&stored),
        [
            ("content-language", "de"),
            ("content-language", "fr"),
            ("webhook-delivery", "abort-message"),
            ("cache-control", "no-store"),
            ("x-anything", "of the handler's"),
            ("vary", "accept"),
        ]
    );
    let alone = StoredResponse::capture(200, &[(b"Connection", b"close, X-One-Hop"), (b"Date", b"x")], Some(b"ok"));
    assert!(kept(&alone).is_empty());
}

#[test]
fn headers_that_were_there_before_the_handler_are_not_its_own() {
    let before: [(&[u8], &[u8]); 3] =
        [(b"X-Powered-By", b"Express"), (b"Vary", b"accept"), (b"x-frame-options", b"DENY")];
    let after: [(&[u8], &[u8]); 4] =
        [(b"x-powered-by", b"Express"), (b"vary", b"accept, cookie"), (b"X-Frame-Options", b"DENY"), (b"x-own", b"1")];
    let redactor = Redactor::new(&["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]);
    let stored = StoredResponse::capture_set(200, &before, &after, Some(b"ok"), &redactor);
    assert_eq!(kept(&stored), [("vary", "accept, cookie"), ("x-own", "1")]);
    let own: [(&[u8], &[u8]); 1] = [(b"x-key", b"C2FVsBQIhrscChlQIMV+b5sSYspob7oD")];
    assert!(kept(&StoredResponse::capture_set(200, &[], &own, Some(b"ok"), &redactor)).is_empty());
}

#[test]
fn headers_without_end_are_not_stored() {
    let value = vec![b'x'; 5000];
    let headers: Vec<(&[u8], &[u8])> = (0..1000).map(|_| (&b"etag"[..], &value[..])).collect();
    assert_eq!(StoredResponse::capture(200, &headers, Some(b"")).headers().len(), 1);
}

#[test]
fn a_stored_response_does_not_show_its_body() {
    let stored = StoredResponse::capture(200, &[], Some(b"canary"));
    assert!(!format!("{stored:?}").contains("canary"));
}

#[test]
fn a_stored_response_survives_its_bytes() {
    let headers: [(&[u8], &[u8]); 2] = [(b"content-type", b"text/plain"), (b"etag", b"\"1\"")];
    let bytes: Vec<u8> = (0..=255).cycle().take(STORED_BODY_LIMIT).collect();
    for body in [Some(&bytes[..]), Some(&b""[..]), None] {
        let stored = StoredResponse::capture(299, &headers, body);
        assert_eq!(StoredResponse::from_bytes(&stored.to_bytes()), Some(stored));
    }
}

#[test]
fn bytes_that_nobody_wrote_are_no_response() {
    let whole = StoredResponse::capture(200, &[(b"location", b"/")], Some(b"ok")).to_bytes();
    for length in 0..whole.len() - 2 {
        assert_eq!(StoredResponse::from_bytes(&whole[..length]), None, "cut after {length} bytes");
    }
    let mut newer = whole;
    newer[0] = 2;
    let mut long = StoredResponse::capture(200, &[], Some(b"")).to_bytes();
    long.resize(long.len() + STORED_BODY_LIMIT + 1, b'x');
    for bytes in [newer, long, b"\x01\x00\xc8\x00\x00\x00body".to_vec()] {
        assert_eq!(StoredResponse::from_bytes(&bytes), None);
    }
}

#[test]
fn what_is_not_stored_is_not_read_either() {
    let whole = StoredResponse::capture(200, &[(b"x-forwarded", b"/")], Some(b"ok")).to_bytes();
    let at = whole.windows(11).position(|window| window == b"x-forwarded").expect("the header's name");
    for name in [&b"set-cookie2"[..], b"x-something", b"no a header"] {
        let mut forged = whole.clone();
        forged[at..at + 11].copy_from_slice(name);
        let read = StoredResponse::from_bytes(&forged).expect("the rest of it stands");
        assert_eq!(kept(&read).len(), usize::from(name == b"x-something"));
    }
    let mut split = whole;
    let value = split.iter().position(|byte| *byte == b'/').expect("the header's value");
    split[value] = b'\n';
    assert!(kept(&StoredResponse::from_bytes(&split).expect("the rest of it stands")).is_empty());
}

// The entry as bytes

#[test]
fn an_entry_survives_its_bytes() {
    for entry in [claimed_by(FIRST, at(0)), claimed_by(OwnerToken::new(u128::MAX), at(7)), done_by(FIRST, at(1))] {
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), Ok(entry));
    }
}

#[test]
fn no_two_claims_have_the_same_bytes() {
    assert_ne!(claimed_by(FIRST, at(0)).to_bytes(), claimed_by(SECOND, at(0)).to_bytes());
}

#[test]
fn bytes_that_nobody_wrote_are_no_entry() {
    let (running, done) = (claimed_by(FIRST, at(0)).to_bytes(), done_by(FIRST, at(0)).to_bytes());
    for length in 0..running.len() {
        assert_eq!(Entry::from_bytes(&running[..length]), Err(UnreadableEntry::Damaged), "cut after {length} bytes");
    }
    for length in 0..done.len() - "first".len() {
        assert_eq!(Entry::from_bytes(&done[..length]), Err(UnreadableEntry::Damaged), "cut after {length} bytes");
    }
    let longer = [&running[..], b"x"].concat();
    let (mut older, mut strange) = (running.clone(), running);
    older[0] = 0;
    strange[1] = 3;
    for bytes in [longer, older, strange] {
        assert_eq!(Entry::from_bytes(&bytes), Err(UnreadableEntry::Damaged));
    }
}

#[test]
fn an_entry_of_a_later_version_is_told_from_a_damaged_one() {
    let mut newer = done_by(FIRST, at(0)).to_bytes();
    newer[0] = 3;
    let error = Entry::from_bytes(&newer).expect_err("it is newer");
    assert_eq!(error, UnreadableEntry::Newer(3));
    assert!(error.to_string().contains("version 3"), "{error}");
}

// The replay guard

const TOLERANCE: Duration = Duration::from_secs(300);

fn admit(guard: &ReplayGuard, id: &str, signed_at: i64, body: &[u8], now: Timestamp) -> Result<(), ReasonCode> {
    verified("clerk", id, signed_at, body, |message| guard.admit(message, now).map(|_| ()))
}

#[test]
fn a_byte_identical_request_is_refused() {
    let guard = ReplayGuard::new(TOLERANCE);
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", at(0)), Ok(()));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", at(0)), Err(ReasonCode::Replayed));
    // A retry is signed at a new time; another message is another message.
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT + 5, b"{}", at(5)), Ok(()));
    assert_eq!(admit(&guard, "msg_2", SIGNED_AT, b"{}", at(5)), Ok(()));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{ }", at(5)), Ok(()));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", at(5)), Err(ReasonCode::Replayed));
}

#[test]
fn a_request_is_remembered_for_as_long_as_its_time_is_accepted() {
    let guard = ReplayGuard::new(TOLERANCE);
    // Accepted at the first moment at which it can be, repeated at the last.
    let earliest = Timestamp::from_unix_seconds(SIGNED_AT - 300);
    let latest = earliest + Duration::from_micros(600_999_999);
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", earliest), Ok(()));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", latest), Err(ReasonCode::Replayed));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", latest + Duration::from_micros(1)), Ok(()));
}

#[test]
fn a_request_whose_handler_failed_may_be_repeated() {
    let guard = ReplayGuard::new(TOLERANCE);
    let admitted = verified("clerk", "msg_1", SIGNED_AT, b"{}", |message| guard.admit(message, at(0)));
    let Ok(Guarded::First(pass)) = admitted else { panic!("it is new") };
    guard.release(pass);
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", at(1)), Ok(()));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", at(1)), Err(ReasonCode::Replayed));
}

#[test]
fn a_full_guard_forgets_the_oldest_and_counts_it() {
    let guard = ReplayGuard::with_capacity(TOLERANCE, 2);
    for id in ["msg_1", "msg_2", "msg_3"] {
        assert_eq!(admit(&guard, id, SIGNED_AT, b"{}", at(0)), Ok(()));
    }
    assert_eq!(guard.evictions(), 1);
    assert_eq!(admit(&guard, "msg_3", SIGNED_AT, b"{}", at(1)), Err(ReasonCode::Replayed));
    assert_eq!(admit(&guard, "msg_2", SIGNED_AT, b"{}", at(1)), Err(ReasonCode::Replayed));
    assert_eq!(admit(&guard, "msg_1", SIGNED_AT, b"{}", at(1)), Ok(()));
    assert_eq!(guard.evictions(), 2);
}

#[test]
fn what_has_expired_makes_room_without_an_eviction() {
    let guard = ReplayGuard::with_capacity(TOLERANCE, 2);
    for id in ["msg_1", "msg_2"] {
        assert_eq!(admit(&guard, id, SIGNED_AT, b"{}", at(0)), Ok(()));
    }
    assert_eq!(admit(&guard, "msg_3", SIGNED_AT, b"{}", at(601)), Ok(()));
    assert_eq!(guard.evictions(), 0);
}

// Reused ids

#[test]
fn reused_ids_are_decided_by_policy_key_and_scheme() {
    use OnIdReuse::{Handle, Reject, Replay};
    let table = [
        // policy, user's key, constant body → action, reported
        (None, false, false, Replay, false),
        (None, false, true, Replay, true),
        (None, true, false, Handle, true),
        (None, true, true, Handle, true),
        (Some(Replay), false, false, Replay, false),
        (Some(Replay), false, true, Replay, true),
        (Some(Replay), true, false, Replay, true),
        (Some(Handle), false, false, Handle, true),
        (Some(Handle), true, true, Handle, true),
        (Some(Reject), false, false, Reject, true),
        (Some(Reject), true, true, Reject, true),
    ];
    for (policy, user_key, constant_body, action, reported) in table {
        let expected = IdReuse { action, reported };
        assert_eq!(on_id_reuse(policy, user_key, constant_body), expected, "{policy:?} {user_key} {constant_body}");
    }
}
