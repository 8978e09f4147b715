//! From whatever the last run left to a recorder that may take records.

use super::committer::{Committer, SealState};
use super::feed::Feed;
use super::given_up::GivenUp;
use super::journal_file::{self, NodeJournal};
use super::ledger::Ledger;
use super::sealer::Head;
use super::slots::StartKind;
use super::stats::Stats;
use super::work::Work;
use crate::clock;
use crate::lately::Lately;
use crate::paths::DataDir;
use contract::Contract;
use evidence::kinds::{Counter, EpochStart, TimeMap};
use evidence::reasons::{CounterState, EpochCause};
use evidence::{BootId, CommitId, Digest, LogId, MonoNs, Payload, SourceId};
use journal::{Reader, Recovery};
use media::{FileTruth, FileVolume};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Counter under which the commit id of the configuration in force outlives its segment.
const CONTRACT_COMMIT: &str = "contract_commit";

/// How far to look back at first where a segment has no frozen state; doubles.
const REMEMBER_STEP: u64 = 4_096;

/// What committed entries told of the run before.
#[derive(Debug, Default)]
struct Remembered {
    epoch: Option<(BootId, MonoNs)>,
    contract: Option<(String, u64)>,
    sealed: Option<evidence::kinds::Checkpoint>,
    cosigned_size: u64,
    given_up: GivenUp,
    lately: Lately,
}

/// Opens the log, commits what recovery found, and makes the committer.
pub(super) fn begin(
    contract: Contract,
    data: &DataDir,
    log_id: LogId,
    node_started: MonoNs,
    heads: SyncSender<Head>,
    work: SyncSender<Work>,
) -> Result<Committer, String> {
    let began = clock::mono();
    let boot_id = clock::boot_id();
    let (journal, recovery) = journal_file::open(data, &contract.storage, log_id, boot_id)?;
    let reader = read_only(data, &journal)?;
    let mut ledger = Ledger::new(journal_file::streams(journal.leases()).collect::<Vec<_>>());
    let mut remembered = remember(&reader, &journal, &mut ledger);
    let cosigned_size = remembered.cosigned_size.max(journal.cosigned_size());
    remembered.given_up.cosigned_to(cosigned_size);
    let own = SourceId::new("recorder").map_err(|error| error.to_string())?;
    let origin = format!("{}/g{}", contract.station.origin, journal.generation());
    let mut committer = Committer {
        ledger,
        stats: Stats::default(),
        lately: remembered.lately,
        contract_commit: CommitId(0),
        origin,
        boot_id,
        truth_degraded: recovery.as_ref().is_some_and(Recovery::truth_degraded),
        start: start_kind(recovery.as_ref(), remembered.epoch, boot_id, node_started),
        time: TimeMap::absent(clock::mono(), clock::utc()),
        markers: data.markers(),
        feed: Arc::new(Feed::new(reader, work)),
        heads,
        seal: SealState {
            sealed_size: remembered
                .sealed
                .as_ref()
                .map_or(0, |sealed| sealed.size)
                .max(journal.sealed_size()),
            root: remembered.sealed.as_ref().map(|sealed| sealed.root),
            custody: remembered.sealed.as_ref().map(|sealed| sealed.custody),
            note: remembered.sealed.map(|sealed| sealed.note),
            cosigned_size,
            ..SealState::default()
        },
        alive: BTreeSet::new(),
        named_losses: BTreeSet::new(),
        given_up: remembered.given_up,
        standing: data.standing(),
        own,
        staged: Vec::new(),
        answers: Vec::new(),
        counters_at: clock::mono().0,
        stopping: None,
        stop_answered: false,
        journal,
        contract,
    };
    let recovery_us = clock::mono().since(began) / 1_000;
    committer.journal.note_cosigned(cosigned_size);
    committer.feed.gives_up(&committer.given_up);
    committer.stage_epoch(recovery.as_ref(), recovery_us);
    for loss in committer.name_what_left() {
        committer.stage(loss.into());
    }
    committer.stage_contract(remembered.contract);
    committer.begin_log()?;
    Ok(committer)
}

/// How this run begins, told by when and on which boot the epoch before it began.
fn start_kind(
    recovery: Option<&Recovery>,
    before: Option<(BootId, MonoNs)>,
    boot_id: BootId,
    node_started: MonoNs,
) -> StartKind {
    match (recovery.map(|recovery| recovery.cause), before) {
        // Under the supervisor that runs now: only this process ended, orderly or not.
        (Some(_), Some((boot, at))) if boot == boot_id && at >= node_started => StartKind::Alone,
        (None | Some(EpochCause::FirstStart | EpochCause::OrderlyStart), _) => StartKind::Orderly,
        (Some(_), Some((boot, _))) if boot != boot_id => StartKind::Reboot,
        (Some(_), _) => StartKind::Crash,
    }
}

