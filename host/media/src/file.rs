//! One provisioned file: durable writes in place, reads from the medium.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use journal::{MediumError, MediumFault};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::MediaError;
use crate::aligned::{ALIGN_BYTES, Aligned, is_aligned};

/// How the files are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For any number of readers, without a lock.
    ReadOnly,
    /// For the one writer.
    ReadWrite,
}

/// `O_DSYNC` of the kernel's generic ABI: data and what is needed to read it, durable on return.
///
/// `OFlags::DSYNC` is `O_SYNC` on Linux, which also journals every change of the file's time: a second
/// flush for each commit that crosses a timer tick.
pub const DATA_SYNC: OFlags = OFlags::from_bits_retain(0o10_000);
#[cfg(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))]
compile_error!("O_DSYNC has another value on this architecture: add it to DATA_SYNC");

/// Which writes of a file the kernel makes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// Every one, before it returns.
    EachWrite,
    /// Those that are asked to be: the others travel with the next of them.
    OnDemand,
}

/// Bytes written at once while a file is filled with zeros, and read at once to see whether it is.
pub(crate) const FILL_BYTES: usize = 1 << 20;

/// A file of fixed size.
#[derive(Debug)]
pub(crate) struct FixedFile {
    file: File,
    /// The same file through the page cache, for writes that wait for a later flush: past the cache each of
    /// them would wait for the device, and gain nothing by it.
    cached: Option<File>,
    direct: bool,
    bytes: u64,
    writable: bool,
    flush: Flush,
}

fn open_with(path: &Path, flags: OFlags) -> Result<File, Errno> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR).map(File::from)
}

const fn mode_of(access: Access, flush: Flush) -> OFlags {
    match (access, flush) {
        (Access::ReadOnly, _) => OFlags::RDONLY,
        (Access::ReadWrite, Flush::EachWrite) => OFlags::RDWR.union(DATA_SYNC),
        (Access::ReadWrite, Flush::OnDemand) => OFlags::RDWR,
    }
}

impl FixedFile {
    /// Opens a provisioned file; direct I/O where the file system takes it. What an earlier process wrote
    /// may not be durable yet: [`Self::settle`].
    pub(crate) fn open(path: &Path, access: Access, flush: Flush) -> Result<Self, MediaError> {
        let mut opened = Self::open_untried(path, access, flush)?;
        // Some file systems take the flag and refuse the first read.
        let probe = || opened.read_aligned(0, ALIGN_BYTES);
        if opened.direct && opened.bytes > 0 && matches!(probe(), Err(Errno::INVAL)) {
            opened.file = open_with(path, mode_of(access, flush))
                .map_err(|errno| MediaError::new("opening", path, errno))?;
            opened.direct = false;
        }
        Ok(opened)
    }

