//! Every row of both tables, and each way in which a counter and a disk can stand to one another.

use super::{
    Act, CounterSeen, FirmwareMemory, FirmwareRule, Installed, Leave, OF_THE_COUNTER,
    OF_THE_NUMBER, ToBind, Told,
};
use evidence::frozen::names::FIRMWARE;
use evidence::kinds::Firmware;
use evidence::reasons::{FirmwareCounter as C, FirmwareOutcome as O};
use evidence::{Blob, MonoNs};
use std::collections::BTreeSet;
use std::vec::Vec;

const TOLD: [Told; 8] = [
    Told::Undeclared,
    Told::Unread,
    Told::Lost,
    Told::First,
    Told::Same,
    Told::Newer,
    Told::Older,
    Told::Unplaced,
];
const LEAVE: [Leave; 3] = [Leave::None, Leave::Window, Leave::Accepted];
const OBSERVE: FirmwareRule = FirmwareRule {
    block: false,
    allow_down_to: None,
};
const BLOCK: FirmwareRule = FirmwareRule {
    block: true,
    allow_down_to: None,
};
const PUBLIC: &[u8] = b"the counter";

fn entry(outcome: O, installed: Option<u64>, highest: Option<u64>) -> Firmware {
    Firmware {
        installed,
        highest,
        attempts: u64::from(outcome.is_attempt()),
        blocks: u64::from(outcome.is_block()),
        ..Firmware::new(MonoNs(1), outcome)
    }
}

/// A disk that knows this highest version, bound to the counter at a value.
fn knows(highest: u64, bound: Option<(u64, u64)>) -> FirmwareMemory {
    let mut memory = FirmwareMemory::default();
    if let Some((version, value)) = bound {
        memory.observe(&Firmware {
            value: Some(value),
            public: Some(Blob(PUBLIC.to_vec())),
            ..entry(O::Raised, Some(version), Some(version))
        });
    }
    memory.observe(&entry(O::Raised, Some(highest), Some(highest)));
    memory
}

fn there(value: u64) -> CounterSeen {
    CounterSeen::There {
        public: PUBLIC.to_vec(),
        value,
    }
}

/// Every pair and every triple has one row.
//= A6.4
//= R8.3
#[test]
fn both_tables_have_each_row_once_and_say_what_the_words_say() {
    let mut seen = BTreeSet::new();
    for told in TOLD {
        for leave in LEAVE {
            let rows = OF_THE_NUMBER
                .iter()
                .filter(|row| (row.0, row.1) == (told, leave));
            let rows: Vec<_> = rows.collect();
            assert_eq!(rows.len(), 1, "{told:?} {leave:?}");
            let (_, _, observe, block) = rows[0];
            seen.extend([observe.code(), block.code()]);
            let attempt = matches!(told, Told::Older | Told::Lost | Told::Unplaced);
            for outcome in [observe, block] {
                assert_eq!(outcome.is_attempt(), attempt, "{told:?} {leave:?}");
                assert_eq!(*outcome == O::Accepted, attempt && leave == Leave::Accepted);
            }
            assert!(!observe.is_block(), "who observes blocks nothing");
            let placed = matches!(told, Told::Older | Told::Unplaced);
            let window = placed && leave == Leave::Window;
            assert_eq!(
                block.is_block(),
                attempt && leave != Leave::Accepted && !window
            );
            assert_eq!(*block == O::Allowed, window);
        }
    }
    assert_eq!(seen.len(), O::ALL.len(), "every outcome has a row");
    assert_eq!(OF_THE_NUMBER.len(), TOLD.len() * LEAVE.len());
    for counter in C::ALL {
        for (due, settled) in [(false, false), (false, true), (true, false), (true, true)] {
            let rows = OF_THE_COUNTER
                .iter()
                .filter(|row| (row.0, row.1, row.2) == (*counter, due, settled));
            let rows: Vec<_> = rows.collect();
            assert_eq!(rows.len(), 1, "{counter} {due} {settled}");
            let act = rows[0].3;
            let nobody = matches!(counter, C::None | C::Unheard);
            assert!(!nobody || act == Act::Leave);
            // What contradicts is never bound over by itself.
            let contradicts = matches!(counter, C::Ahead | C::Behind | C::Gone);
            assert_eq!(contradicts && act != Act::Leave, contradicts && settled);
            // One write for each raise, and none without.
            assert!(act != Act::Raise || due);
        }
    }
    assert_eq!(OF_THE_COUNTER.len(), C::ALL.len() * 4);
}

