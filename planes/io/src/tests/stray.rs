//! Replies that come late, from others, or in pieces: events with a sample, never readings.

use super::accounting::check_all;
use super::site::{Site, meter_id};
use super::world::{ANCHOR, FIRST_SLOT, MS, S, Script, Sent, World, answer_pdu};
use crate::Input;
use evidence::kinds::Event;
use evidence::reasons::{AttemptCause, EventCode};
use modbus::rtu;
use std::boxed::Box;
use std::vec::Vec;

fn run(site: &Site, script: Script, slots: u64) -> World {
    let mut world = World::new(site, script);
    let stop = ANCHOR.plus_ns(slots * site.every_ms * MS - 1);
    world.run_until(stop);
    world.stop();
    check_all(&world, site, stop);
    world
}

fn of(world: &World, code: EventCode) -> Vec<Event> {
    let events = world
        .events()
        .into_iter()
        .filter(|event| event.code == code);
    events.cloned().collect()
}

/// The first request gets `first`, all others a proper answer.
fn first_gets(first: impl Fn(&Sent) -> Vec<(u64, Vec<u8>)> + 'static) -> Script {
    Box::new(move |sent| {
        if sent.index == 0 {
            return first(sent);
        }
        let reply = sent.answer();
        std::vec![(sent.soonest_ns(&reply), reply)]
    })
}

//= A3.7
//= A4.3
#[test]
fn a_late_reply_is_an_event_and_the_meter_waits_while_others_go_on() {
    for site in [Site::serial(3), Site::tcp(3)] {
        let late = |sent: &Sent| std::vec![(230 * MS, sent.answer())];
        let world = run(&site, first_gets(late), 3);
        let events = of(&world, EventCode::LateReply);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].meter_id, Some(meter_id(0)));
        assert_eq!(events[0].about_seq, Some(world.sent[0].mark.seq));
        assert!(events[0].sample.is_some());
        assert_eq!(world.counter("late_reply_cnt", "m00"), 1);
        assert_eq!(world.counter("late_reply_cnt", "m01"), 0);
        let order: Vec<_> = world.sent.iter().take(4).map(Sent::place).collect();
        assert_eq!(order, [0, 1, 2, 0]);
        if site.serial {
            let again = world.sent[3].at.since(world.sent[0].at);
            assert!(
                again >= 230 * MS,
                "the retry left after {again} ns, before the late reply"
            );
        }
    }
}

//= A3.7
#[test]
fn a_session_that_the_late_window_outlasts_ends_with_that_cause() {
    let mut site = Site::serial(2);
    site.late_reply_ms = 1_800;
    let world = run(&site, first_gets(|_| Vec::new()), 8);
    let causes: Vec<_> = world.failures().iter().map(|failed| failed.cause).collect();
    let window = AttemptCause::LateReplyWindow;
    assert_eq!(causes, [AttemptCause::Timeout, window, window]);
    let slots: Vec<_> = world
        .failures()
        .iter()
        .map(|failed| failed.slot.unwrap().number)
        .collect();
    assert_eq!(slots, [FIRST_SLOT, FIRST_SLOT, FIRST_SLOT + 1]);
    assert_eq!(world.readings().len(), (8 + 6) * 2);
    assert!(
        world
            .failures()
            .iter()
            .all(|failed| failed.meter_id == meter_id(0))
    );
}

