//! What the street says of its points: where a node finds each.

use super::{INPUTS_FILE, Layout, modem, supply};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The part of `street.json` that is about points.
#[derive(Debug, Serialize)]
pub(crate) struct Shown<'a> {
    inputs: Vec<Input<'a>>,
    devices: Vec<Device<'a>>,
    analogs: Vec<Analog<'a>>,
    supplies: Vec<Supply<'a>>,
    modems: Vec<Modem<'a>>,
}

#[derive(Debug, Serialize)]
struct Input<'a> {
    name: &'a str,
    /// The recording that is its card.
    path: Option<PathBuf>,
    /// The device of which it is a bit.
    device: Option<&'a str>,
    /// As a node's contract names it.
    line: String,
}

#[derive(Debug, Serialize)]
struct Device<'a> {
    name: &'a str,
    port: &'a str,
    unit: u8,
}

#[derive(Debug, Serialize)]
struct Analog<'a> {
    name: &'a str,
    device: &'a str,
    /// As a node's contract names it, without its type.
    channel: String,
}

#[derive(Debug, Serialize)]
struct Supply<'a> {
    name: &'a str,
    /// The directory that is its card.
    path: PathBuf,
    channel: &'static str,
}

#[derive(Debug, Serialize)]
struct Modem<'a> {
    name: &'a str,
    /// The address that is its card.
    url: String,
    /// Where its numbers are in an answer; its quality is in tenths.
    places: BTreeMap<&'static str, &'static str>,
}

fn url(address: &SocketAddr) -> String {
    format!("http://{address}/status")
}

impl<'a> Shown<'a> {
    /// Of these points, whose files are in a folder; `modems` are the addresses of modems.
    pub(crate) fn of(points: &'a Layout, dir: &Path, modems: &[SocketAddr]) -> Self {
        let device = |place: usize| {
            points
                .devices
                .get(place)
                .map_or("", |one| one.name.as_str())
        };
        let recorded = points.recorded().map(|(line, input)| Input {
            name: &input.name,
            path: Some(dir.join(INPUTS_FILE)),
            device: None,
            line: line.to_string(),
        });
        let bits = points.inputs.iter().filter_map(|input| {
            let bit = input.bit?;
            Some(Input {
                name: &input.name,
                path: None,
                device: Some(device(bit.device)),
                line: bit.words(),
            })
        });
        let devices = points.devices.iter().map(|one| Device {
            name: &one.name,
            port: &one.port,
            unit: one.unit,
        });
        let analogs = points.analogs.iter().map(|one| Analog {
            name: &one.name,
            device: device(one.place.device),
            channel: one.place.words(),
        });
        let supplies = points.supplies.iter().map(|one| Supply {
            name: &one.name,
            path: supply::place(dir, &one.name),
            channel: supply::CHANNEL,
        });
        let modems = points.modems.iter().zip(modems);
        let modems = modems.map(|(one, address)| Modem {
            name: &one.name,
            url: url(address),
            places: BTreeMap::from(modem::PLACES),
        });
        Self {
            inputs: recorded.chain(bits).collect(),
            devices: devices.collect(),
            analogs: analogs.collect(),
            supplies: supplies.collect(),
            modems: modems.collect(),
        }
    }
}

/// The same for people.
pub(crate) fn words(points: &Layout, dir: &Path, modems: &[SocketAddr]) -> Vec<String> {
    let mut lines = Vec::new();
    let inputs: Vec<&str> = points
        .recorded()
        .map(|(_, one)| one.name.as_str())
        .collect();
    if !inputs.is_empty() {
        let path = dir.join(INPUTS_FILE);
        let (path, inputs) = (path.display(), inputs.join(", "));
        lines.push(format!("  recording {path}: {inputs}, from line 0"));
    }
    lines.extend(points.devices.iter().map(|device| {
        let (name, port, unit) = (&device.name, &device.port, device.unit);
        format!("  remote I/O {name}: unit {unit} on {port}")
    }));
    lines.extend(points.supplies.iter().map(|one| {
        let place = supply::place(dir, &one.name).join(supply::CHANNEL);
        format!("  supply {}: {}", one.name, place.display())
    }));
    let modems = points.modems.iter().zip(modems);
    lines.extend(modems.map(|(one, address)| format!("  modem {}: {}", one.name, url(address))));
    lines
}
