//! What of a sound configuration does not fit this machine or the log that is there already.

use super::directory::{kept_by_another, keys_beside, read_log_id};
use crate::papers::{self, Named};
use crate::paths::DataDir;
use crate::roles::recorder::{Calibrations, Held, TruthPlace, newest_generation, read_ring};
use crate::roles::timestamp::trusted;
use contract::{Contract, ContractError, Misfit, Storage};
use evidence::reasons::TruthClass;
use media::{Access, FileTruth};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Everything that does not fit, with its place in the file. Without a data directory only what needs
/// none is looked at. Nothing is written.
pub(super) fn misfits(
    text: &str,
    contract: &Contract,
    data: Option<&DataDir>,
) -> Result<Vec<ContractError>, String> {
    let mut found = Vec::new();
    if let Some(data) = data {
        // Of a directory that another program keeps there is nothing more to say.
        if let Some(misfit) = another_program(contract, data) {
            return Ok(contract::placed(text, &[misfit]));
        }
        found.extend(other_origin(contract, data));
        found.extend(other_ring(&contract.storage, data)?);
        found.extend(other_calibrations(contract, data));
    }
    found.extend(truth_place_unfit(&contract.storage, data));
    found.extend(truth_device_unfit(&contract.storage, data));
    found.extend(super::cards::broken_recordings(contract));
    found.extend(super::quantities::impossible_units(contract));
    let uplink = contract.uplink.as_ref().map(Named::from);
    let syslog = contract.syslog.as_ref().map(Named::from);
    for named in uplink.into_iter().chain(syslog) {
        if let Err(wrong) = papers::read(&named, data.map(DataDir::root)) {
            found.extend(wrong);
        }
    }
    found.extend(timestamps_untrusted(contract, data));
    Ok(contract::placed(text, &found))
}

/// Who vouches for the timestamp authority must be known before it is asked; without a data directory a relative path
/// leads nowhere.
fn timestamps_untrusted(contract: &Contract, data: Option<&DataDir>) -> Option<Misfit> {
    let file = Path::new(&contract.timestamp.as_ref()?.trust_file);
    let file = match data {
        Some(data) => data.root().join(file),
        None if file.is_absolute() => file.to_path_buf(),
        None => return None,
    };
    let what = trusted(&file).err()?;
    Some(Misfit {
        table: "timestamp",
        id: None,
        point: None,
        key: "trust_file",
        what,
        advice: "name a PEM file with the root certificate of the timestamp authority, as who runs it publishes it".to_owned(),
    })
}

/// Two programs in one directory would take each other's files for their own.
fn another_program(contract: &Contract, data: &DataDir) -> Option<Misfit> {
    let (kept, by) = kept_by_another(data.root())?;
    let mut advice = "give --data a directory of its own, which need not exist".to_owned();
    if data.identity().is_dir() {
        advice += "; where a node was begun in this one by mistake, move its identity/ and journal/ there";
    }
    Some(Misfit {
        table: "station",
        id: None,
        point: None,
        key: "origin",
        what: format!(
            "the log of \"{}\" cannot lie in {}: that is {kept} ({})",
            contract.station.origin,
            data.root().display(),
            by.display()
        ),
        advice,
    })
}

/// The keys sign for one origin only: under another one every seal would be refused.
fn other_origin(contract: &Contract, data: &DataDir) -> Option<Misfit> {
    let wanted = &contract.station.origin;
    let keys = keys_beside(data).ok()?;
    let own = keys.first()?.name();
    (own != wanted).then(|| Misfit {
        table: "station",
        id: None,
        point: None,
        key: "origin",
        what: format!(
            "this is \"{wanted}\", but {} holds the log and the keys of \"{own}\"",
            data.root().display()
        ),
        advice: format!(
            "an origin never changes: write \"{own}\" again, or begin another log with another --data; where \
             \"{wanted}\" is right, {} is another log's: put this log's own back",
            data.identity().display()
        ),
    })
}

