//! Endpoints and event types as numbers, remembered by the writer so that an attempt need not look them up.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::error::Error;

/// Event types of one endpoint that are counted apart. A sender that makes types up must not fill the dashboard.
pub(crate) const EVENT_TYPES: usize = 1_000;

/// The event type under which those beyond [`EVENT_TYPES`] are counted together.
pub(crate) const OTHER: &str = "_other";

/// Endpoints remembered at a time; beyond it the memory is emptied and filled anew.
const REMEMBERED: usize = 1_000;

/// Where an attempt is counted.
pub(super) struct Place {
    /// The endpoint's number.
    pub(super) endpoint: i64,
    /// The series' number.
    pub(super) series: i64,
    /// Its event type is counted under [`OTHER`].
    pub(super) beyond_cap: bool,
}

/// What the writer remembers of the tables `endpoints` and `series`. Thrown away when a transaction fails.
#[derive(Default)]
pub(super) struct Catalog {
    /// By endpoint name, then by provider.
    endpoints: HashMap<String, HashMap<String, Endpoint>>,
}

struct Endpoint {
    id: i64,
    untyped: Option<i64>,
    typed: HashMap<String, i64>,
}

impl Catalog {
    /// The numbers for an endpoint and an event type, made on first sight.
    pub(super) fn place(
        &mut self,
        transaction: &Transaction<'_>,
        name: &str,
        provider: &str,
        event_type: Option<&str>,
    ) -> Result<Place, Error> {
        let endpoint = self.endpoint(transaction, name, provider)?;
        let (series, beyond_cap) = endpoint.series(transaction, event_type)?;
        Ok(Place { endpoint: endpoint.id, series, beyond_cap })
    }

    fn endpoint(&mut self, transaction: &Transaction<'_>, name: &str, provider: &str) -> Result<&mut Endpoint, Error> {
        let known = self.endpoints.get(name).is_some_and(|providers| providers.contains_key(provider));
        if !known {
            if self.endpoints.len() >= REMEMBERED {
                self.endpoints.clear();
            }
            let loaded = Endpoint::load(transaction, name, provider)?;
            self.endpoints.entry(name.to_owned()).or_default().insert(provider.to_owned(), loaded);
        }
        self.endpoints.get_mut(name).and_then(|providers| providers.get_mut(provider)).ok_or(Error::StorageUnavailable)
    }
}

impl Endpoint {
    fn load(transaction: &Transaction<'_>, name: &str, provider: &str) -> Result<Self, Error> {
        let found = transaction
            .query_row("SELECT id FROM endpoints WHERE name = ? AND provider = ?", [name, provider], |row| row.get(0))
            .optional()?;
        let Some(id) = found else {
            transaction.execute("INSERT INTO endpoints (name, provider) VALUES (?, ?)", [name, provider])?;
            return Ok(Self { id: transaction.last_insert_rowid(), untyped: None, typed: HashMap::new() });
        };
        let mut endpoint = Self { id, untyped: None, typed: HashMap::new() };
        let mut statement = transaction.prepare("SELECT id, event_type FROM series WHERE endpoint = ?")?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            match row.get::<_, Option<String>>(1)? {
                None => endpoint.untyped = Some(row.get(0)?),
                Some(event_type) => {
                    endpoint.typed.insert(event_type, row.get(0)?);
                }
            }
        }
        Ok(endpoint)
    }

    /// The series' number, and whether it is the one for types beyond the cap.
    fn series(&mut self, transaction: &Transaction<'_>, event_type: Option<&str>) -> Result<(i64, bool), Error> {
        let Some(event_type) = event_type else {
            let id = match self.untyped {
                Some(id) => id,
                None => self.insert(transaction, None)?,
            };
            self.untyped = Some(id);
            return Ok((id, false));
        };
        if let Some(id) = self.typed.get(event_type) {
            return Ok((*id, false));
        }
        let beyond_cap = self.typed.len() >= EVENT_TYPES;
        let counted_as = if beyond_cap { OTHER } else { event_type };
        if let Some(id) = self.typed.get(counted_as) {
            return Ok((*id, beyond_cap));
        }
        let id = self.insert(transaction, Some(counted_as))?;
        self.typed.insert(counted_as.to_owned(), id);
        Ok((id, beyond_cap))
    }

    fn insert(&self, transaction: &Transaction<'_>, event_type: Option<&str>) -> Result<i64, Error> {
        transaction.execute("INSERT INTO series (endpoint, event_type) VALUES (?, ?)", params![self.id, event_type])?;
        Ok(transaction.last_insert_rowid())
    }
}
