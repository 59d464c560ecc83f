//! By how much this clock and the provider's differ, as recent good requests show it.

/// Requests that are remembered.
const KEPT: usize = 8;
/// Drifts that differ by no more are the same drift, in seconds.
const SAME: i64 = 60;

/// The drifts of the last good requests of one endpoint.
///
/// ```
/// use surehook_core::diagnose::Drift;
///
/// let mut drift = Drift::default();
/// (0..10).for_each(|seconds| drift.push(seconds));
/// assert_eq!(drift.recent(), [8, 9, 2, 3, 4, 5, 6, 7]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Drift {
    seconds: [i64; KEPT],
    pushed: usize,
}

impl Drift {
    /// Remembers a good request whose signed time lay this many seconds behind the clock.
    pub fn push(&mut self, seconds_behind: i64) {
        self.seconds[self.pushed % KEPT] = seconds_behind;
        self.pushed += 1;
    }

    /// What is remembered, in no particular order.
    pub fn recent(&self) -> &[i64] {
        &self.seconds[..self.pushed.min(KEPT)]
    }
}

/// What shows whether the clock is off or the request is late.
pub(super) fn evidence(behind: i64, recent: &[i64]) -> String {
    let off = match behind >= 0 {
        true => format!("The signature is right, and was made {behind} s before this clock's time"),
        false => format!("The signature is right, and was made {} s after this clock's time", behind.abs()),
    };
    let mut sorted = recent.to_vec();
    sorted.sort_unstable();
    match sorted.get(sorted.len() / 2) {
        None => format!("{off}; no recent good request tells whether the clock is off or the request was held back."),
        Some(usual) if (usual - behind).abs() <= SAME => {
            format!("{off}; recent good requests drift by {usual} s too, so the clock of this machine is off.")
        }
        Some(usual) => {
            format!(
                "{off}; recent good requests drift by {usual} s, so the clock is right and this request was held back or replayed."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_drift_blames_the_clock_and_another_the_request() {
        assert!(evidence(-400, &[-290, -380, -395]).contains("clock of this machine is off"));
        assert!(evidence(900, &[1, 0, 2]).contains("held back or replayed"));
        assert!(evidence(900, &[]).contains("no recent good request"));
    }
}
