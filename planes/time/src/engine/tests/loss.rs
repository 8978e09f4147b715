//! Messages that are lost in part: one loss and one return, whatever comes through.

use super::world::{MS, World};
use evidence::reasons::{EventCode, TimeCause};
use std::vec::Vec;

/// Half of the messages lost come to half the pace, now and then to a silence: it is one loss, and one return.
//= R7.2
#[test]
fn half_of_the_messages_lost_is_told_once_and_its_return_once() {
    for percent in [10, 20, 50, 70] {
        let mut world = World::synced();
        world.lose_percent = percent;
        world.run(600);
        world.lose_percent = 0;
        world.run(60);
        let codes = [EventCode::PtpLoss, EventCode::PtpLossEnded];
        let told = world.told.iter().filter(|of| codes.contains(&of.code));
        let told: Vec<_> = told.map(|of| (of.code, of.time_cause)).collect();
        let once = [
            (EventCode::PtpLoss, Some(TimeCause::PacketLoss)),
            (EventCode::PtpLossEnded, None),
        ];
        assert_eq!(told, once, "{percent} %");
        let ended = world.told.iter().rfind(|of| of.code == codes[1]).unwrap();
        let seconds = ended.count.unwrap() / (1_000 * MS);
        assert!((590..=640).contains(&seconds), "{seconds}");
    }
}

/// A grandmaster that is back may announce itself before its first Sync is counted: its event path is whole. Where Syncs stay away
/// for a second and more behind that, it is not.
//= R7.2
#[test]
fn a_grandmaster_that_is_back_announces_itself_before_its_syncs() {
    for silent_ticks in 8..40 {
        for (sync_after_ticks, path_lost) in [(1, false), (3, false), (16, true)] {
            let mut world = World::synced();
            world.silent = true;
            (0..silent_ticks).for_each(|_| world.tick());
            (world.silent, world.lose_syncs) = (false, true);
            (0..sync_after_ticks).for_each(|_| world.tick());
            world.lose_syncs = false;
            world.run(20);
            let causes = world.told.iter().filter(|of| of.code == EventCode::PtpLoss);
            let causes: Vec<_> = causes.filter_map(|of| of.time_cause).collect();
            let due: &[TimeCause] = match path_lost {
                true => &[TimeCause::GrandmasterSilent, TimeCause::EventPathLoss],
                false => &[TimeCause::GrandmasterSilent],
            };
            assert_eq!(causes, due, "{silent_ticks} {sync_after_ticks}");
            assert_eq!(world.count(EventCode::PtpLossEnded), 1);
        }
    }
}
