//! Supplies, as the file of points lays them out.

use super::{PlanError, Reader};
use crate::points::course::Swing;
use crate::points::supply::Supply;
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::Spanned;

/// Where nothing is said: a battery of 12 V.
const MV: i64 = 12_000;
const RIPPLE_MV: i64 = 50;
const PERIOD_S: f64 = 1.0;
const STEP_MS: i64 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplyEntry {
    name: Spanned<String>,
    mv: Option<Spanned<i64>>,
    ripple_mv: Option<Spanned<i64>>,
    period_s: Option<Spanned<f64>>,
    step_ms: Option<Spanned<i64>>,
}

impl Reader<'_> {
    pub(super) fn supply(&mut self, entry: &SupplyEntry) -> Result<Supply, PlanError> {
        let step_ms = self.within(entry.step_ms.as_ref(), STEP_MS, 10..=60_000)?;
        Ok(Supply {
            name: self.name(&entry.name)?,
            swing: Swing {
                mean: self.within(entry.mv.as_ref(), MV, 1..=1_000_000)?,
                swing: self.within(entry.ripple_mv.as_ref(), RIPPLE_MV, 0..=1_000_000)?,
                period: self.period(entry.period_s.as_ref(), PERIOD_S)?,
            },
            step: Duration::from_millis(step_ms.unsigned_abs()),
        })
    }

    pub(super) fn within(
        &self,
        key: Option<&Spanned<i64>>,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> Result<i64, PlanError> {
        match key.map(|at| (at, *at.get_ref())) {
            Some((at, value)) if !range.contains(&value) => {
                let cure = format!("give {} to {}", range.start(), range.end());
                Err(self.error(at, format!("{value} is out of range"), &cure))
            }
            other => Ok(other.map_or(default, |(_, value)| value)),
        }
    }
}
