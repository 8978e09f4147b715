//! Every contradiction in front of every alarm; and whole logs, in which one alarm answers once.

use super::{Row, Said as Word, TOLD, Told};
use crate::binding::tests::{Said, authority, index, key, public, store};
use crate::binding::{BindingFault, name};
use crate::bound_log::BoundLog;
use evidence::MonoNs;
use evidence::kinds::Rollback;
use evidence::reasons::{CounterKind, RollbackAlarm, RollbackWitness};
use proof::note::{VerifierKey, sign_p256};
use proof::{Hash, SignedCheckpoint};
use std::string::{String, ToString as _};
use std::vec::Vec;
use tpm::Malformed;

const PLAIN: CounterKind = CounterKind::Plain;
const ORDERLY: CounterKind = CounterKind::Orderly;

fn alarm(counter: CounterKind, bound: Option<u64>, value: u64) -> Rollback {
    Rollback {
        at: MonoNs(1),
        alarm: RollbackAlarm::ReplacedCounter,
        witness: RollbackWitness::Start,
        size: 5,
        known_size: None,
        counter: Some(counter),
        bound,
        value: Some(value),
        detail: "so it is".into(),
    }
}

//= A6.4
#[test]
fn every_contradiction_and_word_has_one_row_and_what_no_node_sees_is_never_told() {
    for what in Row::ALL {
        for said in Word::ALL {
            let rows = TOLD.iter().filter(|row| (row.0, row.1) == (what, said));
            let rows: Vec<bool> = rows.map(|row| row.2).collect();
            let told = match said {
                Word::Nothing | Word::Otherwise => false,
                Word::Behind => what != Row::Other,
                Word::Another => matches!(what, Row::Index | Row::Clock),
            };
            assert_eq!(rows, [told], "{what:?} {said:?}");
        }
    }
}

fn faults() -> Vec<BindingFault> {
    let malformed = BindingFault::Malformed(Malformed { at: 0, what: "key" });
    let mut all = Vec::from([
        malformed,
        BindingFault::OtherKey,
        BindingFault::WeakKey,
        BindingFault::NoFirmwareCounter,
        BindingFault::OtherFirmwareCounter,
        BindingFault::Signature,
        BindingFault::NoValue,
        BindingFault::OtherText,
        BindingFault::OtherSigner,
        BindingFault::OtherTpm,
        BindingFault::OtherValue {
            attested: 1,
            stated: 2,
        },
    ]);
    for counter in [PLAIN, ORDERLY] {
        all.extend([
            BindingFault::NoCounter(counter),
            BindingFault::CounterReplaced(counter),
            BindingFault::UnknownCounter(counter),
            BindingFault::OtherIndex(counter),
            BindingFault::Backwards {
                counter,
                before: 40,
                now: 31,
            },
        ]);
    }
    all
}

/// The log shows 40 of both counters. An alarm tells of what it names, with its values, and of the clock of their TPM.
//= A6.4
#[test]
fn an_alarm_tells_of_the_counter_that_it_names_with_its_values_and_of_nothing_else() {
    for of in RollbackAlarm::ALL {
        for witness in RollbackWitness::ALL {
            for counter in [None, Some(PLAIN), Some(ORDERLY)] {
                for bound in [None, Some(39), Some(40), Some(41)] {
                    for value in [None, Some(30), Some(31), Some(32), Some(44)] {
                        let found = Rollback {
                            alarm: *of,
                            witness: *witness,
                            counter,
                            bound,
                            value,
                            ..alarm(PLAIN, None, 0)
                        };
                        let mut told = Told::default();
                        told.alarm(17, &found);
                        let own = *witness != RollbackWitness::Collector
                            && *of == RollbackAlarm::ReplacedCounter;
                        let matches = own && bound == Some(40);
                        for fault in faults() {
                            let due = match &fault {
                                BindingFault::Backwards { counter: one, .. } => {
                                    // What is attested was found at the look, or moved on since.
                                    let passed = value.is_some_and(|value| value <= 31);
                                    matches && passed && counter == Some(*one)
                                }
                                BindingFault::CounterReplaced(one) => {
                                    matches && value.is_some() && counter == Some(*one)
                                }
                                // An older copy, or one that was cleared.
                                BindingFault::OtherTpm => {
                                    matches && value.is_some() && counter.is_some()
                                }
                                _ => false,
                            };
                            let entry = told.of(&fault, |_| Some(40));
                            assert_eq!(entry, due.then_some(17), "{found:?} {fault:?}");
                        }
                    }
                }
            }
        }
    }
}

/// A log of one TPM.
struct Log {
    log: BoundLog,
    entries: u64,
    resets: u32,
    clock_ms: u64,
    /// The index of the plain counter; that of the other is 100 above.
    at: u32,
    size: u64,
    known: [VerifierKey; 1],
}

