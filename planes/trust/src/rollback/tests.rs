//! Every finding has one row; what a log is bound to comes back; and no rollback longer than stated stays unseen.

use super::{
    BoundCounters, CounterFound, End, Heads, Moment, Moved, OF_THE_LOG, OF_THE_STORE, of_the_log,
    of_the_store,
};
use crate::backend::{Capabilities, Step};
use crate::counter::{PlainMark, window_ns};
use crate::last_signed::SignedHead;
use crate::limits::PLAIN_EVERY_S;
use evidence::kinds::{Binding, BindingCounter, KeyStore};
use evidence::reasons::{CounterKind, Custody, RollbackAlarm};
use evidence::{Blob, BootId, Generation, MonoNs};
use proof::Hash;
use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

//= A6.4
#[test]
fn every_finding_has_one_row_and_the_four_cases_have_four_alarms() {
    let mut alarms = BTreeSet::new();
    for heads in Heads::ALL {
        for end in End::ALL {
            let rows = OF_THE_LOG
                .iter()
                .filter(|row| (row.0, row.1) == (heads, end));
            assert_eq!(rows.count(), 1, "{heads:?} {end:?}");
            let alarm = of_the_log(heads, end);
            let sound = matches!(heads, Heads::Unknown | Heads::Agree) && end == End::Whole;
            assert_eq!(alarm.is_none(), sound, "{heads:?} {end:?}");
            alarms.extend(alarm.map(RollbackAlarm::code));
        }
    }
    for moved in Moved::ALL {
        for moment in Moment::ALL {
            let rows = OF_THE_STORE
                .iter()
                .filter(|row| (row.0, row.1) == (moved, moment));
            assert_eq!(rows.count(), 1, "{moved:?} {moment:?}");
            let alarm = of_the_store(moved, moment);
            let sound = moved == Moved::Level;
            assert_eq!(alarm.is_none(), sound, "{moved:?} {moment:?}");
            alarms.extend(alarm.map(RollbackAlarm::code));
        }
    }
    let all: BTreeSet<u64> = RollbackAlarm::ALL
        .iter()
        .map(|alarm| alarm.code())
        .collect();
    assert_eq!(alarms, all);
    let at_start = |moved| of_the_store(moved, Moment::Start).unwrap();
    let four = [
        at_start(Moved::Ahead),
        at_start(Moved::OtherStore),
        of_the_log(Heads::Ahead, End::Whole).unwrap(),
        at_start(Moved::Behind),
    ];
    let distinct: BTreeSet<u64> = four.iter().map(|alarm| alarm.code()).collect();
    assert_eq!(distinct.len(), four.len());
}

//= A6.4
#[test]
fn a_signed_head_is_compared_with_the_tree_at_its_size() {
    let head = |size| SignedHead {
        size,
        root: Hash([7; 32]),
    };
    let same = |_| Some(Hash([7; 32]));
    for (root, says) in [
        (Some(Hash([7; 32])), Heads::Agree),
        (Some(Hash([8; 32])), Heads::Differ),
        (None, Heads::Unknown),
    ] {
        for size in [10, 11] {
            let newest = Some((Generation(2), head(10)));
            assert_eq!(Heads::compare(newest, Generation(2), size, |_| root), says);
        }
    }
    for (newest, says) in [
        (None, Heads::Unknown),
        (Some((Generation(1), head(99))), Heads::Unknown),
        (Some((Generation(2), head(11))), Heads::Ahead),
        (Some((Generation(3), head(1))), Heads::Ahead),
    ] {
        assert_eq!(Heads::compare(newest, Generation(2), 10, same), says);
    }
}

fn store(index: u8) -> KeyStore {
    KeyStore {
        at: MonoNs(1),
        custody: Custody::Tpm,
        maker: String::new(),
        non_exportable: true,
        monotonic_counter: true,
        attestation: true,
        measured_boot: false,
        key_public: None,
        counters: [CounterKind::Orderly, CounterKind::Plain]
            .map(|counter| BindingCounter {
                counter,
                public: Blob(std::vec![index]),
            })
            .into(),
        window_ns: None,
        not_applied: Vec::new(),
    }
}

fn bind(bound: &mut BoundCounters, counter: CounterKind, value: u64) {
    bound.binding(&Binding {
        at: MonoNs(1),
        size: 1,
        counter,
        value,
        attest: Blob(Vec::new()),
        signature: Blob(Vec::new()),
    });
}

