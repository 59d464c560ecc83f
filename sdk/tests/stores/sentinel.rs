//! Redis behind a Sentinel: the master is found, and its successor when it is gone.

use std::time::{Duration, Instant};

use surehook::{Decision, DedupStore};

use crate::servers::{self, PASSWORD, PASSWORD_IN_URL};
use crate::support::{self, Message, answered, handled, ok};

/// Half a second until the Sentinel gives the master up, its election, and the search for the new one.
const FAILOVER: Duration = Duration::from_secs(15);

#[test]
fn a_failover_is_followed_and_forgets_nothing_that_was_replicated() {
    let Some(master) = servers::redis(&["--requirepass", PASSWORD]) else { return };
    let follows = format!("127.0.0.1 {}", master.port);
    let login = ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--replicaof", &follows];
    let Some(_replica) = servers::redis(&[&login[..], &["--repl-diskless-sync-delay", "0"]].concat()) else { return };
    let Some(sentinel) = servers::redis_sentinel(master.port) else { return };
    told(sentinel.port, None, &["SENTINEL", "SET", "mymaster", "auth-pass", PASSWORD]);
    let url = format!("redis+sentinel://:{PASSWORD_IN_URL}@127.0.0.1:{}/mymaster", sentinel.port);
    DedupStore::open(&url).unwrap().migrate().unwrap();

    let endpoint = support::endpoint(|options| options.dedup = Some(url));
    let before = Message::user_created("msg_before");
    handled(before.begin(&endpoint)).finish(ok(b"by the first master"));
    // The replica is there, has what was written, and is known to the Sentinel.
    let began = Instant::now();
    while told(master.port, Some(PASSWORD), &["WAIT", "1", "1000"]) != "1"
        || !told(sentinel.port, None, &["SENTINEL", "MASTER", "mymaster"]).contains("num-slaves,1")
    {
        assert!(began.elapsed() < FAILOVER, "the replica does not follow");
        std::thread::park_timeout(Duration::from_millis(50));
    }

    drop(master);
    let began = Instant::now();
    for attempt in 0.. {
        match Message::user_created(&format!("msg_after_{attempt}")).begin(&endpoint) {
            Decision::Handle(delivery) => {
                delivery.finish(ok(b"by its successor"));
                break;
            }
            Decision::Answer(answer) => assert_eq!(answer.status, 503),
        }
        assert!(began.elapsed() < FAILOVER, "{:?}", surehook::take_notices());
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(answered(before.begin(&endpoint)).body, b"by the first master");
}

/// What a server answers to a command, its parts joined by commas.
fn told(port: u16, password: Option<&str>, command: &[&str]) -> String {
    let info: redis::ConnectionInfo = format!("redis://127.0.0.1:{port}").parse().unwrap();
    let login = password.iter().fold(redis::RedisConnectionInfo::default(), |login, it| login.set_password(*it));
    let client = redis::Client::open(info.set_redis_settings(login)).unwrap();
    let (name, arguments) = command.split_first().unwrap();
    let answer = redis::cmd(name).arg(arguments).query::<redis::Value>(&mut client.get_connection().unwrap()).unwrap();
    text(&answer)
}

fn text(value: &redis::Value) -> String {
    match value {
        redis::Value::Array(parts) => parts.iter().map(text).collect::<Vec<_>>().join(","),
        redis::Value::Map(pairs) => {
            pairs.iter().map(|(name, value)| format!("{},{}", text(name), text(value))).collect::<Vec<_>>().join(",")
        }
        redis::Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        redis::Value::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
