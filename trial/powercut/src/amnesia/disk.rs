//! The medium: files of sectors, each durable or not yet, and what a power cut makes of them.
//!
//! Names and lengths are durable at once: the journal makes its files once and never changes either.

use std::collections::BTreeMap;
use trial::Random;

/// Bytes that a medium writes whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;
/// Of eight unsynced sectors, how many survive a cut on average; one of these for each cut.
const SURVIVING_OF_EIGHT: [u64; 5] = [0, 1, 4, 7, 8];

/// No power, or no such place: the operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// How the medium breaks its own promise, planted to see the breach found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Syncs are answered and not done.
    LyingSync,
}

/// One file.
#[derive(Clone, Debug, Default)]
struct Content {
    /// As readers see it.
    now: Vec<u8>,
    /// As it survives.
    durable: Vec<u8>,
    /// Writes of whole sectors since they were last synced, in order.
    unsynced: Vec<(usize, [u8; SECTOR_BYTES])>,
}

impl Content {
    /// Loses what was not synced, but for a random subset.
    fn lose(&mut self, of_eight: u64, random: &mut Random) {
        let unsynced = std::mem::take(&mut self.unsynced);
        for (sector, bytes) in &unsynced {
            if random.between(0, 8) < of_eight {
                put(&mut self.durable, *sector, bytes);
            }
        }
        for (sector, _) in unsynced {
            let kept = get(&self.durable, sector);
            put(&mut self.now, sector, &kept);
        }
    }
}

/// All files of the file system, by their inode.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    newest: u64,
    /// Writes and syncs until the power goes.
    left: Option<u64>,
    off: bool,
    flaw: Option<Flaw>,
}

/// The inode before the first file's: the root directory.
const ROOT: u64 = 1;

impl Disk {
    /// Forgets every file. Inodes are not used again.
    pub(crate) fn wipe(&mut self) {
        self.files.clear();
        self.names.clear();
        self.power_on();
        self.flaw = None;
    }

    /// Lets the power go at the write or sync after so many more.
    pub(crate) fn arm(&mut self, operations: u64) {
        self.left = Some(operations);
    }

    /// The power goes now, if it has not gone already.
    pub(crate) fn power_off(&mut self) {
        self.off = true;
    }

    /// Whether the power is gone.
    pub(crate) fn is_off(&self) -> bool {
        self.off
    }

    pub(crate) fn plant(&mut self, flaw: Flaw) {
        self.flaw = Some(flaw);
    }

    /// The power comes back: of what was not synced a random subset is there, in any order.
    pub(crate) fn restore(&mut self, random: &mut Random) {
        let of_eight = random.one_of(&SURVIVING_OF_EIGHT).copied().unwrap_or(4);
        for file in self.files.values_mut() {
            file.lose(of_eight, random);
        }
        self.power_on();
    }

    /// Makes another file of what would be left of one if the power went now. It goes on working.
    pub(crate) fn snapshot(&mut self, from: &str, to: &str, random: &mut Random) -> Option<()> {
        let of_eight = random.one_of(&SURVIVING_OF_EIGHT).copied().unwrap_or(4);
        let mut copy = self.files.get(&self.named(from)?)?.clone();
        copy.lose(of_eight, random);
        let inode = self.create(to);
        self.files.insert(inode, copy);
        Some(())
    }

    fn power_on(&mut self) {
        self.off = false;
        self.left = None;
    }

    /// Makes everything durable.
    pub(crate) fn settle(&mut self) {
        let inodes: Vec<u64> = self.files.keys().copied().collect();
        for inode in inodes {
            self.make_durable(inode);
        }
    }

    pub(crate) fn named(&self, name: &str) -> Option<u64> {
        self.names.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&String, &u64)> {
        self.names.iter()
    }

    pub(crate) fn bytes(&self, inode: u64) -> Option<u64> {
        self.files.get(&inode).map(|file| file.now.len() as u64)
    }

