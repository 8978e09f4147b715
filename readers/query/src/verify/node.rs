//! A node's directory: the journal of one generation and its truth store.

use super::Anchors;
use super::chain::Chain;
use super::report::{FindingKind, Report};
use super::retired::Retired;
use journal::{Finding, Loss, ReadTruth, ReadVolume, Reader, StoredEntry};
use std::collections::BTreeMap;

/// Verifies the journal of one generation into `report`.
pub fn verify_node<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    origin: &str,
    anchors: &Anchors,
    report: &mut Report,
) {
    verify_node_lacking(reader, origin, anchors, &BTreeMap::new(), report);
}

/// The same, where it is known what is wrong with the files of segments as such: words by segment.
pub fn verify_node_lacking<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    origin: &str,
    anchors: &Anchors,
    lacking: &BTreeMap<u32, String>,
    report: &mut Report,
) {
    report.anchored = anchors.pinned;
    let before = match reader.frontier_at(reader.oldest().0) {
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
    let mut chain = Chain::new(origin.to_owned(), anchors, &before, report);
    chain.trust_contracts();
    let mut walk = Walk {
        chain,
        retired: Retired::below(reader.oldest().0),
    };
    let scrub = reader.scrub_each(|item| walk.take(item));
    let Walk { mut chain, retired } = walk;
    let mut losses: Vec<&Loss> = Vec::new();
    for finding in &scrub.findings {
        match finding {
            Finding::Lost(loss) => losses.push(loss),
            Finding::Retired { .. } => {}
            other => note(other, lacking, chain.report),
        }
    }
    retired.tell(reader.cosigned_size(), chain.report);
    tell_losses(&losses, lacking, &mut chain);
    compare_truth(reader, &mut chain);
    chain.finish();
}

/// Every entry on its way into the chain, and what the entries say of those that have left the ring.
struct Walk<'r> {
    chain: Chain<'r>,
    retired: Retired,
}

impl Walk<'_> {
    fn take(&mut self, item: &Result<StoredEntry, Finding>) {
        match item {
            Ok(stored) => self.entry(stored),
            Err(Finding::Lost(loss)) => {
                let range = loss.range();
                self.chain.hole(loss.first.0, loss.end(), range.as_ref());
            }
            Err(_) => {}
        }
    }

    fn entry(&mut self, stored: &StoredEntry) {
        let chain = &mut self.chain;
        if stored.commit_id.0 != chain.next() {
            let missing = Some((chain.next(), stored.commit_id.0.saturating_sub(1)));
            chain
                .report
                .find(FindingKind::Lost, missing, "missing without a trace");
            chain.hole(chain.next(), stored.commit_id.0, None);
        }
        let Some((_, Some(payload))) = chain.entry(stored.leaf_hash, &stored.bytes) else {
            return;
        };
        self.retired.take(stored.commit_id.0, &payload);
    }
}

/// Losses in the ring: named by the log, or found only now.
fn tell_losses(losses: &[&Loss], lacking: &BTreeMap<u32, String>, chain: &mut Chain<'_>) {
    for loss in losses {
        let span = Some((loss.first.0, loss.end().saturating_sub(1)));
        if chain.naming(loss.first.0, loss.end()).is_some() {
            let words = format!("lost ({}), as a LOSS entry of the log names", loss.cause);
            chain.report.find(FindingKind::LossNamed, span, words);
        } else {
            let words = match lacking.get(&loss.segment) {
                Some(words) => words.clone(),
                None => format!(
                    "the bytes of their frame are damaged: segment {} from byte {}",
                    loss.segment, loss.offset
                ),
            };
            chain.report.find(FindingKind::Lost, span, words);
        }
    }
}

/// The truth store says where the log ends, and with which root.
fn compare_truth<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>, chain: &mut Chain<'_>) {
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
}

fn note(finding: &Finding, lacking: &BTreeMap<u32, String>, report: &mut Report) {
    let (kind, entries) = match finding {
        Finding::FrameRestored { first, count, .. } => (
            FindingKind::Damaged,
            Some((first.0, first.0 + count.saturating_sub(1))),
        ),
        Finding::SegmentHeaderDamaged { segment, lap } => {
            if let Some(words) = lacking.get(segment) {
                let words = format!("segment {segment}, lap {lap}: {words}");
                return report.find(FindingKind::File, None, words);
            }
            (FindingKind::Damaged, None)
        }
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
