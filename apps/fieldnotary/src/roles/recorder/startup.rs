//! From whatever the last run left to a recorder that may take records.

use super::calibrations::Calibrations;
use super::changed::Changed;
use super::committer::{Committer, SealState};
use super::earlier::Earlier;
use super::feed::Feed;
use super::firmware::FirmwareWatch;
use super::given_up::GivenUp;
use super::hints::HintWatch;
use super::in_force::InForce;
use super::journal_file::{self, NodeJournal};
use super::keeper::Keeper;
use super::known_keys::{KeysBeside, KnownKeys};
use super::ledger::Ledger;
use super::low_supplies::LowSupplies;
use super::media_watch::MediaWatch;
use super::missed_seals::MissedSeals;
use super::rollback::RollbackWatch;
use super::rotated::RotationWatch;
use super::sealer::Head;
use super::since::Since;
use super::slots::StartKind;
use super::stats::Stats;
use super::work::Work;
use crate::clock;
use crate::installed::Found;
use crate::lately::Lately;
use crate::operated::Operated;
use crate::paths::DataDir;
use contract::Contract;
use evidence::frozen::Parts;
use evidence::frozen::names::{
    BOOT_TO_STABLE, CONTRACT_COMMIT, EPOCH_BEGAN, LOST_ENTRIES, NEWEST_SYNCED,
};
use evidence::kinds::{Counter, EpochStart, TimeMap};
use evidence::reasons::{CounterState, EpochCause, EventCode, TimeQuality};
use evidence::{
    BootId, CommitId, Digest, LogId, MonoNs, Payload, SourceId, Stamp, TimeMaps, UtcNs,
};
use journal::{Reader, Recovery};
use media::{FileTruth, FileVolume, HealthSource};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use time_plane::budget::Budget;
use trust_plane::{FirmwareMemory, Sign};

/// How far to look back at first where a segment has no frozen state; doubles.
const REMEMBER_STEP: u64 = 4_096;

/// What committed entries told of the run before.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Boot and beginning of the newest epoch.
    epoch: Option<(String, MonoNs)>,
    /// Whether that epoch is the adoption of the generation, which captured nothing.
    adopted: bool,
    contract: InForce,
    sealed: Option<evidence::kinds::Checkpoint>,
    cosigned_size: u64,
    ack: Option<evidence::kinds::Ack>,
    given_up: GivenUp,
    lately: Lately,
    since: Since,
    /// The latest time that a stamp had.
    newest_utc: UtcNs,
    /// The latest that a SYNCED one had; segments that have left the ring may have had it.
    newest_synced: UtcNs,
    /// What the time process said in the newest boot.
    earlier: Earlier,
    rollback: RollbackWatch,
    rotations: RotationWatch,
    missed_seals: MissedSeals,
    low: LowSupplies,
    hints: HintWatch,
    pub(super) calibrations: Calibrations,
    pub(super) firmware: FirmwareMemory,
    /// The frozen state that is being read.
    parts: Parts,
}

fn budget(contract: &Contract) -> Budget {
    let budget_us = contract.time.as_ref().and_then(|time| time.budget_us);
    Budget::new(budget_us.map(|us| us.saturating_mul(1_000)))
}

/// Where sealing stands: by the newest checkpoint that was read, and by the truth store.
fn seal_state(remembered: &mut Remembered, known_size: u64, cosigned_size: u64) -> SealState {
    let sealed = remembered.sealed.take();
    SealState {
        sealed_size: sealed
            .as_ref()
            .map_or(0, |sealed| sealed.size)
            .max(known_size),
        root: sealed.as_ref().map(|sealed| sealed.root),
        note: sealed.map(|sealed| sealed.note),
        cosigned_size,
        ack: remembered.ack.take(),
        missed: remembered.missed_seals,
        ..SealState::default()
    }
}

/// What whoever started the recorder said.
#[derive(Debug)]
pub(super) struct Given {
    /// When the node was started.
    pub(super) node_started: MonoNs,
    /// Why it has the configuration that it has.
    pub(super) changed: Option<Changed>,
    /// The firmware that is installed, and the programs.
    pub(super) found: Found,
    /// Whether a person accepts that firmware as it is.
    pub(super) accept_firmware: bool,
}

impl Given {
    /// The firmware of this run, by what the log that was opened knows.
    fn firmware(
        &self,
        remembered: &mut Remembered,
        journal: &NodeJournal,
        start: StartKind,
    ) -> FirmwareWatch {
        FirmwareWatch::begin(
            std::mem::take(&mut remembered.firmware),
            journal.firmware(),
            self,
            start,
        )
    }
}

