//! The oracle: compares what was read and opened with what was committed and what the damage touched.

use std::ops::Range;

use evidence::reasons::{EpochCause, TruthClass};
use journal::limits::DEFERRED_COMMITS_MAX;
use journal::{Finding, Loss, StoredEntry, TruthHealth};
use proof::CompactRange;

use super::expect::{CopyState, Expect, Harm};
use super::findings;
use super::golden::{Golden, History};
use super::report::{Fault, Violation};
use super::subject::{After, Opening, Reading};

/// The entries that a log may hold: of the golden one up to a size, then what was committed later.
struct Known<'a> {
    golden: &'a Golden,
    size: u64,
    more: &'a [StoredEntry],
}

impl Known<'_> {
    fn entry(&self, id: u64) -> Option<&StoredEntry> {
        match id.checked_sub(self.size) {
            None => self.golden.entry(id),
            Some(later) => self.more.get(usize::try_from(later).ok()?),
        }
    }

    fn end(&self) -> u64 {
        self.size + self.more.len() as u64
    }

    fn range(&self, begin: u64, end: u64) -> CompactRange {
        let mut range = CompactRange::empty(begin);
        for entry in (begin..end).filter_map(|id| self.entry(id)) {
            range.push(entry.leaf_hash);
        }
        range
    }
}

/// Judges a reading of the damaged log.
pub(super) fn reading(golden: &Golden, expect: &Expect, read: &Reading) -> Vec<Violation> {
    let mut out = Vec::new();
    let known = Known {
        golden,
        size: golden.size(),
        more: &[],
    };
    let losses = items(&known, read, &mut out);
    let there = read.oldest..read.size.min(golden.size());
    let lost = exact(golden, expect, &losses, &there, &mut out);
    let scrubbed: Vec<&Loss> = read.findings.iter().filter_map(loss_of).collect();
    if scrubbed != losses {
        out.push((
            Fault::InexactLoss,
            "the scrub names other losses".to_owned(),
        ));
    }
    findings::false_ones(golden, expect, &read.findings, &mut out);
    findings::missing_ones(golden, expect, (&read.findings, &lost, &there), &mut out);
    end_of_reading(golden, expect, read, &mut out);
    probe(golden, read, &losses, &mut out);
    leases(golden, expect, read, &mut out);
    out
}

fn loss_of(finding: &Finding) -> Option<&Loss> {
    match finding {
        Finding::Lost(loss) => Some(loss),
        _ => None,
    }
}

/// Entry by entry: the right bytes in the right order, and no gap that no loss names.
fn items<'r>(known: &Known<'_>, read: &'r Reading, out: &mut Vec<Violation>) -> Vec<&'r Loss> {
    let mut next = read.oldest;
    let mut losses = Vec::new();
    for item in &read.items {
        let (first, end) = match item {
            Ok(entry) => {
                let id = entry.commit_id.0;
                match known.entry(id) {
                    None => out.push((Fault::Invented, format!("entry {id}"))),
                    Some(right) if right != entry => {
                        out.push((Fault::WrongData, format!("entry {id} has other bytes")));
                    }
                    Some(_) => {}
                }
                (id, id + 1)
            }
            Err(Finding::Lost(loss)) => {
                hashes(known, loss, out);
                losses.push(loss);
                (loss.first.0, loss.end())
            }
            Err(_) => continue,
        };
        if first > next {
            out.push((
                Fault::SilentLoss,
                format!("[{next}, {first}) without a word"),
            ));
        } else if first < next {
            out.push((Fault::InexactLoss, format!("[{first}, {next}) told twice")));
        }
        next = end;
    }
    if next < read.size {
        let size = read.size;
        out.push((
            Fault::SilentLoss,
            format!("[{next}, {size}) without a word"),
        ));
    } else if next > read.size.max(read.oldest) {
        out.push((
            Fault::Invented,
            format!("entries up to {next} of {}", read.size),
        ));
    }
    losses
}

