//! The fault plan: read, checked, and turned into faults of meters and of lines.

mod kind;
mod of_points;
mod read;

#[cfg(test)]
pub(crate) use kind::KINDS;
pub(crate) use kind::Kind;

use crate::lines::LineFault;
use crate::noise::Noise;
use crate::points;
use crate::site::Site;
use crate::turns::Turns;
use crate::wrong;
use read::Reader;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;
use toml::Spanned;

/// What a plan orders, each list in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Of meters.
    pub(crate) faults: Vec<Fault>,
    /// Of lines.
    pub(crate) lines: Vec<LineFault>,
    /// Of a station's own points.
    pub(crate) points: points::Faults,
}

impl Plan {
    /// How many faults it orders.
    pub(crate) fn len(&self) -> usize {
        self.faults.len() + self.lines.len() + self.points.len()
    }
}

/// A fault of one meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Index into [`Site::meters`].
    pub(crate) meter: usize,
    pub(crate) kind: Kind,
    /// Counted from readiness.
    pub(crate) from: Duration,
    /// `None`: for good.
    pub(crate) until: Option<Duration>,
    /// Share of the requests it strikes; `None`: all.
    pub(crate) probability: Option<f64>,
}

impl Fault {
    /// It has begun and not ended, so long after readiness.
    fn lasts(&self, running: Duration) -> bool {
        self.from <= running && self.until.is_none_or(|until| running < until)
    }
}

/// The faults of a street, and the draws for them: apart from those of the meters, so that faults do not change readings.
#[derive(Debug)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    /// By place of the meter.
    noises: Vec<Noise>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64, meters: usize) -> Self {
        let noises = (1..).take(meters).map(|number| Noise::new(!seed, number));
        Self {
            faults,
            noises: noises.collect(),
        }
    }

    /// The first fault of the plan that strikes a meter so long after readiness.
    pub(crate) fn strike(&mut self, meter: usize, running_ns: u64) -> Option<Kind> {
        let running = Duration::from_nanos(running_ns);
        let noise = self.noises.get_mut(meter)?;
        let mut strikes = |fault: &&Fault| {
            fault.meter == meter
                && !matches!(fault.kind, Kind::Turn(_))
                && fault.lasts(running)
                && fault.probability.is_none_or(|share| noise.chance(share))
        };
        let fault = self.faults.iter().find(|fault| strikes(fault))?;
        Some(fault.kind)
    }

    /// What has become of a meter itself so long after readiness.
    pub(crate) fn turns(&self, meter: usize, running_ns: u64) -> Turns {
        let running = Duration::from_nanos(running_ns);
        let mut turns = Turns::default();
        for fault in self.faults.iter().filter(|fault| fault.meter == meter) {
            if let Kind::Turn(turn) = fault.kind {
                turns.add(turn, fault.lasts(running));
            }
        }
        turns
    }

    /// The draws of a meter.
    pub(crate) fn noise(&mut self, meter: usize) -> Option<&mut Noise> {
        self.noises.get_mut(meter)
    }
}

/// What is wrong with a plan, where, and what would be right.
#[derive(Debug)]
pub(crate) struct PlanError {
    line: usize,
    what: String,
    cure: String,
}

impl PlanError {
    /// What is wrong in a line of a file.
    pub(crate) fn new(line: usize, what: String, cure: &str) -> Self {
        Self {
            line,
            what,
            cure: cure.to_owned(),
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}; {}", self.line, self.what, self.cure)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    meter: Option<Spanned<String>>,
    port: Option<Spanned<String>>,
    point: Option<Spanned<String>>,
    device: Option<Spanned<String>>,
    supply: Option<Spanned<String>>,
    modem: Option<Spanned<String>>,
    marker: Option<Spanned<String>>,
    kind: Spanned<String>,
    from_s: Option<Spanned<f64>>,
    for_s: Option<Spanned<f64>>,
    delay_ms: Option<Spanned<u32>>,
    code: Option<Spanned<u8>>,
    probability: Option<Spanned<f64>>,
    as_unit: Option<Spanned<u8>>,
    ahead_s: Option<Spanned<i32>>,
    severity: Option<Spanned<f64>>,
    baud: Option<Spanned<u32>>,
    per_s: Option<Spanned<f64>>,
    every_s: Option<Spanned<f64>>,
    at_s: Option<Spanned<Vec<f64>>>,
    burst_ms: Option<Spanned<u32>>,
    beyond: Option<Spanned<u8>>,
    power_up_ms: Option<Spanned<u32>>,
    step_ms: Option<Spanned<u32>>,
    widths_us: Option<Spanned<Vec<(f64, f64, f64)>>>,
    bounces: Option<Spanned<u32>>,
    spread_ms: Option<Spanned<f64>>,
    edges: Option<Spanned<u32>>,
    raw: Option<Spanned<i64>>,
    by: Option<Spanned<i64>>,
    to_mv: Option<Spanned<i64>>,
    fall_ms: Option<Spanned<u32>>,
    retries: Option<Spanned<u32>>,
    less: Option<Spanned<i64>>,
}

/// What a plan orders.
pub(crate) fn parse(text: &str, site: &Site) -> Result<Plan, PlanError> {
    let file: File = wrong::read(text, "[[fault]]")?;
    let mut plan = Plan::default();
    for entry in &file.fault {
        let reader = Reader { text, site, entry };
        if let Some(fault) = reader.line()? {
            let name = fault.kind.name();
            let marker = reader.marker(name, fault.from, fault.until)?;
            plan.points.inputs.extend(marker);
            plan.lines.push(fault);
        } else if !reader.point(&mut plan.points)? {
            plan.faults.push(reader.read()?);
        }
    }
    Ok(plan)
}

/// The line of a place in a text, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
