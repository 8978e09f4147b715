//! What the collector finds wrong with a log by itself, as the second witness of a rollback: `state/witness.json`.
//!
//! The file is written with each alarm and after each [`WITNESS_SAVED_EVERY`] entries; what was judged behind it is
//! judged again after a restart, with the same outcome.

use std::path::{Path, PathBuf};

use evidence::reasons::{AdoptionCause, CounterKind, RollbackAlarm};
use evidence::{EntryRef, Kind, Payload, split_leaf};
use exchange::CollectorAlarm;
use exchange::collector::{Fork, MirrorStore as _, Stale, StaleHead};
use proof::note::VerifierKey;
use serde::{Deserialize, Serialize};
use trust_plane::{Source, Witness, WitnessState, Witnessed};

use super::{FileStore, state};
use crate::clock;
use crate::error::Error;
use crate::limits::{ALARMS_KEPT_MAX, WITNESS_LOOKS_BACK, WITNESS_SAVED_EVERY};

pub(super) const WITNESS_FILE: &str = "state/witness.json";

/// What showed an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownBy {
    /// What checkpoints are bound to, or are not: the collector's own finding.
    Counter,
    /// A head that was offered: the collector's own finding.
    Head,
    /// Two signed heads that contradict each other, kept in `conflicts.jsonl`: the collector's own finding.
    Fork,
    /// The node's own word, in its log.
    Node,
}

/// An alarm of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Counts the alarms of this log.
    pub number: u64,
    /// When it was found, in milliseconds since 1970.
    pub at_ms: u64,
    /// A name of `rollback-alarm`.
    pub alarm: String,
    /// What showed it.
    pub shown_by: ShownBy,
    /// The entry that shows it, where one does.
    pub entry: Option<u64>,
    /// Entries that the collector had cosigned then.
    pub cosigned: u64,
    /// The counter that shows it, where one does.
    pub counter: Option<String>,
    /// Its newest value before.
    pub bound: Option<u64>,
    /// Its value as it is attested in that entry.
    pub value: Option<u64>,
    /// A sentence for a person.
    pub detail: String,
    /// The size at which the log went on behind a head that was left behind: then it was no rollback that lasted.
    pub went_on: Option<u64>,
}

/// The generation that followed a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedBy {
    /// Its origin.
    pub origin: String,
    /// Why the one before was left, as its first entry says.
    pub cause: Option<String>,
    /// Who adopted, and why, as its audit says.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Form {
    /// The first entry that was judged.
    since: u64,
    /// One past the last.
    end: u64,
    /// Entries that are read again to go on.
    entries: Vec<u64>,
    /// Where counters stand, by label.
    counters: Vec<(String, u64)>,
    gap: bool,
    bound: bool,
    alarm_cnt: u64,
    alarms: Vec<Alarm>,
    followed_by: Option<FollowedBy>,
}

/// The witness of one log.
#[derive(Debug, Default)]
pub(super) struct Watch {
    path: PathBuf,
    /// As it was stored last; `None` where it never was.
    form: Option<Form>,
    live: Option<(Witness, u64)>,
    /// Alarms that nobody was told of yet in this run.
    untold: Vec<Alarm>,
}

impl Watch {
    pub(super) fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(WITNESS_FILE);
        let form = state::load(&path).map_err(|error| match error {
            Error::Damaged { path, detail } => {
                let cure =
                    "nothing that is cosigned hangs on it: without it the log is judged anew from its newest entries on";
                Error::damaged(&path, format!("{detail}; {cure}"))
            }
            other => other,
        })?;
        Ok(Self {
            form,
            path,
            ..Self::default()
        })
    }

    fn form(&mut self) -> &mut Form {
        self.form.get_or_insert_default()
    }

    fn alarms(&self) -> &[Alarm] {
        self.form.as_ref().map_or(&[], |form| &form.alarms)
    }

    fn followed(&self) -> bool {
        let form = self.form.as_ref();
        form.is_some_and(|form| form.followed_by.is_some())
    }

    fn add(&mut self, mut alarm: Alarm) {
        let form = self.form.get_or_insert_default();
        form.alarm_cnt = form.alarm_cnt.saturating_add(1);
        alarm.number = form.alarm_cnt;
        if form.alarms.len() >= ALARMS_KEPT_MAX {
            // What began it and what is newest tell most.
            form.alarms.remove(ALARMS_KEPT_MAX / 2);
        }
        form.alarms.push(alarm.clone());
        self.untold.push(alarm);
        let surplus = self.untold.len().saturating_sub(ALARMS_KEPT_MAX);
        self.untold.drain(..surplus);
    }

    /// Stores what is known now.
    fn save(&mut self) -> Result<(), Error> {
        let live = self.live.as_ref();
        let now = live.map(|(witness, end)| (witness.state(), *end));
        let form = self.form.get_or_insert_default();
        if let Some((known, end)) = now {
            (form.entries, form.counters) = (known.entries, known.counters);
            (form.gap, form.bound, form.end) = (known.gap, known.bound, end);
        }
        state::store(&self.path, form)
    }
}