/// Opens the log, commits what recovery found, and makes the committer.
pub(super) fn begin(
    contract: Contract,
    data: &DataDir,
    log_id: LogId,
    given: &Given,
    keys: KeysBeside,
    device: HealthSource,
    (heads, work): (SyncSender<Head>, SyncSender<Work>),
) -> Result<Committer, String> {
    let (began, boot_id, node_started) = (clock::mono(), clock::boot_id(), given.node_started);
    let (journal, recovery) = journal_file::open(data, &contract.storage, log_id, boot_id)?;
    let (reader, generation) = (read_only(data, &journal)?, journal.generation());
    let keeper = Keeper::open(
        &data.journal(generation.0),
        &contract.storage,
        read_only(data, &journal)?,
        (log_id, generation),
    );
    let leases = journal_file::streams(journal.leases()).collect::<Vec<_>>();
    let mut ledger = Ledger::of(generation, leases).above(journal.leases().floor);
    let mut remembered = remember(&reader, journal.newest_segment_first(), &mut ledger);
    let cosigned_size = remembered.cosigned_size.max(journal.cosigned_size());
    (remembered.given_up).cosigned_to(cosigned_size, journal.oldest().0);
    let earlier = remembered.of_this_boot(boot_id);
    let own = SourceId::new("recorder").map_err(|error| error.to_string())?;
    let epoch = remembered.epoch.take();
    let start = match remembered.adopted {
        true => StartKind::Adopted,
        false => start_kind(recovery.as_ref(), epoch, boot_id, node_started),
    };
    let firmware = given.firmware(&mut remembered, &journal, start);
    let mut committer = Committer {
        seal: seal_state(&mut remembered, journal.sealed_size(), cosigned_size),
        known_keys: KnownKeys::at_start(keys, &remembered.rotations, data, &reader),
        ledger,
        stats: Stats::default(),
        media: MediaWatch::new(device),
        lately: remembered.lately,
        budget: budget(&contract),
        newest_utc: remembered.newest_utc.max(remembered.newest_synced),
        newest_synced: remembered.newest_synced,
        earlier,
        contract_commit: CommitId(0),
        origin: format!("{}/g{generation}", contract.station.origin),
        boot_id,
        truth_degraded: recovery.as_ref().is_some_and(Recovery::truth_degraded),
        start: remembered
            .since
            .node(start, &boot_id.to_string(), node_started),
        time: TimeMaps::new(TimeMap::absent(clock::mono(), clock::utc())),
        time_noted: false,
        markers: data.markers(),
        feed: Arc::new(Feed::new(reader, work)),
        heads,
        rotations: remembered.rotations,
        rollback: remembered
            .rollback
            .at_start(recovery.as_ref(), journal.size()),
        held: firmware.held(&remembered.since, start),
        alive: remembered.since.captured(start, node_started),
        named_losses: BTreeSet::new(),
        given_up: remembered.given_up,
        rolled: false,
        epoch_at: began,
        opened_at: began,
        standing: data.standing(),
        own,
        staged: Vec::new(),
        uncut: 0..0,
        leases_due: false,
        attempted: None,
        answers: Vec::new(),
        counters_at: clock::mono().0,
        keeper,
        low: remembered.low.carried(start),
        hints: remembered.hints,
        calibrations: remembered.calibrations,
        firmware,
        stopping: None,
        stop_answered: false,
        journal,
        contract,
    };
    committer.take_up(cosigned_size);
    committer.stage_epoch(recovery.as_ref(), clock::mono().since(began) / 1_000);
    committer.tell_of_brownout(recovery.as_ref(), &remembered.low, start);
    committer.stage_beginning(remembered.contract, given, start);
    committer.begin_log()?;
    Ok(committer)
}

/// How this run begins, told by when and on which boot the epoch before it began.
fn start_kind(
    recovery: Option<&Recovery>,
    before: Option<(String, MonoNs)>,
    boot_id: BootId,
    node_started: MonoNs,
) -> StartKind {
    match (recovery.map(|recovery| recovery.cause), before) {
        // Under the supervisor that runs now: only this process ended, orderly or not.
        (Some(_), Some((boot, at))) if boot == boot_id.to_string() && at >= node_started => {
            StartKind::Alone
        }
        (None | Some(EpochCause::FirstStart | EpochCause::OrderlyStart), _) => StartKind::Orderly,
        (Some(_), Some((boot, _))) if boot != boot_id.to_string() => StartKind::Reboot,
        (Some(_), _) => StartKind::Crash,
    }
}

fn read_only(
    data: &DataDir,
    journal: &NodeJournal,
) -> Result<Reader<FileVolume, FileTruth>, String> {
    crate::commands::open_beside(data, journal.generation())
}

