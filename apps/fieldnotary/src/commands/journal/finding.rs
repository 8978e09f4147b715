//! What `fsck` finds: where, which entries, what it means, and what can be done.

use super::cure;
use super::place::Place;
use crate::commands::keep_check::KeepLook;
use crate::commands::words;
use evidence::reasons::LossCause;
use journal::image::{self, Identity, State};
use journal::limits::{TRUTH_COPIES, TRUTH_SLOT_BYTES};
use journal::{Displaced, ReadTruth, ReadVolume, Reader, Salvage, Scrub, TruthHealth};
use media::{Found, FoundTruth};
use query::FindingKind;
use serde_json::{Value, json};

/// Entries elsewhere: the collector's, or a backup's.
const READ_ELSEWHERE: &str = "leave all as it is, the rest stays readable; these entries may be at the \
                              collector or in a backup (fieldnotary log COLLECTOR-DIR, or restore BACKUP)";
/// What is done about an older truth store in the place of the newest: every verb says this.
pub(in crate::commands) const OLD_TRUTH_CURE: &str = "nothing has to be put back: start the node. It takes in all frames that \
     follow, loses none of them by this, and the log tells that its truth store was an older one";
/// What cannot be read at all.
const LOOK_AT_MEDIUM: &str =
    "look whether the medium fails (dmesg), and copy the directory before anything else";

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Finding {
    pub(in crate::commands) kind: FindingKind,
    /// The file, or the part of the truth store.
    pub(in crate::commands) file: String,
    /// Where in it, in bytes.
    pub(super) offset: Option<u64>,
    /// First and last commit id concerned.
    pub(in crate::commands) entries: Option<(u64, u64)>,
    /// What it means.
    pub(in crate::commands) words: String,
    /// What can be done.
    pub(in crate::commands) cure: String,
}

impl Finding {
    pub(super) fn new(
        kind: FindingKind,
        file: impl Into<String>,
        words: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            file: file.into(),
            offset: None,
            entries: None,
            words: words.into(),
            cure: String::new(),
        }
    }

    pub(super) fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(super) fn of(mut self, first: u64, end: u64) -> Self {
        self.entries = (end > first).then(|| (first, end - 1));
        self
    }

    pub(super) fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }

    pub(in crate::commands) fn place(&self) -> String {
        match self.offset {
            Some(offset) => format!("{} byte {offset}", self.file),
            None => self.file.clone(),
        }
    }

    pub(in crate::commands) fn json(&self) -> Value {
        json!({
            "kind": self.kind.name(),
            "failure": self.kind.is_failure(),
            "file": self.file,
            "offset": self.offset,
            "first": self.entries.map(|(first, _)| first),
            "last": self.entries.map(|(_, last)| last),
            "words": self.words,
            "cure": self.cure,
        })
    }
}

/// What is wrong with the files as such.
///
/// `log` is the log in them as it was opened: a segment that it has not reached yet holds nothing.
pub(super) fn of_files<V: ReadVolume, T: ReadTruth>(
    place: &Place,
    log: Option<&Reader<V, T>>,
) -> Vec<Finding> {
    let reached = |segment: u32| log.is_none_or(|log| has_reached(log, segment));
    let mut found = of_measures(place);
    found.extend(of_segments(place, reached));
    found.extend(of_store(place));
    found
}

/// Whether a log stood in a segment as far as anybody can tell: a file that is missing before that lacks nothing.
pub(in crate::commands) fn has_reached<V: ReadVolume, T: ReadTruth>(
    log: &Reader<V, T>,
    segment: u32,
) -> bool {
    log.truth_health().0 == TruthHealth::Lost
        || log.oldest_lap() > 1
        || u64::from(segment) < log.committed_end().lap
}

/// Why `ring.json` was not taken.
pub(super) fn of_measures(place: &Place) -> Vec<Finding> {
    let why = place.measures.objection.iter();
    why.map(|why| {
        let source = place.measures.source.name();
        let words = format!("not to be used: {why}; the measures are {source}");
        Finding::new(FindingKind::File, "ring.json", words).cure(cure::of_measures(place))
    })
    .collect()
}

