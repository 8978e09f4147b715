//! Power cuts of a whole machine: a guest with a kernel of its own writes the log, its disk is a file of the
//! file system that forgets. A cut is a moment of that disk while the machine runs, or its end: it is killed with its power.

use crate::amnesia::Mounted;
use crate::blocks::Device;
use crate::ledger::Ledger;
use crate::log::{CLASSES, Log, cases_of_log, said};
use crate::tally::Tally;
use crate::writer::Writer;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial::Random;
use trial_guest::Image;

/// Cuts on one disk before a new one is made.
const CUTS_OF_DISK: u64 = 48;
/// Cuts while a machine runs, the last with its end: starting one takes longer than all of them.
const SNAPSHOTS_OF_BOOT: u64 = 24;
/// Most time between two of them.
const APART_US: u64 = 300_000;
/// What a guest has said is heard by then.
const HEARD_WITHIN: Duration = Duration::from_millis(100);
/// Most writes and flushes of the disk before the last.
const OPERATIONS: u64 = 200;
/// A machine that has not opened the log by then has failed.
const OPENED_WITHIN: Duration = Duration::from_secs(120);
/// The power goes by then at the latest.
const CUT_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks at the power.
const LOOK: Duration = Duration::from_millis(1);
const MEMORY_MIB: u32 = 192;
/// Where this program lies in the guest.
const PROGRAM: &str = "powercut";
const DISK_IMAGE: &str = "disk";
/// What a cut would leave of it.
const SNAPSHOT: &str = "snapshot";

/// What a guest starts from.
#[derive(Debug)]
pub(crate) struct Guest {
    kernel: PathBuf,
    initramfs: PathBuf,
    console: PathBuf,
}

impl Guest {
    /// Puts kernel, modules and this program together.
    pub(crate) fn build(parts: &Path, folder: &Path) -> Result<Self, String> {
        let initramfs = folder.join("initramfs");
        let mut image = Image::new(parts, &[])?;
        let kernel = image.kernel().to_owned();
        image.program(PROGRAM, &std::env::current_exe().map_err(said)?)?;
        let line = format!(
            "exec /{PROGRAM} writer --dir /ext4 --class $FN_CLASS --log-seed $FN_LOG --first $FN_FIRST \
             --work-seed $FN_WORK >/dev/ttyS0\n"
        );
        image.write(&line, &initramfs)?;
        Ok(Self {
            kernel,
            initramfs,
            console: folder.join("console"),
        })
    }

    /// A machine with this disk, whose writer works on the log from this capture on.
    fn machine(&self, disk: &Path, class: usize, log: u64, first: u64, work: u64) -> Command {
        let words = format!("FN_CLASS={class} FN_LOG={log} FN_FIRST={first} FN_WORK={work}");
        trial_guest::machine(
            &self.kernel,
            &self.initramfs,
            &words,
            MEMORY_MIB,
            disk,
            &self.console,
        )
    }

    /// The last that the guest's kernel said.
    fn last_words(&self) -> String {
        let text = std::fs::read(&self.console).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }
}

/// Cuts the power of a machine so often.
pub(crate) fn cuts(
    guest: &Guest,
    folder: &Path,
    seed: u64,
    count: u64,
    tally: &mut Tally,
) -> Result<(), String> {
    let (fuse, ext4) = (folder.join("fuse"), folder.join("ext4"));
    for folder in [&fuse, &ext4] {
        std::fs::create_dir(folder).map_err(said)?;
    }
    let medium = Mounted::at(&fuse)?;
    let mut random = Random::new(seed);
    let mut left = count;
    let mut number = 0;
    let of_disk = cases_of_log(count, CUTS_OF_DISK);
    while left > 0 {
        let disk = Device::make(&medium, fuse.join(DISK_IMAGE), ext4.clone())?;
        let class = number % CLASSES.len();
        number += 1;
        let log = Log::in_folder(&ext4, class, random.number())?;
        left -= life(guest, &disk, &log, class, left.min(of_disk), tally)?;
    }
    Ok(())
}

/// One disk from its making on; the cuts made.
fn life(
    guest: &Guest,
    disk: &Device<'_>,
    log: &Log,
    class: usize,
    most: u64,
    tally: &mut Tally,
) -> Result<u64, String> {
    let mut random = Random::new(log.seed);
    disk.make_log(log)?;
    let mut ledger = Ledger::default();
    let mut cuts = 0;
    while cuts < most {
        let (first, work) = (ledger.handed_in, random.number());
        let mut machine = guest.machine(&disk.image, class, log.seed, first, work);
        let mut machine = Writer::start(&mut machine)?;
        machine
            .opened(OPENED_WITHIN)
            .map_err(|why| format!("{why}: {}", guest.last_words()))?;
        let mut held = true;
        for _ in 1..SNAPSHOTS_OF_BOOT.min(most - cuts) {
            if held {
                held = moment(disk, log, &mut machine, &mut ledger, &mut random, tally)?;
                cuts += 1;
            }
        }
        disk.medium.disk().arm(random.between(0, OPERATIONS));
        wait_for_cut(disk.medium);
        for word in machine.kill()? {
            ledger.hear(word, tally);
        }
        disk.medium.disk().restore(&mut random);
        tally.guest_cuts += 1;
        tally.guest_kills += 1;
        cuts += 1;
        let what = format!(
            "guest killed after cut {cuts} of {} log {}",
            log.class, log.seed
        );
        if !(held && disk.judge(log, &mut ledger, &what, tally)?) {
            return Ok(cuts);
        }
    }
    Ok(cuts)
}

/// What a cut at this moment would leave, while the machine goes on; whether everything held.
fn moment(
    disk: &Device<'_>,
    log: &Log,
    machine: &mut Writer,
    ledger: &mut Ledger,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<bool, String> {
    std::thread::sleep(Duration::from_micros(random.between(0, APART_US)));
    for word in machine.heard()? {
        ledger.hear(word, tally);
    }
    let taken = disk.medium.disk().snapshot(DISK_IMAGE, SNAPSHOT, random);
    taken.ok_or("the guest's disk is not there")?;
    // What was begun before the moment is said before it is done, and heard a little later.
    std::thread::sleep(HEARD_WITHIN);
    let after = machine.heard()?;
    let mut then = ledger.at_moment(&after);
    for word in after {
        ledger.hear(word, tally);
    }
    tally.guest_cuts += 1;
    let copy = disk.other(disk.image.with_file_name(SNAPSHOT));
    let what = format!("a moment of the guest with {} log {}", log.class, log.seed);
    let held = copy.judge(log, &mut then, &what, tally)?;
    disk.medium.disk().remove(SNAPSHOT);
    Ok(held)
}

/// Until the power is gone by itself, or is taken.
fn wait_for_cut(medium: &Mounted) {
    let looks = CUT_WITHIN.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        if medium.disk().is_off() {
            return;
        }
        std::thread::sleep(LOOK);
    }
    medium.disk().power_off();
}
