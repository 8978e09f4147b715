//! PLC modems, as the file of points lays them out.

use super::{PlanError, Reader};
use crate::points::modem::Modem;
use serde::Deserialize;
use toml::Spanned;

/// Where nothing is said: a good line. Its quality in tenths.
const RETRIES: i64 = 3;
const QUALITY: i64 = 215;
const SPREAD: i64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModemEntry {
    name: Spanned<String>,
    retries: Option<Spanned<i64>>,
    quality: Option<Spanned<i64>>,
    spread: Option<Spanned<i64>>,
}

impl Reader<'_> {
    pub(super) fn modem(&mut self, entry: &ModemEntry) -> Result<Modem, PlanError> {
        let retries = self.within(entry.retries.as_ref(), RETRIES, 0..=1_000)?;
        Ok(Modem {
            name: self.name(&entry.name)?,
            step: u32::try_from(retries).unwrap_or_default(),
            quality: (
                self.within(entry.quality.as_ref(), QUALITY, -10_000..=10_000)?,
                self.within(entry.spread.as_ref(), SPREAD, 0..=10_000)?,
            ),
        })
    }
}
