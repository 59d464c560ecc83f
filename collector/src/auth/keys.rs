//! API keys: shown once, kept as hashes, looked up in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use http::{HeaderMap, header};
use rusqlite::{Connection, params};
use serde::Serialize;
use surehook_core::Timestamp;

use super::{Hash, hash, random_secret};
use crate::error::Error;

/// What every key begins with, so that scanners and people know one when they see it.
const PREFIX: &str = "shk_";
/// Characters of a key that are shown in lists.
const SHOWN: usize = 8;
/// The longest name of a key, in characters.
const LONGEST_NAME: usize = 100;
/// The shortest and the longest key that may be brought along.
const LENGTHS: std::ops::RangeInclusive<usize> = 20..=200;

/// A key as it is listed.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    id: i64,
    name: String,
    prefix: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

/// A key as it is shown, this once.
#[derive(Debug, Serialize)]
pub(crate) struct Created {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) key: String,
}

#[derive(Clone, Copy)]
struct Known {
    id: i64,
    revoked: bool,
}

/// The keys that may send, by hash.
#[derive(Default)]
pub(crate) struct KeyRing(RwLock<HashMap<Hash, Known>>);

impl KeyRing {
    /// Reads all keys.
    pub(crate) fn load(&self, connection: &Connection) -> Result<(), Error> {
        let mut statement = connection.prepare("SELECT hash, id, revoked_at IS NOT NULL FROM api_keys")?;
        let keys = statement
            .query_map([], |row| Ok((row.get(0)?, Known { id: row.get(1)?, revoked: row.get(2)? })))?
            .collect::<Result<_, _>>()?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The number of the key in a request's `Authorization` header.
    pub(crate) fn authorize(&self, headers: &HeaderMap) -> Result<i64, Error> {
        let key = bearer(headers)?;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&hash(key)).copied();
        match known {
            None => Err(Error::InvalidApiKey),
            Some(known) if known.revoked => Err(Error::KeyRevoked),
            Some(known) => Ok(known.id),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Error::MissingApiKey)?;
    let (scheme, key) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(Error::MissingApiKey)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::MissingApiKey);
    }
    let key = key.trim();
    if key.is_empty() {
        return Err(Error::MissingApiKey);
    }
    if key.len() > *LENGTHS.end() {
        return Err(Error::InvalidApiKey);
    }
    Ok(key)
}

/// A new key, not stored yet.
pub(crate) fn new_key() -> Result<String, Error> {
    Ok(format!("{PREFIX}{}", random_secret()?))
}

/// Refuses a name that could not be listed.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::InvalidRequest(format!("a key's name has 1 to {LONGEST_NAME} printable characters")));
    }
    Ok(())
}

/// Refuses a key that was brought along and is not one.
pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    let printable = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !key.starts_with(PREFIX) || !LENGTHS.contains(&key.len()) || !printable {
        return Err(Error::InvalidConfig(format!(
            "an API key is `{PREFIX}` and at least {} letters, digits, `_` or `-`",
            LENGTHS.start() - PREFIX.len()
        )));
    }
    Ok(())
}

/// Stores a key and answers its number, also when it was stored before.
pub(crate) fn insert(connection: &Connection, name: &str, key: &str, now: Timestamp) -> Result<Created, Error> {
    let prefix: String = key.chars().take(SHOWN).collect();
    connection.execute(
        "INSERT INTO api_keys (name, hash, prefix, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![name, hash(key), prefix, now.unix_micros()],
    )?;
    let id = connection.query_row("SELECT id FROM api_keys WHERE hash = ?", [hash(key)], |row| row.get(0))?;
    Ok(Created { id, name: name.to_owned(), prefix, key: key.to_owned() })
}

/// Ends a key's life. `false` when there is no such key, or it was ended before.
pub(crate) fn revoke(connection: &Connection, id: i64, now: Timestamp) -> Result<bool, Error> {
    let changed = connection
        .execute("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", [now.unix_micros(), id])?;
    Ok(changed > 0)
}

/// The keys that may send, oldest first.
pub(crate) fn list(connection: &Connection) -> Result<Vec<Listed>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, prefix, created_at, last_used_at FROM api_keys WHERE revoked_at IS NULL ORDER BY id",
    )?;
    let keys = statement.query_map([], |row| {
        Ok(Listed {
            id: row.get(0)?,
            name: row.get(1)?,
            prefix: row.get(2)?,
            created_at: Timestamp::from_unix_micros(row.get(3)?),
            last_used_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_unix_micros),
        })
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}
