//! Whoever signs with other secrets is another sender, on every store; the secrets of a rotation are one.

use std::time::Duration;

use surehook::core::dedup::{RegistryKey, Scope, Senders, Store};
use surehook::core::{Signer, Unsigned, scheme};
use surehook::{Begun, Body, Decision, DedupStore, Endpoint, EndpointOptions, Hooks, Request};

use crate::behaviour::{Random, seed};
use crate::bench::Bench;
use crate::support::{Message, START, answered, handled, ok, silent_client};

/// A secret that a machine makes.
fn secret(number: usize) -> String {
    format!("whsec_{number:08}9r8GKYqrTwjUPD8ILPZIo2La")
}

fn endpoint(bench: &Bench, secrets: &[usize]) -> Endpoint {
    bench.endpoint(|options| options.secrets = secrets.iter().map(|number| secret(*number)).collect())
}

/// Hands a message in until the store answers: a machine that is busy may miss its 250 ms.
fn begin(endpoint: &Endpoint, message: &Message, secrets: &[usize]) -> Decision {
    let secrets: Vec<_> = secrets.iter().map(|number| secret(*number)).collect();
    let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
    for _ in 0..50 {
        match message.signed_with(&secrets, |request| endpoint.begin(request)) {
            Decision::Answer(answer) if answer.status == 503 => std::thread::park_timeout(Duration::from_millis(100)),
            decision => return decision,
        }
    }
    panic!("the store does not answer: {:?}", surehook::take_notices());
}

fn registry(bench: &Bench) -> RegistryKey {
    RegistryKey::of(&Scope::new("", "clerk", &bench.name))
}

/// Two applications, or two routes of one, that have the same provider and name: one message of the provider runs at both.
pub fn other_secrets_are_another_sender(bench: &Bench) {
    let (first, second) = (endpoint(bench, &[1]), endpoint(bench, &[2]));
    let message = Message::user_created("msg_fanned_out");
    handled(begin(&first, &message, &[1])).finish(ok(b"first"));
    handled(begin(&second, &message, &[2])).finish(ok(b"second"));
    assert_eq!(answered(begin(&first, &message, &[1])).body, b"first");
    assert_eq!(answered(begin(&second, &message, &[2])).body, b"second");
    assert_eq!(answered(message.signed_with(&[&secret(2)], |request| first.begin(request))).status, 401);
}

/// Rolling deploys of random rotations: lists in any order, messages with one signature or several.
pub fn no_message_runs_twice_in_a_rotation(bench: &Bench) {
    let mut random = Random(seed());
    let mut next = 100;
    let mut list = vec![next];
    let mut old: Vec<(Vec<usize>, Endpoint)> = Vec::new();
    for deploy in 0..5 {
        let before = list.clone();
        if deploy > 0 {
            next += 1;
            list.truncate(1);
            list.insert(random.below(2), next);
        }
        let mut processes: Vec<_> = std::mem::take(&mut old);
        for _ in 0..2 {
            crate::behaviour::shuffle(&mut list, random.below(1 << 30) as u64);
            processes.push((list.clone(), endpoint(bench, &list)));
        }
        for number in 0..6 {
            let message = Message::user_created(&format!("msg_{deploy}_{number}"));
            let mut runs = 0;
            for try_number in 0..6 {
                let mut signers = [&before[..], &list[..]].concat();
                crate::behaviour::shuffle(&mut signers, random.below(1 << 30) as u64);
                signers.truncate(1 + random.below(signers.len()));
                let at = if try_number == 0 { processes.len() - 1 } else { random.below(processes.len()) };
                let (known, process) = &processes[at];
                if !signers.iter().any(|signer| known.contains(signer)) {
                    continue;
                }
                if let Decision::Handle(delivery) = begin(process, &message, &signers) {
                    runs += 1;
                    delivery.finish(ok(b"done"));
                }
            }
            assert!(runs <= 1, "SEED={}: {} ran {runs} times", seed(), message.id);
        }
        processes.retain(|(known, _)| known.iter().all(|secret| list.contains(secret)) && known.len() == list.len());
        old = processes;
    }
}

/// The record is lost in the middle of a rotation: a process that knows it writes it back.
pub fn a_record_that_was_lost_is_written_back(bench: &Bench) {
    let (rotating, registry) = (endpoint(bench, &[7, 8]), registry(bench));
    let message = Message::user_created("msg_lost");
    handled(begin(&rotating, &message, &[7])).finish(ok(b"once"));
    let held = bench.store.load_senders(&registry).unwrap().unwrap();
    assert_eq!(Senders::from_bytes(&held).unwrap().len(), 2);
    assert!(bench.store.replace_senders(&registry, Some(&held), &Senders::default().to_bytes()).unwrap());

    // What is known is not asked for; a minute later it is.
    assert_eq!(answered(begin(&rotating, &message, &[8])).body, b"once");
    assert_eq!(bench.store.load_senders(&registry).unwrap(), Some(Senders::default().to_bytes()));
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(answered(begin(&rotating, &message, &[8])).body, b"once");
    assert_eq!(bench.store.load_senders(&registry).unwrap(), Some(held));
    assert_eq!(answered(begin(&endpoint(bench, &[8]), &message, &[8])).body, b"once");
}

