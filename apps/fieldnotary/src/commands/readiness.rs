//! What `fieldnotary run` says: once it is ready, when it is told to stop, and when it has.

use super::directory::keys_beside;
use super::on_disk::OnDisk;
use super::own_signer;
use super::progress::Progress;
use super::status::ask;
use super::status_link::link_words;
use super::words;
use crate::paths::DataDir;
use crate::roles::recorder::newest_generation;
use contract::Contract;
use evidence::foreign::line;
use evidence::reasons::{Custody, RollbackAlarm};
use proof::note::Algorithm;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often is looked.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Looks that the collector's first answer is waited for before readiness is told without it.
const LINK_LOOKS: u32 = 40;
/// Meters that a port's line names.
const METERS_NAMED_MAX: usize = 6;
/// The longest that an orderly stop takes: sessions, seal and delivery, each with its own deadline.
const STOP_S_MAX: u32 = 30;

/// Tells of readiness and of the stop, from a thread of its own, for as long as the node runs.
pub(super) fn tell(contract: &Contract, data: &DataDir, as_json: bool) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let (contract, data) = (contract.clone(), data.clone());
    std::thread::spawn(move || {
        if let Some(report) = ready(&contract, &data, &stop) {
            match as_json {
                true => sayln!("{}", announcement_json(&contract, &data, &report)),
                false => say!("{}", announcement(&contract, &data, &report)),
            }
        }
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_UP);
        }
        let parts = match contract.uplink {
            Some(_) => "last readings, last seal, last delivery",
            None => "last readings, last seal",
        };
        match as_json {
            true => sayln!(
                "{}",
                json!({"event": "stopping", "seconds_max": STOP_S_MAX})
            ),
            false => sayln!("stopping: {parts} (up to {STOP_S_MAX} s)..."),
        }
    });
    Ok(())
}

/// The first report; with a collector, the first that tells how it was reached. `None` at a stop.
fn ready(contract: &Contract, data: &DataDir, stop: &AtomicBool) -> Option<Map<String, Value>> {
    let mut looks = 0;
    let ring = Ring::of(contract, data);
    while !stop.load(Ordering::Relaxed) {
        ring.look();
        if let Ok(Some(report)) = ask(&data.recorder_socket()) {
            let link = report.get("uplink").unwrap_or(&Value::Null);
            let contacted = link.get("contacted_since_start") == Some(&Value::Bool(true));
            looks += 1;
            if contract.uplink.is_none() || contacted || looks > LINK_LOOKS {
                return Some(report);
            }
        }
        std::thread::sleep(LOOK_UP);
    }
    None
}

/// Making a large ring takes a while: every byte of it is written once.
struct Ring<'a> {
    data: &'a DataDir,
    progress: Progress,
}

impl<'a> Ring<'a> {
    fn of(contract: &Contract, data: &'a DataDir) -> Self {
        let storage = &contract.storage;
        let segments = u64::from(storage.segments);
        let progress = Progress::of("making the ring: MiB");
        progress.all(storage.segment_bytes.saturating_mul(segments) >> 20);
        Self { data, progress }
    }

    /// How much of it there is.
    fn look(&self) {
        let generation = newest_generation(self.data).map_or(1, |newest| newest.0);
        let segments = std::fs::read_dir(self.data.journal(generation));
        let bytes = segments.into_iter().flatten().flatten().map(|segment| {
            use std::os::unix::fs::MetadataExt;
            segment
                .metadata()
                .map_or(0, |about| about.blocks().saturating_mul(512))
        });
        self.progress.at(bytes.sum::<u64>() >> 20);
    }
}

/// Keys in files prove nothing, and whoever starts a node is to know it.
const SOFTWARE_KEYS: &str =
    "software keys: files in identity/, which anybody who can read them can sign with";

/// What holds the keys, as the newest checkpoint says; before the first one by where they must be.
fn keys_words(data: &DataDir, report: &Map<String, Value>) -> String {
    let sealed = report.get("custody").and_then(Value::as_str);
    let custody = sealed.and_then(Custody::from_name);
    let in_files = !data.identity().join("store.toml").exists();
    match custody {
        Some(Custody::Software) | None if own_signer::is_used(data) => {
            "held by a signer of another user; what that proves: log --kind key_store".to_owned()
        }
        Some(Custody::Software) => SOFTWARE_KEYS.to_owned(),
        Some(custody) => format!("{custody}: {}", custody.meaning()),
        None if in_files => SOFTWARE_KEYS.to_owned(),
        None => "in the store that identity/store.toml names; what it proves: log --kind key_store"
            .to_owned(),
    }
}

/// The same for programs.
fn announcement_json(contract: &Contract, data: &DataDir, report: &Map<String, Value>) -> Value {
    let vkeys = keys_beside(data).unwrap_or_default();
    let vkeys: Vec<String> = vkeys.iter().map(ToString::to_string).collect();
    let log_id = std::fs::read_to_string(data.log_id()).unwrap_or_default();
    json!({
        "event": "ready",
        "origin": report.get("origin"),
        "name": contract.station.name,
        "log_id": log_id.trim(),
        "vkeys": vkeys,
        "data": data.root(),
        "ports": contract.ports.len(),
        "meters": contract.meters.len(),
        "uplink": report.get("uplink"),
        "pid": std::process::id(),
    })
}