fn found(counter: CounterKind, index: u8, value: u64, moving_to: Option<u64>) -> CounterFound {
    CounterFound {
        counter,
        public: std::vec![index],
        value,
        moving_to,
    }
}

/// Whoever follows the cure of a counter that was undefined is told of another counter, and of no older disk.
//= A6.4
#[test]
fn a_counter_that_was_away_is_another_one_until_a_checkpoint_is_bound_to_it() {
    let plain = CounterKind::Plain;
    let mut bound = BoundCounters::default();
    bound.store(&store(1));
    bind(&mut bound, plain, 98);
    let mut without = store(1);
    without.counters.retain(|one| one.counter != plain);
    bound.store(&without);
    let moved = |bound: &BoundCounters| {
        let found = found(plain, 1, 4_712, Some(99));
        bound.compare(&found).map(|one| one.moved)
    };
    assert_eq!(moved(&bound), Some(Moved::OtherIndex));
    // Also where the entry that told of it has left the ring.
    let mut recalled = BoundCounters::default();
    for (label, value) in bound.frozen() {
        recalled.recall(&label, value);
    }
    for bound in [&mut bound, &mut recalled] {
        assert_eq!(moved(bound), Some(Moved::OtherIndex));
        bound.store(&store(1));
        assert_eq!(moved(bound), Some(Moved::OtherIndex));
    }
    bind(&mut bound, plain, 4_712);
    assert_eq!(moved(&bound), Some(Moved::Level));
}

/// A counter that is another is told once, whether it is under the same index or not, and the next one again.
//= A6.4
#[test]
fn a_counter_that_was_told_as_another_is_no_news_until_it_is_away_again() {
    let plain = CounterKind::Plain;
    let moved = |bound: &BoundCounters, index| {
        let found = found(plain, index, 4_712, Some(99));
        bound.compare(&found).map(|one| one.moved)
    };
    let mut without = store(1);
    without.counters.retain(|one| one.counter != plain);
    // It was bound to, or never was; what comes is under the same index, or another.
    for value in [Some(98), None] {
        for index in [1, 2] {
            let mut bound = BoundCounters::default();
            bound.store(&store(1));
            if let Some(value) = value {
                bind(&mut bound, plain, value);
            }
            for _ in 0..2 {
                bound.store(&without);
                assert_eq!(moved(&bound, index), Some(Moved::OtherIndex));
                bound.told(plain);
                bound.store(&store(index));
                // Not at each start, also where the entries that told of it have left the ring.
                let mut recalled = BoundCounters::default();
                for (label, value) in bound.frozen() {
                    recalled.recall(&label, value);
                }
                for bound in [&bound, &recalled] {
                    assert!(matches!(moved(bound, index), Some(Moved::Level) | None));
                    assert_eq!(bound.value(plain), None);
                }
            }
            bind(&mut bound, plain, 4_712);
            assert_eq!(bound.value(plain), Some(4_712));
        }
    }
    // An older copy of it is told once as well.
    let mut bound = BoundCounters::default();
    bound.store(&store(1));
    bind(&mut bound, plain, 9_000);
    assert_eq!(moved(&bound, 1), Some(Moved::Behind));
    bound.told(plain);
    assert_eq!(moved(&bound, 1), Some(Moved::Level));
}

/// What the log shows of the plain counter decides; one that it shows nothing of is bound to at once and costs no write.
//= A6.4
#[test]
fn the_plain_counter_is_attested_where_the_log_shows_nothing_of_it_and_moved_only_where_it_is_due()
{
    for (due, shown, step, moves) in [
        (true, Some(98), Some(Step::Above(98)), [true, false]),
        (true, None, Some(Step::Next), [true, true]),
        (false, Some(98), None, [false, false]),
        (false, None, Some(Step::AS_IT_STANDS), [false, false]),
    ] {
        let found = Step::of_plain(due, shown);
        assert_eq!(found, step, "{due} {shown:?}");
        let moved = [98, 99].map(|value| found.is_some_and(|step| step.moves(value)));
        assert_eq!(moved, moves, "{due} {shown:?}");
    }
}

