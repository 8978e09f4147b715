//! What the engine makes of each fault of its media: an acknowledged entry is read, or named as lost,
//! and nothing else is read in its place.

use crate::common::{Oracle, SHAPE, index, input, is_group, salt, step};
use evidence::CommitId;
use evidence::reasons::TruthClass;
use fieldnotary_sim::media::{Device, DeviceTruth, DeviceVolume, Fault};
use fieldnotary_sim::media::{SECTOR_BYTES, Torn};
use journal::limits::{TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use journal::{
    CommitError, Committed, Finding, Journal, Location, MediumFault, OpenInput, Options, Recovery,
    TruthHealth,
};

type DeviceJournal = Journal<DeviceVolume, DeviceTruth>;

/// A log of some commits on a device, and what was acknowledged.
struct Site {
    device: Device,
    journal: DeviceJournal,
    oracle: Oracle,
    frames: Vec<Location>,
}

impl Site {
    fn new(read_back_every: u32) -> Self {
        let device = Device::new(SHAPE, TruthClass::SameDeviceSync);
        let input = OpenInput {
            options: Options {
                read_back_every,
                ..input().options
            },
            ..input()
        };
        let journal = Journal::create(device.volume(), device.truth(), &input, salt(0)).unwrap();
        let mut site = Self {
            device,
            journal,
            oracle: Oracle::default(),
            frames: Vec::new(),
        };
        for n in 0..4 {
            site.commit(n).unwrap();
        }
        site
    }

    fn commit(&mut self, n: u64) -> Result<Committed, CommitError> {
        let committed = self.journal.commit(&step(n), salt(n))?;
        self.oracle.note(&committed);
        self.frames.push(committed.location);
        Ok(committed)
    }

    /// Where the n-th frame lies on the device.
    fn place(&self, frame: usize) -> usize {
        let location = self.frames[frame];
        self.device.map().segment(location.segment, location.offset)
    }

    /// Power fails, of the cache nothing persists, and the log is opened again.
    fn restart(&mut self) -> Recovery {
        self.device.cut_power(|_| false);
        self.device.power_on();
        let (volume, truth) = (self.device.volume(), self.device.truth());
        let (journal, recovery) = Journal::open(volume, truth, &input()).unwrap();
        self.journal = journal;
        recovery
    }

    /// Reads everything; returns the ids that are named as lost. All others must be as acknowledged.
    fn lost(&self) -> Vec<u64> {
        let reader = self.journal.reader().unwrap();
        let mut lost = Vec::new();
        let mut next = 0;
        for item in reader.entries(CommitId(0)) {
            match item {
                Ok(entry) => {
                    assert_eq!(entry.commit_id.0, next);
                    assert_eq!(Some(&entry), self.oracle.entries.get(index(next)));
                    next += 1;
                }
                Err(Finding::Lost(loss)) => {
                    assert_eq!(loss.first.0, next);
                    next = loss.end();
                    lost.extend(loss.first.0..loss.end());
                }
                Err(Finding::SegmentHeaderDamaged { .. }) => {}
                Err(finding) => panic!("{finding}"),
            }
        }
        assert_eq!(next, self.oracle.size(), "ended in silence");
        lost
    }

    /// The ids of the n-th commit.
    fn ids(&self, n: u64) -> Vec<u64> {
        let first: u64 = (0..n).map(|n| step(n).len() as u64).sum();
        (first..first + step(n).len() as u64).collect()
    }
}

/// A commit that the device fails: not acknowledged, latched, and the next epoch goes on without it.
fn refuses(fault: Fault, says: MediumFault) {
    for command in 0..2 {
        let mut site = Site::new(0);
        site.device.at_command(command, fault);
        let context = format!("{fault:?} at command {command}");
        match site.commit(4) {
            Err(CommitError::Medium(error)) => assert_eq!(error.fault, says, "{context}"),
            other => panic!("{context}: {other:?}"),
        }
        assert!(site.journal.is_latched(), "{context}");
        assert_eq!(site.commit(4), Err(CommitError::Latched), "{context}");
        site.journal.begin_epoch_after_failure(salt(9)).unwrap();
        site.commit(4).unwrap();
        assert!(site.lost().is_empty(), "{context}");
        let recovery = site.restart();
        assert!(recovery.losses.is_empty(), "{context}: {recovery:?}");
        assert!(site.lost().is_empty(), "{context}");
    }
}

//= A5.2
//= A5.4
#[test]
fn a_write_that_fails_latches_and_is_not_repeated_in_its_place() {
    refuses(Fault::Refused(Torn::Everything), MediumFault::Io);
    refuses(Fault::Refused(Torn::Prefix(1)), MediumFault::Io);
    refuses(Fault::Short(700), MediumFault::Io);
}

/// The pages count as clean and nothing writes them any more: what failed once is never taken for done.
//= A5.2
#[test]
fn a_flush_that_fails_latches_and_its_pages_are_never_trusted() {
    refuses(Fault::FlushFailed, MediumFault::Io);
}

//= A5.2
#[test]
fn no_space_is_named_and_latches() {
    refuses(Fault::Full, MediumFault::Full);
    let mut site = Site::new(0);
    site.device.at_command(0, Fault::Full);
    let error = site.commit(4).unwrap_err().to_string();
    assert!(error.contains("no space"), "{error}");
}

/// Without power nobody can be told, and after it the group is there whole or not at all.
//= A5.2
#[test]
fn a_torn_write_is_all_or_nothing() {
    for torn in [
        Torn::Nothing,
        Torn::Prefix(1),
        Torn::Hole(0),
        Torn::Everything,
    ] {
        let mut site = Site::new(0);
        site.device.at_command(0, Fault::PowerCut(torn));
        assert!(site.commit(4).is_err());
        let recovery = site.restart();
        assert!(recovery.losses.is_empty() && recovery.uncertain.is_none());
        let forward: Vec<_> = site
            .journal
            .reader()
            .unwrap()
            .entries(CommitId(site.oracle.size()))
            .map(Result::unwrap)
            .collect();
        assert!(
            forward.is_empty() || is_group(&forward, &step(4)),
            "{torn:?}"
        );
        assert_eq!(!forward.is_empty(), torn == Torn::Everything);
    }
}

/// The device says durable and forgets: the truth store knows better, and the entries are named.
//= A5.4
#[test]
fn a_lying_flush_of_a_frame_is_found_out() {
    for fault in [Fault::LyingFlush, Fault::Lost] {
        let mut site = Site::new(0);
        site.device.at_command(0, fault);
        site.commit(4).unwrap();
        let recovery = site.restart();
        assert_eq!(recovery.losses.len(), 1, "{fault:?}: {recovery:?}");
        assert_eq!(site.lost(), site.ids(4), "{fault:?}");
    }
}

/// The other way round the frame is there, and the group with it.
//= A5.4
#[test]
fn a_lying_flush_of_the_truth_store_loses_nothing() {
    for fault in [Fault::LyingFlush, Fault::Lost] {
        let mut site = Site::new(0);
        site.device.at_command(1, fault);
        site.commit(4).unwrap();
        let recovery = site.restart();
        assert_eq!(recovery.rolled_forward, step(4).len() as u64, "{fault:?}");
        assert!(site.lost().is_empty(), "{fault:?}");
    }
}

/// Reading back finds a write that was dropped or led astray before anybody is told.
//= A5.5
#[test]
fn reading_back_finds_a_lost_and_a_misdirected_write_before_the_acknowledgement() {
    for fault in [Fault::Lost, Fault::Misdirected(SECTOR_BYTES)] {
        let mut site = Site::new(1);
        site.device.at_command(0, fault);
        let refused = site.commit(4);
        assert!(
            matches!(refused, Err(CommitError::ReadBack { .. })),
            "{fault:?}: {refused:?}"
        );
        site.journal.begin_epoch_after_failure(salt(9)).unwrap();
        site.commit(4).unwrap();
        site.restart();
        assert!(site.lost().is_empty(), "{fault:?}");
    }
}

/// A frame lands on an earlier one: both groups are named, none of them is read as the other.
//= A5.4
#[test]
fn a_misdirected_write_names_what_it_missed_and_what_it_hit() {
    let mut site = Site::new(0);
    let behind = site.device.map().segment(1, SHAPE.segment_bytes / 2);
    let first = site.place(0);
    // Through the end of the ring's addresses back to the first frame.
    let next = first + index(site.journal.stats().frame_bytes);
    site.device
        .at_command(0, Fault::Misdirected(behind.saturating_sub(next)));
    site.commit(4).unwrap();
    let missed = site.ids(4);
    assert_eq!(site.lost(), missed);
    // And what lay there is overwritten: here an earlier frame gets the bytes of the stray one.
    let stray = site
        .device
        .platter(|platter| platter.get(behind, SECTOR_BYTES).map(<[u8]>::to_vec))
        .unwrap();
    let hit = site.place(1);
    site.device.platter(|platter| platter.write(hit, &stray));
    let recovery = site.restart();
    let mut expected = site.ids(1);
    expected.extend(&missed);
    assert_eq!(site.lost(), expected, "{recovery:?}");
}

//= A5.4
#[test]
fn a_misdirected_and_a_stale_read_are_never_taken_for_the_entry() {
    for stale in [false, true] {
        let site = Site::new(0);
        let (here, there) = (site.place(1), site.place(2));
        let from = if stale {
            // What the place held before the log came to it.
            site.device.map().segment(1, SHAPE.segment_bytes / 2)
        } else {
            there
        };
        site.device.answer(here, from);
        assert_eq!(site.lost(), site.ids(1), "stale: {stale}");
    }
}

//= A5.4
#[test]
fn a_latent_sector_error_costs_the_frame_that_it_lies_in_and_no_other() {
    let mut site = Site::new(0);
    site.device.spoil(site.place(2));
    assert_eq!(site.lost(), site.ids(2));
    let recovery = site.restart();
    assert_eq!(recovery.losses.len(), 1);
    assert_eq!(site.lost(), site.ids(2));
}

//= A5.4
#[test]
fn rot_is_named() {
    let site = Site::new(0);
    // Behind the header: an entry of the frame.
    site.device.rot(site.place(3) + SECTOR_BYTES + 40, 0x10);
    let named = site.lost();
    assert!(!named.is_empty() && named.iter().all(|id| site.ids(3).contains(id)));
}

/// An interrupted write of a page takes the page that shares its cells, written and acknowledged long
/// ago: that is a loss, and it is named.
//= A5.4
#[test]
fn a_paired_page_that_is_damaged_is_named_as_loss() {
    for frame in 0..4 {
        let mut site = Site::new(0);
        let place = site.place(frame);
        site.device.at_command(0, Fault::PairedPage(place));
        assert!(site.commit(4).is_err());
        let recovery = site.restart();
        let ids = site.ids(frame as u64);
        assert_eq!(recovery.losses.len(), 1, "{recovery:?}");
        assert_eq!(site.lost(), ids);
        assert!(recovery.uncertain.is_none());
    }
}

/// On an FRAM power tears a slot at some byte: one copy is whole, and the end is certain.
//= A5.4
//= A5.9
#[test]
fn a_truth_store_torn_at_any_byte_leaves_no_doubt() {
    for cut in (0..2 * TRUTH_SLOT_BYTES).step_by(61) {
        let mut site = Site::new(0);
        site.device.at_command(1, Fault::PowerCutAtByte(cut));
        assert!(site.commit(4).is_err());
        let recovery = site.restart();
        assert!(recovery.uncertain.is_none() && recovery.losses.is_empty());
        assert_ne!(recovery.truth, TruthHealth::SlotLost, "cut at {cut}");
        assert_eq!(
            site.journal.size(),
            site.oracle.size() + step(4).len() as u64
        );
    }
}

//= A5.9
#[test]
fn one_copy_of_each_slot_may_be_lost() {
    for copy in 0..TRUTH_COPIES {
        let mut site = Site::new(0);
        for slot in 0..TRUTH_SLOTS {
            let at = site.device.map().slot(slot, copy);
            site.device
                .platter(|platter| platter.write(at, &[0xFF; TRUTH_SLOT_BYTES]));
        }
        let recovery = site.restart();
        assert_eq!(recovery.truth, TruthHealth::Degraded);
        assert!(recovery.uncertain.is_none());
        assert!(site.lost().is_empty());
    }
}
