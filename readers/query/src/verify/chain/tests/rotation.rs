//! Keys that change inside a log: with a statement, without one, and by keys that were taken back.

use super::{BASE, report_of};
use crate::verify::Anchors;
use crate::verify::enrolled::tests as enrolled;
use crate::verify::report::{FindingKind, Report};
use crate::verify::revoked::tests::revocation;
use ed25519_dalek::SigningKey as Ed25519;
use evidence::kinds::{Checkpoint, Event, KeyRotation};
use evidence::reasons::{Custody, EventCode};
use evidence::{Actor, Digest, Generation, MonoNs, Payload, SourceId};
use p256::ecdsa::SigningKey as P256;
use proof::note::{Note, VerifierKey, sign_ed25519, sign_p256};
use proptest::prelude::*;
use trust_plane::{BaseOrigin, Rotation};

mod reach;
mod taken_back;

pub(super) fn keys(seed: u8) -> Vec<VerifierKey> {
    enrolled::keys(BASE, seed).to_vec()
}

fn signed(text: &str, name: &str, seeds: &[u8]) -> String {
    let mut note = Note::new(text.to_owned()).unwrap();
    for seed in seeds {
        let p256 = P256::from_slice(&[*seed; 32]).unwrap();
        note.add(sign_p256(name, &p256, text).unwrap()).unwrap();
        let ed25519 = Ed25519::from_bytes(&[*seed; 32]);
        note.add(sign_ed25519(name, &ed25519, text).unwrap())
            .unwrap();
    }
    note.to_string()
}

/// A generation of a log that is written entry by entry.
pub(super) struct Log {
    generation: u64,
    pub(super) entries: Vec<Payload>,
    pub(super) statements: Vec<Rotation>,
}

impl Default for Log {
    fn default() -> Self {
        Self::of(1)
    }
}

impl Log {
    fn of(generation: u64) -> Self {
        Self {
            generation,
            entries: Vec::new(),
            statements: Vec::new(),
        }
    }

    pub(super) fn event(&mut self) -> &mut Self {
        let own = SourceId::new("recorder").unwrap();
        let event = Event::new(MonoNs(1), EventCode::OrderlyStop, own);
        self.entries.push(event.into());
        self
    }

    /// Seals all that is here with the keys of a seed.
    pub(super) fn sealed(&mut self, seed: u8) -> &mut Self {
        let size = self.entries.len() as u64;
        let root = super::frontier(self.generation, &self.entries).root();
        let origin = format!("{BASE}/g{}", self.generation);
        let head = proof::Checkpoint::new(&origin, size, root).unwrap();
        self.entries.push(
            Checkpoint {
                at: MonoNs(1),
                size,
                root: Digest(root.0),
                custody: Custody::Software,
                note: signed(&head.body().unwrap(), &origin, &[seed]),
            }
            .into(),
        );
        self
    }

    /// Keys follow others behind the head of so many entries.
    pub(super) fn rotated(&mut self, keys: [u8; 2], size: u64) -> &mut Self {
        let told = self.stated(keys, size);
        self.entries.push(told.into());
        self
    }

    pub(super) fn stated(&mut self, keys: [u8; 2], size: u64) -> KeyRotation {
        self.stated_in(self.generation, keys, size)
    }

    fn stated_in(&mut self, generation: u64, [old, new]: [u8; 2], size: u64) -> KeyRotation {
        let below = usize::try_from(size).unwrap().min(self.entries.len());
        let stated = Rotation {
            base: BaseOrigin::new(BASE).unwrap(),
            generation: Generation(generation),
            size,
            root: super::frontier(self.generation, &self.entries[..below]).root(),
            old: enrolled::keys(BASE, old),
            new: enrolled::keys(BASE, new),
            by: Actor::local("ada", 7),
            reason: "yearly".into(),
        };
        let all = |keys: &[VerifierKey]| keys.iter().map(ToString::to_string).collect();
        let told = KeyRotation {
            at: MonoNs(1),
            actor: Actor::local("ada", 7),
            reason: "yearly".into(),
            old: all(&stated.old),
            new: all(&stated.new),
            size,
            statement: signed(&stated.text(), BASE, &[old, new]),
        };
        self.statements.push(stated);
        told
    }

