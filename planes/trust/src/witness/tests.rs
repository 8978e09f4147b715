//! An honest log says nothing wrong, wherever its reader stops and goes on; each rollback of its counter has its alarm,
//! though the node says nothing; each fault of a binding has one.

use super::{STANDINGS, Source, Standing, Step, Witness, Witnessed};
use crate::binding::BindingFault;
use crate::binding::tests::{Said, authority, index, key, public, store};
use crate::rollback::{Moment, Moved, of_the_store};
use evidence::kinds::{Checkpoint, Event, Rollback};
use evidence::reasons::{CounterKind, Custody, EventCode, RollbackAlarm, RollbackWitness};
use evidence::{Blob, Digest, MonoNs, Payload, SourceId};
use proof::Hash;
use proof::note::{VerifierKey, sign_p256};
use std::convert::Infallible;
use std::string::{String, ToString as _};
use std::vec::Vec;

const ORIGIN: &str = "meters.example/site/g1";

/// A node with its TPM, and the entries of its log.
#[derive(Clone)]
struct Site {
    signer: u8,
    index: u32,
    plain: u64,
    orderly: u64,
    resets: u32,
    clock_ms: u64,
    epoch: u64,
    size: u64,
    text: String,
    entries: Vec<(u64, Payload)>,
}

impl Site {
    fn new() -> Self {
        Self {
            signer: 7,
            index: 1,
            plain: 40,
            orderly: 900,
            resets: 3,
            clock_ms: 1_000,
            epoch: 1,
            size: 0,
            text: String::new(),
            entries: Vec::new(),
        }
    }

    fn push(&mut self, payload: impl Into<Payload>) {
        self.entries.push((self.epoch, payload.into()));
    }

    fn store(&mut self) {
        let mut stated = store(public(&key(self.signer), 0), index(self.index, false, 0));
        let orderly = evidence::kinds::BindingCounter {
            counter: CounterKind::Orderly,
            public: Blob(index(self.index + 100, true, 0)),
        };
        stated.counters.push(orderly);
        self.push(stated);
    }

    fn lacks(&mut self) {
        let mut stated = store(public(&key(self.signer), 0), Vec::new());
        stated.counters.clear();
        self.push(stated);
    }

    fn checkpoint(&mut self) {
        self.size += 10;
        let root = Hash([u8::try_from(self.size % 251).unwrap(); 32]);
        let head = proof::Checkpoint::new(ORIGIN, self.size, root).unwrap();
        let mut note = head.to_note().unwrap();
        // The key of the log stays, whatever the store has.
        note.add(sign_p256(ORIGIN, &key(7), note.text()).unwrap())
            .unwrap();
        self.text = note.text().into();
        self.push(Checkpoint {
            at: MonoNs(1),
            size: self.size,
            root: Digest(root.0),
            note: note.to_string(),
            custody: Custody::Tpm,
        });
    }

    fn said(&mut self, counter: CounterKind) -> Said {
        self.clock_ms += 500;
        let (of, value) = match counter {
            CounterKind::Plain => (index(self.index, false, 0), self.plain),
            CounterKind::Orderly => (index(self.index + 100, true, 0), self.orderly),
        };
        Said {
            text: self.text.clone(),
            signer: crate::binding::tests::qualified_of(self.signer),
            index: crate::binding::name(&of),
            value,
            clock_ms: self.clock_ms,
            resets: self.resets,
            ..Said::new()
        }
    }

    fn binds(&mut self, counter: CounterKind) {
        match counter {
            CounterKind::Plain => self.plain += 1,
            CounterKind::Orderly => self.orderly += 1,
        }
        let said = self.said(counter);
        let mut binding = said.by(&key(7));
        (binding.size, binding.counter) = (self.size, counter);
        self.push(binding);
    }

    fn seal(&mut self, plain: bool) {
        self.checkpoint();
        self.binds(CounterKind::Orderly);
        if plain {
            self.binds(CounterKind::Plain);
            // The store is told of again behind each step.
            self.store();
        }
    }

    fn starts(&mut self) {
        self.epoch += 1;
        self.store();
        self.seal(true);
    }

    /// Some days without anything odd.
    fn lived() -> Self {
        let mut site = Self::new();
        site.store();
        site.seal(true);
        site.seal(false);
        site.resets += 1;
        site.starts();
        site.seal(false);
        site
    }
}