/// Segments whose files are not as they must be.
fn of_segments(place: &Place, reached: impl Fn(u32) -> bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let due = place.measures.shape.segment_bytes;
    for segment in 0..place.measures.shape.segments {
        let name = media::segment_file_name(segment);
        let words = match place.volume.found(segment) {
            Found::Bytes(bytes) if *bytes == due => continue,
            Found::Bytes(bytes) => format!("{bytes} bytes, {due} are due"),
            Found::Missing => "missing".to_owned(),
            Found::Refused(why) => format!("cannot be read: {why}"),
        };
        if !reached(segment) {
            let words =
                format!("{words}; the log has not reached this segment, so nothing stood in it");
            let cure =
                "nothing is lost: the node passes it over, and its ring keeps that much less";
            found.push(Finding::new(FindingKind::NotCovered, name, words).cure(cure));
            continue;
        }
        let cure = "leave all as it is; if the file is elsewhere, put it back before the node starts: \
                    what stood in it is given up by name when its place is used again";
        found.push(Finding::new(FindingKind::File, name, words).cure(cure));
    }
    found
}

/// A truth store that is not there, or not to be used.
pub(super) fn of_store(place: &Place) -> Option<Finding> {
    let due = FoundTruth::BYTES;
    let path = place.truth.path();
    let file = path.display().to_string();
    let found = |words: String, cure: String| {
        Some(Finding::new(FindingKind::Truth, file.clone(), words).cure(cure))
    };
    if let Some((_, why)) = &place.foreign {
        let words = format!(
            "{}; it is not used, and the end of the log is found by scanning",
            why.words()
        );
        return found(words, cure::of_store(place, path));
    }
    let words = match place.truth.found() {
        // A device may hold more behind the store.
        Found::Bytes(bytes) if *bytes >= due => return None,
        Found::Bytes(bytes) => {
            let cure = cure::of_cut_store(place, path);
            return found(format!("{bytes} bytes, {due} are due"), cure);
        }
        Found::Missing => "missing: the end of the log is found by scanning".to_owned(),
        Found::Refused(why) => {
            let cure = "look whether its medium is there and can be read: without it the node does not start";
            return found(format!("cannot be read: {why}"), cure.to_owned());
        }
    };
    found(words, cure::of_store(place, path))
}

/// What was set aside, and what lies in the place of another.
pub(super) fn of_parts<V: ReadVolume, T: ReadTruth>(salvage: &Salvage<'_, V, T>) -> Vec<Finding> {
    let segments = salvage.aside_segments().iter();
    let segments = segments.map(|(segment, state)| of_aside_segment(*segment, *state));
    let slots = salvage.aside_slots().iter();
    let slots = slots.map(|(slot, copy, state)| of_aside_slot(*slot, *copy, *state));
    let displaced = salvage.displaced().iter().map(of_displaced);
    segments.chain(slots).chain(displaced).collect()
}

/// A segment that was set aside.
pub(super) fn of_aside_segment(segment: u32, state: State) -> Finding {
    let file = media::segment_file_name(segment);
    let words = aside_words("this segment", state);
    let cure = "put this ring's own file back; until then its entries count as lost";
    Finding::new(FindingKind::File, file, words).cure(cure)
}

/// A copy of a truth slot that was set aside.
fn of_aside_slot(slot: u32, copy: u32, state: State) -> Finding {
    let words = aside_words(&format!("copy {copy} of slot {slot}"), state);
    let cure = "put this ring's own truth store back";
    Finding::new(FindingKind::Truth, "truth store", words)
        .at(slot_offset(slot, copy))
        .cure(cure)
}

fn aside_words(what: &str, state: State) -> String {
    format!("{what} {}; it is set aside", stranger_words(state))
}

/// What is said of a part that is not of this log and ring.
pub(super) const fn stranger_words(state: State) -> &'static str {
    match state {
        State::Foreign => "belongs to another log or generation",
        State::Newer => "was written by a newer version of this program",
        State::OtherShape => "belongs to a ring of other measures",
        State::Sound | State::Blank | State::Damaged | State::Elsewhere | State::Unreadable(_) => {
            "is not of this ring"
        }
    }
}

fn slot_offset(slot: u32, copy: u32) -> u64 {
    let number = u64::from(slot) * u64::from(TRUTH_COPIES) + u64::from(copy);
    number * TRUTH_SLOT_BYTES as u64
}

/// A segment that lies in the place of another.
fn of_displaced(one: &Displaced) -> Finding {
    let file = media::segment_file_name(one.lies);
    let home = media::segment_file_name(one.belongs);
    let (words, cure) = match one.read {
        true => (
            format!("it holds the content of {home}, and is read as that: nothing in it is lost"),
            format!(
                "give the file the name {home} again, by way of a third name where two were exchanged; the node does \
                 not start before that"
            ),
        ),
        false => (
            format!("it holds a copy of the content of {home}, which is in its own place too"),
            "put this segment's own file back before the node starts; until then its entries count as lost"
                .to_owned(),
        ),
    };
    Finding::new(FindingKind::File, file, words).cure(cure)
}

