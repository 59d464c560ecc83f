//! Judges requests for the differential tests of `tests/vectors`: on standard input one row of `verify.json` a line, on
//! standard output the code of its refusal, or `ok`, a line.

#![allow(clippy::unwrap_used, reason = "a line that cannot be read ends the run")]

#[path = "../tests/rows/mod.rs"]
mod rows;

use std::io::{BufRead, stdin};

use rows::VerifyRow;
use serde::de::IgnoredAny;

fn main() {
    for line in stdin().lock().lines() {
        println!("{}", judge(&serde_json::from_str(&line.unwrap()).unwrap()));
    }
}

fn judge(row: &VerifyRow<IgnoredAny>) -> &'static str {
    match row.verifier() {
        Ok(verifier) => row.with_request(|incoming, now| {
            verifier.verify_request(incoming, now).map_or_else(|rejection| rejection.code().as_str(), |_| "ok")
        }),
        Err(error) => error.code(),
    }
}
