//! Gap accounting (A4.3, A4.6): every due reading that is missing, with its number, its slot, its class
//! and the entry that explains it.
//!
//! Entries are shown in order of commit; the report is then drawn up from what they established.

mod absent;
mod cards;
mod cover;
mod draw;
mod filled;
mod filter;
mod handed;
mod ledger;
mod parted;
mod report;
#[cfg(test)]
mod tests;

pub use filter::{GapFilter, utc};
pub use report::{GapReport, MeterSummary, Missing, SeqFinding};

use contract::Contract;
use evidence::kinds::{Configuration, Predecessor};
use evidence::{CommitId, Entry, EntryId, Generation, MeterId, Payload};
use ledger::Account;
use std::collections::BTreeSet;

/// Collects what entries say of due slots, sessions and gaps.
#[derive(Debug, Default)]
pub struct GapAccount {
    account: Account,
    parts: Vec<Configuration>,
    /// Commit ids named by LOSS entries, as (first, count, the entry that names them).
    losses: Vec<(CommitId, u64, EntryId)>,
    /// The first entry seen: what came before it has left the log.
    frozen: evidence::frozen::Parts,
    absent: absent::Absent,
    first: Option<EntryId>,
    /// The generation of the newest entry seen.
    generation: Option<Generation>,
    /// What generations name as the log before them.
    predecessors: Vec<(Generation, Predecessor)>,
}

impl GapAccount {
    /// An empty account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one committed entry; damaged records are skipped, verification names them.
    pub fn observe(&mut self, entry: &Entry) {
        let Ok(payload) = entry.payload() else { return };
        let id = entry.header.id();
        if self.first.is_some() && self.generation != Some(id.generation) {
            self.account.entered(id);
        }
        self.generation = Some(id.generation);
        self.first.get_or_insert(id);
        self.absent.see(id);
        match payload {
            Payload::Configuration(part) => self.observe_configuration(part),
            Payload::Reading(reading) => self.account.reading(id, &reading),
            Payload::Opaque(opaque) => self.account.opaque(id, &opaque),
            Payload::AttemptFailed(failed) => self.account.attempt(id, failed),
            Payload::Backfill(filled) => self.account.backfill(id, filled),
            Payload::Marker(marker) => self.account.marker(id, marker),
            Payload::Downtime(downtime) => self.account.downtime(id, downtime),
            Payload::SeqSkip(skip) => self.account.skip(id, &skip),
            Payload::Loss(loss) => self.losses.push((loss.first, loss.count, id)),
            Payload::CounterSnapshot(snapshot) => {
                if let Some(state) = self.frozen.take(&snapshot) {
                    self.account.hand_over(id, &state);
                    self.account.resume(id, &state);
                }
            }
            Payload::EpochStart(epoch) => {
                if let Some(before) = epoch.predecessor {
                    self.account.adopted(id);
                    self.predecessors.push((id.generation, before));
                }
            }
            Payload::Soe(soe) => self.account.soe(id, &soe),
            Payload::PulseCount(pulse) => self.account.pulse(id, &pulse),
            Payload::Analog(analog) => self.account.analog(id, &analog),
            Payload::ModemReport(report) => self.account.modem(id, &report),
            Payload::Excursion(one) => self.account.record(id, &one.source, one.seq),
            Payload::ResetReason(one) => self.account.record(id, &one.source, one.seq),
            Payload::Output(output) => self.account.output(id, &output),
            Payload::Event(_)
            | Payload::Audit(_)
            | Payload::Checkpoint(_)
            | Payload::Ack(_)
            | Payload::TimeMap(_)
            | Payload::MeterReport(_)
            | Payload::Probe(_)
            | Payload::Maintenance(_)
            | Payload::SignOff(_)
            | Payload::Wiring(_)
            | Payload::KeyStore(_)
            | Payload::Binding(_)
            | Payload::Unsealed(_)
            | Payload::Unkept(_)
            | Payload::Calibration(_)
            | Payload::Firmware(_)
            | Payload::Rollback(_)
            | Payload::KeyUse(_)
            | Payload::Boot(_)
            | Payload::Attestation(_)
            | Payload::Enrolment(_)
            | Payload::Revocation(_)
            | Payload::Timestamp(_)
            | Payload::TimestampFailed(_)
            | Payload::KeyRotation(_)
            | Payload::MeterLife(_)
            | Payload::Command(_)
            | Payload::ClockOrder(_)
            | Payload::ClockSet(_)
            | Payload::Tag(_) => {}
        }
    }

    fn observe_configuration(&mut self, part: Configuration) {
        if part.part == 0 {
            self.parts.clear();
        }
        let complete = part.part.saturating_add(1) == part.parts;
        self.parts.push(part);
        if complete {
            if let Ok(contract) = Contract::from_parts(&self.parts) {
                self.account.configure(contract);
            }
            self.parts.clear();
        }
    }

    /// The meters, and cards of the station's own points, of which any entry expected readings.
    #[must_use]
    pub fn meters(&self) -> BTreeSet<&MeterId> {
        self.account.meters()
    }

    /// The cards.
    #[must_use]
    pub fn cards(&self) -> BTreeSet<MeterId> {
        self.account.cards()
    }

    /// The generations seen that name a predecessor.
    pub fn predecessors(&self) -> impl Iterator<Item = &(Generation, Predecessor)> {
        self.predecessors.iter()
    }

    /// Notes that the predecessor of a generation was not seen to the end that is named: what it accounts
    /// for is missing here, and the entry that names it explains that.
    pub fn predecessor_not_held(&mut self, generation: Generation) {
        self.account.not_held.insert(generation);
    }

    /// The report over everything shown so far.
    #[must_use]
    pub fn report(&self) -> GapReport {
        self.report_on(&GapFilter::default())
    }

    /// The report over a part of what was shown so far.
    #[must_use]
    pub fn report_on(&self, filter: &GapFilter) -> GapReport {
        let gone = self.absent.of(&self.losses);
        let mut report = draw::draw(&self.account, &gone, filter);
        let counts = gone.ranges.iter().map(|(_, count, _)| *count);
        report.lost_entries = counts.fold(0, u64::saturating_add);
        report.begins = self.first;
        report.cards = self.account.cards();
        report
    }
}
