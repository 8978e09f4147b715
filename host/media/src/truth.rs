//! The truth store as a file: in the journal's directory, or on a medium of its own.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use evidence::reasons::TruthClass;
use journal::limits::{TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use journal::{MediumError, ReadTruth, TruthMedium};

use crate::aligned::Aligned;
use crate::file::{Fault, FixedFile, Flush, sync_dir};
use crate::{Access, MediaError};

/// Name of the truth store in the journal's directory.
pub const TRUTH_FILE: &str = "truth.fnt";

/// Bytes that a truth store takes, in a file or on a device: the slots copy by copy, then the copies of the
/// lease table.
pub const TRUTH_FILE_BYTES: u64 = TABLES_AT + TABLE_COPIES as u64 * TABLE_BYTES as u64;
const _: () = assert!(TRUTH_FILE_BYTES == 147_456);
/// Where the lease table begins.
const TABLES_AT: u64 = TRUTH_SLOTS as u64 * TRUTH_COPIES as u64 * TRUTH_SLOT_BYTES as u64;

/// A truth store in a file.
#[derive(Debug)]
pub struct FileTruth {
    class: TruthClass,
    file: FixedFile,
    /// Both copies of a slot on their way to the medium.
    pair: Aligned,
}

/// A writer decides by what it reads here, so that must be durable.
fn opened(path: &Path, access: Access, flush: Flush) -> Result<FixedFile, MediaError> {
    let file = FixedFile::open(path, access, flush)?;
    if access == Access::ReadWrite {
        file.settle()
            .map_err(|errno| MediaError::new("syncing", path, errno))?;
    }
    Ok(file)
}

impl FileTruth {
    /// Creates the file, filled with zeros, unless it is there already.
    ///
    /// # Errors
    /// [`MediaError`] with the file at fault.
    pub fn provision(path: &Path) -> Result<(), MediaError> {
        match std::fs::metadata(path).map(|found| found.len()) {
            Ok(TRUTH_FILE_BYTES) => return Ok(()),
            Ok(_) => {
                let why = "the truth store has another size than it must have";
                return Err(MediaError::because("provisioning", path, why));
            }
            Err(_) => {}
        }
        let parent = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        std::fs::create_dir_all(&parent)
            .map_err(|error| MediaError::new("creating", &parent, error))?;
        // Under another name until it is whole: an interrupted provisioning leaves no short file.
        let draft = path.with_extension("new");
        let _ = std::fs::remove_file(&draft);
        FixedFile::provision(&draft, TRUTH_FILE_BYTES)?;
        std::fs::rename(&draft, path).map_err(|error| MediaError::new("naming", path, error))?;
        sync_dir(&parent)
    }

    /// Opens a truth store. `class` is what its place can prove: the same code serves a file beside
    /// the journal and one on a medium of its own.
    ///
    /// # Errors
    /// [`MediaError`] with the file at fault.
    pub fn open(path: &Path, class: TruthClass, access: Access) -> Result<Self, MediaError> {
        let flush = match class {
            TruthClass::SameDeviceDeferred => Flush::OnDemand,
            TruthClass::Independent | TruthClass::SameDeviceSync => Flush::EachWrite,
        };
        let file = opened(path, access, flush)?;
        if file.bytes() != TRUTH_FILE_BYTES {
            let why = "the truth store has another size than it must have";
            return Err(MediaError::because("opening", path, why));
        }
        let pair = Aligned::zeroed(0);
        Ok(Self { class, file, pair })
    }

    /// Opens a truth store that begins at the first byte of a device: a memory file that the kernel
    /// offers for an FRAM (`/sys/bus/spi/devices/spi0.0/fram`), or a block device. What lies behind
    /// the store is not touched.
    ///
    /// # Errors
    /// [`MediaError`] with the device: not there, too small, or one that must be erased before it is
    /// written.
    pub fn open_device(path: &Path, access: Access) -> Result<Self, MediaError> {
        let found =
            std::fs::metadata(path).map_err(|error| MediaError::new("opening", path, error))?;
        if !(found.is_file() || found.file_type().is_block_device()) {
            let why = "no memory file and no block device; flash that must be erased first, such as \
                       /dev/mtd0, cannot hold a truth store";
            return Err(MediaError::because("opening", path, why));
        }
        let file = opened(path, access, Flush::EachWrite)?;
        if file.bytes() < TRUTH_FILE_BYTES {
            let why = "smaller than a truth store, which takes 147456 bytes";
            return Err(MediaError::because("opening", path, why));
        }
        let class = TruthClass::Independent;
        let pair = Aligned::zeroed(0);
        Ok(Self { class, file, pair })
    }

    /// The store's bytes as they are.
    ///
    /// # Errors
    /// The medium's.
    pub fn bytes(&self) -> Result<Vec<u8>, MediumError> {
        let len = usize::try_from(TRUTH_FILE_BYTES).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len];
        self.file.read(0, &mut bytes).map_err(placed(0, 0))?;
        Ok(bytes)
    }

    /// Puts these bytes in the place of the whole store, durably; zeros where they end.
    ///
    /// # Errors
    /// The medium's.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<(), MediumError> {
        let len = usize::try_from(TRUTH_FILE_BYTES).unwrap_or(usize::MAX);
        let mut whole = bytes.to_vec();
        whole.resize(len, 0);
        self.file.write_durable(0, &whole).map_err(placed(0, 0))
    }

    /// Whether writes go past the page cache.
    #[must_use]
    pub fn direct(&self) -> bool {
        self.file.direct()
    }
}

pub(crate) fn slot_at(slot: u32, copy: u32) -> u64 {
    (u64::from(slot) * u64::from(TRUTH_COPIES) + u64::from(copy)) * TRUTH_SLOT_BYTES as u64
}

pub(crate) fn table_at(copy: u32) -> u64 {
    TABLES_AT + u64::from(copy) * TABLE_BYTES as u64
}

fn placed(slot: u32, offset: u64) -> impl Fn(Fault) -> MediumError {
    move |fault| fault.at(slot, offset)
}

impl ReadTruth for FileTruth {
    fn class(&self) -> TruthClass {
        self.class
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let at = slot_at(slot, copy);
        self.file.read(at, into).map_err(placed(slot, at))
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let at = table_at(copy);
        self.file.read(at, into).map_err(placed(copy, at))
    }
}

impl TruthMedium for FileTruth {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = slot_at(slot, 0);
        self.pair.hold(&[bytes, bytes]);
        self.file
            .write_durable(at, self.pair.bytes())
            .map_err(placed(slot, at))?;
        steps::pass("commit.truth_stored");
        Ok(())
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = slot_at(slot, copy);
        self.file.write_durable(at, bytes).map_err(placed(slot, at))
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = slot_at(slot, 0);
        self.pair.hold(&[bytes, bytes]);
        self.file
            .write(at, self.pair.bytes())
            .map_err(placed(slot, at))?;
        steps::pass("commit.truth_stored");
        Ok(())
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let at = table_at(copy);
        self.file
            .write_durable(at, bytes)
            .map_err(placed(copy, at))?;
        steps::pass("lease.stored");
        Ok(())
    }
}
