//! The labels under which attempts are counted, bounded: a label set costs memory here and in every system that reads it.

use std::collections::{BTreeSet, HashMap};

use crate::store::Fresh;
use crate::store::sqlite::OTHER;

/// Endpoints that are counted apart.
const ENDPOINTS: usize = 200;
/// Event types of one endpoint that are counted apart.
const EVENT_TYPES: usize = 200;

/// Where an attempt is counted.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) provider: String,
    pub(super) endpoint: String,
    /// Empty where it could not be trusted, or there is none.
    pub(super) event_type: String,
}

/// The labels given so far: event types by provider and endpoint.
#[derive(Default)]
pub(super) struct Labels(HashMap<(String, String), BTreeSet<String>>);

impl Labels {
    pub(super) fn of(&mut self, fresh: &Fresh<'_>) -> Series {
        let attempt = fresh.attempt;
        let mut key = (attempt.provider.clone(), attempt.endpoint.clone());
        if !self.0.contains_key(&key) && self.0.len() >= ENDPOINTS {
            key = (OTHER.to_owned(), OTHER.to_owned());
        }
        let (provider, endpoint) = key.clone();
        let known = self.0.entry(key).or_default();
        let event_type = fresh.event_type().unwrap_or_default();
        let event_type = if known.contains(event_type) || known.len() < EVENT_TYPES { event_type } else { OTHER };
        if !known.contains(event_type) {
            known.insert(event_type.to_owned());
        }
        Series { provider, endpoint, event_type: event_type.to_owned() }
    }
}
