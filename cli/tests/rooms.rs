//! The rooms of the house: who may import whom (ARCHITECTURE.md), held against what cargo says.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// For each crate, the workspace crates it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("surehook-core", &[]),
    ("surehook", &["surehook-core"]),
    ("surehook-collector", &["surehook-core"]),
    ("surehook-cli", &["surehook-core", "surehook", "surehook-collector"]),
    ("surehook-python", &["surehook", "surehook-core"]),
    ("surehook-node", &["surehook", "surehook-core"]),
];

/// What brings I/O, a clock or threads, and so must never be under the core. The clocks of `time` and of the standard library
/// are refused by core/clippy.toml.
const NOT_UNDER_CORE: &[&str] = &["tokio", "reqwest", "axum", "rusqlite", "rand", "pyo3", "napi", "chrono"];

/// Randomness: it stands under `uuid`, whose making of ids the core does not call, so only a direct use is refused.
const NOT_IN_CORE: &str = "getrandom";

/// A second TLS back end, and the crate that cannot be linked beside rusqlite.
const NOWHERE: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys", "sqlx-sqlite", "backoff"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn names(list: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    list.as_array().expect("packages").iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect()
}

/// Every crate below `root` that ends up in what it builds (its own tests and build scripts aside).
fn closure(metadata: &Value, root: &str) -> BTreeSet<String> {
    let names = names(&metadata["packages"]);
    let edges: BTreeMap<&str, Vec<&str>> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| {
            let normal = |dep: &&Value| {
                dep["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
            };
            let deps = node["deps"].as_array().expect("deps").iter().filter(normal);
            (node["id"].as_str().expect("an id"), deps.map(|dep| dep["pkg"].as_str().expect("an id")).collect())
        })
        .collect();
    let mut waiting: Vec<&str> = names.iter().filter(|(_, name)| *name == root).map(|(id, _)| id.as_str()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            waiting.extend(&edges[id]);
        }
    }
    seen.into_iter().map(|id| names[id].clone()).collect()
}

/// The first forbidden name in a set.
fn trespasser<'a>(found: &'a BTreeSet<String>, forbidden: &[&str]) -> Option<&'a String> {
    found.iter().find(|name| forbidden.contains(&name.as_str()))
}

#[test]
fn crates_use_only_the_rooms_they_may() {
    let metadata = metadata();
    let names = names(&metadata["packages"]);
    let members: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|id| names[id.as_str().expect("an id")].as_str())
        .collect();
    let ruled: BTreeSet<&str> = MAY_USE.iter().map(|(room, _)| *room).collect();
    assert_eq!(members, ruled, "a crate without a rule, or a rule without a crate: mend MAY_USE and ARCHITECTURE.md");

    for (room, allowed) in MAY_USE {
        let used = closure(&metadata, room);
        let others = used.iter().map(String::as_str).filter(|name| members.contains(name) && name != room);
        for other in others {
            assert!(
                allowed.contains(&other),
                "{room} may not use {other}: see ARCHITECTURE.md, \"Who may import whom\""
            );
        }
    }
}

#[test]
fn the_core_has_no_outside_world() {
    let metadata = metadata();
    let found = closure(&metadata, "surehook-core");
    assert!(found.contains("sha2"), "the walk over the dependencies found nothing");
    assert_eq!(trespasser(&found, NOT_UNDER_CORE), None);

    let packages = metadata["packages"].as_array().expect("packages");
    let core = packages.iter().find(|package| package["name"] == "surehook-core").expect("the core");
    let mut direct =
        core["dependencies"].as_array().expect("dependencies").iter().map(|dependency| &dependency["name"]);
    assert!(direct.all(|name| name != NOT_IN_CORE));
}

#[test]
fn one_tls_back_end_and_one_sqlite() {
    let metadata = metadata();
    let locked: BTreeSet<String> = names(&metadata["packages"]).into_values().collect();
    assert_eq!(trespasser(&locked, NOWHERE), None);
}

#[test]
fn the_walk_sees_a_trespasser() {
    let found = closure(&metadata(), "surehook-cli");
    assert_eq!(trespasser(&found, NOT_UNDER_CORE).map(String::as_str), Some("axum"));
    assert!(found.contains("surehook-collector") && found.contains("surehook-core"));
}
