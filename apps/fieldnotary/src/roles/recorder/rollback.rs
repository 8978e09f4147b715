//! Whether this log is the one that went before: what its opening found, and what the signer knows, compared before
//! anything is signed in a run, and again each time the signer tells of its store.

use super::committer::Committer;
use super::work::{MayAsk, Verdict};
use crate::clock;
use evidence::frozen::names::{BOUND_COUNTER, SEALS_ENDED};
use evidence::kinds::Rollback;
use evidence::reasons::{CounterKind, RollbackAlarm, RollbackWitness};
use evidence::{Digest, Payload};
use ipc::message::Keys;
use journal::Recovery;
use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use trust_plane::{
    BoundCounters, CounterFound, End, Hash, Heads, Moment, Moved, MovedCounter, Sign, SignedHead,
    of_the_log, of_the_store,
};

/// What the log is bound to, and what was found wrong with it.
#[derive(Debug, Default)]
pub(super) struct RollbackWatch {
    bound: BoundCounters,
    /// Entries at the end that the truth store named and that were not there when the log was opened.
    lost_end: bool,
    /// Whether the signer's word was compared in this run.
    compared: bool,
    /// The newest alarm of each witness in this generation, as far as the ring tells.
    alarms: BTreeMap<RollbackWitness, Rollback>,
    /// Why this generation is sealed no more, and how many entries it had when that was found.
    ends_seals: Option<(RollbackAlarm, u64)>,
}

impl RollbackWatch {
    /// Takes an entry of the log.
    pub(super) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::KeyStore(store) => self.bound.store(store),
            Payload::Binding(binding) => self.bound.binding(binding),
            Payload::Rollback(found) => {
                // The collector's word is not this node's own: it is told, and ends nothing by itself.
                let own = found.witness != RollbackWitness::Collector;
                if own && found.alarm.ends_seals() {
                    self.ends_seals = Some((found.alarm, found.size));
                }
                // One counter is told once, over restarts too.
                if let (true, RollbackAlarm::ReplacedCounter, Some(counter)) =
                    (own, found.alarm, found.counter)
                {
                    self.bound.told(counter);
                }
                self.alarms.insert(found.witness, found.clone());
            }
            _ => {}
        }
    }

    /// Takes a counter of a frozen state.
    pub(super) fn recall(&mut self, name: &str, label: &str, value: u64) {
        match name {
            BOUND_COUNTER => self.bound.recall(label, value),
            SEALS_ENDED => {
                let alarm = RollbackAlarm::from_name(label);
                self.ends_seals = alarm.map(|alarm| (alarm, value)).or(self.ends_seals);
            }
            _ => {}
        }
    }

    /// What a frozen state has of it: name, label and value.
    pub(super) fn frozen(&self) -> impl Iterator<Item = (&'static str, String, u64)> + '_ {
        let ended = self.ends_seals.iter();
        let ended = ended.map(|(alarm, size)| (SEALS_ENDED, alarm.to_string(), *size));
        let bound = self.bound.frozen();
        bound
            .map(|(label, value)| (BOUND_COUNTER, label, value))
            .chain(ended)
    }

    /// As a run begins, with a log of this size.
    pub(super) fn at_start(mut self, recovery: Option<&Recovery>, size: u64) -> Self {
        let losses = recovery.iter().flat_map(|recovery| &recovery.losses);
        self.lost_end = losses.into_iter().any(|loss| loss.end() >= size);
        self
    }

    /// Why nothing is sealed any more in this generation, if that is so.
    pub(super) fn ends_seals(&self) -> Option<String> {
        // The signer is heard once in each run, whatever an earlier one found: that is told again.
        let (alarm, size) = self.ends_seals.filter(|_| self.compared)?;
        Some(format!(
            "{alarm}, found when the log had {size} entries: see its rollback entry. {}",
            alarm.cure()
        ))
    }

    /// The newest value of the plain counter that the log shows.
    pub(super) fn plain_shown(&self) -> Option<u64> {
        self.bound.value(CounterKind::Plain)
    }

    const fn moment(&self) -> Moment {
        match self.compared {
            false => Moment::Start,
            true => Moment::Running,
        }
    }
}