const ORIGIN: &str = "meters.example/site/g1";

impl Log {
    fn new() -> Self {
        let mut log = Self {
            log: BoundLog::default(),
            entries: 0,
            resets: 3,
            clock_ms: 1_000,
            at: 1,
            size: 0,
            known: [authority(&key(7))],
        };
        assert_eq!(log.states(1), [None; 0]);
        for (counter, value) in [(ORDERLY, 900), (PLAIN, 40)] {
            assert_eq!(log.binds(counter, value), Ok(()));
        }
        log
    }

    /// States the store, with these indexes: what is told of each contradiction in it.
    fn states(&mut self, at: u32) -> Vec<Option<u64>> {
        self.entries += 1;
        self.at = at;
        let mut stated = store(public(&key(7), 0), index(at, false, 0));
        let orderly = store(public(&key(7), 0), index(at + 100, true, 0));
        for mut one in orderly.counters {
            one.counter = ORDERLY;
            stated.counters.push(one);
        }
        let found = self.log.store(&stated, &self.known);
        found.into_iter().map(|one| one.told).collect()
    }

    /// An alarm, in its entry.
    fn tells(&mut self, counter: CounterKind, bound: u64, value: u64) -> u64 {
        self.entries += 1;
        self.log
            .alarm(self.entries, &alarm(counter, Some(bound), value));
        self.entries
    }

    /// Seals and binds: what it contradicts, if anything, as what is told of it.
    fn binds(&mut self, counter: CounterKind, value: u64) -> Result<(), Option<u64>> {
        self.entries += 3;
        self.size += 10;
        self.clock_ms += 500;
        let head = proof::Checkpoint::new(ORIGIN, self.size, Hash([1; 32])).unwrap();
        let mut note = head.to_note().unwrap();
        note.add(sign_p256(ORIGIN, &key(7), note.text()).unwrap())
            .unwrap();
        let opened = SignedCheckpoint::open(note.to_string().as_bytes(), &self.known).unwrap();
        self.log.checkpoint(self.size, &opened, &self.known);
        let of = match counter {
            PLAIN => index(self.at, false, 0),
            ORDERLY => index(self.at + 100, true, 0),
        };
        let said = Said {
            text: String::from(note.text()),
            index: name(&of),
            value,
            clock_ms: self.clock_ms,
            resets: self.resets,
            ..Said::new()
        };
        let mut binding = said.by(&key(7));
        (binding.size, binding.counter) = (self.size, counter);
        let taken = self.log.binding(1, &binding).unwrap();
        taken.map(|_| ()).map_err(|one| one.told)
    }
}

/// An older copy of a TPM has both counters behind, and its clock: each is told.
//= A6.4
#[test]
fn an_older_copy_of_a_tpm_that_was_told_is_found_once_and_gone_on_from() {
    let mut log = Log::new();
    let of_plain = log.tells(PLAIN, 40, 30);
    let of_orderly = log.tells(ORDERLY, 900, 800);
    log.clock_ms = 10;
    assert_eq!(log.binds(ORDERLY, 801), Err(Some(of_orderly)));
    assert_eq!(log.binds(PLAIN, 30), Err(Some(of_plain)));
    for step in 1..4 {
        assert_eq!(log.binds(ORDERLY, 801 + step), Ok(()));
        assert_eq!(log.binds(PLAIN, 30 + step), Ok(()));
    }
    // A second one needs a word of its own, also from where the first one fell.
    assert_eq!(log.binds(PLAIN, 31), Err(None));
    assert_eq!(log.binds(PLAIN, 40), Ok(()));
    assert_eq!(log.binds(PLAIN, 35), Err(None));
}

/// The orderly counter may have skipped beyond what the log shows: the clock alone shows it there, once.
//= A6.4
#[test]
fn the_clock_of_an_older_copy_is_told_once_by_the_counter_that_is_behind() {
    let mut log = Log::new();
    log.clock_ms = 5_000;
    assert_eq!(log.binds(ORDERLY, 901), Ok(()));
    let of_plain = log.tells(PLAIN, 40, 30);
    log.clock_ms = 10;
    assert_eq!(log.binds(ORDERLY, 1_100), Err(Some(of_plain)));
    assert_eq!(log.binds(ORDERLY, 1_101), Ok(()));
    log.clock_ms = 10;
    assert_eq!(log.binds(ORDERLY, 1_102), Err(None));
}

