//! What `surehook send` prints: a line for each request, then a summary.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;

use crate::delivery::Kind;
use crate::verdict::Verdict;

/// One request and what came of it.
pub(crate) struct Delivered {
    pub(crate) message_id: String,
    pub(crate) event_type: String,
    pub(crate) kind: Kind,
    /// Absent when no answer came.
    pub(crate) status: Option<u16>,
    pub(crate) latency: Duration,
    pub(crate) verdict: Verdict,
}

/// Prints deliveries as they come and counts them.
pub(crate) struct Report<W> {
    out: W,
    json: bool,
    counts: Counts,
    latencies: Vec<Duration>,
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: u32,
    pub(crate) handled: u32,
    pub(crate) replayed: u32,
    pub(crate) refused: u32,
    pub(crate) unexpected: u32,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(out: W, json: bool) -> Self {
        Self { out, json, counts: Counts::default(), latencies: Vec::new() }
    }

    pub(crate) fn add(&mut self, delivered: &Delivered) -> io::Result<()> {
        self.counts.requests += 1;
        match delivered.verdict {
            Verdict::Handled => self.counts.handled += 1,
            Verdict::Replayed => self.counts.replayed += 1,
            Verdict::Refused => self.counts.refused += 1,
            Verdict::Unexpected(_) => self.counts.unexpected += 1,
        }
        self.latencies.push(delivered.latency);
        match self.json {
            true => self.json_line(delivered),
            false => self.text_line(delivered),
        }
    }

    fn text_line(&mut self, delivered: &Delivered) -> io::Result<()> {
        let status = delivered.status.map_or("---".to_owned(), |status| status.to_string());
        let milliseconds = delivered.latency.as_secs_f64() * 1_000.0;
        let note = match (&delivered.verdict, delivered.kind) {
            (Verdict::Unexpected(problem), _) => format!("UNEXPECTED: {problem}"),
            (verdict, Kind::Original) => verdict.as_str().to_owned(),
            (verdict, kind) => format!("{} ({})", verdict.as_str(), kind.as_str()),
        };
        writeln!(
            self.out,
            "{:>5}  {:<30} {}  {status}  {milliseconds:>8.1} ms  {note}",
            self.counts.requests, delivered.event_type, delivered.message_id,
        )
    }

    fn json_line(&mut self, delivered: &Delivered) -> io::Result<()> {
        let problem = match &delivered.verdict {
            Verdict::Unexpected(problem) => Some(problem),
            _ => None,
        };
        let line = json!({
            "message_id": delivered.message_id,
            "event_type": delivered.event_type,
            "kind": delivered.kind.as_str(),
            "status": delivered.status,
            "latency_us": delivered.latency.as_micros() as u64,
            "verdict": delivered.verdict.as_str(),
            "problem": problem,
        });
        writeln!(self.out, "{line}")
    }

    /// Prints the summary and gives the counts.
    pub(crate) fn finish(mut self) -> io::Result<Counts> {
        self.latencies.sort_unstable();
        let (p50, p95) = (percentile(&self.latencies, 50), percentile(&self.latencies, 95));
        let Counts { requests, handled, replayed, refused, unexpected } = self.counts;
        if self.json {
            let summary = json!({ "summary": {
                "requests": requests, "handled": handled, "replayed": replayed, "refused": refused,
                "unexpected": unexpected, "p50_us": p50.as_micros() as u64, "p95_us": p95.as_micros() as u64,
            } });
            writeln!(self.out, "{summary}")?;
        } else {
            writeln!(
                self.out,
                "\n{requests} requests: {handled} handled, {replayed} replayed, {refused} refused, {unexpected} unexpected \
                 · p50 {:.1} ms, p95 {:.1} ms",
                p50.as_secs_f64() * 1_000.0,
                p95.as_secs_f64() * 1_000.0,
            )?;
        }
        self.out.flush()?;
        Ok(self.counts)
    }
}

/// The nearest-rank percentile of sorted values; zero when there are none.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(10));
        assert_eq!(percentile(&sorted, 95), Duration::from_millis(19));
        assert_eq!(percentile(&sorted[..1], 95), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
