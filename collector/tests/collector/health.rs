//! `/healthz` says what would become of a batch that came now.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::Value;

use crate::setup::*;

/// Until `/healthz` says it: an answer is good for a second.
async fn says(bench: &Bench, wanted: StatusCode) -> Value {
    let began = Instant::now();
    loop {
        let (status, answer) = bench.get("/healthz").await;
        if status == wanted {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{status} {answer}");
        tokio::task::yield_now().await;
    }
}

fn file(bench: &Bench) -> std::path::PathBuf {
    bench.directory.path().join("surehook.db")
}

#[tokio::test]
async fn it_is_well_and_takes_no_room() {
    let bench = Bench::local();
    bench.store(&[attempt("msg_1")]).await;
    assert_eq!(says(&bench, StatusCode::OK).await["status"], "ok");
    let names: Vec<_> = std::fs::read_dir(bench.directory.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("tmp")), "{names:?}");
}

#[tokio::test]
async fn a_database_that_was_cut_short_emptied_removed_or_replaced_is_not_well() {
    type Break = fn(&std::path::Path);
    let breaks: [(Break, &str); 4] = [
        (|path| std::fs::File::options().write(true).open(path).unwrap().set_len(4096).unwrap(), "damaged"),
        (|path| std::fs::File::options().write(true).open(path).unwrap().set_len(0).unwrap(), "damaged"),
        (|path| std::fs::remove_file(path).unwrap(), "gone"),
        (
            |path| {
                std::fs::copy(path, path.with_extension("copy")).unwrap();
                std::fs::rename(path.with_extension("copy"), path).unwrap();
            },
            "gone",
        ),
    ];
    for (number, (broken, reason)) in breaks.into_iter().enumerate() {
        let bench = Bench::local();
        bench.store(&[attempt("msg_1")]).await;
        broken(&file(&bench));
        let answer = says(&bench, StatusCode::SERVICE_UNAVAILABLE).await;
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{number}: {answer}");
        if number > 0 {
            let (status, _) = bench.send(batch(&[attempt("msg_2")]).to_string().into_bytes(), &[]).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{number}: what is not kept is not acknowledged");
        }
    }
}

#[tokio::test]
async fn a_writer_that_has_ended_is_not_well() {
    let bench = Bench::local();
    says(&bench, StatusCode::OK).await;
    bench.collector.close();
    let answer = says(&bench, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(answer["reason"], "the thread that writes has ended");
}

/// A file system of 2 MiB, as root only: elsewhere nothing of that size can be had.
#[cfg(target_os = "linux")]
struct Small(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Small {
    fn mounted() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(directory.path());
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(directory))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_not_well_until_there_is_room_again() {
    let Some(disk) = Small::mounted() else {
        eprintln!("*** no file system of its own can be had here, so a full disk is NOT tested ***");
        return;
    };
    let directory = tempfile::tempdir_in(disk.0.path()).unwrap();
    let now = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(NOW));
    let bench = Bench::open_in(directory, now, surehook_collector::Access::Local, |_| {});
    bench.store(&[attempt("msg_1")]).await;
    says(&bench, StatusCode::OK).await;
    let ballast = disk.0.path().join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    let answer = says(&bench, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(answer["reason"].as_str().unwrap().contains("full"), "{answer}");
    std::fs::remove_file(&ballast).unwrap();
    says(&bench, StatusCode::OK).await;
    bench.store(&[attempt("msg_2")]).await;
}
