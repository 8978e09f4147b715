//! Power cuts under a real ext4: its block device is a loop device over a file of the file system that
//! forgets, so that the kernel's own journal is replayed before the log is opened again.

use crate::amnesia::Mounted;
use crate::ledger::Ledger;
use crate::log::{CLASSES, Log, cases_of_log, said};
use crate::run::checked;
use crate::tally::{Breach, Tally};
use crate::work::{Pace, work};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use trial::Random;

/// Bytes of the block device: room for an ext4 with a journal, and a ring.
const DEVICE_BYTES: u64 = 24 << 20;
/// Cuts on one file system before a new one is made.
const CUTS_OF_DEVICE: u64 = 20;
/// Most writes and flushes of the device between two cuts.
const OPERATIONS: [u64; 2] = [40, 250];
const IMAGE: &str = "device";

/// An ext4 whose device forgets.
pub(crate) struct Device<'a> {
    pub(crate) medium: &'a Mounted,
    pub(crate) image: PathBuf,
    folder: PathBuf,
}

/// Cuts the power so often.
pub(crate) fn cuts(folder: &Path, seed: u64, count: u64, tally: &mut Tally) -> Result<(), String> {
    let (fuse, ext4) = (folder.join("fuse"), folder.join("ext4"));
    for folder in [&fuse, &ext4] {
        std::fs::create_dir(folder).map_err(said)?;
    }
    let medium = Mounted::at(&fuse)?;
    let mut random = Random::new(seed);
    let mut left = count;
    let mut number = 0;
    let of_device = cases_of_log(count, CUTS_OF_DEVICE);
    while left > 0 {
        let device = Device::make(&medium, fuse.join(IMAGE), ext4.clone())?;
        let log = Log::in_folder(&ext4, number % CLASSES.len(), random.number())?;
        number += 1;
        left -= life(&device, &log, left.min(of_device), tally)?;
    }
    Ok(())
}

fn life(device: &Device<'_>, log: &Log, most: u64, tally: &mut Tally) -> Result<u64, String> {
    let mut random = Random::new(log.seed);
    device.make_log(log)?;
    let mut ledger = Ledger::default();
    for cut in 1..=most {
        device.mount()?;
        let reach = random.one_of(&OPERATIONS).copied().unwrap_or(40);
        device.medium.disk().arm(random.between(0, reach));
        let first = ledger.handed_in;
        let why = work(log, first, Pace::Sound, &mut random, &mut |word| {
            ledger.hear(word, tally);
        });
        tally.loop_cuts += 1;
        let what = format!("device cut {cut} of {} log {}", log.class, log.seed);
        if !device.medium.disk().is_off() {
            // Nothing else may end the work.
            tally.breach(Breach::RefusedOpen, format!("{what}, the power on: {why}"));
            return Ok(cut);
        }
        device.unmount()?;
        device.medium.disk().restore(&mut random);
        if !device.judge(log, &mut ledger, &what, tally)? {
            return Ok(cut);
        }
    }
    Ok(most)
}

impl<'a> Device<'a> {
    /// A new device with an empty ext4.
    pub(crate) fn make(
        medium: &'a Mounted,
        image: PathBuf,
        folder: PathBuf,
    ) -> Result<Self, String> {
        medium.disk().wipe();
        let file = File::create(&image).map_err(said)?;
        file.set_len(DEVICE_BYTES).map_err(said)?;
        drop(file);
        checked(
            Command::new("mkfs.ext4")
                .args(["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
                .arg(&image),
        )?;
        medium.disk().settle();
        Ok(Self {
            medium,
            image,
            folder,
        })
    }

    /// Another image in the same medium, mounted in the same place.
    pub(crate) fn other(&self, image: PathBuf) -> Device<'a> {
        Device {
            medium: self.medium,
            image,
            folder: self.folder.clone(),
        }
    }

    /// Makes a log on it, durable to the last sector.
    pub(crate) fn make_log(&self, log: &Log) -> Result<(), String> {
        self.mount()?;
        log.make()?;
        self.unmount()?;
        self.medium.disk().settle();
        Ok(())
    }

    /// Mounts it and holds the log against what is known; whether everything held.
    pub(crate) fn judge(
        &self,
        log: &Log,
        ledger: &mut Ledger,
        what: &str,
        tally: &mut Tally,
    ) -> Result<bool, String> {
        if let Err(error) = self.mount() {
            tally.breach(Breach::RefusedOpen, format!("{what}: {error}"));
            return Ok(false);
        }
        let held = ledger.judge(log, what, tally);
        self.unmount()?;
        Ok(held)
    }

    /// Mounts it; the kernel replays its journal.
    fn mount(&self) -> Result<(), String> {
        checked(
            Command::new("mount")
                .args(["-t", "ext4", "-o", "loop,noatime"])
                .arg(&self.image)
                .arg(&self.folder),
        )
    }

    /// Lets go of it. What is not on the device by now is forgotten with the power.
    fn unmount(&self) -> Result<(), String> {
        checked(Command::new("umount").arg(&self.folder))
    }
}

impl Drop for Device<'_> {
    fn drop(&mut self) {
        // Mounted still only if something failed on the way.
        let _ = self.unmount();
    }
}
