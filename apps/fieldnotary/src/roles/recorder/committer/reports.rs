//! Entries that processes report, and those that people add.

use super::requests::unsound;
use super::{Committer, Pending};
use crate::clock;
use crate::roles::recorder::booted;
use crate::roles::recorder::low_supplies::Told;
use crate::roles::recorder::work::Answer;
use crate::roles::recorder::{acks, intake, people};
use evidence::kinds::Attestation;
use evidence::reasons::{EventCode, RollbackWitness};
use evidence::{Captured, CommitId, Kind, Payload, PointId, SourceId};
use ipc::message::{CountStart, RefuseReason};
use std::sync::mpsc::SyncSender;
use trust_plane::{Claim, Quoted, quoted};

impl Committer {
    /// An entry of a process about itself, or of the uplink about what a collector answered.
    pub(super) fn report(&mut self, id: u64, event: Captured, answer: Answer) {
        let payload = match event.payload() {
            Ok(payload @ (Payload::Event(_) | Payload::Ack(_) | Payload::Audit(_))) => payload,
            Ok(payload @ (Payload::Timestamp(_) | Payload::TimestampFailed(_))) => payload,
            // What this node finds itself, nobody reports to it.
            Ok(Payload::Rollback(found)) if found.witness == RollbackWitness::Collector => {
                found.into()
            }
            Ok(other) => {
                let detail = format!("{} entries are not reports", other.kind().name());
                return self.reject_report(id, &unsound(&event, &detail), &answer);
            }
            Err(error) => {
                let detail = error.to_string();
                return self.reject_report(id, &unsound(&event, &detail), &answer);
            }
        };
        if let Payload::Ack(ack) = &payload {
            if ack.size <= self.seal.cosigned_size {
                return self.known(id, answer);
            }
            if let Err(error) = acks::check(self, ack) {
                return self.reject_report(id, &unsound(&event, &error), &answer);
            }
            self.seal.cosigned_size = ack.size;
            self.journal.note_cosigned(ack.size);
            let oldest = self.journal.oldest().0;
            self.given_up.cosigned_to(ack.size, oldest);
            self.seal.ack = Some(ack.clone());
            self.feed.gives_up(&self.given_up);
            self.stats.cosigned_to(ack.size, clock::mono());
        }
        self.take_report(id, event, payload, answer);
    }

    /// What the signer says of what was booted; the last seal before a stop holds everything, so nothing comes behind it. `taken` is
    /// whether it is of use.
    pub(super) fn booted(&mut self, told: booted::Told, taken: &SyncSender<bool>) {
        self.stats.signer.take_uses(&told.uses);
        // Its keys changed between its word and this entry, and behind the entry that says so theirs counts no more.
        let attestation = told.attestation.as_ref();
        let is_old = attestation.is_some_and(|told| self.is_of_keys_before(&told.note));
        let claim = Claim::Boot(&told.boot.capture);
        let holds = attestation.map_or(Ok(()), |told| self.holds(told, claim));
        let is_of_use = !is_old && holds.is_ok();
        // A thread that is gone needs no answer.
        let _ = taken.try_send(is_of_use);
        if let (false, Err(words)) = (is_old, holds)
            && self.known_keys.tells_of_unsigned()
        {
            eprintln!(
                "recorder: what the signer says of this boot did not go into the log: {words}; it is asked again behind each seal"
            );
        }
        let Ok(boot) = told.boot.payload() else {
            return;
        };
        if !is_of_use || self.stopping.is_some() {
            return;
        }
        self.stats.boot.observe(&boot);
        // As the signer captured it: that is what it signed.
        self.staged.push((told.boot, boot));
        if let Some(attestation) = told.attestation {
            self.stage(attestation.into());
        }
    }

    fn is_of_keys_before(&self, note: &str) -> bool {
        self.known_keys.is_of_before(note, &self.origin)
    }

