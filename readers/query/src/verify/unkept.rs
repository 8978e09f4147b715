//! What the log itself tells of its keep-rings: what was lost before it could pass by one, and that one of them took
//! no more, or lost what it had.

use super::report::{FindingKind, Report};
use evidence::reasons::{EventCode, LossCause};
use evidence::{Kind, Payload};
use journal::keep::{KeepFinding, KeepRing, Part};
use journal::{ReadTruth, ReadVolume, Reader, StoredEntry};

/// Why a keep-ring does not hold what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unkept {
    /// It was lost in the log's own ring before.
    Lost,
    /// It could not be written when it left the log's own ring.
    PassedOver {
        /// The entry that tells of the failure.
        event: u64,
    },
}

/// What a log tells of what is not in its keep-rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhyUnkept {
    /// Ranges that LOSS entries name of damage, apart from each other.
    losses: Vec<(u64, u64)>,
    /// Entries that tell of a keep-ring that failed, in order.
    failures: Vec<u64>,
}

impl WhyUnkept {
    /// Reads the whole log for it, and what its keep-rings hold of entries that left.
    pub fn of<'k, K: ReadVolume + 'k, V: ReadVolume, T: ReadTruth>(
        reader: &Reader<V, T>,
        rings: impl IntoIterator<Item = &'k KeepRing<K>>,
    ) -> Self {
        let mut told = Self::default();
        for ring in rings {
            for frame in ring.frames().flatten() {
                for part in frame.stretch.parts() {
                    if let Part::Kept(stored) = part {
                        told.hear(stored);
                    }
                }
            }
        }
        let entries = reader.entries(reader.oldest());
        entries.flatten().for_each(|stored| told.hear(&stored));
        told.losses = joined(told.losses);
        told.failures.sort_unstable();
        told
    }

    fn hear(&mut self, stored: &StoredEntry) {
        if !matches!(stored.kind(), Some(Kind::Loss | Kind::Event)) {
            return;
        }
        let Some(payload) = stored.entry().ok().and_then(|entry| entry.payload().ok()) else {
            return;
        };
        match payload {
            // What was given up could be read, and passed by before it left.
            Payload::Loss(loss) if loss.cause != LossCause::Pruned => {
                let end = loss.first.0.saturating_add(loss.count);
                self.losses.push((loss.first.0, end));
            }
            Payload::Event(event) if event.code == EventCode::KeepFailed => {
                self.failures.push(stored.commit_id.0);
            }
            _ => {}
        }
    }

    /// Why a stretch that was found missing is, where the log tells. Damage explains itself by no event: whoever wrote
    /// behind it still had it.
    #[must_use]
    pub fn why(&self, found: &KeepFinding) -> Option<Unkept> {
        match found.was_absent {
            true => self.why_absent(found.first, found.end),
            false => self.why_lost(found.first, found.end),
        }
    }

    /// Why entries from `first` to the one before `end` never came to be kept.
    #[must_use]
    pub fn why_absent(&self, first: u64, end: u64) -> Option<Unkept> {
        self.why_lost(first, end).or_else(|| {
            // The failure is met when the first of them leave, and is told behind them.
            let event = *self.failures.iter().find(|id| **id >= first)?;
            Some(Unkept::PassedOver { event })
        })
    }

    fn why_lost(&self, first: u64, end: u64) -> Option<Unkept> {
        let covers = |(from, to): &(u64, u64)| *from <= first && end <= *to;
        self.losses.iter().any(covers).then_some(Unkept::Lost)
    }
}

fn joined(mut named: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    named.sort_unstable();
    let mut apart: Vec<(u64, u64)> = Vec::new();
    for (first, end) in named {
        match apart.last_mut() {
            Some(last) if first <= last.1 => last.1 = last.1.max(end),
            _ => apart.push((first, end)),
        }
    }
    apart
}

/// The event that tells of a keep-ring, if an entry is one.
pub(super) fn note(id: u64, payload: &Payload, report: &mut Report) {
    let Payload::Event(event) = payload else {
        return;
    };
    if event.code != EventCode::KeepFailed {
        return;
    }
    let why = event.detail.as_deref().unwrap_or("it does not say why");
    let words = format!(
        "a keep-ring is incomplete, and the log tells of it since this entry (keep_failed): {why}"
    );
    report.find(FindingKind::KeepIncomplete, Some((id, id)), words);
}

#[cfg(test)]
mod tests {
    use super::{Unkept, WhyUnkept, joined};
    use journal::keep::KeepFinding;

    //= A5.4
    #[test]
    fn losses_side_by_side_cover_what_lies_across_them_and_nothing_else() {
        let told = WhyUnkept {
            losses: joined(vec![(20, 24), (10, 12), (12, 15), (11, 13)]),
            failures: Vec::new(),
        };
        assert_eq!(told.losses, [(10, 15), (20, 24)]);
        for (first, end, lost) in [
            (10, 15, true),
            (20, 22, true),
            (9, 11, false),
            (14, 21, false),
        ] {
            let why = lost.then_some(Unkept::Lost);
            assert_eq!(told.why_absent(first, end), why, "{first} to {end}");
        }
    }

    /// An event behind a stretch explains that it was never written, and no damage.
    //= A5.7
    #[test]
    fn a_failure_explains_what_was_absent_behind_it_and_no_damage() {
        let told = WhyUnkept {
            losses: vec![(10, 15)],
            failures: vec![40, 90],
        };
        let found = |first, end, was_absent| KeepFinding {
            first,
            end,
            range: None,
            was_absent,
        };
        let passed_over = |event| Some(Unkept::PassedOver { event });
        for (first, end, was_absent, why) in [
            (20, 30, true, passed_over(40)),
            (20, 30, false, None),
            (60, 70, true, passed_over(90)),
            (95, 99, true, None),
            (11, 15, true, Some(Unkept::Lost)),
            (11, 15, false, Some(Unkept::Lost)),
        ] {
            let found = found(first, end, was_absent);
            assert_eq!(told.why(&found), why, "{found:?}");
        }
    }
}
