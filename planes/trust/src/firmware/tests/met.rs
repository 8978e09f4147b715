//! A counter that was moved for images that the disk does not know: what is met once stands until it is settled, over starts, and
//! with the store away.

use super::{BLOCK, C, CounterSeen, OBSERVE, entry, knows, there};
use crate::firmware::{FirmwareMemory, FirmwareRule, Installed, Judged, ToBind};
use evidence::kinds::Firmware;
use evidence::reasons::FirmwareOutcome as O;
use evidence::{Actor, Blob};
use std::string::String;
use std::vec::Vec;

/// The entry of what was judged, as a recorder writes it.
fn said(memory: &FirmwareMemory, judged: &Judged, installed: u32, accepted: bool) -> Firmware {
    let installed = Some(u64::from(installed));
    Firmware {
        counter: judged.counter,
        shown: judged.shown,
        accepted,
        ..entry(
            judged.outcome,
            installed,
            memory.highest().map(u64::from).max(installed),
        )
    }
}

/// A disk after a start of this version before that store.
fn started(mut memory: FirmwareMemory, version: u32, seen: &CounterSeen) -> FirmwareMemory {
    for seen in [&CounterSeen::Unheard, seen] {
        let judged = memory.judge(Installed::Version(version), BLOCK, false, seen);
        let told = said(&memory, &judged, version, false);
        memory.observe(&told);
    }
    memory
}

fn bound(mut memory: FirmwareMemory, version: u64, value: u64) -> FirmwareMemory {
    memory.observe(&Firmware {
        value: Some(value),
        public: Some(Blob(super::PUBLIC.to_vec())),
        ..entry(O::Accepted, Some(version), Some(version))
    });
    memory
}

/// Each disk that knows of no counter, before one that was used: new, wiped, another's, of a log that declared nothing, and of one
/// that was started while the store was away.
//= A6.4
//= R8.3
#[test]
fn a_used_counter_before_a_disk_that_knows_no_version_runs_nothing_until_somebody_accepts() {
    let mut undeclared = FirmwareMemory::default();
    undeclared.observe(&entry(O::Undeclared, None, None));
    let blank = FirmwareMemory::default();
    let away = started(blank.clone(), 3, &CounterSeen::Unheard);
    let before = started(blank.clone(), 3, &there(40));
    let window = FirmwareRule {
        allow_down_to: Some(3),
        ..BLOCK
    };
    for memory in [blank, undeclared, away, before] {
        let judge = |installed, rule, accepting| {
            let judged = memory.judge(installed, rule, accepting, &there(40));
            assert_eq!((judged.counter, judged.shown), (C::Ahead, Some(0)));
            (judged.outcome, judged.bind)
        };
        for version in [1, 3, u32::MAX] {
            let installed = Installed::Version(version);
            assert_eq!(judge(installed, BLOCK, false), (O::Blocked, None));
            assert_eq!(judge(installed, OBSERVE, false), (O::Observed, None));
        }
        assert_eq!(
            judge(Installed::Unreadable, BLOCK, false),
            (O::Blocked, None)
        );
        // The window is somebody's word too, and lets run and no more.
        assert_eq!(
            judge(Installed::Version(3), window, false),
            (O::Allowed, None)
        );
        assert_eq!(
            judge(Installed::Version(2), window, false),
            (O::Blocked, None)
        );
        let bind = ToBind {
            version: 3,
            above: None,
        };
        assert_eq!(
            judge(Installed::Version(3), BLOCK, true),
            (O::Accepted, Some(bind))
        );
    }
}

/// What was met is not forgotten with the store away, and neither by a counter that stands lower or is there no more.
//= A6.4
//= R8.3
#[test]
fn what_a_counter_showed_stands_over_starts_until_a_version_is_bound_to_it() {
    let older = knows(6, Some((6, 40)));
    let met = started(older, 6, &there(43));
    assert_eq!(met.shown(), Some(9));
    let unplaced = started(FirmwareMemory::default(), 3, &there(40));
    assert_eq!(unplaced.shown(), Some(0));
    for (memory, installed, seen, outcome, counter, binds) in [
        (&met, 6, CounterSeen::Unheard, O::Blocked, C::Unheard, None),
        (&met, 8, CounterSeen::Unheard, O::Blocked, C::Unheard, None),
        (&met, 9, CounterSeen::Unheard, O::Same, C::Unheard, None),
        (&met, 6, there(43), O::Blocked, C::Ahead, None),
        (&met, 9, there(43), O::Same, C::Ahead, Some(None)),
        (&met, 12, there(43), O::Raised, C::Ahead, Some(Some(43))),
        (&met, 6, there(40), O::Blocked, C::Behind, None),
        (&met, 6, CounterSeen::Absent, O::Blocked, C::Gone, None),
        (
            &unplaced,
            3,
            CounterSeen::Unheard,
            O::Blocked,
            C::Unheard,
            None,
        ),
        (&unplaced, 3, CounterSeen::Absent, O::Blocked, C::Gone, None),
        (&unplaced, 3, there(41), O::Blocked, C::Ahead, None),
    ] {
        let judged = memory.judge(Installed::Version(installed), BLOCK, false, &seen);
        let above = judged.bind.map(|bind| bind.above);
        assert_eq!(
            (judged.outcome, judged.counter, above),
            (outcome, counter, binds),
            "{installed} {seen:?}"
        );
        assert_eq!(judged.shown, memory.shown());
    }
    let settled = bound(met, 9, 43);
    assert_eq!(settled.shown(), None);
    let judged = settled.judge(Installed::Version(9), BLOCK, false, &there(43));
    assert_eq!((judged.outcome, judged.counter), (O::Same, C::Level));
}