    /// Whether the keys of the log signed a statement, and attested what it says that they did; as whoever verifies asks.
    fn holds(&self, told: &Attestation, claim: Claim<'_>) -> Result<(), String> {
        let text = claim.text(&self.origin);
        let authority = self.known_keys.signed(&told.note, &text, &self.origin)?;
        let (Some(attest), Some(signature)) = (&told.attest, &told.signature) else {
            return Ok(());
        };
        let quote = Quoted {
            attest: attest.0.clone(),
            signature: signature.0.clone(),
            pcrs: told.pcrs.clone(),
        };
        let held = quoted(&quote, &text, &authority);
        held.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The same of what was asked with a number.
    fn answers(&self, told: &Attestation) -> Result<(), String> {
        let nonce = told.nonce.as_ref();
        let nonce = nonce.ok_or("it has no number of whoever asked")?;
        self.holds(told, Claim::Attestation(&nonce.0))
    }

    /// What the signer attested to whoever asked.
    pub(super) fn attested(&mut self, entry: Captured, answer: Answer) {
        let payload = entry.payload();
        if let Ok(Payload::Attestation(told)) = &payload {
            if self.is_of_keys_before(&told.note) {
                let words = "the keys of the log changed meanwhile, and those of before attested: ask again";
                return self.refuse(0, RefuseReason::Keys, words, &answer);
            }
            if let Err(unsigned) = self.answers(told) {
                let words = format!(
                    "what answered at the signer's socket attested nothing with the keys of this log: {unsigned}; nothing of it went into the \
                     log; see who serves the socket, and start the signer that has these keys"
                );
                return self.refuse(0, RefuseReason::Keys, &words, &answer);
            }
        }
        match payload {
            Ok(payload) if self.stopping.is_none() => {
                self.stats.boot.observe(&payload);
                self.take_report(0, entry, payload, answer);
            }
            _ => self.refuse(
                0,
                RefuseReason::Stopping,
                "the node is being stopped",
                &answer,
            ),
        }
    }

    fn take_report(&mut self, id: u64, entry: Captured, payload: Payload, answer: Answer) {
        let offset = self.staged.len();
        self.rollback.observe(&payload);
        self.staged.push((entry, payload));
        self.answers.push((
            answer,
            Pending::Accepted {
                id,
                offset,
                count: 1,
            },
        ));
    }

    /// What a supply that is too low for writes met on the way to the medium; `waits`: entries that are not durable yet.
    pub(super) fn tell_of_low(&mut self, told: Option<Told>, waits: u64) {
        let sealed = self.seal.sealed_size;
        let durable = self.journal.size();
        let (code, count, detail) = match told {
            None => return,
            Some(Told::Low(supply)) => (
                EventCode::CommitInBrownout,
                waits,
                format!(
                    "{supply}: {durable} entries are durable, {waits} wait; sealed to {sealed}"
                ),
            ),
            Some(Told::Back {
                supply,
                entries,
                longest_ns,
            }) => (
                EventCode::CommitAfterBrownout,
                entries,
                format!(
                    "{supply} is over: {entries} entries became durable, the longest commit took {} ms",
                    longest_ns / 1_000_000
                ),
            ),
        };
        self.event(code, |event| {
            event.count = Some(count);
            event.detail = Some(detail);
        });
    }

    /// The highest count of a pulse meter that was ever committed.
    pub(super) fn count(&mut self, point: PointId, answer: Answer) {
        let count = self.ledger.count_of(&point);
        let known = CountStart { point, count };
        self.answers
            .push((answer, Pending::Ready(Box::new(known.into()))));
    }

    /// What the log has open about the outputs of a card, by what is committed.
    pub(super) fn outputs(&mut self, card: &SourceId, answer: Answer) {
        let from = CommitId(self.journal.size());
        let start = self.lately.operated().start(&self.contract, card, from);
        self.answers
            .push((answer, Pending::Ready(Box::new(start.into()))));
    }

    /// Which orders to set the clocks of a port's meters are open, by what is committed.
    pub(super) fn clocks(&mut self, port: &SourceId, answer: Answer) {
        let from = CommitId(self.journal.size());
        let start = self
            .lately
            .operated()
            .clocks()
            .start(&self.contract, port, from);
        self.answers
            .push((answer, Pending::Ready(Box::new(start.into()))));
    }

    /// What a person adds is refused where the kernel says that somebody else is asking.
    pub(super) fn person(&mut self, id: u64, uid: u32, entry: Captured, answer: Answer) {
        let checked = people::check(&entry, uid, clock::mono()).and_then(|payload| {
            if let Payload::SignOff(signed) = &payload {
                people::compares_a_state(&entry, signed, &self.contract)?;
                let found = self.committed(signed.reading);
                people::names_its_reading(&entry, signed, found.as_ref())?;
            }
            let asked = |kind: Kind| match kind {
                Kind::Command | Kind::Tag => Some(Kind::Command),
                Kind::ClockOrder => Some(kind),
                _ => None,
            };
            let same = |one: &&(_, Payload)| asked(one.1.kind()) == asked(payload.kind());
            let staged = self.staged.iter().filter(same).count();
            let operated = self.lately.operated();
            let judged = match &payload {
                Payload::KeyRotation(told) => self.rotations.may_tell(told),
                payload => operated.judge(&self.contract, payload, staged),
            };
            judged.map_err(|(reason, detail)| intake::Objection {
                reason,
                detail,
                sample: entry.capture.clone(),
            })?;
            Ok(payload)
        });
        match checked {
            Ok(payload) => {
                self.ledger.observe(&payload);
                self.rotations.observe(&payload);
                self.known_keys.observe(&payload);
                self.take_report(id, entry, payload, answer);
            }
            Err(objection) => {
                if objection.reason == RefuseReason::Actor {
                    // Whoever asks as somebody else has not been let in.
                    let refused = people::refused(&entry, uid, &objection, clock::mono());
                    self.stage(refused.into());
                }
                self.reject_report(id, &objection, &answer);
            }
        }
    }

    /// The payload of an entry that the log of this generation holds.
    fn committed(&self, id: CommitId) -> Option<Payload> {
        self.feed.with_reader(|reader| {
            // What cannot be looked up is not there for whoever names it.
            reader.refresh().ok()?;
            let stored = reader.entry(id)?.ok()?;
            stored.entry().ok()?.payload().ok()
        })
    }
}