    /// Under pinned keys, with the statements beside the log or without.
    pub(super) fn judged(&self, pinned: Vec<VerifierKey>, beside: bool) -> Report {
        let mut anchors = Anchors::pinned(pinned);
        if beside {
            anchors = anchors.and_rotations(self.statements.clone());
        }
        report_of(self.generation, &anchors, &self.entries)
    }

    /// The same without the statements beside it, once more with those that it has itself.
    fn followed(&self, pinned: Vec<VerifierKey>) -> Report {
        let report = self.judged(pinned.clone(), false);
        let more = report.to_follow(&[]);
        match more.is_empty() {
            true => report,
            false => {
                let anchors = Anchors::pinned(pinned).and_rotations(more);
                report_of(self.generation, &anchors, &self.entries)
            }
        }
    }
}

/// The notes of two changes that follow each other, and of one of other keys.
pub(in crate::verify) fn notes() -> [String; 3] {
    let note = |keys: [u8; 2]| Log::default().stated(keys, 0).statement;
    [note([1, 2]), note([2, 3]), note([4, 5])]
}

/// Keys 1, 2 and 3 after each other; one head of each at the least.
fn log() -> Log {
    let mut log = Log::default();
    log.event().event().sealed(1);
    log.event().rotated([1, 2], 2).sealed(2).event().sealed(2);
    log.rotated([2, 3], 7).event().sealed(3);
    log
}

//= R8.2
//= U4
#[test]
fn any_key_of_a_log_verifies_all_of_it_through_its_rotations() {
    let log = log();
    let end = log.entries.len() as u64 - 1;
    for seed in 1..=3 {
        let both = keys(seed);
        for pinned in [both.clone(), vec![both[0].clone()], vec![both[1].clone()]] {
            let report = log.judged(pinned.clone(), true);
            assert!(report.ok(), "{seed}: {:?}", report.findings);
            let found = (report.sealed_entries, report.rotated.len());
            assert_eq!(found, (end, 2), "{seed}");
            // With the oldest keys the entries alone are enough.
            let report = log.judged(pinned, false);
            assert_eq!(report.ok(), seed == 1, "{seed}: {:?}", report.findings);
        }
        // With any others they state what leads there, and each proves it by itself.
        let report = log.followed(both);
        assert!(report.ok(), "{seed}: {:?}", report.findings);
        assert_eq!(report.sealed_entries, end);
        assert!(report.to_follow(&log.statements).is_empty());
    }
    assert!(!log.followed(keys(4)).ok());
    for beside in [false, true] {
        assert!(!log.judged(keys(4), beside).ok());
        let mixed = vec![keys(1)[0].clone(), keys(4)[1].clone()];
        assert!(!log.judged(mixed, beside).ok());
    }
}

fn found(log: &Log, words: &str) {
    for beside in [false, true] {
        let report = log.judged(keys(1), beside);
        let said =
            |one: &crate::Finding| one.kind == FindingKind::Signature && one.words.contains(words);
        assert!(!report.ok(), "{words}");
        assert!(
            report.findings.iter().any(said),
            "{words}: {:?}",
            report.findings
        );
    }
}

//= R8.2
#[test]
fn keys_that_change_without_an_entry_or_at_another_size_are_told() {
    // No statement at all.
    let mut none = Log::default();
    none.event().sealed(1).event().sealed(2);
    found(&none, "");
    // A statement beside the log, and no entry.
    let mut beside = Log::default();
    beside.event().event().sealed(1).event();
    let _ = beside.stated([1, 2], 2);
    beside.sealed(2);
    let report = beside.judged(keys(1), true);
    let words = "no entry of the log tells of it";
    assert!(report.findings.iter().any(|one| one.words.contains(words)));
    assert!(!report.ok() && !beside.judged(keys(1), false).ok());
    // The old keys go on, or the new ones began before.
    let mut old = log();
    old.event().sealed(1);
    found(&old, "is not signed by");
    let mut early = Log::default();
    early.event().event().sealed(1).rotated([1, 2], 6).sealed(2);
    found(&early, "before that exists");
}

