//! What only a cluster can get wrong: a count that leaves out a node.

use surehook::DedupStore;
use surehook::core::Timestamp;
use surehook::core::dedup::{Fingerprint, LEASE, OwnerToken, Store};

use crate::servers;
use crate::support::key;

#[test]
fn what_all_primaries_hold_is_counted_once() {
    const MESSAGES: u64 = 60;
    let Some(nodes) = servers::redis_cluster() else { return };
    let store = DedupStore::open(&format!("redis+cluster://127.0.0.1:{}", nodes[0].port)).unwrap();
    for number in 0..MESSAGES {
        let id = format!("msg_{number}");
        let key = key("clerk", &id);
        let owner = OwnerToken::new(u128::from(number) + 1);
        let claim = || store.claim(&key, Fingerprint::of(b"{}"), owner, Timestamp::from_unix_seconds(0), LEASE);
        // A machine that is busy may miss the 250 ms; claiming again with the same token is claiming once.
        assert!((0..20).any(|_| claim().is_ok()), "{id}");
    }
    let held = |node: &servers::Server| -> u64 {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", node.port)).unwrap();
        redis::cmd("DBSIZE").query(&mut client.get_connection().unwrap()).unwrap()
    };
    assert!(nodes.iter().all(|node| held(node) > 0), "each node holds some of them");
    assert_eq!((store.stats().unwrap().running, store.stats().unwrap().done), (MESSAGES, 0));
}
