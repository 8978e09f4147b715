//! Observations as text that a person can read, and the probe that replays them.
//!
//! A recording begins with a line that names its format. Each observation is a line that begins with its
//! monotonic time in seconds and the source; ports and sources follow it, indented. Fields are
//! `name=value`, in any order; times and intervals of nanoseconds are decimal seconds where they are
//! points in time, and whole numbers with their unit in the name elsewhere. A line that begins with `#`
//! is a remark.

mod daemons;
mod fields;
mod words;

use crate::limits::RECORDING_BYTES_MAX;
use crate::probe::Probe;
use evidence::{MonoNs, UtcNs};
use fields::{Fields, Line};
use std::fmt;
use time_plane::reading::{
    CardClockReading, Fault, Observation, OfferedSample, Reading, RtcReading, RtcVoltage,
    SourceKind,
};

/// The first line.
const HEAD: &str = "fieldnotary time recording 1";

/// What cannot be read in a recording, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for RecordingError {}

/// Writes observations as a recording.
#[must_use]
pub fn write(observations: &[Observation]) -> String {
    let mut text = format!("{HEAD}\n");
    for observation in observations {
        append(&mut text, observation);
    }
    text
}

/// Appends one observation to a recording.
pub fn append(text: &mut String, observation: &Observation) {
    let mut line = Line::new(fields::seconds(i128::from(observation.at.0)));
    line.word(words::SOURCES.name(observation.source));
    let mut below = Vec::new();
    match &observation.outcome {
        Err(fault) => write_fault(&mut line, fault),
        Ok(Reading::Ptp(reading)) => below = daemons::write_ptp(&mut line, reading),
        Ok(Reading::Chrony(reading)) => below = daemons::write_chrony(&mut line, reading),
        Ok(Reading::Rtc(reading)) => write_rtc(&mut line, reading),
        Ok(Reading::Thermal { millidegrees_c }) => line.field("millidegrees_c", millidegrees_c),
        Ok(Reading::CardClock(reading)) => write_card(&mut line, reading),
        Ok(Reading::Offered(sample)) => write_offered(&mut line, sample),
    }
    for line in std::iter::once(line).chain(below) {
        text.push_str(line.text());
        text.push('\n');
    }
}

fn write_fault(line: &mut Line, fault: &Fault) {
    line.word("fault");
    line.word(words::fault_name(fault));
    match fault {
        Fault::OwnEnd(what) => line.text_field("what", what),
        Fault::Malformed(what) | Fault::Unsupported(what) => line.text_field("what", what),
        Fault::Absent | Fault::Stale | Fault::Denied | Fault::Stranger | Fault::Silent => {}
    }
}

fn write_rtc(line: &mut Line, reading: &RtcReading) {
    line.field("utc", fields::seconds(i128::from(reading.utc.0)));
    line.field("read_uncertainty_ns", reading.read_uncertainty_ns);
    if let Some(voltage) = reading.voltage {
        line.field("voltage", words::voltage_letters(voltage));
    }
}

fn write_card(line: &mut Line, reading: &CardClockReading) {
    line.field("index", reading.index);
    line.field("difference_ns", reading.difference_ns);
    line.field("read_uncertainty_ns", reading.read_uncertainty_ns);
    line.field("utc", fields::seconds(i128::from(reading.utc.0)));
}

fn write_offered(line: &mut Line, sample: &OfferedSample) {
    line.text_field("from", &sample.from);
    line.field("utc", fields::seconds(i128::from(sample.utc.0)));
    line.field("uncertainty_ns", sample.uncertainty_ns);
}

