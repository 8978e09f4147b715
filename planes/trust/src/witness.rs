//! The second witness of a rollback: what the entries of a delivered log say by themselves of the counters that it is bound to.
//!
//! Whoever stores the log for others judges each entry with it. It takes no word of the node's for what is attested: a node
//! that keeps silent about its counter, or does not know better, is found by what its checkpoints are bound to.

use crate::bound_log::{BoundLog, Contradiction};
use crate::rollback::{BoundCounters, CounterFound, Moment, Moved, of_the_store};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use evidence::Payload;
use evidence::kinds::{Binding, Checkpoint, KeyStore};
use evidence::reasons::{CounterKind, EventCode, RollbackAlarm, RollbackWitness};
use proof::SignedCheckpoint;
use proof::note::VerifierKey;

/// Whether checkpoints are bound, as far as the entries say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// None was.
    #[default]
    Never,
    /// The newest is.
    Bound,
    /// The newest is not, so far: what binds it stands behind it.
    Waits,
    /// One was followed by another and nothing bound it, and nothing said so.
    Silent,
    /// The log said that they are not, or it is not known.
    Said,
}

/// What an entry says of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A checkpoint.
    Checkpoint,
    /// A binding that holds.
    Binds,
    /// The log says that a checkpoint is not bound, or that the store has no counter; or what said that it binds was told of.
    Says,
    /// Entries are not here.
    LeftOut,
    /// Another run begins: what was to bind the newest may have been cut off.
    Run,
}

#[cfg(test)]
impl Standing {
    pub(crate) const ALL: [Self; 5] = [
        Self::Never,
        Self::Bound,
        Self::Waits,
        Self::Silent,
        Self::Said,
    ];
}

#[cfg(test)]
impl Step {
    pub(crate) const ALL: [Self; 5] = [
        Self::Checkpoint,
        Self::Binds,
        Self::Says,
        Self::LeftOut,
        Self::Run,
    ];
}

/// How each entry moves each standing. A step into [`Standing::Silent`] from another is an alarm.
pub(crate) const STANDINGS: &[(Standing, Step, Standing)] = &[
    (Standing::Never, Step::Checkpoint, Standing::Never),
    (Standing::Never, Step::Binds, Standing::Bound),
    (Standing::Never, Step::Says, Standing::Never),
    (Standing::Never, Step::LeftOut, Standing::Never),
    (Standing::Never, Step::Run, Standing::Never),
    (Standing::Bound, Step::Checkpoint, Standing::Waits),
    (Standing::Bound, Step::Binds, Standing::Bound),
    (Standing::Bound, Step::Says, Standing::Said),
    (Standing::Bound, Step::LeftOut, Standing::Said),
    (Standing::Bound, Step::Run, Standing::Bound),
    (Standing::Waits, Step::Checkpoint, Standing::Silent),
    (Standing::Waits, Step::Binds, Standing::Bound),
    (Standing::Waits, Step::Says, Standing::Said),
    (Standing::Waits, Step::LeftOut, Standing::Said),
    (Standing::Waits, Step::Run, Standing::Bound),
    (Standing::Silent, Step::Checkpoint, Standing::Silent),
    (Standing::Silent, Step::Binds, Standing::Bound),
    (Standing::Silent, Step::Says, Standing::Said),
    (Standing::Silent, Step::LeftOut, Standing::Said),
    (Standing::Silent, Step::Run, Standing::Silent),
    (Standing::Said, Step::Checkpoint, Standing::Said),
    (Standing::Said, Step::Binds, Standing::Bound),
    (Standing::Said, Step::Says, Standing::Said),
    (Standing::Said, Step::LeftOut, Standing::Said),
    (Standing::Said, Step::Run, Standing::Said),
];

impl Standing {
    pub(crate) fn after(self, step: Step) -> Self {
        let row = STANDINGS.iter().find(|row| (row.0, row.1) == (self, step));
        row.map_or(self, |row| row.2)
    }
}

