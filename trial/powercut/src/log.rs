//! The log under trial: where it lies, how it is made and opened.

use evidence::reasons::TruthClass;
use evidence::{BootId, Generation, LogId, SaltKey};
use journal::{Journal, OpenInput, Options, Reader, Recovery, Scrub, Shape};
use media::{Access, FileTruth, FileVolume, TRUTH_FILE};
use std::path::{Path, PathBuf};
use trial::Random;

/// Classes of truth stores, each tried in turn.
pub(crate) const CLASSES: [TruthClass; 3] = [
    TruthClass::Independent,
    TruthClass::SameDeviceSync,
    TruthClass::SameDeviceDeferred,
];
/// How many cases one log is given of so many in all: at most this many, and few enough that every
/// class has its turn.
pub(crate) fn cases_of_log(all: u64, most: u64) -> u64 {
    all.div_ceil(CLASSES.len() as u64).clamp(1, most)
}

/// Blocks that a ring may have.
const BLOCKS_BYTES: [u32; 3] = [512, 4_096, 4_096];
/// Segments are short, so that a few commits change them.
const SEGMENT_BYTES: u64 = 32_768;

/// A log and all that follows from its seed.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) dir: PathBuf,
    /// Where the truth store lies: the same folder, or another.
    pub(crate) truth_dir: PathBuf,
    pub(crate) class: TruthClass,
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
}

/// A journal on files.
pub(crate) type FileJournal = Journal<FileVolume, FileTruth>;

impl Log {
    /// The log of a seed, in these folders.
    pub(crate) fn of_seed(seed: u64, class: TruthClass, dir: PathBuf, truth_dir: PathBuf) -> Self {
        let mut random = Random::new(seed);
        let block_bytes = random.one_of(&BLOCKS_BYTES).copied().unwrap_or(4_096);
        let segments = u32::try_from(random.between(4, 12)).unwrap_or(4);
        let shape = Shape {
            segment_bytes: SEGMENT_BYTES,
            segments,
            block_bytes,
        };
        Self {
            dir,
            truth_dir,
            class,
            shape,
            seed,
        }
    }

    /// The log of a seed, with log and truth store in folders of their own below this one.
    pub(crate) fn in_folder(folder: &Path, class: usize, seed: u64) -> Result<Self, String> {
        let class = CLASSES.get(class).copied().ok_or("no such class")?;
        let (dir, truth_dir) = (folder.join("journal"), folder.join("truth"));
        Ok(Self::of_seed(seed, class, dir, truth_dir))
    }

    fn input(&self) -> OpenInput {
        let mut log_id = [0; 16];
        let halves = log_id.iter_mut().zip(self.seed.to_be_bytes());
        halves.for_each(|(to, from)| *to = from);
        OpenInput {
            log_id: LogId(log_id),
            generation: Generation(1),
            boot_id: BootId([7; 16]),
            options: Options {
                retain_uncosigned: true,
                read_back_every: 0,
                ..Options::default()
            },
        }
    }

    /// The truth store's file.
    pub(crate) fn truth_file(&self) -> PathBuf {
        self.truth_dir.join(TRUTH_FILE)
    }

    fn media(&self, access: Access) -> Result<(FileVolume, FileTruth), String> {
        let volume = FileVolume::open(&self.dir, self.shape, access);
        let truth = FileTruth::open(&self.truth_file(), self.class, access);
        Ok((volume.map_err(said)?, truth.map_err(said)?))
    }

    /// Makes the log: files, and a journal without entries.
    pub(crate) fn make(&self) -> Result<(), String> {
        FileVolume::provision(&self.dir, self.shape, |_| {}).map_err(said)?;
        FileTruth::provision(&self.truth_file()).map_err(said)?;
        let (volume, truth) = self.media(Access::ReadWrite)?;
        Journal::create(volume, truth, &self.input(), SaltKey([1; 16])).map_err(said)?;
        Ok(())
    }

    /// Everything that a reader has to say about it, as it lies.
    pub(crate) fn scrub(&self) -> Result<Scrub, String> {
        let (volume, truth) = self.media(Access::ReadOnly)?;
        let input = self.input();
        let reader = Reader::open(volume, truth, input.log_id, input.generation).map_err(said)?;
        Ok(reader.scrub())
    }

    /// Opens it in whatever state it is.
    pub(crate) fn open(&self) -> Result<(FileJournal, Recovery), String> {
        let (volume, truth) = self.media(Access::ReadWrite)?;
        Journal::open(volume, truth, &self.input()).map_err(said)
    }
}

/// An error in words.
pub(crate) fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