//= A3.1
#[test]
fn every_kind_of_bad_reply_has_its_cause_and_keeps_its_sample() {
    let flip = |sent: &Sent| {
        let mut reply = sent.answer();
        reply[5] ^= 0x10;
        reply
    };
    let cut = |sent: &Sent| {
        let mut reply = sent.answer();
        reply.truncate(6);
        reply
    };
    let wrong = |sent: &Sent| sent.frame(&answer_pdu(9, sent.unit, 0, 2));
    let other_function = |sent: &Sent| {
        let mut pdu = answer_pdu(9, sent.unit, 0, 4);
        pdu[0] = 4;
        sent.frame(&pdu)
    };
    type Make = fn(&Sent) -> Vec<u8>;
    let cases: [(AttemptCause, Make); 5] = [
        (AttemptCause::Crc, flip),
        (AttemptCause::Framing, cut),
        (AttemptCause::WrongShape, wrong),
        (AttemptCause::ForeignReply, other_function),
        (AttemptCause::Exception, |sent| sent.exception(6)),
    ];
    for (cause, make) in cases {
        let script = first_gets(move |sent| std::vec![(20 * MS, make(sent))]);
        let world = run(&Site::serial(2), script, 2);
        let failures = world.failures();
        assert_eq!(failures.len(), 1, "{cause}");
        assert_eq!((failures[0].cause, failures[0].attempt), (cause, 0));
        assert_eq!(failures[0].meter_id, meter_id(0));
        assert!(!failures[0].last && failures[0].points.is_empty());
        let sample = &failures[0].sample.as_ref().unwrap().0;
        assert_eq!(sample, &make(&world.sent[0]), "{cause}");
        assert_eq!(world.readings().len(), 2 * 2 * 2, "the retry succeeded");
        let retried = world.sent[2].at.since(world.sent[0].at);
        let proper = cause == AttemptCause::Exception;
        assert!(
            proper || retried >= 300 * MS,
            "{cause}: another reply could still come"
        );
    }
}

//= A3.7
#[test]
fn anothers_frame_is_an_event_of_the_port_and_nobodys_error() {
    let site = Site::serial(2);
    let foreign = |sent: &Sent| {
        let other = sent.frame_of(77, &answer_pdu(0xFFFF, 77, 0, 4));
        let known = sent.frame_of(2, &answer_pdu(0xFFFF, 2, 0, 4));
        let reply = sent.answer();
        std::vec![(15 * MS, other), (30 * MS, known), (60 * MS, reply)]
    };
    let world = run(&site, first_gets(foreign), 2);
    assert_eq!(of(&world, EventCode::ForeignReply).len(), 2);
    assert!(world.failures().is_empty());
    assert_eq!(world.counter("foreign_reply_cnt", "port-1"), 2);
}

//= A3.1
//= A3.7
#[test]
fn noise_is_counted_at_the_port_and_bounded_as_events() {
    let site = Site::serial(2);
    let mut world = World::new(&site, super::world::all_well());
    for burst in 0..100 {
        let at = ANCHOR.plus_ns(400 * MS + burst * 5 * MS);
        world.at(at, Input::Received(std::vec![0x55, 0xAA, 0x55]));
    }
    for burst in 0..40 {
        let at = ANCHOR.plus_ns(1_300 * MS + burst * 15 * MS);
        world.at(at, Input::Received(std::vec![0x55; 30]));
    }
    let stop = ANCHOR.plus_ns(4 * S - 1);
    world.run_until(stop);
    world.stop();
    check_all(&world, &site, stop);
    let codes = [
        EventCode::LineNoise,
        EventCode::IdleChatter,
        EventCode::BusStuck,
    ];
    let told: Vec<Event> = codes.iter().flat_map(|code| of(&world, *code)).collect();
    let counted: u64 = told.iter().map(|event| event.count.unwrap_or(1)).sum();
    assert_eq!(counted, world.counter("line_noise_cnt", "port-1"));
    assert!(counted >= 5);
    assert!(
        world.counter("bus_stuck_evt", "port-1") >= 4,
        "1,200 bytes without a pause"
    );
    assert!(world.counter("idle_chatter_evt", "port-1") >= 5);
    assert!(told.len() < 30, "{}", told.len());
}

//= A3.7
#[test]
fn noise_around_a_request_that_nobody_answers_is_held_against_nobody_else() {
    let site = Site::serial(2);
    // Bytes that begin like a frame of the other meter, and bytes that begin like nobody's.
    for (first, cause) in [(2_u8, AttemptCause::Timeout), (0xEE, AttemptCause::Framing)] {
        let noisy = move |_: &Sent| std::vec![(20 * MS, std::vec![first, 3, 9, 9])];
        let world = run(&site, first_gets(noisy), 2);
        let failures = world.failures();
        assert_eq!(failures.len(), 1);
        assert_eq!(
            (failures[0].cause, &failures[0].meter_id),
            (cause, &meter_id(0))
        );
    }
}