fn hashes(known: &Known<'_>, loss: &Loss, out: &mut Vec<Violation>) {
    let (first, end) = (loss.first.0, loss.end());
    let right = loss.hashes.is_none()
        || end <= known.end() && loss.range() == Some(known.range(first, end));
    if !right {
        out.push((
            Fault::WrongData,
            format!("hashes of the loss [{first}, {end})"),
        ));
    }
}

/// Frame by frame: lost whole or not at all, and only where something of it is gone. Which frames are
/// lost.
fn exact(
    golden: &Golden,
    expect: &Expect,
    losses: &[&Loss],
    judged: &Range<u64>,
    out: &mut Vec<Violation>,
) -> Vec<bool> {
    let lost_of = |first: u64, end: u64| -> u64 {
        let overlap = |loss: &&Loss| loss.end().min(end).saturating_sub(loss.first.0.max(first));
        losses.iter().map(overlap).sum()
    };
    let mut lost_frames = Vec::new();
    for (at, frame) in golden.frames.iter().enumerate() {
        let harm = expect.frames[at];
        let lost = lost_of(frame.first, frame.end);
        lost_frames.push(lost > 0);
        if lost == 0 || frame.first < judged.start || frame.end > judged.end {
            continue;
        }
        let mut inexact = |what: &str| {
            let (first, end) = (frame.first, frame.end);
            out.push((Fault::InexactLoss, format!("frame [{first}, {end}) {what}")));
        };
        if harm == Harm::None && expect.last_epoch_unknown(golden, at) {
            continue;
        }
        if lost != frame.end - frame.first {
            inexact("is lost in part");
        }
        if harm == Harm::None {
            inexact("is named lost and was never touched");
        } else if harm == Harm::Around && expect.single {
            inexact("is named lost and its entries are whole");
        }
        let before_whole = at == 0 || expect.frames[at - 1] == Harm::None;
        let behind_whole = expect.frames.get(at + 1).unwrap_or(&Harm::None) == &Harm::None;
        let named = losses.iter().find(|loss| loss.first.0 == frame.first);
        // Without the header of a lap nobody knows where the lap before it ends.
        let bounded =
            !expect.headers.contains(&frame.lap) && !expect.headers.contains(&(frame.lap + 1));
        if before_whole
            && bounded
            && let Some(loss) = named
            && (loss.segment as usize, loss.offset) != (frame.segment, frame.bytes.start as u64)
        {
            let (segment, offset) = (loss.segment, loss.offset);
            inexact(&format!(
                "is lost elsewhere: segment {segment} byte {offset}"
            ));
        }
        if before_whole
            && behind_whole
            && expect.single
            && named.is_none_or(|loss| loss.hashes.is_none())
        {
            inexact("is lost alone, and the tree with it");
        }
    }
    lost_frames
}

/// Whether the reader sees the log to its end, or says that it may not.
fn end_of_reading(golden: &Golden, expect: &Expect, read: &Reading, out: &mut Vec<Violation>) {
    let (size, whole) = (read.size, golden.size());
    let newest_changed = expect.slot_changed(golden.newest_slot);
    let behind = |finding: &Finding| matches!(finding, Finding::TruthBehind { .. });
    // As far as a crash may leave a truth store of this class behind; whoever opens the log takes that up.
    let lag_max = match golden.class {
        TruthClass::SameDeviceDeferred => DEFERRED_COMMITS_MAX as usize + 1,
        TruthClass::Independent | TruthClass::SameDeviceSync => 1,
    };
    let stated = matches!(read.health, TruthHealth::SlotLost | TruthHealth::Lost)
        || read.findings.iter().any(behind)
        || golden.frames_behind(size) <= lag_max;
    if size > whole {
        out.push((Fault::Invented, format!("{size} entries of {whole}")));
    } else if size < whole && !(newest_changed && stated) {
        out.push((Fault::SilentLoss, format!("{size} entries of {whole}")));
    } else if size == whole && read.root != golden.root {
        out.push((Fault::WrongData, "another root".to_owned()));
    }
    // Without a truth store the oldest lap is told by what stands in the ring.
    let ring_whole =
        expect.headers.is_empty() && !expect.frames.iter().any(|harm| *harm != Harm::None);
    if read.oldest > golden.oldest && (ring_whole || !expect.truth_lost()) {
        let (oldest, right) = (read.oldest, golden.oldest);
        out.push((
            Fault::SilentLoss,
            format!("begins at {oldest}, not at {right}"),
        ));
    }
    if read.health != expect.health() {
        let (is, right) = (read.health, expect.health());
        out.push((
            Fault::Undetected,
            format!("truth store {is:?}, it is {right:?}"),
        ));
    }
}

