//! What of a sound configuration does not fit this machine or the log that is there already.

use super::directory::{kept_by_another, keys_beside};
use crate::papers;
use crate::paths::DataDir;
use crate::roles::recorder::{newest_generation, read_ring, truth_place};
use contract::{Contract, ContractError, Misfit, Storage};
use evidence::reasons::TruthClass;
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
    }
    found.extend(truth_place_unfit(&contract.storage, data));
    if let Some(uplink) = &contract.uplink
        && let Err(wrong) = papers::read(uplink, data.map(DataDir::root))
    {
        found.extend(wrong);
    }
    Ok(contract::placed(text, &found))
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

/// A ring keeps the measures with which it was made.
fn other_ring(storage: &Storage, data: &DataDir) -> Result<Vec<Misfit>, String> {
    let directory = data.journal(newest_generation(data)?.0);
    let ring_json = directory.join("ring.json");
    if !ring_json.is_file() {
        return Ok(Vec::new());
    }
    let whole = |words: String| format!("{words}\n{}", super::preflight::backup_cure(data));
    let made = read_ring(&directory).map_err(whole)?;
    let (class, truth) = truth_place(data, &directory)?;
    let shown = ring_json.display();
    let mut found = Vec::new();
    let mut compare = |key: &'static str, wanted: String, made: String| {
        if wanted != made {
            found.push(Misfit {
                table: "storage",
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
        format!("\"{}\"", class.name()),
    );
    let made_in = truth.parent().map(|dir| dir.display().to_string());
    if let (TruthClass::Independent, Some(made_in), Some(wanted)) =
        (class, made_in, &storage.truth_dir)
    {
        compare(
            "truth_dir",
            format!("\"{wanted}\""),
            format!("\"{made_in}\""),
        );
    }
    Ok(found)
}

/// An independent truth store on the ring's own device would fail with it.
fn truth_place_unfit(storage: &Storage, data: Option<&DataDir>) -> Option<Misfit> {
    let dir = storage.truth_dir.as_ref()?;
    let unfit = |what: String, advice: &str| {
        Some(Misfit {
            table: "storage",
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

/// The device on which a directory lies, or will lie once it is made.
fn device_of(path: &Path) -> Option<u64> {
    path.ancestors()
        .find_map(|place| std::fs::metadata(place).ok())
        .map(|place| place.dev())
}