//= A3.7
#[test]
fn a_reply_in_pieces_is_whole_and_a_repeated_one_is_not_a_second_reading() {
    let site = Site::serial(2);
    let pieces = |sent: &Sent| {
        let reply = sent.answer();
        let (head, tail) = reply.split_at(4);
        let repeat = (31 * MS, reply.clone());
        std::vec![(20 * MS, head.to_vec()), (30 * MS, tail.to_vec()), repeat]
    };
    let world = run(&site, first_gets(pieces), 2);
    assert!(world.failures().is_empty());
    assert_eq!(of(&world, EventCode::LateReply).len(), 1);
}

//= A4.3
#[test]
fn a_reply_that_begins_in_time_may_end_after_it() {
    let site = Site::serial(1);
    let slow = |sent: &Sent| {
        let reply = sent.answer();
        let (head, tail) = reply.split_at(4);
        std::vec![(95 * MS, head.to_vec()), (112 * MS, tail.to_vec())]
    };
    let world = run(&site, first_gets(slow), 2);
    assert!(world.failures().is_empty());
}

//= A3.7
#[test]
fn a_tcp_stream_that_is_not_modbus_is_closed_and_opened_again() {
    let site = Site::tcp(2);
    let broken = |_: &Sent| std::vec![(10 * MS, std::vec![0, 0, 7, 7, 0, 5, 1, 3])];
    let world = run(&site, first_gets(broken), 3);
    assert_eq!(world.failures()[0].cause, AttemptCause::Framing);
    assert_eq!(world.connects, 2);
    assert_eq!(of(&world, EventCode::LineNoise).len(), 1);
    let foreign = |sent: &Sent| {
        let mut reply = sent.answer();
        reply[0] ^= 0x80; // another transaction
        std::vec![(10 * MS, reply)]
    };
    let world = run(&site, first_gets(foreign), 3);
    assert_eq!(of(&world, EventCode::ForeignReply).len(), 1);
    assert_eq!(world.failures()[0].cause, AttemptCause::Timeout);
}

//= A3.7
#[test]
fn after_opening_a_serial_port_nothing_is_asked_while_old_replies_may_come() {
    let site = Site::serial(1);
    let mut world = World::new(&site, super::world::all_well());
    let old = rtu::encode(1, &answer_pdu(0xFFFF, 1, 0, 4));
    let detail = std::string::String::new();
    world.at(ANCHOR.plus_ns(950 * MS), Input::LinkLost { detail });
    world.at(ANCHOR.plus_ns(1_050 * MS), Input::Received(old));
    let stop = ANCHOR.plus_ns(3 * S - 1);
    world.run_until(stop);
    world.stop();
    check_all(&world, &site, stop);
    assert_eq!(of(&world, EventCode::ForeignReply).len(), 1);
    assert_eq!(world.readings().len(), 6);
    let opened = ANCHOR.plus_ns(951 * MS);
    let first = world.sent.iter().find(|sent| sent.at > opened).unwrap();
    assert_eq!(first.at, opened.plus_ns(300 * MS));
}

//= A4.6
#[test]
fn a_slot_that_waits_for_the_meters_own_request_in_flight_is_overrun_not_held() {
    let mut site = Site::serial(1);
    site.every_ms = 30;
    let slow = first_gets(|sent| std::vec![(95 * MS, sent.answer())]);
    let world = run(&site, slow, 6);
    let causes: Vec<_> = world.failures().iter().map(|failed| failed.cause).collect();
    assert_eq!(causes[..2], [AttemptCause::SlotOverrun; 2]);
    assert!(
        !causes.contains(&AttemptCause::LateReplyWindow),
        "{causes:?}"
    );
}
