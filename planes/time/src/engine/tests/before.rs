//! A process that begins while the node runs, and a node that was away.

use super::policy;
use super::world::{MS, World};
use crate::engine::{Before, Engine, Policy};
use evidence::kinds::TimeMap;
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality};
use evidence::{SourceId, TimeDetail, UtcNs};

/// The process is killed while SYNCED, the clock is set by 20 ms, and another one begins.
//= A8.3
//= A8.5
#[test]
fn a_process_that_begins_while_the_node_runs_goes_on_from_the_last_statement() {
    for (moved_ms, quality) in [
        (20, TimeQuality::Synced),
        (0, TimeQuality::Synced),
        (0, TimeQuality::Holdover),
        (0, TimeQuality::RtcOnly),
    ] {
        let mut world = World::synced();
        world.run(1);
        let map = TimeMap {
            quality,
            ..world.map().clone()
        };
        let bound_before_ns = map.bound_ns.unwrap();
        world.engine = Engine::new(SourceId::new("time").unwrap(), policy()).after(Before {
            map: Some(map),
            node_was_away: false,
            ran_in_this_boot: true,
            boot_to_stable_ns: Some(9_000 * MS),
        });
        world.own_ns += moved_ms * i64::try_from(MS).unwrap();
        world.master_ns += moved_ms * i64::try_from(MS).unwrap();
        world.now_ns += 60_000 * MS;
        world.look();
        let alone = match quality {
            TimeQuality::RtcOnly => TimeQuality::RtcOnly,
            TimeQuality::Synced | TimeQuality::Holdover => TimeQuality::Holdover,
        };
        assert_eq!(world.map().quality, alone);
        // It was held once, and what it was worth then has grown for a minute.
        let reason = match quality {
            TimeQuality::RtcOnly => HoldoverReason::SourceLost,
            // It has just begun: no source had time to be heard.
            TimeQuality::Synced | TimeQuality::Holdover => HoldoverReason::TimePlaneSilent,
        };
        assert_eq!(world.map().detail, TimeDetail::Holdover(reason));
        let moved_ns = u64::try_from(moved_ms).unwrap() * MS;
        let bound_ns = world.map().bound_ns.unwrap();
        let due_ns = bound_before_ns + moved_ns;
        assert!(
            (due_ns + 1_000..due_ns + 10 * MS).contains(&bound_ns),
            "{bound_before_ns} {bound_ns}"
        );
        assert!(world.map().sync_age_ns >= Some(60_000 * MS));
        let was_synced = usize::from(quality == TimeQuality::Synced);
        assert_eq!(world.count(EventCode::SyncLost), was_synced);
        assert_eq!(world.count(EventCode::TimeStep), usize::from(moved_ms != 0));
        world.run(20);
        assert_eq!(world.map().quality, TimeQuality::Synced);
        let ended = usize::from(quality != TimeQuality::RtcOnly);
        assert_eq!(world.count(EventCode::HoldoverEnded), ended);
        // The first SYNCED of this boot was long ago.
        assert_eq!(world.engine.counters().boot_to_stable_ns, 9_000 * MS);
    }
}

/// The whole node was away: nobody's silence ended what was claimed, and none is told.
//= A8.3
#[test]
fn a_node_that_was_away_says_so() {
    for (node_was_away, words) in [(true, "the node did not run"), (false, "has not renewed")] {
        let mut world = World::synced();
        world.run(1);
        let map = Some(world.map().clone());
        world.engine = Engine::new(SourceId::new("time").unwrap(), policy()).after(Before {
            map,
            node_was_away,
            ran_in_this_boot: true,
            boot_to_stable_ns: None,
        });
        world.now_ns += 8_000 * MS;
        world.look();
        let lost = world
            .told
            .iter()
            .find(|one| one.code == EventCode::SyncLost);
        let detail = lost.unwrap().detail.as_deref().unwrap();
        assert!(detail.contains(words), "{detail}");
        // A source that stays silent is lost once it had its time.
        world.silent = true;
        world.run(15);
        let lost = TimeDetail::Holdover(HoldoverReason::SourceLost);
        assert_eq!(world.map().detail, lost);
    }
}

/// A holdover lasts while it is stated, through a restart of the process, and not while the node is away.
//= A8.3
#[test]
fn a_holdover_that_outlives_its_process_is_told_whole() {
    for (quality, node_was_away, whole) in [
        (TimeQuality::Synced, false, true),
        (TimeQuality::Synced, true, false),
        (TimeQuality::Holdover, false, true),
        (TimeQuality::Holdover, true, false),
    ] {
        let mut world = World::synced();
        world.run(1);
        let map = Some(TimeMap {
            quality,
            ..world.map().clone()
        });
        world.engine = Engine::new(SourceId::new("time").unwrap(), policy()).after(Before {
            map,
            node_was_away,
            ran_in_this_boot: true,
            boot_to_stable_ns: None,
        });
        world.now_ns += 60_000 * MS;
        world.run(20);
        let ended = (world.told.iter()).find(|one| one.code == EventCode::HoldoverEnded);
        let held_ns = ended.unwrap().count.unwrap();
        let long = held_ns >= 55_000 * MS;
        assert_eq!(long, whole, "{quality} {node_was_away}: {held_ns}");
        assert_eq!(world.engine.counters().holdover_ns, held_ns);
    }
}

/// The node was down, the machine was not: nobody knows who set the clock back meanwhile.
//= A4.5
#[test]
fn a_clock_below_the_floor_is_that_of_a_boot_only_where_something_booted() {
    for (ran_in_this_boot, cause) in [
        (false, TimeCause::BootClock),
        (true, TimeCause::Unexplained),
    ] {
        let floor = UtcNs(crate::tests::UTC_0 + 3_600_000_000_000);
        let mut world = World::new(Policy { floor, ..policy() });
        world.engine = world.engine.after(Before {
            ran_in_this_boot,
            ..Before::default()
        });
        world.look();
        assert_eq!(world.cause(EventCode::ClockFloored), Some(cause));
    }
}
