//! Does what a sequence says on a device, and notes for every command what must hold during it.

use std::sync::Arc;

use evidence::kinds::{Event, Payload};
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus};
use evidence::{
    BootId, Captured, Generation, LogId, MonoNs, SaltKey, Seq, SourceId, Stamp, Stream, TimeDetail,
    UtcNs,
};
use journal::{CommitError, Journal, Leases, OpenInput, Options, Shape};

use super::kept::{self, Carried, DeviceKeepRing};
use super::model::{Expect, Group, Model};
use super::operation::Operation;
use crate::media::{Device, DeviceTruth, DeviceVolume, Fault, SECTOR_BYTES, Torn};

/// The smallest ring that keeps one segment behind the one that is written.
pub(super) const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 3,
    block_bytes: 512,
};
/// Room that `Roll` leaves at most before it opens the next segment.
const ROLL_ROOM_BYTES: u64 = 2_048;
/// Filler of a small entry: its frame takes two sectors.
const SMALL: usize = 40;
/// Filler of each entry of a group: its frame takes six sectors.
const GROUP: usize = 420;
/// Most filler of an entry that fills a segment.
const FILL_MAX: usize = 4_000;
/// Numbers that one lease covers.
const LEASE: u64 = 64;

pub(super) type DeviceJournal = Journal<DeviceVolume, DeviceTruth>;

/// What every opening brings; with a keep-ring nothing leaves before it has passed by.
pub(super) fn input(device: &Device) -> OpenInput {
    OpenInput {
        log_id: LogId([7; 16]),
        generation: Generation(3),
        boot_id: BootId([1; 16]),
        options: Options {
            retain_uncosigned: true,
            retain_unkept: is_keeping(device),
            read_back_every: 0,
        },
    }
}

/// Whether a device has a keep-ring.
pub(super) fn is_keeping(device: &Device) -> bool {
    device.map().keep_shape().segments > 0
}

pub(super) fn stream() -> Option<Stream> {
    "meter m1".parse().ok()
}

fn salt(n: u64) -> SaltKey {
    let mut key = [0x5A; 16];
    key.iter_mut()
        .zip(n.to_be_bytes())
        .for_each(|(to, from)| *to = from);
    SaltKey(key)
}

/// `count` entries numbered from `number`, each with `filler` bytes of text.
pub(super) fn group(number: u64, count: u64, filler: usize) -> Group {
    let stamp = Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    let entries = (number..number + count).map(|n| {
        let payload: Payload = Event {
            count: Some(n),
            detail: Some("x".repeat(filler)),
            ..Event::new(
                MonoNs(n),
                EventCode::LineNoise,
                SourceId::new("port-1").unwrap_or_else(|_| unreachable!("a short name")),
            )
        }
        .into();
        (stamp, Captured::new(&payload))
    });
    Arc::new(entries.collect())
}

/// Why a sequence cannot be followed: the engine refused what it must do on a sound device.
#[derive(Debug)]
pub(super) struct Stuck(pub(super) String);

/// Drives one journal.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) device: Device,
    pub(super) model: Model,
    /// One for each command since they were taken.
    pub(super) expects: Vec<Expect>,
    journal: Option<DeviceJournal>,
    keep: Option<DeviceKeepRing>,
    number: u64,
}

impl Actor {
    /// On a blank device.
    pub(super) fn create(device: Device) -> Result<Self, Stuck> {
        let input = input(&device);
        let journal = Journal::create(device.volume(), device.truth(), &input, salt(0))
            .map_err(|error| Stuck(error.to_string()))?;
        let mut actor = Self::new(device, Model::new(), 0);
        actor.take_up(journal);
        Ok(actor)
    }

    /// On a device that was closed orderly.
    pub(super) fn open(device: Device, model: Model, number: u64) -> Result<Self, Stuck> {
        let mut actor = Self::new(device, model, number);
        actor.start()?;
        Ok(actor)
    }

    fn new(device: Device, model: Model, number: u64) -> Self {
        Self {
            device,
            model,
            expects: Vec::new(),
            journal: None,
            keep: None,
            number,
        }
    }

    /// The number of the next entry.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Starts noting commands anew.
    pub(super) fn forget_commands(&mut self) {
        drop(self.device.take_commands());
        self.expects.clear();
    }

