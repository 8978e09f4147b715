//! Devices of a row's own: files behind loop devices with a fresh ext4, where the league may mount.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::engine::{Failed, Place};

/// Bytes of the device of the data: more than any run writes. The file behind it is sparse.
const DATA_BYTES: u64 = 512 << 20;
/// Bytes of the device of the truth store.
const TRUTH_BYTES: u64 = 64 << 20;

/// Where a row runs: two devices, or two directories where mounting is not permitted.
pub(crate) struct Ground {
    /// Dropped before the directory that holds their mount points.
    mounts: Vec<Mount>,
    folder: tempfile::TempDir,
}

impl Ground {
    /// Makes both devices; directories alone where that is not permitted.
    pub(crate) fn make(below: &Path) -> Result<Self, Failed> {
        let folder = tempfile::Builder::new()
            .prefix("fieldnotary-league-")
            .tempdir_in(below)?;
        let mut ground = Self {
            mounts: Vec::new(),
            folder,
        };
        for (name, bytes) in [("data", DATA_BYTES), ("truth", TRUTH_BYTES)] {
            let image = ground.folder.path().join(format!("{name}.ext4"));
            let at = ground.root(name);
            fs::create_dir(&at)?;
            if rustix::process::geteuid().is_root() {
                make_ext4(&image, bytes)?;
                ground.mounts.extend(Mount::try_new(&image, &at)?);
            }
        }
        Ok(ground)
    }

    /// Whether the devices are the row's own, so that their counters say what it did.
    pub(crate) fn is_counted(&self) -> bool {
        self.mounts.len() == 2
    }

    /// A fresh place on both.
    pub(crate) fn place(&self, name: &str) -> Result<Place, Failed> {
        let place = Place {
            data: self.root("data").join(name),
            truth: self.root("truth").join(name),
        };
        fs::create_dir(&place.data)?;
        fs::create_dir(&place.truth)?;
        Ok(place)
    }

    fn root(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A file system in a new sparse file.
pub(crate) fn make_ext4(image: &Path, bytes: u64) -> Result<(), Failed> {
    File::create(image)?.set_len(bytes)?;
    let mut mkfs = Command::new("mkfs.ext4");
    // Nothing is left to be initialised behind the back of what is counted; a short journal and few
    // inodes, as no row needs more and they are written now.
    mkfs.args([
        "-E",
        "lazy_itable_init=0,lazy_journal_init=0",
        "-J",
        "size=8",
    ]);
    mkfs.args(["-q", "-F", "-b", "4096", "-N", "1024"]);
    match quietly(mkfs.arg(image))? {
        true => Ok(()),
        false => Err(Failed("mkfs.ext4 failed".into())),
    }
}

/// A mounted image; unmounted when it is dropped.
pub(crate) struct Mount {
    at: PathBuf,
}

impl Mount {
    /// Mounts an image over a loop device; nothing where that is not permitted.
    pub(crate) fn try_new(image: &Path, at: &Path) -> Result<Option<Self>, Failed> {
        let mounted = quietly(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(image)
                .arg(at),
        )?;
        Ok(mounted.then(|| Self { at: at.to_owned() }))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = quietly(Command::new("umount").arg(&self.at));
    }
}

/// Takes a mount point away, whoever still uses it.
pub(crate) fn detach(at: &Path) {
    let _ = quietly(Command::new("umount").arg("--lazy").arg(at));
}

fn quietly(command: &mut Command) -> Result<bool, Failed> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) => Ok(status.success()),
        Err(error) => Err(Failed(format!("{name}: {error}"))),
    }
}

/// What the block layer counted for the device below a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) sectors: u64,
    pub(crate) flushes: u64,
}

impl Counters {
    /// As they stand now; nothing where the path lies on no block device.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let device = fs::metadata(path).ok()?.dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let stat = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
        Self::parse(&stat)
    }

    /// Sectors written are the seventh field, flushes the sixteenth.
    fn parse(stat: &str) -> Option<Self> {
        let field = |n| stat.split_whitespace().nth(n)?.parse().ok();
        Some(Self {
            sectors: field(6)?,
            flushes: field(15)?,
        })
    }

    /// What was added since.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            sectors: self.sectors - before.sectors,
            flushes: self.flushes - before.flushes,
        }
    }
}

/// Makes everything of the file system of a path durable, so that what comes is counted alone.
pub(crate) fn settle(path: &Path) -> Result<(), Failed> {
    Ok(rustix::fs::syncfs(File::open(path)?)?)
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn the_fields_are_those_of_the_kernel() {
        let stat = " 1 2 3 4 5 6 777 8 9 10 11 12 13 14 15 1616 17\n";
        let expected = Counters {
            sectors: 777,
            flushes: 1_616,
        };
        assert_eq!(Counters::parse(stat), Some(expected));
        assert_eq!(Counters::parse("1 2 3"), None);
    }
}
