//! Several workers with a memory each are seen by what started them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::os::unix::process::CommandExt;
use std::process::Command;

use support::endpoint;

const WORKER: &str = "SUREHOOK_TEST_WORKER";

/// Not a test by itself: what a worker does when it starts.
#[test]
fn a_worker() {
    let Ok(dedup) = std::env::var(WORKER) else { return };
    for _ in 0..2 {
        let endpoint = endpoint(|options| options.dedup = Some(dedup.clone()));
        endpoint.warnings().iter().for_each(|warning| println!("\nwarning: {warning}"));
    }
}

/// The warnings of a process that was started like this.
fn warnings(program: &str, variables: &[(&str, &str)], dedup: &str) -> Vec<String> {
    let mut worker = Command::new(std::env::current_exe().unwrap());
    worker.arg0(program).args(["--exact", "a_worker", "--nocapture"]).env(WORKER, dedup);
    worker.env_remove("WEB_CONCURRENCY").envs(variables.iter().copied());
    let output = worker.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("warning: ").map(str::to_owned)).collect()
}

#[test]
fn the_memory_store_of_several_workers_is_warned_about_once() {
    for (program, variable) in [
        ("gunicorn", ("GUNICORN_CMD_ARGS", "--workers=4")),
        ("uvicorn", ("WEB_CONCURRENCY", "4")),
        ("node", ("NODE_UNIQUE_ID", "1")),
    ] {
        let warnings = warnings(program, &[variable], "memory://");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("runs several workers") && warnings[0].contains("sqlite:///"), "{warnings:?}");
    }
}

#[test]
fn one_worker_or_a_shared_store_is_not() {
    assert!(warnings("gunicorn", &[("GUNICORN_CMD_ARGS", "--workers=1")], "memory://").is_empty());
    assert!(warnings("gunicorn", &[("GUNICORN_CMD_ARGS", "--workers=4")], "off").is_empty());
    let dir = tempfile::tempdir().unwrap();
    let shared = format!("sqlite://{}/dedup.db", dir.path().display());
    assert!(warnings("gunicorn", &[("GUNICORN_CMD_ARGS", "--workers=4")], &shared).is_empty());
}