    /// Does one operation.
    pub(super) fn perform(&mut self, operation: Operation) -> Result<(), Stuck> {
        match operation {
            Operation::Append => self.append(1, SMALL),
            Operation::AppendThree => (0..3).try_for_each(|_| self.append(1, SMALL)),
            Operation::Group => self.append(4, GROUP),
            Operation::Seal => {
                let size = self.model.entries.len() as u64;
                self.with(|journal| {
                    journal.note_sealed(size);
                    journal.note_cosigned(size);
                })?;
                self.model.expendable = self.model.expendable.max(size);
                self.append(1, SMALL)
            }
            Operation::Roll => self.roll(),
            Operation::Prune => {
                self.give_up()?;
                self.roll()
            }
            Operation::Restart => self.start(),
            Operation::Refused => self.refused(),
            Operation::Lease => self.lease(),
            Operation::Shutdown => {
                self.close()?;
                self.start()
            }
            Operation::Keep => self.keep(0),
            Operation::KeepRefused => self.keep(1),
            Operation::KeepFails => self.keep(kept::attempts()),
        }
    }

    /// Closes the log.
    pub(super) fn close(&mut self) -> Result<(), Stuck> {
        let journal = self.take()?;
        let closed = journal.close();
        self.note();
        closed.map_err(|error| Stuck(error.to_string()))?;
        self.model.closed = true;
        Ok(())
    }

    fn start(&mut self) -> Result<(), Stuck> {
        self.journal = None;
        let input = input(&self.device);
        let opened = Journal::open(self.device.volume(), self.device.truth(), &input);
        self.note();
        let (journal, recovery) = opened.map_err(|error| Stuck(error.to_string()))?;
        self.model.epoch = recovery.epoch.0;
        self.model.closed = false;
        self.take_up(journal);
        Ok(())
    }

    fn take_up(&mut self, mut journal: DeviceJournal) {
        if is_keeping(&self.device) {
            let ring = kept::ring(&self.device, &journal);
            journal.note_kept(ring.end().unwrap_or(0));
            self.keep = Some(ring);
        }
        self.journal = Some(journal);
    }

    /// Lets everything pass by the keep-ring; its device refuses that many writes first.
    fn keep(&mut self, refusals: usize) -> Result<(), Stuck> {
        for n in 0..refusals {
            let torn = match self.number % 3 {
                0 => Torn::Prefix(1),
                1 => Torn::Nothing,
                _ => Torn::Hole(1),
            };
            self.device.at_command(n, Fault::Refused(torn));
        }
        let kept = self.carry(self.model.entries.len() as u64);
        self.device.forget_faults();
        kept
    }

    /// Lets entries below `to` pass by the keep-ring, if there is one.
    fn carry(&mut self, to: u64) -> Result<(), Stuck> {
        let (Some(ring), Some(journal)) = (&mut self.keep, &mut self.journal) else {
            return Ok(());
        };
        let carried = kept::carry(&self.device, journal, ring, to).map_err(Stuck)?;
        journal.note_kept(to);
        for step in carried {
            match step {
                Carried::Turned(number, segment) => {
                    self.expects.resize(number, self.model.expect());
                    let mut kept = self.model.kept.as_ref().clone();
                    kept.retain(|stretch| stretch.segment != segment);
                    self.model.kept = Arc::new(kept);
                }
                Carried::Kept(stretch, number) => {
                    self.expects.resize(number, self.model.expect());
                    Arc::make_mut(&mut self.model.kept).push(stretch);
                }
                Carried::PassedOver => {}
            }
        }
        self.model.passed = self.model.passed.max(to);
        self.note();
        Ok(())
    }

    fn append(&mut self, count: u64, filler: usize) -> Result<(), Stuck> {
        let group = group(self.number, count, filler);
        self.number += count;
        self.commit(&group)
    }

    /// Commits, unless the ring is full: that is the caller's matter, and nothing has happened.
    fn commit(&mut self, group: &Group) -> Result<(), Stuck> {
        let salt = salt(self.number);
        self.model.under_way = Some(group.clone());
        let committed = self.with(|journal| (journal.commit(group, salt), journal.oldest().0))?;
        match committed {
            (Ok(committed), oldest) => {
                self.note_up_to(oldest);
                self.model.note(&committed);
                Ok(())
            }
            (Err(CommitError::RingFull { .. }), _) => {
                self.model.under_way = None;
                Ok(())
            }
            (Err(CommitError::NotKept { needed_size, .. }), _)
                if self.model.passed < needed_size =>
            {
                self.model.under_way = None;
                self.carry(needed_size)?;
                self.commit(group)
            }
            (Err(error), _) => Err(Stuck(error.to_string())),
        }
    }

