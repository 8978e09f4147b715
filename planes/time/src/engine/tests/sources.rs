//! Sources that cannot be read, contradict each other, or send their time unasked.

use super::policy;
use super::world::{MS, World};
use crate::engine::Policy;
use crate::fresh::PtpPolicy;
use crate::reading::{Fault, Observation, PortState, Reading, RtcReading, RtcVoltage, SourceKind};
use crate::tests::chrony;
use evidence::kinds::Event;
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality};
use evidence::{MonoNs, UtcNs};
use std::string::ToString;

#[test]
fn every_fault_of_a_source_has_a_name_and_an_end() {
    let faults = [
        Fault::Absent,
        Fault::Stale,
        Fault::Denied,
        Fault::Stranger,
        Fault::Silent,
        Fault::Malformed("a length"),
        Fault::Unsupported("a version"),
    ];
    for fault in faults {
        let mut world = World::new(policy());
        world.fault = Some(fault.clone());
        world.run(30);
        assert_eq!(world.map().quality, TimeQuality::RtcOnly, "{fault}");
        assert_eq!(world.count(EventCode::TimeSourceFault), 1, "{fault}");
        let event = &world.told[0];
        assert!(
            event
                .detail
                .as_deref()
                .unwrap()
                .contains(&fault.to_string())
        );
        world.fault = None;
        world.run(10);
        assert_eq!(world.count(EventCode::TimeSourceBack), 1, "{fault}");
        assert_eq!(world.map().quality, TimeQuality::Synced, "{fault}");
    }
}

/// A daemon that answers every second look, for two hours; then it is gone for good.
//= A8.2
#[test]
fn a_source_that_flaps_does_not_fill_the_log_and_its_last_word_is_true() {
    let mut world = World::synced();
    for look in 0..4 * 7_200u64 {
        world.fault = look.is_multiple_of(2).then_some(Fault::Silent);
        world.tick();
    }
    let told = world.told.len();
    assert!(told < 100, "{told} events");
    world.fault = Some(Fault::Absent);
    world.run(400);
    let of_source = |of: &&Event| {
        let codes = [EventCode::TimeSourceFault, EventCode::TimeSourceBack];
        codes.contains(&of.code)
    };
    let last = world.told.iter().rfind(of_source).unwrap();
    let detail = last.detail.as_deref().unwrap();
    assert!(detail.contains(&Fault::Absent.to_string()), "{detail}");
    // What was not told is counted.
    let more = |of: &Event| {
        let words = of.detail.as_deref()?.split_once("; ")?.1;
        words.split(' ').next()?.parse::<usize>().ok()
    };
    let told = world.told.iter().filter(of_source);
    let all: usize = told.map(|of| 1 + more(of).unwrap_or(0)).sum();
    assert!(all >= 2 * 7_200, "{all}");
}

/// A grandmaster that calls itself bad every other second takes the label with it, less and less often.
//= A8.2
#[test]
fn a_label_that_flaps_settles_later_each_time() {
    let mut world = World::synced();
    for second in 0..3_600u64 {
        world.reading.gm_class = if second.is_multiple_of(8) { 52 } else { 6 };
        world.run(1);
    }
    let lost = world.count(EventCode::SyncLost);
    assert!((3..60).contains(&lost), "{lost}");
    world.reading.gm_class = 6;
    world.run(400);
    assert_eq!(world.map().quality, TimeQuality::Synced);
}

/// ptp4l follows nobody, is killed, is started again and follows nobody: it was never believed again.
//= A8.2
#[test]
fn a_source_is_not_back_before_it_is_believed() {
    let mut world = World::synced();
    world.reading.ports[0].state = PortState::Listening;
    world.run(5);
    let reason = |world: &World| world.map().detail.to_string();
    // Nothing is heard where no port follows anybody.
    assert_eq!(reason(&world), HoldoverReason::SourceLost.to_string());
    world.fault = Some(Fault::Stale);
    world.run(5);
    assert_eq!(reason(&world), HoldoverReason::SourceLost.to_string());
    world.fault = None;
    world.run(5);
    assert_eq!(world.count(EventCode::TimeSourceBack), 0);
    assert_eq!(world.count(EventCode::TimeSourceFault), 3);
    world.reading.ports[0].state = PortState::Slave;
    world.run(30);
    assert_eq!(world.count(EventCode::TimeSourceBack), 1);
}

