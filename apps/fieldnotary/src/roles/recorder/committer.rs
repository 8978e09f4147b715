//! The one thread that writes the journal: gathers, stamps, commits as a group, then answers.

mod change;
mod freeze;
mod group;
mod reports;
mod requests;
mod room;
mod seal;

use super::calibrations::Calibrations;
use super::earlier::Earlier;
use super::feed::Feed;
use super::firmware::FirmwareWatch;
use super::given_up::GivenUp;
use super::hints::HintWatch;
use super::journal_file::NodeJournal;
use super::keeper::Keeper;
use super::known_keys::KnownKeys;
use super::ledger::{Attempted, Ledger};
use super::low_supplies::LowSupplies;
use super::media_watch::MediaWatch;
use super::power_stats::PowerStats;
use super::rollback::RollbackWatch;
use super::rotated::RotationWatch;
use super::sealer::Head;
use super::slots::StartKind;
use super::stats::Stats;
use super::time_stats;
use super::work::{Answer, Work};
use crate::clock;
use crate::lately::Lately;
use contract::Contract;
use evidence::kinds::{Counter, CounterSnapshot, Event};
use evidence::reasons::{DowntimeCause, EventCode};
use evidence::{Captured, CommitId, Kind, MeterId, Payload, Seq, SourceId, TimeMaps, UtcNs};
use ipc::message::{Accepted, Message};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;
use time_plane::budget::{Budget, Over, Part};

use room::Placed;
pub(crate) use seal::IDLE_SEAL_FACTOR;
pub(super) use seal::SealState;

/// Entries of one frame, kept below the format's own bound so that a group's answers come soon.
const GROUP_ENTRIES_MAX: usize = 2_048;
/// How often the recorder's counters become an entry.
pub(crate) const COUNTERS_EVERY_NS: u64 = 60_000_000_000;
/// Longest sleep of the loop, so that deadlines are looked at.
const TICK: Duration = Duration::from_millis(100);

/// What the recorder is asked to do, and for whom.
pub(super) struct Committer {
    pub(super) journal: NodeJournal,
    pub(super) ledger: Ledger,
    pub(super) stats: Stats,
    /// The device under the journal.
    pub(super) media: MediaWatch,
    pub(super) lately: Lately,
    pub(super) contract: Contract,
    pub(super) contract_commit: CommitId,
    pub(super) origin: String,
    pub(super) boot_id: evidence::BootId,
    pub(super) truth_degraded: bool,
    pub(super) start: StartKind,
    /// What held capture back since anything was captured.
    pub(super) held: Option<DowntimeCause>,
    pub(super) time: TimeMaps,
    /// Whether a statement was committed since this recorder started: stamps rest on it.
    pub(super) time_noted: bool,
    /// How long the parts of the way to a durable entry took.
    pub(super) budget: Budget,
    /// The latest time that a stamp of the log's end had when it was opened.
    pub(super) newest_utc: UtcNs,
    /// The latest that a SYNCED one had by then.
    pub(super) newest_synced: UtcNs,
    pub(super) earlier: Earlier,
    pub(super) markers: std::path::PathBuf,
    pub(super) feed: Arc<Feed>,
    pub(super) heads: SyncSender<Head>,
    pub(super) seal: SealState,
    pub(super) rollback: RollbackWatch,
    pub(super) rotations: RotationWatch,
    pub(super) known_keys: KnownKeys,
    /// Ports that submitted in this epoch: a start of theirs is then a restart of the process.
    pub(super) alive: BTreeSet<SourceId>,
    pub(super) own: SourceId,
    pub(super) named_losses: BTreeSet<(u64, u64)>,
    pub(super) given_up: GivenUp,
    pub(super) keeper: Keeper,
    pub(super) hints: HintWatch,
    pub(super) calibrations: Calibrations,
    pub(super) firmware: FirmwareWatch,
    /// Supplies that are too low for writes.
    pub(super) low: LowSupplies,
    /// Whether a segment was begun whose first entries are still to be written.
    pub(super) rolled: bool,
    pub(super) epoch_at: evidence::MonoNs,
    pub(super) opened_at: evidence::MonoNs,
    /// Where the uplink notes at which sizes the collector may stand.
    pub(super) standing: std::path::PathBuf,
    pub(super) staged: Vec<(Captured, Payload)>,
    /// Places in it that go into one frame as far as one takes them.
    pub(super) uncut: Range<usize>,
    /// Whether leases were granted since they were stored.
    pub(super) leases_due: bool,
    /// What the poll marker boards say, where a request of this group asked and no process came since.
    pub(super) attempted: Option<Arc<BTreeMap<MeterId, Attempted>>>,
    pub(super) answers: Vec<(Answer, Pending)>,
    pub(super) counters_at: u64,
    pub(super) stopping: Option<Answer>,
    pub(super) stop_answered: bool,
}

