//! What cannot work is said clearly, and without the password.

use std::time::Duration;

use surehook::core::Timestamp;
use surehook::core::dedup::{Claim, Fingerprint, LEASE, OwnerToken, RegistryKey, Release, Scope, Store, StoreError};
use surehook::{DedupStore, Migration};

use crate::bench;
use crate::faults::says;
use crate::servers::{self, PASSWORD, PASSWORD_IN_URL, free_port};
use crate::support::key;

#[test]
fn addresses_that_no_store_has_are_refused_without_their_secret() {
    let cases = [
        ("", "must be one of"),
        ("memory", "must be one of"),
        ("memory://canary", "nothing after it"),
        ("mysql://user:canary@host/db", "no store of this kind"),
        ("Redis://canary@host", "no store of this kind"),
        ("sqlite://canary.db", "absolute path"),
        ("sqlite:///", "absolute path"),
        ("sqlite:///canary/", "absolute path"),
        ("redis://:canary@", "a host is missing"),
        ("redis://user:canary@host:port", "a port must be a number"),
        ("redis://user:canary@host:70000", "a port must be a number"),
        ("redis://user:canary@host/one", "must be a number"),
        ("redis://user:can?ary@host", "%3F"),
        ("redis://user:can#ary@host", "%23"),
        ("redis://user:canary@one,two", "redis+cluster"),
        ("redis+cluster://user:canary@one,two/3", "only the database 0"),
        ("redis+sentinel://user:canary@one,two", "master's name"),
        ("postgres://user:canary@", "a host is missing"),
        ("postgres://user:canary@host:port/db", "cannot be read"),
        ("postgres://user:canary@host/db?sslmode=maybe", "cannot be read"),
        ("postgres://user:canary@host/db?sslmode=require&sslrootcert=/no/such/canary.pem", "sslrootcert"),
    ];
    for (url, what) in cases {
        let error = DedupStore::open(url).unwrap_err().to_string();
        assert!(error.contains(what), "{url}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
    let open = DedupStore::open("redis://user:canary@host").unwrap();
    assert!(!format!("{open:?}").contains("canary"));
}

#[test]
fn unreachable_servers_are_an_error_of_the_store() {
    let port = free_port();
    for scheme in ["redis", "redis+cluster", "postgres"] {
        let store = DedupStore::open(&format!("{scheme}://user:canary@127.0.0.1:{port}")).unwrap();
        let error = store.release(&key("e", "msg_1"), OwnerToken::new(1)).unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }
    says(&format!("redis+sentinel://127.0.0.1:{port}/mymaster"), "Redis");
}

#[test]
fn redis_says_what_is_wrong_with_it() {
    let Some(server) = servers::redis(&["--requirepass", PASSWORD]) else { return };
    says(&format!("redis://:canary-wrong@127.0.0.1:{}", server.port), "check the user and the password");
    let master = format!("127.0.0.1 {}", free_port());
    let settings = ["--requirepass", PASSWORD, "--replicaof", &master, "--replica-serve-stale-data", "yes"];
    let Some(replica) = servers::redis(&settings) else { return };
    let url = format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{}", replica.port);
    assert!(claim_error(&url).contains("read-only replica"), "{}", claim_error(&url));
    let Some(full) = servers::redis(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]) else { return };
    let url = format!("redis://127.0.0.1:{}", full.port);
    assert!(claim_error(&url).contains("maxmemory"), "{}", claim_error(&url));
}

/// A script that another client flushed is loaded again.
#[test]
fn redis_may_forget_the_scripts() {
    let Some(server) = servers::redis(&[]) else { return };
    let url = format!("redis://127.0.0.1:{}", server.port);
    let store = DedupStore::open(&url).unwrap();
    let claim = || store.claim(&key("e", "msg_1"), Fingerprint::of(b""), OwnerToken::new(1), now(), LEASE);
    claim().unwrap();
    let mut connection = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
    redis::cmd("SCRIPT").arg("FLUSH").query::<()>(&mut connection).unwrap();
    claim().unwrap();
}

#[test]
fn postgres_says_what_is_wrong_with_it() {
    let Some(server) = servers::postgres() else { return };
    let url = bench::postgres_url(server.port);
    says(&url, "run `surehook migrate URL`");
    says(&url.replace(PASSWORD_IN_URL, "canary-wrong"), "check the user and the password");
    let store = DedupStore::open(&url).unwrap();
    assert_eq!(store.migrate(), Ok(Migration::Done));
    assert_eq!(store.migrate(), Ok(Migration::Nothing));
    store.stats().unwrap();
    bench::in_postgres(server.port, async |client| {
        client.batch_execute("ALTER DATABASE postgres SET default_transaction_read_only = on").await
    });
    assert!(claim_error(&url).contains("read-only replica"), "{}", claim_error(&url));
    bench::in_postgres(server.port, async |client| {
        client.batch_execute("SET default_transaction_read_only = off").await?;
        client.batch_execute("ALTER DATABASE postgres RESET default_transaction_read_only").await?;
        client.batch_execute("COMMENT ON TABLE surehook_dedup IS 'surehook dedup 1'").await
    });
    says(&url, "of another version");
    assert_eq!(DedupStore::open(&url).unwrap().migrate(), Ok(Migration::Done), "an earlier one is replaced");
    says_nothing(&url);
    for comment in ["somebody's own", "surehook dedup 1000"] {
        bench::in_postgres(server.port, async |client| {
            client.batch_execute(&format!("COMMENT ON TABLE surehook_dedup IS '{}'", comment.replace('\'', "''"))).await
        });
        assert!(DedupStore::open(&url).unwrap().migrate().is_err(), "a foreign table is left alone");
    }
}

/// A row that a transaction of the application holds means that the message is being handled; nobody waits for it.
#[test]
fn postgres_does_not_wait_for_the_transaction_of_a_handler() {
    let Some(bench) = bench::postgres() else { return };
    let (store, key) = (&bench.store, bench.key("msg_locked"));
    let (first, body) = (OwnerToken::new(1), Fingerprint::of(b""));
    store.claim(&key, body, first, now(), LEASE).unwrap();
    bench.pass(&[key], LEASE);
    bench::in_postgres(bench.port.unwrap(), async |client| {
        client.batch_execute("BEGIN").await?;
        client.execute("UPDATE surehook_dedup SET response = NULL WHERE key = $1", &[&&key.as_bytes()[..]]).await?;
        let store = store.clone();
        let claim = std::thread::spawn(move || store.claim(&key, body, OwnerToken::new(2), now(), LEASE));
        let claim = claim.join().unwrap();
        assert!(matches!(claim, Ok(Claim::Busy { .. })), "{claim:?}");
        client.batch_execute("COMMIT").await
    });
}

#[test]
fn sqlite_says_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}/{name}", dir.path().display());
    says(&url("none/dedup.db"), "the directory of");
    std::fs::write(dir.path().join("text.db"), "this is no database, and it is long enough to be read as one").unwrap();
    says(&url("text.db"), "is not a SQLite file");
    std::fs::create_dir(dir.path().join("folder.db")).unwrap();
    says(&url("folder.db"), "cannot be opened");
    let sql =
        |name: &str, sql: &str| rusqlite::Connection::open(dir.path().join(name)).unwrap().execute_batch(sql).unwrap();
    sql("foreign.db", "CREATE TABLE users (id)");
    says(&url("foreign.db"), "the database of another application");
    DedupStore::open(&url("newer.db")).unwrap().migrate().unwrap();
    sql("newer.db", "PRAGMA user_version = 3");
    says(&url("newer.db"), "of the version 3");
    // What an earlier version remembered has other keys.
    DedupStore::open(&url("earlier.db")).unwrap().migrate().unwrap();
    sql("earlier.db", "DROP TABLE surehook_senders; PRAGMA user_version = 1");
    says_nothing(&url("earlier.db"));
    DedupStore::open(&url("locked.db")).unwrap().migrate().unwrap();
    let holder = rusqlite::Connection::open(dir.path().join("locked.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    assert!(claim_error(&url("locked.db")).contains("another process holds"));
    assert!(began.elapsed() < Duration::from_millis(450));
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000)
}

/// What a claim is told; it never holds a password.
pub fn claim_error(url: &str) -> String {
    let store = DedupStore::open(url).unwrap();
    let claim = store.claim(&key("e", "msg_1"), Fingerprint::of(b""), OwnerToken::new(1), now(), LEASE);
    let error = claim.unwrap_err().to_string();
    assert!(!error.contains("canary"), "{error}");
    error
}

/// The store can be used.
fn says_nothing(url: &str) {
    let store = DedupStore::open(url).unwrap();
    release(&store).unwrap();
    assert_eq!(store.load_senders(&RegistryKey::of(&Scope::new("", "clerk", "e"))), Ok(None));
}

/// The smallest question there is.
pub fn release(store: &DedupStore) -> Result<Release, StoreError> {
    store.release(&key("e", "msg_1"), OwnerToken::new(1))
}
