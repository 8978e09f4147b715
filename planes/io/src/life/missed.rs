//! Which slots of meters with a memory have no reading, and may be filled from it (U3).
//!
//! Told by what is committed: what left a slot without a reading adds it, what was found in the memory, or was not, takes it
//! away. So nothing is filled twice, whatever is asked or sent again.

use super::state::Frozen;
use crate::MissedSlot;
use crate::limits::{MISSED_PER_ANSWER_MAX, MISSED_STRETCHES_MAX};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use contract::{Contract, Meter, Pace};
use evidence::frozen::names::LIFE_MISSED;
use evidence::kinds::Backfill;
use evidence::reasons::MarkerKind;
use evidence::{MeterId, Payload, PointId, Slot, UtcNs};

const NS_PER_MS: i64 = 1_000_000;

/// Slots `first..end` of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    version: u64,
    first: u64,
    end: u64,
}

/// Slots without a reading, by meter and point.
#[derive(Clone, Debug, Default)]
pub struct Missed {
    points: BTreeMap<(MeterId, PointId), Vec<Stretch>>,
}

impl Missed {
    /// Takes in a committed record.
    pub fn observe(&mut self, contract: &Contract, payload: &Payload) {
        match payload {
            Payload::AttemptFailed(failed) if failed.last => {
                let meter = contract.meters.get(&failed.meter_id);
                let (Some(meter), Some(slot)) = (meter, failed.slot) else {
                    return;
                };
                for point in recalled(meter).filter(|point| failed.points.contains(point)) {
                    self.add(&meter.id, point, slot, 1);
                }
            }
            Payload::Downtime(down) => {
                let meters = contract.meters.values().filter(|meter| {
                    meter.port == down.source
                        && meter.schedule == down.schedule
                        && down.meter_id.as_ref().is_none_or(|only| *only == meter.id)
                });
                for meter in meters {
                    self.add_all(meter, down.first, down.count.unwrap_or(0));
                }
            }
            Payload::Marker(marker) if marker.marker == MarkerKind::SeqGap => {
                let meter = marker
                    .meter_id
                    .as_ref()
                    .and_then(|id| contract.meters.get(id));
                if let (Some(meter), Some(last), Some(count)) = (meter, marker.slot, marker.count) {
                    let number = last.number.saturating_add(1).saturating_sub(count);
                    self.add_all(meter, Slot { number, ..last }, count);
                }
            }
            Payload::Reading(reading) => {
                if let Some(slot) = reading.slot {
                    self.fill(&reading.meter_id, &reading.point_id, slot);
                }
            }
            Payload::Opaque(opaque) => {
                if let Some(slot) = opaque.slot {
                    self.fill(&opaque.meter_id, &opaque.point_id, slot);
                }
            }
            Payload::Backfill(filled) => match &filled.point_id {
                Some(point) => self.fill(&filled.meter_id, point, filled.slot),
                None => {
                    let meter = contract.meters.get(&filled.meter_id);
                    for point in meter.into_iter().flat_map(recalled) {
                        self.fill(&filled.meter_id, point, filled.slot);
                    }
                }
            },
            _ => {}
        }
    }

    /// Whether an entry fills a slot that still has nothing.
    #[must_use]
    pub fn owes(&self, contract: &Contract, filled: &Backfill) -> bool {
        let has = |point: &PointId| {
            let key = (filled.meter_id.clone(), point.clone());
            let stretches = self.points.get(&key).into_iter().flatten();
            stretches.copied().any(|stretch| stretch.has(filled.slot))
        };
        match &filled.point_id {
            Some(point) => has(point),
            None => {
                let meter = contract.meters.get(&filled.meter_id);
                meter.into_iter().flat_map(recalled).any(has)
            }
        }
    }

