//! A collector's directory: bundles, checkpoint, cosignature, holes.

use super::Anchors;
use super::alarmed::{read_alarms, read_record};
use super::chain::{Chain, generation_of};
use super::fills::check_fills;
use super::report::{FindingKind, Report};
use super::rows::verify_rows;
use super::signers::Signers;
use super::tiles::verify_tiles;
use crate::collector::{CollectorDir, CollectorError, LogDir, StoredHole};
use crate::row::row;
use evidence::{Entry, Payload, split_leaf};
use proof::note::{Note, Verified, VerifierKey};
use proof::tile::bundles_between;
use proof::{Checkpoint, Frontier, Hash};
use serde_json::Value;
use std::collections::BTreeMap;

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
    read_alarms(&directory.root, report);
    for log in &directory.logs {
        let before = report.findings.len();
        if let Err(error) = verify_log(log, anchors, cosigner.as_ref(), report) {
            report.find(FindingKind::File, None, error.to_string());
        }
        read_record(log, report);
        if directory.logs.iter().any(|other| follows(other, log)) {
            report.followed_from(before);
        }
    }
}

/// Whether a log is a later generation of another, and somebody vouches for it.
fn follows(other: &LogDir, log: &LogDir) -> bool {
    let (Some(base), Some(number)) = (log.origin.rsplit_once("/g"), generation_of(&log.origin))
    else {
        return false;
    };
    let same = other
        .origin
        .rsplit_once("/g")
        .is_some_and(|other| other.0 == base.0);
    same && generation_of(&other.origin) > Some(number) && !other.is_uncosigned()
}

fn verify_log(
    log: &LogDir,
    anchors: &Anchors,
    cosigner: Option<&VerifierKey>,
    report: &mut Report,
) -> Result<(), CollectorError> {
    if log.is_uncosigned() {
        let words = format!(
            "nothing of {} is cosigned yet: what lies in {} was stored, and nobody has vouched for it",
            log.origin,
            log.path.display()
        );
        report.find(FindingKind::NotCovered, None, words);
        return Ok(());
    }
    let (note, head) = read_checkpoint(log)?;
    let all_holes = log.holes()?;
    // Stored with entries above the checkpoint, which it does not speak of.
    let below = |hole: &&StoredHole| hole.span.0 < head.size;
    let holes: Vec<StoredHole> = all_holes.iter().filter(below).cloned().collect();
    let mut chain = Chain::new(log.origin.clone(), anchors, &Frontier::new(), report);
    if let Some(key) = cosigner {
        chain.trust_collector(key.clone());
    }
    let walked = walk(log, &head, &holes, &mut chain)?;
    verify_checkpoint(log, (&note, &head), cosigner, &mut chain);
    for hole in &holes {
        check_hole(hole, &walked, &mut chain);
        // The collector had a proof when it took them, and keeps none.
        check_fills(hole, &walked.filled, FindingKind::NotCovered, chain.report);
    }
    match chain.root_at(head.size) {
        Some(root) if root == head.root => chain.covered_by_checkpoint(head.size, true),
        _ => {
            let words = "the stored entries do not lead to the root of the checkpoint";
            let span = Some((0, head.size.saturating_sub(1)));
            chain.report.find(FindingKind::Root, span, words);
        }
    }
    let tree = chain.tree().clone();
    chain.finish();
    verify_tiles(log, head.size, &tree, &all_holes, report)?;
    let rows = match verify_rows(log, &walked.rows, head.size, report) {
        true => ", rows",
        false => "",
    };
    verify_follows(log, walked.first.as_ref(), report);
    report.files.push(format!(
        "{}: checkpoint, all tiles and bundles below it, holes{rows}",
        log.path.display()
    ));
    Ok(())
}

/// The checkpoint beside a log, with the note that it is in.
pub(super) fn read_checkpoint(log: &LogDir) -> Result<(Note, Checkpoint), CollectorError> {
    let path = log.path.join(proof::tile::CHECKPOINT_PATH);
    let note = Note::parse(&log.checkpoint_note()?).map_err(|_| {
        let words = "cut short or changed: no whole text with its signatures; nothing of this log was checked\n\
                     restore it from a backup of the collector";
        CollectorError::new(&path, words)
    })?;
    let head = Checkpoint::parse_exact(note.text()).map_err(|e| CollectorError::new(&path, e))?;
    Ok((note, head))
}

