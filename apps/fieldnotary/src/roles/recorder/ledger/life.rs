//! What the recorder knows of the meters themselves, and what it finds when it commits their records (U2, U6).

use super::Ledger;
use evidence::kinds::MeterLife;
use evidence::{Payload, Stamp};

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
}
