//! Where journals lie in what was named: a node's directory, or one folder of its journal.

use super::finding::stranger_words;
use super::measures::{self, CLASS_GUESSED, ForeignTruth, Headers, Measures};
use crate::commands::configured::newest_contract;
use crate::commands::directory::{is_node, read_log_id, what_it_is};
use crate::commands::preflight::permitted_files;
use crate::files::{begins_no_log, instead_of_a_log};
use crate::paths::DataDir;
use crate::roles::recorder::{TruthPlace, keep_place, read_ring};
use evidence::{Generation, LogId};
use journal::image::{self, Identity, State};
use journal::keep::Store;
use journal::{ReadTruth, Salvage, truth_owner};
use media::{Found, FoundTruth, FoundVolume, TRUTH_FILE};
use rustix::fs::Access;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Stands for the log where nothing says which one it is.
pub(super) const NOBODY: Identity = Identity {
    log_id: LogId([0; 16]),
    generation: Generation(0),
};

/// One generation's journal, opened for looking.
#[derive(Debug)]
pub(in crate::commands) struct Place {
    pub(super) ring: PathBuf,
    pub(super) measures: Measures,
    pub(super) volume: FoundVolume,
    /// What is read as the truth store: nothing where the one that is there is not of these segments.
    pub(super) truth: FoundTruth,
    /// A truth store that is there and is not used, and why.
    pub(super) foreign: Option<(FoundTruth, ForeignTruth)>,
    /// Where the truth store was made: by `ring.json` or, without that, by the configuration in the log.
    pub(super) made_at: Option<TruthPlace>,
    /// The log that should be here, where anything beside the journal says so.
    pub(super) wanted: Option<Identity>,
}

impl Place {
    /// The truth store as it lies, whether it is used or not.
    pub(super) fn store(&self) -> &FoundTruth {
        self.foreign
            .as_ref()
            .map_or(&self.truth, |(store, _)| store)
    }

    /// Whether a ring was made here and nothing was ever written to it, but for the first write of a log that broke
    /// off: everything else is blank.
    pub(in crate::commands) fn is_unbegun(&self) -> bool {
        let log = self.wanted.unwrap_or(NOBODY);
        let mut segments = 0..self.measures.shape.segments;
        let mut slots = image::slots(self.store(), log).into_iter();
        segments.all(|no| image::segment(&self.volume, log, no).state == State::Blank)
            && slots.all(|one| one.slot == 0 || one.header.state == State::Blank)
    }

    /// Whose each file is whose header says so: the segments and the truth store.
    pub(in crate::commands) fn owners(&self) -> Vec<(String, LogId, Generation)> {
        let segments = measures::owners(&self.ring).into_iter();
        let mut owners: Vec<_> = segments
            .map(|(no, of)| (media::segment_file_name(no), of.log_id, of.generation))
            .collect();
        let store = truth_owner(self.store());
        let name = self.truth.path().display().to_string();
        owners.extend(store.map(|(log_id, generation)| (name, log_id, generation)));
        owners
    }

    /// Segments that are not of this log's ring though others here are, and what they are. One that a newer version
    /// wrote is of this log for all that is known.
    pub(super) fn strangers(&self, log: Identity) -> BTreeMap<u32, State> {
        let all = 0..self.measures.shape.segments;
        let states = all.map(|no| (no, image::segment(&self.volume, log, no).state));
        let states: BTreeMap<u32, State> = states.collect();
        if !states.values().any(|state| *state == State::Sound) {
            return BTreeMap::new();
        }
        let strange = |state: &State| matches!(state, State::Foreign | State::OtherShape);
        states
            .into_iter()
            .filter(|(_, state)| strange(state))
            .collect()
    }

