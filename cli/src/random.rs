//! The randomness of test events: a small generator that a seed makes repeatable. Not for secrets.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Random(u64);

impl Random {
    /// The same seed gives the same sequence.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence that nobody has seen before.
    pub(crate) fn fresh() -> Self {
        // A system without randomness still gets new ids: the clock differs from run to run.
        let clock = || {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos() as u64)
        };
        Self(getrandom::u64().unwrap_or_else(|_| clock()))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// An identifier in the shape of a KSUID, which is what Clerk and Svix use: `user_2ab…`.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let mut id = String::with_capacity(prefix.len() + 28);
        id.push_str(prefix);
        id.push('_');
        for _ in 0..27 {
            id.push(char::from(BASE62[self.below(62) as usize]));
        }
        id
    }
}
