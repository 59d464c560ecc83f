//! The learned steps of each series, remembered by the writer and written back once for each transaction.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::error::Error;
use crate::messages::habit::{Habit, Lacking};

/// Series remembered at a time; beyond it the memory is emptied and filled anew.
const REMEMBERED: usize = 1_000;

/// What the writer remembers of the table `habits`. Thrown away when a transaction fails.
#[derive(Default)]
pub(super) struct Habits {
    known: HashMap<i64, Habit>,
    changed: HashSet<i64>,
}

impl Habits {
    /// The usual steps that a processed message of a series lacks. Then learns from it.
    pub(super) fn judge(
        &mut self,
        transaction: &Transaction<'_>,
        series: i64,
        done: &BTreeSet<&str>,
    ) -> Result<Vec<Lacking>, Error> {
        let habit = match self.known.entry(series) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(load(transaction, series)?),
        };
        let lacking = habit.lacking(done);
        if habit.learn(done) {
            self.changed.insert(series);
        }
        Ok(lacking)
    }

    /// Writes down what changed.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let mut statement =
            transaction.prepare_cached("INSERT OR REPLACE INTO habits (series, habit) VALUES (?, ?)")?;
        for series in self.changed.drain() {
            if let Some(habit) = self.known.get(&series) {
                statement.execute(params![series, habit.to_text()])?;
            }
        }
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
        Ok(())
    }
}

/// Reads what was learned of a series. A row that cannot be read is learned anew.
fn load(transaction: &Transaction<'_>, series: i64) -> Result<Habit, Error> {
    let mut statement = transaction.prepare_cached("SELECT habit FROM habits WHERE series = ?")?;
    let stored = statement.query_row([series], |row| Ok(row.get_ref(0)?.as_str().ok().and_then(Habit::from_text)));
    match stored.optional()? {
        None => Ok(Habit::default()),
        Some(Some(habit)) => Ok(habit),
        Some(None) => {
            tracing::warn!(series, "what was learned of a series cannot be read: it is learned anew");
            Ok(Habit::default())
        }
    }
}