//= A6.4
#[test]
fn a_counter_is_level_where_this_disk_left_it_and_nowhere_else() {
    use CounterKind::{Orderly, Plain};
    let mut bound = BoundCounters::default();
    assert_eq!(bound.compare(&found(Plain, 1, 5, None)), None);
    bound.store(&store(1));
    bind(&mut bound, Orderly, 300);
    bind(&mut bound, Plain, 20);
    // A segment's frozen state carries it.
    let mut recalled = BoundCounters::default();
    for (label, value) in bound.frozen() {
        recalled.recall(&label, value);
    }
    recalled.recall("sideways 00", 1);
    assert_eq!(recalled, bound);
    for (counter, index, value, moving_to, moved) in [
        (Plain, 1, 20, Some(20), Moved::Level),
        // Cut between the step and the entry, and between the mark and the step.
        (Plain, 1, 21, Some(21), Moved::Level),
        (Plain, 1, 20, Some(21), Moved::Level),
        // Whoever put an older disk back wrote what he found the counter at.
        (Plain, 1, 22, Some(22), Moved::Ahead),
        (Plain, 1, 22, Some(u64::MAX), Moved::Ahead),
        // A mark of an earlier version, which does not say.
        (Plain, 1, 21, None, Moved::Level),
        (Plain, 1, 22, None, Moved::Ahead),
        (Plain, 1, 21, Some(20), Moved::Ahead),
        (Plain, 1, 19, Some(21), Moved::Behind),
        (Plain, 2, 20, Some(20), Moved::OtherIndex),
        (Orderly, 1, 300, None, Moved::Level),
        (Orderly, 1, 556, None, Moved::Level),
        (Orderly, 1, 299, None, Moved::Behind),
        (Orderly, 2, 301, None, Moved::OtherIndex),
    ] {
        let judged = bound
            .compare(&found(counter, index, value, moving_to))
            .unwrap();
        assert_eq!(
            judged.moved, moved,
            "{counter} {index} {value} {moving_to:?}"
        );
    }
    // Another index was told when it was met; from then on it is the one.
    bound.store(&store(2));
    let judged = bound.compare(&found(Plain, 2, 3, None)).unwrap();
    assert_eq!((judged.moved, judged.bound), (Moved::Level, None));
}

/// A disk as it was at an instant: the counter's value in its log, and the mark beside it.
#[derive(Clone)]
struct Disk {
    bound: BoundCounters,
    mark: Option<PlainMark>,
}

const SECOND_NS: u64 = 1_000_000_000;
const SEAL_EVERY_S: u64 = 60;
const LOOK_EVERY_S: u64 = 30;
const PLAIN_NS: u64 = PLAIN_EVERY_S * SECOND_NS;

/// What happens to a node in some hours, in seconds since they began.
#[derive(Clone, Copy, Debug)]
struct Life {
    hours: u64,
    /// No seal comes from the first to the second.
    missed: &'static [(u64, u64)],
    boots: &'static [u64],
    /// Seals whose step is made and whose entry is not.
    cuts: &'static [u64],
}

struct Lived {
    /// Each instant in nanoseconds, the counter's value there, and the disk.
    history: Vec<(u64, u64, Disk)>,
    /// When the log got a binding of the plain counter.
    steps: Vec<u64>,
}

impl Life {
    /// A node that seals at its cadence, looked at again and again.
    fn lived(self) -> Lived {
        let mut disk = Disk {
            bound: BoundCounters::default(),
            mark: None,
        };
        disk.bound.store(&store(1));
        let (mut counter, mut boot) = (1, 0);
        let (mut history, mut steps) = (Vec::new(), Vec::new());
        for at_s in (0..self.hours * 3_600).step_by(usize::try_from(LOOK_EVERY_S).unwrap()) {
            boot += u8::from(self.boots.contains(&at_s));
            let mut now = PlainMark {
                boot: BootId([boot; 16]),
                at_ns: at_s * SECOND_NS,
                value: None,
            };
            let away = |(from, to): &(u64, u64)| (*from..*to).contains(&at_s);
            let seals = at_s % SEAL_EVERY_S == 0 && !self.missed.iter().any(away);
            let shown = disk.bound.value(CounterKind::Plain);
            let due = PlainMark::is_unseen(disk.mark, shown)
                || PlainMark::is_due(disk.mark, now, PLAIN_NS);
            if seals && due {
                let step = shown.map_or(Step::Next, Step::Above);
                counter += u64::from(step.moves(counter));
                now.value = Some(counter);
                disk.mark = Some(now);
                if !self.cuts.contains(&at_s) {
                    bind(&mut disk.bound, CounterKind::Plain, counter);
                    steps.push(now.at_ns);
                }
            }
            history.push((now.at_ns, counter, disk.clone()));
        }
        Lived { history, steps }
    }
}

