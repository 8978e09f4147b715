//! What is known of each source.

use super::news::News;
use crate::fresh::{Measurement, Rejection};
use crate::reading::{Fault, Observation, SourceKind};

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Whether anything was ever seen of it, a fault included.
    pub(super) asked: bool,
    pub(super) held: Option<Measurement>,
    pub(super) in_a_row: u32,
    pub(super) fault: Option<Fault>,
    pub(super) rejection: Option<Rejection>,
    pub(super) failed: u64,
    /// Whether the last word about it is that it cannot be read, or is not believed.
    pub(super) is_down: bool,
    /// Whether it could not be read at some look since it measured last.
    pub(super) was_gone: bool,
}

impl Standing {
    /// It is read, and where it measures, believed.
    pub(super) fn come_back(&mut self, seen: &Observation, news: &mut News) {
        if self.is_down {
            news.back(seen.at, seen.source, self.failed);
            self.is_down = false;
            self.failed = 0;
        }
    }

    /// What was measured holds nothing any more.
    pub(super) const fn release(&mut self) {
        self.held = None;
        self.in_a_row = 0;
    }
}

/// What is known of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Standings {
    pub(super) ptp: Standing,
    pub(super) chrony: Standing,
    pub(super) rtc: Standing,
    pub(super) card: Standing,
    pub(super) thermal: Standing,
    pub(super) offered: Standing,
}

impl Standings {
    pub(super) fn all(&self) -> [&Standing; 6] {
        [
            &self.ptp,
            &self.chrony,
            &self.rtc,
            &self.card,
            &self.thermal,
            &self.offered,
        ]
    }

    pub(super) fn all_mut(&mut self) -> [&mut Standing; 6] {
        [
            &mut self.ptp,
            &mut self.chrony,
            &mut self.rtc,
            &mut self.card,
            &mut self.thermal,
            &mut self.offered,
        ]
    }

    /// That of one source.
    pub(super) fn of(&mut self, source: SourceKind) -> &mut Standing {
        let Standings {
            ptp,
            chrony,
            rtc,
            card,
            thermal,
            offered,
        } = self;
        match source {
            SourceKind::Ptp => ptp,
            SourceKind::Chrony => chrony,
            SourceKind::Rtc => rtc,
            SourceKind::CardClock => card,
            SourceKind::Thermal => thermal,
            SourceKind::Offered => offered,
        }
    }
}
