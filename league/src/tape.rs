//! A device that keeps a tape of what it is told: every write and every flush, in order.
//!
//! The device is a file of a file system in user space, with a loop device over it. From the tape
//! follows what may lie on the medium after a power cut: everything before the last flush, and of
//! what was written since any sectors.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyWrite, Request,
    WriteFlags,
};

use crate::engine::Failed;
use crate::image::SECTOR_BYTES;

/// Name of the one file.
const DISK: &str = "disk";
/// Its number; the root has 1.
const DISK_INODE: INodeNo = INodeNo(2);

/// What a device was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Write { offset: u64, bytes: Vec<u8> },
    Flush,
}

/// What several devices were told, in one order: device and command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Arc<Mutex<Vec<(usize, Told)>>>);

impl Tape {
    /// How many commands there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn tell(&self, device: usize, told: Told) {
        self.lock().push((device, told));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Told)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a device may hold when power fails at a point of the tape: `base`, what was flushed, and
    /// of each write since, the sectors that `kept` picks.
    pub(crate) fn at_cut(
        &self,
        device: usize,
        point: usize,
        base: &Sectors,
        mut kept: impl FnMut(usize) -> Vec<bool>,
    ) -> Sectors {
        let tape = self.lock();
        let before = tape.iter().take(point).enumerate();
        let told: Vec<(usize, &Told)> = before
            .filter(|(_, (of, _))| *of == device)
            .map(|(at, (_, told))| (at, told))
            .collect();
        let last_flush = told.iter().rev().find(|(_, told)| **told == Told::Flush);
        let flushed = last_flush.map_or(0, |(at, _)| *at);
        let mut held = base.clone();
        for (at, told) in told {
            if let Told::Write { offset, bytes } = told {
                let sectors = bytes.len().div_ceil(SECTOR_BYTES);
                let kept = if at < flushed {
                    vec![true; sectors]
                } else {
                    kept(sectors)
                };
                held.write(*offset, bytes, &kept);
            }
        }
        held
    }
}

/// The sectors of a device that were written; the others are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sectors(BTreeMap<u64, Vec<u8>>);

impl Sectors {
    /// Those of a file.
    pub(crate) fn of(path: &Path) -> Result<Self, Failed> {
        let all = std::fs::read(path)?;
        let mut sectors = Self::default();
        for (n, bytes) in (0..).zip(all.chunks(SECTOR_BYTES)) {
            if bytes.iter().any(|byte| *byte != 0) {
                sectors.0.insert(n, bytes.to_vec());
            }
        }
        Ok(sectors)
    }

    fn write(&mut self, offset: u64, bytes: &[u8], kept: &[bool]) {
        let first = offset / SECTOR_BYTES as u64;
        let written = (first..).zip(bytes.chunks(SECTOR_BYTES)).zip(kept);
        for ((n, bytes), _) in written.filter(|(_, kept)| **kept) {
            self.0.insert(n, bytes.to_vec());
        }
    }

    /// Writes them to a new file of so many bytes.
    pub(crate) fn put(&self, path: &Path, bytes: u64) -> Result<(), Failed> {
        let file = File::create(path)?;
        file.set_len(bytes)?;
        for (n, bytes) in &self.0 {
            file.write_all_at(bytes, n * SECTOR_BYTES as u64)?;
        }
        Ok(())
    }
}

/// A device that tells a tape; unmounted when it is dropped.
pub(crate) struct Recorder {
    at: PathBuf,
    _session: BackgroundSession,
}

impl Recorder {
    /// Offers the file behind `image` as a device; nothing where that is not permitted.
    pub(crate) fn try_new(
        image: &Path,
        at: &Path,
        device: usize,
        tape: &Tape,
    ) -> Result<Option<Self>, Failed> {
        let file = File::options().read(true).write(true).open(image)?;
        let disk = Disk {
            bytes: file.metadata()?.len(),
            file,
            device,
            tape: tape.clone(),
        };
        let session = fuser::spawn_mount(disk, at, &fuser::Config::default());
        Ok(session.ok().map(|session| Self {
            at: at.to_owned(),
            _session: session,
        }))
    }

    /// The file to put a loop device over.
    pub(crate) fn disk(&self) -> PathBuf {
        self.at.join(DISK)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        crate::device::detach(&self.at);
    }
}

struct Disk {
    file: File,
    bytes: u64,
    device: usize,
    tape: Tape,
}

/// Nothing that the kernel asks may be answered from its memory.
const NO_TIME: Duration = Duration::ZERO;

impl Disk {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let is_disk = inode == DISK_INODE;
        FileAttr {
            ino: inode,
            size: if is_disk { self.bytes } else { 0 },
            blocks: 0,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: match is_disk {
                true => FileType::RegularFile,
                false => FileType::Directory,
            },
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            flags: 0,
            blksize: 4_096,
        }
    }
}

impl Filesystem for Disk {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match name == DISK {
            true => reply.entry(&NO_TIME, &self.attributes(DISK_INODE), Generation(0)),
            false => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&NO_TIME, &self.attributes(inode));
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let mut bytes = vec![0; size as usize];
        match self.file.read_at(&mut bytes, offset) {
            Ok(count) => reply.data(bytes.get(..count).unwrap_or_default()),
            Err(_) => reply.error(Errno::EIO),
        }
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.file.write_all_at(bytes, offset);
        let Some(count) = u32::try_from(bytes.len()).ok().filter(|_| written.is_ok()) else {
            return reply.error(Errno::EIO);
        };
        let bytes = bytes.to_vec();
        self.tape.tell(self.device, Told::Write { offset, bytes });
        reply.written(count);
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.tape.tell(self.device, Told::Flush);
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // A file descriptor was closed: that is no flush of the device.
        reply.ok();
    }
}

#[cfg(test)]
mod tests {
    use super::{Sectors, Tape, Told};
    use crate::image::SECTOR_BYTES;

    fn write(sector: u64, fill: u8, sectors: usize) -> Told {
        Told::Write {
            offset: sector * SECTOR_BYTES as u64,
            bytes: vec![fill; sectors * SECTOR_BYTES],
        }
    }

    /// The fill of each sector after a cut at `point`, where of unflushed writes the first is kept.
    fn check(point: usize, device: usize, expected: &[(u64, u8)]) {
        let tape = Tape::default();
        for (device, told) in [
            (0, write(0, 1, 2)),
            (1, write(0, 9, 1)),
            (0, Told::Flush),
            (0, write(1, 2, 2)),
            (1, Told::Flush),
            (0, write(5, 3, 1)),
            (0, Told::Flush),
        ] {
            tape.tell(device, told);
        }
        let first = |sectors| (0..sectors).map(|n| n == 0).collect();
        let held = tape.at_cut(device, point, &Sectors::default(), first);
        let found: Vec<(u64, u8)> = held.0.iter().map(|(n, bytes)| (*n, bytes[0])).collect();
        assert_eq!(found, expected, "device {device} at {point}");
    }

    #[test]
    fn what_is_flushed_is_held_and_of_the_rest_what_is_kept() {
        check(0, 0, &[]);
        check(1, 0, &[(0, 1)]);
        check(2, 0, &[(0, 1)]);
        check(3, 0, &[(0, 1), (1, 1)]);
        check(4, 0, &[(0, 1), (1, 2)]);
        check(6, 0, &[(0, 1), (1, 2), (5, 3)]);
        check(7, 0, &[(0, 1), (1, 2), (2, 2), (5, 3)]);
        check(7, 1, &[(0, 9)]);
    }
}