/// An answer that waits for the group to be durable.
pub(super) enum Pending {
    /// Entries `offset..offset + count` of the group.
    Accepted { id: u64, offset: usize, count: u64 },
    /// A message that only had to wait.
    Ready(Box<Message>),
}

impl Committer {
    /// Works until it is told to close.
    pub(super) fn run(mut self, work: &Receiver<Work>) -> Result<(), String> {
        loop {
            sandbox::pulse::alive();
            match work.recv_timeout(TICK) {
                Ok(Work::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(first) => {
                    if self.gather(first, work)? {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.commit_group()?;
            self.maintain()?;
        }
        self.commit_group()?;
        self.journal
            .close()
            .map(drop)
            .map_err(|error| format!("the log could not be closed orderly: {error}"))
    }

    /// Takes what waits, up to a group; true when told to close.
    fn gather(&mut self, first: Work, work: &Receiver<Work>) -> Result<bool, String> {
        let opened = clock::mono();
        let wait_ns = self.contract.storage.group_wait_ms * 1_000_000;
        let mut next = Some(first);
        let mut taken = 0u64;
        while let Some(one) = next {
            if matches!(one, Work::Close) {
                return Ok(true);
            }
            taken += 1;
            self.take(one)?;
            if self.staged.len() >= GROUP_ENTRIES_MAX {
                break;
            }
            let left_ns = wait_ns.saturating_sub(clock::mono().since(opened));
            next = work.recv_timeout(Duration::from_nanos(left_ns)).ok();
        }
        self.stats.queue_depth_max = self.stats.queue_depth_max.max(taken);
        Ok(false)
    }

    fn take(&mut self, work: Work) -> Result<(), String> {
        match work {
            Work::Submit {
                id,
                source,
                stream,
                seq,
                records,
                answer,
            } => {
                self.submit(id, &source, &stream, seq.map(Seq), records, answer);
            }
            Work::Lease {
                source,
                stream,
                fresh,
                answer,
            } => {
                self.lease(&source, &stream, fresh, answer);
            }
            Work::Slots {
                source,
                schedule,
                answer,
            } => self.slots(source, schedule, answer),
            Work::Count { point, answer } => self.count(point, answer),
            Work::UnderWay { answer } => self.under_way(answer),
            Work::Missed { meter, answer } => {
                let now = self.time.newest().utc_of(clock::mono());
                let missed = self.ledger.missed(meter, now);
                self.answers
                    .push((answer, Pending::Ready(Box::new(missed.into()))));
            }
            Work::Outputs { card, answer } => self.outputs(&card, answer),
            Work::Clocks { port, answer } => self.clocks(&port, answer),
            Work::Time {
                id,
                source,
                statement,
                journal,
                events,
                counters,
                answer,
            } => {
                self.take_counters(&source, &counters);
                self.take_time(id, &statement, journal, events, answer);
            }
            Work::Report { id, event, answer } => self.report(id, event, answer),
            Work::Person {
                id,
                uid,
                entry,
                answer,
            } => self.person(id, uid, entry, answer),
            Work::Welcome { answer } => {
                self.attempted = None;
                let welcome = self.welcome();
                let _ = answer.try_send(welcome);
            }
            Work::Head { answer } => {
                let _ = answer.try_send(self.head());
            }
            Work::Status { answer } => {
                self.count_journal();
                let _ = answer.try_send(super::status::report(self));
            }
            Work::Lost(loss) => self.lost(&loss),
            Work::Sealed(outcome) => self.sealed(outcome),
            Work::KeyStore(keys, asked, verdict) => self.told_of_keys(*keys, &asked, &verdict),
            Work::SealLater => self.seal_later(),
            Work::OtherStore(words) => self.other_store(&words),
            Work::Booted(told, taken) => self.booted(*told, &taken),
            Work::FirmwareBound(bound) => self.firmware_bound(bound),
            Work::Firmware { answer } => self.tell_of_firmware(answer),
            Work::Attested { entry, answer } => self.attested(entry, answer),
            Work::Stop { answer } => self.stop(answer),
            Work::Close => {}
        }
        Ok(())
    }

    fn stage_record(&mut self, captured: Captured, payload: Payload) {
        match &payload {
            Payload::Reading(_) => self.stats.readings += 1,
            Payload::AttemptFailed(_) => self.stats.attempts_failed += 1,
            _ => self.stats.power.observe(&payload),
        }
        self.ledger.observe(&payload);
        let told = self.low.observe(&payload, self.journal.size());
        let waits = u64::try_from(self.staged.len()).unwrap_or(u64::MAX);
        self.staged.push((captured, payload));
        self.tell_of_low(told, waits);
    }

    /// Stages an entry of the recorder's own.
    pub(super) fn stage(&mut self, payload: Payload) {
        self.ledger.observe(&payload);
        self.rollback.observe(&payload);
        self.rotations.observe(&payload);
        self.known_keys.observe(&payload);
        self.stats.boot.observe(&payload);
        self.staged.push((Captured::new(&payload), payload));
    }

    pub(super) fn event(&mut self, code: EventCode, fill: impl FnOnce(&mut Event)) {
        let mut event = Event::new(clock::mono(), code, self.own.clone());
        fill(&mut event);
        self.stage(event.into());
    }

    /// Commits what the start staged, and the frozen state behind it where a segment was begun.
    pub(super) fn begin_log(&mut self) -> Result<(), String> {
        self.commit_group()
    }

    /// Makes the group durable, then answers (life of a record, steps 3 to 5).
    fn commit_group(&mut self) -> Result<(), String> {
        self.store_leases()?;
        let staged = std::mem::take(&mut self.staged);
        let mut placed = Placed::default();
        let inside = self.inside(staged.len());
        let inside = |at: usize| inside.get(at) == Some(&true);
        for part in room::parts(&staged, self.contract.storage.segment_bytes, inside) {
            self.see_to_room(part)?;
            placed.push(part.len(), self.commit_entries(part)?);
        }
        for (answer, pending) in self.answers.drain(..) {
            let message = match pending {
                Pending::Ready(message) => *message,
                Pending::Accepted { id, offset, count } => Accepted {
                    submission_id: id,
                    first_commit: placed.id_of(offset),
                    count,
                }
                .into(),
            };
            let _ = answer.try_send(message);
        }
        if std::mem::take(&mut self.rolled) {
            self.freeze()?;
        }
        self.keep_pace(staged.len());
        Ok(())
    }

    /// For each place of the group whether it lies inside of what belongs together, behind its first record.
    fn inside(&mut self, len: usize) -> Vec<bool> {
        let mut inside = vec![false; len];
        let uncut = std::mem::take(&mut self.uncut);
        let rest = inside.get_mut(uncut.start.saturating_add(1)..uncut.end.min(len));
        rest.into_iter().flatten().for_each(|inside| *inside = true);
        for (_, pending) in &self.answers {
            let Pending::Accepted { offset, count, .. } = pending else {
                continue;
            };
            let end = offset.saturating_add(usize::try_from(*count).unwrap_or(usize::MAX));
            let rest = inside.get_mut(offset.saturating_add(1)..end.min(len));
            rest.into_iter().flatten().for_each(|inside| *inside = true);
        }
        inside
    }

    fn commit_entries(&mut self, staged: &[(Captured, Payload)]) -> Result<CommitId, String> {
        let began = clock::mono();
        let stamped: Vec<_> = staged
            .iter()
            .map(|(captured, payload)| (self.time.stamp(payload.at()), captured.clone()))
            .collect();
        let outcome = self.commit_all(&stamped)?;
        let now = clock::mono();
        let mut over: Vec<Over> = self
            .budget
            .take(Part::Commit, now.since(began), now)
            .into_iter()
            .collect();
        for (id, ((_, payload), (stamp, _))) in (outcome.first.0..).zip(staged.iter().zip(&stamped))
        {
            self.lately.observe(CommitId(id), stamp, payload);
            match payload {
                Payload::Reading(reading) => {
                    self.stats.reading_durable(id, reading.at, now);
                    let queued_ns = began.since(reading.at);
                    over.extend(self.budget.take(Part::Queue, queued_ns, now));
                }
                Payload::Checkpoint(_) => self.seal.missed.sealed(stamp.timestamp),
                Payload::Loss(loss) => self.given_up.observe(CommitId(id), loss),
                Payload::Event(event) if event.code == EventCode::SafeModeEntered => {
                    self.held = Some(DowntimeCause::SafeMode);
                }
                _ => {}
            }
        }
        if staged
            .iter()
            .any(|(captured, _)| captured.kind == Kind::Loss)
        {
            self.feed.gives_up(&self.given_up);
        }
        for (captured, _) in staged {
            match captured.kind {
                Kind::Checkpoint => steps::pass("seal.committed"),
                Kind::Ack => steps::pass("ack.committed"),
                _ => {}
            }
        }
        let latency_ns = now.since(began);
        self.low.committed(latency_ns);
        self.stats
            .committed(u64::try_from(staged.len()).unwrap_or(0), latency_ns);
        self.seal.unsealed += u64::try_from(
            staged
                .iter()
                .filter(|(c, _)| !seal::is_of_seals(c.kind))
                .count(),
        )
        .unwrap_or(0);
        self.feed.moved(self.journal.size());
        if outcome.rolled {
            self.rolled = true;
        }
        for over in over {
            self.over_budget(&over);
        }
        Ok(outcome.first)
    }

    /// An event of the next group: this one is on its way.
    fn over_budget(&mut self, over: &Over) {
        let detail = format!(
            "{} of {} took longer than {} ms, the longest {} ms",
            over.part.name(),
            over.times,
            over.budget_ns / 1_000_000,
            over.longest_ns / 1_000_000,
        );
        let longest_ns = over.longest_ns;
        self.event(EventCode::TimingOverBudget, |event| {
            event.count = Some(longest_ns);
            event.detail = Some(detail);
        });
    }

    /// Seals and counters whose time has come.
    fn maintain(&mut self) -> Result<(), String> {
        let now = clock::mono();
        if now.0.saturating_sub(self.counters_at) >= COUNTERS_EVERY_NS {
            self.counters_at = now.0;
            self.count_journal();
            self.look_at_media();
            let counters = self.counters();
            self.stage(CounterSnapshot { at: now, counters }.into());
        }
        self.tell_stalls();
        if !self.staged.is_empty() {
            self.commit_group()?;
        }
        if self.seal_due(now.0) {
            self.ask_for_seal(now.0);
        }
        Ok(())
    }

    /// The journal's own counts, as of now.
    pub(super) fn count_journal(&mut self) {
        let open_ns = clock::mono().since(self.opened_at);
        self.stats.of_journal(self.journal.stats(), open_ns);
    }

    /// A stall of the medium is evidence: what was late because of it is explained by an event.
    fn tell_stalls(&mut self) {
        let Some(stalls) = self.stats.stalls_to_tell(clock::mono()) else {
            return;
        };
        let longest_ms = stalls.longest_ns / 1_000_000;
        let budget_ms = super::stats::WRITE_STALL_NS / 1_000_000;
        let queue = self.stats.queue_depth_max;
        self.event(EventCode::WriteStall, |event| {
            event.count = Some(stalls.count);
            event.detail = Some(format!(
                "{longest_ms} ms at most from a group to its durability, where {budget_ms} ms are allowed; \
                 {queue} submissions waited together at most"
            ));
        });
    }

    /// Reads what the device says, and tells what got worse.
    pub(super) fn look_at_media(&mut self) {
        for words in self.media.look() {
            self.event(EventCode::MediumDegraded, |event| {
                event.detail = Some(words)
            });
        }
    }

    /// All counters of the recorder, and of the device under the journal.
    pub(super) fn counters(&self) -> Vec<Counter> {
        let mut counters = self.stats.counters(&self.own, clock::mono());
        counters.extend(self.media.counters(&self.own));
        counters.extend(self.firmware.counters(&self.own));
        counters.extend(time_stats::of_the_way(&self.budget, &self.own));
        // A node with cards has a source for these: the cards say them, point by point.
        if !self.contract.points.cards.is_empty() {
            counters.retain(|counter| !super::stats::OF_CARDS.contains(&counter.name.as_str()));
            counters.retain(|counter| !PowerStats::says(&self.contract, &counter.name));
            counters.extend(self.stats.power.counters(&self.contract, &self.own));
        }
        counters
    }

    /// The meters of the contract, for the status.
    pub(super) fn meters(&self) -> impl Iterator<Item = &MeterId> {
        self.contract.meters.keys()
    }
}