/// A version of a calibration stands for one scaling in all of a log. Of a log that cannot be read others say it.
fn other_calibrations(contract: &Contract, data: &DataDir) -> Vec<Misfit> {
    let analogs = &contract.points.analogs;
    if analogs.values().all(|one| one.calibration.is_none()) {
        return Vec::new();
    }
    let newest = newest_generation(data).ok();
    let Some(reader) = newest.and_then(|newest| super::open_beside(data, newest).ok()) else {
        return Vec::new();
    };
    let reused = Calibrations::of_log(&reader).reused(contract);
    let misfits = reused.into_iter().map(|one| {
        let (known, by) = one.known;
        Misfit {
            table: "ai",
            id: Some(one.point.to_string()),
            point: None,
            key: "calibration",
            what: format!(
                "the log in {} knows calibration \"{}\" of this point as another scaling (entry {by}, digest {known}; this is {})",
                data.root().display(),
                one.version,
                one.is
            ),
            advice: format!(
                "a scaling that changes gets a version of its own: write another `calibration`, or the channel, scale, offset, unit and \
                 bounds that \"{}\" had (`fieldnotary log {} --kind calibration`)",
                one.version,
                data.root().display()
            ),
        }
    });
    misfits.collect()
}

/// A ring keeps the measures with which it was made.
fn other_ring(storage: &Storage, data: &DataDir) -> Result<Vec<Misfit>, String> {
    let directory = data.journal(newest_generation(data)?.0);
    let ring_json = directory.join("ring.json");
    if !ring_json.is_file() {
        return Ok(Vec::new());
    }
    let whole = |words: String| format!("{words}\n{}", super::preflight::fsck_cure(data));
    let made = read_ring(&directory).map_err(whole)?;
    let truth = TruthPlace::of_ring(data, &directory)?;
    let shown = ring_json.display();
    let mut found = Vec::new();
    let mut compare = |key: &'static str, wanted: String, made: String| {
        if wanted != made {
            found.push(Misfit {
                table: "storage",
                id: None,
                point: None,
                key,
                what: format!("this is {wanted}, but the ring was made with {made} ({shown})"),
                advice: format!(
                    "a ring keeps its measures: write {made} again, or begin another log with another --data"
                ),
            });
        }
    };
    let bytes = |bytes: u64| format!("{bytes} bytes");
    compare(
        "segment_size",
        bytes(storage.segment_bytes),
        bytes(made.segment_bytes),
    );
    compare(
        "segments",
        storage.segments.to_string(),
        made.segments.to_string(),
    );
    compare(
        "block",
        bytes(storage.block_bytes.into()),
        bytes(made.block_bytes.into()),
    );
    compare(
        "truth",
        format!("\"{}\"", storage.truth.name()),
        format!("\"{}\"", truth.class.name()),
    );
    let quoted = |place: Option<&str>| {
        place.map_or_else(|| "nothing".to_owned(), |place| format!("\"{place}\""))
    };
    if truth.class == TruthClass::Independent && storage.truth == TruthClass::Independent {
        let made_on = TruthPlace::device_of(&directory)?;
        let dir = truth.path.parent().and_then(|dir| dir.to_str());
        let made_in = dir.filter(|_| made_on.is_none());
        // A copy that lies beside a node's directory says nothing of where the original was made.
        if made_on.is_some() || storage.truth_dir.is_some() {
            compare(
                "truth_dir",
                quoted(storage.truth_dir.as_deref()),
                quoted(made_in),
            );
        }
        if made_on.is_some() || storage.truth_device.is_some() {
            compare(
                "truth_device",
                quoted(storage.truth_device.as_deref()),
                quoted(made_on.as_deref().and_then(Path::to_str)),
            );
        }
    }
    Ok(found)
}

/// An independent truth store on the ring's own device would fail with it.
fn truth_place_unfit(storage: &Storage, data: Option<&DataDir>) -> Option<Misfit> {
    let dir = storage.truth_dir.as_ref()?;
    let unfit = |what: String, advice: &str| {
        Some(Misfit {
            table: "storage",
            id: None,
            point: None,
            key: "truth_dir",
            what,
            advice: advice.to_owned(),
        })
    };
    let mount = "mount the medium of the truth store there before the node starts";
    let place = match std::fs::metadata(dir) {
        Ok(place) if place.is_dir() => place,
        Ok(_) => return unfit(format!("{dir} is not a directory"), mount),
        Err(error) => return unfit(format!("cannot use {dir}: {error}"), mount),
    };
    let root = data?.root();
    if device_of(root) != Some(place.dev()) {
        return None;
    }
    unfit(
        format!(
            "{dir} lies on the same device as {}: what breaks the one breaks the other",
            root.display()
        ),
        "name a directory on another device, or write truth = \"same-device-sync\"",
    )
}

