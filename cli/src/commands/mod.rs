//! One file for each command.

pub(crate) mod dedup;
pub(crate) mod dev;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod verify;