/// An entry asked for by itself is what it was in the row, and the tree before it is the log's.
fn probe(golden: &Golden, read: &Reading, losses: &[&Loss], out: &mut Vec<Violation>) {
    let (id, answer, tree) = &read.probe;
    if *id < read.oldest {
        return;
    }
    let in_row = read
        .items
        .iter()
        .flatten()
        .find(|entry| entry.commit_id.0 == *id);
    let same = match (answer, in_row) {
        (None, _) => *id >= read.size,
        (Some(Ok(entry)), in_row) => Some(entry) == in_row,
        (Some(Err(Finding::Lost(loss))), None) => (loss.first.0..loss.end()).contains(id),
        (Some(Err(_)), _) => false,
    };
    if !same {
        let alone = match answer {
            Some(Err(finding)) => finding.to_string(),
            Some(Ok(entry)) => format!("entry {}", entry.commit_id),
            None => "behind the end".to_owned(),
        };
        let in_row = if in_row.is_some() { "is" } else { "is not" };
        let what = format!("entry {id} {in_row} read in its row; by itself: {alone}");
        out.push((Fault::WrongData, what));
    }
    match tree {
        Some(tree) if golden.tree(*id) != Some(tree) => {
            out.push((Fault::WrongData, format!("another tree before entry {id}")));
        }
        None if losses.is_empty() && *id <= read.size => {
            out.push((Fault::InexactLoss, format!("no tree before entry {id}")));
        }
        _ => {}
    }
}

fn leases(golden: &Golden, expect: &Expect, read: &Reading, out: &mut Vec<Violation>) {
    match &read.leases {
        Some(leases) if *leases != golden.leases => {
            out.push((Fault::WrongData, "other leases".to_owned()));
        }
        Some(_) if expect.tables_lost() => {
            out.push((Fault::Invented, "leases without a sound table".to_owned()));
        }
        None if !expect.tables_lost() => {
            out.push((Fault::SilentLoss, "no leases from a sound table".to_owned()));
        }
        _ => {}
    }
}

/// Judges an opening of the damaged log, and how it went on.
pub(super) fn opening(golden: &Golden, expect: &Expect, open: &Opening) -> Vec<Violation> {
    let mut out = Vec::new();
    let recovery = &open.recovery;
    let losses: Vec<&Loss> = recovery.losses.iter().collect();
    let lost = exact(golden, expect, &losses, &(0..open.size), &mut out);
    let newest_lap = golden.frames.last().map_or(0, |frame| frame.lap);
    for ((frame, harm), lost) in golden.frames.iter().zip(&expect.frames).zip(lost) {
        let newest = frame.lap == newest_lap && frame.end <= open.size;
        // What lies elsewhere and is proven by the tree is not lost, if recovery says that it was found so.
        let first = frame.first;
        let restored = recovery.findings.iter().any(
            |finding| matches!(finding, Finding::FrameRestored { first: of, .. } if of.0 == first),
        );
        if newest && *harm == Harm::Entries && !lost && !restored {
            out.push((
                Fault::Undetected,
                format!("recovery passes over entry {first}"),
            ));
        }
    }
    findings::false_ones(golden, expect, &recovery.findings, &mut out);
    end_of_opening(golden, expect, open, &mut out);
    if recovery.truth != expect.health() {
        let (is, right) = (recovery.truth, expect.health());
        out.push((
            Fault::Undetected,
            format!("truth store {is:?}, it is {right:?}"),
        ));
    }
    if recovery.leases_lost != expect.tables_lost() {
        out.push((Fault::Undetected, "the loss of the leases".to_owned()));
    }
    let cause = match golden.history {
        _ if expect.truth_lost() => EpochCause::TruthLost,
        History::Orderly => EpochCause::OrderlyStart,
        History::Scarred => EpochCause::Recovery,
    };
    let truth_sound = expect.slots.iter().all(|copy| *copy == CopyState::Whole);
    if (truth_sound || expect.truth_lost()) && recovery.cause != cause {
        out.push((
            Fault::FalseAlarm,
            format!("begins because of {}", recovery.cause),
        ));
    }
    if let Some(after) = &open.after {
        went_on(golden, expect, (open, after), &mut out);
    }
    out
}

