//! A new generation: a ring of its own, whose first entries say what it follows and what it carries on.

use super::journal_file::{self, NodeJournal};
use super::ledger::{Ledger, is_first_number};
use super::startup::{self, Remembered};
use super::truth_place::TruthPlace;
use crate::acts::Act;
use crate::clock;
use crate::files::instead_of_a_log;
use crate::paths::DataDir;
use contract::Contract;
use evidence::frozen;
use evidence::kinds::{Audit, CounterSnapshot, EpochStart, Predecessor, SeqSkip, TimeMap};
use evidence::reasons::{AdoptionCause, EpochCause, Outcome, TruthClass};
use evidence::{
    Actor, Captured, CommitId, Digest, Generation, Kind, LogId, MonoNs, Payload, Seq, SourceId,
};
use journal::Reader;
use media::{FileTruth, FileVolume};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far to look back at first for the state that the new generation carries on.
const LOOK_BACK: u64 = 4_096;
/// Entries of one frame.
const GROUP_ENTRIES_MAX: usize = 2_048;

/// Who adopts, and why.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) cause: AdoptionCause,
    pub(crate) actor: Actor,
    pub(crate) reason: String,
    /// What is known of the directory, for the audit.
    pub(crate) about: String,
    /// Counts the segments that are made.
    pub(crate) segments: Arc<AtomicU64>,
}

/// The generation that begins.
#[derive(Clone, Debug)]
pub(crate) struct Adopted {
    pub(crate) generation: Generation,
    pub(crate) predecessor: Predecessor,
    /// Committed entries of the predecessor that no collector has cosigned, as far as this node knows.
    pub(crate) undelivered: u64,
    /// For every meter the numbers that are passed over: they begin behind the last one known.
    pub(crate) skips: Vec<SeqSkip>,
}

/// Begins the generation behind the newest one. It is there whole, or not at all.
pub(crate) fn adopt(data: &DataDir, log_id: LogId, order: &Order) -> Result<Adopted, String> {
    let journals = data.root().join("journal");
    let _only_writer = media::WriterLock::take(&journals).map_err(|error| error.to_string())?;
    let old = journal_file::newest_generation(data)?;
    let generation = Generation(old.0.saturating_add(1));
    place_is_free(data, generation)?;
    let reader = crate::commands::open_reader(data, old)?;
    if reader.size() == 0 {
        return Err(format!(
            "generation {old} holds no entry yet, so there is nothing to follow"
        ));
    }
    let (mut ledger, remembered) = carried_on(&reader);
    let predecessor = predecessor(&reader, old, &remembered, order.cause)?;
    let contract = ledger.contract().cloned();
    let now = clock::mono();
    let own = SourceId::new("recorder").map_err(|error| error.to_string())?;
    let mut state = ledger.freeze(&own);
    if let Some(contract) = &contract {
        // Behind the epoch entry.
        let commit = CommitId(1);
        state.push(startup::contract_counter(&own, &contract.digest(), commit));
    }
    // What locks an output locks it in the new generation too.
    state.extend(remembered.operated().tag_counters(&own));
    // And a version of a calibration is there what it was.
    let calibrations = remembered.calibrations.frozen();
    state.extend(calibrations.map(|(name, label, id)| startup::counter(&own, name, label, id)));
    // Nor does the highest firmware fall because a generation ends.
    let firmware = remembered.firmware.frozen().into_iter();
    state.extend(firmware.map(|(name, label, value)| startup::counter(&own, name, label, value)));
    let skips = ledger.adopt(generation, now);
    let state = frozen::snapshots(now, &own, &state);
    let storage = contract.as_ref().map(|contract| &contract.storage);
    let truth = TruthPlace::of_new_ring(storage, log_id, &data.journal(generation.0));
    let entries = entries(
        now,
        &predecessor,
        contract.as_ref(),
        state,
        &skips,
        audit(now, &predecessor, order, remembered.operated().open()),
        truth.class,
    );

    let building = journals.join("adopting");
    let kept = data.journal(generation.0);
    remove_draft(&building)?;
    let shape = journal_file::read_ring(&data.journal(old.0))?;
    let draft = journal_file::Draft {
        log_id,
        generation,
        boot_id: clock::boot_id(),
        shape,
        storage,
    };
    let count = |made: u32| order.segments.store(made.into(), Ordering::Relaxed);
    let mut journal = draft.create(data, &building, count)?;
    journal.note_firmware(
        remembered
            .firmware
            .highest()
            .unwrap_or(0)
            .max(reader.firmware()),
    );
    commit(&mut journal, &entries)?;
    journal
        .store_leases(journal_file::leases(&ledger))
        .map_err(|error| format!("the lease table of the new generation: {error}"))?;
    journal
        .close()
        .map_err(|error| format!("the new generation could not be closed: {error}"))?;
    std::fs::rename(&building, &kept)
        .and_then(|()| File::open(&journals)?.sync_all())
        .map_err(|error| format!("cannot put {} in its place: {error}", kept.display()))?;
    // Where the collector stands in the older tree says nothing of this one.
    let _ = std::fs::remove_file(data.standing());
    Ok(Adopted {
        undelivered: predecessor.size.saturating_sub(reader.cosigned_size()),
        generation,
        predecessor,
        skips,
    })
}