fn ix(id: u64) -> usize {
    usize::try_from(id).unwrap()
}

fn known() -> [VerifierKey; 1] {
    [authority(&key(7))]
}

/// What is found in the entries, stopped and gone on from behind each of these.
fn found(site: &Site, stops: &[usize]) -> Vec<Witnessed> {
    let mut witness = Witness::new(ORIGIN);
    let mut all = Vec::new();
    for (at, (epoch, payload)) in site.entries.iter().enumerate() {
        let id = u64::try_from(at).unwrap();
        all.extend(witness.take(id, *epoch, payload, &known()));
        if stops.contains(&at) {
            let read = |id: u64| Ok::<_, Infallible>(Some(site.entries[ix(id)].clone()));
            witness = Witness::recall(ORIGIN, &witness.state(), &known(), read).unwrap();
        }
    }
    all
}

fn alarms(found: &[Witnessed]) -> Vec<RollbackAlarm> {
    found.iter().map(|one| one.alarm).collect()
}

//= A6.4
#[test]
fn every_standing_and_step_has_one_row_and_silence_alone_is_an_alarm() {
    for standing in Standing::ALL {
        for step in Step::ALL {
            let rows = STANDINGS
                .iter()
                .filter(|row| (row.0, row.1) == (standing, step));
            assert_eq!(rows.count(), 1, "{standing:?} {step:?}");
            let falls = standing.after(step) == Standing::Silent && standing != Standing::Silent;
            let waited = (standing, step) == (Standing::Waits, Step::Checkpoint);
            assert_eq!(falls, waited, "{standing:?} {step:?}");
        }
    }
}

//= A6.4
#[test]
fn every_fault_of_a_binding_is_an_alarm_of_the_table_that_the_node_judges_by() {
    let plain = CounterKind::Plain;
    for (fault, moved) in [
        (BindingFault::OtherKey, Moved::OtherStore),
        (BindingFault::WeakKey, Moved::OtherStore),
        (BindingFault::OtherSigner, Moved::OtherStore),
        (BindingFault::NoCounter(plain), Moved::OtherIndex),
        (BindingFault::NoFirmwareCounter, Moved::OtherIndex),
        (BindingFault::OtherFirmwareCounter, Moved::OtherIndex),
        (BindingFault::CounterReplaced(plain), Moved::OtherIndex),
        (BindingFault::UnknownCounter(plain), Moved::OtherIndex),
        (BindingFault::OtherIndex(plain), Moved::OtherIndex),
        (
            BindingFault::Backwards {
                counter: plain,
                before: 2,
                now: 1,
            },
            Moved::Behind,
        ),
        (BindingFault::OtherTpm, Moved::Behind),
        (BindingFault::Signature, Moved::Unproven),
        (BindingFault::NoValue, Moved::Unproven),
        (
            BindingFault::OtherValue {
                attested: 1,
                stated: 2,
            },
            Moved::Unproven,
        ),
        (BindingFault::OtherText, Moved::Unproven),
    ] {
        assert_eq!(Moved::of_fault(&fault), moved, "{fault}");
        for moment in Moment::ALL {
            assert!(of_the_store(moved, moment).is_some(), "{fault} {moment:?}");
        }
    }
}