    /// What is wrong with the files of segments as such, in words, by segment.
    pub(in crate::commands) fn lacking(&self) -> BTreeMap<u32, String> {
        let due = self.measures.shape.segment_bytes;
        let strangers = self.wanted.map(|log| self.strangers(log));
        let strangers = strangers.unwrap_or_default();
        let words = |segment: u32| {
            let path = self.ring.join(media::segment_file_name(segment));
            let shown = path.display();
            if let Some(state) = strangers.get(&segment) {
                return Some(format!("{shown} {}", stranger_words(*state)));
            }
            match self.volume.found(segment) {
                Found::Bytes(bytes) if *bytes == due => None,
                Found::Bytes(bytes) => Some(format!("{shown} has {bytes} bytes, {due} are due")),
                Found::Missing => Some(format!("{shown} is missing")),
                Found::Refused(why) => Some(format!("{shown} cannot be read: {why}")),
            }
        };
        let all = 0..self.measures.shape.segments;
        all.filter_map(|segment| Some((segment, words(segment)?)))
            .collect()
    }
}

/// What is said of a ring of which no part of a log can be read, and what is done about it.
pub(in crate::commands) fn no_log_words(ring: &Path) -> String {
    let shown = ring.display();
    match open(ring) {
        Ok(place) if place.is_unbegun() => format!(
            "the journal in {shown} was made, and no entry was ever written to it\n\
             the log begins with: fieldnotary run CONFIG --data DIR"
        ),
        _ => format!(
            "the journal in {shown}: no sound part of a log is found there, and it is not blank: what lay there was \
             damaged or written over\n\
             create nothing over it, and copy all of it before anything else; file by file it is looked at by:\n  \
             fieldnotary journal fsck {shown}"
        ),
    }
}

/// The journals that were named, oldest first.
pub(super) fn places(dir: &Path, only: Option<u64>) -> Result<Vec<Place>, String> {
    crate::commands::preflight::readable(dir)?;
    if let Some(above) = keep_of(dir) {
        return Err(format!(
            "{} is a keep-ring, which is looked at with the log that it belongs to: name {}",
            dir.display(),
            above.display()
        ));
    }
    if is_ring(dir) {
        return open(dir).map(|place| vec![place]);
    }
    let rings = rings_in(&dir.join("journal"));
    if rings.is_empty() {
        return Err(match is_node(dir) {
            true => format!(
                "{} holds no journal yet: it begins with the first `fieldnotary run`",
                dir.display()
            ),
            false => what_it_is(dir),
        });
    }
    let (begun, rings): (Vec<_>, Vec<_>) = rings
        .into_iter()
        .partition(|(number, ring)| *number > 1 && only != Some(*number) && begins_no_log(ring));
    for (number, ring) in &begun {
        complain!(
            "{} {}: generation {number} was begun there and nothing is written of it; it is passed over",
            ring.display(),
            instead_of_a_log(ring)
        );
    }
    let wanted = |number: &u64| only.is_none_or(|only| only == *number);
    let chosen: Vec<_> = rings.iter().filter(|(number, _)| wanted(number)).collect();
    if chosen.is_empty() {
        let there: Vec<String> = rings.iter().map(|(number, _)| number.to_string()).collect();
        return Err(format!(
            "{} has no generation {}; its generations are: {}",
            dir.display(),
            only.unwrap_or_default(),
            there.join(", ")
        ));
    }
    chosen.into_iter().map(|(_, ring)| open(ring)).collect()
}

/// The generation's folder, where a folder is a keep-ring in it.
fn keep_of(dir: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(dir).ok()?;
    let above = absolute.parent()?;
    let is_keep = Store::ALL
        .iter()
        .any(|store| keep_place(above, *store) == absolute);
    (is_keep && generation_of(above).is_some()).then(|| above.to_owned())
}

/// Whether a folder holds a ring, or what is left of one.
fn is_ring(dir: &Path) -> bool {
    dir.join("ring.json").is_file()
        || dir.join(TRUTH_FILE).is_file()
        || !measures::segment_files(dir).is_empty()
        || (dir.is_dir() && generation_of(dir).is_some())
}

fn rings_in(journals: &Path) -> Vec<(u64, PathBuf)> {
    let folders = std::fs::read_dir(journals).into_iter().flatten().flatten();
    let mut rings: Vec<(u64, PathBuf)> = folders
        .map(|folder| folder.path())
        .filter(|path| path.is_dir())
        .filter_map(|path| Some((generation_of(&path)?.0, path)))
        .collect();
    rings.sort();
    rings
}

/// The generation that a folder is named after.
fn generation_of(ring: &Path) -> Option<Generation> {
    let number = ring.file_name()?.to_str()?.strip_prefix('g')?;
    (number.len() == 6)
        .then(|| number.parse().ok().map(Generation))
        .flatten()
}

