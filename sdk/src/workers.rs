//! Several workers of one server, each with a memory of its own.

use std::sync::Once;

use crate::notice::{self, Level};

/// Which worker of its server a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers {
    /// How many there are, where that is known.
    pub count: Option<u32>,
    /// Which of them this process is, from 1. The process that starts them is 1 too: it speaks for all.
    pub number: u32,
}

impl Workers {
    /// Whether this is the one of several workers that says it, so that it is said once: the first, or, where nobody knows
    /// how many there are, the second, which is the proof.
    fn speaks_for_several(self) -> bool {
        match self.count {
            Some(count) => count > 1 && self.number == 1,
            None => self.number == 2,
        }
    }
}

/// Says once that workers do not share the memory that an endpoint de-duplicates with.
pub(crate) fn warn_of_memory(workers: Option<Workers>) {
    static SAID: Once = Once::new();
    let Some(workers) = workers.filter(|workers| workers.speaks_for_several()) else { return };
    SAID.call_once(|| notice::give(Level::Warning, warning(workers)));
}

fn warning(workers: Workers) -> String {
    let count = workers.count.map_or_else(|| "several".to_owned(), |count| count.to_string());
    format!(
        "{count} workers de-duplicate with a memory each, so a duplicate that reaches another worker is handled again; \
         give the endpoints a store that they share: dedup=\"sqlite:///var/lib/app/dedup.db\" on one host, \
         dedup=\"redis://host:6379/0\" on several. See {}/blob/main/docs/dedup.md",
        env!("CARGO_PKG_REPOSITORY")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_workers_speaks() {
        let speaks = |count, number| Workers { count, number }.speaks_for_several();
        assert!(speaks(Some(4), 1));
        assert!(speaks(None, 2));
        for (count, number) in [(Some(4), 2), (Some(1), 1), (Some(0), 1), (None, 1), (None, 3)] {
            assert!(!speaks(count, number), "{count:?} {number}");
        }
    }

    #[test]
    fn it_is_said_once_with_what_to_add() {
        let several = Some(Workers { count: Some(4), number: 1 });
        for workers in [None, Some(Workers { count: Some(1), number: 1 }), several, several] {
            warn_of_memory(workers);
        }
        let said: Vec<_> =
            notice::take_notices().into_iter().filter(|notice| notice.text.contains("workers de-duplicate")).collect();
        let [said] = said.as_slice() else { panic!("{said:?}") };
        assert!(said.text.starts_with("4 workers") && said.text.contains("dedup=\"sqlite:///"));
    }
}
