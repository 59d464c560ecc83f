//! Counts and latencies by the minute and by the hour.

pub(crate) mod latency;
pub(crate) mod overview;
pub(crate) mod rollup;
