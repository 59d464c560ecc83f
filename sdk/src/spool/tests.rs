use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use surehook_core::telemetry::attempt::{Dedup, DedupResult, RequestInfo, Verification, VerificationResult};
use surehook_core::{Outcome, Timestamp};
use uuid::Uuid;

use super::*;

fn attempt(number: u128) -> Attempt {
    Attempt {
        id: Uuid::from_u128(number),
        continues: None,
        sender_left: false,
        deferred_until: None,
        endpoint: "clerk".to_owned(),
        provider: "clerk".to_owned(),
        message_id: None,
        event_type: None,
        entity_id: None,
        received_at: Timestamp::from_unix_seconds(1),
        provider_timestamp: None,
        duration_us: 1,
        status: Some(200),
        outcome: Outcome::Processed,
        verification: Verification { result: VerificationResult::Verified, code: None, diagnosis: None },
        dedup: Dedup { result: DedupResult::New, store: None, key: None },
        steps: Vec::new(),
        missing_steps: Vec::new(),
        failure: None,
        request: RequestInfo { method: "POST".to_owned(), path: "/".to_owned(), headers: BTreeMap::new(), size: 2 },
        response: None,
        bodies: None,
        metadata: serde_json::Map::new(),
    }
}

fn settings(directory: &Path, max_attempts: u64, max_bytes: u64) -> Settings {
    Settings::new(directory.to_owned(), Some(max_attempts), Some(max_bytes)).unwrap()
}

fn spool(directory: &Path) -> Spool {
    Spool::new(settings(directory, 10_000, MAX_BYTES))
}

fn keep(spool: &mut Spool, numbers: std::ops::Range<u128>) -> u64 {
    numbers.map(|number| spool.keep(attempt(number), &Line::of(&attempt(number)).unwrap())).sum()
}

/// Takes everything out, and answers the numbers of the attempts and how many could not be read.
fn drain(spool: &mut Spool) -> (Vec<u128>, u64) {
    let (mut numbers, mut unreadable) = (Vec::new(), 0);
    while let Some(mut segment) = spool.take() {
        let contents = segment.read();
        numbers.extend(contents.attempts.iter().map(|attempt| attempt.id.as_u128()));
        unreadable += contents.unreadable;
        spool.loaded();
        segment.delete();
    }
    assert_eq!(spool.attempts(), 0);
    (numbers, unreadable)
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn segments(directory: &Path) -> Vec<std::path::PathBuf> {
    files(directory).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "attempts")).collect()
}

#[test]
fn what_is_kept_comes_out_in_order_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = spool(directory.path());
    assert_eq!(keep(&mut spool, 0..250), 0);
    assert_eq!((spool.attempts(), segments(directory.path()).len()), (250, 3));
    assert_eq!(drain(&mut spool), ((0..250).collect(), 0));
    drop(spool);
    assert!(files(directory.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("a/b");
    let mut spool = spool(&directory);
    keep(&mut spool, 0..1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(files(&directory).iter().map(|file| mode(file)).collect::<Vec<_>>(), [0o600, 0o600]);
}

#[test]
fn a_full_spool_drops_the_oldest() {
    let directory = tempfile::tempdir().unwrap();
    let mut by_count = Spool::new(settings(directory.path(), 40, MAX_BYTES));
    let lost = keep(&mut by_count, 0..100);
    let (numbers, _) = drain(&mut by_count);
    assert_eq!(numbers, (u128::from(lost)..100).collect::<Vec<_>>());
    assert!((30..=40).contains(&numbers.len()), "{}", numbers.len());

    let mut by_size = Spool::new(settings(directory.path(), 10_000, 20_000));
    let lost = keep(&mut by_size, 0..200);
    let size: u64 = segments(directory.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!((10_000..=20_000).contains(&size), "{size}");
    assert_eq!(drain(&mut by_size).0, (u128::from(lost)..200).collect::<Vec<_>>());
}

#[test]
fn what_a_process_left_is_taken_over_once_and_only_when_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let mut gone = spool(directory.path());
    keep(&mut gone, 0..150);
    let mut heir = spool(directory.path());
    keep(&mut heir, 150..160);
    assert!(heir.settings().orphans().is_empty(), "its owner lives");
    drop(gone);
    let orphans = heir.settings().orphans();
    assert!(heir.settings().orphans().is_empty(), "they have a new owner");
    assert_eq!(heir.adopt(orphans), 0);
    assert_eq!(heir.attempts(), 160);
    assert_eq!(drain(&mut heir), ((0..160).collect(), 0));
    drop(heir);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_line_that_was_cut_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut gone = spool(directory.path());
    keep(&mut gone, 0..3);
    drop(gone);
    let path = &segments(directory.path())[0];
    let whole = std::fs::read(path).unwrap();
    for cut in 1..=whole.len() / 3 {
        OpenOptions::new().write(true).open(path).unwrap().set_len((whole.len() - cut) as u64).unwrap();
        let mut heir = spool(directory.path());
        let orphans = heir.settings().orphans();
        heir.adopt(orphans);
        let mut segment = heir.take().unwrap();
        assert_eq!((segment.read().attempts.len(), segment.attempts()), (2, 2), "cut by {cut}");
        std::fs::write(path, &whole).unwrap();
    }
}

#[test]
fn a_line_that_was_changed_is_counted_as_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mut gone = spool(directory.path());
    keep(&mut gone, 0..3);
    drop(gone);
    let path = &segments(directory.path())[0];
    let mut text = std::fs::read(path).unwrap();
    let middle = text.len() / 2;
    text[middle] ^= 1;
    std::fs::write(path, text).unwrap();
    let mut heir = spool(directory.path());
    let orphans = heir.settings().orphans();
    heir.adopt(orphans);
    assert_eq!(drain(&mut heir), (vec![0, 2], 1));
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let foreign = ["notes.txt", "0123.lock", "deadbeefdeadbeefdeadbeefdeadbeef.txt", "xyz-00000001.attempts"];
    for name in foreign {
        File::create(directory.path().join(name)).unwrap().write_all(b"mine\n").unwrap();
    }
    assert!(settings(directory.path(), 1, 1).orphans().is_empty());
    assert_eq!(files(directory.path()).len(), foreign.len());
}

/// What a process that is gone left behind: some of it is not its own.
#[cfg(unix)]
#[test]
fn what_others_put_there_in_a_process_s_name_is_not_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut gone = spool(directory.path());
    keep(&mut gone, 0..3);
    drop(gone);
    let segment = segments(directory.path()).remove(0);
    let copy = |number: u32| {
        let name = segment.file_name().unwrap().to_str().unwrap();
        let path = segment.with_file_name(format!("{}-{number:08}.attempts", &name[..32]));
        std::fs::copy(&segment, &path).unwrap();
        path
    };
    File::options().append(true).open(copy(7)).unwrap().set_len(2 * 1024 * 1024).unwrap();
    let link = copy(8);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&segment, &link).unwrap();
    // Only the superuser can give a file away.
    let given_away = std::os::unix::fs::chown(copy(9), Some(65_534), None).is_ok();
    let found: u64 = settings(directory.path(), 10, 10_000).orphans().iter().map(Segment::attempts).sum();
    assert_eq!(found, if given_away { 3 } else { 6 });
}

