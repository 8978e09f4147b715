//! A node's directory: the journal of one generation and its truth store.

use super::Anchors;
use super::chain::Chain;
use super::harmless::harmless;
use super::judge::{Judged, judge};
use super::report::{FindingKind, Report};
use super::retired::Retired;
use crate::ahead::{self, Notes};
use evidence::{CommitId, EntryError};
use journal::{Finding, Loss, ReadTruth, ReadVolume, Reader, ReaderFrame, StoredEntry};
use proof::tree::KnownJoins;
use std::collections::BTreeMap;

/// What is done about a file that is not as it must be and of which nothing is missed.
const NOT_MISSED: &str = "no entry is missed for it; `fieldnotary journal fsck` says what to do";

/// Verifies the journal of one generation into `report`, with all threads that this machine has for it.
pub fn verify_node<V: ReadVolume + Sync, T: ReadTruth>(
    reader: &Reader<V, T>,
    origin: &str,
    anchors: &Anchors,
    report: &mut Report,
) {
    verify_node_lacking(reader, origin, anchors, &BTreeMap::new(), report);
}

/// The same, where it is known what is wrong with the files of segments as such: words by segment.
pub fn verify_node_lacking<V: ReadVolume + Sync, T: ReadTruth>(
    reader: &Reader<V, T>,
    origin: &str,
    anchors: &Anchors,
    lacking: &BTreeMap<u32, String>,
    report: &mut Report,
) {
    verify_node_with(ahead::threads(), reader, origin, anchors, lacking, report);
}

/// The same with so many threads; what is reported does not depend on their number.
pub fn verify_node_with<V: ReadVolume + Sync, T: ReadTruth>(
    threads: usize,
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
        oldest: reader.oldest(),
        retired: Retired::below(reader.oldest().0),
    };
    let judge_all = |entries: &[StoredEntry]| -> Vec<_> {
        entries.iter().map(|entry| judge(&entry.bytes)).collect()
    };
    let scrub = ahead::with_threads(reader, threads, judge_all, |ahead, notes| {
        reader.scrub_each(ahead, |item| walk.take(item, notes))
    });
    let Walk {
        mut chain, retired, ..
    } = walk;
    let mut losses: Vec<&Loss> = Vec::new();
    for finding in &scrub.findings {
        match finding {
            Finding::Lost(loss) => losses.push(loss),
            Finding::Retired { .. } => {}
            other => note(other, &scrub.findings, lacking, chain.report),
        }
    }
    retired.tell(reader.cosigned_size(), chain.report);
    tell_files(reader, &scrub.findings, lacking, chain.report);
    tell_losses(&losses, lacking, &mut chain);
    compare_truth(reader, &mut chain);
    chain.finish();
}

/// What is judged of the entries of a frame.
type Judgements = Vec<Result<Judged, EntryError>>;

/// Every entry on its way into the chain, and what the entries say of those that have left the ring.
struct Walk<'r> {
    chain: Chain<'r>,
    oldest: CommitId,
    retired: Retired,
}

impl Walk<'_> {
    fn take(&mut self, item: &Result<ReaderFrame, Finding>, notes: &Notes<'_, Judgements>) {
        match item {
            Ok(frame) => {
                let judgements = notes.take(frame.location, &frame.entries);
                let mut known = frame.joins.known();
                let oldest = self.oldest;
                let entries = frame.entries.iter().zip(judgements);
                for (stored, judged) in entries.filter(|(stored, _)| stored.commit_id >= oldest) {
                    self.entry(stored, judged, &mut known);
                }
            }
            Err(Finding::Lost(loss)) => {
                let range = loss.range();
                self.chain.hole(loss.first.0, loss.end(), range.as_ref());
            }
            Err(_) => {}
        }
    }

    fn entry(
        &mut self,
        stored: &StoredEntry,
        judged: Result<Judged, EntryError>,
        known: &mut KnownJoins<'_>,
    ) {
        let chain = &mut self.chain;
        if stored.commit_id.0 != chain.next() {
            let missing = Some((chain.next(), stored.commit_id.0.saturating_sub(1)));
            chain
                .report
                .find(FindingKind::Lost, missing, "missing without a trace");
            chain.hole(chain.next(), stored.commit_id.0, None);
        }
        if let Some(payload) = chain.judged(stored.leaf_hash, judged, known) {
            self.retired.take(stored.commit_id.0, &payload);
            chain.report.unkept.hear(stored.commit_id.0, &payload);
        }
    }
}

/// Files of segments that are not as they must be, though nothing is wrong with what is read of them. A segment
/// that the log has not reached yet holds nothing: a backup may leave it out.
fn tell_files<V: ReadVolume, T: ReadTruth>(
    reader: &Reader<V, T>,
    findings: &[Finding],
    lacking: &BTreeMap<u32, String>,
    report: &mut Report,
) {
    let told = |segment: u32| {
        findings.iter().any(|finding| match finding {
            Finding::Lost(loss) => loss.segment == segment,
            Finding::SegmentHeaderDamaged { segment: at, .. } => *at == segment,
            _ => false,
        })
    };
    let reached =
        |segment: u32| reader.oldest_lap() > 1 || u64::from(segment) < reader.committed_end().lap;
    for (segment, words) in lacking {
        if reached(*segment) && !told(*segment) {
            let words = format!("segment {segment}: {words}");
            report.find_harmless(FindingKind::File, None, words, Some(NOT_MISSED));
        }
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

/// The truth store says where the log ends, and with which root; and how high the firmware's version was.
fn compare_truth<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>, chain: &mut Chain<'_>) {
    chain.firmware_in_truth(reader.firmware());
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

fn note(finding: &Finding, all: &[Finding], lacking: &BTreeMap<u32, String>, report: &mut Report) {
    let cure = harmless(finding, all);
    let (kind, entries) = match finding {
        Finding::FrameRestored { first, count, .. } => (
            FindingKind::Damaged,
            Some((first.0, first.0 + count.saturating_sub(1))),
        ),
        Finding::SegmentHeaderDamaged { segment, lap } => {
            if let Some(words) = lacking.get(segment) {
                let words = format!("segment {segment}, lap {lap}: {words}");
                let cure = cure.map(|_| NOT_MISSED);
                return report.find_harmless(FindingKind::File, None, words, cure);
            }
            (FindingKind::Damaged, None)
        }
        Finding::SegmentDisplaced { .. } => {
            let cure = "cure       put the files back into their own places; the node does not start before that";
            return report.find(FindingKind::File, None, format!("{finding}\n{cure}"));
        }
        Finding::RootMismatch { .. } => (FindingKind::Root, None),
        Finding::TruthBehind { size, seen_to } => {
            (FindingKind::Truth, Some((*size, seen_to.saturating_sub(1))))
        }
        Finding::TruthLost => {
            let cure = "cure       start the node: it goes on behind the newest frame, and its log says that this end is uncertain";
            return report.find(FindingKind::Truth, None, format!("{finding}\n{cure}"));
        }
        // All of them: that is one finding.
        Finding::TruthCopyDamaged { .. } if all.contains(&Finding::TruthLost) => return,
        Finding::TruthCopyDamaged { .. }
        | Finding::TruthCopyOld { .. }
        | Finding::LeaseCopyDamaged { .. } => (FindingKind::Truth, None),
        Finding::Lost(_) | Finding::Retired { .. } => return,
    };
    report.find_harmless(kind, entries, finding.to_string(), cure);
}