/// TPM2_Clear: the key stays, counters are defined anew above their old values, clock and count of resets begin at 0.
//= A6.4
#[test]
fn a_tpm_that_was_cleared_is_told_once_by_a_counter_that_was_defined_anew() {
    for counters in [&[ORDERLY, PLAIN][..], &[PLAIN, ORDERLY], &[PLAIN]] {
        let mut log = Log::new();
        let next = |counter| match counter {
            PLAIN => (40, 41),
            ORDERLY => (900, 901),
        };
        let told: Vec<u64> = counters
            .iter()
            .map(|counter| log.tells(*counter, next(*counter).0, next(*counter).1))
            .collect();
        (log.resets, log.clock_ms) = (1, 10);
        for (at, counter) in counters.iter().enumerate() {
            let taken = log.binds(*counter, next(*counter).1);
            match at {
                0 => assert!(
                    matches!(taken, Err(Some(one)) if told.contains(&one)),
                    "{taken:?}"
                ),
                _ => assert_eq!(taken, Ok(())),
            }
        }
        assert_eq!(log.binds(PLAIN, 42), Ok(()));
        // A second time needs a word of its own.
        (log.resets, log.clock_ms) = (0, 10);
        assert_eq!(log.binds(PLAIN, 43), Err(None));
    }
    // Defined at other indexes: each alarm tells of its index once, and of the clock as before.
    let mut log = Log::new();
    let told = [log.tells(PLAIN, 40, 41), log.tells(ORDERLY, 900, 901)];
    assert_eq!(log.states(2), told.map(Some));
    assert_eq!(log.states(3), [None, None]);
    (log.resets, log.clock_ms) = (1, 10);
    let taken = log.binds(PLAIN, 41);
    assert!(
        matches!(taken, Err(Some(one)) if told.contains(&one)),
        "{taken:?}"
    );
    assert_eq!(log.binds(ORDERLY, 901), Ok(()));
    (log.resets, log.clock_ms) = (0, 10);
    assert_eq!(log.binds(PLAIN, 42), Err(None));
}

/// The value is told, and the clock was answered for by what was bound before.
//= A6.4
#[test]
fn a_value_that_is_told_excuses_no_clock_that_is_not() {
    let mut log = Log::new();
    let of_plain = log.tells(PLAIN, 40, 30);
    let of_orderly = log.tells(ORDERLY, 900, 800);
    log.clock_ms = 10;
    assert_eq!(log.binds(ORDERLY, 801), Err(Some(of_orderly)));
    // A still older copy.
    log.resets = 2;
    assert_eq!(log.binds(PLAIN, 30), Err(None));
    assert_eq!(log.binds(ORDERLY, 802), Err(None));
    // Nothing of it is remembered: what the alarms tell of goes on as if it had not been.
    log.resets = 3;
    assert_eq!(log.binds(ORDERLY, 802), Ok(()));
    assert_eq!(log.binds(PLAIN, 30), Err(Some(of_plain)));
    assert_eq!(log.binds(PLAIN, 31), Ok(()));
}

/// What somebody would write to have an older counter pass.
//= A6.4
#[test]
fn no_alarm_excuses_what_stands_before_it_or_another_counter_or_other_values_or_a_second_time() {
    let plain = |log: &mut Log| log.binds(PLAIN, 30);
    // Nothing is said; or it is said afterwards.
    let mut log = Log::new();
    assert_eq!(plain(&mut log), Err(None));
    log.tells(ORDERLY, 900, 800);
    assert_eq!(plain(&mut log), Err(None));
    for (counter, bound, value) in [
        (ORDERLY, 900, 800),
        (ORDERLY, 40, 30),
        // The log showed another value; the counter was found above what it has now.
        (PLAIN, 41, 30),
        (PLAIN, 39, 30),
        (PLAIN, 40, 31),
        (PLAIN, 40, 40),
        (PLAIN, 40, 41),
    ] {
        let mut log = Log::new();
        log.tells(counter, bound, value);
        assert_eq!(plain(&mut log), Err(None), "{counter} {bound} {value}");
    }
    // One that is level behind an alarm has answered it.
    let mut log = Log::new();
    log.tells(PLAIN, 40, 30);
    assert_eq!(log.binds(PLAIN, 41), Ok(()));
    assert_eq!(plain(&mut log), Err(None));
    // And so for the index of a counter.
    let mut log = Log::new();
    assert_eq!(log.states(2), [None, None]);
    let mut log = Log::new();
    let of_plain = log.tells(PLAIN, 40, 41);
    assert_eq!(
        log.states(2),
        [Some(of_plain), None],
        "the other is not told of"
    );
    assert_eq!(log.states(3), [None, None], "nor is a second time");
    let mut log = Log::new();
    let told = [log.tells(PLAIN, 40, 3), log.tells(ORDERLY, 900, 5)];
    assert_eq!(log.states(2), told.map(Some));
}