//= R8.2
#[test]
fn a_rotation_that_its_keys_do_not_state_changes_nothing() {
    let check = |change: &dyn Fn(&mut KeyRotation), words: &str| {
        let mut log = Log::default();
        log.event().event().sealed(1).event();
        let mut told = log.stated([1, 2], 2);
        change(&mut told);
        log.statements.clear();
        log.entries.push(told.into());
        log.sealed(2);
        found(&log, words);
    };
    let else_said = "something else than the keys state";
    check(&|told| told.reason = "another".into(), else_said);
    check(&|told| told.size = 1, else_said);
    check(&|told| told.actor = Actor::local("eve", 7), else_said);
    check(&|told| told.new.clear(), else_said);
    check(&|told| told.old.swap(0, 1), else_said);
    check(&|told| told.statement = "x".into(), "no signed note");
    let changed = |told: &mut KeyRotation| {
        told.statement = told.statement.replace("yearly", "weekly");
    };
    check(&changed, "not signed by the two old");
    // Of keys that sign another log.
    let mut log = Log::default();
    log.event().event().sealed(1).rotated([4, 2], 2).sealed(2);
    found(&log, "none is pinned");
    // And of another tree.
    let mut log = Log::default();
    log.event().event().sealed(1).event();
    let mut other = Log::default();
    other.sealed(1).event().event();
    let told = other.stated([1, 2], 2);
    log.entries.push(told.into());
    log.sealed(2);
    found(&log, "another tree");
}

/// Each generation verifies by itself: the keys of a later one are told of in it, as those of the first are there.
//= R8.2
//= U4
#[test]
fn a_later_generation_that_tells_nothing_of_keys_that_changed_before_it_is_found() {
    let words = "no entry of this one tells of it";
    for (told, by, pinned, good) in [
        ([true, true], 3, 1, true),
        ([true, true], 3, 3, true),
        ([false, true], 3, 1, false),
        ([true, false], 3, 3, false),
        ([false, false], 3, 3, false),
        // Keys that follow nobody, of a node that was replaced: those of before are no matter of this generation.
        ([false, false], 4, 4, true),
    ] {
        let mut log = Log::of(2);
        log.event();
        for (keys, told) in [[1, 2], [2, 3]].into_iter().zip(told) {
            let stated = log.stated_in(1, keys, 7);
            if told {
                log.entries.push(stated.into());
            }
        }
        log.sealed(by).event().sealed(by);
        let report = log.judged(keys(pinned), true);
        let found = report
            .findings
            .iter()
            .filter(|one| one.words.contains(words));
        let due = usize::from(!good);
        assert_eq!(
            (report.ok(), found.count()),
            (good, due),
            "{told:?} {:?}",
            report.findings
        );
    }
}

/// A log whose keys changed twice between two seals, and once more.
fn twice() -> Log {
    let mut log = Log::default();
    log.event().event().sealed(1).event();
    log.rotated([1, 2], 2).rotated([2, 3], 2).sealed(3);
    log.event().rotated([3, 4], 6).sealed(4);
    log
}

