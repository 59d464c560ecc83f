//! Every input that a fuzz target kept, through the same target on stable Rust.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;

/// All corpora together stay below this, in bytes: `make fuzz-corpus` keeps what reaches new code, and no more.
const MAX_BYTES: u64 = 300_000;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_kept_input_passes() {
    for (name, run) in targets::ALL {
        let files = files(&corpora().join(name));
        let passes = |path: &PathBuf| {
            let bytes = fs::read(path).unwrap();
            std::panic::catch_unwind(|| run(&bytes)).is_ok()
        };
        let failed: Vec<_> = files.iter().filter(|path| !passes(path)).collect();
        println!("fuzz corpus: {name} {} inputs", files.len());
        assert!(failed.is_empty(), "{name}: {failed:?}");
    }
}

#[test]
fn every_target_has_a_corpus_and_they_are_small() {
    let named: BTreeSet<_> = targets::ALL.iter().map(|(name, _)| corpora().join(name)).collect();
    let kept: BTreeSet<_> = files(&corpora()).into_iter().collect();
    assert_eq!(kept, named);
    let inputs: Vec<_> = kept.iter().flat_map(|directory| files(directory)).collect();
    assert!(kept.iter().all(|directory| !files(directory).is_empty()));
    let bytes: u64 = inputs.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes < MAX_BYTES, "{bytes} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Without a fuzzer too: hostile headers, bodies, secrets, paths and schemes of every provider.
    #[test]
    fn chance_inputs_pass(bytes in vec(any::<u8>(), 0..400)) {
        for (_, run) in targets::ALL {
            run(&bytes);
        }
    }
}