/// How a log goes on whose truth store is lost with its device.
pub(super) const DEVICE_LOST: &str = "if it is lost, name a blank one, move the data directory aside and keep it, restore the \
                           newest backup, and adopt that";

/// A device that cannot hold this log's truth store is found before the node starts.
fn truth_device_unfit(storage: &Storage, data: Option<&DataDir>) -> Option<Misfit> {
    let device = storage.truth_device.as_ref()?;
    let (what, advice) = match FileTruth::open_device(Path::new(device), Access::ReadOnly) {
        Ok(store) => unfit_store(device, &store, data)?,
        Err(error) => (format!("cannot use {device}: {error}"), no_store(data)),
    };
    Some(Misfit {
        table: "storage",
        id: None,
        point: None,
        key: "truth_device",
        what,
        advice,
    })
}

/// What a device holds may be this log's own, where no data directory tells which log that is.
pub(super) fn truth_device_doubt(storage: &Storage, data: Option<&DataDir>) -> Option<String> {
    let device = storage.truth_device.as_ref().filter(|_| data.is_none())?;
    let store = FileTruth::open_device(Path::new(device), Access::ReadOnly).ok()?;
    match Held::on(Path::new(device), &store, None).ok()? {
        Held::Foreign(owner) => Some(format!(
            "storage: {device} holds the truth store of log {owner}: --data DIR tells whether that is this \
             station's; a new log does not begin on it"
        )),
        held @ Held::Unknown => Some(format!(
            "storage: {}: a new log does not begin on it",
            held.objection(device)?
        )),
        Held::Newer | Held::Blank | Held::Own(_) => None,
    }
}

/// What serves a new log would end one that has entries: how far it goes stands on its own device alone.
fn begun(data: &DataDir) -> bool {
    data.log_id().exists() || data.root().join("journal").exists()
}

/// Where there is no device, or none that is large enough.
fn no_store(data: Option<&DataDir>) -> String {
    let example = "/sys/bus/spi/devices/spi0.0/fram";
    match data.is_some_and(begun) {
        true => format!(
            "bring the device of this log back, or correct its name, such as {example}; {DEVICE_LOST}"
        ),
        false => format!(
            "name an FRAM as the kernel offers it, such as {example}, or a spare block device, of {} bytes or more",
            media::TRUTH_FILE_BYTES
        ),
    }
}

/// What is wrong with what a device holds, and what would be right; `None` where it serves this log.
fn unfit_store(
    device: &str,
    store: &FileTruth,
    data: Option<&DataDir>,
) -> Option<(String, String)> {
    let own = data.and_then(|data| read_log_id(data).ok());
    let begun = data.is_some_and(begun);
    let held = match Held::on(Path::new(device), store, own) {
        Ok(held) => held,
        Err(words) => return Some((words, no_store(data))),
    };
    let what = held.objection(device)?;
    let clearing = TruthPlace::clearing(device);
    let advice = match (held, own) {
        (Held::Newer, _) if begun => {
            "read it with the version that wrote it: run that one, or a newer".to_owned()
        }
        (Held::Newer, _) => format!("run that version, name another device, or {clearing}"),
        // Which log this station has is told by its data directory alone; a log id that cannot be read is
        // somebody else's finding; and a store of this log may be damaged beyond recognition.
        (_, None) if begun || data.is_none() => return None,
        (Held::Unknown, Some(_)) => return None,
        (Held::Unknown, None) => format!("name a blank device, or {clearing}"),
        (_, Some(own)) => format!(
            "if that log was meant, correct --data; else name the device of this log, {own}; {DEVICE_LOST}"
        ),
        (_, None) => format!(
            "if that is this station's log, correct --data or restore its backup; else name a blank device, or {clearing}"
        ),
    };
    Some((what, advice))
}

/// The device on which a directory lies, or will lie once it is made.
fn device_of(path: &Path) -> Option<u64> {
    path.ancestors()
        .find_map(|place| std::fs::metadata(place).ok())
        .map(|place| place.dev())
}
