//! The crates `signed_note` and `tlog_tiles`.

use super::{Exhibit, Verdict, Verifier, Who, bundle_at, leaves_of, read};
use signed_note::{Note, StandardVerifier, VerifierList};
use std::path::Path;
use tlog_tiles::{
    Checkpoint, Error, HashReader, Tile, TileHashReader, TileReader, check_tree, prove_tree,
    record_hash, stored_hash_index,
};

/// Levels of the tree between two tile levels.
const HEIGHT: u8 = 8;
/// Why a tile cannot be read that was not published.
const NOT_PUBLISHED: &str = "not published";

pub(super) struct Crates;

impl Verifier for Crates {
    fn who(&self) -> Who {
        Who::Crates
    }

    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String> {
        let Some(keys) = exhibit.keys else {
            return Ok(Verdict::Holds);
        };
        let [_, second] = keys;
        let key = query::named_for(second, exhibit.origin).ok_or("no key for the origin")?;
        Ok(Verdict::of(verify(exhibit, &key.to_string())))
    }
}

fn verify(exhibit: &Exhibit<'_>, key: &str) -> Result<(), String> {
    let note = read(exhibit.dir, "checkpoint")?.ok_or("no checkpoint")?;
    let head = open(&note, key, exhibit.origin)?;
    let tiles = Tiles {
        dir: exhibit.dir,
        complete: exhibit.complete,
    };
    let (size, root) = (head.size(), *head.hash());
    let hashes = || TileHashReader::new(size, root, &tiles);
    for tile in Tile::new_tiles(HEIGHT, 0, size) {
        let first = tile.level_index() << HEIGHT;
        let level = tile.level() * HEIGHT;
        let indexes: Vec<u64> = (first..first + u64::from(tile.width()))
            .map(|n| stored_hash_index(level, n))
            .collect();
        tolerate(exhibit.complete, hashes().read_hashes(&indexes).map(drop))?;
    }
    for index in 0..size.div_ceil(256) {
        let (path, width) = bundle_at(index, size);
        let Some(bundle) = read(exhibit.dir, &path)? else {
            match exhibit.complete {
                true => return Err(format!("{path} is missing")),
                false => continue,
            }
        };
        let leaves = leaves_of(&bundle)?;
        if u64::try_from(leaves.len()) != Ok(width) {
            return Err(format!(
                "{path} has {} entries, {width} are due",
                leaves.len()
            ));
        }
        let indexes: Vec<u64> = (index * 256..index * 256 + width)
            .map(|n| stored_hash_index(0, n))
            .collect();
        let known = match hashes().read_hashes(&indexes) {
            Ok(known) => known,
            Err(error) => {
                tolerate(exhibit.complete, Err(error))?;
                continue;
            }
        };
        for (leaf, known) in leaves.iter().zip(known) {
            if record_hash(leaf) != known {
                return Err(format!("{path}: an entry is not the one in the tree"));
            }
        }
    }
    if let Some((seal, _)) = exhibit.known {
        let old = open(seal.note.as_bytes(), key, exhibit.origin)?;
        if old.size() > size {
            return Err("rolled back".to_owned());
        }
        match prove_tree(size, old.size(), &hashes()) {
            Ok(proof) => check_tree(&proof, size, root, old.size(), *old.hash())
                .map_err(|error| format!("{error:?}"))?,
            Err(error) => tolerate(exhibit.complete, Err(error))?,
        }
    }
    Ok(())
}

/// A tile that was never published says nothing against a log with holes.
fn tolerate(complete: bool, outcome: Result<(), Error>) -> Result<(), String> {
    match outcome {
        Err(error) if complete || !format!("{error:?}").contains(NOT_PUBLISHED) => {
            Err(format!("{error:?}"))
        }
        _ => Ok(()),
    }
}

fn open(note: &[u8], key: &str, origin: &str) -> Result<Checkpoint, String> {
    let verifier = StandardVerifier::new(key).map_err(|error| format!("{error:?}"))?;
    let note = Note::from_bytes(note).map_err(|error| format!("{error:?}"))?;
    let (verified, _) = note
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .map_err(|error| format!("{error:?}"))?;
    if verified.is_empty() {
        return Err("the key did not sign".to_owned());
    }
    // Its reader wants one line more than a checkpoint without extensions has.
    let text = [note.text(), b"\n"].concat();
    let head = Checkpoint::from_bytes(note.text())
        .or_else(|_| Checkpoint::from_bytes(&text))
        .map_err(|error| format!("{error:?}"))?;
    match head.origin() == origin {
        true => Ok(head),
        false => Err(format!("the checkpoint is of {}", head.origin())),
    }
}

/// The tiles of a directory.
struct Tiles<'a> {
    dir: &'a Path,
    complete: bool,
}

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            std::fs::read(self.dir.join(&path)).map_err(|error| {
                let missing = !self.complete && error.kind() == std::io::ErrorKind::NotFound;
                let why = if missing { NOT_PUBLISHED } else { "missing" };
                Error::InvalidInput(format!("{path}: {why}"))
            })
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}
