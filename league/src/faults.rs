//! Faults after the acknowledgement, and what each engine makes of the damaged copy.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::child::{Heard, Running};
use crate::cuts::Recording;
use crate::engine::{Failed, Place};
use crate::image::Image;
use crate::noise::Noise;
use crate::verbs::{ACKNOWLEDGED, DONE, OPENED, answer_of};
use crate::verdict::{Ending, Verdict, Written};

/// Commits of one record each that are acknowledged before the fault.
pub(crate) const ACKNOWLEDGED_COMMITS: u64 = 300;

/// What happens to the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// One bit of a byte that was written.
    BitFlip,
    /// One sector of 512 bytes that was written.
    ZeroedSector,
    /// Power fails while a batch is on its way, and tears its writes.
    TornBatch,
    /// Power fails anywhere; each write since the last flush reached the medium, or did not.
    PowerCut,
}

impl Fault {
    /// Those that a medium does behind our back.
    const OF_MEDIUM: [Self; 2] = [Self::BitFlip, Self::ZeroedSector];
    /// Those of power, which need devices with a tape.
    const OF_POWER: [Self; 2] = [Self::TornBatch, Self::PowerCut];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BitFlip => "bit_flip",
            Self::ZeroedSector => "zeroed_sector",
            Self::TornBatch => "torn_batch",
            Self::PowerCut => "power_cut",
        }
    }
}

/// How often each verdict was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(BTreeMap<Verdict, u64>);

impl Tally {
    pub(crate) fn of(&self, verdict: Verdict) -> u64 {
        self.0.get(&verdict).copied().unwrap_or(0)
    }

    pub(crate) fn trials(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn add(&mut self, verdict: Verdict) {
        *self.0.entry(verdict).or_default() += 1;
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (verdict, count) in &other.0 {
            *self.0.entry(*verdict).or_default() += count;
        }
    }
}

/// A row whose files are struck.
pub(crate) struct Faulty<'a> {
    pub(crate) engine: &'static str,
    /// Where files are made.
    pub(crate) below: &'a Path,
    pub(crate) seed: u64,
    /// Time for one commit, or for an engine to open; more counts as a hang.
    pub(crate) step_max: Duration,
}

impl Faulty<'_> {
    /// Strikes copies of the engine's files, so often with each fault.
    pub(crate) fn all(&self, trials: u64) -> Result<BTreeMap<Fault, Tally>, Failed> {
        let image = self.acknowledged()?;
        let written = Written {
            seed: self.seed,
            acknowledged: ACKNOWLEDGED_COMMITS,
            handed_in: ACKNOWLEDGED_COMMITS,
            // A medium that fails may take the knowledge of the end with it.
            end_is_promised: false,
        };
        let mut tallies = BTreeMap::new();
        for fault in Fault::OF_MEDIUM {
            let tally: &mut Tally = tallies.entry(fault).or_default();
            let noise = Noise::new(self.seed).apart(fault as u64);
            for trial in 0..trials {
                let mut damaged = image.clone();
                let mut noise = noise.apart(trial);
                match fault {
                    Fault::BitFlip => damaged.flip(&mut noise),
                    _ => damaged.zero(&mut noise),
                }
                let folder = Folder::new(self.below)?;
                damaged.put(&folder.place)?;
                tally.add(self.tried(&folder.place, &written)?);
            }
        }
        if let Some(recording) = Recording::make(self)? {
            for fault in Fault::OF_POWER {
                tallies.insert(fault, recording.cut(self, fault, trials)?);
            }
        }
        Ok(tallies)
    }

    /// The files as a killed engine leaves them, with every commit acknowledged.
    fn acknowledged(&self) -> Result<Image, Failed> {
        let folder = Folder::new(self.below)?;
        let seed = [("seed", self.seed)];
        let mut child = Running::start("commit", self.engine, &folder.place, &seed)?;
        self.expect(&mut child, OPENED)?;
        for _ in 0..ACKNOWLEDGED_COMMITS {
            child.say("1")?;
            self.expect(&mut child, ACKNOWLEDGED)?;
        }
        child.kill()?;
        Image::of(&folder.place)
    }

    pub(crate) fn expect(&self, child: &mut Running, wanted: &str) -> Result<(), Failed> {
        let line = child.expect(self.step_max)?;
        match line == wanted {
            true => Ok(()),
            false => Err(Failed(format!("`{line}` where `{wanted}` was due"))),
        }
    }

    /// Opens a place in a child and judges what it says.
    pub(crate) fn tried(&self, place: &Place, written: &Written) -> Result<Verdict, Failed> {
        let mut child = Running::start("read", self.engine, place, &[])?;
        let mut ending = Ending::NotOpened;
        let mut answers = Vec::new();
        while let Heard::Line(line) = child.hear(self.step_max)? {
            match line.as_str() {
                OPENED => ending = Ending::BrokenOff,
                DONE => ending = Ending::Done,
                line => {
                    let answer = answer_of(line);
                    answers.push(answer.ok_or_else(|| Failed(format!("`{line}` is no answer")))?);
                }
            }
        }
        Ok(written.judge(&answers, ending))
    }
}

/// A place in a temporary directory.
struct Folder {
    place: Place,
    _folder: tempfile::TempDir,
}

impl Folder {
    fn new(below: &Path) -> Result<Self, Failed> {
        let folder = tempfile::Builder::new()
            .prefix("fieldnotary-league-")
            .tempdir_in(below)?;
        let place = Place {
            data: folder.path().join("data"),
            truth: folder.path().join("truth"),
        };
        std::fs::create_dir(&place.data)?;
        std::fs::create_dir(&place.truth)?;
        Ok(Self {
            place,
            _folder: folder,
        })
    }
}