    /// Makes an empty file.
    pub(crate) fn create(&mut self, name: &str) -> u64 {
        self.newest = self.newest.max(ROOT) + 1;
        self.names.insert(name.to_owned(), self.newest);
        self.files.insert(self.newest, Content::default());
        self.newest
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<()> {
        let inode = self.names.remove(name)?;
        self.files.remove(&inode).map(drop)
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Option<()> {
        let inode = self.names.remove(from)?;
        if let Some(before) = self.names.insert(to.to_owned(), inode) {
            self.files.remove(&before);
        }
        Some(())
    }

    pub(crate) fn set_bytes(&mut self, inode: u64, bytes: u64) -> Result<(), Failed> {
        let len = usize::try_from(bytes).map_err(|_| Failed)?;
        let file = self.files.get_mut(&inode).ok_or(Failed)?;
        file.now.resize(len, 0);
        file.durable.resize(len, 0);
        file.unsynced
            .retain(|(sector, _)| sector * SECTOR_BYTES < len);
        Ok(())
    }

    pub(crate) fn read(&self, inode: u64, offset: u64, bytes: usize) -> Result<&[u8], Failed> {
        if self.off {
            return Err(Failed);
        }
        let now = &self.files.get(&inode).ok_or(Failed)?.now;
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(now.len());
        let end = begin.saturating_add(bytes).min(now.len());
        now.get(begin..end).ok_or(Failed)
    }

    /// Writes; durable when it returns if that is asked for.
    pub(crate) fn write(
        &mut self,
        inode: u64,
        offset: u64,
        bytes: &[u8],
        synced: bool,
    ) -> Result<(), Failed> {
        if self.off {
            return Err(Failed);
        }
        let begin = usize::try_from(offset).map_err(|_| Failed)?;
        let end = begin.checked_add(bytes.len()).ok_or(Failed)?;
        if self.bytes(inode).is_some_and(|len| len < end as u64) {
            self.set_bytes(inode, end as u64)?;
        }
        let file = self.files.get_mut(&inode).ok_or(Failed)?;
        file.now
            .get_mut(begin..end)
            .ok_or(Failed)?
            .copy_from_slice(bytes);
        let sectors = begin / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES);
        for sector in sectors.clone() {
            file.unsynced.push((sector, get(&file.now, sector)));
        }
        self.spend()?;
        if synced && self.flaw != Some(Flaw::LyingSync) {
            self.make_sectors_durable(inode, |sector| sectors.contains(&sector));
        }
        Ok(())
    }

    /// Makes a file durable.
    pub(crate) fn sync(&mut self, inode: u64) -> Result<(), Failed> {
        self.spend()?;
        if self.flaw != Some(Flaw::LyingSync) {
            self.make_durable(inode);
        }
        Ok(())
    }

    /// One operation less until the power goes; it goes during the last.
    fn spend(&mut self) -> Result<(), Failed> {
        match &mut self.left {
            Some(0) => self.off = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if self.off { Err(Failed) } else { Ok(()) }
    }

    fn make_durable(&mut self, inode: u64) {
        self.make_sectors_durable(inode, |_| true);
    }

    fn make_sectors_durable(&mut self, inode: u64, these: impl Fn(usize) -> bool) {
        if let Some(file) = self.files.get_mut(&inode) {
            let (due, rest) = std::mem::take(&mut file.unsynced)
                .into_iter()
                .partition(|(sector, _)| these(*sector));
            file.unsynced = rest;
            let due: Vec<(usize, [u8; SECTOR_BYTES])> = due;
            for (sector, bytes) in due {
                put(&mut file.durable, sector, &bytes);
            }
        }
    }
}

/// A sector of a file, with zeros behind the file's end.
fn get(file: &[u8], sector: usize) -> [u8; SECTOR_BYTES] {
    let mut bytes = [0; SECTOR_BYTES];
    let found = file.get(sector * SECTOR_BYTES..).unwrap_or_default();
    bytes
        .iter_mut()
        .zip(found)
        .for_each(|(to, from)| *to = *from);
    bytes
}

fn put(file: &mut [u8], sector: usize, bytes: &[u8; SECTOR_BYTES]) {
    let place = file.get_mut(sector * SECTOR_BYTES..).unwrap_or_default();
    place
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests;
