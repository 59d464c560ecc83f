//! D5 and D8: processes that share a store, and one that is killed at a point of its life.
//!
//! A process of these tests is this very test program, told by its environment what to be.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use surehook::core::Timestamp;
use surehook::{AnswerKind, Clock, Decision, Endpoint, EndpointOptions};

use crate::behaviour::{decided, seed, shuffle};
use crate::bench::Bench;
use crate::support::{ManualClock, Message, SECRET, answered, handled, ok, silent_client};

const ROLE: &str = "SUREHOOK_TEST_ROLE";
const IDS: usize = 1000;

/// The points of an owner's life at which it is killed, and whether its message has an answer by then.
const POINTS: [(&str, bool); 4] = [("begun", false), ("handling", false), ("finished", true), ("ended", true)];

/// Starts this program again in a role; the store's URL and the endpoint's name come along.
fn start(role: &str, bench: &Bench) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::a_process_of_a_test", "--nocapture"]);
    let now = bench.clock.now().unix_micros().to_string();
    command.env(ROLE, role).env("STORE", &bench.url).env("NAME", &bench.name).env("NOW", now);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn wait_for(child: &mut Child, word: &str) -> String {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let line = lines.map(Result::unwrap).find_map(|line| line.strip_prefix(word).map(str::to_owned));
    line.unwrap_or_else(|| panic!("the process ended before {word:?}"))
}

/// Not a test by itself: what the other processes run.
#[test]
fn a_process_of_a_test() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let clock = ManualClock::new();
    let now = Timestamp::from_unix_micros(std::env::var("NOW").unwrap().parse().unwrap());
    clock.advance(now.since(clock.now()));
    let endpoint = Endpoint::new(EndpointOptions {
        secrets: vec![SECRET.to_owned()],
        name: Some(std::env::var("NAME").unwrap()),
        clock: Some(clock),
        client: Some(silent_client()),
        dedup: Some(std::env::var("STORE").unwrap()),
        ..EndpointOptions::new("clerk")
    });
    let endpoint = endpoint.unwrap();
    match role.split_once(' ') {
        Some(("owner", point)) => own(&endpoint, point),
        Some(("worker", number)) => println!("\nruns {}", work(&endpoint, number.parse().unwrap())),
        _ => panic!("{role}"),
    }
}

/// Handles a message up to a point, says so, and waits to be killed.
fn own(endpoint: &Endpoint, point: &str) {
    let stop_at = |reached: &str| {
        if reached == point {
            println!("\nreached");
            std::io::stdout().flush().unwrap();
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
    };
    let delivery = handled(Message::user_created(&format!("msg_{point}")).begin(endpoint));
    stop_at("begun");
    delivery.step("half of the work");
    stop_at("handling");
    delivery.finish(ok(b"owner"));
    stop_at("finished");
    drop(delivery);
    stop_at("ended");
}

/// D5: wherever its owner is killed, a message is handled by the next attempt after the lease, or it has its answer.
pub fn killed_owners_lose_nothing(bench: &Bench) {
    for (point, answered_by_then) in POINTS {
        let mut owner = start(&format!("owner {point}"), bench);
        wait_for(&mut owner, "reached");
        owner.kill().unwrap();
        owner.wait().unwrap();
        let id = format!("msg_{point}");
        let (message, endpoint) = (Message::user_created(&id), bench.endpoint(|_| {}));
        if answered_by_then {
            assert_eq!(answered(message.begin(&endpoint)).body, b"owner", "{point}");
            continue;
        }
        assert_eq!(answered(message.begin(&endpoint)).kind, AnswerKind::Busy, "{point}: its lease still lasts");
        bench.pass(&[bench.key(&id)], Duration::from_secs(30));
        handled(message.begin(&endpoint)).finish(ok(b"second"));
        assert_eq!(answered(message.begin(&endpoint)).body, b"second", "{point}");
    }
}

/// D8: four processes get every message once each, in different orders; every message is handled once.
pub fn processes_share_the_work(bench: &Bench) {
    let seed = seed();
    let mut workers: Vec<Child> = (0..4).map(|number| start(&format!("worker {}", seed + number), bench)).collect();
    let mut runs = 0;
    for worker in &mut workers {
        runs += wait_for(worker, "runs ").parse::<usize>().unwrap();
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(runs, IDS, "seed {seed}");
    let endpoint = bench.endpoint(|_| {});
    for id in 0..IDS {
        let replay = answered(decided(&Message::user_created(&format!("msg_{id}")), &endpoint));
        assert_eq!(replay.body, format!("answer to {id}").as_bytes());
    }
}

/// How many of the messages this process handled.
fn work(endpoint: &Endpoint, seed: u64) -> usize {
    let mut ids: Vec<usize> = (0..IDS).collect();
    shuffle(&mut ids, seed);
    let mut runs = 0;
    for id in ids {
        if let Decision::Handle(delivery) = decided(&Message::user_created(&format!("msg_{id}")), endpoint) {
            delivery.finish(ok(format!("answer to {id}").as_bytes()));
            runs += 1;
        }
    }
    runs
}
