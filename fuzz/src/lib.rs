//! What each fuzz target does with its input. The core's tests include this file to replay the kept inputs on stable Rust.
#![allow(unreachable_pub, reason = "a library for the targets, a module for the core's test")]

#[path = "../../core/tests/signed/mod.rs"]
mod signed;

pub mod diagnosis;
mod edit;
pub mod envelope;
pub mod headers;
mod input;
mod reference;
pub mod scheme;
pub mod secret;
pub mod verify;

/// A target: it panics when something that must hold does not.
pub type Target = fn(&[u8]);

/// Every target, with the name of its corpus.
pub const ALL: [(&str, Target); 6] = [
    ("diagnosis", diagnosis::run),
    ("envelope", envelope::run),
    ("headers", headers::run),
    ("scheme", scheme::run),
    ("secret", secret::run),
    ("verify", verify::run),
];