/// What is installed, by the disk alone, with both rules.
//= A6.4
//= R8.3
#[test]
fn the_highest_that_ran_decides_and_who_accepts_or_has_a_window_lets_an_older_one_run() {
    let old = knows(7, None);
    let window = FirmwareRule {
        block: true,
        allow_down_to: Some(6),
    };
    let none = FirmwareMemory::default();
    for (memory, installed, rule, accepting, outcome) in [
        (&none, Installed::Undeclared, BLOCK, false, O::Undeclared),
        (&none, Installed::Unreadable, BLOCK, false, O::Unreadable),
        (&none, Installed::Version(1), BLOCK, false, O::First),
        (&old, Installed::Version(7), BLOCK, false, O::Same),
        (&old, Installed::Version(8), BLOCK, false, O::Raised),
        (&old, Installed::Version(6), OBSERVE, false, O::Observed),
        (&old, Installed::Version(6), BLOCK, false, O::Blocked),
        (&old, Installed::Unreadable, OBSERVE, false, O::Observed),
        (&old, Installed::Unreadable, BLOCK, false, O::Blocked),
        (&old, Installed::Undeclared, BLOCK, false, O::Undeclared),
        (&old, Installed::Version(6), window, false, O::Allowed),
        (&old, Installed::Version(5), window, false, O::Blocked),
        (&old, Installed::Unreadable, window, false, O::Blocked),
        (&old, Installed::Version(5), BLOCK, true, O::Accepted),
        (&old, Installed::Unreadable, BLOCK, true, O::Accepted),
    ] {
        let judged = memory.judge(installed, rule, accepting, &CounterSeen::Incapable);
        assert_eq!(judged.outcome, outcome, "{installed:?} {rule:?}");
        assert_eq!((judged.counter, judged.bind), (C::None, None));
    }
}

/// What was accepted stays so over starts, for that version alone, and lowers nothing.
//= R8.3
#[test]
fn an_acceptance_is_of_one_version_and_never_lowers_the_highest() {
    let mut memory = knows(7, None);
    memory.observe(&Firmware {
        accepted: true,
        ..entry(O::Accepted, Some(5), Some(7))
    });
    let judge = |memory: &FirmwareMemory, installed| {
        let judged = memory.judge(installed, BLOCK, false, &CounterSeen::Incapable);
        (judged.outcome, judged.floor)
    };
    let five = Installed::Version(5);
    assert_eq!(judge(&memory, five), (O::Accepted, Some(7)));
    assert_eq!(judge(&memory, Installed::Version(6)), (O::Blocked, Some(7)));
    assert_eq!(judge(&memory, Installed::Unreadable), (O::Blocked, Some(7)));
    memory.observe(&entry(O::Same, Some(7), Some(7)));
    assert_eq!(judge(&memory, five), (O::Blocked, Some(7)));
    assert_eq!(memory.highest(), Some(7));
}