#[cfg(unix)]
#[test]
fn a_directory_where_everyone_may_delete_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let open = |mode| std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    open(0o777);
    let error = Settings::new(directory.path().to_owned(), None, None).unwrap_err();
    assert!(error.to_string().contains("every user may delete"), "{error}");
    for mode in [0o1777, 0o775, 0o700] {
        open(mode);
        assert!(Settings::new(directory.path().to_owned(), None, None).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_directory_that_is_removed_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let spooled = directory.path().join("spool");
    let mut spool = spool(&spooled);
    keep(&mut spool, 0..100);
    std::fs::remove_dir_all(&spooled).unwrap();
    assert_eq!(keep(&mut spool, 100..250), 0);
    // What was in the directory is lost, and counted.
    assert_eq!(drain(&mut spool), ((100..250).collect(), 100));
}

#[test]
fn while_the_disk_takes_nothing_memory_does_up_to_a_bound() {
    let directory = tempfile::tempdir().unwrap();
    let spooled = directory.path().join("spool");
    let mut spool = spool(&spooled);
    std::fs::remove_dir_all(&spooled).unwrap();
    std::fs::write(&spooled, "a file in place of the directory").unwrap();
    assert_eq!(keep(&mut spool, 0..1_010), 10);
    assert_eq!(spool.attempts(), 1_000);
    std::fs::remove_file(&spooled).unwrap();
    assert_eq!(keep(&mut spool, 2_000..2_001), 0);
    assert_eq!(spool.give_up_memory(), 1_000);
    assert_eq!(drain(&mut spool), (vec![2_000], 0));
}

#[test]
fn a_directory_that_cannot_be_used_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for unusable in [file.clone(), file.join("below"), Path::new("/proc/surehook").to_owned(), Path::new("").to_owned()]
    {
        let error = Settings::new(unusable, None, None).unwrap_err();
        assert_eq!(error.code(), "invalid_option");
        assert!(error.to_string().contains("spool_dir"), "{error}");
    }
    for (most, option) in [((Some(0), None), "spool_max_attempts"), ((None, Some(0)), "spool_max_bytes")] {
        let error = Settings::new(directory.path().to_owned(), most.0, most.1).unwrap_err();
        assert!(error.to_string().contains(option), "{error}");
    }
}

#[test]
fn starts_that_are_not_struck_out_are_left_and_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let mut dead = spool(directory.path());
    for number in 0..3_000 {
        dead.begin(Uuid::from_u128(number), Line::of(&attempt(number)).unwrap());
        if number % 1_000 != 0 {
            dead.end(Uuid::from_u128(number));
        }
    }
    let started = |directory: &Path| {
        files(directory)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|kind| kind == "started"))
            .collect::<Vec<_>>()
    };
    assert_eq!(started(directory.path()).len(), 1);
    assert!(std::fs::metadata(&started(directory.path())[0]).unwrap().len() < 1024 * 1024, "it is written anew");
    assert!(settings(directory.path(), 10_000, MAX_BYTES).orphans().is_empty(), "its owner lives");
    drop(dead);
    let mut next = spool(directory.path());
    next.adopt(settings(directory.path(), 10_000, MAX_BYTES).orphans());
    assert_eq!(drain(&mut next), (vec![0, 1_000, 2_000], 0));
    assert!(started(directory.path()).is_empty());
}

#[test]
fn a_start_that_was_cut_is_passed_over_and_the_last_end_empties_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let mut dead = spool(directory.path());
    dead.begin(Uuid::from_u128(1), Line::of(&attempt(1)).unwrap());
    dead.end(Uuid::from_u128(1));
    let file = files(directory.path()).into_iter().find(|path| path.extension().is_some_and(|kind| kind == "started"));
    let file = file.unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    dead.begin(Uuid::from_u128(2), Line::of(&attempt(2)).unwrap());
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"00000000 {\"id\"").unwrap();
    drop(dead);
    let mut next = spool(directory.path());
    next.adopt(settings(directory.path(), 10_000, MAX_BYTES).orphans());
    assert_eq!(drain(&mut next).0, [2]);
}
