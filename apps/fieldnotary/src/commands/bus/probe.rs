//! `fieldnotary bus probe`: one meter, read now, with every frame.

use super::session::{Frame, Outcome, once, run};
use super::{contract, line};
use crate::cli::BusProbeArgs;
use crate::commands::Ended;
use crate::commands::decode::{hex, mbus_records, mbus_told, modbus_told};
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use contract::{Meter, Port, PortKind};
use evidence::kinds::{AttemptFailed, Opaque, Payload, Reading};
use evidence::reasons::EventCode;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Reads it. Ends badly where a point has no reading.
pub(super) fn probe(args: &BusProbeArgs) -> Result<Ended, String> {
    let contract = contract(&args.config)?;
    let meter = contract.meters.get(&args.meter).ok_or_else(|| {
        let meters: Vec<&str> = contract.meters.keys().map(|id| id.as_str()).collect();
        format!(
            "the configuration has no meter \"{}\"; its meters are: {}",
            args.meter,
            meters.join(", ")
        )
    })?;
    let port = line::known(&contract, &meter.port)?;
    line::is_free(port)?;
    let one = once(&contract, port.clone(), [meter.clone()])?;
    let outcome = run(&one, &port.id, |_| {})?;
    let said = Said::of(meter, port, &outcome);
    match args.json {
        true => sayln!("{}", said.json()),
        false => say!("{}", said.screen()),
    }
    Ok(match said.is_whole() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

struct Said<'o> {
    meter: &'o Meter,
    port: &'o Port,
    frames: &'o [Frame],
    readings: Vec<&'o Reading>,
    carried: Vec<&'o Opaque>,
    failed: Vec<&'o AttemptFailed>,
    /// Why a point has no record, in words.
    lacking: Vec<&'o str>,
}

impl<'o> Said<'o> {
    fn of(meter: &'o Meter, port: &'o Port, outcome: &'o Outcome) -> Self {
        let mut said = Self {
            meter,
            port,
            frames: &outcome.frames,
            readings: Vec::new(),
            carried: Vec::new(),
            failed: Vec::new(),
            lacking: Vec::new(),
        };
        for record in &outcome.records {
            match record {
                Payload::Reading(reading) => said.readings.push(reading),
                Payload::Opaque(opaque) => said.carried.push(opaque),
                Payload::AttemptFailed(failed) => said.failed.push(failed),
                Payload::Event(event) if event.code == EventCode::RecordChanged => {
                    said.lacking.extend(event.detail.as_deref());
                }
                _ => {}
            }
        }
        said
    }

    fn is_whole(&self) -> bool {
        self.readings.len() + self.carried.len() == self.meter.points.len()
    }

    /// A frame as a line of words, and for programs.
    fn told(&self, frame: &Frame) -> (String, Value) {
        match self.port.kind {
            PortKind::Mbus(_) => mbus_told(&frame.bytes),
            PortKind::ModbusRtu(_) => modbus_told(&frame.bytes, false, frame.sent),
            PortKind::ModbusTcp { .. } => modbus_told(&frame.bytes, true, frame.sent),
        }
    }

    fn screen(&self) -> String {
        let mut out = format!(
            "{}, address {} on {} ({})\n\n",
            self.meter.id,
            self.meter.address,
            self.port.id,
            line::shown(self.port)
        );
        for frame in self.frames {
            let (line, _) = self.told(frame);
            let way = if frame.sent { "->" } else { "<-" };
            let at = words::nanoseconds(frame.at_ns);
            let _ = writeln!(
                out,
                "{at:>9} {way} {}\n             {line}",
                hex(&frame.bytes)
            );
        }
        if !self.readings.is_empty() {
            let _ = write!(out, "\n{}", self.values());
        }
        for opaque in &self.carried {
            let (point, label) = (&opaque.point_id, &opaque.content_type);
            let _ = writeln!(out, "\n{point}, {label}:\n  {}", hex(&opaque.bytes.0));
        }
        if !self.failed.is_empty() {
            let _ = write!(out, "\n{}", self.failures());
        }
        if !self.lacking.is_empty() {
            let _ = writeln!(out, "\nwhy, point by point:");
            self.lacking.iter().for_each(|why| {
                let _ = writeln!(out, "  {why}");
            });
            let _ = write!(out, "\nthe records that are there:\n{}", self.records());
        }
        out
    }

    /// The data records of what the meter sent, as tables.
    fn records(&self) -> String {
        let replies = self.frames.iter().filter(|frame| !frame.sent);
        replies
            .filter_map(|frame| mbus_records(&frame.bytes))
            .collect()
    }

    fn values(&self) -> Table<5> {
        let mut table = Table::new(&[
            ("point", Align::Left),
            ("value", Align::Right),
            ("unit", Align::Left),
            ("quality", Align::Left),
            ("raw", Align::Left),
        ]);
        for reading in &self.readings {
            let point = self
                .meter
                .points
                .iter()
                .find(|one| one.id == reading.point_id);
            table.row([
                reading.point_id.to_string(),
                reading
                    .value
                    .map_or_else(|| "-".to_owned(), |value| value.to_string()),
                point.map_or_else(String::new, |point| point.unit.clone()),
                quality(reading),
                hex(&reading.raw.0),
            ]);
        }
        table
    }

    fn failures(&self) -> Table<4> {
        let mut table = Table::new(&[
            ("failed attempt", Align::Right),
            ("cause", Align::Left),
            ("meaning", Align::Left),
            ("points without a reading", Align::Left),
        ]);
        for failed in &self.failed {
            let points: Vec<&str> = failed.points.iter().map(|point| point.as_str()).collect();
            table.row([
                failed.attempt.to_string(),
                ink(Ink::Bad, failed.cause.name()),
                failed.cause.meaning().to_owned(),
                points.join(", "),
            ]);
        }
        table
    }

    fn json(&self) -> Value {
        let frames = self.frames.iter().map(|frame| {
            let (_, decoded) = self.told(frame);
            json!({
                "at_ns": frame.at_ns,
                "direction": if frame.sent { "request" } else { "response" },
                "bytes": hex(&frame.bytes),
                "decoded": decoded,
            })
        });
        let readings = self.readings.iter().map(|reading| {
            json!({
                "point_id": reading.point_id.as_str(),
                "value": reading.value.map(|value| value.to_string()),
                "quality": reading.quality.validity.name(),
                "quality_reason": reading.quality.reason.name(),
                "raw": hex(&reading.raw.0),
            })
        });
        let failed = self.failed.iter().map(|failed| {
            json!({
                "attempt": failed.attempt,
                "cause": failed.cause.name(),
                "exception": failed.exception,
                "points": failed.points.iter().map(|point| point.as_str()).collect::<Vec<_>>(),
            })
        });
        let carried = self.carried.iter().map(|opaque| {
            json!({
                "point_id": opaque.point_id.as_str(),
                "content_type": opaque.content_type,
                "sha256": opaque.sha256.to_string(),
                "bytes": hex(&opaque.bytes.0),
            })
        });
        json!({
            "meter_id": self.meter.id.as_str(),
            "source_id": self.port.id.as_str(),
            "unit": self.meter.unit(),
            "address": self.meter.address.to_string(),
            "whole": self.is_whole(),
            "frames": frames.collect::<Vec<_>>(),
            "records": readings.collect::<Vec<_>>(),
            "carried": carried.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
            "lacking": self.lacking,
        })
    }
}

fn quality(reading: &Reading) -> String {
    match reading.value {
        Some(_) if reading.quality == evidence::Quality::GOOD => ink(Ink::Good, "good"),
        _ => ink(
            Ink::Bad,
            &format!("{} ({})", reading.quality, reading.quality.reason.name()),
        ),
    }
}
