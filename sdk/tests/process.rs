//! What outlives a process, and what a process takes from its environment.
//!
//! Without the libtest harness, because it starts itself again as the processes that are killed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::collector::{Collector, Play, nobody};
use support::proxy::{Fault, Proxy};
use support::random::Random;
use support::storage::{KEY, Storage};
use support::tls::Tls;
use support::{Message, assert_identity, endpoint, handled, ok};
use surehook::{Client, ClientOptions, Verification};

const LONG: Duration = Duration::from_secs(30);

const TESTS: [(&str, fn()); 8] = [
    (
        "a_handler_whose_process_is_killed_is_told_as_never_finished",
        a_handler_whose_process_is_killed_is_told_as_never_finished,
    ),
    ("what_a_killed_process_recorded_is_sent_by_the_next_one", what_a_killed_process_recorded_is_sent_by_the_next_one),
    ("killed_in_the_middle_of_sending_each_is_stored_once", killed_in_the_middle_of_sending_each_is_stored_once),
    ("processes_that_share_a_spool_do_not_harm_each_other", processes_that_share_a_spool_do_not_harm_each_other),
    ("a_full_disk_is_survived_and_counted", a_full_disk_is_survived_and_counted),
    ("the_proxy_variables_are_honoured", the_proxy_variables_are_honoured),
    ("authorities_are_trusted_by_option_and_by_environment", authorities_are_trusted_by_option_and_by_environment),
    (
        "a_million_attempts_without_a_collector_stay_within_32_mib",
        a_million_attempts_without_a_collector_stay_within_32_mib,
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--child") => child(&arguments[1..]),
        Some("--flood") => flood(),
        Some("--halfway") => halfway(&arguments[1..]),
        // What `cargo test -- --list` and its tools ask for.
        Some("--list") => TESTS.iter().for_each(|(name, _)| println!("{name}: test")),
        _ => {
            let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
            for (name, test) in TESTS.iter().filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter))) {
                test();
                println!("{name}: ok");
            }
        }
    }
}

/// A process that records and sends: `<collector's URL> <spool or -> <name> <attempts>`. It says what it did, a line each.
fn child(arguments: &[String]) {
    let [url, spool, name, count] = arguments else { panic!("{arguments:?}") };
    let client = Client::new(ClientOptions {
        api_key: Some(KEY.to_owned()),
        endpoint: Some(url.clone()),
        spool_dir: (spool != "-").then(|| spool.into()),
        ..ClientOptions::default()
    })
    .unwrap();
    let watched = endpoint(|options| options.client = Some(client.clone()));
    for number in 0..count.parse::<usize>().unwrap() {
        handled(Message::user_created(&format!("{name}-{number}")).begin(&watched)).finish(ok(b"done"));
    }
    println!("recorded");
    let flushed = client.flush(LONG);
    client.shutdown(Duration::ZERO);
    let stats = client.stats();
    assert_identity(&stats);
    println!("{flushed} {} {} {}", stats.recorded, stats.stored, stats.dropped.values().sum::<u64>());
}

fn command(url: &str, spool: Option<&Path>, name: &str, count: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let spool = spool.map_or("-", |spool| spool.to_str().unwrap());
    command.args(["--child", url, spool, name, &count.to_string()]);
    command
}