/// Kinds that say something of the keys and counters.
const fn is_of_keys(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Checkpoint | Kind::KeyStore | Kind::Binding | Kind::Event | Kind::Rollback
    )
}

/// Epoch and payload of a leaf that says something of the keys.
fn of_keys(id: u64, leaf: &[u8]) -> Option<(u64, Payload)> {
    let (_, entry) = split_leaf(leaf)?;
    let entry = EntryRef::decode(entry).ok()?;
    let header = &entry.header;
    if header.commit_id.0 != id || !is_of_keys(header.kind) {
        return None;
    }
    Some((header.epoch.0, entry.payload().ok()?))
}

impl FileStore {
    /// Judges the entries that were mirrored since it was last asked; `keys` are those whose heads of this log count.
    /// Gives the first entry that is judged at all, where nothing was judged before.
    ///
    /// # Errors
    /// When storage fails.
    pub fn witness(&mut self, keys: &[VerifierKey]) -> Result<Option<u64>, Error> {
        let Some(size) = self.mirrored().map(|mirrored| mirrored.sealed.head.size) else {
            return Ok(None);
        };
        let is_new = self.watch.form.is_none();
        let (mut witness, from) = match self.watch.live.take() {
            Some(live) => live,
            None => self.recalled(keys, size)?,
        };
        let (mut next, mut found) = (from, Vec::new());
        self.leaves(from, size, &mut |id, leaf| {
            if id > next {
                witness.left_out();
            }
            next = id.saturating_add(1);
            if let Some((epoch, payload)) = of_keys(id, leaf) {
                found.extend(witness.take(id, epoch, &payload, keys));
            }
        })?;
        if next < size {
            witness.left_out();
        }
        self.watch.live = Some((witness, size));
        let went_on = self.watch.goes_on(size);
        let told = !found.is_empty();
        for one in found {
            self.watch.add(alarm_of(one, size));
        }
        let saved = self.watch.form().end;
        if is_new || told || went_on || size.saturating_sub(saved) >= WITNESS_SAVED_EVERY {
            self.write(|store| store.watch.save())?;
        }
        Ok(is_new.then_some(from))
    }

    /// The witness as it was stored, or a new one; and the first entry that it has not judged.
    fn recalled(&mut self, keys: &[VerifierKey], size: u64) -> Result<(Witness, u64), Error> {
        let Some(form) = self.watch.form.clone() else {
            let mut witness = Witness::new(&self.origin);
            // Taken by a version without a witness: of what is long past nothing is judged.
            let since = size.saturating_sub(WITNESS_LOOKS_BACK);
            if since > 0 {
                witness.left_out();
            }
            self.watch.form().since = since;
            return Ok((witness, since));
        };
        let known = WitnessState {
            entries: form.entries,
            counters: form.counters,
            gap: form.gap,
            bound: form.bound,
        };
        let read = |id| -> Result<_, Error> {
            let leaf = self.leaf(id)?;
            Ok(leaf.and_then(|leaf| of_keys(id, &leaf)))
        };
        let witness = Witness::recall(&self.origin, &known, keys, read)?;
        Ok((witness, form.end.max(form.since)))
    }

    /// Notes an alarm that a head shows.
    pub(super) fn head_alarm(
        &mut self,
        alarm: RollbackAlarm,
        shown_by: ShownBy,
        detail: String,
    ) -> Result<(), Error> {
        let name = alarm.name();
        // One that stands is told once, whatever its node tries again.
        let stands = |one: &&Alarm| one.alarm == name && one.shown_by == shown_by;
        let newest = self.watch.alarms().iter().rfind(stands);
        if newest.is_some_and(|one| one.went_on.is_none()) {
            return Ok(());
        }
        let head = self.mirrored().map(|mirrored| mirrored.sealed.head.size);
        self.watch.add(Alarm {
            number: 0,
            at_ms: clock::utc_ms(),
            alarm: name.to_owned(),
            shown_by,
            entry: None,
            cosigned: head.unwrap_or(0),
            counter: None,
            bound: None,
            value: None,
            detail,
            went_on: None,
        });
        self.write(|store| store.watch.save())
    }