    /// Slots of a meter that its memory may have by now, the oldest first, and whether there are others. What is older than
    /// its memory reaches is given up.
    pub fn ask(
        &mut self,
        contract: &Contract,
        id: &MeterId,
        now: UtcNs,
    ) -> (Vec<MissedSlot>, bool) {
        let meter = contract.meters.get(id);
        let Some((meter, (every_ms, records))) =
            meter.and_then(|meter| Some((meter, meter.remembers()?)))
        else {
            return (Vec::new(), false);
        };
        let Some(pace) = contract.schedules.get(&meter.schedule).map(Pace::of) else {
            return (Vec::new(), false);
        };
        let every_ns = i64::try_from(every_ms)
            .unwrap_or(i64::MAX)
            .saturating_mul(NS_PER_MS);
        let reach_ns = every_ns.saturating_mul(i64::from(records));
        let oldest = pace.first_from(UtcNs(now.0.saturating_sub(reach_ns)));
        // The meter writes a record when its time is over; its clock may be behind ours.
        let newest = UtcNs(now.0.saturating_sub(every_ns));
        let end = pace.next_after(newest);
        let mut slots: Vec<MissedSlot> = Vec::new();
        let mut others = false;
        for point in recalled(meter) {
            let key = (id.clone(), point.clone());
            let Some(stretches) = self.points.get_mut(&key) else {
                continue;
            };
            for stretch in stretches.iter_mut() {
                stretch.first = stretch.first.max(oldest.min(stretch.end));
            }
            stretches.retain(|stretch| stretch.first < stretch.end);
            for stretch in stretches.iter() {
                others |= stretch.end > end;
                for number in stretch.first..stretch.end.min(end) {
                    if slots.len() >= MISSED_PER_ANSWER_MAX {
                        others = true;
                        break;
                    }
                    let slot = Slot {
                        version: stretch.version,
                        number,
                    };
                    let known = slots.iter().any(|one| one.slot == slot);
                    let due = pace.utc(number).filter(|_| !known);
                    slots.extend(due.map(|due| MissedSlot { slot, due }));
                }
            }
        }
        slots.sort_unstable_by_key(|one| one.due);
        (slots, others)
    }

    /// Slots whose numbers mean another time by a new contract, and those of points that are recalled no more, are
    /// forgotten.
    pub fn configure(&mut self, before: Option<&Contract>, now: &Contract) {
        let pace = |contract: &Contract, meter: &Meter| {
            contract.schedules.get(&meter.schedule).map(Pace::of)
        };
        self.points.retain(|(id, point), _| {
            let Some(meter) = now.meters.get(id) else {
                return false;
            };
            let same = before.and_then(|before| Some((before, before.meters.get(id)?)));
            let paced = same.is_none_or(|(before, was)| pace(before, was) == pace(now, meter));
            paced && recalled(meter).any(|one| one == point)
        });
    }

    /// What a start has to know of it where the records that told it have left the log.
    pub fn freeze(&self) -> impl Iterator<Item = Frozen> {
        self.points.iter().flat_map(|((meter, point), stretches)| {
            stretches.iter().map(move |stretch| Frozen {
                name: LIFE_MISSED,
                label: format!("{meter} {point} {} {}", stretch.version, stretch.first),
                value: stretch.end.saturating_sub(stretch.first),
            })
        })
    }

    /// Takes up one counter of a frozen state; what is none of ours, or cannot be read, is left.
    pub fn resume(&mut self, contract: &Contract, name: &str, label: &str, value: u64) {
        if name == LIFE_MISSED {
            let _ = self.resume_one(contract, label, value);
        }
    }

    fn resume_one(&mut self, contract: &Contract, label: &str, value: u64) -> Option<()> {
        let mut words = label.split(' ');
        let meter: MeterId = words.next()?.parse().ok()?;
        let point: PointId = words.next()?.parse().ok()?;
        let version = words.next()?.parse().ok()?;
        let number = words.next()?.parse().ok()?;
        contract.meters.get(&meter)?;
        self.add(&meter, &point, Slot { version, number }, value);
        Some(())
    }

