//! A collector's directory: bundles, tiles, checkpoint, cosignature, holes, rows.

use super::Anchors;
use super::chain::Chain;
use super::report::{FindingKind, Report};
use crate::collector::{CollectorDir, CollectorError, LogDir, StoredHole};
use crate::row::row;
use evidence::Payload;
use proof::note::{Note, VerifierKey};
use proof::tile::{Tile, TileKind, bundles_between, decode_bundle, tile_bytes, tiles_between};
use proof::{Checkpoint, Frontier, Hash, RangeSource};
use redb::{DatabaseError, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows by commit id, as the collector keeps them.
const ROWS: TableDefinition<'_, u64, &str> = TableDefinition::new("rows");

/// Verifies every log of a collector's directory into `report`.
pub fn verify_collector(directory: &CollectorDir, anchors: &Anchors, report: &mut Report) {
    report.anchored = anchors.pinned;
    let cosigner = directory.cosigner();
    if cosigner.is_none() {
        let words = "collector.json does not give the collector's key: cosignatures are unchecked";
        report.find(FindingKind::Cosignature, None, words);
    }
    for error in &directory.unreadable {
        report.find(FindingKind::File, None, error.to_string());
    }
    for log in &directory.logs {
        if let Err(error) = verify_log(log, anchors, cosigner.as_ref(), report) {
            report.find(FindingKind::File, None, error.to_string());
        }
    }
}

fn verify_log(
    log: &LogDir,
    anchors: &Anchors,
    cosigner: Option<&VerifierKey>,
    report: &mut Report,
) -> Result<(), CollectorError> {
    let before = report.findings.len();
    let head = verify_checkpoint(log, anchors, cosigner, report)?;
    let head_holds = report.findings.len() == before;
    let holes = log.holes()?;
    let mut chain = Chain::new(log.origin.clone(), anchors, &Frontier::new(), report);
    chain.head_holds = head_holds;
    if let Some(key) = cosigner {
        chain.trust_collector(key.clone());
    }
    let walked = walk(log, &head, &holes, &mut chain)?;
    for hole in &holes {
        check_hole(hole, &walked, &mut chain);
    }
    match chain.root_at(head.size) {
        Some(root) if root == head.root => chain.covered_by_checkpoint(head.size),
        _ => {
            let words = "the stored entries do not lead to the root of the checkpoint";
            let span = Some((0, head.size.saturating_sub(1)));
            chain.report.find(FindingKind::Root, span, words);
        }
    }
    let tree = chain.tree().clone();
    chain.finish();
    verify_tiles(log, &head, &tree, &holes, report)?;
    verify_rows(log, &walked.rows, report);
    verify_follows(log, walked.first.as_ref(), report);
    report.files.push(format!(
        "{}: checkpoint, all tiles and bundles below it, holes, rows",
        log.path.display()
    ));
    Ok(())
}

/// The checkpoint: exactly the log's lines and one cosignature, all of them holding.
fn verify_checkpoint(
    log: &LogDir,
    anchors: &Anchors,
    cosigner: Option<&VerifierKey>,
    report: &mut Report,
) -> Result<Checkpoint, CollectorError> {
    let path = log.path.join(proof::tile::CHECKPOINT_PATH);
    let note = Note::parse(&log.checkpoint_note()?).map_err(|e| CollectorError::new(&path, e))?;
    let head = Checkpoint::parse_exact(note.text()).map_err(|e| CollectorError::new(&path, e))?;
    let span = Some((0, head.size.saturating_sub(1)));
    if head.origin != log.origin {
        let words = format!(
            "the checkpoint is of {}, the directory of {}",
            head.origin, log.origin
        );
        report.find(FindingKind::Signature, span, words);
    }
    let mut keys = anchors.for_origin(&head.origin);
    let log_keys = keys.len();
    keys.extend(cosigner.cloned());
    match note.verify(&keys) {
        Ok(verified) => {
            for (place, key) in keys.iter().enumerate() {
                if !verified.has_key(place) {
                    let kind = if place < log_keys {
                        FindingKind::Signature
                    } else {
                        FindingKind::Cosignature
                    };
                    let words = format!("the checkpoint has no signature by {}", key.name());
                    report.find(kind, span, words);
                }
            }
            // The log signs twice: whoever pinned one key leaves the other line unchecked.
            let unchecked = verified.unknown_lines;
            if log_keys > 1 && unchecked > 0 {
                let words =
                    format!("the checkpoint has {unchecked} signature lines of unknown keys");
                report.find(FindingKind::Signature, span, words);
            }
        }
        Err(error) => report.find(FindingKind::Signature, span, error.to_string()),
    }
    Ok(head)
}

/// What the bundles hold.
#[derive(Default)]
struct Walked {
    /// The rows that the entries make.
    rows: BTreeMap<u64, String>,
    /// Entries found again inside holes.
    filled: Vec<u64>,
    /// The first entry.
    first: Option<Payload>,
}

/// A hole is what the LOSS entry of the log says, to the last word.
fn check_hole(hole: &StoredHole, walked: &Walked, chain: &mut Chain<'_>) {
    let (first, end) = hole.span;
    let span = Some((first, end.saturating_sub(1)));
    let filled = walked
        .filled
        .iter()
        .filter(|id| (first..end).contains(*id))
        .count();
    match chain.naming(first, end) {
        None => {
            let words = "missing, and no LOSS entry names them";
            chain.report.find(FindingKind::Lost, span, words);
        }
        Some((named_by, cause)) => {
            let told = hole.named_by == Some(named_by)
                && hole.cause == cause.name()
                && u64::try_from(filled).is_ok_and(|filled| filled == hole.filled);
            if told {
                let words = "lost, as a LOSS entry of the log names";
                chain.report.find(FindingKind::LossNamed, span, words);
            } else {
                let words = format!(
                    "holes.json differs from LOSS entry {named_by} ({cause}) or from what is stored"
                );
                chain.report.find(FindingKind::File, span, words);
            }
        }
    }
}

/// The link to the predecessor speaks of the one that the first entry names, or of none.
fn verify_follows(log: &LogDir, first: Option<&Payload>, report: &mut Report) {
    let Some(Payload::EpochStart(epoch)) = first else {
        return;
    };
    let path = log.path.join("follows.json");
    let follows = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|e| e.to_string()));
    let words = match (follows, &epoch.predecessor) {
        (Err(error), _) => error,
        (Ok(follows), None) if follows == serde_json::json!({ "link": "unnamed" }) => return,
        (Ok(follows), Some(before)) => {
            let word = |name: &str| follows.get(name).and_then(Value::as_str);
            let generation = format!("/g{}", before.generation);
            let same = word("origin").is_some_and(|origin| origin.ends_with(&generation))
                && follows.get("size").and_then(Value::as_u64) == Some(before.size)
                && word("root") == Some(&Hash(before.root.0).to_string());
            if same {
                return;
            }
            "names another predecessor than the first entry".to_owned()
        }
        (Ok(_), None) => "names a predecessor where the first entry names none".to_owned(),
    };
    report.find(
        FindingKind::File,
        Some((0, 0)),
        format!("{}: {words}", path.display()),
    );
}

