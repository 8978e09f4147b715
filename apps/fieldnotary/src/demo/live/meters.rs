//! The meters of the live view: as many columns as the terminal has room for.

use super::Sight;
use crate::demo::plan::Fault;
use crate::demo::text::{columns, fitted};
use crate::demo::watch::MeterView;

/// What a column shows of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Meter,
    Port,
    Quality,
    Seq,
    Energy,
    Power,
    Voltage,
    Read,
    Failed,
    /// The last failure and, in words, what the street does.
    Doing,
    /// The last failure alone.
    Cause,
}

use Column::{Cause, Doing, Energy, Failed, Meter, Port, Power, Quality, Read, Seq, Voltage};

/// From wide to narrow; the first that fits is shown. The second fits 80 characters.
const LAYOUTS: [&[Column]; 4] = [
    &[
        Meter, Port, Quality, Seq, Energy, Power, Voltage, Read, Failed, Doing,
    ],
    &[Meter, Port, Quality, Energy, Power, Read, Failed, Cause],
    &[Meter, Quality, Energy, Read, Failed, Cause],
    &[Meter, Quality, Read, Failed],
];

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::Port => "port",
            Self::Quality => "quality",
            Self::Seq => "seq",
            Self::Energy => "energy Wh",
            Self::Power => "power W",
            Self::Voltage => "voltage V",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Doing | Self::Cause => "last failure",
        }
    }

    fn cell(self, name: &str, meter: &MeterView, fault: Option<&Fault>) -> String {
        let value = |point: &str| meter.values.get(point).cloned();
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        match self {
            Self::Meter => name.to_owned(),
            Self::Port => meter.port.clone(),
            Self::Quality => meter.quality.clone(),
            Self::Seq => meter.seq.to_string(),
            Self::Energy => or_none(value("energy")),
            Self::Power => or_none(value("power")),
            Self::Voltage => or_none(value("voltage")),
            Self::Read => meter.sessions_read.to_string(),
            Self::Failed => meter.attempts_failed.to_string(),
            Self::Doing => match (meter.last_failure, fault) {
                (Some(cause), Some(fault)) => format!("{cause} ({})", fault.ailment.words()),
                (cause, _) => cause.unwrap_or_default().to_owned(),
            },
            Self::Cause => meter.last_failure.unwrap_or_default().to_owned(),
        }
    }
}

/// The fault behind a meter's last failure.
fn fault<'a>(sight: &Sight<'a>, name: &str, meter: &MeterView) -> Option<&'a Fault> {
    let cause = meter.last_failure?;
    let mut faults = sight.plan.faults.iter();
    faults.find(|fault| fault.meter == name && fault.ailment.shows_as(cause))
}

/// The table, and under it in words what its columns have no room for.
pub(super) fn table(sight: &Sight<'_>, width: usize) -> Vec<String> {
    let laid_out = LAYOUTS.map(|layout| (layout, columns(&rows(sight, layout))));
    let fits = |lines: &[String]| lines.iter().all(|line| line.chars().count() <= width);
    let narrowest = LAYOUTS.len() - 1;
    let place = laid_out.iter().position(|(_, lines)| fits(lines));
    let chosen = laid_out.into_iter().nth(place.unwrap_or(narrowest));
    let Some((layout, mut lines)) = chosen else {
        return Vec::new();
    };
    if !layout.contains(&Doing) {
        lines.extend(doings(sight, width));
    }
    lines
}

fn rows(sight: &Sight<'_>, layout: &[Column]) -> Vec<Vec<String>> {
    let titles = layout.iter().map(|column| column.title().to_owned());
    let mut rows = vec![titles.collect()];
    for (name, meter) in &sight.watch.meters {
        let fault = fault(sight, name, meter);
        let cells = layout.iter().map(|column| column.cell(name, meter, fault));
        rows.push(cells.collect());
    }
    rows
}

fn doings(sight: &Sight<'_>, width: usize) -> Vec<String> {
    let meters = sight.watch.meters.iter();
    let doing = |(name, meter): (&String, &MeterView)| {
        let fault = fault(sight, name, meter)?;
        Some(format!("{name}: {}", fault.ailment.words()))
    };
    let doings: Vec<String> = meters.filter_map(doing).collect();
    match doings.is_empty() {
        true => Vec::new(),
        false => fitted(&format!("  {}", doings.join("; ")), width),
    }
}
