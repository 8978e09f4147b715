//! What the recorder knows of the meters themselves, and what it finds when it commits their records (U2, U6).

use super::Ledger;
use evidence::kinds::MeterLife;
use evidence::{MeterId, Payload, Stamp, UtcNs};
use ipc::message::{MissedSlot, MissedSlots};

impl Ledger {
    /// Sees the records of one submission, each with its stamp; what is found is committed with them.
    pub(crate) fn judge<'p>(
        &mut self,
        records: impl Iterator<Item = (&'p Payload, Stamp)>,
    ) -> Vec<MeterLife> {
        let Some(contract) = &self.contract else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (payload, stamp) in records {
            found.extend(self.life.take(contract, payload, &stamp));
        }
        found.extend(self.life.close(contract));
        found
    }

    /// Sees a record that was committed before this run: what it told is in the log.
    pub(crate) fn recall(&mut self, payload: &Payload, stamp: &Stamp) {
        if let Some(contract) = &self.contract {
            drop(self.life.take(contract, payload, stamp));
        }
    }

    /// The log was read to its end.
    pub(crate) fn recalled(&mut self) {
        if let Some(contract) = &self.contract {
            drop(self.life.close(contract));
        }
    }

    /// What leaves a slot without a reading, or fills it.
    pub(super) fn note_missed(&mut self, payload: &Payload) {
        if let Some(contract) = &self.contract {
            self.missed.observe(contract, payload);
        }
    }

    /// Slots of a meter that its memory may have by now.
    pub(crate) fn missed(&mut self, meter: MeterId, now: UtcNs) -> MissedSlots {
        let contract = self.contract.as_ref();
        let asked = contract.map(|contract| self.missed.ask(contract, &meter, now));
        let (slots, others) = asked.unwrap_or_default();
        let slots = slots.iter().map(|missed| MissedSlot {
            version: missed.slot.version,
            number: missed.slot.number,
            due: missed.due,
        });
        MissedSlots {
            meter,
            slots: slots.collect(),
            others,
        }
    }

    /// Whether a record says something that the log does not have: what fills a slot does so once.
    pub(crate) fn wants(&self, payload: &Payload) -> bool {
        match (payload, &self.contract) {
            (Payload::Backfill(filled), Some(contract)) => self.missed.owes(contract, filled),
            _ => true,
        }
    }
}
