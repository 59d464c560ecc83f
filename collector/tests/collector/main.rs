//! The collector from outside: its router where that is enough, real sockets where it is not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod access;
mod api;
mod bad_input;
mod cases;
mod contract;
mod deferred;
mod export;
mod health;
mod ingest;
mod later_version;
mod learned;
mod live;
mod migrate;
mod nginx;
mod setup;
