//! The native addon of the `surehook` npm package: converts, forwards, converts back.
//!
//! Everything is synchronous but the two waits, `flush` and `shutdown`. Errors cross as (code, message).

pub mod client;
pub mod convert;
pub mod delivery;
pub mod endpoint;
pub mod verifier;