/// Looks whether this user may read a ring and its truth store.
///
/// # Errors
/// A file that is there and that this user may not read, in words.
pub(in crate::commands) fn permitted(ring: &Path) -> Result<(), String> {
    beside(ring).map(drop)
}

/// What belongs to a ring.
struct Beside {
    /// The log that should be here, where the node's directory above says so.
    wanted: Option<Identity>,
    store: FoundTruth,
    made_at: Option<TruthPlace>,
}

fn beside(ring: &Path) -> Result<Beside, String> {
    let absolute = std::path::absolute(ring).unwrap_or_else(|_| ring.to_owned());
    let above = absolute.parent().and_then(Path::parent);
    let data = DataDir::new(above.unwrap_or(Path::new("/")));
    permitted_files(ring, None, Access::READ_OK)?;
    let log_id = read_log_id(&data).ok();
    let wanted = log_id
        .zip(generation_of(ring))
        .map(|(log_id, generation)| Identity { log_id, generation });
    let told = read_ring(ring).and_then(|_| TruthPlace::of_ring(&data, ring));
    let (store, made_at) = match told {
        Ok(place) => (
            FoundTruth::open(&place.path, place.class),
            TruthPlace::made_for(ring).ok(),
        ),
        Err(_) => {
            let made_at = configured(ring, wanted);
            (truth_of(&data, ring, made_at.as_ref()), made_at)
        }
    };
    permitted_files(ring, Some(store.path()), Access::READ_OK)?;
    Ok(Beside {
        wanted,
        store,
        made_at,
    })
}

/// Opens what is there of a ring. What this user may not read is an error: nothing is known of it.
pub(in crate::commands) fn open(ring: &Path) -> Result<Place, String> {
    let Beside {
        wanted,
        store,
        made_at,
    } = beside(ring)?;
    let (truth, foreign) = match Headers::of(ring).objection(&store, wanted) {
        None => (store, None),
        Some(why) => {
            let without = FoundTruth::without(store.path(), store.class());
            (without, Some((store, why)))
        }
    };
    let Some(measures) = measures::measures(ring, &truth) else {
        return Err(format!(
            "{} holds nothing of a journal: no ring.json, no sound truth store and no segment \
             (seg-0000.fnj and on)",
            ring.display()
        ));
    };
    let volume = FoundVolume::open(ring, measures.shape);
    // A file of another ring names the truth store of that one.
    let made_at = match measures.objection {
        Some(_) => configured(ring, wanted).or(made_at),
        None => made_at,
    };
    Ok(Place {
        ring: ring.to_owned(),
        measures,
        volume,
        truth,
        foreign,
        made_at,
        wanted,
    })
}

/// Where the configuration in the log has the truth store of a ring, of which no `ring.json` tells.
fn configured(ring: &Path, wanted: Option<Identity>) -> Option<TruthPlace> {
    let without = FoundTruth::without(&ring.join(TRUTH_FILE), CLASS_GUESSED);
    let shape = measures::measures(ring, &without)?.shape;
    let volume = FoundVolume::open(ring, shape);
    let salvage = Salvage::open(&volume, &without, wanted).ok()?;
    let storage = newest_contract(salvage.reader())?.storage;
    let log_id = salvage.identity().log_id;
    Some(TruthPlace::of_new_ring(Some(&storage), log_id, ring))
}

/// The truth store of a ring without `ring.json`: beside it, where it was made, or where a copy of a node keeps it.
fn truth_of(data: &DataDir, ring: &Path, made_at: Option<&TruthPlace>) -> FoundTruth {
    let class = made_at.map_or(CLASS_GUESSED, |place| place.class);
    let beside = ring.join(TRUTH_FILE);
    let copy = data.truth().join(TRUTH_FILE);
    let made = made_at.map_or(&beside, |place| &place.path);
    let all = [&beside, made, &copy].into_iter();
    let there = |path: &PathBuf| FoundTruth::open(path, class);
    let found = all
        .map(there)
        .find(|store| !matches!(store.found(), Found::Missing));
    found.unwrap_or_else(|| there(made))
}
