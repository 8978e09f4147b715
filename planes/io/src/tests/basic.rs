//! It works: good meters, silent meters, overload, the cycle, the stop.

use super::accounting::check_all;
use super::site::{Site, meter_id, port_id, schedule_id};
use super::world::{ANCHOR, FIRST_SLOT, MS, S, Script, Sent, World, all_well};
use crate::limits::QUARANTINE_AFTER;
use crate::{Input, PortEngine, SetupError, Stream};
use evidence::kinds::{AttemptFailed, Payload};
use evidence::reasons::{AttemptCause, DowntimeCause, EventCode, MarkerKind};
use evidence::{CommitId, MonoNs, Slot, SourceId};
use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

/// Runs for some slots, stops, checks the account.
fn run(site: &Site, world: &mut World, slots: u64) {
    let stop = ANCHOR.plus_ns(slots * site.every_ms * MS - 1);
    world.run_until(stop);
    world.stop();
    check_all(world, site, stop);
}

fn silent(places: &'static [usize]) -> Script {
    Box::new(move |sent| {
        let reply = sent.answer();
        if places.contains(&sent.place()) {
            Vec::new()
        } else {
            std::vec![(sent.soonest_ns(&reply), reply)]
        }
    })
}

//= A1.1
//= A4.2
#[test]
fn every_slot_of_every_meter_is_read() {
    for site in [Site::serial(5), Site::tcp(5)] {
        let mut world = World::new(&site, all_well());
        run(&site, &mut world, 10);
        assert_eq!(world.readings().len(), 10 * 5 * 2);
        assert!(world.failures().is_empty());
        let marked = world
            .marks
            .iter()
            .filter(|mark| mark.reply_at.is_some())
            .count();
        assert_eq!((world.sent.len(), marked), (50, 50));
    }
}

//= R5.2
#[test]
fn the_measured_cycle_is_the_planned_one_when_all_answer_at_once() {
    let mut site = Site::serial(8);
    site.meters[3] = std::vec![0, 2, 4, 300, 302];
    let mut world = World::new(&site, all_well());
    world.run_until(ANCHOR.plus_ns(3 * S));
    let cycle = world.engine.cycle(&schedule_id()).unwrap();
    let measured_ns = cycle.measured_ns.unwrap();
    // The silence after the last reply belongs to the plan, not to the measurement.
    assert!(measured_ns <= cycle.planned_ns, "{cycle:?}");
    assert!(measured_ns > cycle.planned_ns * 85 / 100, "{cycle:?}");
    assert!(cycle.worst_ns > 8 * 2 * 100 * MS, "{cycle:?}");
    assert_eq!(cycle.measured_ns_max, measured_ns);
}

//= A3.7
//= R5.3
#[test]
fn a_silent_meter_costs_its_own_timeouts_and_nobody_elses_slots() {
    for mut site in [Site::serial(10), Site::tcp(10)] {
        site.retries = 2;
        let mut world = World::new(&site, silent(&[0]));
        run(&site, &mut world, 20);
        let worst_ns = (u64::from(site.retries) + 1) * site.timeout_ms * MS;
        let cycle_ns = world.engine.cycle(&schedule_id()).unwrap().planned_ns + 20 * MS;
        for reading in world.readings() {
            let slot = reading.slot.unwrap().number - FIRST_SLOT;
            let due = ANCHOR.plus_ns(slot * S);
            assert!(reading.at.since(due) <= worst_ns + cycle_ns, "{reading:?}");
        }
        assert_eq!(world.readings().len(), 20 * 9 * 2);
        let failures = world.failures();
        assert!(failures.iter().all(|failed| failed.meter_id == meter_id(0)));
        // Quarantine: one attempt a session once it has failed often enough in a row.
        let late_attempts = |failed: &&&evidence::kinds::AttemptFailed| {
            failed.slot.unwrap().number > FIRST_SLOT + u64::from(QUARANTINE_AFTER) + 1
        };
        let single = failures
            .iter()
            .filter(late_attempts)
            .all(|failed| failed.attempt == 0);
        assert!(single, "a quarantined meter has no retries");
        assert_eq!(world.counter("quarantine_cnt", "m00"), 1);
    }
}