/// Whether it has exactly the log's lines and one cosignature, all of them holding. The entries were read before, as they
/// may tell of other keys.
pub(super) fn verify_checkpoint(
    log: &LogDir,
    (note, head): (&Note, &Checkpoint),
    cosigner: Option<&VerifierKey>,
    chain: &mut Chain<'_>,
) {
    let signers = chain.signers().clone();
    let before = chain.report.failures();
    let verified = lines_hold(log, (note, head), &signers, cosigner, chain.report);
    if let Some(verified) = &verified {
        chain.is_told(|place| verified.has_key(place));
    }
    let holds = !signers.is_empty() && chain.report.failures() == before;
    chain.head_signed(holds, verified.as_ref());
}

/// Which of the log's keys, in their order, then the cosigner's, are found in it.
fn lines_hold(
    log: &LogDir,
    (note, head): (&Note, &Checkpoint),
    signers: &Signers,
    cosigner: Option<&VerifierKey>,
    report: &mut Report,
) -> Option<Verified> {
    let span = Some((0, head.size.saturating_sub(1)));
    if head.origin != log.origin {
        let words = format!(
            "the checkpoint is of {}, the directory of {}",
            head.origin, log.origin
        );
        report.find(FindingKind::Signature, span, words);
    }
    let mut keys = signers.known().to_vec();
    let cosigner_place = keys.len();
    keys.extend(cosigner.cloned());
    let verified = match note.verify(&keys) {
        Ok(verified) => verified,
        Err(error) => {
            report.find(FindingKind::Signature, span, error.to_string());
            return None;
        }
    };
    for key in signers.missing(head.size, |place| verified.has_key(place)) {
        let words = format!("the checkpoint has no signature by {}", key.name());
        report.find(FindingKind::Signature, span, words);
    }
    if let Some(cosigner) = cosigner
        && !verified.has_key(cosigner_place)
    {
        let words = format!("the checkpoint has no signature by {}", cosigner.name());
        report.find(FindingKind::Cosignature, span, words);
    }
    let strangers = verified.unknown_lines;
    if strangers > signers.strangers_max() {
        let words = format!("the checkpoint has {strangers} signature lines of unknown keys");
        report.find(FindingKind::Signature, span, words);
    } else if signers.strangers_max() > 0 {
        unchecked_line(log, note, head, report);
    }
    Some(verified)
}

/// The log signs with two keys. Where one of them is known to nobody here, its line cannot be checked: it
/// is at least the one that the collector took.
fn unchecked_line(log: &LogDir, note: &Note, head: &Checkpoint, report: &mut Report) {
    let span = Some((0, head.size.saturating_sub(1)));
    if log
        .kept_checkpoint(head.size)
        .is_some_and(|kept| kept != note.to_string())
    {
        let words = "the checkpoint differs from the one that state/mirror.json keeps";
        report.find(FindingKind::Signature, span, words);
        return;
    }
    let words = "one of the log's two signature lines is of a key that is neither pinned nor in log-keys: \
                 give it to verify --anchor, or to the collector's run --log-key";
    report.find(FindingKind::NotCovered, None, words);
}

/// What the bundles hold.
#[derive(Default)]
pub(super) struct Walked {
    /// The rows that the entries make.
    rows: BTreeMap<u64, String>,
    /// The leaf hashes of entries found again inside holes.
    pub(super) filled: BTreeMap<u64, Hash>,
    /// The first entry.
    first: Option<Payload>,
}

/// A hole is what the LOSS entry of the log says, to the last word.
pub(super) fn check_hole(hole: &StoredHole, walked: &Walked, chain: &mut Chain<'_>) {
    let (first, end) = hole.span;
    let span = Some((first, end.saturating_sub(1)));
    let filled = walked.filled.range(first..end).count();
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
pub(super) fn walk(
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
                        walked.filled.insert(id, proof::tree::leaf_hash(leaf));
                        let bytes = split_leaf(leaf).map(|(_, bytes)| Entry::decode(bytes));
                        if let Some(Ok(entry)) = bytes {
                            walked.rows.insert(id, row_text(&entry));
                        }
                    }
                }
                (None, Some(leaf)) => {
                    if let Some((entry, payload)) = chain.leaf(leaf) {
                        walked.rows.insert(id, row_text(&entry));
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

fn row_text(entry: &Entry) -> String {
    Value::Object(row(entry)).to_string()
}