/// What showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What a checkpoint is bound to, or is not.
    Counter,
    /// The node's own word, an entry of its log.
    Node,
}

/// A rollback, or a counter that is another, as the entries show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// In what way.
    pub alarm: RollbackAlarm,
    /// What showed it.
    pub source: Source,
    /// The entry that does.
    pub entry: u64,
    /// The counter that shows it, where one does.
    pub counter: Option<CounterKind>,
    /// Its newest value before.
    pub bound: Option<u64>,
    /// Its value as it is attested now.
    pub value: Option<u64>,
    /// A sentence for a person.
    pub words: String,
}

/// An entry that is read again to know what was known: the newest of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Store,
    StoreOf(CounterKind),
    Checkpoint,
    StoreUnder(CounterKind),
    CheckpointOf(CounterKind),
    BindingOf(CounterKind),
}

/// What has to be kept of a witness beside the entries themselves, to go on from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessState {
    /// Entries that are read again, ascending.
    pub entries: Vec<u64>,
    /// A label and a value for each counter.
    pub counters: Vec<(String, u64)>,
    /// Whether the next step of the plain counter is not judged.
    pub gap: bool,
    /// Whether checkpoints were bound, and the log does not say that they are not.
    pub bound: bool,
}

/// What is known of one generation of a log, by its entries alone.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    origin: String,
    log: BoundLog,
    counters: BoundCounters,
    publics: BTreeMap<CounterKind, Vec<u8>>,
    standing: Standing,
    /// The run of the newest entry.
    epoch: u64,
    roles: BTreeMap<Role, u64>,
    /// In which epoch a counter was bound to last, and the store told of.
    epochs: BTreeMap<Option<CounterKind>, u64>,
    /// What was told since it last was in order.
    told: BTreeSet<(Option<CounterKind>, u64)>,
    /// The alarm and the size of the checkpoint that the newest was of: the other counter says it again.
    newest: Option<(RollbackAlarm, u64)>,
}