/// What is done to a site, and what is found at its next seals.
type Case = (&'static str, fn(&mut Site), Option<RollbackAlarm>);

const CASES: &[Case] = &[
    ("nothing", |site| site.seal(true), None),
    ("a run without a boot", Site::starts, None),
    (
        "the orderly counter skipped",
        |site| {
            site.orderly += 300;
            site.starts();
        },
        None,
    ),
    (
        "an older image: steps that were taken away",
        |site| {
            site.plain += 2;
            site.starts();
        },
        Some(RollbackAlarm::OlderImage),
    ),
    (
        "a clone: another moves the counter",
        |site| {
            site.plain += 1;
            site.seal(true);
        },
        Some(RollbackAlarm::ClonedImage),
    ),
    (
        "an older copy of the counters",
        |site| {
            (site.plain, site.orderly) = (30, 800);
            site.starts();
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "an older plain counter alone",
        |site| {
            site.plain -= 1;
            site.seal(true);
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "fewer resets of the TPM",
        |site| {
            site.resets -= 2;
            site.seal(true);
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "other indexes, and it is stated",
        |site| {
            site.index = 5;
            site.starts();
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "other indexes, and it is not stated",
        |site| {
            site.index = 5;
            site.seal(true);
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "another key in the store, from the start",
        |site| {
            site.signer = 8;
            site.starts();
        },
        Some(RollbackAlarm::ClonedImage),
    ),
    (
        "another key in the store, later",
        |site| {
            site.signer = 8;
            site.store();
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "nothing is bound any more",
        |site| (0..3).for_each(|_| site.checkpoint()),
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "nothing is bound any more, and the log says why",
        |site| {
            site.checkpoint();
            let source = SourceId::new("recorder").unwrap();
            site.push(Event::new(MonoNs(1), EventCode::CheckpointUnbound, source));
            (0..3).for_each(|_| site.checkpoint());
        },
        None,
    ),
    (
        "a cut before what binds a checkpoint",
        |site| {
            site.checkpoint();
            site.epoch += 1;
            site.seal(true);
        },
        None,
    ),
    (
        "a counter that was away, and came back",
        |site| {
            site.lacks();
            site.store();
            site.seal(true);
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
    (
        "an attestation over another text",
        |site| {
            site.checkpoint();
            site.text.push('?');
            site.binds(CounterKind::Orderly);
        },
        Some(RollbackAlarm::ReplacedCounter),
    ),
];

//= A6.4
#[test]
fn each_case_has_its_alarm_once_also_where_its_reader_was_started_anew() {
    for (case, happens, alarm) in CASES {
        let mut site = Site::lived();
        let honest = site.entries.len();
        happens(&mut site);
        // It goes on with what is there now, and is sound again.
        site.seal(false);
        site.seal(true);
        let wanted: Vec<RollbackAlarm> = alarm.iter().copied().collect();
        for stops in [
            Vec::new(),
            Vec::from([honest - 1]),
            (0..honest).step_by(4).collect(),
        ] {
            let found = found(&site, &stops);
            if *case == "other indexes, and it is not stated" || case.starts_with("another key") {
                // Both counters stay so: it is told of each, or of the store and then of each.
                assert_eq!(
                    found.first().map(|one| one.alarm),
                    *alarm,
                    "{case} {found:?}"
                );
                continue;
            }
            assert_eq!(alarms(&found), wanted, "{case}: {found:?}");
            let at = found.first().map_or(honest, |one| ix(one.entry));
            assert!(at >= honest && found.iter().all(|one| one.source == Source::Counter));
        }
    }
}

/// The node's own word is one source more, and hides none of what is attested.
//= A6.4
#[test]
fn the_nodes_own_word_is_told_as_its_own_and_hides_no_counter_that_is_behind() {
    let mut site = Site::lived();
    let word = |witness| Rollback {
        at: MonoNs(1),
        alarm: RollbackAlarm::TruncatedLog,
        witness,
        size: 5,
        known_size: None,
        counter: None,
        bound: None,
        value: None,
        detail: "the signer has signed more".into(),
    };
    site.push(word(RollbackWitness::Collector));
    site.push(word(RollbackWitness::Start));
    (site.plain, site.orderly) = (30, 800);
    site.seal(true);
    let found = found(&site, &[]);
    let told: Vec<_> = found.iter().map(|one| (one.alarm, one.source)).collect();
    assert_eq!(
        told,
        [
            (RollbackAlarm::TruncatedLog, Source::Node),
            (RollbackAlarm::ReplacedCounter, Source::Counter)
        ]
    );
    assert_eq!((found[1].bound, found[1].value), (Some(904), Some(801)));
}

/// Entries that are not here may have shown a step; what is behind is behind.
//= A6.4
#[test]
fn behind_a_hole_a_step_is_no_alarm_and_an_older_counter_is() {
    for (plain, alarm) in [(50, None), (30, Some(RollbackAlarm::ReplacedCounter))] {
        let mut site = Site::lived();
        let mut witness = Witness::new(ORIGIN);
        let mut all = Vec::new();
        let honest = site.entries.len();
        site.plain = plain;
        site.seal(true);
        for (at, (epoch, payload)) in site.entries.iter().enumerate() {
            if at == honest {
                witness.left_out();
            }
            all.extend(witness.take(u64::try_from(at).unwrap(), *epoch, payload, &known()));
        }
        assert_eq!(alarms(&all).first().copied(), alarm);
    }
}

mod lives;