/// Whether a generation can be put in its place: nothing is there, or an empty folder.
///
/// # Errors
/// What is there instead, and how it is moved out of the way.
pub(crate) fn place_is_free(data: &DataDir, generation: Generation) -> Result<(), String> {
    let place = data.journal(generation.0);
    let shown = place.display();
    match std::fs::symlink_metadata(&place) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("cannot look at {shown}: {error}")),
        Ok(found) if found.is_dir() && is_empty(&place) => return Ok(()),
        Ok(_) => {}
    }
    Err(format!(
        "generation {generation} would be made in {shown}, but that {}; nothing was changed\n\
         move it away, and adopt again:\n  mv {shown} {}.moved",
        instead_of_a_log(&place),
        data.root().join(format!("g{:06}", generation.0)).display()
    ))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_none())
}

/// Windows, slots and contract as the entries tell them.
fn carried_on(reader: &Reader<FileVolume, FileTruth>) -> (Ledger, Remembered) {
    let leases = reader.leases().unwrap_or_default();
    let streams: Vec<_> = journal_file::streams(&leases).collect();
    let oldest = reader.oldest();
    let from = CommitId(reader.size().saturating_sub(LOOK_BACK)).max(oldest);
    for from in [from, oldest] {
        let mut ledger = Ledger::of(reader.generation(), streams.clone()).above(leases.floor);
        let remembered = startup::remember(reader, from, &mut ledger);
        // The frozen state and the contract stand together; a search that began between them looks again.
        if ledger.contract().is_some() && remembered.has_seal() || from == oldest {
            return (ledger, remembered);
        }
    }
    (
        Ledger::of(reader.generation(), streams).above(leases.floor),
        Remembered::default(),
    )
}

/// The end of the log that is left: its newest checkpoint where nothing but proofs stands behind it,
/// else all that is committed.
fn predecessor(
    reader: &Reader<FileVolume, FileTruth>,
    generation: Generation,
    remembered: &Remembered,
    cause: AdoptionCause,
) -> Result<Predecessor, String> {
    let size = reader.size();
    let named = |size: u64, root: [u8; 32], note: Option<String>| Predecessor {
        generation,
        size,
        root: Digest(root),
        checkpoint: note,
        cause: Some(cause),
    };
    let Some(sealed) = remembered.seal() else {
        return Ok(named(size, reader.root().0, None));
    };
    let note = Some(sealed.note.clone());
    let proofs_alone = reader.entries(CommitId(sealed.size)).all(|item| {
        let kind = item
            .ok()
            .and_then(|stored| Some(stored.entry().ok()?.header.kind));
        matches!(kind, Some(Kind::Checkpoint | Kind::Ack))
    });
    if !proofs_alone {
        return Ok(named(size, reader.root().0, note));
    }
    let tree = reader
        .frontier_at(sealed.size)
        .map_err(|error| format!("the tree of {} entries: {error}", sealed.size))?;
    Ok(named(sealed.size, tree.root().0, note))
}

/// Who adopts, and what that leaves behind.
fn audit<'a>(
    now: MonoNs,
    predecessor: &Predecessor,
    order: &Order,
    open: impl Iterator<Item = (CommitId, &'a str)>,
) -> Audit {
    // Nobody carries them out in the new generation, and what became of them here nobody said.
    let open: String = open
        .map(|(id, point)| format!("; command {id} of {point} is left without an outcome"))
        .collect();
    Audit {
        at: now,
        actor: order.actor.clone(),
        action: Act::Adopt.name().to_owned(),
        reason: order.reason.clone(),
        scope: format!("the log after generation {}", predecessor.generation),
        outcome: Outcome::Done,
        diff: Some(format!("{}; {}{open}", order.cause.name(), order.about)),
    }
}

