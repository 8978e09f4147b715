//! Lives of a node, drawn at random: an honest one is no alarm, an older counter in it always is, wherever its reader stops.

use super::{Site, found, ix};
use evidence::kinds::Event;
use evidence::reasons::{EventCode, RollbackAlarm};
use evidence::{MonoNs, SourceId};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeMap;
use std::vec::Vec;

/// What a node may do in an honest life.
#[derive(Clone, Copy, Debug)]
enum Act {
    Seal { plain: bool },
    Run { boots: bool, skips: u16 },
    Unbound,
    Told,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (0..8u8, any::<bool>(), any::<u16>()).prop_map(|(which, flag, skips)| match which {
        0..=4 => Act::Seal { plain: flag },
        5 => Act::Run { boots: flag, skips },
        6 => Act::Unbound,
        _ => Act::Told,
    });
    proptest::collection::vec(act, 1..12)
}

fn live(site: &mut Site, act: Act) {
    match act {
        Act::Seal { plain } => site.seal(plain),
        Act::Run { boots, skips } => {
            if boots {
                site.resets += 1;
                site.clock_ms = 0;
                site.orderly += u64::from(skips % 256);
            }
            site.starts();
        }
        Act::Unbound => {
            site.checkpoint();
            let source = SourceId::new("recorder").unwrap();
            site.push(Event::new(MonoNs(1), EventCode::CheckpointUnbound, source));
        }
        Act::Told => site.store(),
    }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// An honest life is never an alarm, an older counter in it always is, and who stops anywhere and goes on finds the same.
    #[test]
    fn an_honest_life_is_no_alarm_and_an_older_counter_always_is(
        before in acts(),
        after in acts(),
        back in 1..30u64,
        stops in proptest::collection::vec(0..80usize, 0..6),
    ) {
        let mut site = Site::new();
        site.store();
        site.seal(true);
        before.iter().for_each(|act| live(&mut site, *act));
        let mut honest = site.clone();
        after.iter().for_each(|act| live(&mut honest, *act));
        prop_assert_eq!(found(&honest, &stops), Vec::new());

        let at = site.entries.len();
        (site.plain, site.orderly) = (site.plain - back.min(site.plain), site.orderly - back);
        after.iter().for_each(|act| live(&mut site, *act));
        site.starts();
        let all = found(&site, &[]);
        let first = all.first().map(|one| (one.alarm, ix(one.entry) >= at));
        prop_assert_eq!(first, Some((RollbackAlarm::ReplacedCounter, true)));
        let again: BTreeMap<u64, RollbackAlarm> =
            found(&site, &stops).iter().map(|one| (one.entry, one.alarm)).collect();
        let once: BTreeMap<u64, RollbackAlarm> =
            all.iter().map(|one| (one.entry, one.alarm)).collect();
        prop_assert!(once.iter().all(|one| again.get(one.0) == Some(one.1)), "{once:?} {again:?}");
    }
}
