//! Random lives of a log against a model that knows what was acknowledged.

use crate::common::{Oracle, SimJournal, blank, create, index, input, salt, step};
use evidence::{CommitId, Seq};
use fieldnotary_sim::draw::mix;
use fieldnotary_sim::media::{Device, Fault, Torn};
use journal::{CommitError, Finding, Journal, Leases, TruthHealth};

struct Life {
    disk: Device,
    journal: Option<SimJournal>,
    oracle: Oracle,
    leases: Leases,
    draw: u64,
    context: String,
}

impl Life {
    fn next(&mut self, bound: u64) -> u64 {
        self.draw = mix(self.draw);
        self.draw % bound
    }

    fn torn(&mut self) -> Torn {
        match self.next(5) {
            0 => Torn::Nothing,
            1 => Torn::Everything,
            2 => Torn::Prefix(index(self.next(6))),
            3 => Torn::Suffix(index(self.next(6))),
            _ => Torn::Random(self.next(1 << 30)),
        }
    }

    /// Commits a step; afterwards either it is acknowledged or the journal is gone or goes on.
    fn commit(&mut self, n: u64) {
        let Some(mut journal) = self.journal.take() else {
            return;
        };
        match journal.commit(&step(n), salt(n)) {
            Ok(committed) => {
                self.oracle.note(&committed);
                self.journal = Some(journal);
            }
            Err(CommitError::Medium(_)) if self.disk.is_dead() => {
                drop(journal);
                self.restart(Some(n));
            }
            Err(CommitError::Medium(_)) => {
                // A few refusals in a row, or power fails meanwhile.
                while journal.begin_epoch_after_failure(salt(n)).is_err() {
                    if self.disk.is_dead() {
                        drop(journal);
                        self.restart(Some(n));
                        return;
                    }
                }
                self.journal = Some(journal);
                self.commit(n);
            }
            Err(error) => panic!("{}: {error}", self.context),
        }
    }

    fn restart(&mut self, under_way: Option<u64>) {
        self.journal = None;
        self.disk.power_on();
        let opened = loop {
            if self.next(4) == 0 {
                let (at, torn) = (index(self.next(3)), self.torn());
                self.disk.at_command(at, Fault::PowerCut(torn));
            }
            match Journal::open(self.disk.volume(), self.disk.truth(), &input()) {
                Ok(opened) => break opened,
                Err(_) => self.disk.power_on(),
            }
        };
        self.disk.power_on();
        let (journal, recovery) = opened;
        assert!(
            recovery.losses.is_empty(),
            "{}: {:?}",
            self.context,
            recovery.losses
        );
        assert!(!recovery.leases_lost, "{}", self.context);
        assert_ne!(recovery.truth, TruthHealth::Lost, "{}", self.context);
        let forward: Vec<_> = journal
            .reader()
            .unwrap()
            .entries(CommitId(self.oracle.size()))
            .map(Result::unwrap)
            .collect();
        if !forward.is_empty() {
            let n = under_way.unwrap_or_else(|| panic!("{}: invented", self.context));
            assert!(
                crate::common::is_group(&forward, &step(n)),
                "{}: {} entries instead of step {n}: {recovery:?}",
                self.context,
                forward.len()
            );
            self.oracle.extend(forward);
        }
        assert_eq!(journal.root(), self.oracle.root(), "{}", self.context);
        for (meter, seq) in &self.leases.seqs {
            assert!(
                journal
                    .leases()
                    .seqs
                    .get(meter)
                    .is_some_and(|stored| stored >= seq),
                "{}: a lease went back",
                self.context
            );
        }
        self.journal = Some(journal);
    }

    fn lease(&mut self) {
        let Some(journal) = self.journal.as_mut() else {
            return;
        };
        let mut leases = journal.leases().clone();
        let meter: evidence::Stream = "meter m1".parse().unwrap();
        let next = leases.seqs.get(&meter).map_or(0, |seq| seq.0) + 64;
        leases.seqs.insert(meter, Seq(next));
        if journal.store_leases(leases.clone()).is_ok() {
            self.leases = leases;
        } else if self.disk.is_dead() {
            self.restart(None);
        }
    }

    fn check(&self) {
        let Some(journal) = &self.journal else { return };
        let reader = journal.reader().unwrap();
        let oldest = index(reader.oldest().0);
        let mut read = Vec::new();
        for item in reader.entries(reader.oldest()) {
            match item {
                Ok(entry) => read.push(entry),
                // The header of a lap that was left because its write failed.
                Err(Finding::SegmentHeaderDamaged { .. }) => {}
                Err(finding) => panic!("{}: {finding}", self.context),
            }
        }
        assert!(read == self.oracle.entries[oldest..], "{}", self.context);
    }
}

//= A5.1
//= A5.2
//= A5.4
//= A4.2
#[test]
fn random_lives_keep_what_they_acknowledged() {
    for seed in 0..400 {
        let disk = blank();
        let journal = create(&disk);
        let mut life = Life {
            disk,
            journal: Some(journal),
            oracle: Oracle::default(),
            leases: Leases::default(),
            draw: seed,
            context: format!("seed {seed}"),
        };
        for n in 0..60 {
            let (at, torn) = (index(life.next(5)), life.torn());
            match life.next(12) {
                0 => life.disk.at_command(at, Fault::PowerCut(torn)),
                1 => life.disk.at_command(at, Fault::Refused(torn)),
                2 => life.lease(),
                3 => {
                    if let Some(journal) = life.journal.take() {
                        let _ = journal.close();
                    }
                    life.restart(None);
                }
                4 => life.restart(None),
                5 => life.check(),
                _ => {}
            }
            life.commit(n);
        }
        life.check();
    }
}
