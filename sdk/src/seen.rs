//! Whether a refused request came before, in a table of fixed size: whoever forges requests cannot make it grow.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

/// Marks that are kept, four bytes each. A new one takes the place of an old one.
const MARKS: usize = 1 << 17;
/// Of a body so much is looked at, from its start and from its end: it bounds what a forged request costs. Whoever makes two bodies
/// alike in these could as well send one of them twice.
const EDGE: usize = 4 * 1024;

/// The requests that were refused before. What is kept says nothing of them: the hash has a key of its own.
pub(crate) struct Seen {
    marks: Box<[AtomicU32]>,
    hasher: RandomState,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self { marks: (0..MARKS).map(|_| AtomicU32::new(0)).collect(), hasher: RandomState::new() }
    }

    /// Whether a request with this id or this body was here before; from now on it was.
    pub(crate) fn note(&self, claimed_id: Option<&str>, body: &[u8]) -> bool {
        let id = claimed_id.is_some_and(|id| self.note_hash(self.hasher.hash_one(("id", id))));
        let edges = (&body[..body.len().min(EDGE)], &body[body.len().saturating_sub(EDGE)..]);
        let body = self.note_hash(self.hasher.hash_one(("body", body.len(), edges)));
        id || body
    }

    fn note_hash(&self, hash: u64) -> bool {
        let place = usize::try_from(hash % MARKS as u64).unwrap_or_default();
        // Zero is an empty place.
        let mark = u32::try_from(hash >> 32).unwrap_or_default() | 1;
        self.marks[place].swap(mark, Ordering::Relaxed) == mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_or_a_body_that_comes_again_is_known_and_another_is_not() {
        let seen = Seen::new();
        assert!(!seen.note(Some("msg_1"), b"{}"));
        assert!(seen.note(Some("msg_1"), b"{\"another\":1}"));
        assert!(seen.note(Some("msg_2"), b"{}"));
        assert!(!seen.note(Some("msg_3"), b"{\"a third\":1}"));
        assert!(!seen.note(None, b"msg_1"));
    }

    #[test]
    fn a_flood_of_others_leaves_it_no_larger_and_most_of_a_few_seconds_known() {
        let seen = Seen::new();
        for n in 0..10_000 {
            seen.note(Some(&format!("forged_{n}")), format!("{n}").as_bytes());
        }
        let known = (9_000..10_000).filter(|n| seen.note(Some(&format!("forged_{n}")), b"x")).count();
        assert_eq!(seen.marks.len(), MARKS);
        assert!(known > 900, "{known}");
    }
}
