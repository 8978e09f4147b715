//! What stamps claimed lately: the label, since when it is so, and what an event says of why.

use super::{put, told};
use evidence::kinds::Event;
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality};
use evidence::{MonoNs, Payload, Stamp, TimeDetail, UtcNs};
use serde_json::{Value, json};
use time_plane::reading::SourceKind;

/// The newest label and what came before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    stamp: Option<Stamp>,
    /// Since when the label is so, on the clock of this run and as it was stamped; the latter is not known of a label
    /// that was there when the looking began.
    since: (MonoNs, Option<UtcNs>),
    lost: Option<TimeCause>,
    /// What is wrong with each source that could hold the clock.
    faults: Vec<(SourceKind, String)>,
}

/// Whether a clock can be held by such a source: a sensor or a real-time clock that is missing is no reason.
const fn holds(source: SourceKind) -> bool {
    matches!(source, SourceKind::Ptp | SourceKind::Chrony)
}

impl Clock {
    /// Takes in a committed entry.
    pub(super) fn observe(&mut self, stamp: &Stamp, payload: &Payload) {
        let at = payload.at();
        if let Payload::EpochStart(_) = payload {
            *self = Self {
                stamp: Some(*stamp),
                since: (at, Some(stamp.timestamp)),
                ..Self::default()
            };
            return;
        }
        if let Payload::Event(event) = payload {
            self.event(event);
        }
        let (since, _) = self.since;
        match &self.stamp {
            None => {}
            // Captured before it became so, committed behind.
            Some(_) if at < since => return,
            Some(known) if label(known) == label(stamp) => {}
            Some(_) => self.since = (at, Some(stamp.timestamp)),
        }
        self.stamp = Some(*stamp);
    }

    fn event(&mut self, event: &Event) {
        let words = event.detail.as_deref().unwrap_or_default();
        let source = SourceKind::named_first(words).filter(|source| holds(*source));
        match (event.code, source) {
            (EventCode::SyncLost, _) => self.lost = event.time_cause,
            (EventCode::SyncAcquired, _) => {
                self.lost = None;
                self.faults.clear();
            }
            (EventCode::TimeSourceFault, Some(source)) => {
                self.faults.retain(|(of, _)| *of != source);
                self.faults.push((source, told(words)));
            }
            (EventCode::TimeSourceBack, Some(source)) => {
                self.faults.retain(|(of, _)| *of != source);
            }
            _ => {}
        }
    }

    /// The part of a report; `null` where nothing was stamped.
    pub(super) fn json(&self) -> Value {
        let Some(stamp) = &self.stamp else {
            return Value::Null;
        };
        let mut said = json!({
            "quality": stamp.quality.name(),
            "status": stamp.status.name(),
            "bound_ns": stamp.bound_ns,
        });
        let (_, reason) = label(stamp);
        let (_, since) = self.since;
        put(&mut said, "reason", json!(reason.map(HoldoverReason::name)));
        put(&mut said, "since", json!(since.map(query::rfc3339)));
        // Who is SYNCED has no fault that matters.
        let held = stamp.quality == TimeQuality::Synced;
        let lost = self.lost.map(|cause| cause.name().to_owned());
        let faults: Vec<&str> = self
            .faults
            .iter()
            .map(|(_, words)| words.as_str())
            .collect();
        let fault = (!faults.is_empty()).then(|| faults.join("; "));
        put(&mut said, "cause", json!(lost.or(fault).filter(|_| !held)));
        said
    }
}

fn label(stamp: &Stamp) -> (TimeQuality, Option<HoldoverReason>) {
    let reason = match stamp.detail {
        TimeDetail::Holdover(reason) => Some(reason),
        TimeDetail::Offset(_) => None,
    };
    (stamp.quality, reason)
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use evidence::kinds::{EpochStart, Event};
    use evidence::reasons::{
        EpochCause, EventCode, HoldoverReason, OffsetBucket, TimeCause, TimeQuality, TimeStatus,
        TruthClass,
    };
    use evidence::{BootId, MonoNs, Payload, SourceId, Stamp, TimeDetail, UtcNs};

    const S: u64 = 1_000_000_000;

    fn stamp(at: u64, reason: Option<HoldoverReason>) -> Stamp {
        Stamp {
            timestamp: UtcNs(i64::try_from(at * S).unwrap()),
            quality: if reason.is_some() {
                TimeQuality::Holdover
            } else {
                TimeQuality::Synced
            },
            status: TimeStatus::Locked,
            bound_ns: None,
            detail: reason.map_or(
                TimeDetail::Offset(OffsetBucket::Below1Us),
                TimeDetail::Holdover,
            ),
        }
    }

    fn event(at: u64, code: EventCode, cause: Option<TimeCause>, words: &str) -> Payload {
        Event {
            detail: Some(words.to_owned()),
            time_cause: cause,
            ..Event::new(MonoNs(at * S), code, SourceId::new("time").unwrap())
        }
        .into()
    }

    fn epoch(at: u64) -> Payload {
        EpochStart::new(
            MonoNs(at * S),
            EpochCause::OrderlyStart,
            BootId([1; 16]),
            TruthClass::Independent,
        )
        .into()
    }

    //= A8.3
    #[test]
    fn the_label_has_its_reason_since_when_and_what_an_event_says_of_it() {
        use EventCode::{SyncAcquired, SyncLost, TimeSourceBack, TimeSourceFault};
        let never = Some(HoldoverReason::NeverSynchronised);
        let lost = Some(HoldoverReason::SourceLost);
        let fault = "chronyd at /run/c.sock: there is no such socket";
        let back = "chronyd is read and believed";
        let sensor = "the temperature at /sys/class/hwmon/hwmon0/temp1_input: there is no such socket or device";
        let mut clock = Clock::default();
        let mut seen = Vec::new();
        for (stamp, payload) in [
            // Not known since when.
            (stamp(5, never), event(5, TimeSourceFault, None, fault)),
            (stamp(10, never), epoch(10)),
            (stamp(11, never), event(11, TimeSourceFault, None, fault)),
            // What is no source of time does not hide one that is.
            (stamp(11, never), event(11, TimeSourceFault, None, sensor)),
            (
                stamp(12, never),
                event(12, TimeSourceBack, None, "ptp4l is read"),
            ),
            (stamp(13, never), event(13, TimeSourceBack, None, back)),
            (stamp(20, None), event(20, SyncAcquired, None, "")),
            (
                stamp(30, lost),
                event(30, SyncLost, Some(TimeCause::GrandmasterSilent), ""),
            ),
            // Captured before, committed behind.
            (stamp(29, None), event(29, EventCode::PortOpened, None, "")),
        ] {
            clock.observe(&stamp, &payload);
            let said = clock.json();
            let word = |key: &str| said[key].as_str().unwrap_or("-").to_owned();
            let since = word("since");
            let since = since.get(17..19).unwrap_or("-").to_owned();
            seen.push((word("reason"), since, word("cause")));
        }
        let seen: Vec<_> = seen
            .iter()
            .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("never_synchronised", "-", fault),
                ("never_synchronised", "10", "-"),
                ("never_synchronised", "10", fault),
                ("never_synchronised", "10", fault),
                ("never_synchronised", "10", fault),
                ("never_synchronised", "10", "-"),
                ("-", "20", "-"),
                ("source_lost", "30", "grandmaster_silent"),
                ("source_lost", "30", "grandmaster_silent"),
            ]
        );
    }
}
