//! D6: a server that answers, but takes no writes: it is full, became a replica, or somebody else holds it.

use std::time::Duration;

use surehook::Endpoint;

use crate::faults::{answered_for, recovered};
use crate::servers::{self, Server, free_port};
use crate::{bench, support};

/// 503 while the store takes no writes; handled again soon after it does.
fn fails_and_recovers(endpoint: &Endpoint, label: &str, breaks: impl FnOnce(), mends: impl FnOnce()) {
    recovered(endpoint, &format!("{label}_before"));
    breaks();
    answered_for(endpoint, label);
    mends();
    recovered(endpoint, &format!("{label}_after"));
    for notice in surehook::take_notices() {
        assert!(!notice.text.contains("canary"), "{}", notice.text);
    }
}

fn endpoint(url: &str) -> Endpoint {
    support::endpoint(|options| options.dedup = Some(url.to_owned()))
}

fn redis_is_told(server: &Server, command: &[&str]) {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port)).unwrap();
    let (name, arguments) = command.split_first().unwrap();
    redis::cmd(name).arg(arguments).query::<()>(&mut client.get_connection().unwrap()).unwrap();
}

#[test]
fn redis_may_be_full_or_become_a_replica() {
    let Some(server) = servers::redis(&["--maxmemory-policy", "noeviction"]) else { return };
    let endpoint = endpoint(&format!("redis://127.0.0.1:{}", server.port));
    let memory = |limit: &str| redis_is_told(&server, &["CONFIG", "SET", "maxmemory", limit]);
    fails_and_recovers(&endpoint, "full", || memory("1"), || memory("0"));
    let nobody = free_port().to_string();
    let follows = |host: &str, port: &str| redis_is_told(&server, &["REPLICAOF", host, port]);
    fails_and_recovers(&endpoint, "replica", || follows("127.0.0.1", &nobody), || follows("NO", "ONE"));
}

#[test]
fn postgres_may_be_full_or_become_a_replica() {
    let Some(server) = servers::postgres() else { return };
    let url = bench::postgres_url(server.port);
    surehook::DedupStore::open(&url).unwrap().migrate().unwrap();
    let endpoint = endpoint(&url);
    let sql = |sql: &str| bench::in_postgres(server.port, async |client| client.batch_execute(sql).await);
    // What a server says whose disk is full, as it says it.
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
                CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON surehook_dedup
                    FOR EACH ROW EXECUTE FUNCTION full_disk()";
    fails_and_recovers(&endpoint, "full", || sql(full), || sql("DROP TRIGGER full_disk ON surehook_dedup"));
    let anew = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'surehook'";
    let read_only = format!("ALTER DATABASE postgres SET default_transaction_read_only = on; {anew}");
    let writable = "SET TRANSACTION READ WRITE;
                    ALTER DATABASE postgres RESET default_transaction_read_only";
    fails_and_recovers(&endpoint, "replica", || sql(&read_only), || sql(writable));
}

#[test]
fn sqlite_may_be_held_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dedup.db");
    let endpoint = endpoint(&format!("sqlite://{}", path.display()));
    recovered(&endpoint, "creates");
    let holder = rusqlite::Connection::open(&path).unwrap();
    holder.busy_timeout(Duration::from_secs(1)).unwrap();
    let sql = |sql: &str| holder.execute_batch(sql).unwrap();
    fails_and_recovers(&endpoint, "held", || sql("BEGIN EXCLUSIVE"), || sql("COMMIT"));
}