/// An image that reaches what was met starts with the store away: the step that others made is not taken for its own.
//= A6.4
#[test]
fn a_step_that_others_made_is_not_taken_for_one_that_was_due() {
    let met = started(knows(7, Some((7, 40))), 7, &there(41));
    assert_eq!(met.shown(), Some(8));
    let raised = started(met, 9, &CounterSeen::Unheard);
    assert_eq!((raised.highest(), raised.shown()), (Some(9), Some(8)));
    let judged = raised.judge(Installed::Version(9), BLOCK, false, &there(41));
    assert_eq!((judged.outcome, judged.counter), (O::Same, C::Ahead));
    assert_eq!(judged.bind.map(|bind| bind.above), Some(None));
}

/// Who accepts knows what was met: the same counter, heard later, needs no second word; one that went on does.
//= R8.3
#[test]
fn an_acceptance_is_of_what_was_met_and_of_nothing_that_is_met_later() {
    let mut memory = started(knows(6, Some((6, 40))), 6, &there(43));
    let six = Installed::Version(6);
    let judged = memory.judge(six, BLOCK, true, &CounterSeen::Unheard);
    assert_eq!(judged.outcome, O::Accepted);
    let told = said(&memory, &judged, 6, true);
    memory.observe(&told);
    for (seen, outcome, binds) in [
        (CounterSeen::Unheard, O::Accepted, false),
        (there(43), O::Accepted, true),
        (there(44), O::Blocked, false),
        (there(39), O::Blocked, false),
        (CounterSeen::Absent, O::Blocked, false),
    ] {
        let judged = memory.judge(six, BLOCK, false, &seen);
        let found = (judged.outcome, judged.bind.is_some());
        assert_eq!(found, (outcome, binds), "{seen:?}");
    }
}

/// Who accepted it, and why, is said at each start that runs by it.
//= R8.3
#[test]
fn who_accepted_what_runs_and_why_is_known_until_something_else_runs() {
    let mut memory = knows(7, None);
    let accepts = Firmware {
        accepted: true,
        actor: Some(Actor::local("ada", 1_000)),
        reason: Some(String::from("7 loses readings")),
        ..entry(O::Accepted, Some(5), Some(7))
    };
    memory.observe(&accepts);
    let known = |memory: &FirmwareMemory| {
        let by = memory.accepted_by();
        by.map(|(by, why)| std::format!("{by}: {why}"))
    };
    let by = Some(String::from("ada (uid 1000): 7 loses readings"));
    assert_eq!(known(&memory), by);
    memory.observe(&Firmware {
        actor: None,
        reason: None,
        ..accepts.clone()
    });
    assert_eq!(known(&memory), by);
    assert_eq!(known(&again(&memory)), by);
    memory.observe(&entry(O::Same, Some(7), Some(7)));
    assert_eq!(known(&memory), None);
    // Longer than what is kept: cut at a whole character, and readable.
    memory.observe(&Firmware {
        actor: Some(Actor::local(&"\u{e4}".repeat(900), 7)),
        reason: Some("\u{e4}".repeat(900)),
        ..accepts
    });
    let (by, why) = again(&memory).accepted_by().cloned().unwrap();
    assert_eq!((by.as_str().len(), why.len()), (256, 512));
}

/// What the next run takes back of a frozen state.
fn again(memory: &FirmwareMemory) -> FirmwareMemory {
    let mut again = FirmwareMemory::default();
    for (name, label, value) in memory.frozen() {
        assert!(evidence::frozen::is_reserved(name));
        again.recall(name, &label, value);
    }
    again
}

#[test]
fn a_frozen_state_has_all_of_it_and_no_part_of_a_label_is_taken() {
    let mut accepted = knows(7, Some((7, 40)));
    accepted.observe(&Firmware {
        accepted: true,
        attempts: 3,
        blocks: 2,
        ..entry(O::Accepted, None, Some(7))
    });
    let met = started(knows(7, Some((7, 40))), 7, &there(52));
    let unplaced = started(FirmwareMemory::default(), 3, &there(40));
    let mut fresh = FirmwareMemory::default();
    fresh.observe(&Firmware {
        counter: C::New,
        ..entry(O::First, Some(7), Some(7))
    });
    let all = [
        knows(7, None),
        knows(9, Some((8, 41))),
        accepted,
        met,
        unplaced,
        fresh,
    ];
    for memory in all {
        assert_eq!(again(&memory), memory);
        let (name, label, value) = memory.frozen().remove(0);
        for cut in (0..label.len()).filter(|cut| label.is_char_boundary(*cut)) {
            let mut again = FirmwareMemory::default();
            again.recall(name, &label[..cut], value);
            // Digits of the index are all that may be missing, and then it is another counter.
            assert!(again != memory, "{cut}");
        }
    }
    assert_eq!(FirmwareMemory::default().frozen(), Vec::new());
    // As logs of before have it.
    let mut old = FirmwareMemory::default();
    old.recall(super::FIRMWARE, "0 0 same 7 - - - -", 7);
    assert_eq!((old.highest(), old.shown()), (Some(7), None));
}