impl Committer {
    /// Takes what the signer says of its store, asked with this number, and answers what it may be asked. Where it did not sign that
    /// with the keys of the log, nothing of it is believed.
    pub(super) fn told_of_keys(
        &mut self,
        keys: Keys,
        asked: &Digest,
        verdict: &SyncSender<MayAsk>,
    ) {
        if let Err(words) = self.known_keys.heard(&keys, asked) {
            let _ = verdict.try_send(MayAsk {
                judged: Verdict::OtherKeys(words),
                vkeys: Vec::new(),
                bind: None,
            });
            return;
        }
        self.stats.signer.told_at_first(&keys, clock::mono());
        self.lacked(&keys.lacked);
        let went_before = self.compare_with(&keys);
        let rotated = self.tell_of_rotations(&keys);
        let firmware = self.heard_of_firmware(&keys);
        let bind = firmware.bind.filter(|_| went_before);
        self.key_store(keys);
        let judged = match (went_before, rotated || firmware.later) {
            (false, _) => Verdict::RolledBack,
            (true, true) => Verdict::Later,
            (true, false) => Verdict::Sign,
        };
        // A thread that is gone needs no answer.
        let vkeys = self.known_keys.now();
        let _ = verdict.try_send(MayAsk {
            judged,
            vkeys,
            bind,
        });
    }

    /// Compares the log with what the signer knows, and tells what does not agree; whether it may be asked to sign.
    fn compare_with(&mut self, keys: &Keys) -> bool {
        let newest = keys.signed.first().map(|signed| {
            let (size, root) = (signed.size, Hash(signed.root.0));
            (signed.generation, SignedHead { size, root })
        });
        let generation = self.journal.generation();
        let root_at = |size| {
            let root: Result<Digest, String> = self.feed.root_at(size);
            root.ok().map(|root| Hash(root.0))
        };
        let heads = Heads::compare(newest, generation, self.journal.size(), root_at);
        let end = match std::mem::take(&mut self.rollback.lost_end) {
            true => End::Lost,
            false => End::Whole,
        };
        let known_size = newest.map(|(_, head)| head.size);
        if let Some(alarm) = of_the_log(heads, end) {
            let words = match (alarm, newest) {
                (RollbackAlarm::TruncatedLog, Some((signed, head))) => format!(
                    "the signer has signed {} entries of generation {signed}, and this is generation {generation} with {} \
                     entries, or others: the log was cut, or an older one was put here. {}",
                    head.size,
                    self.journal.size(),
                    alarm.cure()
                ),
                _ => "the end that the truth store names is not there: it was cut off, or its medium lost it. LOSS \
                      entries name what is gone"
                    .to_owned(),
            };
            self.rolled_back(alarm, known_size, None, words);
        }
        // Each counter has an alarm of its own: whoever reads the log holds what is bound to it against that.
        let moved = keys.counters.iter().filter_map(|one| {
            self.rollback.bound.compare(&CounterFound {
                counter: one.counter,
                public: one.public.0.clone(),
                value: one.value,
                moving_to: one.moving_to,
            })
        });
        for moved in moved.collect::<Vec<_>>() {
            if let Some(alarm) = of_the_store(moved.moved, self.rollback.moment()) {
                self.rolled_back(alarm, None, Some(moved), counter_words(alarm, moved));
            }
        }
        self.rollback.compared = true;
        self.rollback.ends_seals.is_none()
    }

