//! What is over a limit is refused unread: neither a MAC nor a copy is made of it before anybody is authenticated.
//!
//! Memory that was asked for zeroed is mapped page by page when it is first read, and the system counts these faults. So
//! the count tells, without a clock, whether anything looked at the bytes.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod signed;

use signed::{Draft, Request};
use surehook_core::diagnose::{Context, MAX_BODY, diagnose};
use surehook_core::{Incoming, scheme};

const HUGE: usize = 256 * 1024 * 1024;
/// What the check itself may touch for the first time: its stack and its code.
const FEW_FAULTS: u64 = 48;
/// Bytes that peak memory may rise by.
const MAX_RISE: u64 = 1024 * 1024;
/// The same for a diagnosis, which writes JSON anew: its tokens, and a few texts of up to four times its length.
const MAX_DIAGNOSIS: u64 = 8 * 1024 * 1024;

/// Page faults of this process so far.
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(7).unwrap().parse().unwrap()
}

/// The most memory that this process had at once, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// One test: another one at the same time would be counted too.
#[test]
fn what_is_over_a_limit_is_refused_unread_and_a_deep_body_is_not_written_out() {
    a_deep_body_is_diagnosed_in_little_memory();
    what_is_over_a_limit_is_refused_unread();
}

/// 64 KiB of commas in 120 brackets would become 16 MiB of indentation, once for each style.
fn a_deep_body_is_diagnosed_in_little_memory() {
    let scheme = scheme::find("clerk").unwrap();
    let draft = Draft { method: "POST", query: "", id: "msg_1", body: b"{}", form: false };
    let mut request = signed::request(&scheme, &draft).unwrap();
    request.body = format!("{}{}{}", "[".repeat(120), vec!["1"; 32_000].join(","), "]".repeat(120)).into_bytes();
    assert!(request.body.len() <= MAX_BODY);
    let verifier = signed::verifier(&scheme);
    request.with(|incoming| {
        let rejection = verifier.verify_request(incoming, signed::NOW).unwrap_err();
        let before = peak();
        assert_eq!(diagnose(&verifier, incoming, &rejection, signed::NOW, &Context::default()), None);
        assert!(peak() - before <= MAX_DIAGNOSIS, "memory rose by {}", peak() - before);
    });
}

fn what_is_over_a_limit_is_refused_unread() {
    let huge = vec![0_u8; HUGE];
    for scheme in scheme::providers() {
        let verifier = signed::verifier(scheme);
        let draft = Draft { method: "POST", query: "", id: "msg_1", body: b"{}", form: true };
        let request = signed::request(scheme, &draft).unwrap();
        assert!(request.verdict(&verifier).is_ok());

        let refused = |incoming: &Incoming<'_>, over: &str| {
            let (faults_before, peak_before) = (faults(), peak());
            let code = verifier.verify_request(incoming, signed::NOW).map(|_| ()).unwrap_err().code();
            let (read, rise) = (faults() - faults_before, peak() - peak_before);
            assert!(read <= FEW_FAULTS, "{} {over} ({code}): {read} pages were read", scheme.provider);
            assert!(rise <= MAX_RISE, "{} {over} ({code}): memory rose by {rise}", scheme.provider);
        };
        with_headers(&request, |headers| refused(&Incoming { method: "POST", path: "", headers, body: &huge }, "body"));
        for at in 0..request.headers.len() {
            with_headers(&request, |headers| {
                let mut headers = headers.to_vec();
                // An id that is not signed may be anything, and a type that nobody knows is no form.
                if !matches!(headers[at].0, b"content-type") {
                    headers[at].1 = &huge;
                    let name = String::from_utf8_lossy(headers[at].0).into_owned();
                    refused(&Incoming { method: "POST", path: "", headers: &headers, body: &request.body }, &name);
                }
            });
        }
    }
    let before = faults();
    assert_eq!(huge.iter().step_by(4096).map(|byte| u64::from(*byte)).sum::<u64>(), 0);
    assert!(faults() - before > FEW_FAULTS, "this system does not count what is read");
}

fn with_headers<T>(request: &Request, with: impl FnOnce(&[(&[u8], &[u8])]) -> T) -> T {
    request.with(|incoming| with(incoming.headers))
}