/// What is wrong with a keep-ring.
pub(super) fn of_keep(look: &KeepLook) -> Vec<Finding> {
    let file = format!("keep-{}", look.store.name());
    let harm = look.harm.iter().map(|words| {
        Finding::new(FindingKind::File, file.clone(), words.clone()).cure(
            "leave all as it is; put the files back if they are elsewhere: the node makes a new keep-ring, and \
             what was kept may be at the collector or in a backup",
        )
    });
    // One cause: what the missing files held.
    let damaged = look.damaged.iter().filter(|_| look.harm.is_none());
    let damaged = damaged.map(|(first, end)| {
        Finding::new(
            FindingKind::Damaged,
            file.clone(),
            "what was kept of these entries cannot be read; the others that it keeps can",
        )
        .of(*first, *end)
        .cure(READ_ELSEWHERE)
    });
    harm.chain(damaged).collect()
}

/// What the journal's reader found, each cause once: what follows from a file that is not as it must be is not
/// said again of the parts that were in it.
pub(super) fn of_scrub<V: ReadVolume, T: ReadTruth>(
    place: &Place,
    salvage: &Salvage<'_, V, T>,
    scrub: &Scrub,
) -> Vec<Finding> {
    use journal::Finding as Of;
    let due = place.measures.shape.segment_bytes;
    let file_told = |segment: u32| {
        !matches!(place.volume.found(segment), Found::Bytes(bytes) if *bytes == due)
            || salvage.aside_segments().iter().any(|one| one.0 == segment)
            || salvage.displaced().iter().any(|one| one.lies == segment)
    };
    let truth_told =
        !matches!(place.truth.found(), Found::Bytes(bytes) if *bytes >= FoundTruth::BYTES);
    let lost = scrub.findings.contains(&Of::TruthLost);
    let aside = |slot: u32, copy: u32| {
        let mut all = salvage.aside_slots().iter();
        all.any(|one| (one.0, one.1) == (slot, copy))
    };
    let damaged = |slot: u32, copy: u32| {
        scrub
            .findings
            .contains(&Of::TruthCopyDamaged { slot, copy })
    };
    let both = |slot: u32| (0..TRUTH_COPIES).all(|copy| damaged(slot, copy));
    let finding = |one: &Of| match one {
        Of::SegmentHeaderDamaged { segment, .. } if file_told(*segment) => None,
        Of::SegmentHeaderDamaged { segment, lap } => {
            Some(of_header(place, salvage.identity(), *segment, *lap))
        }
        Of::TruthLost if truth_told => None,
        Of::TruthCopyDamaged { slot, copy } => match (lost || truth_told, both(*slot)) {
            (true, _) => None,
            _ if aside(*slot, *copy) => None,
            (false, true) if *copy > 0 => None,
            (false, true) => Some(of_both(*slot)),
            (false, false) => of_reader(one, &scrub.unnamed),
        },
        Of::LeaseCopyDamaged { .. } if truth_told => None,
        Of::LeaseCopyDamaged { copy } => {
            let all = (0..TRUTH_COPIES)
                .all(|copy| scrub.findings.contains(&Of::LeaseCopyDamaged { copy }));
            match (all, *copy) {
                (true, 0) => Some(of_leases()),
                (true, _) => None,
                (false, _) => of_reader(one, &scrub.unnamed),
            }
        }
        other => of_reader(other, &scrub.unnamed),
    };
    let cured = |one: &Of| {
        let found = finding(one)?;
        Some(match query::harmless(one, &scrub.findings) {
            Some(cure) => found.cure(cure),
            None => found,
        })
    };
    scrub.findings.iter().filter_map(cured).collect()
}

/// Both copies of a slot.
fn of_both(slot: u32) -> Finding {
    let words = format!(
        "both copies of slot {slot} are damaged: the other slot says where the log ends, and may be one commit older"
    );
    Finding::new(FindingKind::Truth, "truth store", words).at(slot_offset(slot, 0))
}

/// Both copies of the lease table.
fn of_leases() -> Finding {
    let words = "both copies of the lease table are damaged: which numbers are used is only told by the log";
    Finding::new(FindingKind::Truth, "truth store", words)
}