    /// The store has another key: this disk is with another machine, or the store was exchanged.
    pub(super) fn other_store(&mut self, words: &str) {
        let moment = self.rollback.moment();
        let known = self.rollback.alarms.values();
        let told = |found: &Rollback| found.witness != RollbackWitness::Collector;
        let before = known.filter(|found| told(found)).count();
        if let Some(alarm) = of_the_store(Moved::OtherStore, moment).filter(|_| before == 0) {
            self.rolled_back(alarm, None, None, format!("{words}. {}", alarm.cure()));
        }
    }

    fn rolled_back(
        &mut self,
        alarm: RollbackAlarm,
        known_size: Option<u64>,
        moved: Option<MovedCounter>,
        detail: String,
    ) {
        let witness = match self.rollback.moment() {
            Moment::Start => RollbackWitness::Start,
            Moment::Running => RollbackWitness::Running,
        };
        let size = self.journal.size();
        self.stats.signer.rolled_back(alarm);
        if alarm != RollbackAlarm::LostEnd {
            self.hint(Sign::CounterAnomalies, 1);
        }
        if alarm.ends_seals() {
            self.rollback.ends_seals = Some((alarm, size));
        }
        self.stage(
            Rollback {
                at: clock::mono(),
                alarm,
                witness,
                size,
                known_size,
                counter: moved.map(|moved| moved.counter),
                bound: moved.and_then(|moved| moved.bound),
                value: moved.map(|moved| moved.value),
                detail,
            }
            .into(),
        );
    }
}

fn counter_words(alarm: RollbackAlarm, moved: MovedCounter) -> String {
    let MovedCounter {
        counter,
        bound,
        value,
        ..
    } = moved;
    let cure = alarm.cure();
    let at = bound.map_or_else(String::new, |bound| format!(" at {bound}"));
    let bound = bound.map_or_else(|| "nothing".to_owned(), |bound| bound.to_string());
    match alarm {
        RollbackAlarm::OlderImage => format!(
            "the {counter} counter stands at {value}, and the newest that this disk knows is {bound}: an older image of it \
             was put here, and what was committed behind it is not here. {cure}"
        ),
        RollbackAlarm::ClonedImage => format!(
            "the {counter} counter was moved to {value} by somebody else, {bound} is what this node left: another copy of \
             this log goes on with the same store. {cure}"
        ),
        _ if moved.moved == Moved::OtherIndex => format!(
            "the {counter} counter is not the one that the log named{at}: another index, or defined anew. It stands at {value} now, \
             and the next checkpoint is bound to it. {cure}"
        ),
        _ => format!(
            "the {counter} counter stands at {value}, and the log is bound to it at {bound}: another counter, or an older \
             copy of the store. {cure}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::RollbackWatch;
    use evidence::MonoNs;
    use evidence::kinds::Rollback;
    use evidence::reasons::{RollbackAlarm, RollbackWitness};

    /// Nobody begins to seal such a generation again, after a restart and with the alarm long out of the ring either.
    //= A6.4
    #[test]
    fn what_ends_seals_ends_them_over_restarts_and_is_this_nodes_own_word() {
        for alarm in RollbackAlarm::ALL {
            for witness in RollbackWitness::ALL {
                let mut before = RollbackWatch::default();
                before.observe(
                    &Rollback {
                        at: MonoNs(1),
                        alarm: *alarm,
                        witness: *witness,
                        size: 900,
                        known_size: None,
                        counter: None,
                        bound: None,
                        value: None,
                        detail: String::new(),
                    }
                    .into(),
                );
                let mut after = RollbackWatch::default();
                for (name, label, value) in before.frozen() {
                    after.recall(name, &label, value);
                }
                assert_eq!(after.ends_seals(), None, "the signer is heard first");
                after.compared = true;
                let own = *witness != RollbackWitness::Collector;
                let ends = after.ends_seals();
                assert_eq!(
                    ends.is_some(),
                    own && alarm.ends_seals(),
                    "{alarm} {witness}"
                );
                assert!(ends.is_none_or(|words| words.contains("900")));
            }
        }
    }
}
