//! A node's directory: the journal of one generation and its truth store.

use super::Anchors;
use super::chain::Chain;
use super::report::{FindingKind, Report};
use contract::Contract;
use evidence::Payload;
use evidence::kinds::Configuration;
use journal::{Finding, Loss, ReadTruth, ReadVolume, Reader};
use proof::Frontier;

/// Verifies the journal of one generation into `report`.
pub fn verify_node<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    origin: &str,
    anchors: &Anchors,
    report: &mut Report,
) {
    report.anchored = anchors.pinned;
    let scrub = reader.scrub();
    let oldest = reader.oldest();
    let before = match reader.frontier_at(oldest.0) {
        Ok(frontier) => frontier,
        Err(error) => {
            report.find(
                FindingKind::Root,
                None,
                format!("no tree to begin with: {error}"),
            );
            return;
        }
    };
    if oldest.0 > 0 {
        let words = match reader.cosigned_size() {
            size if size >= oldest.0 => "retired from the ring; a collector has cosigned them",
            _ => "retired from the ring before any collector cosigned all of them",
        };
        report.find(FindingKind::Retired, Some((0, oldest.0 - 1)), words);
    }
    let mut losses: Vec<&Loss> = Vec::new();
    for finding in &scrub.findings {
        match finding {
            Finding::Lost(loss) => losses.push(loss),
            Finding::Retired { .. } => {}
            other => note(other, report),
        }
    }
    walk(reader, origin, anchors, &before, &losses, report);
}

fn walk<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    origin: &str,
    anchors: &Anchors,
    before: &Frontier,
    losses: &[&Loss],
    report: &mut Report,
) {
    let mut chain = Chain::new(origin.to_owned(), anchors, before, report);
    let mut parts = Vec::new();
    for item in reader.entries(reader.oldest()) {
        match item {
            Ok(stored) => {
                if stored.commit_id.0 != chain.next() {
                    let missing = Some((chain.next(), stored.commit_id.0.saturating_sub(1)));
                    chain
                        .report
                        .find(FindingKind::Lost, missing, "missing without a trace");
                    chain.hole(chain.next(), stored.commit_id.0, None);
                }
                if let Some((_, Some(Payload::Configuration(part)))) =
                    chain.leaf(&stored.leaf_data())
                {
                    take_part(&mut chain, &mut parts, part);
                }
            }
            Err(Finding::Lost(loss)) => {
                chain.hole(loss.first.0, loss.end(), loss.range().as_ref());
            }
            Err(_) => {}
        }
    }
    for loss in losses {
        let span = Some((loss.first.0, loss.end().saturating_sub(1)));
        if chain.naming(loss.first.0, loss.end()).is_some() {
            let words = format!("lost ({}), as a LOSS entry of the log names", loss.cause);
            chain.report.find(FindingKind::LossNamed, span, words);
        } else {
            let words = format!(
                "the bytes of their frame are damaged: segment {} from byte {}",
                loss.segment, loss.offset
            );
            chain.report.find(FindingKind::Lost, span, words);
        }
    }
    if chain.next() != reader.size() {
        let words = format!(
            "the truth store says {} entries are committed, {} are here",
            reader.size(),
            chain.next()
        );
        chain.report.find(FindingKind::Truth, None, words);
    } else if chain
        .root_at(reader.size())
        .is_some_and(|root| root != reader.root())
    {
        let words = "the truth store has another root than the entries lead to";
        chain.report.find(FindingKind::Truth, None, words);
    }
    chain.finish();
}

/// The contract names the collector whose cosignatures the acks are.
fn take_part(chain: &mut Chain<'_>, parts: &mut Vec<Configuration>, part: Configuration) {
    if part.part == 0 {
        parts.clear();
    }
    parts.push(part);
    if let Ok(contract) = Contract::from_parts(parts)
        && let Some(uplink) = contract.uplink
        && let Ok(key) = uplink.collector_vkey.parse()
    {
        chain.trust_collector(key);
    }
}

fn note(finding: &Finding, report: &mut Report) {
    let (kind, entries) = match finding {
        Finding::FrameRestored { first, count, .. } => (
            FindingKind::Damaged,
            Some((first.0, first.0 + count.saturating_sub(1))),
        ),
        Finding::SegmentHeaderDamaged { .. } => (FindingKind::Damaged, None),
        Finding::RootMismatch { .. } => (FindingKind::Root, None),
        Finding::TruthBehind { size, seen_to } => {
            (FindingKind::Truth, Some((*size, seen_to.saturating_sub(1))))
        }
        Finding::TruthCopyDamaged { .. }
        | Finding::TruthCopyOld { .. }
        | Finding::LeaseCopyDamaged { .. }
        | Finding::TruthLost => (FindingKind::Truth, None),
        Finding::Lost(_) | Finding::Retired { .. } => return,
    };
    report.find(kind, entries, finding.to_string());
}