    /// The same beside a file that was found to take direct reads.
    pub(crate) fn open_untried(
        path: &Path,
        access: Access,
        flush: Flush,
    ) -> Result<Self, MediaError> {
        let mode = mode_of(access, flush);
        let (file, direct) = match open_with(path, mode | OFlags::DIRECT) {
            Ok(file) => (file, true),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                let file = open_with(path, mode);
                (
                    file.map_err(|errno| MediaError::new("opening", path, errno))?,
                    false,
                )
            }
            Err(errno) => return Err(MediaError::new("opening", path, errno)),
        };
        let bytes = length(&file).map_err(|error| MediaError::new("measuring", path, error))?;
        let cached = match (access, flush) {
            (Access::ReadWrite, Flush::OnDemand) if direct => Some(
                open_with(path, mode).map_err(|errno| MediaError::new("opening", path, errno))?,
            ),
            _ => None,
        };
        Ok(Self {
            file,
            cached,
            direct,
            bytes,
            writable: access == Access::ReadWrite,
            flush,
        })
    }

    /// Makes durable what an earlier process wrote: before anything is decided on it.
    pub(crate) fn settle(&self) -> Result<(), Errno> {
        flush_of(&self.file)
    }

    /// Creates a file and fills it with zeros, durably.
    pub(crate) fn provision(path: &Path, bytes: u64) -> Result<(), MediaError> {
        let fail = |errno: Errno| MediaError::new("provisioning", path, errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let file = open_with(path, flags).map_err(fail)?;
        fill(&file, 0, bytes).map_err(fail)
    }

    /// Fills up a file that ends early with zeros, durably; what it holds stays. Interrupted, it goes on another
    /// time.
    pub(crate) fn lengthen(path: &Path, from: u64, bytes: u64) -> Result<(), MediaError> {
        let fail = |errno: Errno| MediaError::new("filling up", path, errno);
        let file = open_with(path, OFlags::WRONLY).map_err(fail)?;
        fill(&file, from, bytes).map_err(fail)
    }

    /// Whether reads and writes go past the page cache.
    pub(crate) fn direct(&self) -> bool {
        self.direct
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The same, with zeros for what lies behind its end.
    pub(crate) fn read_found(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let there = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (held, rest) = into.split_at_mut(there.min(into.len()));
        rest.fill(0);
        match held.is_empty() {
            true => Ok(()),
            false => self.read(offset, held),
        }
    }

    /// Fills `into` from any place of the file.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let end = offset.checked_add(into.len() as u64).ok_or(Fault::RANGE)?;
        if end > self.bytes {
            return Err(Fault::RANGE);
        }
        if !self.direct {
            return read_all(&self.file, into, offset).map_err(Fault::from);
        }
        let align = ALIGN_BYTES as u64;
        let begin = offset - offset % align;
        let len = usize::try_from(end.next_multiple_of(align) - begin).map_err(|_| Fault::RANGE)?;
        let buffer = self.read_aligned(begin, len)?;
        let skip = usize::try_from(offset - begin).map_err(|_| Fault::RANGE)?;
        let found = buffer.bytes().get(skip..skip + into.len());
        into.copy_from_slice(found.ok_or(Fault::RANGE)?);
        Ok(())
    }

    /// Reads aligned blocks; the last may reach past the end of the file.
    fn read_aligned(&self, begin: u64, len: usize) -> Result<Aligned, Errno> {
        let mut buffer = Aligned::zeroed(len);
        let left = usize::try_from(self.bytes - begin.min(self.bytes)).unwrap_or(usize::MAX);
        let mut done = 0;
        while done < len.min(left) {
            let Some(rest) = buffer.bytes_mut().get_mut(done..) else {
                break;
            };
            match rustix::io::pread(&self.file, rest, begin + done as u64) {
                Ok(0) => return Err(Errno::IO),
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(buffer)
    }

    /// Writes in place; durable when it returns.
    pub(crate) fn write_durable(&self, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.write(offset, bytes)?;
        match self.flush {
            Flush::EachWrite => Ok(()),
            Flush::OnDemand => {
                flush_of(self.cached.as_ref().unwrap_or(&self.file)).map_err(Fault::from)
            }
        }
    }

    /// Writes in place; durable with the next durable write, where the file was opened so.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        if !self.writable {
            return Err(Fault {
                fault: MediumFault::ReadOnly,
                os_error: None,
            });
        }
        let end = offset.checked_add(bytes.len() as u64).ok_or(Fault::RANGE)?;
        if end > self.bytes {
            return Err(Fault::RANGE);
        }
        let aligned = |n: u64| n.is_multiple_of(512);
        if self.direct && !(aligned(offset) && aligned(bytes.len() as u64)) {
            return Err(Fault::RANGE);
        }
        if let Some(cached) = &self.cached {
            write_all(cached, bytes, offset)?;
        } else if self.direct && !is_aligned(bytes) {
            let mut aligned = Aligned::zeroed(bytes.len());
            aligned.hold(&[bytes]);
            write_all(&self.file, aligned.bytes(), offset)?;
        } else {
            write_all(&self.file, bytes, offset)?;
        }
        Ok(())
    }
}

/// Bytes of a file or of a block device, whose entry in the directory has no length.
fn length(mut file: &File) -> std::io::Result<u64> {
    let found = file.metadata()?;
    match found.file_type().is_block_device() {
        true => file.seek(SeekFrom::End(0)),
        false => Ok(found.len()),
    }
}

/// Whether it is a block device.
pub(crate) fn is_device(found: &std::fs::Metadata) -> bool {
    found.file_type().is_block_device()
}