/// The header of a segment that is not the one that is due, with what is there instead.
fn of_header(place: &Place, identity: Identity, segment: u32, lap: u64) -> Finding {
    let header = image::segment(&place.volume, identity, segment);
    let words = match (header.state, header.number("lap")) {
        (State::Sound, Some(found)) => {
            format!(
                "its header is of lap {found}, and lap {lap} is due: an older copy of the file lies here"
            )
        }
        (State::Blank, _) => format!("its header is blank, and that of lap {lap} is due"),
        (State::Unreadable(error), _) => format!("the header of lap {lap} cannot be read: {error}"),
        _ => format!(
            "the header of lap {lap} is damaged: its check does not hold; the frames behind it are judged by \
             their own"
        ),
    };
    Finding::new(
        FindingKind::Damaged,
        media::segment_file_name(segment),
        words,
    )
    .at(0)
    .cure("nothing: it is written anew when the ring comes round")
}

/// What the journal's reader found; `unnamed` are the losses that no entry of the log names.
fn of_reader(finding: &journal::Finding, unnamed: &[journal::Loss]) -> Option<Finding> {
    use journal::Finding as Of;
    let segment_file = |segment: u32| media::segment_file_name(segment);
    let truth = |words: String| Finding::new(FindingKind::Truth, "truth store", words);
    Some(match finding {
        // Of these it is said file by file.
        Of::Retired { .. } | Of::SegmentDisplaced { .. } => return None,
        Of::Lost(loss) => of_loss(loss, unnamed.contains(loss)),
        Of::FrameRestored {
            first,
            count,
            segment,
            offset,
        } => {
            let words =
                "the frame is damaged, and the tree proves every entry in it: nothing is lost";
            Finding::new(FindingKind::Damaged, segment_file(*segment), words)
                .at(*offset)
                .of(first.0, first.0.saturating_add(*count))
        }
        Of::SegmentHeaderDamaged { segment, lap } => {
            let words =
                format!("the header of lap {lap} is damaged; its frames speak for themselves");
            Finding::new(FindingKind::Damaged, segment_file(*segment), words)
                .at(0)
                .cure("nothing: it is written anew when the ring comes round")
        }
        Of::TruthCopyDamaged { slot, copy } => {
            truth(format!("copy {copy} of slot {slot} is damaged")).at(slot_offset(*slot, *copy))
        }
        Of::TruthCopyOld { slot, copy } => truth(format!(
            "copy {copy} of slot {slot} is older than the other"
        ))
        .at(slot_offset(*slot, *copy)),
        Of::LeaseCopyDamaged { copy } => {
            truth(format!("copy {copy} of the lease table is damaged"))
        }
        Of::TruthLost => {
            truth("no slot is readable; the end of the log was found by scanning".to_owned())
                .cure("the node starts with an end that is said to be uncertain")
        }
        Of::TruthBehind { size, seen_to } => {
            let words = format!(
                "it ends the log at entry {size}, but committed frames reach to {seen_to}: it is older than the log \
                 by {}, and was put in the place of the newest",
                words::count(seen_to.saturating_sub(*size), "entry", "entries")
            );
            truth(words).of(*size, *seen_to).cure(OLD_TRUTH_CURE)
        }
        Of::RootMismatch { size } => root(*size),
    })
}

/// Frames that lead elsewhere than the truth store says.
pub(super) fn root(size: u64) -> Finding {
    let words = format!("the entries up to {size} lead to another root than the truth store names");
    Finding::new(FindingKind::Root, "truth store", words)
        .cure("verify the directory: truth store and segments are not of one moment")
}

fn of_loss(loss: &journal::Loss, unnamed: bool) -> Finding {
    let (first, end) = (loss.first.0, loss.end());
    let file = media::segment_file_name(loss.segment);
    let (kind, words, cure) = match unnamed {
        false => (
            FindingKind::LossNamed,
            format!(
                "lost ({}), and a LOSS entry of the log names them",
                loss.cause
            ),
            "nothing: the log accounts for them",
        ),
        true => (FindingKind::Lost, lost_words(loss), READ_ELSEWHERE),
    };
    let finding = Finding::new(kind, file, words).of(first, end).cure(cure);
    match loss.cause {
        LossCause::SegmentMissing => finding,
        _ => finding.at(loss.offset),
    }
}

fn lost_words(loss: &journal::Loss) -> String {
    let proof = match loss.hashes {
        Some(_) => "their hashes are known, so proofs lead across them",
        None => "their hashes are gone with them, so no proof leads across them",
    };
    format!("these entries cannot be read ({}); {proof}", loss.cause)
}

/// An image of which no header is sound.
pub(super) fn nothing(words: String) -> Finding {
    Finding::new(FindingKind::Unreadable, "journal", words).cure(LOOK_AT_MEDIUM)
}