impl Lived {
    /// The longest rollback that stays unseen, of each disk put back at every later instant, with this mark on it.
    fn widest_unseen_ns(&self, mark_of: impl Fn(&Disk) -> Option<u64>) -> u64 {
        let mut widest = 0;
        for (place, (copied, _, disk)) in self.history.iter().enumerate() {
            for (back, counter, _) in self.history.iter().skip(place) {
                let found = found(CounterKind::Plain, 1, *counter, mark_of(disk));
                let judged = disk.bound.compare(&found).unwrap();
                match judged.moved {
                    Moved::Ahead => assert_ne!(back, copied, "a disk that nobody touched"),
                    _ => widest = widest.max(back - copied),
                }
            }
        }
        widest
    }

    /// The longest stretch from one step that the log shows to the second behind it, and before the first.
    fn two_steps_ns(&self) -> u64 {
        let ends = [0].iter().chain(&self.steps);
        let ends: Vec<u64> = ends
            .copied()
            .chain(self.history.last().map(|last| last.0))
            .collect();
        let two = ends.windows(3).map(|of| of[2] - of[0]);
        two.max().unwrap()
    }
}

const fn of_disk(disk: &Disk) -> Option<u64> {
    match disk.mark {
        Some(mark) => mark.value,
        None => None,
    }
}

/// A node lives for hours; its disk is copied at every instant, and put back at every later one, as it was and with a
/// mark that says whatever helps.
//= A6.4
#[test]
fn no_rollback_longer_than_the_stated_window_stays_unseen_while_seals_come() {
    let capabilities = Capabilities {
        custody: Custody::Tpm,
        monotonic_counter: true,
        ..Capabilities::SOFTWARE
    };
    let seal_ns = SEAL_EVERY_S * SECOND_NS;
    let window = window_ns(capabilities, PLAIN_NS, seal_ns).unwrap();
    let quiet = Life {
        hours: 2,
        missed: &[],
        boots: &[],
        cuts: &[],
    };
    for life in [
        quiet,
        Life {
            boots: &[600, 4_230, 4_290],
            ..quiet
        },
        // A cut that takes the machine down, and one that ends a process.
        Life {
            boots: &[1_830],
            cuts: &[1_800, 5_460],
            ..quiet
        },
    ] {
        let lived = life.lived();
        let forged = lived.widest_unseen_ns(|_| Some(u64::MAX));
        assert!(
            forged <= window,
            "{life:?}: {forged} ns stayed unseen, {window} are stated"
        );
        let as_it_was = lived.widest_unseen_ns(of_disk);
        assert!(as_it_was <= forged, "{life:?}: {as_it_was}");
        if life.boots.is_empty() {
            // The statements are no wider than they must be.
            let slack = seal_ns + LOOK_EVERY_S * SECOND_NS;
            assert!(forged + slack >= window, "{forged} of {window}");
            assert!(as_it_was <= PLAIN_NS + seal_ns, "{as_it_was}");
        }
    }
}

/// The chip is gone for hours, and as it is back three cuts follow: so much can be rolled back, and what the log shows says so.
//= A6.4
#[test]
fn where_seals_were_missed_the_widest_stretch_of_the_log_is_the_window() {
    let life = Life {
        hours: 4,
        missed: &[(2_000, 8_000)],
        boots: &[2_400, 6_000, 8_070, 8_130],
        cuts: &[8_040, 8_100, 8_160],
    };
    let lived = life.lived();
    let capabilities = Capabilities {
        custody: Custody::Tpm,
        monotonic_counter: true,
        ..Capabilities::SOFTWARE
    };
    let stated = window_ns(capabilities, PLAIN_NS, SEAL_EVERY_S * SECOND_NS).unwrap();
    let forged = lived.widest_unseen_ns(|_| Some(u64::MAX));
    assert!(
        forged > stated,
        "{forged} ns, {stated} are stated by design"
    );
    let shown = lived.two_steps_ns();
    assert!(
        forged <= shown,
        "{forged} ns stayed unseen, the log shows {shown}"
    );
}