//= A8.2
#[test]
fn two_sources_that_exclude_each_other_hold_nothing() {
    let mut world = World::synced();
    for second in 0..20u64 {
        world.run(1);
        let mut says = chrony(world.now_ns - 100 * MS);
        // Slow by five milliseconds, says chronyd; in order, says ptp4l.
        says.correction_ns = 5_000_000;
        let at = MonoNs(world.now_ns);
        world.engine.note(&Observation {
            at,
            outcome: Ok(Reading::Chrony(says)),
            source: SourceKind::Chrony,
        });
        if second > 6 {
            assert_eq!(world.map().quality, TimeQuality::Holdover, "{second}");
        }
    }
    assert_eq!(world.count(EventCode::SourcesDisagree), 1);
    let held = world.map().detail.to_string();
    assert_eq!(held, HoldoverReason::SourceRejected.to_string());
}

/// chronyd alone held the clock; that ptp4l cannot be read is no cause of its loss.
//= A8.2
#[test]
fn the_loss_has_the_cause_of_the_source_that_held() {
    let mut world = World::new(policy());
    world.fault = Some(Fault::Absent);
    let seen = |world: &mut World| {
        let says = chrony(world.now_ns - 100 * MS);
        world.engine.note(&Observation {
            at: MonoNs(world.now_ns),
            outcome: Ok(Reading::Chrony(says)),
            source: SourceKind::Chrony,
        });
    };
    for _ in 0..10 {
        world.run(1);
        seen(&mut world);
    }
    world.run(1);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    world.run(30);
    assert_eq!(
        world.cause(EventCode::SyncLost),
        Some(TimeCause::SamplesRefused)
    );
}

/// A correction that is not told looks like that of a perfect oscillator.
//= A8.2
#[test]
fn nothing_is_learnt_of_the_oscillator_where_the_kernel_cannot_be_asked() {
    let mut world = World::new(policy());
    world.mute_kernel = true;
    world.run(600);
    assert_eq!(world.map().quality, TimeQuality::Synced);
    assert_eq!(world.engine.learner.knowledge().locked_s, 0);
    assert_eq!(world.count(EventCode::TimeSourceFault), 1);
    let detail = world.told[0].detail.as_deref().unwrap();
    assert!(detail.contains("adjtimex"), "{detail}");
    world.mute_kernel = false;
    world.run(600);
    assert_eq!(world.count(EventCode::TimeSourceBack), 1);
    assert!(world.engine.learner.knowledge().locked_s > 300);
    // A node without a source does not need it.
    let mut world = World::new(policy());
    world.mute_kernel = true;
    world.silent = true;
    world.run(60);
    assert_eq!(
        world.count(EventCode::TimeSourceFault),
        0,
        "{:?}",
        world.told
    );
}

//= A8.1
#[test]
fn a_real_time_clock_that_doubts_itself_is_told_once() {
    let mut world = World::synced();
    for _ in 0..3 {
        let at = MonoNs(world.now_ns);
        let reading = RtcReading {
            utc: crate::tests::utc(world.now_ns),
            read_uncertainty_ns: 1_000_000,
            voltage: Some(RtcVoltage {
                backup_low: true,
                ..RtcVoltage::default()
            }),
        };
        world.engine.note(&Observation {
            at,
            outcome: Ok(Reading::Rtc(reading)),
            source: SourceKind::Rtc,
        });
        world.run(1);
    }
    assert_eq!(world.count(EventCode::RtcInvalid), 1);
}

#[test]
fn a_clock_before_what_is_certain_is_told_at_boot() {
    let mut early = policy();
    early.floor = UtcNs(crate::tests::UTC_0 + 86_400_000_000_000);
    let mut world = World::new(early);
    world.run(1);
    assert_eq!(world.count(EventCode::ClockFloored), 1);
    let floored = &world.told[0];
    assert_eq!(floored.time_cause, Some(TimeCause::BootClock));
}

#[test]
fn a_free_running_daemon_stays_uncalibrated_and_is_believed_only_if_the_site_says_so() {
    for free_running in [false, true] {
        let mut world = World::new(Policy {
            ptp: PtpPolicy {
                free_running,
                ..PtpPolicy::default()
            },
            ..policy()
        });
        world.reading.ports[0].state = PortState::Uncalibrated;
        world.run(10);
        let synced = world.map().quality == TimeQuality::Synced;
        assert_eq!(synced, free_running);
    }
}

/// A daemon that has just begun corrects its first offsets once it knows its path: nobody's clock jumped.
//= R7.2
#[test]
fn the_first_offsets_of_a_daemon_are_no_jump_of_its_master() {
    let mut world = World::new(policy());
    world.master_ns = 12_000;
    for _ in 0..10 {
        world.tick();
    }
    world.master_ns = 0;
    world.run(40);
    assert_eq!(
        world.count(EventCode::TimeSourceMoved),
        0,
        "{:?}",
        world.told
    );
    // Once it runs, the same is one.
    world.master_ns = 12_000;
    world.run(40);
    let cause = world.cause(EventCode::TimeSourceMoved);
    assert_eq!(cause, Some(TimeCause::GrandmasterStep));
}