impl Witness {
    /// Of the generation with this origin, of which nothing was read.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.into(),
            ..Self::default()
        }
    }

    /// Goes on from what was kept; `entry` reads one: its epoch and payload.
    ///
    /// # Errors
    /// Those of `entry`.
    pub fn recall<E>(
        origin: &str,
        state: &WitnessState,
        known: &[VerifierKey],
        mut entry: impl FnMut(u64) -> Result<Option<(u64, Payload)>, E>,
    ) -> Result<Self, E> {
        let mut witness = Self::new(origin);
        for id in &state.entries {
            if let Some((epoch, payload)) = entry(*id)? {
                // What it found was told when it was read first.
                let _ = witness.take(*id, epoch, &payload, known);
            }
        }
        for (label, value) in &state.counters {
            witness.counters.recall(label, *value);
        }
        witness.log.set_gap(state.gap);
        witness.standing = match (state.bound, witness.standing) {
            (true, Standing::Never | Standing::Said | Standing::Silent) => Standing::Bound,
            (true, standing) => standing,
            (false, Standing::Never) => Standing::Never,
            (false, _) => Standing::Said,
        };
        Ok(witness)
    }

    /// What has to be kept, with the entries themselves, for [`Self::recall`].
    #[must_use]
    pub fn state(&self) -> WitnessState {
        let entries: BTreeSet<u64> = self.roles.values().copied().collect();
        WitnessState {
            entries: entries.into_iter().collect(),
            counters: self.counters.frozen().collect(),
            gap: self.log.gap(),
            bound: matches!(self.standing, Standing::Bound | Standing::Waits),
        }
    }

    /// A counter's newest value that holds.
    #[must_use]
    pub fn value(&self, counter: CounterKind) -> Option<u64> {
        self.log.value(counter)
    }

    /// Entries are not here.
    pub fn left_out(&mut self) {
        self.log.left_out();
        self.standing = self.standing.after(Step::LeftOut);
    }

    /// Takes an entry of this index and epoch; `known` are the keys whose signatures on heads of this log count.
    #[must_use]
    pub fn take(
        &mut self,
        id: u64,
        epoch: u64,
        payload: &Payload,
        known: &[VerifierKey],
    ) -> Option<Witnessed> {
        if core::mem::replace(&mut self.epoch, epoch) != epoch {
            self.standing = self.standing.after(Step::Run);
        }
        match payload {
            Payload::Checkpoint(checkpoint) => self.checkpoint(id, epoch, checkpoint, known),
            Payload::KeyStore(store) => self.store(id, epoch, store, known),
            Payload::Binding(binding) => self.binding(id, epoch, binding),
            Payload::Event(event) if event.code == EventCode::CheckpointUnbound => {
                self.standing = self.standing.after(Step::Says);
                None
            }
            Payload::Rollback(found) => {
                let own = found.witness != RollbackWitness::Collector;
                // What is gone at the end is named by LOSS entries.
                if !own || found.alarm == RollbackAlarm::LostEnd {
                    return None;
                }
                self.log.alarm(id, found);
                Some(Witnessed {
                    alarm: found.alarm,
                    source: Source::Node,
                    entry: id,
                    counter: found.counter,
                    bound: found.bound,
                    value: found.value,
                    words: found.detail.clone(),
                })
            }
            _ => None,
        }
    }

    fn checkpoint(
        &mut self,
        id: u64,
        epoch: u64,
        checkpoint: &Checkpoint,
        known: &[VerifierKey],
    ) -> Option<Witnessed> {
        let before = self.standing;
        self.standing = before.after(Step::Checkpoint);
        if let Ok(opened) = SignedCheckpoint::open(checkpoint.note.as_bytes(), known) {
            let head = opened.checkpoint();
            let same = head.origin == self.origin
                && head.size == checkpoint.size
                && head.root.0 == checkpoint.root.0;
            if same {
                self.log.checkpoint(head.size, &opened, known);
                self.roles.insert(Role::Checkpoint, id);
            }
        }
        let fell_silent = self.standing == Standing::Silent && before != Standing::Silent;
        let words = "a checkpoint is bound to no counter any more, and the log does not say why";
        let moment = self.moment(None, epoch);
        fell_silent
            .then(|| self.alarm(id, moment, (Moved::Unproven, None), words.into()))
            .flatten()
    }

    fn store(
        &mut self,
        id: u64,
        epoch: u64,
        store: &KeyStore,
        known: &[VerifierKey],
    ) -> Option<Witnessed> {
        let outcome = self.log.store(store, known);
        let moment = self.moment(None, epoch);
        self.epochs.insert(None, epoch);
        self.counters.store(store);
        self.roles.insert(Role::Store, id);
        for one in &store.counters {
            self.publics.insert(one.counter, one.public.0.clone());
            self.roles.insert(Role::StoreOf(one.counter), id);
        }
        if store.counters.is_empty() {
            self.standing = self.standing.after(Step::Says);
        }
        match outcome.first() {
            None => {
                self.told.retain(|(counter, _)| counter.is_some());
                None
            }
            Some(Contradiction { fault, .. }) => {
                let words = fault.to_string();
                self.alarm(id, moment, (Moved::of_fault(fault), None), words)
            }
        }
    }

    fn binding(&mut self, id: u64, epoch: u64, binding: &Binding) -> Option<Witnessed> {
        let counter = binding.counter;
        let bound = self.counters.value(counter).or(self.log.value(counter));
        let was_told = self.log.gap();
        let moment = self.moment(Some(counter), epoch);
        let mut taken = self.log.binding(epoch, binding)?;
        let (moved, words) = match &taken {
            Ok(_) => self.placed(binding, was_told),
            // What the node told of it is its own word.
            Err(Contradiction { fault, .. }) => (Moved::of_fault(fault), fault.to_string()),
        };
        if moved == Moved::Behind {
            // What is there now is what the log is bound to from here on: one rollback is told once, and a second is found.
            self.log.forget(counter);
            taken = self.log.binding(epoch, binding)?;
        }
        if taken.is_ok() {
            self.counters.binding(binding);
            self.epochs.insert(Some(counter), epoch);
            self.roles.insert(Role::BindingOf(counter), id);
            // What it is judged by when it is read again.
            for (of, kept) in [
                (Role::Checkpoint, Role::CheckpointOf(counter)),
                (Role::StoreOf(counter), Role::StoreUnder(counter)),
            ] {
                let at = self.roles.get(&of).copied();
                self.roles.extend(at.map(|at| (kept, at)));
            }
        }
        self.standing = self.standing.after(match taken {
            Ok(_) => Step::Binds,
            Err(_) => Step::Says,
        });
        if moved == Moved::Level {
            self.told.retain(|(of, _)| *of != Some(counter));
            return None;
        }
        let found = of_the_store(moved, moment)?;
        if self.newest.replace((found, binding.size)) == Some((found, binding.size)) {
            return None;
        }
        let mut said = self.alarm(id, moment, (moved, Some(counter)), words)?;
        (said.bound, said.value) = (bound, Some(binding.value));
        Some(said)
    }

    /// What a binding that holds says of the counter, as the node itself judges it before it signs.
    fn placed(&self, binding: &Binding, was_told: bool) -> (Moved, String) {
        let public = self.publics.get(&binding.counter);
        let found = CounterFound {
            counter: binding.counter,
            public: public.cloned().unwrap_or_default(),
            value: binding.value,
            moving_to: None,
        };
        let judged = self.counters.compare(&found);
        match judged.map_or(Moved::Level, |judged| judged.moved) {
            // The log told of it, or entries are not here that may have shown it.
            Moved::Ahead if was_told => (Moved::Level, String::new()),
            Moved::Ahead => {
                let bound = judged.and_then(|judged| judged.bound).unwrap_or(0);
                let unshown = binding.value.saturating_sub(bound).saturating_sub(1);
                (Moved::Ahead, unshown_words(unshown, binding))
            }
            Moved::OtherIndex => {
                let words = format!(
                    "the {} counter was away and is another one now, at {}",
                    binding.counter, binding.value
                );
                (Moved::OtherIndex, words)
            }
            moved => (moved, String::new()),
        }
    }

    /// When an entry of this epoch looked at a counter, or at the store: as the first one of its run, or later.
    fn moment(&self, of: Option<CounterKind>, epoch: u64) -> Moment {
        match self.epochs.get(&of) == Some(&epoch) {
            true => Moment::Running,
            false => Moment::Start,
        }
    }

    fn alarm(
        &mut self,
        id: u64,
        moment: Moment,
        (moved, counter): (Moved, Option<CounterKind>),
        words: String,
    ) -> Option<Witnessed> {
        let alarm = of_the_store(moved, moment)?;
        // One that stays wrong in the same way is told once.
        if !self.told.insert((counter, alarm.code())) && moved != Moved::Behind {
            return None;
        }
        Some(Witnessed {
            alarm,
            source: Source::Counter,
            entry: id,
            counter,
            bound: None,
            value: None,
            words,
        })
    }
}

/// Steps that nothing shows: an older disk was put back and its mark forged, or another has moved the counter.
#[must_use]
pub fn unshown_words(unshown: u64, binding: &Binding) -> String {
    let (steps, lie) = match unshown {
        1 => ("step", "lies"),
        _ => ("steps", "lie"),
    };
    format!(
        "{unshown} {steps} of the plain counter that no entry shows {lie} before {}, to which the checkpoint of {} is bound: \
         what was sealed at them was taken away, or another than this node moved it",
        binding.value, binding.size
    )
}

#[cfg(test)]
mod tests;