/// Reads every bundle into the chain.
fn walk(
    log: &LogDir,
    head: &Checkpoint,
    holes: &[StoredHole],
    chain: &mut Chain<'_>,
) -> Result<Walked, CollectorError> {
    let mut walked = Walked::default();
    for bundle in bundles_between(0, head.size) {
        log.leaves_of(&bundle, holes, |id, leaf| {
            let hole = holes.iter().find(|hole| hole.touches(id, id + 1));
            match (hole, leaf) {
                (Some(hole), leaf) => {
                    if hole.span.0 == id {
                        chain.hole(hole.span.0, hole.span.1, Some(&hole.range));
                    }
                    if let Some(leaf) = leaf {
                        check_fill(id, leaf, chain);
                        walked.filled.push(id);
                    }
                }
                (None, Some(leaf)) => {
                    if let Some((entry, payload)) = chain.leaf(leaf) {
                        walked
                            .rows
                            .insert(id, Value::Object(row(&entry)).to_string());
                        if id == 0 {
                            walked.first = payload;
                        }
                    }
                }
                (None, None) => {
                    let words = "missing from its bundle, and in no hole";
                    chain.report.find(FindingKind::Lost, Some((id, id)), words);
                    chain.hole(id, id + 1, None);
                }
            }
        })?;
    }
    Ok(walked)
}

/// An entry found again must be the one that was lost, as far as its hash is known by itself.
fn check_fill(id: u64, leaf: &[u8], chain: &mut Chain<'_>) {
    let known = proof::NodeSource::subtree(chain.tree(), id, id + 1);
    if known.is_some_and(|known| known != proof::tree::leaf_hash(leaf)) {
        let words = "filled with other bytes than were lost";
        chain.report.find(FindingKind::Root, Some((id, id)), words);
    }
}