    fn add_all(&mut self, meter: &Meter, first: Slot, count: u64) {
        for point in recalled(meter) {
            self.add(&meter.id, point, first, count);
        }
    }

    fn add(&mut self, meter: &MeterId, point: &PointId, first: Slot, count: u64) {
        let stretches = self.points.entry((meter.clone(), point.clone()));
        let stretches = stretches.or_default();
        let new = Stretch {
            version: first.version,
            first: first.number,
            end: first.number.saturating_add(count),
        };
        if new.first >= new.end {
            return;
        }
        stretches.push(new);
        stretches.sort_unstable();
        // Neighbours are one.
        let mut joined: Vec<Stretch> = Vec::with_capacity(stretches.len());
        for stretch in stretches.drain(..) {
            match joined.last_mut() {
                Some(last) if last.version == stretch.version && stretch.first <= last.end => {
                    last.end = last.end.max(stretch.end);
                }
                _ => joined.push(stretch),
            }
        }
        // The oldest is what the memory loses first.
        let over = joined.len().saturating_sub(MISSED_STRETCHES_MAX);
        stretches.extend(joined.drain(..).skip(over));
    }

    fn fill(&mut self, meter: &MeterId, point: &PointId, slot: Slot) {
        let key = (meter.clone(), point.clone());
        let Some(stretches) = self.points.get_mut(&key) else {
            return;
        };
        let Some(at) = stretches.iter().position(|stretch| stretch.has(slot)) else {
            return;
        };
        let whole = stretches.remove(at);
        let behind = Stretch {
            first: slot.number.saturating_add(1),
            ..whole
        };
        let before = Stretch {
            end: slot.number,
            ..whole
        };
        let parts = [before, behind]
            .into_iter()
            .filter(|part| part.first < part.end);
        stretches.extend(parts);
        stretches.sort_unstable();
        if stretches.is_empty() {
            self.points.remove(&key);
        }
    }
}

impl Stretch {
    const fn has(self, slot: Slot) -> bool {
        self.version == slot.version && self.first <= slot.number && slot.number < self.end
    }
}

/// The points of a meter that it remembers.
fn recalled(meter: &Meter) -> impl Iterator<Item = &PointId> {
    let has = move |point: &&contract::Point| meter.recalls(point);
    meter.points.iter().filter(has).map(|point| &point.id)
}

#[cfg(test)]
mod tests {
    use super::Missed;
    use contract::Contract;
    use evidence::kinds::{Backfill, Downtime};
    use evidence::reasons::{BackfillOutcome, DowntimeCause};
    use evidence::{CommitId, MeterId, MonoNs, PointId, Slot, UtcNs};
    use proptest::prelude::{prop, prop_assert_eq, proptest};
    use std::collections::BTreeSet;
    use std::vec::Vec;

    const NOW_S: i64 = 1_800_000_000;
    const NEWEST: u64 = 2_000_000;

