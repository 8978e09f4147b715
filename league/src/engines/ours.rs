//! Ours: the journal over files, in each class of truth store.

use evidence::reasons::TruthClass;
use evidence::{BootId, CommitId, Entry, Generation, LogId, SaltKey};
use journal::{Finding, Journal, OpenInput, Options, Recovery, Shape};
use media::{Access, FileTruth, FileVolume, TRUTH_FILE};

use crate::engine::{Answer, Engine, Failed, Place, Row, Tell};
use crate::record::Batch;

/// The truth store on a device of its own.
pub(crate) const INDEPENDENT: Row = Row {
    name: "fieldnotary",
    mode: "truth store independent",
    open: |place| open(place, TruthClass::Independent),
};

/// The truth store beside the ring, a flush of its own for each commit.
pub(crate) const SYNC: Row = Row {
    name: "fieldnotary/sync",
    mode: "truth store same-device-sync",
    open: |place| open(place, TruthClass::SameDeviceSync),
};

/// The truth store beside the ring, flushed now and then.
pub(crate) const DEFERRED: Row = Row {
    name: "fieldnotary/deferred",
    mode: "truth store same-device-deferred",
    open: |place| open(place, TruthClass::SameDeviceDeferred),
};

/// The rows that promise a certain end after a power cut.
pub(crate) const END_PROMISED: [&str; 2] = [INDEPENDENT.name, SYNC.name];

/// Room for all that a run commits.
const SHAPE: Shape = Shape {
    segment_bytes: 8 << 20,
    segments: 3,
    block_bytes: 4_096,
};
const SALT: SaltKey = SaltKey([3; 16]);

struct Ours {
    journal: Journal<FileVolume, FileTruth>,
    recovery: Option<Recovery>,
    /// Bytes of the entries committed since it was opened.
    encoded_bytes: u64,
}

fn open(place: &Place, class: TruthClass) -> Result<Box<dyn Engine>, Failed> {
    let truth = match class {
        TruthClass::Independent => place.truth.join(TRUTH_FILE),
        TruthClass::SameDeviceSync | TruthClass::SameDeviceDeferred => place.data.join(TRUTH_FILE),
    };
    let new = !truth.exists();
    if new {
        FileVolume::provision(&place.data, SHAPE, |_| {})?;
        FileTruth::provision(&truth)?;
    }
    let volume = FileVolume::open(&place.data, SHAPE, Access::ReadWrite)?;
    let medium = FileTruth::open(&truth, class, Access::ReadWrite)?;
    let input = OpenInput {
        log_id: LogId([1; 16]),
        generation: Generation(1),
        boot_id: BootId([2; 16]),
        options: Options {
            retain_uncosigned: false,
            read_back_every: 0,
            ..Options::default()
        },
    };
    let ours = if new {
        Ours {
            journal: Journal::create(volume, medium, &input, SALT)?,
            recovery: None,
            encoded_bytes: 0,
        }
    } else {
        let (journal, recovery) = Journal::open(volume, medium, &input)?;
        Ours {
            journal,
            recovery: Some(recovery),
            encoded_bytes: 0,
        }
    };
    Ok(Box::new(ours))
}

impl Engine for Ours {
    fn commit(&mut self, batch: &Batch) -> Result<(), Failed> {
        let committed = self.journal.commit(&batch.group, SALT)?;
        let bytes = committed.entries.iter().map(|entry| entry.bytes.len());
        self.encoded_bytes += u64::try_from(bytes.sum::<usize>())?;
        Ok(())
    }

    fn encoded_bytes(&self) -> Option<u64> {
        Some(self.encoded_bytes)
    }

    fn read(&mut self, tell: Tell<'_>) -> Result<(), Failed> {
        if let Some(recovery) = &self.recovery {
            if let Some(uncertain) = recovery.uncertain {
                tell(Answer::Uncertain {
                    from: uncertain.from.0,
                });
            }
            for loss in &recovery.losses {
                tell(lost(loss));
            }
        }
        for item in self.journal.reader()?.entries(CommitId(0)) {
            match item {
                Ok(stored) => {
                    let Entry {
                        header, captured, ..
                    } = stored.entry()?;
                    tell(Answer::Record {
                        key: header.commit_id.0,
                        bytes: captured.capture,
                    });
                }
                Err(Finding::Lost(loss)) => tell(lost(&loss)),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

fn lost(loss: &journal::Loss) -> Answer {
    Answer::Lost {
        first: loss.first.0,
        end: loss.end(),
    }
}
