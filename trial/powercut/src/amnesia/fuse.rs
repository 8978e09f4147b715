//! The kernel's requests, answered by the medium. One flat directory; nothing is cached by the kernel.

use super::disk::{Disk, Failed};
use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `O_DSYNC` as the kernel hands it on with each write; `O_SYNC` holds it too.
const DATA_SYNC: i32 = 0o10_000;
/// How long the kernel may believe a name or a length.
const BELIEVED: Duration = Duration::ZERO;

/// The file system.
#[derive(Debug)]
pub(super) struct Amnesia(pub(super) Arc<Mutex<Disk>>);

impl Amnesia {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attributes(&self, inode: u64) -> Option<FileAttr> {
        if inode == INodeNo::ROOT.0 {
            return Some(attributes(inode, 0, FileType::Directory));
        }
        let bytes = self.disk().bytes(inode)?;
        Some(attributes(inode, bytes, FileType::RegularFile))
    }
}

fn attributes(inode: u64, bytes: u64, kind: FileType) -> FileAttr {
    FileAttr {
        ino: INodeNo(inode),
        size: bytes,
        blocks: bytes.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: 0o700,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4_096,
        flags: 0,
    }
}

fn done(reply: ReplyEmpty, outcome: Result<(), Failed>) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(Failed) => reply.error(Errno::EIO),
    }
}

fn found(reply: ReplyEmpty, outcome: Option<()>) {
    match outcome {
        Some(()) => reply.ok(),
        None => reply.error(Errno::ENOENT),
    }
}

impl Filesystem for Amnesia {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let inode = self.disk().named(&name.to_string_lossy());
        match inode.and_then(|inode| self.attributes(inode)) {
            Some(attributes) => reply.entry(&BELIEVED, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(inode.0) {
            Some(attributes) => reply.attr(&BELIEVED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        inode: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let resized = size.map_or(Ok(()), |size| self.disk().set_bytes(inode.0, size));
        match resized {
            Ok(()) => self.getattr(request, inode, handle, reply),
            Err(Failed) => reply.error(Errno::EIO),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn create(
        &self,
        _: &Request,
        _: INodeNo,
        name: &OsStr,
        _mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let inode = self.disk().create(&name.to_string_lossy());
        reply.created(
            &BELIEVED,
            &attributes(inode, 0, FileType::RegularFile),
            Generation(0),
            FileHandle(0),
            FopenFlags::FOPEN_DIRECT_IO,
        );
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().read(inode.0, offset, bytes as usize) {
            Ok(found) => reply.data(found),
            Err(Failed) => reply.error(Errno::EIO),
        }
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let synced = flags.0 & DATA_SYNC != 0;
        match self.disk().write(inode.0, offset, bytes, synced) {
            Ok(()) => reply.written(u32::try_from(bytes.len()).unwrap_or(u32::MAX)),
            Err(Failed) => reply.error(Errno::EIO),
        }
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let outcome = self.disk().sync(inode.0);
        done(reply, outcome);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // The end of a descriptor makes nothing durable.
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let outcome = self.disk().remove(&name.to_string_lossy());
        found(reply, outcome);
    }

    fn rename(
        &self,
        _: &Request,
        _: INodeNo,
        from: &OsStr,
        _: INodeNo,
        to: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
        let outcome = self.disk().rename(&from, &to);
        found(reply, outcome);
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let disk = self.disk();
        for (place, (name, inode)) in (1..).zip(disk.names()).skip(skipped) {
            if reply.add(INodeNo(*inode), place, FileType::RegularFile, name) {
                break;
            }
        }
        reply.ok();
    }
}