//= R5.2
#[test]
fn a_meter_with_a_timeout_and_retries_of_its_own_is_waited_for_so_long_and_so_often() {
    let mut site = Site::serial(2);
    site.every_ms = 5_000;
    site.own = Some((0, 30, 3));
    let mut world = World::new(&site, silent(&[0, 1]));
    run(&site, &mut world, 1);
    let waited = |place: usize| -> Vec<u64> {
        let of_it = world.sent.iter().filter(|sent| sent.place() == place);
        let failures = world.failures();
        let ended = failures
            .iter()
            .filter(|one| one.meter_id == meter_id(place));
        of_it
            .zip(ended)
            .map(|(sent, failed)| failed.at.since(sent.at) / MS)
            .collect()
    };
    // Eight characters of a request take 9 ms at 9600 baud.
    let (own, ports) = (waited(0), waited(1));
    assert_eq!((own.len(), ports.len()), (4, 2), "{own:?} {ports:?}");
    assert!(own.iter().all(|ms| (30..50).contains(ms)), "{own:?}");
    assert!(ports.iter().all(|ms| (100..120).contains(ms)), "{ports:?}");
}

//= A4.6
#[test]
fn a_session_says_which_points_it_leaves_without_a_reading() {
    let mut site = Site::serial(1);
    site.meters[0] = std::vec![0, 100, 200];
    site.retries = 1;
    let script = Box::new(|sent: &Sent| {
        let reply = match sent.request.first() {
            100 => sent.exception(2),
            _ => sent.answer(),
        };
        std::vec![(sent.soonest_ns(&reply), reply)]
    });
    let mut world = World::new(&site, script);
    run(&site, &mut world, 3);
    assert_eq!(world.readings().len(), 6);
    for failed in world.failures() {
        assert_eq!(
            (failed.cause, failed.exception),
            (AttemptCause::Exception, Some(2))
        );
        assert_eq!(failed.points[0].as_str(), "r100");
        assert!(failed.last && failed.sample.is_some());
    }
    assert_eq!(
        world.failures().len(),
        3,
        "an illegal address is not asked for twice"
    );
}

//= A4.6
#[test]
fn a_bridged_gap_that_a_meter_refuses_is_left_out_from_then_on() {
    let mut site = Site::serial(1);
    site.meters[0] = std::vec![0, 8];
    let script = Box::new(|sent: &Sent| {
        let reply = if sent.request.count() > 2 {
            sent.exception(2)
        } else {
            sent.answer()
        };
        std::vec![(sent.soonest_ns(&reply), reply)]
    });
    let mut world = World::new(&site, script);
    run(&site, &mut world, 4);
    assert_eq!((world.failures().len(), world.readings().len()), (1, 6));
}

//= A4.6
#[test]
fn a_bus_too_slow_for_its_slots_says_so_for_each_of_them() {
    let mut site = Site::serial(6);
    site.every_ms = 60; // one read takes some 15 ms
    let mut world = World::new(&site, all_well());
    run(&site, &mut world, 50);
    let stopped = AttemptCause::Stopped;
    let mut overruns = world.failures();
    overruns.retain(|failed| failed.cause != stopped);
    let overrun = AttemptCause::SlotOverrun;
    assert!(!overruns.is_empty());
    assert!(overruns.iter().all(|failed| failed.cause == overrun));
    // Earliest due first: nobody starves.
    for place in 0..6 {
        let of_meter = |id: &evidence::MeterId| *id == meter_id(place);
        let read = world
            .readings()
            .iter()
            .filter(|reading| of_meter(&reading.meter_id))
            .count();
        assert!(read > 20, "m{place} was read {read} times");
    }
}

//= A4.2
#[test]
fn without_numbers_slots_wait_for_them_and_none_is_invented() {
    let site = Site::serial(2);
    let mut world = World::new(&site, all_well());
    world.lease_ns = 7_500 * MS;
    run(&site, &mut world, 10);
    let first = world.failures();
    assert!(
        first
            .iter()
            .all(|failed| failed.cause == AttemptCause::SlotOverrun)
    );
    assert_eq!(first.len(), 10);
}

//= A5.6
#[test]
fn a_full_queue_is_downtime_and_nothing_starts() {
    let site = Site::serial(3);
    let mut world = World::new(&site, all_well());
    world.at(ANCHOR.plus_ns(2_500 * MS), Input::QueueFull(true));
    world.at(ANCHOR.plus_ns(6_500 * MS), Input::QueueFull(false));
    run(&site, &mut world, 10);
    let slot = |number| Slot { version: 1, number };
    let found: Vec<_> = world
        .downtimes()
        .iter()
        .map(|down| (down.first, down.count, down.cause))
        .collect();
    let first = slot(FIRST_SLOT + 3);
    assert_eq!(found, [(first, Some(4), DowntimeCause::Backpressure)]);
    assert_eq!(world.readings().len(), 6 * 3 * 2);
    let quiet = ANCHOR.plus_ns(2_500 * MS)..ANCHOR.plus_ns(6_500 * MS);
    assert!(!world.sent.iter().any(|sent| quiet.contains(&sent.at)));
}