/// What is not known must not be taken for what is not there.
pub fn a_record_that_cannot_be_read_is_a_store_that_is_down(bench: &Bench) {
    let (endpoint, registry) = (endpoint(bench, &[9]), registry(bench));
    let message = Message::user_created("msg_unreadable");
    handled(begin(&endpoint, &message, &[9])).finish(ok(b"once"));
    let held = bench.store.load_senders(&registry).unwrap().unwrap();
    assert!(bench.store.replace_senders(&registry, Some(&held), b"damaged").unwrap());
    assert_eq!(answered(begin(&endpoint, &message, &[9])).body, b"once");
    bench.clock.advance(Duration::from_secs(60));
    let answer = message.signed_with(&[&secret(9)], |request| answered(endpoint.begin(request)));
    assert_eq!(answer.status, 503);
    assert!(bench.store.replace_senders(&registry, Some(b"damaged"), &held).unwrap());
    assert_eq!(answered(begin(&endpoint, &message, &[9])).body, b"once");
}

const CHOSEN: &str = "correct horse battery staple";

/// A secret that a person chose: its tag is made beside the thread that asks, and guessing by what is stored is slow.
#[test]
fn the_tag_of_a_chosen_secret_is_made_elsewhere_and_stretched() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/dedup.db", dir.path().display());
    let endpoint = Endpoint::new(EndpointOptions {
        secrets: vec![CHOSEN.to_owned()],
        client: Some(silent_client()),
        dedup: Some(url.clone()),
        namespace: Some("shop".to_owned()),
        ..EndpointOptions::new("github")
    });
    let endpoint = endpoint.unwrap();
    let body = br#"{"zen":"Design for failure."}"#;
    let signed = Signer::new(scheme::find("github").unwrap(), CHOSEN).unwrap().sign(&Unsigned::post(body)).unwrap();
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b"x-github-delivery", b"1"), (b"x-github-event", b"ping")];
    headers.extend(signed.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let request = || Request { method: "POST", path: "/", headers: &headers, body: Body::Bytes(body) };
    match endpoint.begin_without_waiting(request(), Hooks::default()) {
        Begun::Later(pending) => drop(handled(pending.wait()).finish(ok(b"done"))),
        Begun::Now(_) | Begun::Ask(_) | Begun::Prepare(_) => panic!("the tag is made on the calling thread"),
    }
    match endpoint.begin_without_waiting(request(), Hooks::default()) {
        Begun::Now(decision) => assert_eq!(answered(decision).body, b"done"),
        Begun::Later(_) | Begun::Ask(_) | Begun::Prepare(_) => panic!("the tag is made once"),
    }

    let registry = RegistryKey::of(&Scope::new("shop", "github", "github"));
    let held = DedupStore::open(&url).unwrap().load_senders(&registry).unwrap().unwrap();
    let seed = surehook::core::Secret::for_scheme(CHOSEN, &scheme::find("github").unwrap()).unwrap().seed().clone();
    let mut expected = Senders::default();
    expected.register(&[seed.tag(&registry)]);
    assert!(seed.is_slow());
    assert_eq!(Senders::from_bytes(&held).unwrap(), expected, "nothing but the stretched tag is kept");
}

#[test]
fn a_namespace_keeps_applications_apart_that_sign_alike() {
    let dir = tempfile::tempdir().unwrap();
    let url = |query: &str| format!("sqlite://{}/dedup.db{query}", dir.path().display());
    let endpoint = |dedup: String, namespace: Option<&str>, service: Option<&str>| {
        crate::support::endpoint(|options| {
            options.name = Some("users".to_owned());
            options.dedup = Some(dedup);
            options.namespace = namespace.map(str::to_owned);
            options.client = Some(
                surehook::Client::new(surehook::ClientOptions {
                    api_key: Some(String::new()),
                    service: service.map(str::to_owned),
                    ..surehook::ClientOptions::default()
                })
                .unwrap(),
            );
        })
    };
    let message = Message::user_created("msg_everywhere");
    let applications = [
        endpoint(url(""), None, None),
        endpoint(url(""), Some("shop"), None),
        endpoint(url("?namespace=blog"), None, Some("ignored")),
        endpoint(url(""), None, Some("mail")),
    ];
    for (number, application) in applications.iter().enumerate() {
        handled(message.begin(application)).finish(ok(number.to_string().as_bytes()));
    }
    for (number, again) in [
        endpoint(url(""), None, None),
        endpoint(url("?namespace=other"), Some("shop"), Some("other")),
        endpoint(url("?namespace=blog"), None, None),
        endpoint(url(""), None, Some("mail")),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(answered(message.begin(again)).body, number.to_string().as_bytes());
    }
    assert_eq!(message.sent_at, START);
    for query in ["?namespace=", "?namespace=a&namespace=b", "?namespace=%00"] {
        assert!(DedupStore::open(&url(query)).is_err(), "{query}");
    }
}

#[test]
fn namesakes_with_other_secrets_are_warned_of() {
    let build = |name: &str, secrets: &[usize]| {
        crate::support::endpoint(|options| {
            options.name = Some(name.to_owned());
            options.secrets = secrets.iter().map(|number| secret(*number)).collect();
        })
    };
    let warned = |endpoint: &Endpoint| endpoint.warnings().iter().any(|text| text.contains("set `name`"));
    let first = build("namesake-1", &[1, 2]);
    let rotated = build("namesake-1", &[2, 3]);
    let elsewhere = build("namesake-2", &[4]);
    assert!(![&first, &rotated, &elsewhere].into_iter().any(warned));
    assert!(warned(&build("namesake-1", &[4])));
}
