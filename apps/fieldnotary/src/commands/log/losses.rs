//! Entries that cannot be read, in the place where they are missing, and whether the log names them itself.

use super::printer::named;
use crate::commands::entries::Absent;
use crate::commands::words;
use evidence::{Entry, Generation, Payload};
use serde_json::{Value, json};

/// A stretch of entries that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Missing(pub(in crate::commands) Absent);

impl Missing {
    /// The first of them, as the log names entries.
    pub(super) fn id(&self) -> String {
        named(self.0.generation, self.0.first)
    }

    /// How many, which and why.
    pub(in crate::commands) fn words(&self) -> String {
        let absent = &self.0;
        let many = words::count(absent.count(), "entry", "entries");
        let which = match absent.count() {
            1 => self.id(),
            _ => format!(
                "{} to {}",
                self.id(),
                named(absent.generation, absent.last())
            ),
        };
        format!("{many} cannot be read, {which}: {}", absent.why)
    }

    /// The record for programs; salvaged entries have the same keys.
    pub(in crate::commands) fn json(&self) -> Value {
        let absent = &self.0;
        json!({
            "generation": absent.generation.0,
            "missing_first": absent.first,
            "missing_last": absent.last(),
            "missing": absent.count(),
            "cause": absent.cause,
            "words": absent.why,
        })
    }
}

/// What LOSS entries of the log name.
#[derive(Debug, Default)]
pub(in crate::commands) struct NamedLosses(Vec<(Generation, u64, u64)>);

impl NamedLosses {
    /// Takes what an entry names.
    pub(in crate::commands) fn observe(&mut self, entry: &Entry, payload: Option<&Payload>) {
        if let Some(Payload::Loss(loss)) = payload {
            let end = loss.first.0.saturating_add(loss.count);
            self.0.push((entry.header.generation, loss.first.0, end));
        }
    }

    /// Entries of these stretches that no LOSS entry names.
    pub(in crate::commands) fn unnamed(&self, missing: &[Missing]) -> u64 {
        let lost = missing.iter().filter(|Missing(absent)| !absent.retired);
        let unnamed = lost.map(|Missing(absent)| self.left_of(absent));
        unnamed.fold(0, u64::saturating_add)
    }

    /// Several entries may name one stretch, each a part of it.
    fn left_of(&self, absent: &Absent) -> u64 {
        let own = self.0.iter();
        let mut parts: Vec<(u64, u64)> = own
            .filter(|(generation, ..)| *generation == absent.generation)
            .map(|(_, first, end)| (*first, *end))
            .collect();
        parts.sort_unstable();
        let (mut at, mut left) = (absent.first, 0u64);
        for (first, end) in parts {
            left += first.min(absent.end).saturating_sub(at);
            at = at.max(end).max(first.min(absent.end));
        }
        left + absent.end.saturating_sub(at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Missing, NamedLosses};
    use crate::commands::entries::Absent;
    use evidence::Generation;

    fn missing(generation: u64, first: u64, end: u64) -> Missing {
        Missing(Absent {
            generation: Generation(generation),
            first,
            end,
            cause: "frame_damaged".to_owned(),
            why: "the bytes of their frame are damaged".to_owned(),
            retired: false,
        })
    }

    #[test]
    fn a_stretch_is_named_by_the_entries_of_its_generation_together() {
        let named = |spans: &[(u64, u64, u64)]| {
            let spans = spans.iter();
            NamedLosses(
                spans
                    .map(|(generation, first, end)| (Generation(*generation), *first, *end))
                    .collect(),
            )
        };
        for (spans, left) in [
            (vec![], 10),
            (vec![(1, 20, 30)], 0),
            (vec![(1, 0, 100)], 0),
            (vec![(2, 0, 100)], 10),
            (vec![(1, 25, 30), (1, 20, 25)], 0),
            (vec![(1, 20, 22), (1, 24, 40)], 2),
            (vec![(1, 0, 20), (1, 30, 40)], 10),
            (vec![(1, 22, 24), (1, 22, 23)], 8),
            (vec![(1, 40, 50)], 10),
        ] {
            assert_eq!(
                named(&spans).unnamed(&[missing(1, 20, 30)]),
                left,
                "{spans:?}"
            );
        }
    }

    #[test]
    fn what_left_the_ring_is_no_loss() {
        let mut gone = missing(1, 20, 30);
        gone.0.retired = true;
        assert_eq!(NamedLosses::default().unnamed(&[gone]), 0);
    }

    #[test]
    fn what_is_missing_is_said_with_number_place_and_reason() {
        assert_eq!(
            missing(1, 20, 30).words(),
            "10 entries cannot be read, 20 to 29: the bytes of their frame are damaged"
        );
        assert_eq!(
            missing(2, 20, 21).words(),
            "1 entry cannot be read, 2:20: the bytes of their frame are damaged"
        );
        let json = missing(1, 20, 30).json();
        assert_eq!(json["missing_last"], 29);
        assert_eq!(json["missing"], 10);
    }
}