//= A5.6
#[test]
fn what_waited_through_a_full_queue_is_not_read_for_a_slot_long_past() {
    let site = Site::serial(2);
    let mut world = World::new(&site, silent(&[0]));
    // The second meter waits while the first is being asked; then the queue is full for a while.
    world.at(ANCHOR.plus_ns(50 * MS), Input::QueueFull(true));
    world.at(ANCHOR.plus_ns(2_500 * MS), Input::QueueFull(false));
    run(&site, &mut world, 4);
    let second = |failed: &&&evidence::kinds::AttemptFailed| failed.meter_id == meter_id(1);
    let failures = world.failures();
    let of_second: Vec<_> = failures.iter().filter(second).collect();
    assert_eq!(of_second.len(), 1);
    assert_eq!(of_second[0].cause, AttemptCause::SlotOverrun);
    assert_eq!(of_second[0].slot.unwrap().number, FIRST_SLOT);
    assert_eq!(of_second[0].at, ANCHOR.plus_ns(2_500 * MS));
}

//= R5.3
#[test]
fn every_request_of_a_session_has_its_own_retries() {
    let mut site = Site::serial(1);
    site.meters[0] = std::vec![0, 100, 200];
    // Busy at every first attempt.
    let script = Box::new(|sent: &Sent| {
        let reply = if sent.mark.attempt.is_multiple_of(2) {
            sent.exception(6)
        } else {
            sent.answer()
        };
        std::vec![(sent.soonest_ns(&reply), reply)]
    });
    let mut world = World::new(&site, script);
    run(&site, &mut world, 2);
    assert_eq!((world.readings().len(), world.failures().len()), (6, 6));
    assert!(world.failures().iter().all(|failed| !failed.last));
}

//= A4.3
#[test]
fn a_port_that_cannot_be_opened_is_named_in_every_session() {
    for (site, cause) in [
        (Site::serial(2), AttemptCause::PortUnavailable),
        (Site::tcp(2), AttemptCause::ConnectRefused),
    ] {
        let mut world = World::new(&site, all_well());
        world.refusals = 5; // 0.5 + 1 + 2 + 4 + 8 s
        run(&site, &mut world, 20);
        let failures = world.failures();
        assert!(failures.len() > 20 && failures.iter().all(|failed| failed.cause == cause));
        let lost = |event: &&&evidence::kinds::Event| event.code == EventCode::PortLost;
        assert_eq!(
            world.events().iter().filter(lost).count(),
            1,
            "one event a loss"
        );
        assert!(world.readings().len() > 4);
        assert_eq!(world.connects, 6);
    }
}