/// Rebuilds the ledger from the newest frozen state on, and finds the newest seal and contract.
pub(super) fn remember(
    reader: &Reader<FileVolume, FileTruth>,
    mut from: CommitId,
    ledger: &mut Ledger,
) -> Remembered {
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
            ledger.recall(&payload, stamp);
            remembered.lately.observe(stored.commit_id, stamp, &payload);
            remembered.observe_signs(&payload, stamp);
            remembered.newest_utc = remembered.newest_utc.max(stamp.timestamp);
            if stamp.quality == TimeQuality::Synced {
                remembered.newest_synced = remembered.newest_synced.max(stamp.timestamp);
            }
            let (at, stamp) = (payload.at(), entry.stamp);
            remembered.observe(stored.commit_id, payload);
            remembered.earlier.stamp(at, stamp);
        }
        let oldest = reader.oldest();
        if ledger.is_frozen() || from <= oldest {
            ledger.recalled();
            return remembered;
        }
        // The segment began without a frozen state (a crash came between): look further back.
        from = CommitId(from.0.saturating_sub(step)).max(oldest);
        step = step.saturating_mul(2);
    }
}

impl Remembered {
    /// The newest checkpoint that was seen.
    pub(super) fn seal(&self) -> Option<&evidence::kinds::Checkpoint> {
        self.sealed.as_ref()
    }

    /// What is open about outputs.
    pub(super) const fn operated(&self) -> &Operated {
        self.lately.operated()
    }

    /// What was before in this boot.
    fn of_this_boot(&mut self, boot_id: BootId) -> Earlier {
        let known = self.epoch.as_ref().map(|(boot, _)| boot.as_str());
        let earlier = std::mem::take(&mut self.earlier);
        if known == Some(&boot_id.to_string()) {
            earlier.of_this_boot()
        } else {
            Earlier::default()
        }
    }

    /// Whether a checkpoint was seen.
    pub(super) fn has_seal(&self) -> bool {
        self.sealed.is_some()
    }

    /// What is known with its time. A clock that was set back makes no sign older than what was certain before.
    fn observe_signs(&mut self, payload: &Payload, stamp: &Stamp) {
        let boot = self.epoch.as_ref().map_or("", |(boot, _)| boot.as_str());
        let at = stamp.timestamp.max(self.newest_synced);
        self.hints.observe(payload, boot, at);
        self.missed_seals.observe(payload, stamp.timestamp);
    }

    fn observe(&mut self, id: CommitId, payload: Payload) {
        self.since.observe(&payload);
        self.rollback.observe(&payload);
        self.rotations.observe(&payload);
        let boot = self.epoch.as_ref().map(|(boot, _)| boot.as_str());
        self.low.replay(&payload, id.0, boot);
        match payload {
            Payload::EpochStart(epoch) => {
                let boot = epoch.boot_id.to_string();
                // Another boot's monotonic clock says nothing in this one.
                if self.epoch.as_ref().is_none_or(|(known, _)| *known != boot) {
                    self.earlier = Earlier::default();
                }
                self.epoch = Some((boot, epoch.at));
                self.adopted = epoch.cause == EpochCause::Adoption;
            }
            Payload::TimeMap(map) => self.earlier.state(map),
            Payload::Event(event) => self.earlier.tell(&event),
            Payload::Checkpoint(checkpoint) => self.sealed = Some(checkpoint),
            Payload::Loss(loss) => self.given_up.observe(id, &loss),
            Payload::Ack(ack) => {
                self.cosigned_size = self.cosigned_size.max(ack.size);
                self.ack = Some(ack);
            }
            Payload::Configuration(part) => self.contract.observe(id, part),
            Payload::Firmware(told) => self.firmware.observe(&told),
            Payload::Calibration(said) => self.calibrations.observe(id, &said),
            Payload::CounterSnapshot(snapshot) => self.recall(snapshot),
            _ => {}
        }
    }
}

