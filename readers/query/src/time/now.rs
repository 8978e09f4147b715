//! What the newest entries say of the clock.

use super::account::TimeAccount;
use super::history::{Span, Totals};
use super::model::{Jump, Label, Mark, Stretch, TimeEvent};
use super::offered::Offered;
use evidence::kinds::{Counter, TimeMap};
use evidence::reasons::TimeStatus;
use evidence::{EntryId, MonoNs, Stamp, UtcNs};

/// The clock as the newest entry was stamped by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeNow {
    /// The log's name.
    pub origin: Option<String>,
    /// The site's limit of the bound, in nanoseconds.
    pub limit_ns: Option<u64>,
    /// The newest entry.
    pub newest: Mark,
    /// Its stamp.
    pub stamp: Stamp,
    /// Since when the label holds.
    pub stretch: Option<Stretch>,
    /// The newest map in the log of this run, and its entry.
    pub map: Option<(EntryId, TimeMap)>,
    /// Nanoseconds from the last measurement that a map names to the newest entry (`last_sync_age`); `None` while it
    /// is measured, for no entry tells when, and where it never was in this run.
    pub sync_age_ns: Option<u64>,
    /// The newest jump.
    pub jump: Option<Jump>,
    /// When the newest of them were taken, as it was stamped.
    pub counters_utc: Option<UtcNs>,
    /// Counters of the time plane as the newest snapshots have them.
    pub counters: Vec<(EntryId, Counter)>,
    /// Who offered the time in this run, and what became of it.
    pub offered: Vec<Offered>,
    /// What keeps the clock from being held: the loss of SYNCED and the faults of sources that have not come back.
    pub in_force: Vec<TimeEvent>,
    /// The newest word of this run on handing it to chronyd; none where that never failed.
    pub refclock: Option<TimeEvent>,
    /// What the whole log comes to.
    pub totals: Totals,
    /// Nanoseconds from boot to the first SYNCED stamp, of the newest boot that has one.
    pub boot_to_stable_ns: Option<u64>,
}

impl TimeNow {
    /// The label in force.
    #[must_use]
    pub fn label(&self) -> Option<&Label> {
        self.stretch.as_ref()?.cover.label()
    }

    /// The share of the site's limit that the bound uses up, in thousandths.
    #[must_use]
    pub fn share_permille(&self) -> Option<u64> {
        let bound_ns = u128::from(self.stamp.bound_ns?);
        let limit_ns = u128::from(self.limit_ns.filter(|ns| *ns > 0)?);
        u64::try_from(bound_ns * 1_000 / limit_ns).ok()
    }
}

impl TimeAccount {
    /// What the newest entry says; `None` where there was none.
    #[must_use]
    pub fn now(&self) -> Option<TimeNow> {
        let (newest, stamp) = self.newest?;
        let run = self.runs.len().saturating_sub(1);
        let map = self.maps.last().filter(|map| map.run == run);
        let measured = map.and_then(|map| {
            let age_ns = map.map.sync_age_ns?;
            Some(age_ns.saturating_add(newest.at.since(map.map.as_of)))
        });
        // While it is measured, every look is newer than the map, at a time that no entry tells.
        let measured_now = matches!(stamp.status, TimeStatus::Locked | TimeStatus::Acquiring);
        Some(TimeNow {
            origin: self.origin().map(str::to_owned),
            limit_ns: self.limit_ns(),
            newest,
            stamp,
            stretch: self.stretches.last().cloned(),
            map: map.map(|map| (map.entry, map.map.clone())),
            sync_age_ns: measured.filter(|_| !measured_now),
            jump: self.jumps.last().cloned(),
            counters_utc: self.counters_utc,
            counters: self.counters.clone(),
            offered: self.offered(run, MonoNs(u64::MAX)),
            in_force: self.in_force(run, MonoNs(u64::MAX)),
            refclock: self.refclock(run, MonoNs(u64::MAX)),
            totals: self.history(Span::default()).totals,
            boot_to_stable_ns: self.boot_to_stable_ns(),
        })
    }
}