    fn contract(every: &str) -> Contract {
        let text = std::format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"{every}\"\n\
             [[port]]\nid = \"a\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/a\"\n\
             [[meter]]\nid = \"m1\"\nport = \"a\"\nunit = 1\nschedule = \"q\"\n\
             memory = \"input:1000\"\nmemory_records = 96\nmemory_width = 4\nmemory_every = \"15min\"\n\
             [[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\nmemory_offset = 2\n\
             [[meter.point]]\nid = \"power\"\nregister = \"holding:2\"\ntype = \"u16\"\n"
        );
        contract::parse(&text).unwrap()
    }

    fn meter() -> MeterId {
        "m1".parse().unwrap()
    }

    fn slot(number: u64) -> Slot {
        Slot { version: 1, number }
    }

    fn down(first: u64, count: u64) -> evidence::Payload {
        Downtime {
            at: MonoNs(0),
            schedule: "q".parse().unwrap(),
            first: slot(first),
            count: Some(count),
            cause: DowntimeCause::Reboot,
            source: "a".parse().unwrap(),
            meter_id: None,
        }
        .into()
    }

    fn filled(number: u64, point: Option<&str>) -> Backfill {
        Backfill {
            outcome: BackfillOutcome::Found,
            point_id: point.map(|point| PointId::new(point).unwrap()),
            ..Backfill::absent(
                MonoNs(0),
                meter(),
                "a".parse().unwrap(),
                "q".parse().unwrap(),
                slot(number),
                CommitId(1),
            )
        }
    }

    fn asked(missed: &mut Missed, contract: &Contract) -> (Vec<u64>, bool) {
        let (slots, others) = missed.ask(contract, &meter(), UtcNs(NOW_S * 1_000_000_000));
        (slots.iter().map(|one| one.slot.number).collect(), others)
    }

    //= U3
    #[test]
    fn a_slot_is_owed_until_it_is_filled_and_never_again() {
        let contract = contract("15min");
        let mut missed = Missed::default();
        missed.observe(&contract, &down(NEWEST - 3, 6));
        // The newest record is written when its time is over; what has not been is not asked for.
        let (slots, others) = asked(&mut missed, &contract);
        assert_eq!(slots, [NEWEST - 3, NEWEST - 2, NEWEST - 1]);
        assert!(others);
        assert!(missed.owes(&contract, &filled(NEWEST - 2, Some("energy"))));
        assert!(
            !missed.owes(&contract, &filled(NEWEST - 2, Some("power"))),
            "not in the memory"
        );
        missed.observe(&contract, &filled(NEWEST - 2, Some("energy")).into());
        assert!(!missed.owes(&contract, &filled(NEWEST - 2, Some("energy"))));
        assert!(!missed.owes(&contract, &filled(NEWEST - 2, None)));
        assert_eq!(asked(&mut missed, &contract).0, [NEWEST - 3, NEWEST - 1]);
        // What the memory does not have is not looked for again.
        missed.observe(&contract, &filled(NEWEST - 3, None).into());
        assert_eq!(asked(&mut missed, &contract).0, [NEWEST - 1]);
    }

    //= U3
    #[test]
    fn what_the_memory_has_lost_and_what_means_another_time_is_given_up() {
        let before = contract("15min");
        let mut missed = Missed::default();
        missed.observe(&before, &down(NEWEST - 1_000, 2));
        assert_eq!(asked(&mut missed, &before), (Vec::new(), false));
        missed.observe(&before, &down(NEWEST - 5, 1));
        missed.configure(Some(&before), &before);
        assert_eq!(asked(&mut missed, &before).0, [NEWEST - 5]);
        missed.configure(Some(&before), &contract("30min"));
        assert_eq!(asked(&mut missed, &before), (Vec::new(), false));
    }

    proptest! {
        //= U3
        #[test]
        fn stretches_hold_what_was_missed_and_not_filled(
            runs in prop::collection::vec((0_u64..60, 1_u64..4, prop::bool::ANY), 1..30),
        ) {
            let contract = contract("15min");
            let mut missed = Missed::default();
            let mut due = BTreeSet::new();
            for (first, count, fills) in runs {
                let first = NEWEST - 80 + first;
                if fills {
                    missed.observe(&contract, &filled(first, Some("energy")).into());
                    due.remove(&first);
                } else {
                    missed.observe(&contract, &down(first, count));
                    due.extend(first..first + count);
                }
            }
            let mut again = Missed::default();
            for one in missed.freeze() {
                again.resume(&contract, one.name, &one.label, one.value);
            }
            let due: Vec<u64> = due.into_iter().collect();
            for missed in [&mut missed, &mut again] {
                let mut found = Vec::new();
                loop {
                    let (slots, _) = asked(missed, &contract);
                    if slots.is_empty() {
                        break;
                    }
                    for number in slots {
                        found.push(number);
                        missed.observe(&contract, &filled(number, Some("energy")).into());
                    }
                }
                prop_assert_eq!(&found, &due);
            }
        }
    }
}