fn end_of_opening(golden: &Golden, expect: &Expect, open: &Opening, out: &mut Vec<Violation>) {
    let (size, whole) = (open.size, golden.size());
    let recovery = &open.recovery;
    let next = golden.frames.iter().position(|frame| frame.first == size);
    let next_whole = next.is_some_and(|at| expect.frames[at] == Harm::None);
    let stated = recovery.uncertain.is_some_and(|doubt| doubt.from.0 <= size);
    if size > whole {
        out.push((Fault::Invented, format!("{size} entries of {whole}")));
    } else if size < whole && (next_whole || !stated) {
        out.push((
            Fault::SilentLoss,
            format!("opened at {size} of {whole} entries"),
        ));
    } else if size == whole && open.root != golden.root {
        out.push((Fault::WrongData, "opened with another root".to_owned()));
    }
    if recovery.uncertain.is_some() && !expect.may_doubt(golden) {
        out.push((Fault::FalseAlarm, "doubts a certain end".to_owned()));
    }
    if recovery.uncertain.is_none() {
        // More than the frame under way, and the one that a lost slot may have known.
        let before = size.saturating_sub(recovery.rolled_forward);
        let rolled = golden.frames_behind(before) - golden.frames_behind(size);
        let crashed = golden.history == History::Scarred;
        if crashed && golden.class == TruthClass::SameDeviceDeferred {
            let what = "a crash, and no doubt about a deferred truth store";
            out.push((Fault::Undetected, what.to_owned()));
        } else if rolled > 2 {
            let what = format!("{rolled} frames rolled forward, and no doubt");
            out.push((Fault::Undetected, what));
        }
    }
    if recovery.rolled_forward > 0 && !expect.slot_changed(golden.newest_slot) {
        let rolled = recovery.rolled_forward;
        out.push((
            Fault::FalseAlarm,
            format!("{rolled} entries said to be new"),
        ));
    }
}

/// Whoever goes on loses nothing more, and nothing is named twice.
fn went_on(
    golden: &Golden,
    expect: &Expect,
    (open, after): (&Opening, &After),
    out: &mut Vec<Violation>,
) {
    let known = Known {
        golden,
        size: open.size,
        more: &after.committed,
    };
    let read = &after.reading;
    let losses = items(&known, read, out);
    let expect = Expect {
        restarted: true,
        ..expect.clone()
    };
    exact(golden, &expect, &losses, &(read.oldest..open.size), out);
    let mut tree = golden.tree(open.size).cloned().unwrap_or_default();
    for entry in &after.committed {
        tree.push(entry.leaf_hash);
    }
    if (read.size, read.root) != (known.end(), tree.root()) {
        out.push((Fault::WrongData, "another tree after going on".to_owned()));
    }
    let again = after.again.losses.iter();
    // What was committed onto a sector that cannot be read is a loss of its own, and names nothing.
    let names_lost = losses.iter().any(|loss| loss.end() > open.size);
    if !names_lost && let Some(loss) = again.into_iter().find(|loss| loss.first.0 < open.size) {
        out.push((Fault::InexactLoss, format!("named twice: {}", loss.first)));
    }
    let deferred = golden.class == TruthClass::SameDeviceDeferred;
    if after.again.cause == EpochCause::OrderlyStart {
        let what = "a log that was not closed counts as closed";
        out.push((Fault::WrongData, what.to_owned()));
    }
    if after.again.uncertain.is_some() && !deferred {
        out.push((
            Fault::FalseAlarm,
            "doubts the end that it went on from".to_owned(),
        ));
    }
}
