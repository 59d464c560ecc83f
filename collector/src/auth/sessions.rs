//! Logins of the dashboard: kept in memory, so a restart logs everybody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, header};
use surehook_core::Timestamp;

use super::{Hash, hash, random_secret};
use crate::error::Error;

/// The cookie that carries a session.
const COOKIE: &str = "surehook_session";
/// How long a login lasts.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Logins remembered at a time; beyond it the one that ends first is forgotten.
const MOST: usize = 1_000;

/// The logins, by the hash of their secret, with their end.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Hash, Timestamp>>);

impl Sessions {
    /// Begins a session and answers the `Set-Cookie` value. `secure`: the page was reached by HTTPS.
    pub(crate) fn begin(&self, now: Timestamp, secure: bool) -> Result<String, Error> {
        let secret = random_secret()?;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, end| *end > now);
        if sessions.len() >= MOST {
            let first = sessions.iter().min_by_key(|(_, end)| **end).map(|(session, _)| *session);
            first.map(|session| sessions.remove(&session));
        }
        sessions.insert(hash(&secret), now + LIFETIME);
        let secure = if secure { "; Secure" } else { "" };
        let seconds = LIFETIME.as_secs();
        Ok(format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"))
    }

    /// The request carries a session that has not ended.
    pub(crate) fn holds(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cookies(headers).any(|secret| sessions.get(&hash(secret)).is_some_and(|end| *end > now))
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, secret)| secret)
}
