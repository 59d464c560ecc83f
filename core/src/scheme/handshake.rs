//! The questions that a provider asks an endpoint before it sends events.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::path::Path;

/// How a provider makes sure that an endpoint is its user's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Handshake {
    /// A signed request whose field is sent back under its own name (Slack).
    Echo {
        /// The values that tell it from an event, by their paths.
        when: BTreeMap<String, Value>,
        /// What is sent back.
        field: Path,
    },
    /// A signed request whose field is sent back with its HMAC-SHA-256 (Zoom).
    Hmac {
        /// The values that tell it from an event, by their paths.
        when: BTreeMap<String, Value>,
        /// What is sent back.
        field: Path,
    },
    /// A signed request with a fixed answer (Discord).
    Reply {
        /// The values that tell it from an event, by their paths.
        when: BTreeMap<String, Value>,
        /// The answer's status.
        #[serde(default = "ok")]
        status: u16,
        /// The answer's JSON; none by default.
        #[serde(default)]
        body: Option<Value>,
    },
    /// An unsigned GET that carries a token the user chose (Meta).
    Subscribe,
}

fn ok() -> u16 {
    200
}
