//! The one thread that writes the journal: gathers, stamps, commits as a group, then answers.

use super::feed::Feed;
use super::intake;
use super::journal_file::NodeJournal;
use super::ledger::{Attempted, Ledger, Verdict};
use super::sealer::{Head, Sealed};
use super::slots::{self, StartKind};
use super::stats::Stats;
use super::status;
use super::work::{Answer, Work};
use crate::clock;
use contract::Contract;
use evidence::Stream;
use evidence::kinds::{Checkpoint, CounterSnapshot, Downtime, Event, TimeMap};
use evidence::reasons::EventCode;
use evidence::{
    Blob, Captured, CommitId, Digest, Kind, MeterId, Payload, ScheduleId, Seq, SourceId,
};
use ipc::message::{
    Accepted, ErrorCode, Leased, Message, NoteText, RefuseReason, Refused, SlotStart, Welcome,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::Duration;

/// Entries of one frame, kept below the format's own bound so that a group's answers come soon.
const GROUP_ENTRIES_MAX: usize = 2_048;
/// How often the recorder's counters become an entry.
const COUNTERS_EVERY_NS: u64 = 60_000_000_000;
/// While idle (nothing but checkpoints and acks since the last seal), seals are this much sparser.
const IDLE_SEAL_FACTOR: u64 = 15;
/// Longest sleep of the loop, so that deadlines are looked at.
const TICK: Duration = Duration::from_millis(100);

/// What the recorder is asked to do, and for whom.
pub(super) struct Committer {
    pub(super) journal: NodeJournal,
    pub(super) ledger: Ledger,
    pub(super) stats: Stats,
    pub(super) contract: Contract,
    pub(super) contract_commit: CommitId,
    pub(super) origin: String,
    pub(super) boot_id: evidence::BootId,
    pub(super) truth_degraded: bool,
    pub(super) start: StartKind,
    pub(super) time: TimeMap,
    pub(super) markers: std::path::PathBuf,
    pub(super) feed: Arc<Feed>,
    pub(super) heads: SyncSender<Head>,
    pub(super) seal: SealState,
    /// Ports that submitted in this epoch: a start of theirs is then a restart of the process.
    pub(super) alive: BTreeSet<SourceId>,
    pub(super) own: SourceId,
    pub(super) named_losses: BTreeSet<(u64, u64)>,
    pub(super) staged: Vec<(Captured, Payload)>,
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
    Ready(Message),
}

/// Where sealing stands.
#[derive(Debug, Default)]
pub(super) struct SealState {
    pub(super) asked: Option<u64>,
    pub(super) sealed_size: u64,
    pub(super) note: Option<String>,
    pub(super) root: Option<Digest>,
    pub(super) custody: Option<evidence::reasons::Custody>,
    pub(super) cosigned_size: u64,
    pub(super) last_ns: u64,
    pub(super) missed: u64,
    /// Entries since the last seal that deserve one.
    pub(super) unsealed: u64,
}

impl Committer {
    /// Works until it is told to close.
    pub(super) fn run(mut self, work: &Receiver<Work>) -> Result<(), String> {
        loop {
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
                self.lease(&source, &stream, fresh, answer)?;
            }
            Work::Slots {
                source,
                schedule,
                answer,
            } => self.slots(source, schedule, answer),
            Work::Time {
                id,
                statement,
                journal,
                events,
                answer,
            } => {
                self.take_time(id, &statement, journal, events, answer);
            }
            Work::Report { id, event, answer } => self.report(id, event, answer),
            Work::Welcome { answer } => {
                let welcome = self.welcome();
                let _ = answer.try_send(welcome);
            }
            Work::Head { answer } => {
                let _ = answer.try_send(self.head());
            }
            Work::Status { answer } => {
                let _ = answer.try_send(status::report(self));
            }
            Work::Lost(loss) => self.lost(&loss),
            Work::Sealed(outcome) => self.sealed(outcome),
            Work::Stop { answer } => self.stop(answer),
            Work::Close => {}
        }
        Ok(())
    }

    fn welcome(&self) -> Message {
        Welcome {
            generation: self.journal.generation(),
            epoch: self.journal.epoch(),
            boot_id: self.boot_id,
            contract: self.contract_commit,
            contract_digest: self.contract.digest(),
            origin: self.origin.clone(),
            truth_class: self.journal.truth_class(),
            truth_degraded: self.truth_degraded,
            commit_ptr: CommitId(self.journal.size()),
        }
        .into()
    }

    fn head(&self) -> Message {
        ipc::message::Head {
            size: self.seal.sealed_size,
            note: self.seal.note.clone().map(NoteText),
            cosigned_size: self.seal.cosigned_size,
            witnessed_size: self.seal.cosigned_size,
        }
        .into()
    }

    fn submit(
        &mut self,
        id: u64,
        source: &SourceId,
        stream: &Stream,
        seq: Option<Seq>,
        records: Vec<Captured>,
        answer: Answer,
    ) {
        if self.stopping.is_some() {
            self.refuse(
                id,
                RefuseReason::Stopping,
                "the node is being stopped",
                &answer,
            );
            return;
        }
        self.alive.insert(source.clone());
        match intake::check(stream, seq, self.contract_commit, records) {
            Ok(_) if seq.is_some_and(|seq| self.ledger.verdict(stream, seq) == Verdict::Known) => {
                self.stats.known_again += 1;
                let known = Accepted {
                    submission_id: id,
                    first_commit: CommitId(0),
                    count: 0,
                };
                let _ = answer.try_send(known.into());
            }
            Ok(sound) => {
                let offset = self.staged.len();
                let count = u64::try_from(sound.records.len()).unwrap_or(u64::MAX);
                for (captured, payload) in sound.records {
                    self.stage_record(source, captured, payload);
                }
                self.answers
                    .push((answer, Pending::Accepted { id, offset, count }));
            }
            Err(objection) => {
                self.stats.rejected += 1;
                if objection.reason == RefuseReason::RecordCrc {
                    self.stats.record_crc_failures += 1;
                }
                self.event(EventCode::RecordRejected, |event| {
                    event.source = source.clone();
                    event.about_seq = seq;
                    event.detail = Some(format!("{}: {}", objection.reason, objection.detail));
                    event.sample = Some(bounded_sample(&objection.sample));
                });
                self.refuse(id, objection.reason, &objection.detail, &answer);
            }
        }
    }

    fn stage_record(&mut self, source: &SourceId, captured: Captured, payload: Payload) {
        let served = match &payload {
            Payload::Reading(reading) => {
                self.stats.readings += 1;
                reading.slot.map(|slot| (&reading.meter_id, slot))
            }
            Payload::AttemptFailed(failed) => {
                self.stats.attempts_failed += 1;
                failed.slot.map(|slot| (&failed.meter_id, slot))
            }
            _ => None,
        };
        if let Some((meter, slot)) = served
            && let Some(meter) = self.contract.meters.get(meter)
        {
            self.ledger.served(source, &meter.schedule, &meter.id, slot);
        }
        self.ledger.observe(&payload);
        self.staged.push((captured, payload));
    }

    /// Stages an entry of the recorder's own.
    pub(super) fn stage(&mut self, payload: Payload) {
        self.ledger.observe(&payload);
        self.staged.push((Captured::new(&payload), payload));
    }

    pub(super) fn event(&mut self, code: EventCode, fill: impl FnOnce(&mut Event)) {
        let mut event = Event {
            at: clock::mono(),
            code,
            source: self.own.clone(),
            meter_id: None,
            seq: None,
            about_seq: None,
            count: None,
            detail: None,
            sample: None,
        };
        fill(&mut event);
        self.stage(event.into());
    }

    fn refuse(&self, id: u64, reason: RefuseReason, detail: &str, answer: &Answer) {
        let refused = Refused {
            submission_id: id,
            reason,
            detail: detail.to_owned(),
        };
        let _ = answer.try_send(refused.into());
    }

    fn lease(
        &mut self,
        source: &SourceId,
        stream: &Stream,
        fresh: bool,
        answer: Answer,
    ) -> Result<(), String> {
        let lease = if fresh {
            let attempted = self.attempted(source, stream);
            let (lease, entries) = self
                .ledger
                .restart(stream, source, attempted, clock::mono());
            for entry in entries {
                match &entry {
                    Payload::Marker(gap) => self.stats.seq_gaps += gap.count.unwrap_or(0),
                    Payload::SeqSkip(skip) => self.stats.seq_skips += skip.count,
                    _ => {}
                }
                self.stage(entry);
            }
            lease
        } else {
            self.ledger.extend(stream)
        };
        // Durable before it leaves: a number is never handed out twice (A4.2).
        self.journal
            .store_leases(super::journal_file::leases(&self.ledger))
            .map_err(|error| format!("the lease table could not be written: {error}"))?;
        let leased = Leased {
            stream: stream.to_string(),
            next: lease.next,
            end: lease.end,
        };
        self.answers.push((answer, Pending::Ready(leased.into())));
        Ok(())
    }

    /// What the poll marker board knows of a meter (A4.8).
    fn attempted(&self, source: &SourceId, stream: &Stream) -> Option<Attempted> {
        let Stream::Meter(meter) = stream else {
            return None;
        };
        let (ports, _) = media::read_marks(&self.markers);
        let (_, marks) = ports.into_iter().find(|(port, _)| port == source)?;
        // Times of another boot say nothing here, its numbers do.
        let mark = marks.into_iter().find(|mark| mark.meter_id == *meter)?;
        let attempt = mark.attempt?;
        Some(Attempted {
            seq: attempt.seq.0,
            at: attempt.at,
            slot: mark.slot,
            reply_at: mark
                .reply
                .filter(|reply| reply.seq == attempt.seq)
                .map(|reply| reply.at),
        })
    }

    fn slots(&mut self, source: SourceId, schedule: ScheduleId, answer: Answer) {
        let Some(plan) = self.contract.schedules.get(&schedule) else {
            let text = format!("the contract has no schedule {schedule}");
            let _ = answer.try_send(Message::error(ErrorCode::Unknown, text));
            return;
        };
        let now = clock::mono();
        let (utc_next, anchor) = slots::next_due(plan, &self.time, now);
        let meters = self.contract.meters.values();
        let meters = meters.filter(|meter| meter.port == source && meter.schedule == schedule);
        let meters = meters.map(|meter| &meter.id);
        let start = self
            .ledger
            .start_schedule(&source, &schedule, meters, utc_next);
        if let Some((first, count)) = start.missed {
            let cause = if start.was_stopped {
                evidence::reasons::DowntimeCause::OrderlyStop
            } else {
                self.start.cause(self.alive.contains(&source))
            };
            let downtime = Downtime {
                at: now,
                schedule: schedule.clone(),
                first,
                count: Some(count),
                cause,
                source,
            };
            // Already in the ledger: only the entry is missing.
            let payload = downtime.into();
            self.staged.push((Captured::new(&payload), payload));
        }
        let slot = start.slot;
        let reply = SlotStart {
            schedule,
            version: slot.version,
            number: slot.number,
            anchor,
        };
        self.answers.push((answer, Pending::Ready(reply.into())));
    }

    fn take_time(
        &mut self,
        id: u64,
        statement: &Captured,
        journal: bool,
        events: Vec<Captured>,
        answer: Answer,
    ) {
        match statement.payload() {
            Ok(Payload::TimeMap(map)) => {
                self.time = map.clone();
                let offset = self.staged.len();
                if journal {
                    self.stage(map.into());
                }
                for event in events {
                    if let Ok(payload @ Payload::Event(_)) = event.payload() {
                        self.stats.time_steps += 1;
                        self.staged.push((event, payload));
                    }
                }
                let count = u64::try_from(self.staged.len() - offset).unwrap_or(0);
                self.answers
                    .push((answer, Pending::Accepted { id, offset, count }));
            }
            _ => self.refuse(id, RefuseReason::Kind, "not a sound TimeMap", &answer),
        }
    }

    fn report(&mut self, id: u64, event: Captured, answer: Answer) {
        let payload = match event.payload() {
            Ok(payload @ (Payload::Event(_) | Payload::Ack(_) | Payload::Audit(_))) => payload,
            Ok(other) => {
                let detail = format!("{} entries are not reports", other.kind().name());
                return self.refuse(id, RefuseReason::Kind, &detail, &answer);
            }
            Err(error) => {
                return self.refuse(id, RefuseReason::Encoding, &error.to_string(), &answer);
            }
        };
        if let Payload::Ack(ack) = &payload {
            if ack.size <= self.seal.cosigned_size {
                let known = Accepted {
                    submission_id: id,
                    first_commit: CommitId(0),
                    count: 0,
                };
                let _ = answer.try_send(known.into());
                return;
            }
            if let Err(error) = super::acks::check(self, ack) {
                return self.refuse(id, RefuseReason::Encoding, &error, &answer);
            }
            self.seal.cosigned_size = ack.size;
            self.journal.note_cosigned(ack.size);
            self.stats.cosigned_to(ack.size, clock::mono());
        }
        let offset = self.staged.len();
        self.staged.push((event, payload));
        self.answers.push((
            answer,
            Pending::Accepted {
                id,
                offset,
                count: 1,
            },
        ));
    }

    /// Names a loss once; several readers may meet it.
    fn lost(&mut self, loss: &journal::Loss) {
        if self.named_losses.insert((loss.first.0, loss.count)) {
            self.stats.lost += loss.count;
            self.stage(loss.payload(clock::mono()).into());
        }
    }

    fn stop(&mut self, answer: Answer) {
        self.event(EventCode::OrderlyStop, |_| {});
        self.stopping = Some(answer);
        self.seal.last_ns = 0;
    }

    /// Commits what the start staged, and the frozen state behind it.
    pub(super) fn begin_log(&mut self) -> Result<(), String> {
        self.commit_group()?;
        self.commit_group()
    }

    /// Makes the group durable, then answers (life of a record, steps 3 to 5).
    fn commit_group(&mut self) -> Result<(), String> {
        let mut first = CommitId(self.journal.size());
        if !self.staged.is_empty() {
            let staged = std::mem::take(&mut self.staged);
            first = self.commit_entries(&staged)?;
        }
        for (answer, pending) in self.answers.drain(..) {
            let message = match pending {
                Pending::Ready(message) => message,
                Pending::Accepted { id, offset, count } => Accepted {
                    submission_id: id,
                    first_commit: CommitId(first.0 + u64::try_from(offset).unwrap_or(0)),
                    count,
                }
                .into(),
            };
            let _ = answer.try_send(message);
        }
        Ok(())
    }

    fn commit_entries(&mut self, staged: &[(Captured, Payload)]) -> Result<CommitId, String> {
        let began = clock::mono();
        let stamped: Vec<_> = staged
            .iter()
            .map(|(captured, payload)| (self.time.evaluate(payload.at()), captured.clone()))
            .collect();
        let outcome =
            super::journal_file::commit_all(&mut self.journal, &stamped, &mut self.stats)?;
        let now = clock::mono();
        for (id, (_, payload)) in (outcome.first.0..).zip(staged) {
            if let Payload::Reading(reading) = payload {
                self.stats.reading_durable(id, reading.at, now);
            }
        }
        let latency_ns = now.since(began);
        self.stats
            .committed(u64::try_from(staged.len()).unwrap_or(0), latency_ns);
        self.seal.unsealed += u64::try_from(
            staged
                .iter()
                .filter(|(c, _)| !matches!(c.kind, Kind::Checkpoint | Kind::Ack))
                .count(),
        )
        .unwrap_or(0);
        self.feed.moved(self.journal.size());
        if outcome.rolled {
            self.freeze();
        }
        Ok(outcome.first)
    }

    /// The state that recovery needs, as the first entry of a new segment.
    fn freeze(&mut self) {
        let mut counters = self.ledger.freeze(&self.own);
        counters.push(super::startup::contract_counter(
            &self.own,
            &self.contract.digest(),
            self.contract_commit,
        ));
        self.staged.push({
            let payload = CounterSnapshot {
                at: clock::mono(),
                counters,
            }
            .into();
            (Captured::new(&payload), payload)
        });
    }

    /// Seals and counters whose time has come.
    fn maintain(&mut self) -> Result<(), String> {
        let now = clock::mono();
        if now.0.saturating_sub(self.counters_at) >= COUNTERS_EVERY_NS {
            self.counters_at = now.0;
            let counters = self.stats.counters(&self.own);
            self.stage(CounterSnapshot { at: now, counters }.into());
        }
        if !self.staged.is_empty() {
            self.commit_group()?;
        }
        if self.seal_due(now.0) {
            self.ask_for_seal(now.0);
        }
        Ok(())
    }

    fn seal_due(&self, now_ns: u64) -> bool {
        if self.seal.asked.is_some() || self.stop_answered {
            return false;
        }
        let cadence = self.contract.seal.every_ms * 1_000_000;
        let since = now_ns.saturating_sub(self.seal.last_ns);
        let idle = self.seal.unsealed == 0;
        let due = if idle {
            cadence * IDLE_SEAL_FACTOR
        } else {
            cadence
        };
        self.stopping.is_some()
            || since >= due
            || self.seal.unsealed >= self.contract.seal.entries_max
    }

    fn ask_for_seal(&mut self, now_ns: u64) {
        self.seal.last_ns = now_ns;
        let head = Head {
            origin: self.origin.clone(),
            size: self.journal.size(),
            root: Digest(self.journal.root().0),
        };
        self.seal.asked = Some(head.size);
        match self.heads.try_send(head) {
            Ok(()) => self.seal.unsealed = 0,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.seal.asked = None,
        }
    }

    fn sealed(&mut self, outcome: Result<Sealed, String>) {
        self.seal.asked = None;
        match outcome {
            Ok(sealed) => {
                if self.seal.missed > 0 {
                    let missed = std::mem::take(&mut self.seal.missed);
                    self.event(EventCode::SignerRecovered, |event| {
                        event.count = Some(missed)
                    });
                }
                self.stats.seals += 1;
                self.seal.sealed_size = sealed.head.size;
                self.seal.root = Some(sealed.head.root);
                self.seal.note = Some(sealed.note.clone());
                self.seal.custody = Some(sealed.custody);
                self.journal.note_sealed(sealed.head.size);
                self.stage(
                    Checkpoint {
                        at: clock::mono(),
                        size: sealed.head.size,
                        root: sealed.head.root,
                        note: sealed.note,
                        custody: sealed.custody,
                    }
                    .into(),
                );
            }
            Err(error) => {
                self.stats.seals_missed += 1;
                self.seal.missed += 1;
                if self.seal.missed == 1 {
                    self.event(EventCode::SignerUnavailable, |event| {
                        event.detail = Some(error)
                    });
                }
                self.seal.unsealed += 1;
            }
        }
        if let Some(answer) = self.stopping.clone().filter(|_| !self.stop_answered) {
            self.stop_answered = true;
            let head = self.head();
            self.answers.push((answer, Pending::Ready(head)));
        }
    }

    /// The meters of the contract, for the status.
    pub(super) fn meters(&self) -> impl Iterator<Item = &MeterId> {
        self.contract.meters.keys()
    }
}

fn bounded_sample(bytes: &[u8]) -> Blob {
    let len = bytes.len().min(evidence::limits::SAMPLE_BYTES_MAX);
    Blob::from(bytes.get(..len).unwrap_or_default())
}
