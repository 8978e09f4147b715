//! Gap accounting (A4.3, A4.6): every due reading that is missing, with its number, its slot, its class
//! and the entry that explains it.
//!
//! Entries are shown in order of commit; the report is then drawn up from what they established.

mod cover;
mod draw;
mod filter;
mod ledger;
mod report;
#[cfg(test)]
mod tests;

pub use filter::{GapFilter, utc};
pub use report::{GapReport, MeterSummary, Missing, SeqFinding};

use contract::Contract;
use evidence::kinds::Configuration;
use evidence::{CommitId, Entry, EntryId, MeterId, Payload};
use ledger::Account;

/// Collects what entries say of due slots, sessions and gaps.
#[derive(Debug, Default)]
pub struct GapAccount {
    account: Account,
    parts: Vec<Configuration>,
    /// Commit ids named by LOSS entries, as (first, count, the entry that names them).
    losses: Vec<(CommitId, u64, EntryId)>,
    /// The first entry seen: what came before it has left the log.
    first: Option<EntryId>,
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
        self.first.get_or_insert(id);
        match payload {
            Payload::Configuration(part) => self.observe_configuration(part),
            Payload::Reading(reading) => self.account.reading(id, &reading),
            Payload::AttemptFailed(failed) => self.account.attempt(id, failed),
            Payload::Marker(marker) => self.account.marker(id, marker),
            Payload::Downtime(downtime) => self.account.downtime(id, downtime),
            Payload::SeqSkip(skip) => self.account.skip(&skip),
            Payload::Loss(loss) => self.losses.push((loss.first, loss.count, id)),
            Payload::CounterSnapshot(snapshot) => self.account.resume(id, &snapshot),
            Payload::Event(_)
            | Payload::Audit(_)
            | Payload::Checkpoint(_)
            | Payload::Ack(_)
            | Payload::EpochStart(_)
            | Payload::TimeMap(_)
            | Payload::Probe(_) => {}
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

    /// Whether any entry expected readings of this meter.
    #[must_use]
    pub fn knows(&self, meter: &MeterId) -> bool {
        self.account.knows(meter)
    }

    /// The report over everything shown so far.
    #[must_use]
    pub fn report(&self) -> GapReport {
        self.report_on(&GapFilter::default())
    }

    /// The report over a part of what was shown so far.
    #[must_use]
    pub fn report_on(&self, filter: &GapFilter) -> GapReport {
        let mut report = draw::draw(&self.account, &self.losses, filter);
        report.begins = self.first;
        report
    }
}
