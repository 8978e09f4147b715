//! A log in its published form: checkpoint, tiles, bundles, and the sidecar of holes.

use super::Anchors;
use super::chain::Chain;
use super::collector::{check_hole, read_checkpoint, verify_checkpoint, walk};
use super::fills::check_fills;
use super::report::{FindingKind, Report};
use super::tiles::verify_tiles;
use crate::collector::{CollectorError, LogDir, StoredHole};
use crate::publish::RETIRED;
use proof::Frontier;

/// Verifies one published log into `report`.
pub fn verify_published(log: &LogDir, anchors: &Anchors, report: &mut Report) {
    report.anchored = anchors.pinned;
    if let Err(error) = verify(log, anchors, report) {
        report.find(FindingKind::File, None, error.to_string());
    }
}

fn verify(log: &LogDir, anchors: &Anchors, report: &mut Report) -> Result<(), CollectorError> {
    let (note, head) = read_checkpoint(log)?;
    let holes = log.holes()?;
    let mut chain = Chain::new(log.origin.clone(), anchors, &Frontier::new(), report);
    chain.trust_contracts();
    let walked = walk(log, &head, &holes, &mut chain)?;
    verify_checkpoint(log, (&note, &head), None, &mut chain);
    for hole in &holes {
        if !retired(hole, &mut chain) {
            check_hole(hole, &walked, &mut chain);
        }
        // A node publishes nothing inside a hole.
        check_fills(hole, &walked.filled, FindingKind::Root, chain.report);
    }
    match chain.root_at(head.size) {
        Some(root) if root == head.root => chain.covered_by_checkpoint(head.size, false),
        _ => {
            let words = "the published entries do not lead to the root of the checkpoint";
            let span = Some((0, head.size.saturating_sub(1)));
            chain.report.find(FindingKind::Root, span, words);
        }
    }
    let tree = chain.tree().clone();
    chain.finish();
    verify_tiles(log, head.size, &tree, &holes, report)?;
    report.files.push(format!(
        "{}: checkpoint, all tiles and bundles below it, holes",
        log.path.display()
    ));
    Ok(())
}

/// What had left the ring before the log was published is no loss: somebody may hold it. It is always the
/// oldest part of the log.
fn retired(hole: &StoredHole, chain: &mut Chain<'_>) -> bool {
    if hole.cause != RETIRED || hole.span.0 != 0 || hole.named_by.is_some() || hole.filled != 0 {
        return false;
    }
    let words = "had left the ring before the log was published";
    let span = Some((0, hole.span.1.saturating_sub(1)));
    chain.report.find(FindingKind::Retired, span, words);
    true
}
