//! What the log knows of this boot's time from before the recorder began.

use evidence::MonoNs;
use evidence::Stamp;
use evidence::kinds::{Event, TimeMap};
use evidence::reasons::{EventCode, TimeQuality};
use std::collections::VecDeque;

/// Events of the time process that are remembered: it says again no more than its last statement.
const TOLD_MAX: usize = 64;

/// What the time process said before, in one boot.
#[derive(Clone, Debug, Default)]
pub(super) struct Earlier {
    /// Whether an epoch before this one began in this boot.
    ran: bool,
    stated: Option<TimeMap>,
    /// The newest instant that was stamped, with its stamp.
    stamped: Option<(MonoNs, Stamp)>,
    told: VecDeque<(EventCode, MonoNs)>,
    /// When SYNCED was claimed first, in nanoseconds since the boot.
    synced_ns: Option<u64>,
}

impl Earlier {
    /// Takes a map of the log.
    pub(super) fn state(&mut self, map: TimeMap) {
        self.stated = Some(map);
    }

    /// Takes a stamp of the log; entries are not in the order of capture.
    pub(super) fn stamp(&mut self, at: MonoNs, stamp: Stamp) {
        if self.stamped.is_none_or(|(newest, _)| newest <= at) {
            self.stamped = Some((at, stamp));
        }
    }

    /// The last TimeMap of this boot as of the last stamp: maps become entries seldom, and what was claimed is in the
    /// stamps.
    pub(super) fn last_statement(&self) -> Option<TimeMap> {
        let stated = self.stated.clone()?;
        let Some((at, stamp)) = self.stamped.filter(|(at, _)| *at > stated.as_of) else {
            return Some(stated);
        };
        let since_ns = at.since(stated.as_of);
        Some(TimeMap {
            as_of: at,
            utc: stamp.timestamp,
            quality: stamp.quality,
            status: stamp.status,
            bound_ns: stamp.bound_ns,
            valid_until: at,
            detail: stamp.detail,
            initial_ns: None,
            frequency_ns: None,
            temperature_ns: None,
            ageing_ns: None,
            // Who was SYNCED was measured since, at a time that no entry tells.
            sync_age_ns: match stamp.quality {
                TimeQuality::Synced => None,
                TimeQuality::RtcOnly | TimeQuality::Holdover => stated
                    .sync_age_ns
                    .map(|age_ns| age_ns.saturating_add(since_ns)),
            },
            ..stated
        })
    }

    /// Takes an event of the log.
    pub(super) fn tell(&mut self, event: &Event) {
        if self.told.len() >= TOLD_MAX {
            self.told.pop_front();
        }
        self.told.push_back((event.code, event.at));
        if event.code == EventCode::SyncAcquired {
            self.synced_first(event.at.0);
        }
    }

    /// SYNCED was claimed so long after the boot; the first time counts.
    pub(super) fn synced_first(&mut self, since_boot_ns: u64) {
        let known_ns = self.synced_ns.unwrap_or(u64::MAX);
        self.synced_ns = Some(known_ns.min(since_boot_ns));
    }

    /// When it was claimed first in this boot; an event of the log may be the second one where the first has left it.
    pub(super) const fn boot_to_stable_ns(&self) -> Option<u64> {
        self.synced_ns
    }

    /// It was in this boot.
    pub(super) fn of_this_boot(self) -> Self {
        Self { ran: true, ..self }
    }

    /// Whether the node ran in this boot before.
    pub(super) const fn ran(&self) -> bool {
        self.ran
    }

    /// Whether the log has this event: a recorder that was killed had committed it, and no time to say so.
    pub(super) fn has(&self, event: &Event) -> bool {
        self.told.contains(&(event.code, event.at))
    }

    /// Whether it has this map.
    pub(super) fn has_map(&self, map: &TimeMap) -> bool {
        self.stated
            .as_ref()
            .is_some_and(|stated| stated.at == map.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Earlier, TOLD_MAX};
    use evidence::kinds::{Event, TimeMap};
    use evidence::reasons::EventCode;
    use evidence::{MonoNs, SourceId, UtcNs};

    fn step(at: u64) -> Event {
        Event::new(
            MonoNs(at),
            EventCode::TimeStep,
            SourceId::new("time").unwrap(),
        )
    }

    //= A8.5
    #[test]
    fn what_was_committed_before_the_kill_is_known_when_it_is_said_again() {
        let mut earlier = Earlier::default();
        let count = u64::try_from(TOLD_MAX).unwrap() + 1;
        (1..=count).for_each(|at| earlier.tell(&step(at)));
        let map = TimeMap::absent(MonoNs(count), UtcNs(0));
        earlier.state(map.clone());
        assert!(earlier.has(&step(count)) && earlier.has_map(&map));
        assert!(!earlier.has(&step(count + 1)));
        let lost = Event {
            code: EventCode::SyncLost,
            ..step(count)
        };
        assert!(!earlier.has(&lost));
        assert!(!earlier.has_map(&TimeMap::absent(MonoNs(count + 1), UtcNs(0))));
        assert_eq!(earlier.told.len(), TOLD_MAX);
        assert_eq!(earlier.boot_to_stable_ns(), None);
        for at in [70, 90] {
            earlier.tell(&Event {
                code: EventCode::SyncAcquired,
                ..step(at)
            });
        }
        assert_eq!(earlier.boot_to_stable_ns(), Some(70));
        // A frozen state knows what has left the ring.
        earlier.synced_first(9);
        assert_eq!(earlier.boot_to_stable_ns(), Some(9));
        assert!(!earlier.ran() && earlier.of_this_boot().ran());
    }
}
