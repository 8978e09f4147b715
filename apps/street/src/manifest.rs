//! `street.json`: what there is to talk to. Programs wait for it, so it appears whole and last.

use crate::Stop;
use crate::args::Args;
use crate::mbus::{RECORDS, Shown};
use crate::meter::{Quantity, REGISTERS};
use crate::points;
use crate::serve::Server;
use crate::site::{Carrier, Site};
use serde::Serialize;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Name of the log.
pub(crate) const LOG_FILE: &str = "street.jsonl";
const MANIFEST_FILE: &str = "street.json";
const MANIFEST_TMP_FILE: &str = "street.json.tmp";

#[derive(Serialize)]
struct Manifest<'a> {
    seed: u64,
    pid: i32,
    /// `CLOCK_MONOTONIC` from which the times of the fault plan count.
    ready_mono_ns: u64,
    log: PathBuf,
    tcp: Option<String>,
    ports: Vec<PortEntry<'a>>,
    meters: Vec<MeterEntry<'a>>,
    #[serde(flatten)]
    points: points::Shown<'a>,
}

#[derive(Serialize)]
struct PortEntry<'a> {
    name: &'a str,
    carrier: &'a str,
    /// The serial line.
    path: Option<PathBuf>,
    /// The TCP address.
    address: Option<String>,
}

#[derive(Serialize)]
struct MeterEntry<'a> {
    name: &'a str,
    port: &'a str,
    /// Its unit address; on an M-Bus its primary address.
    unit: u8,
    /// The tables that have the registers.
    register_tables: &'static [&'static str],
    registers: &'a [Quantity],
    /// Of an M-Bus meter.
    mbus: Option<MbusEntry<'a>>,
}

#[derive(Serialize)]
struct MbusEntry<'a> {
    secondary: String,
    manufacturer: String,
    version: u8,
    medium: u8,
    baud: u32,
    /// Records of a made-up meter.
    records: &'a [Shown],
    /// The file of a captured telegram.
    telegram: Option<&'a str>,
}

/// Removes what an earlier street may have left, so that nobody takes it for ours.
pub(crate) fn withdraw(dir: &Path) -> Result<(), Stop> {
    let path = dir.join(MANIFEST_FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Stop::Host(format!(
            "cannot remove {}: {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Writes the file under another name, then moves it into place; its text.
pub(crate) fn publish(
    args: &Args,
    site: &Site,
    server: &Server,
    modems: &[SocketAddr],
    ready_mono_ns: u64,
) -> Result<String, Stop> {
    let dir = &args.dir;
    let dir = dir
        .canonicalize()
        .map_err(Stop::host(format_args!("cannot resolve {}", dir.display())))?;
    let tcp = server.tcp_address().map(|address| address.to_string());
    let port = |port: &'_ crate::site::Port| match port.carrier {
        Carrier::Rtu => ("rtu", Some(dir.join(&port.name)), None),
        Carrier::Mbus => ("mbus", Some(dir.join(&port.name)), None),
        Carrier::Tcp => ("tcp", None, tcp.clone()),
    };
    let ports = site.ports.iter().map(|found| {
        let (carrier, path, address) = port(found);
        PortEntry {
            name: &found.name,
            carrier,
            path,
            address,
        }
    });
    let meters = site.meters.iter().enumerate().map(|(at, place)| {
        let mbus = server.secondary(at).map(|address| MbusEntry {
            secondary: address
                .id
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect(),
            manufacturer: address.manufacturer.to_string(),
            version: address.version,
            medium: address.medium,
            baud: args.mbus_baud,
            records: match place.telegram {
                Some(_) => &[],
                None => &RECORDS,
            },
            telegram: place.telegram.as_ref().map(|(file, _)| file.as_str()),
        });
        MeterEntry {
            name: &place.name,
            port: site.port_name(place.port),
            unit: place.unit,
            register_tables: match mbus {
                Some(_) => &[],
                None => &["holding", "input"],
            },
            registers: match mbus {
                Some(_) => &[],
                None => &REGISTERS,
            },
            mbus,
        }
    });
    let manifest = Manifest {
        seed: args.seed,
        pid: rustix::process::getpid().as_raw_nonzero().get(),
        ready_mono_ns,
        log: dir.join(LOG_FILE),
        ports: ports.collect(),
        meters: meters.collect(),
        points: points::Shown::of(&site.points, &dir, modems),
        tcp: tcp.clone(),
    };
    let mut text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| Stop::Host(format!("cannot encode {MANIFEST_FILE}: {error}")))?;
    text.push('\n');
    let (tmp, path) = (dir.join(MANIFEST_TMP_FILE), dir.join(MANIFEST_FILE));
    std::fs::write(&tmp, &text)
        .and_then(|()| std::fs::rename(&tmp, &path))
        .map_err(Stop::host(format_args!("cannot write {}", path.display())))?;
    Ok(text)
}

/// The same for people, in a few lines.
pub(crate) fn words(
    dir: &Path,
    site: &Site,
    tcp: Option<SocketAddr>,
    modems: &[SocketAddr],
    plan: Option<(&Path, usize)>,
) -> String {
    let folder = dir.display();
    let mut lines = vec![format!("street ready in {folder}")];
    for (at, port) in site.ports.iter().enumerate() {
        let on_port = site.meters.iter().filter(|place| place.port == at);
        let meters: Vec<String> = on_port
            .map(|place| format!("{} = unit {}", place.name, place.unit))
            .collect();
        let (first, last) = (meters.first(), meters.last());
        let meters = match (first, last, meters.len()) {
            (Some(first), Some(last), 3..) => format!("{first} ... {last}"),
            _ => meters.join(", "),
        };
        let place = match port.carrier {
            Carrier::Rtu => format!("RTU  {}", dir.join(&port.name).display()),
            Carrier::Mbus => format!("M-Bus {}", dir.join(&port.name).display()),
            Carrier::Tcp => tcp.map_or_else(String::new, |tcp| format!("TCP  {tcp}")),
        };
        lines.push(format!("  {place}: {meters}"));
    }
    lines.extend(points::words(&site.points, dir, modems));
    lines.push(
        "  holding registers from 0, function 3, and data records: --help has the lists".to_owned(),
    );
    lines.push(format!(
        "  what it saw and sent: {}",
        dir.join(LOG_FILE).display()
    ));
    match plan {
        Some((file, faults)) => {
            lines.push(format!("  faults in force: {faults} of {}", file.display()))
        }
        None => lines.push("  no faults: --plan FILE orders some".to_owned()),
    }
    lines.push("Ctrl-C stops it.".to_owned());
    lines.join("\n")
}