/// Reads a recording.
///
/// # Errors
///
/// The first line that cannot be read, and why.
pub fn read(text: &str) -> Result<Vec<Observation>, RecordingError> {
    let error = |line: usize, what: String| RecordingError { line, what };
    if text.len() > RECORDING_BYTES_MAX {
        let what = format!("longer than {RECORDING_BYTES_MAX} bytes; cut it into parts");
        return Err(error(1, what));
    }
    let mut lines = (1..).zip(text.lines());
    if lines.next().is_none_or(|(_, line)| line != HEAD) {
        return Err(error(1, format!("a recording begins with `{HEAD}`")));
    }
    let mut observations: Vec<Observation> = Vec::new();
    for (number, line) in lines {
        let at_line = |what| error(number, what);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(below) = line.strip_prefix("  ") {
            let last = observations.last_mut();
            let reading = last.and_then(|last| last.outcome.as_mut().ok());
            let reading = reading
                .ok_or_else(|| at_line("an indented line belongs below a reading".to_owned()))?;
            daemons::read_below(reading, below).map_err(at_line)?;
        } else {
            observations.push(observation(line).map_err(at_line)?);
        }
    }
    Ok(observations)
}

fn observation(line: &str) -> Result<Observation, String> {
    let (at, rest) = line
        .split_once(' ')
        .ok_or("an observation begins with its time in seconds and its source")?;
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let at = u64::try_from(fields::parse_seconds(at)?)
        .map_err(|_| "monotonic time is not negative".to_owned())?;
    let source = words::SOURCES.value(name)?;
    Ok(Observation {
        at: MonoNs(at),
        source,
        outcome: match rest.strip_prefix("fault ") {
            Some(fault) => Err(read_fault(fault)?),
            None => Ok(read_reading(source, rest)?),
        },
    })
}

fn read_fault(text: &str) -> Result<Fault, String> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut fields = Fields::parse(rest)?;
    let what = match name {
        "own-end" | "malformed" | "unsupported" => Some(fields.text("what")?),
        _ => None,
    };
    fields.end()?;
    words::fault(name, what)
}

fn read_reading(source: SourceKind, text: &str) -> Result<Reading, String> {
    let mut fields = Fields::parse(text)?;
    let reading = match source {
        SourceKind::Ptp => Reading::Ptp(daemons::read_ptp(&mut fields)?),
        SourceKind::Chrony => Reading::Chrony(daemons::read_chrony(&mut fields)?),
        SourceKind::Rtc => Reading::Rtc(RtcReading {
            utc: UtcNs(fields.seconds("utc")?),
            read_uncertainty_ns: fields.number("read_uncertainty_ns")?,
            voltage: read_voltage(&mut fields)?,
        }),
        SourceKind::Thermal => Reading::Thermal {
            millidegrees_c: fields.number("millidegrees_c")?,
        },
        SourceKind::CardClock => Reading::CardClock(CardClockReading {
            index: fields.number("index")?,
            difference_ns: fields.number("difference_ns")?,
            read_uncertainty_ns: fields.number("read_uncertainty_ns")?,
            utc: UtcNs(fields.seconds("utc")?),
        }),
        SourceKind::Offered => Reading::Offered(OfferedSample {
            from: fields.text("from")?,
            utc: UtcNs(fields.seconds("utc")?),
            uncertainty_ns: fields.number("uncertainty_ns")?,
        }),
    };
    fields.end()?;
    Ok(reading)
}

fn read_voltage(fields: &mut Fields<'_>) -> Result<Option<RtcVoltage>, String> {
    let letters = fields.optional("voltage");
    letters.map(words::voltage).transpose()
}

/// A recording as a probe: at each look the newest observation of its source that was made by then.
#[derive(Clone, Debug)]
pub struct Replay {
    kind: SourceKind,
    observations: Vec<Observation>,
}

impl Replay {
    /// Replays what a recording has of one source.
    #[must_use]
    pub fn new(kind: SourceKind, observations: &[Observation]) -> Self {
        let of_kind = observations.iter().filter(|of| of.source == kind);
        let mut observations: Vec<Observation> = of_kind.cloned().collect();
        observations.sort_by_key(|of| of.at);
        Self { kind, observations }
    }
}

impl Probe for Replay {
    fn kind(&self) -> SourceKind {
        self.kind
    }

    /// As it was recorded, with its own time; before the first, silence.
    fn look(&mut self, now: MonoNs) -> Observation {
        let newest = self.observations.iter().rev().find(|of| of.at <= now);
        newest.cloned().unwrap_or(Observation {
            at: now,
            outcome: Err(Fault::Silent),
            source: self.kind,
        })
    }
}

#[cfg(test)]
mod tests;