/// Makes durable what was written. A memory file of the kernel knows no such call: nothing of it is
/// ever in a cache.
fn flush_of(file: &File) -> Result<(), Errno> {
    match rustix::fs::fdatasync(file) {
        Err(Errno::INVAL) => Ok(()),
        done => done,
    }
}

/// What went wrong, without the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    fault: MediumFault,
    os_error: Option<i32>,
}

impl Fault {
    pub(crate) const RANGE: Self = Self {
        fault: MediumFault::OutOfRange,
        os_error: None,
    };
    /// There is no file.
    pub(crate) const MISSING: Self = Self {
        fault: MediumFault::Missing,
        os_error: None,
    };
    /// What is there cannot be read.
    pub(crate) const REFUSED: Self = Self {
        fault: MediumFault::Io,
        os_error: None,
    };

    /// The error at a place.
    pub(crate) fn at(self, segment: u32, offset: u64) -> MediumError {
        MediumError {
            fault: self.fault,
            segment,
            offset,
            os_error: self.os_error,
        }
    }
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        let fault = match errno {
            Errno::NOSPC | Errno::DQUOT => MediumFault::Full,
            Errno::ROFS | Errno::BADF => MediumFault::ReadOnly,
            _ => MediumFault::Io,
        };
        Self {
            fault,
            os_error: Some(errno.raw_os_error()),
        }
    }
}

/// Writes zeros from a place to where the file is to end, and makes them durable.
fn fill(file: &File, from: u64, end: u64) -> Result<(), Errno> {
    let zeros = vec![0; FILL_BYTES];
    let mut at = from;
    while at < end {
        let len = usize::try_from(end - at)
            .unwrap_or(FILL_BYTES)
            .min(FILL_BYTES);
        let chunk = zeros.get(..len).unwrap_or_default();
        at += write_all(file, chunk, at)?;
    }
    rustix::fs::fsync(file)
}

/// Writes everything; a short write goes on where it stopped.
pub(crate) fn write_all(file: &File, bytes: &[u8], offset: u64) -> Result<u64, Errno> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pwrite(file, rest, offset + done as u64) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done as u64)
}

/// Fills `into`; the end of the file is an error.
pub(crate) fn read_all(file: &File, into: &mut [u8], offset: u64) -> Result<(), Errno> {
    let mut done = 0;
    while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(file, rest, offset + done as u64) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), MediaError> {
    let fail = |errno: Errno| MediaError::new("syncing", dir, errno);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let handle = open_with(dir, flags).map_err(fail)?;
    rustix::fs::fsync(&handle).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::{Access, FixedFile, Flush};

    //= A5.2
    #[test]
    fn a_durable_write_journals_data_and_not_the_times_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment");
        FixedFile::provision(&path, 65_536).unwrap();
        let (data_sync, full_sync) = (0o10_000, 0o4_000_000);
        for (flush, wanted) in [(Flush::EachWrite, data_sync), (Flush::OnDemand, 0)] {
            let file = FixedFile::open(&path, Access::ReadWrite, flush).unwrap();
            let flags = rustix::fs::fcntl_getfl(&file.file).unwrap().bits();
            assert_eq!(flags & (data_sync | full_sync), wanted, "{flush:?}");
        }
    }

    /// Writes that wait for a flush go through the page cache; whoever reads past it sees them at once.
    #[test]
    fn a_deferred_write_is_seen_by_direct_readers_and_flushed_on_demand() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("truth");
        FixedFile::provision(&path, 65_536).unwrap();
        let file = FixedFile::open(&path, Access::ReadWrite, Flush::OnDemand).unwrap();
        assert_eq!(file.cached.is_some(), file.direct());
        let reader = FixedFile::open(&path, Access::ReadOnly, Flush::EachWrite).unwrap();
        let mut found = [0; 512];
        for (round, durable) in [(1u8, false), (2, false), (3, true), (4, false)] {
            match durable {
                true => file.write_durable(8_192, &[round; 512]).unwrap(),
                false => file.write(8_192, &[round; 512]).unwrap(),
            }
            for reader in [&file, &reader] {
                reader.read(8_192, &mut found).unwrap();
                assert_eq!(found, [round; 512]);
            }
        }
    }
}