struct Running(Child, BufReader<std::process::ChildStdout>);

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self(child, output)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Lets it end. Answers whether it sent everything, what it recorded, what was stored and what it lost.
    fn end(mut self) -> (bool, [u64; 3]) {
        assert_eq!(self.line(), "recorded");
        let line = self.line();
        assert!(self.0.wait().unwrap().success());
        let mut words = line.split(' ');
        let flushed = words.next().unwrap() == "true";
        (flushed, [(); 3].map(|()| words.next().unwrap().parse().unwrap()))
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn files(spool: &Path) -> usize {
    std::fs::read_dir(spool).unwrap().count()
}

/// A process with two handlers that run and one that has ended: `<spool>`. It waits to be killed.
fn halfway(arguments: &[String]) {
    let client = Client::new(ClientOptions {
        api_key: Some("shk_test".to_owned()),
        endpoint: Some(url(nobody())),
        spool_dir: Some((&arguments[0]).into()),
        ..ClientOptions::default()
    });
    let client = client.unwrap();
    let watched = endpoint(|options| options.client = Some(client.clone()));
    let first = handled(Message::user_created("running").begin(&watched));
    handled(Message::user_created("ended").begin(&watched)).finish(ok(b"done"));
    let second = handled(Message::user_created("running_too").begin(&watched));
    first.step("charged");
    println!("halfway");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop((first, second));
}

fn a_handler_whose_process_is_killed_is_told_as_never_finished() {
    let spool = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--halfway", spool.path().to_str().unwrap()]).stdin(Stdio::piped());
    let mut running = Running::start(command);
    assert_eq!(running.line(), "halfway");
    let collector = Collector::start([], Play::Accept);
    let client = Client::new(ClientOptions {
        api_key: Some("shk_test".to_owned()),
        endpoint: Some(format!("http://{}", collector.address())),
        spool_dir: Some(spool.path().to_owned()),
        ..ClientOptions::default()
    });
    let client = client.unwrap();
    assert!(client.flush(LONG));
    assert_eq!(collector.seen().stored.len(), 0, "as long as it lives, nothing of it leaves");
    assert!(client.shutdown(LONG));
    running.kill();
    // A new client looks again at once.
    let next = Client::new(ClientOptions {
        api_key: Some("shk_test".to_owned()),
        endpoint: Some(format!("http://{}", collector.address())),
        spool_dir: Some(spool.path().to_owned()),
        ..ClientOptions::default()
    });
    let next = next.unwrap();
    assert!(next.flush(LONG));
    assert_identity(&next.stats());
    assert_eq!(next.stats().stored, 3);
    let told: std::collections::BTreeMap<_, _> = collector
        .seen()
        .stored
        .values()
        .map(|attempt| {
            let error = attempt.failure.as_ref().and_then(|failure| failure.error.as_ref());
            let kind = error.map_or("", |error| error.kind.as_str()).to_owned();
            (attempt.message_id.clone().unwrap(), (attempt.outcome.as_str(), kind))
        })
        .collect();
    let never = ("failed", "NeverFinished".to_owned());
    assert_eq!(told["running"], never);
    assert_eq!(told["running_too"], never);
    assert_eq!(told["ended"], ("processed", String::new()));
    assert!(next.shutdown(LONG));
    assert_eq!(files(spool.path()), 0, "nothing is left behind");
}

fn what_a_killed_process_recorded_is_sent_by_the_next_one() {
    let (storage, spool) = (Storage::start(), tempfile::tempdir().unwrap());
    let mut killed = Running::start(command(&url(nobody()), Some(spool.path()), "killed", 230));
    assert_eq!(killed.line(), "recorded");
    killed.kill();
    assert_eq!(storage.stored(), 0);
    let next = Running::start(command(&url(storage.address()), Some(spool.path()), "next", 5));
    assert_eq!(next.end(), (true, [235, 235, 0]));
    assert_eq!(storage.stored(), 235);
    // A process that records nothing of its own sends what was left, too.
    let mut killed = Running::start(command(&url(nobody()), Some(spool.path()), "later", 1));
    assert_eq!(killed.line(), "recorded");
    killed.kill();
    let next = Running::start(command(&url(storage.address()), Some(spool.path()), "idle", 0));
    assert_eq!(next.end(), (true, [1, 1, 0]));
    assert_eq!(storage.stored(), 236);
}

fn killed_in_the_middle_of_sending_each_is_stored_once() {
    let mut random = Random::seeded();
    let (storage, spool) = (Storage::start(), tempfile::tempdir().unwrap());
    let proxy = Proxy::start(storage.address());
    let mut total = 0;
    for round in 0..6 {
        // Committed and not acknowledged: the next process cannot know, and sends it again.
        proxy.play(if round % 2 == 0 { Fault::LoseReply } else { Fault::Stall });
        let seen = proxy.exchanges();
        let count = random.below(300) as usize + 1;
        let mut killed =
            Running::start(command(&url(proxy.address()), Some(spool.path()), &format!("round-{round}"), count));
        assert_eq!(killed.line(), "recorded");
        let deadline = Instant::now() + LONG;
        while proxy.exchanges() == seen {
            assert!(Instant::now() < deadline, "nothing was sent");
            std::thread::yield_now();
        }
        killed.kill();
        total += count as u64;
    }
    proxy.heal();
    let last = Running::start(command(&url(proxy.address()), Some(spool.path()), "last", 0));
    let (flushed, [recorded, stored, dropped]) = last.end();
    assert!(flushed && recorded == stored && dropped == 0, "{recorded} {stored} {dropped}");
    assert_eq!(storage.stored(), total);
    assert_eq!(files(spool.path()), 0);
}

fn processes_that_share_a_spool_do_not_harm_each_other() {
    let (storage, spool) = (Storage::start(), tempfile::tempdir().unwrap());
    let start = |name: &str, address| Running::start(command(&url(address), Some(spool.path()), name, 150));
    let doomed: Vec<Running> = ["a", "b"].map(|name| start(name, nobody())).into();
    let living: Vec<Running> = ["c", "d", "e"].map(|name| start(name, storage.address())).into();
    for mut child in doomed {
        assert_eq!(child.line(), "recorded");
        child.kill();
    }
    for child in living {
        assert!(child.end().0);
    }
    assert!(start("f", storage.address()).end().0);
    assert_eq!(storage.stored(), 6 * 150);
    assert_eq!(files(spool.path()), 0);
}

fn a_full_disk_is_survived_and_counted() {
    let (storage, spool) = (Storage::start(), tempfile::tempdir().unwrap());
    // No file may grow beyond a few attempts: each further write fails as on a full disk.
    let child = command(&url(storage.address()), Some(spool.path()), "full", 50);
    let words: Vec<String> = std::iter::once(child.get_program())
        .chain(child.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f 2; exec {}", words.join(" "))]);
    let (flushed, [recorded, stored, dropped]) = Running::start(shell).end();
    assert!(flushed);
    assert_eq!((recorded, stored + dropped), (50, 50));
    assert_eq!(storage.stored(), stored);
}

fn the_proxy_variables_are_honoured() {
    let storage = Storage::start();
    let proxy = Proxy::start(storage.address());
    let through = |variable: &str| {
        let mut command = command("http://collector.invalid:4600", None, variable, 3);
        command.env(variable, url(proxy.address()));
        command
    };
    assert_eq!(Running::start(through("http_proxy")).end(), (true, [3, 3, 0]));
    assert_eq!(Running::start(through("ALL_PROXY")).end(), (true, [3, 3, 0]));
    assert_eq!((storage.stored(), proxy.connections()), (6, 2));
    let mut around = through("http_proxy");
    around.env("NO_PROXY", "collector.invalid");
    let mut around = Running::start(around);
    assert_eq!(around.line(), "recorded");
    around.kill();
    assert_eq!(proxy.connections(), 2);
}

fn authorities_are_trusted_by_option_and_by_environment() {
    let storage = Storage::start();
    let tls = Tls::start(storage.address());
    let mut by_environment = command(&tls.url(), None, "environment", 3);
    by_environment.env("SSL_CERT_FILE", tls.ca_file());
    assert_eq!(Running::start(by_environment).end(), (true, [3, 3, 0]));

    for (ca_file, flushed) in [(Some(tls.ca_file()), true), (None, false)] {
        let (api_key, endpoint_url) = (Some(KEY.to_owned()), Some(tls.url()));
        let options = ClientOptions { api_key, endpoint: endpoint_url, ca_file, ..ClientOptions::default() };
        let client = Client::new(options).unwrap();
        let watched = endpoint(|options| options.client = Some(client.clone()));
        handled(Message::user_created("msg_tls").begin(&watched)).finish(ok(b"done"));
        assert_eq!(client.flush(if flushed { LONG } else { Duration::from_millis(500) }), flushed);
        assert_identity(&client.stats());
    }
    assert_eq!(storage.stored(), 4);
}

const FLOOD: u64 = 1_000_000;
const MIB: u64 = 1024 * 1024;

fn a_million_attempts_without_a_collector_stay_within_32_mib() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--flood");
    let rise: u64 = Running::start(command).line().parse().unwrap();
    println!("memory rise: {} KiB", rise / 1024);
    assert!(rise <= 32 * MIB, "{rise} bytes");
}

/// Records while nobody takes anything, and prints by how much the memory of this process grew at most.
fn flood() {
    let client = support::collector::client(nobody());
    let open = endpoint(|options| {
        options.client = Some(client.clone());
        options.verification = Verification::Off;
        options.secrets = Vec::new();
    });
    let message = Message::user_created("msg_1");
    let before = resident();
    let record = || {
        let mut most = before;
        for number in 0..FLOOD / 2 {
            handled(message.begin(&open)).finish(ok(b"done"));
            if number % 10_000 == 0 {
                most = most.max(resident());
            }
        }
        most
    };
    let most = std::thread::scope(|scope| {
        let other = scope.spawn(record);
        record().max(other.join().unwrap())
    });
    let stats = client.stats();
    assert_eq!(stats.recorded, FLOOD);
    assert_identity(&stats);
    println!("{}", most.max(resident()).saturating_sub(before));
}

/// The resident memory of this process, in bytes; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() * 1024
}
