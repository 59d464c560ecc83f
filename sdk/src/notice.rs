//! What the SDK has to say to the owner of the application, for the host language to log.
//!
//! The SDK never writes to a stream and never calls into the host from a thread of its own: the host takes the notices
//! after each call and gives them to its logger.

use std::sync::LazyLock;

use crossbeam_queue::ArrayQueue;

/// Notices beyond this many are not kept until somebody takes them.
const CAPACITY: usize = 256;

static NOTICES: LazyLock<ArrayQueue<Notice>> = LazyLock::new(|| ArrayQueue::new(CAPACITY));

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is not as it should be; webhooks are still handled.
    Warning,
    /// Something is lost or refused because of a fault on this side.
    Error,
}

impl Level {
    /// `info`, `warning` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One line for the application's log. It holds no secret, no signature and no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// One line of text.
    pub text: String,
}

/// Takes the notices that came up since the last call, oldest first.
///
/// ```
/// for notice in surehook::take_notices() {
///     eprintln!("surehook {}: {}", notice.level.as_str(), notice.text);
/// }
/// ```
pub fn take_notices() -> Vec<Notice> {
    std::iter::from_fn(|| NOTICES.pop()).collect()
}

/// Keeps a notice; the oldest gives way when nobody takes them.
pub(crate) fn give(level: Level, text: impl Into<String>) {
    NOTICES.force_push(Notice { level, text: text.into() });
}