/// Every tile that the size demands is there, and every tile that is there is right.
fn verify_tiles(
    log: &LogDir,
    head: &Checkpoint,
    tree: &RangeSource,
    holes: &[StoredHole],
    report: &mut Report,
) -> Result<(), CollectorError> {
    let present = log.tile_files()?;
    for tile in tiles_between(0, head.size) {
        let name = tile.to_string();
        // A tile that touches a hole is not published.
        if !present.contains(&name) && !touches(&tile, holes) {
            report.find(
                FindingKind::File,
                span_of(&tile),
                format!("{name} is missing"),
            );
        }
    }
    for name in &present {
        let Ok(tile) = name.parse::<Tile>() else {
            report.find(
                FindingKind::File,
                None,
                format!("{name} is not a tile's name"),
            );
            continue;
        };
        if matches!(tile.kind(), TileKind::Entries) {
            check_bundle(log, &tile, tree, holes, report)?;
            continue;
        }
        let path = log.path.join(name);
        let bytes = std::fs::read(&path).map_err(|error| CollectorError::new(&path, error))?;
        match tile_bytes(tree, &tile) {
            Ok(expected) if expected == bytes => {}
            Ok(_) => {
                let words = format!("{name} differs from the hashes of the stored entries");
                report.find(FindingKind::File, span_of(&tile), words);
            }
            // A tile across a hole holds what is known; its hashes cannot all be derived.
            Err(_) if touches(&tile, holes) => {}
            Err(error) => {
                report.find(
                    FindingKind::File,
                    span_of(&tile),
                    format!("{name}: {error}"),
                );
            }
        }
    }
    Ok(())
}

/// An older partial bundle holds the same leaves as the tree.
fn check_bundle(
    log: &LogDir,
    tile: &Tile,
    tree: &RangeSource,
    holes: &[StoredHole],
    report: &mut Report,
) -> Result<(), CollectorError> {
    let path = log.path.join(tile.to_string());
    let bytes = std::fs::read(&path).map_err(|error| CollectorError::new(&path, error))?;
    let leaves = match decode_bundle(&bytes, tile.width()) {
        Ok(leaves) => leaves,
        Err(error) => {
            report.find(FindingKind::File, span_of(tile), format!("{tile}: {error}"));
            return Ok(());
        }
    };
    for (id, leaf) in (tile.index() * proof::limits::TILE_WIDTH_U64..).zip(leaves) {
        let lost = holes
            .iter()
            .any(|hole| hole.span.0 <= id && id < hole.span.1);
        let known = proof::NodeSource::subtree(tree, id, id + 1);
        if !lost && known != Some(proof::tree::leaf_hash(leaf)) {
            let words = format!("{tile}: this leaf is not the one in the tree");
            report.find(FindingKind::File, Some((id, id)), words);
        }
    }
    Ok(())
}

fn span_of(tile: &Tile) -> Option<(u64, u64)> {
    tile.leaves()
        .map(|(begin, end)| (begin, end.saturating_sub(1)))
}

fn touches(tile: &Tile, holes: &[StoredHole]) -> bool {
    tile.leaves().is_some_and(|(begin, end)| {
        holes
            .iter()
            .any(|hole| hole.span.0 < end && begin < hole.span.1)
    })
}

/// The rows are what the entries say, no more and no less.
fn verify_rows(log: &LogDir, expected: &BTreeMap<u64, String>, report: &mut Report) {
    let path = log.path.join("rows.redb");
    let stored = match read_rows(&path) {
        Ok(Some(stored)) => stored,
        Ok(None) => {
            let words = "rows.redb is in use by a running collector: its rows were not compared";
            report.find(FindingKind::NotCovered, None, words);
            return;
        }
        Err(words) => {
            report.find(
                FindingKind::Rows,
                None,
                format!("{}: {words}", path.display()),
            );
            return;
        }
    };
    for (id, row) in expected {
        match stored.get(id) {
            Some(found) if found == row => {}
            Some(_) => report.find(
                FindingKind::Rows,
                Some((*id, *id)),
                "the row differs from its entry",
            ),
            None => report.find(FindingKind::Rows, Some((*id, *id)), "the entry has no row"),
        }
    }
}

/// Reads all rows, `None` while a collector has them open; a damaged database may fail in any way, none
/// of which may end the verification.
fn read_rows(path: &Path) -> Result<Option<BTreeMap<u64, String>>, String> {
    let path = path.to_path_buf();
    std::thread::spawn(move || {
        let database = match ReadOnlyDatabase::open(&path) {
            Ok(database) => database,
            Err(DatabaseError::DatabaseAlreadyOpen) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let read = database.begin_read().map_err(|error| error.to_string())?;
        let table = read.open_table(ROWS).map_err(|error| error.to_string())?;
        let mut rows = BTreeMap::new();
        for item in table.iter().map_err(|error| error.to_string())? {
            let (id, row) = item.map_err(|error| error.to_string())?;
            rows.insert(id.value(), row.value().to_owned());
        }
        Ok(Some(rows))
    })
    .join()
    .unwrap_or_else(|_| Err("the database is damaged beyond reading".to_owned()))
}