    /// Notes a fork.
    pub(super) fn fork_alarm(&mut self, fork: &Fork) -> Result<(), Error> {
        // By the name that the node gives to the refusal.
        let (alarm, who) = match fork.behind {
            true => (
                RollbackAlarm::OlderImage,
                "an older image of the disk, or a cut log, that goes on",
            ),
            false => (
                RollbackAlarm::ClonedImage,
                "another copy of this log goes on",
            ),
        };
        let words = format!(
            "a signed head that contradicts what is held ({}, conflicts.jsonl): {}; {who}",
            fork.kind.name(),
            fork.detail
        );
        self.head_alarm(alarm, ShownBy::Fork, words)
    }

    /// Notes a head of a log that was left behind.
    pub(super) fn stale_alarm(&mut self, head: StaleHead) -> Result<(), Error> {
        let StaleHead { stale, size, held } = head;
        let (alarm, words) = match stale {
            Stale::Behind => (
                RollbackAlarm::OlderImage,
                format!(
                    "the node's newest head is of {size} entries, and {held} were signed and taken here: an older image of \
                     its disk, or a log that was cut; from here the two are one thing"
                ),
            ),
            Stale::Superseded => (
                RollbackAlarm::ClonedImage,
                format!(
                    "this generation would go on to {size} entries, and a newer one follows it: another copy of the node \
                     runs on, or an older image of it"
                ),
            ),
        };
        self.head_alarm(alarm, ShownBy::Head, words)
    }

    /// Notes that another generation follows this one, which is what an alarm waits for.
    ///
    /// # Errors
    /// When storage fails.
    pub fn followed_by(&mut self, follows: FollowedBy) -> Result<(), Error> {
        if self.watch.alarms().is_empty() {
            return Ok(());
        }
        self.watch.form().followed_by = Some(follows);
        self.write(|store| store.watch.save())
    }

    /// Who follows this generation, where one with alarms is followed.
    #[must_use]
    pub fn follower(&self) -> Option<&FollowedBy> {
        self.watch.form.as_ref()?.followed_by.as_ref()
    }

    /// Alarms that stand: no generation follows, and the log did not go on behind the head that showed it.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let stands = |one: &&Alarm| one.went_on.is_none() && !self.watch.followed();
        self.watch.alarms().iter().filter(stands).cloned().collect()
    }

    /// Alarms that nobody was told of in this run.
    pub fn untold_alarms(&mut self) -> Vec<Alarm> {
        std::mem::take(&mut self.watch.untold)
    }

    /// What its node is told: the newest alarm that stands and that the log itself does not tell.
    #[must_use]
    pub fn alarm_for_node(&self) -> Option<CollectorAlarm> {
        let alarms = self.alarms();
        let of_counter = |one: &&Alarm| one.shown_by == ShownBy::Counter;
        let newest = alarms.iter().rfind(of_counter)?;
        let counter = newest.counter.as_deref();
        Some(CollectorAlarm {
            alarm: RollbackAlarm::from_name(&newest.alarm)?,
            entry: newest.entry?,
            counter: counter.and_then(CounterKind::from_name),
            bound: newest.bound,
            value: newest.value,
        })
    }
}

impl Watch {
    /// The log was mirrored to a size: heads that were left behind below it were not the last word.
    fn goes_on(&mut self, size: u64) -> bool {
        let mut changed = false;
        let behind = |one: &&mut Alarm| {
            one.shown_by == ShownBy::Head && one.went_on.is_none() && size > one.cosigned
        };
        let older = RollbackAlarm::OlderImage.name();
        let all = self.form.iter_mut().flat_map(|form| &mut form.alarms);
        for one in all.filter(behind).filter(|one| one.alarm == older) {
            one.went_on = Some(size);
            changed = true;
        }
        changed
    }
}

/// How a generation follows the one before.
#[must_use]
pub fn follower(origin: &str, cause: Option<AdoptionCause>, first: &[Vec<u8>]) -> FollowedBy {
    let audit = first.iter().find_map(|leaf| {
        let (_, entry) = split_leaf(leaf)?;
        match EntryRef::decode(entry).ok()?.payload().ok()? {
            Payload::Audit(audit) => Some(audit),
            _ => None,
        }
    });
    FollowedBy {
        origin: origin.to_owned(),
        cause: cause.map(|cause| cause.name().to_owned()),
        actor: audit.as_ref().map(|audit| audit.actor.as_str().to_owned()),
        reason: audit.map(|audit| audit.reason),
    }
}

fn alarm_of(found: Witnessed, cosigned: u64) -> Alarm {
    Alarm {
        number: 0,
        at_ms: clock::utc_ms(),
        alarm: found.alarm.name().to_owned(),
        shown_by: match found.source {
            Source::Counter => ShownBy::Counter,
            Source::Node => ShownBy::Node,
        },
        entry: Some(found.entry),
        cosigned,
        counter: found.counter.map(|counter| counter.name().to_owned()),
        bound: found.bound,
        value: found.value,
        detail: found.words,
        went_on: None,
    }
}