fn announcement(contract: &Contract, data: &DataDir, report: &Map<String, Value>) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    let origin = report.get("origin").and_then(Value::as_str);
    let origin = origin.unwrap_or(&contract.station.origin);
    lines.push(("ready", format!("{origin} ({})", contract.station.name)));
    if let Ok(id) = std::fs::read_to_string(data.log_id()) {
        lines.push(("log id", id.trim().to_owned()));
    }
    let keys = keys_beside(data).unwrap_or_default();
    for key in &keys {
        let whose = match key.algorithm() {
            Algorithm::EcdsaP256 => "the authority's",
            Algorithm::Ed25519 | Algorithm::CosignatureEd25519 => "the same for C2SP tools",
        };
        lines.push(("vkey", format!("{key}  ({whose})")));
    }
    lines.push(("keys", keys_words(data, report)));
    let alarms = report.get("rollback").and_then(Value::as_array);
    for alarm in alarms.into_iter().flatten() {
        let word = alarm.get("alarm").and_then(Value::as_str).unwrap_or("?");
        lines.push((
            "ROLLBACK",
            format!(
                "{word}: this is not the log that went before, or its counter is not; {}",
                RollbackAlarm::from_name(word)
                    .map_or("status says what to do", RollbackAlarm::cure)
            ),
        ));
    }
    lines.push(("data", data.root().display().to_string()));
    for (id, port) in &contract.ports {
        let wire = format!("{} {}", port.kind.name(), port.kind.place());
        let meters = contract.meters.values().filter(|meter| meter.port == *id);
        let names: Vec<&str> = meters.map(|meter| meter.id.as_str()).collect();
        lines.push(("port", format!("{id}, {wire}, {}", named(&names))));
    }
    for card in contract.points.cards.values() {
        let points = contract.points.on(&card.id);
        let names: Vec<&str> = points.iter().map(|point| point.as_str()).collect();
        lines.push((
            "card",
            format!("{}, {}, {}", card.id, card.place(), names.join(", ")),
        ));
    }
    for schedule in contract.schedules.values() {
        let every = words::span(schedule.every_ms);
        lines.push(("schedule", format!("{}, every {every}", schedule.id)));
    }
    let collector = match (&contract.uplink, report.get("uplink")) {
        (Some(uplink), Some(link)) => format!("{}, {}", uplink.url, line(&link_words(link))),
        _ => "none: the log stays here".to_owned(),
    };
    lines.push(("collector", collector));
    let root = data.root().display();
    lines.push(("look", format!("fieldnotary status {root}")));
    if let Some(key) = keys.first() {
        let check = format!("fieldnotary verify {root} --anchor {key}");
        lines.push(("check", check));
    }
    let pid = std::process::id();
    lines.push(("stop", format!("Ctrl-C, or SIGTERM to process {pid}")));
    lines
        .into_iter()
        .map(|(name, words)| format!("{name:<10} {words}\n"))
        .collect()
}

fn named(meters: &[&str]) -> String {
    let count = u64::try_from(meters.len()).unwrap_or(u64::MAX);
    let count = words::count(count, "meter", "meters");
    let first = meters
        .get(..meters.len().min(METERS_NAMED_MAX))
        .unwrap_or_default();
    let more = if meters.len() > first.len() {
        ", ..."
    } else {
        ""
    };
    match first {
        [] => count,
        _ => format!("{count}: {}{more}", first.join(", ")),
    }
}

/// Entries that no seal covers, as the last ones were not had.
fn left_unsealed(size: u64, sealed: u64, why: &str) -> String {
    let left = size.saturating_sub(sealed);
    format!("; {left} not sealed ({why}), the next start seals them")
}

/// How the log stands after an orderly stop.
pub(super) fn tell_stopped(contract: &Contract, data: &DataDir, as_json: bool) {
    let Ok(files) = OnDisk::open(data) else {
        match as_json {
            true => sayln!("{}", json!({"event": "stopped"})),
            false => sayln!("stopped"),
        }
        return;
    };
    let (size, sealed, cosigned) = files.sizes();
    if as_json {
        let sizes = json!({
            "event": "stopped",
            "log_size": size,
            "sealed_size": sealed,
            "cosigned_size": cosigned,
            "seals_missed": files.seals_missed(),
        });
        sayln!("{sizes}");
        return;
    }
    let mut said = format!("stopped: {}", words::count(size, "entry", "entries"));
    said += &format!(", {sealed} sealed");
    // Behind the last seal there is always the entry that it is.
    if let Some(why) = files.seals_missed() {
        said += &left_unsealed(size, sealed, &why);
    }
    if contract.uplink.is_some() {
        said += &format!(", {cosigned} cosigned");
        if cosigned < sealed {
            said += &format!("; {} wait for the next start", sealed - cosigned);
        }
    }
    sayln!("{said}");
}

/// Whether the collector is known to be out of reach, or to take nothing: waiting for it is in vain.
pub(crate) fn delivery_is_hopeless(data: &DataDir) -> bool {
    let Ok(Some(report)) = ask(&data.recorder_socket()) else {
        return false;
    };
    let link = report.get("uplink").unwrap_or(&Value::Null);
    link.get("takes_nothing") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::left_unsealed;

    #[test]
    fn a_stop_without_a_last_seal_says_why_and_what_becomes_of_it() {
        assert_eq!(
            left_unsealed(50, 40, "signer_absent: nobody answers"),
            "; 10 not sealed (signer_absent: nobody answers), the next start seals them"
        );
    }
}
