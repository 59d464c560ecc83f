//! A latency histogram that is small on the disk and can be added to others.
//!
//! The bins are those of an HDR histogram of two significant digits: every figure is right within 1 %. Only bins that
//! hold something are kept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hdrhistogram::Histogram;

/// The longest latency told apart: one hour, in microseconds.
const LONGEST: u64 = 3_600_000_000;

/// Bounds and precision of the bins. To change them is to change the format on the disk.
static BINS: LazyLock<Option<Histogram<u64>>> = LazyLock::new(|| Histogram::new_with_bounds(1, LONGEST, 2).ok());

/// Latencies in microseconds: how many fell in each bin, by the bin's lowest value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Latency(BTreeMap<u64, u64>);

impl Latency {
    /// Counts one latency.
    pub(crate) fn record(&mut self, micros: u64) {
        let micros = micros.min(LONGEST);
        let bin = BINS.as_ref().map_or(micros, |bins| bins.lowest_equivalent(micros));
        *self.0.entry(bin).or_default() += 1;
    }

    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: &Latency) {
        for (bin, count) in &other.0 {
            *self.0.entry(*bin).or_default() += count;
        }
    }

    /// The latencies under which the given shares of all fall; `None` when nothing was counted.
    pub(crate) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[u64; N]> {
        let mut histogram = BINS.as_ref().filter(|_| !self.0.is_empty())?.clone();
        for (bin, count) in &self.0 {
            histogram.saturating_record_n(*bin, *count);
        }
        Some(shares.map(|share| histogram.value_at_quantile(share)))
    }

    /// The bytes it is kept as: for each bin, the distance to the bin before and the count, as LEB128 numbers.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 4);
        let mut last = 0;
        for (bin, count) in &self.0 {
            write_number(&mut bytes, bin - last);
            write_number(&mut bytes, *count);
            last = *bin;
        }
        bytes
    }

    /// Reads what [`Latency::to_bytes`] wrote. Damaged bytes end the reading; what came before them counts.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Self {
        let mut bins = BTreeMap::new();
        let mut last = 0_u64;
        while let (Some(distance), Some(count)) = (read_number(&mut bytes), read_number(&mut bytes)) {
            last = last.saturating_add(distance);
            bins.insert(last, count);
        }
        Self(bins)
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_one_percent() {
        let mut latency = Latency::default();
        (1..=10_000).for_each(|micros| latency.record(micros));
        let [median, p95] = latency.quantiles([0.5, 0.95]).unwrap();
        assert!((4_950..=5_050).contains(&median), "{median}");
        assert!((9_405..=9_595).contains(&p95), "{p95}");
    }

    #[test]
    fn parts_added_equal_the_whole() {
        let (mut whole, mut even, mut odd) = (Latency::default(), Latency::default(), Latency::default());
        for micros in 0..5_000_u64 {
            whole.record(micros * 37);
            if micros % 2 == 0 { &mut even } else { &mut odd }.record(micros * 37);
        }
        even.add(&Latency::from_bytes(&odd.to_bytes()));
        assert_eq!(even, whole);
    }

    #[test]
    fn nothing_counted_has_no_quantiles() {
        assert_eq!(Latency::default().quantiles([0.5]), None);
    }

    #[test]
    fn the_longest_latency_is_an_hour() {
        let mut latency = Latency::default();
        latency.record(u64::MAX);
        let [most] = latency.quantiles([1.0]).unwrap();
        assert!(most >= LONGEST);
    }

    #[test]
    fn damaged_bytes_are_no_panic() {
        assert_eq!(Latency::from_bytes(&[0xff; 40]), Latency::default());
        assert_eq!(Latency::from_bytes(&[1, 2, 0x80]), Latency(BTreeMap::from([(1, 2)])));
    }
}
