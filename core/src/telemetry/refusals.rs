//! Which refused requests are told in full, and which are only counted.
//!
//! Anybody can send requests that are refused, as many as he likes. So in each minute an endpoint tells in full those whose
//! cause was proved, up to a bound, and of the rest a few: the first ones at once, so that the owner need not wait for a minute to
//! end, and random ones of those that follow, so that whoever sends many cannot keep one of another out. All others are counted
//! by what they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use crate::diagnose::Finding;
use crate::error::ReasonCode;
use crate::time::Timestamp;

/// The most requests of a minute that are told in full because their cause was proved.
pub const PROVED: u32 = 60;
/// How many of the rest are told in full.
pub const SAMPLED: usize = 10;
/// How many of these are the first ones of the minute, told at once.
pub const AT_ONCE: usize = 5;
/// The most kinds that are told apart; beyond it those that have a finding lose it.
const KINDS: usize = 1_000;
/// A minute, in seconds.
const MINUTE: i64 = 60;

/// What a refused request is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind {
    /// The endpoint's name.
    pub endpoint: String,
    /// The provider's name.
    pub provider: String,
    /// Why it was refused.
    pub code: ReasonCode,
    /// The cause that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// What it looked like.
    pub shape: Shape,
}

/// What a refused request looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// It named a message, as those of the provider do.
    Named,
    /// It did not.
    Nameless,
}

impl Shape {
    /// The stable name: `named` or `nameless`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Nameless => "nameless",
        }
    }
}

/// How many refused requests of a kind were counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What they are.
    #[serde(flatten)]
    pub kind: Kind,
    /// How many they are.
    pub count: u64,
}

/// Counts by kind.
pub type Tally = BTreeMap<Kind, u64>;

/// What is to be done with an attempt that was just refused.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It is told in full, now.
    Told(Box<Attempt>),
    /// It is kept here, or counted: nothing.
    Kept,
}

/// What leaves at the end of a minute.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The few that are told in full.
    pub sample: Vec<Attempt>,
    /// The counts of the others.
    pub counted: Tally,
}

/// The refused requests of the running minute, by endpoint.
#[derive(Debug, Default)]
pub struct Refusals {
    endpoints: BTreeMap<(String, String), Minute>,
}

#[derive(Debug)]
struct Minute {
    number: i64,
    proved: u32,
    /// All but the proved ones that were told.
    others: u64,
    /// How many of the rest were told already.
    drawn: usize,
    sample: Vec<(Kind, Attempt)>,
    counted: Tally,
}

impl Refusals {
    /// Takes a refused request. `proved`: an experiment found its cause. `random` decides whether it is one of the few; the
    /// attempt is only made when it is told, or may be. What is held of earlier minutes is [drawn](Self::draw) before.
    pub fn add(
        &mut self,
        kind: Kind,
        proved: bool,
        now: Timestamp,
        random: u64,
        attempt: impl FnOnce() -> Attempt,
    ) -> Verdict {
        let number = now.unix_seconds().div_euclid(MINUTE);
        let key = (kind.endpoint.clone(), kind.provider.clone());
        let minute = self.endpoints.entry(key).or_insert_with(|| Minute::new(number));
        if proved && minute.proved < PROVED {
            minute.proved += 1;
            return Verdict::Told(Box::new(attempt()));
        }
        minute.others += 1;
        if minute.others <= AT_ONCE as u64 {
            minute.drawn += 1;
            return Verdict::Told(Box::new(attempt()));
        }
        minute.sample(kind, random, attempt);
        Verdict::Kept
    }

    /// What leaves now: of minutes that have ended, or all of it.
    pub fn draw(&mut self, now: Timestamp, all: bool) -> Drawn {
        let number = now.unix_seconds().div_euclid(MINUTE);
        let mut drawn = Drawn::default();
        self.endpoints.retain(|_, minute| {
            let ended = minute.number != number;
            if all || ended {
                minute.drawn += minute.sample.len();
                drawn.sample.extend(minute.sample.drain(..).map(|(_, attempt)| attempt));
                for (kind, count) in std::mem::take(&mut minute.counted) {
                    add(&mut drawn.counted, kind, count);
                }
            }
            !ended
        });
        drawn
    }

    /// How many are held here.
    pub fn held(&self) -> u64 {
        let held = |minute: &Minute| minute.sample.len() as u64 + minute.counted.values().sum::<u64>();
        self.endpoints.values().map(held).sum()
    }

    /// Forgets all that is held, and answers how many those were.
    pub fn give_up(&mut self) -> u64 {
        let held = self.held();
        self.endpoints.clear();
        held
    }
}

impl Minute {
    fn new(number: i64) -> Self {
        Self { number, proved: 0, others: 0, drawn: 0, sample: Vec::new(), counted: Tally::new() }
    }

    /// Keeps one of many with the same chance for each (Vitter's algorithm R).
    fn sample(&mut self, kind: Kind, random: u64, attempt: impl FnOnce() -> Attempt) {
        let room = SAMPLED - self.drawn.min(SAMPLED);
        if self.sample.len() < room {
            self.sample.push((kind, attempt()));
            return;
        }
        // The chance that this is off by one place is below one in 2^50.
        let seen = self.others - AT_ONCE as u64;
        let place = usize::try_from(random % seen).unwrap_or(usize::MAX);
        let counted = match self.sample.get_mut(place) {
            Some(kept) => std::mem::replace(kept, (kind, attempt())).0,
            None => kind,
        };
        add(&mut self.counted, counted, 1);
    }
}

/// Adds to a tally of bounded size.
pub(super) fn add(tally: &mut Tally, mut kind: Kind, count: u64) {
    if tally.len() >= KINDS && !tally.contains_key(&kind) {
        kind.finding = None;
    }
    *tally.entry(kind).or_default() += count;
}

/// Which refusals are said in the log, a line each, and what is said of the others.
#[derive(Debug, Default)]
pub struct Log {
    minute: i64,
    proved: u32,
    others: usize,
    unsaid: BTreeMap<ReasonCode, u64>,
}

impl Log {
    /// Whether a refusal is said in full, and the line that sums up the minute before, where some were not.
    pub fn hear(&mut self, code: ReasonCode, proved: bool, now: Timestamp) -> (bool, Option<String>) {
        let minute = now.unix_seconds().div_euclid(MINUTE);
        let mut summary = None;
        if minute != self.minute {
            summary = self.summary();
            *self = Self { minute, ..Self::default() };
        }
        let said = match proved {
            true => self.proved < PROVED,
            false => self.others < SAMPLED,
        };
        match (said, proved) {
            (true, true) => self.proved += 1,
            (true, false) => self.others += 1,
            (false, _) => *self.unsaid.entry(code).or_default() += 1,
        }
        (said, summary)
    }

    fn summary(&self) -> Option<String> {
        let count: u64 = self.unsaid.values().sum();
        let codes: Vec<String> = self.unsaid.iter().map(|(code, count)| format!("{} {count}", code.as_str())).collect();
        (count > 0).then(|| format!("{count} more requests were rejected within a minute: {}", codes.join(", ")))
    }
}