/// Each way in which a counter can stand to a disk, and what becomes of it.
//= A6.4
#[test]
#[expect(clippy::too_many_lines, reason = "a table of every way, one row each")]
fn a_counter_shows_what_an_older_disk_does_not_know() {
    let raise = |version, above| {
        Some(ToBind {
            version,
            above: Some(above),
        })
    };
    let bind = |version| {
        Some(ToBind {
            version,
            above: None,
        })
    };
    let bound = knows(7, Some((7, 40)));
    let due = knows(8, Some((7, 40)));
    // The store was seen to have no counter, and the first binding is due.
    let mut unbound = knows(7, None);
    unbound.observe(&Firmware {
        counter: C::New,
        ..entry(O::Same, Some(7), Some(7))
    });
    let other = CounterSeen::There {
        public: b"another".to_vec(),
        value: 41,
    };
    let v = Installed::Version;
    for (memory, seen, installed, counter, outcome, floor, then) in [
        (
            &bound,
            CounterSeen::Unheard,
            v(7),
            C::Unheard,
            O::Same,
            7,
            None,
        ),
        (
            &unbound,
            CounterSeen::Absent,
            v(7),
            C::New,
            O::Same,
            7,
            bind(7),
        ),
        // The entry of the first binding was lost to a cut.
        (&unbound, there(40), v(7), C::New, O::Same, 7, bind(7)),
        (&bound, there(40), v(7), C::Level, O::Same, 7, bind(7)),
        (
            &bound,
            there(40),
            v(8),
            C::Level,
            O::Raised,
            7,
            raise(8, 40),
        ),
        (&bound, there(40), v(6), C::Level, O::Blocked, 7, bind(7)),
        // A raise that was due: not made, and made with its entry lost to a cut. It is asked for alike.
        (&due, there(40), v(8), C::Level, O::Same, 8, raise(8, 40)),
        (&due, there(41), v(8), C::Level, O::Same, 8, raise(8, 40)),
        // Other images ran, each of them a version higher at the least.
        (&bound, there(42), v(7), C::Ahead, O::Blocked, 9, None),
        // What reaches them moves it no further: cut before its entry, it would be blocked by its own step.
        (&bound, there(42), v(9), C::Ahead, O::Same, 9, bind(9)),
        (&bound, there(43), v(10), C::Ahead, O::Same, 10, bind(10)),
        (
            &bound,
            there(42),
            v(12),
            C::Ahead,
            O::Raised,
            9,
            raise(12, 42),
        ),
        (&due, there(42), v(8), C::Ahead, O::Blocked, 9, None),
        (&bound, there(39), v(7), C::Behind, O::Same, 7, None),
        (&bound, other, v(7), C::Behind, O::Same, 7, None),
        (&bound, CounterSeen::Absent, v(7), C::Gone, O::Same, 7, None),
        (
            &bound,
            CounterSeen::Incapable,
            v(7),
            C::Gone,
            O::Same,
            7,
            None,
        ),
    ] {
        let judged = memory.judge(installed, BLOCK, false, &seen);
        let found = (judged.counter, judged.outcome, judged.floor, judged.bind);
        assert_eq!(
            found,
            (counter, outcome, Some(floor), then),
            "{seen:?} {installed:?}"
        );
    }
    // A person decides that it goes on from here.
    for (seen, then) in [
        (there(42), bind(7)),
        (there(39), bind(7)),
        (CounterSeen::Absent, bind(7)),
    ] {
        let judged = bound.judge(v(7), BLOCK, true, &seen);
        assert_eq!(judged.bind, then, "{seen:?}");
        assert!(!judged.outcome.is_block());
    }
}

/// Whoever accepts an older version does so once: a counter that says later that others ran, or is another, needs a new word.
//= A6.4
//= R8.3
#[test]
fn an_acceptance_holds_until_something_contradicts_it() {
    let mut accepted = knows(7, Some((7, 40)));
    let six = Installed::Version(6);
    let told = |outcome| Firmware {
        accepted: true,
        ..entry(outcome, Some(6), Some(7))
    };
    accepted.observe(&told(O::Accepted));
    for (seen, outcome) in [
        (there(40), O::Accepted),
        (CounterSeen::Unheard, O::Accepted),
        (there(42), O::Blocked),
        (there(39), O::Blocked),
        (CounterSeen::Absent, O::Blocked),
    ] {
        let judged = accepted.judge(six, BLOCK, false, &seen);
        assert_eq!(judged.outcome, outcome, "{seen:?}");
        assert!(!judged.outcome.is_block() || judged.bind.is_none());
        let again = accepted.judge(six, BLOCK, true, &seen);
        assert_eq!(again.outcome, O::Accepted, "{seen:?}");
    }
    // Blocked in between, known to be older than thought, or of a start in which nothing was older: it is gone.
    let judged = |memory: &FirmwareMemory| memory.judge(six, BLOCK, false, &there(40)).outcome;
    let mut blocked = accepted.clone();
    blocked.observe(&told(O::Blocked));
    assert_eq!(judged(&blocked), O::Blocked);
    let mut older = accepted.clone();
    older.truth(7);
    assert_eq!(judged(&older), O::Accepted);
    older.truth(9);
    assert_eq!(judged(&older), O::Blocked);
    accepted.observe(&told(O::Same));
    assert_eq!(judged(&accepted), O::Blocked);
}

/// An older volume beside a truth store that went on.
//= A6.4
//= A5.9
#[test]
fn the_truth_store_knows_what_an_older_log_does_not() {
    let mut memory = knows(6, None);
    memory.truth(0);
    assert_eq!(memory.highest(), Some(6));
    memory.truth(8);
    let judged = memory.judge(Installed::Version(7), BLOCK, false, &CounterSeen::Incapable);
    assert_eq!((judged.outcome, judged.floor), (O::Blocked, Some(8)));
}

mod met;
