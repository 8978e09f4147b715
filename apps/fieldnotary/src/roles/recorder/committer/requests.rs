//! What connected processes ask for: submissions, leases, slots, time, reports.

use super::{Committer, Pending};
use crate::clock;
use crate::roles::recorder::work::Answer;
use crate::roles::recorder::{intake, ledger, slots};
use evidence::kinds::TimeMap;
use evidence::kinds::{Downtime, Marker};
use evidence::reasons::{DowntimeCause, EventCode, MarkerKind, TimeQuality};
use evidence::{
    Blob, Captured, CommitId, MeterId, Payload, ScheduleId, Seq, SourceId, Stream, UtcNs,
};
use ipc::message::{
    Accepted, ErrorCode, Leased, Message, NoteText, RefuseReason, Refused, SlotStart, Welcome,
};
use ledger::{Attempted, Missed, Verdict};
use media::MarkFinding;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Committer {
    pub(super) fn welcome(&self) -> Message {
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
            newest_utc: self.newest_utc,
            statement: self.last_statement().map(|map| Captured::new(&map.into())),
            ran_in_this_boot: self.earlier.ran() || self.time.is_stated(),
            boot_to_stable_ns: self.boot_to_stable_ns(),
            node_was_away: !self.time.is_stated(),
        }
        .into()
    }

    /// When SYNCED was claimed first in this boot: by what the time process says, or by the log.
    pub(in crate::roles::recorder) fn boot_to_stable_ns(&self) -> Option<u64> {
        let told = self.stats.time.boot_to_stable_ns();
        told.or(self.earlier.boot_to_stable_ns())
    }

    /// The latest UTC that a SYNCED stamp has had.
    pub(in crate::roles::recorder) fn newest_synced(&self) -> UtcNs {
        let now = self.time.newest().evaluate(clock::mono());
        match now.quality {
            TimeQuality::Synced => self.newest_synced.max(now.timestamp),
            TimeQuality::RtcOnly | TimeQuality::Holdover => self.newest_synced,
        }
    }

    /// The last TimeMap of this boot: of this run, or of the log.
    fn last_statement(&self) -> Option<TimeMap> {
        match self.time.is_stated() {
            true => Some(self.time.newest().clone()),
            false => self.earlier.last_statement(),
        }
    }

    pub(super) fn head(&self) -> Message {
        ipc::message::Head {
            size: self.seal.sealed_size,
            note: self.seal.note.clone().map(NoteText),
            cosigned_size: self.seal.cosigned_size,
            witnessed_size: self.seal.cosigned_size,
        }
        .into()
    }

    pub(super) fn submit(
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
        match intake::check(
            stream,
            seq,
            self.contract_commit,
            &self.contract.points,
            records,
        ) {
            Ok(_) if seq.is_some_and(|seq| self.ledger.verdict(stream, seq) == Verdict::Known) => {
                self.stats.known_again += 1;
                self.known(id, answer);
            }
            Ok(sound) => {
                let mut sound = sound;
                sound.records.retain(|(_, one)| self.wants(one));
                if sound.records.is_empty() {
                    self.stats.known_again += 1;
                    return self.known(id, answer);
                }
                let offset = self.staged.len();
                let records = sound.records.iter();
                let stamped = records.map(|(_, one)| (one, self.time.stamp(one.at())));
                let found = self.ledger.judge(stamped);
                for (captured, payload) in sound.records {
                    self.stage_record(captured, payload);
                }
                // In the same frame, so that no reading is without what it tells of its meter.
                found.into_iter().for_each(|one| self.stage(one.into()));
                let count = u64::try_from(self.staged.len() - offset).unwrap_or(u64::MAX);
                self.answers
                    .push((answer, Pending::Accepted { id, offset, count }));
            }
            Err(objection) => {
                self.reject(source, seq, &objection);
                self.refuse(id, objection.reason, &objection.detail, &answer);
            }
        }
    }

    /// Whether a record says something that the log does not have, where its number does not tell.
    fn wants(&self, payload: &Payload) -> bool {
        match payload {
            Payload::ClockSet(set) => {
                let same = |one: &(_, Payload)| matches!(&one.1, Payload::ClockSet(staged) if staged.order == set.order);
                self.lately.operated().clocks().is_open(set.order) && !self.staged.iter().any(same)
            }
            other => self.ledger.wants(other),
        }
    }

    /// Says that this was taken before. It may lie in the very group that is gathered, so the answer
    /// waits for the group like all others.
    pub(super) fn known(&mut self, id: u64, answer: Answer) {
        let known = Accepted {
            submission_id: id,
            first_commit: CommitId(0),
            count: 0,
        };
        self.answers
            .push((answer, Pending::Ready(Box::new(known.into()))));
    }

    /// Counts what is refused and keeps a sample of it (A4.1).
    fn reject(&mut self, source: &SourceId, seq: Option<Seq>, objection: &intake::Objection) {
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
    }

    /// The same of an entry that a plane beside capture hands in.
    pub(super) fn reject_report(
        &mut self,
        id: u64,
        objection: &intake::Objection,
        answer: &Answer,
    ) {
        let own = self.own.clone();
        self.reject(&own, None, objection);
        self.refuse(id, objection.reason, &objection.detail, answer);
    }

    pub(super) fn refuse(&self, id: u64, reason: RefuseReason, detail: &str, answer: &Answer) {
        let refused = Refused {
            submission_id: id,
            reason,
            detail: detail.to_owned(),
        };
        let _ = answer.try_send(refused.into());
    }

    pub(super) fn lease(
        &mut self,
        source: &SourceId,
        stream: &Stream,
        fresh: bool,
        answer: Answer,
    ) {
        if !ledger::has_stream(&self.contract, stream) {
            let why = format!("the contract has no {stream}");
            let _ = answer.try_send(Message::error(ErrorCode::Invalid, why));
            return;
        }
        let lease = if fresh {
            let attempted = match (stream, self.attempted()) {
                (Stream::Port(_), _) => None,
                (Stream::Meter(meter), Ok(known)) => known.get(meter).copied(),
                (Stream::Meter(_), Err(why)) => {
                    let _ = answer.try_send(Message::error(ErrorCode::Unavailable, why));
                    return;
                }
            };
            let (lease, entries) = self
                .ledger
                .restart(stream, source, attempted, clock::mono());
            self.stage_closed(entries);
            lease
        } else {
            self.ledger.extend(stream)
        };
        self.leases_due = true;
        let leased = Leased {
            stream: stream.to_string(),
            next: lease.next,
            end: lease.end,
        };
        self.answers
            .push((answer, Pending::Ready(Box::new(leased.into()))));
    }

    /// Makes the leases of a group durable before they leave: a number is never handed out twice (A4.2).
    pub(super) fn store_leases(&mut self) -> Result<(), String> {
        self.attempted = None;
        if !std::mem::take(&mut self.leases_due) {
            return Ok(());
        }
        self.journal
            .store_leases(crate::roles::recorder::journal_file::leases(&self.ledger))
            .map_err(|error| format!("the lease table could not be written: {error}"))
    }

    /// What the poll marker boards know of the meters (A4.8). A meter that changed its port is on both
    /// boards; its highest number counts.
    ///
    /// A board that cannot be read tells nothing: that nothing was attempted would be an invention. They are read once
    /// for all requests of a group: who asks attempts nothing before it has its numbers, and who was there before it
    /// had ended when it said Hello.
    pub(super) fn attempted(&mut self) -> Result<Arc<BTreeMap<MeterId, Attempted>>, String> {
        if let Some(known) = &self.attempted {
            return Ok(known.clone());
        }
        let mut known: BTreeMap<MeterId, Attempted> = BTreeMap::new();
        let (ports, findings) = media::read_marks(&self.markers);
        for finding in findings {
            if let MarkFinding::FileUnreadable { file, why } = finding {
                return Err(format!("the poll marker board {file}: {why}"));
            }
        }
        for mark in ports.into_iter().flat_map(|(_, marks)| marks) {
            // Times of another boot say nothing here, its numbers do.
            let Some(attempt) = mark.attempt else {
                continue;
            };
            let reply = mark.reply.filter(|reply| reply.seq == attempt.seq);
            let attempted = Attempted {
                seq: attempt.seq.0,
                at: attempt.at,
                slot: mark.slot,
                reply_at: reply.map(|reply| reply.at),
            };
            let before = known.get(&mark.meter_id);
            if before.is_none_or(|before| before.seq < attempted.seq) {
                known.insert(mark.meter_id, attempted);
            }
        }
        let known = Arc::new(known);
        self.attempted = Some(known.clone());
        Ok(known)
    }

    pub(super) fn slots(&mut self, source: SourceId, schedule: ScheduleId, answer: Answer) {
        let known = match self.attempted() {
            Ok(known) => known,
            Err(why) => {
                let _ = answer.try_send(Message::error(ErrorCode::Unavailable, why));
                return;
            }
        };
        let Some(plan) = self.contract.schedules.get(&schedule) else {
            let text = format!("the contract has no schedule {schedule}");
            let _ = answer.try_send(Message::error(ErrorCode::Unknown, text));
            return;
        };
        let now = clock::mono();
        let (_, anchor) = slots::next_due(plan, self.time.newest(), now);
        let utc = self.time.newest().utc_of(now);
        let attempted = |meter: &MeterId| known.get(meter).copied();
        let ended = self.ledger.end_dropped(utc, &attempted);
        let meters = ledger::meters_on(&self.contract, &source, &schedule);
        let start = self
            .ledger
            .start_schedule(&source, plan, meters, utc, &attempted);
        for end in ended {
            let stop = Marker {
                at: now,
                marker: MarkerKind::ScheduleStop,
                source: end.source.clone(),
                schedule: Some(end.schedule.clone()),
                slot: Some(end.last),
                meter_id: None,
                seq: None,
                count: None,
                last_attempt: None,
                last_reply: None,
            };
            let cause = self.start.cause(false, self.held);
            self.stage_missed(&end.source, &end.schedule, cause, end.missed);
            self.stage(stop.into());
        }
        let seen_before = start.again || self.alive.contains(&source);
        let cause = self.start.cause(seen_before, self.held);
        self.stage_missed(&source, &schedule, cause, start.missed);
        let slot = start.slot;
        let reply = SlotStart {
            schedule,
            version: slot.version,
            number: slot.number,
            anchor,
        };
        self.answers
            .push((answer, Pending::Ready(Box::new(reply.into()))));
    }

    /// Where people work: with the group, so that what was said before is durable when it is answered.
    pub(super) fn under_way(&mut self, answer: Answer) {
        let told = self.ledger.work_under_way();
        self.answers
            .push((answer, Pending::Ready(Box::new(told.into()))));
    }

    /// Slots of every schedule that nobody served until now, with why. A board that cannot be read leaves them to the next start
    /// of capture.
    pub(in crate::roles::recorder) fn missed_until_now(&mut self, cause: DowntimeCause) {
        let Ok(known) = self.attempted() else { return };
        let utc = self.time.newest().utc_of(clock::mono());
        let attempted = |meter: &MeterId| known.get(meter).copied();
        for (source, schedule) in self.ledger.numbered() {
            let Some(plan) = self.contract.schedules.get(&schedule) else {
                continue;
            };
            let meters = ledger::meters_on(&self.contract, &source, &schedule);
            let missed = self
                .ledger
                .missed_so_far(&source, plan, meters, utc, &attempted);
            self.stage_missed(&source, &schedule, cause, missed);
        }
    }

    fn stage_missed(
        &mut self,
        source: &SourceId,
        schedule: &ScheduleId,
        cause: DowntimeCause,
        missed: Vec<Missed>,
    ) {
        for run in missed {
            let downtime = Downtime {
                at: clock::mono(),
                schedule: schedule.clone(),
                first: run.first,
                count: Some(run.count),
                cause,
                source: source.clone(),
                meter_id: run.meter,
            };
            self.stage(downtime.into());
        }
    }

    pub(super) fn take_time(
        &mut self,
        id: u64,
        statement: &Captured,
        journal: bool,
        events: Vec<Captured>,
        answer: Answer,
    ) {
        match statement.payload() {
            Ok(Payload::TimeMap(map)) => {
                self.time.note(map.clone());
                self.stats.time.map(&map);
                self.missed_before_the_block();
                let offset = self.staged.len();
                // The time process does not know that its last word was to another recorder.
                let is_due = journal || !std::mem::replace(&mut self.time_noted, true);
                if is_due && !self.earlier.has_map(&map) {
                    self.stage(map.into());
                }
                for event in events {
                    let sound = event.payload();
                    if let Ok(Payload::Event(told)) = sound {
                        // The recorder before this one committed it, and had no time to say so.
                        if self.earlier.has(&told) {
                            continue;
                        }
                        self.stats.time.event(&told);
                        self.staged.push((event, told.into()));
                    } else {
                        let own = self.own.clone();
                        self.reject(&own, None, &unsound(&event, "no event of the time plane"));
                    }
                }
                let count = u64::try_from(self.staged.len() - offset).unwrap_or(0);
                self.answers
                    .push((answer, Pending::Accepted { id, offset, count }));
            }
            _ => self.refuse(id, RefuseReason::Kind, "not a sound TimeMap", &answer),
        }
    }

    /// What the time process counts is in the recorder's next snapshot.
    pub(super) fn take_counters(&mut self, source: &SourceId, counters: &Captured) {
        match counters.payload() {
            Ok(Payload::CounterSnapshot(told)) => self.stats.time.told(told, source),
            _ => self.reject(source, None, &unsound(counters, "no counters")),
        }
    }

    /// Names a loss once; several readers may meet it.
    pub(super) fn lost(&mut self, loss: &journal::Loss) {
        if self.named_losses.insert((loss.first.0, loss.count)) {
            self.stats.lost += loss.count;
            self.stage(loss.payload(clock::mono()).into());
        }
    }
}

pub(super) fn unsound(event: &Captured, detail: &str) -> intake::Objection {
    intake::Objection {
        reason: RefuseReason::Encoding,
        detail: detail.to_owned(),
        sample: event.capture.clone(),
    }
}

fn bounded_sample(bytes: &[u8]) -> Blob {
    let len = bytes.len().min(evidence::limits::SAMPLE_BYTES_MAX);
    Blob::from(bytes.get(..len).unwrap_or_default())
}