    /// Fills the segment but for less than a group needs.
    pub(super) fn fill(&mut self) -> Result<(), Stuck> {
        let left = self.with(|journal| journal.segment_bytes_left())?;
        let fill = usize::try_from(left.saturating_sub(ROLL_ROOM_BYTES)).unwrap_or(0);
        if fill < 2 * SECTOR_BYTES {
            return Ok(());
        }
        let count = fill.div_ceil(FILL_MAX);
        let filler = (fill / count).saturating_sub(SECTOR_BYTES);
        self.append(count as u64, filler)
    }

    fn roll(&mut self) -> Result<(), Stuck> {
        self.fill()?;
        self.append(5, GROUP)
    }

    fn refused(&mut self) -> Result<(), Stuck> {
        let group = group(self.number, 2, GROUP);
        self.number += 2;
        let salt_before = salt(self.number);
        // Which part persists follows from the number, so that a sequence is always the same.
        let torn = match self.number % 4 {
            0 => Torn::Everything,
            1 => Torn::Nothing,
            2 => Torn::Prefix(1),
            _ => Torn::Hole(1),
        };
        self.make_room()?;
        self.model.under_way = Some(group.clone());
        // A refused write may have reached the medium all the same, also the one that says what leaves the ring.
        let may_leave = self
            .with(|journal| journal.next_segment_retires())?
            .unwrap_or(0);
        self.device.at_command(0, Fault::Refused(torn));
        let (result, oldest) =
            self.with(|journal| (journal.commit(&group, salt_before), journal.oldest().0))?;
        self.note_up_to(oldest.max(may_leave));
        match result {
            Err(CommitError::Medium(_)) => {}
            Err(CommitError::RingFull { .. }) => {
                self.device.forget_faults();
                self.model.under_way = None;
                return Ok(());
            }
            Ok(_) => return Err(Stuck("a refused write was acknowledged".to_owned())),
            Err(error) => return Err(Stuck(error.to_string())),
        }
        let salt_after = salt(self.number + 1_000);
        self.give_up()?;
        self.make_room()?;
        let (begun, oldest) = self.with(|journal| {
            (
                journal.begin_epoch_after_failure(salt_after),
                journal.oldest().0,
            )
        })?;
        self.note_up_to(oldest.max(may_leave));
        let epoch = begun.map_err(|error| Stuck(error.to_string()))?;
        self.model.epoch = epoch.0;
        self.commit(&group)
    }

    /// Gives up what stands in the way of the next segment.
    fn give_up(&mut self) -> Result<(), Stuck> {
        if let Some(size) = self.with(|journal| journal.next_segment_needs())? {
            self.with(|journal| journal.permit_pruning(size))?;
            self.model.expendable = self.model.expendable.max(size);
        }
        Ok(())
    }

    /// What leaves the ring with the next segment passes by first.
    fn make_room(&mut self) -> Result<(), Stuck> {
        match self.with(|journal| journal.next_segment_retires())? {
            Some(size) => self.carry(size),
            None => Ok(()),
        }
    }

    fn lease(&mut self) -> Result<(), Stuck> {
        let next = self.model.lease + LEASE;
        let mut leases = Leases::default();
        leases
            .seqs
            .extend(stream().map(|stream| (stream, Seq(next))));
        let stored = self.with(|journal| journal.store_leases(leases))?;
        self.note();
        stored.map_err(|error| Stuck(error.to_string()))?;
        self.model.lease = next;
        Ok(())
    }

    fn take(&mut self) -> Result<DeviceJournal, Stuck> {
        let journal = self.journal.take();
        journal.ok_or_else(|| Stuck("no journal is open".to_owned()))
    }

    fn with<R>(&mut self, act: impl FnOnce(&mut DeviceJournal) -> R) -> Result<R, Stuck> {
        let journal = self.journal.as_mut();
        journal
            .map(act)
            .ok_or_else(|| Stuck("no journal is open".to_owned()))
    }

    /// What must hold during the commands since the last note; by its end the ring begins at `oldest`.
    fn note_up_to(&mut self, oldest: u64) {
        self.model.oldest = oldest;
        self.note();
    }

    fn note(&mut self) {
        let expect = self.model.expect();
        self.expects.resize(self.device.commands(), expect);
    }
}