fn entries(
    now: MonoNs,
    predecessor: &Predecessor,
    contract: Option<&Contract>,
    state: Vec<CounterSnapshot>,
    skips: &[SeqSkip],
    audit: Audit,
    truth_class: TruthClass,
) -> Vec<Payload> {
    let epoch = EpochStart {
        predecessor: Some(predecessor.clone()),
        ..EpochStart::new(now, EpochCause::Adoption, clock::boot_id(), truth_class)
    };
    let mut entries: Vec<Payload> = vec![epoch.into()];
    let parts = contract
        .into_iter()
        .flat_map(|contract| contract.parts(now));
    entries.extend(parts.map(Payload::from));
    entries.extend(state.into_iter().map(Payload::from));
    entries.push(audit.into());
    entries.extend(skips.iter().cloned().map(Payload::from));
    entries
}

fn commit(journal: &mut NodeJournal, entries: &[Payload]) -> Result<(), String> {
    let time = TimeMap::absent(clock::mono(), clock::utc());
    let stamped: Vec<_> = entries
        .iter()
        .map(|payload| (time.evaluate(payload.at()), Captured::new(payload)))
        .collect();
    let mut rest = stamped.as_slice();
    while !rest.is_empty() {
        let lengths = rest.iter().map(|(_, captured)| captured.capture.len());
        let fitting = journal.fitting(lengths).clamp(1, GROUP_ENTRIES_MAX);
        let (frame, after) = rest.split_at(fitting.min(rest.len()));
        journal
            .commit(frame, journal_file::salt()?)
            .map_err(|error| format!("the new generation could not be begun: {error}"))?;
        rest = after;
    }
    Ok(())
}

/// What an adoption that was interrupted left behind was never part of the log.
fn remove_draft(building: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(building) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", building.display()))
        }
        _ => Ok(()),
    }
}

/// The last number of a meter that the predecessor knows of its own, if it has any: a generation in which none was
/// taken begins to skip at its first.
pub(crate) fn last_known(skip: &SeqSkip) -> Option<Seq> {
    let last = skip.first.0.checked_sub(1).map(Seq);
    last.filter(|_| !is_first_number(skip.first.0))
}

#[cfg(test)]
mod tests {
    use super::last_known;
    use crate::roles::recorder::ledger::{Ledger, Verdict};
    use evidence::kinds::SeqSkip;
    use evidence::reasons::SkipCause;
    use evidence::{Generation, MeterId, MonoNs, Seq, Stream};

    fn stream(meter: &str) -> Stream {
        Stream::Meter(MeterId::new(meter).unwrap())
    }

    //= U4
    //= A4.2
    #[test]
    fn a_generation_counts_where_no_copy_of_the_one_before_can_reach() {
        let base = 1u64 << 32;
        // Known by its entries, by its lease alone, and not at all.
        let leases = [(stream("read"), 1_024), (stream("leased"), 1_024)];
        let mut ledger = Ledger::of(Generation(1), leases);
        let skip = SeqSkip {
            at: MonoNs(0),
            meter_id: MeterId::new("read").unwrap(),
            first: Seq(0),
            count: 40,
            cause: SkipCause::LeaseAbandoned,
        };
        ledger.observe(&skip.into());
        let skips = ledger.adopt(Generation(2), MonoNs(7));
        let told: Vec<_> = skips
            .iter()
            .map(|skip| {
                let last = last_known(skip).map(|seq| seq.0);
                let end = skip.first.0 + skip.count;
                (skip.meter_id.as_str(), last, end, skip.cause)
            })
            .collect();
        let cause = SkipCause::Adoption;
        assert_eq!(
            told,
            [
                ("leased", None, base, cause),
                ("read", Some(39), base, cause)
            ]
        );
        for meter in ["read", "leased", "new"] {
            let lease = ledger.extend(&stream(meter));
            assert_eq!(lease.next, base, "{meter}");
        }
        assert_eq!(ledger.verdict(&stream("read"), Seq(base)), Verdict::New);
        let known = ledger.verdict(&stream("read"), Seq(base - 1));
        assert_eq!(known, Verdict::Known);
        // Once more: the third generation is behind both.
        let skips = ledger.adopt(Generation(3), MonoNs(8));
        let told: Vec<_> = skips.iter().map(last_known).collect();
        assert_eq!(told, [None, None, None], "nothing ran in the second");
        assert!(
            skips
                .iter()
                .all(|skip| skip.first.0 + skip.count == 2 * base)
        );
    }
}