/// What a start has to know of this run beside the ledger, as counters of a frozen state.
pub(super) fn counters(recorder: &Committer) -> Vec<Counter> {
    let (own, digest) = (&recorder.own, recorder.contract.digest());
    let boot = recorder.boot_id.to_string();
    let mut counters = vec![
        contract_counter(own, &digest, recorder.contract_commit),
        counter(own, EPOCH_BEGAN, boot, recorder.epoch_at.0),
    ];
    let newest_synced = recorder.newest_synced().0;
    if let Some(ns) = u64::try_from(newest_synced).ok().filter(|ns| *ns > 0) {
        counters.push(counter(own, NEWEST_SYNCED, "UTC".to_owned(), ns));
    }
    if let Some(ns) = recorder.boot_to_stable_ns() {
        let boot = recorder.boot_id.to_string();
        counters.push(counter(own, BOOT_TO_STABLE, boot, ns));
    }
    counters.extend(recorder.lately.operated().counters(own));
    let missed = recorder.seal.missed.frozen();
    let known = recorder.rollback.frozen().chain(missed);
    let known = known.chain(recorder.rotations.frozen());
    let known = known.chain(recorder.hints.frozen());
    let known = known.chain(recorder.low.frozen());
    let known = known.chain(recorder.calibrations.frozen());
    let known = known.chain(recorder.firmware.frozen());
    let known = known.chain(recorder.lately.link_frozen());
    counters.extend(known.map(|(name, label, value)| counter(own, name, label, value)));
    let lost = recorder.given_up.lost().iter();
    counters
        .extend(lost.map(|(first, count)| counter(own, LOST_ENTRIES, first.to_string(), *count)));
    counters
}

/// The configuration's place in the log.
pub(super) fn contract_counter(source: &SourceId, digest: &Digest, commit: CommitId) -> Counter {
    counter(source, CONTRACT_COMMIT, digest.to_string(), commit.0)
}

pub(super) fn counter(source: &SourceId, name: &str, label: String, value: u64) -> Counter {
    Counter {
        name: name.to_owned(),
        label: Some(label),
        state: CounterState::Value,
        value: Some(value),
        source: source.clone(),
    }
}

impl Committer {
    /// The first entries of a run behind those of its epoch, in their order.
    fn stage_beginning(&mut self, in_force: InForce, given: &Given, start: StartKind) {
        for loss in self.name_what_left() {
            self.stage(loss.into());
        }
        for unkept in self.keeper.found() {
            self.stage(unkept.into());
        }
        self.calibrations.also(&in_force);
        self.stage_contract(in_force, given.changed.as_ref());
        self.stage_calibrations();
        self.end_left_clock_orders();
        self.stage_firmware(start);
        self.look_at_media();
    }

    /// What others know of the log, where it is opened again.
    fn take_up(&mut self, cosigned_size: u64) {
        self.journal.note_cosigned(cosigned_size);
        self.note_kept();
        self.feed.gives_up(&self.given_up);
    }

    /// An older truth store in the place of the newest: nothing is lost by it, and somebody put it there.
    fn tell_of_old_truth(&mut self, recovery: Option<&Recovery>) {
        let Some(recovery) = recovery else { return };
        let Some(ended) = recovery.truth_behind else {
            return;
        };
        let size = self.journal.size();
        self.event(EventCode::TruthStoreOld, |event| {
            event.count = Some(size.saturating_sub(ended.0));
            event.detail = Some(format!(
                "it ended the log at entry {ended}, and the frames at {size}"
            ));
        });
    }

    /// The epoch's first entry, and what is lost.
    fn stage_epoch(&mut self, recovery: Option<&Recovery>, recovery_us: u64) {
        let at = self.epoch_at;
        let found = |number: fn(&Recovery) -> u64| recovery.map_or(0, number);
        self.stats.recovery_us = recovery.map(|_| recovery_us);
        self.stats.scan_bytes = found(|recovery| recovery.scan_bytes);
        let orderly = [EpochCause::FirstStart, EpochCause::OrderlyStart];
        let recovered = recovery.is_some_and(|recovery| !orderly.contains(&recovery.cause));
        self.stats.recoveries = u64::from(recovered);
        let epoch = EpochStart {
            cause: recovery.map_or(EpochCause::FirstStart, |recovery| recovery.cause),
            rolled_forward: found(|recovery| recovery.rolled_forward),
            dropped_bytes: found(|recovery| recovery.dropped_bytes),
            scan_bytes: self.stats.scan_bytes,
            recovery_us,
            ..self.epoch_start(at)
        };
        self.stage(epoch.into());
        for loss in recovery.iter().flat_map(|recovery| &recovery.losses) {
            self.stats.lost += loss.count;
            self.stage(loss.payload(at).into());
        }
        self.tell_of_old_truth(recovery);
        if recovered {
            self.hint(Sign::Recoveries, 1);
        }
    }

    /// The entry of an epoch that began because a write failed.
    pub(super) fn stage_new_epoch(&mut self) {
        self.epoch_at = clock::mono();
        let epoch = self.epoch_start(self.epoch_at);
        self.stage(epoch.into());
    }

    fn epoch_start(&self, at: MonoNs) -> EpochStart {
        EpochStart {
            truth_degraded: self.truth_degraded,
            ..EpochStart::new(
                at,
                EpochCause::WriteFailure,
                self.boot_id,
                self.journal.truth_class(),
            )
        }
    }
}

mod recalled;
#[cfg(test)]
mod tests;