fn read_only(
    data: &DataDir,
    journal: &NodeJournal,
) -> Result<Reader<FileVolume, FileTruth>, String> {
    crate::commands::open_reader(data, journal.generation())
}

/// Rebuilds the ledger from the newest frozen state on, and finds the newest seal and contract.
fn remember(
    reader: &Reader<FileVolume, FileTruth>,
    journal: &NodeJournal,
    ledger: &mut Ledger,
) -> Remembered {
    let mut from = journal.newest_segment_first();
    let mut step = REMEMBER_STEP;
    let leases = ledger.clone();
    loop {
        let mut remembered = Remembered::default();
        *ledger = leases.clone();
        for stored in reader.entries(from).flatten() {
            let Ok(entry) = stored.entry() else { continue };
            let Ok(payload) = entry.payload() else {
                continue;
            };
            ledger.observe(&payload);
            let stamp = &entry.stamp;
            remembered.lately.observe(stored.commit_id, stamp, &payload);
            remembered.observe(stored.commit_id, payload);
        }
        let oldest = reader.oldest();
        if ledger.is_frozen() || from <= oldest {
            return remembered;
        }
        // The segment began without a frozen state (a crash came between): look further back.
        from = CommitId(from.0.saturating_sub(step)).max(oldest);
        step = step.saturating_mul(2);
    }
}

impl Remembered {
    fn observe(&mut self, id: CommitId, payload: Payload) {
        match payload {
            Payload::EpochStart(epoch) => self.epoch = Some((epoch.boot_id, epoch.at)),
            Payload::Checkpoint(checkpoint) => self.sealed = Some(checkpoint),
            Payload::Loss(loss) => self.given_up.observe(id, &loss),
            Payload::Ack(ack) => self.cosigned_size = self.cosigned_size.max(ack.size),
            Payload::Configuration(part) if part.part == 0 => {
                let digest = part.digest.to_string();
                // Said again at the start of a segment, it is still the entry that readings name.
                if self
                    .contract
                    .as_ref()
                    .is_none_or(|(known, _)| *known != digest)
                {
                    self.contract = Some((digest, id.0));
                }
            }
            Payload::CounterSnapshot(snapshot) => {
                for counter in snapshot.counters {
                    if let (CONTRACT_COMMIT, Some(label), Some(value)) =
                        (counter.name.as_str(), counter.label, counter.value)
                    {
                        self.contract = Some((label, value));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The configuration's place in the log, as a counter of a frozen state.
pub(super) fn contract_counter(source: &SourceId, digest: &Digest, commit: CommitId) -> Counter {
    Counter {
        name: CONTRACT_COMMIT.to_owned(),
        label: Some(digest.to_string()),
        state: CounterState::Value,
        value: Some(commit.0),
        source: source.clone(),
    }
}

impl Committer {
    /// The epoch's first entry, and what is lost.
    fn stage_epoch(&mut self, recovery: Option<&Recovery>, recovery_us: u64) {
        let at = clock::mono();
        let found = |number: fn(&Recovery) -> u64| recovery.map_or(0, number);
        self.stats.scan_bytes = found(|recovery| recovery.scan_bytes);
        let orderly = [EpochCause::FirstStart, EpochCause::OrderlyStart];
        let recovered = recovery.is_some_and(|recovery| !orderly.contains(&recovery.cause));
        self.stats.recoveries = u64::from(recovered);
        let epoch = EpochStart {
            at,
            cause: recovery.map_or(EpochCause::FirstStart, |recovery| recovery.cause),
            boot_id: self.boot_id,
            truth_class: self.journal.truth_class(),
            truth_degraded: self.truth_degraded,
            rolled_forward: found(|recovery| recovery.rolled_forward),
            dropped_bytes: found(|recovery| recovery.dropped_bytes),
            scan_bytes: self.stats.scan_bytes,
            recovery_us,
            predecessor: None,
        };
        self.stage(epoch.into());
        for loss in recovery.iter().flat_map(|recovery| &recovery.losses) {
            self.stats.lost += loss.count;
            self.stage(loss.payload(at).into());
        }
    }

    /// The contract, unless the log has it in force already.
    fn stage_contract(&mut self, in_force: Option<(String, u64)>) {
        let digest = self.contract.digest().to_string();
        match in_force {
            Some((known, commit)) if known == digest => self.contract_commit = CommitId(commit),
            _ => {
                let offset = u64::try_from(self.staged.len()).unwrap_or(0);
                self.contract_commit = CommitId(self.journal.size() + offset);
                for part in self.contract.parts(clock::mono()) {
                    self.stage(part.into());
                }
            }
        }
    }
}
