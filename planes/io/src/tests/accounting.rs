//! What must hold whatever happened: the checks that every simulated run ends with.

use super::site::{Site, meter_id};
use super::world::{ANCHOR, FIRST_SEQ, FIRST_SLOT, MS, World};
use crate::Stream;
use evidence::kinds::Payload;
use evidence::reasons::AttemptCause;
use evidence::{MonoNs, PointId, Seq, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::vec::Vec;

/// Everything: slots, numbers, values, buckets. The engine has been stopped at `stop`.
pub(super) fn check_all(world: &World, site: &Site, stop: MonoNs) {
    let newest = (stop.0 - ANCHOR.0) / (site.every_ms * MS);
    check_slots(world, site, newest);
    check_values(world, site);
    check_buckets(world, site);
    check_events(world);
}

/// Every due slot of every meter is one session that accounts for every point, or downtime.
fn check_slots(world: &World, site: &Site, newest: u64) {
    let mut served: BTreeMap<(usize, Slot), usize> = BTreeMap::new();
    for (place, addresses) in site.meters.iter().enumerate() {
        let all: BTreeSet<PointId> = addresses
            .iter()
            .map(|address| PointId::new(&format!("r{address}")).unwrap())
            .collect();
        for (next, (slot, seq, points)) in (FIRST_SEQ..).zip(sessions(world, place)) {
            assert_eq!(seq, Seq(next), "numbers are dense and in order");
            assert_eq!(points, all, "m{place} session {seq}");
            *served.entry((place, slot)).or_default() += 1;
        }
    }
    for number in FIRST_SLOT..=FIRST_SLOT + newest {
        let slot = Slot { version: 1, number };
        for place in 0..site.meters.len() {
            let down = world.downtimes().iter().any(|down| {
                let first = down.first.number;
                let about = down.meter_id.as_ref();
                about.is_none_or(|meter| *meter == meter_id(place))
                    && (first..first + down.count.unwrap()).contains(&number)
            });
            match served.remove(&(place, slot)) {
                Some(1) => assert!(
                    !down,
                    "slot {slot} of m{place} has a session, and is downtime"
                ),
                None => assert!(down, "slot {slot} of m{place} has no account"),
                Some(times) => panic!("slot {slot} of m{place} has {times} sessions"),
            }
        }
    }
    assert!(
        served.is_empty(),
        "sessions for slots that were never due: {served:?}"
    );
}

/// The sessions of a meter as (slot, seq, points accounted for), one batch each.
fn sessions(world: &World, place: usize) -> Vec<(Slot, Seq, BTreeSet<PointId>)> {
    let stream = Stream::Meter(meter_id(place));
    let mut found: Vec<(usize, Slot, Seq, BTreeSet<PointId>)> = Vec::new();
    let mut finals = BTreeSet::new();
    for line in world.lines.iter().filter(|line| line.stream == stream) {
        let (slot, seq, points) = match &line.payload {
            Payload::Reading(reading) => (
                reading.slot,
                reading.seq,
                std::vec![reading.point_id.clone()],
            ),
            Payload::AttemptFailed(failed) => {
                assert_eq!(failed.last, !failed.points.is_empty(), "{failed:?}");
                let once = !failed.last || finals.insert(failed.seq);
                assert!(once, "two last attempts in one session");
                (failed.slot, failed.seq, failed.points.clone())
            }
            other => panic!("{other:?} in a meter's stream"),
        };
        assert_eq!(Some(seq), line.seq);
        let slot = slot.unwrap();
        match found.last_mut() {
            Some((batch, its_slot, its_seq, all)) if *batch == line.batch => {
                assert_eq!((*its_slot, *its_seq), (slot, seq));
                for point in points {
                    assert!(all.insert(point), "a point twice in session {seq}");
                }
            }
            _ => found.push((line.batch, slot, seq, points.into_iter().collect())),
        }
    }
    found
        .into_iter()
        .map(|(_, slot, seq, points)| (slot, seq, points))
        .collect()
}

/// Every value was sent in answer to the very request it is recorded under.
fn check_values(world: &World, site: &Site) {
    for reading in world.readings() {
        let Some(value) = reading.value else {
            panic!("{reading:?} has no value");
        };
        let value = u32::try_from(value.mantissa()).unwrap();
        let [tag_high, tag_low, unit, half] = value.to_be_bytes();
        let tag = usize::from(u16::from_be_bytes([tag_high, tag_low]));
        let sent = tag.checked_sub(1).and_then(|index| world.sent.get(index));
        let sent = sent.unwrap_or_else(|| panic!("{reading:?} is nobody's answer"));
        assert_eq!(sent.mark.meter, reading.meter_id);
        assert_eq!(sent.mark.seq, reading.seq, "the answer to another session");
        assert_eq!(
            sent.mark.attempt, reading.attempt,
            "the answer to another attempt"
        );
        assert_eq!(Some(sent.mark.slot), reading.slot);
        assert_eq!(meter_id(usize::from(unit) - 1), reading.meter_id);
        assert_eq!(
            format!("r{}", u16::from(half) * 2),
            reading.point_id.as_str()
        );
        assert!(site.meters[usize::from(unit) - 1].contains(&(u16::from(half) * 2)));
    }
}

/// Buckets count exactly the failed attempts that have entries, meter by meter.
fn check_buckets(world: &World, site: &Site) {
    for cause in AttemptCause::ALL {
        let mut total = 0;
        for place in 0..site.meters.len() {
            let id = meter_id(place);
            let entries = world
                .failures()
                .iter()
                .filter(|failed| failed.meter_id == id && failed.cause == *cause)
                .count() as u64;
            assert_eq!(
                world.counter("if_err_cnt", &format!("{id}/{cause}")),
                entries,
                "{id} {cause}"
            );
            total += entries;
        }
        assert_eq!(
            world.counter("if_err_cnt", &format!("port-1/{cause}")),
            total
        );
    }
}

/// Events are numbered densely.
fn check_events(world: &World) {
    for (seq, event) in (FIRST_SEQ..).zip(world.events()) {
        assert_eq!(event.seq, Some(Seq(seq)));
    }
}
