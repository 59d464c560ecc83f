//! Messages: the attempts that share a provider's message id, seen as one thing.

pub(crate) mod cases;
pub(crate) mod habit;
pub(crate) mod missed;
pub(crate) mod query;
pub(crate) mod state;