/// Meters behind a gateway that are silent, one after the other: the connection is opened anew meanwhile, and those
/// that come after them are read in every slot.
//= A3.7
//= R5.3
#[test]
fn silent_meters_behind_a_gateway_hide_nobody() {
    let mut site = Site::tcp(12);
    site.every_ms = 5_000; // ten meters that are asked twice take two seconds
    let mut world = World::new(&site, silent(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    run(&site, &mut world, 5);
    assert!(world.connects > 1, "the connection was given up");
    let refused = |failed: &&AttemptFailed| failed.cause == AttemptCause::ConnectRefused;
    assert_eq!(world.failures().into_iter().filter(refused).count(), 0);
    assert_eq!(
        world.readings().len(),
        5 * 2 * 2,
        "two points of two meters"
    );
}

//= A4.3
#[test]
fn a_connection_lost_under_a_request_is_that_attempts_cause() {
    let site = Site::tcp(2);
    let mut world = World::new(&site, silent(&[0]));
    let lost = Input::LinkLost {
        detail: String::from("reset by peer"),
    };
    world.at(ANCHOR.plus_ns(S + 50 * MS), lost);
    run(&site, &mut world, 4);
    let causes: Vec<_> = world.failures().iter().map(|failed| failed.cause).collect();
    let lost = causes
        .iter()
        .filter(|cause| **cause == AttemptCause::ConnectionLost)
        .count();
    assert_eq!(lost, 1, "{causes:?}");
    assert_eq!(world.readings().len(), 4 * 2);
}

//= A4.8
#[test]
fn the_stop_is_orderly_and_says_where_capture_stood() {
    let site = Site::serial(3);
    let mut world = World::new(&site, silent(&[1]));
    let stop = ANCHOR.plus_ns(25 * S + 20 * MS);
    world.run_until(stop);
    world.stop();
    check_all(&world, &site, stop);
    let slot = |number| {
        Some(Slot {
            version: 1,
            number: FIRST_SLOT + number,
        })
    };
    let markers: Vec<_> = world
        .markers()
        .iter()
        .map(|marker| (marker.marker, marker.slot))
        .collect();
    assert_eq!(
        markers,
        [
            (MarkerKind::ScheduleStart, slot(0)),
            (MarkerKind::Heartbeat, slot(8)),
            (MarkerKind::Heartbeat, slot(18)),
            (MarkerKind::ScheduleStop, slot(25)),
        ]
    );
    assert!(
        world
            .markers()
            .iter()
            .all(|marker| marker.source == port_id())
    );
    let stopped = |world: &World| {
        let failures = world.failures().into_iter();
        failures
            .filter(|failed| failed.cause == AttemptCause::Stopped)
            .count()
    };
    assert_eq!(
        stopped(&world),
        0,
        "two meters were asked in time; the slot of the one in quarantine has passed"
    );
    assert_eq!(
        world
            .engine
            .handle(MonoNs(0), Input::Tick)
            .into_iter()
            .count(),
        0
    );
    let mut early = World::new(&site, silent(&[1]));
    early.run_until(ANCHOR.plus_ns(20 * MS));
    early.stop();
    check_all(&early, &site, ANCHOR.plus_ns(20 * MS));
    assert_eq!(stopped(&early), 2, "one meter waited, one had a retry left");
}

//= A4.2
#[test]
fn a_stop_that_gets_no_numbers_leaves_downtime() {
    let site = Site::serial(1);
    let mut world = World::new(&site, all_well());
    world.lease_ns = 100 * S;
    run(&site, &mut world, 3);
    let down = world.downtimes();
    assert_eq!(
        (down[0].count, down[0].cause),
        (Some(3), DowntimeCause::OrderlyStop)
    );
    assert_eq!(down.len(), 1);
}

//= A4.2
#[test]
fn a_host_that_slept_has_downtime_for_what_it_missed() {
    let site = Site::serial(1);
    let mut world = World::new(&site, all_well());
    world.run_until(ANCHOR.plus_ns(1_500 * MS));
    world.now = ANCHOR.plus_ns(500 * S + 500 * MS);
    world.stop();
    check_all(&world, &site, ANCHOR.plus_ns(500 * S));
    assert_eq!(world.downtimes()[0].cause, DowntimeCause::Unknown);
}

//= A2.5
#[test]
fn counters_fit_their_snapshots_and_name_what_is_not_there() {
    let mut site = Site::tcp(200);
    site.every_ms = 60_000;
    let mut world = World::new(&site, all_well());
    world.run_until(ANCHOR.plus_ns(10 * S));
    let snapshots = world.engine.snapshots(world.now);
    let mut names = Vec::new();
    for snapshot in &snapshots {
        assert!(snapshot.capture.len() < evidence::limits::ENTRY_BYTES_MAX / 2);
        let Payload::CounterSnapshot(found) = snapshot.payload().unwrap() else {
            panic!("not a snapshot");
        };
        names.extend(
            found
                .counters
                .into_iter()
                .map(|counter| (counter.name, counter.value)),
        );
    }
    assert!(snapshots.len() > 1);
    assert!(
        names.contains(&(String::from("frame_crc_fail"), None)),
        "TCP has no frame CRC"
    );
    assert_eq!(world.counter("frame_ok_cnt", "port-1"), 200);
}

//= A1.1
#[test]
fn a_contract_that_does_not_hold_together_is_refused() {
    let contract = Site::serial(1).contract();
    let other = SourceId::new("other").unwrap();
    let refused = |contract: &contract::Contract, port: &SourceId| {
        PortEngine::new(contract, port, CommitId(1)).err()
    };
    assert_eq!(
        refused(&contract, &other),
        Some(SetupError::UnknownPort(other.clone()))
    );
    let mut empty = contract.clone();
    empty.meters.get_mut(&meter_id(0)).unwrap().points.clear();
    assert_eq!(
        refused(&empty, &port_id()),
        Some(SetupError::NoPoints(meter_id(0)))
    );
    let mut past = contract.clone();
    let meter = past.meters.get_mut(&meter_id(0)).unwrap();
    super::register(&mut meter.points[1]).address = 65_535;
    assert!(
        matches!(refused(&past, &port_id()), Some(SetupError::PastLastAddress { point, .. }) if point.as_str() == "r2")
    );
    let mut loose = contract;
    loose.schedules.clear();
    assert!(matches!(
        refused(&loose, &port_id()),
        Some(SetupError::UnknownSchedule { .. })
    ));
}

//= A4.2
#[test]
fn the_number_streams_are_asked_for_by_name() {
    let site = Site::serial(1);
    let mut engine = PortEngine::new(&site.contract(), &port_id(), CommitId(1)).unwrap();
    let asked: Vec<_> = engine
        .handle(MonoNs(0), Input::Tick)
        .into_iter()
        .filter_map(|action| match action {
            crate::Action::NeedLease { stream } => Some(stream),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [Stream::Port, Stream::Meter(meter_id(0))]);
}
