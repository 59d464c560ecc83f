//! The native addon of the `surehook` npm package: converts, forwards, converts back.
//!
//! Everything is synchronous but the two waits, `flush` and `shutdown`, and what has to be asked of a store on the other side of
//! a network: there `begin` and `finish` give promises. Errors cross as (code, message).

pub mod client;
pub mod convert;
pub mod deferred;
pub mod delivery;
pub mod endpoint;
mod promise;
pub mod question;
pub mod screening;
pub mod secret;
pub mod testing;
pub mod verifier;