//= R8.2
#[test]
fn keys_that_change_twice_between_two_seals_are_followed_and_each_change_is_told() {
    let mut log = twice();
    log.statements.reverse();
    for seed in 1..=4 {
        for report in [log.judged(keys(seed), true), log.followed(keys(seed))] {
            assert!(report.ok(), "{seed}: {:?}", report.findings);
            assert_eq!(report.rotated.len(), 3);
        }
    }
    // The first of the two in no entry: the second alone leads to the keys that sign.
    let mut untold = Log::default();
    untold.event().event().sealed(1).event();
    let _ = untold.stated([1, 2], 2);
    untold.rotated([2, 3], 2).sealed(3);
    let report = untold.judged(keys(1), true);
    let words = "behind 2 entries, and no entry of the log tells of it";
    assert!(
        report.findings.iter().any(|one| one.words.contains(words)),
        "{:?}",
        report.findings
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nobody's verdict hangs on which file was read first.
    //= R8.2
    //= U4
    #[test]
    fn statements_in_any_order_lead_to_one_verdict(
        order in Just([0, 1, 2, 3, 4, 5, 1].to_vec()).prop_shuffle(),
        pinned in 1_u8..6,
        revoked in 1_u8..9,
        entries in any::<bool>(),
    ) {
        let mut log = twice();
        if !entries {
            log.entries.retain(|one| !matches!(one, Payload::KeyRotation(_)));
        }
        let (told, registrar) = revocation(revoked);
        log.entries.push(told.into());
        log.event().sealed(4);
        // Somebody else's keys, a branch, and one from another generation.
        let _ = (log.stated([5, 6], 2), log.stated([1, 7], 2), log.stated_in(2, [4, 8], 0));
        let pinned = [keys(pinned), vec![registrar]].concat();
        let verdict = |statements: Vec<Rotation>| {
            let anchors = Anchors::pinned(pinned.clone()).and_rotations(statements);
            let report = report_of(1, &anchors, &log.entries);
            let said = report.findings.iter().map(ToString::to_string).collect::<Vec<_>>();
            (report.ok(), said, report.sealed_entries, report.rotated.len())
        };
        let shuffled: Vec<_> = order.iter().map(|place| log.statements[*place].clone()).collect();
        prop_assert_eq!(verdict(shuffled), verdict(log.statements.clone()));
    }
}

/// Whoever stole a key names one of his own.
//= R8.2
#[test]
fn a_rotation_by_a_revoked_key_makes_no_key_good() {
    for (seed, sound) in [(1, false), (2, false), (3, false), (4, true)] {
        let mut log = log();
        let (told, registrar) = revocation(seed);
        log.entries.push(told.into());
        log.event().sealed(3);
        // Keys that are pinned themselves need nobody's word.
        let newest = [keys(1), keys(3)].concat();
        for (pinned, good) in [(keys(1), sound), (newest, seed != 3)] {
            let all = [&pinned[..], std::slice::from_ref(&registrar)].concat();
            let report = log.judged(all, true);
            let words = "or by one that such a key named";
            let told = report.findings.iter().any(|one| one.words.contains(words));
            let found = (report.ok(), told);
            assert_eq!(found, (good, !good), "{seed}: {:?}", report.findings);
            assert_eq!(report.revoked[0].own, seed < 4);
        }
    }
}

/// Keys that changed in another generation sign nothing of this one: neither those that went before, nor those to come.
//= R8.2
#[test]
fn keys_of_another_generation_sign_nothing_here() {
    let stated = |generation: u64| {
        let mut other = log();
        other.statements.truncate(1);
        let mut stated = other.statements.remove(0);
        stated.generation = Generation(generation);
        stated
    };
    let sealed = |seed: u8| {
        let mut log = Log::default();
        log.event().event().sealed(seed).event();
        log
    };
    // In this generation, the first, keys 1 sign where keys 2 followed them in the second.
    for (generation, origin, good) in [(2, "/g1", 1), (1, "/g2", 2)] {
        for seed in [1, 2] {
            for pinned in [keys(1), keys(2), [keys(1), keys(2)].concat()] {
                let anchors = Anchors::pinned(pinned).and_rotations(vec![stated(generation)]);
                let signers = anchors.for_origin(&format!("{BASE}{origin}"));
                let own = keys(seed);
                let by = |place: usize| {
                    let key: &VerifierKey = &signers.known()[place];
                    own.iter()
                        .any(|one| one.public_bytes() == key.public_bytes())
                };
                let missing = signers.missing(7, by);
                assert_eq!(missing.is_empty(), seed == good, "{origin} by {seed}");
            }
        }
    }
    // Nor does an entry of the first say what only the second can know.
    let mut log = sealed(1);
    let mut told = log.stated([1, 2], 2);
    let stated = stated(2);
    told.statement = signed(&stated.text(), BASE, &[1, 2]);
    log.statements.clear();
    log.entries.push(told.into());
    log.sealed(2);
    found(&log, "of a later generation");
}
