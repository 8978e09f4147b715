//! Read sessions, and what became of them.

use evidence::kinds::{AttemptFailed, Reading};
use evidence::reasons::AttemptCause;
use std::collections::BTreeMap;

/// Sessions of a meter, or of all meters of a port, over a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Read sessions in which the meter was asked.
    pub sessions: u64,
    /// Of them, those that left a point without a reading.
    pub incomplete: u64,
    /// Attempts without a reading, by cause; a session may have several.
    pub failed: BTreeMap<AttemptCause, u64>,
}

impl Counts {
    /// The cause that most of the failed attempts had, and how many had it.
    #[must_use]
    pub fn mostly(&self) -> Option<(AttemptCause, u64)> {
        // Of equals the first in the list of causes.
        let most = self.failed.iter().rev().max_by_key(|(_, count)| **count);
        most.map(|(cause, count)| (*cause, *count))
    }

    /// Incomplete sessions in parts per million; nothing where there was no session.
    #[must_use]
    pub fn incomplete_ppm(&self) -> Option<u64> {
        let ppm = u128::from(self.incomplete) * 1_000_000;
        let of = ppm.checked_div(u128::from(self.sessions))?;
        u64::try_from(of).ok()
    }

    /// What came to these since an earlier look, without what another made of it.
    pub(super) fn since(&self, earlier: &Self, other: &Self) -> Self {
        let left = |now: u64, then: u64, other: u64| now.saturating_sub(then).saturating_sub(other);
        let of = |counts: &Self, cause| counts.failed.get(cause).copied().unwrap_or(0);
        let failed = self
            .failed
            .iter()
            .map(|(cause, now)| (*cause, left(*now, of(earlier, cause), of(other, cause))))
            .filter(|(_, count)| *count > 0)
            .collect();
        Self {
            sessions: left(self.sessions, earlier.sessions, other.sessions),
            incomplete: left(self.incomplete, earlier.incomplete, other.incomplete),
            failed,
        }
    }
}

/// The session of a meter that its entries are of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Session {
    seq: Option<u64>,
    incomplete: bool,
}

impl Session {
    /// Books a reading.
    pub(super) fn reading(&mut self, reading: &Reading, books: &mut [&mut Counts]) {
        self.enter(reading.seq.0, books);
    }

    /// Books an attempt without a reading. One in which the meter was not asked says nothing of its wire.
    pub(super) fn failed(&mut self, failed: &AttemptFailed, books: &mut [&mut Counts]) {
        if failed.cause.was_asked() {
            self.enter(failed.seq.0, books);
        } else if self.seq != Some(failed.seq.0) {
            return;
        }
        let first = failed.last && !failed.points.is_empty() && !self.incomplete;
        self.incomplete |= first;
        for counts in books {
            *counts.failed.entry(failed.cause).or_default() += 1;
            counts.incomplete += u64::from(first);
        }
    }

    fn enter(&mut self, seq: u64, books: &mut [&mut Counts]) {
        if self.seq == Some(seq) {
            return;
        }
        *self = Self {
            seq: Some(seq),
            incomplete: false,
        };
        for counts in books {
            counts.sessions += 1;
        }
    }
}
