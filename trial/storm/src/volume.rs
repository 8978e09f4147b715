//! A small volume of its own for node and collector: an ext4 on a loop device, that can be full or fail.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use trial::output;

/// How often an unmount is tried: a process that was killed may still be going.
const UNMOUNT_TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// How often a volume is checked until it takes writes.
const MENDS_MAX: u32 = 20;
/// Name of the file that fills the volume.
const FILLER: &str = "filler";

/// A mounted volume; it is unmounted with this value.
#[derive(Debug)]
pub(crate) struct Volume {
    image: PathBuf,
    folder: PathBuf,
}

impl Volume {
    /// Makes an image and mounts it.
    pub(crate) fn make(image: &Path, folder: &Path, bytes: u64) -> Result<Self, String> {
        let failed = |error| format!("cannot make {}: {error}", image.display());
        File::create_new(image)
            .and_then(|file| file.set_len(bytes))
            .map_err(failed)?;
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        // No blocks are kept back: a full volume is full for everybody.
        let mut format = Command::new("mkfs.ext4");
        format.args(["-q", "-F", "-m", "0"]).arg(image);
        output("format a volume", &mut format)?;
        let volume = Self {
            image: image.to_path_buf(),
            folder: folder.to_path_buf(),
        };
        volume.mount()?;
        Ok(volume)
    }

    fn mount(&self) -> Result<(), String> {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop,errors=remount-ro"]);
        output("mount a volume", mount.arg(&self.image).arg(&self.folder)).map(drop)
    }

    /// Takes every byte that is left.
    pub(crate) fn fill(&self) -> Result<u64, String> {
        let path = self.folder.join(FILLER);
        let failed = |error: std::io::Error| format!("cannot fill {}: {error}", path.display());
        let file = File::create(&path).map_err(failed)?;
        let mut taken = 0;
        let mut step: u64 = 64 * 1_024 * 1_024;
        while step >= 1_024 {
            let none = rustix::fs::FallocateFlags::empty();
            match rustix::fs::fallocate(&file, none, taken, step) {
                Ok(()) => taken += step,
                Err(rustix::io::Errno::NOSPC) => step /= 2,
                Err(errno) => return Err(failed(errno.into())),
            }
        }
        Ok(taken)
    }

    /// Gives the bytes back.
    pub(crate) fn empty(&self) -> Result<(), String> {
        let path = self.folder.join(FILLER);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("cannot empty {}: {error}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Has the file system meet an error: it takes no more writes, also of files that are open.
    pub(crate) fn fail(&self) -> Result<(), String> {
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let folder = self.folder.display().to_string();
        let device = mounts.lines().find_map(|line| {
            let mut words = line.split(' ');
            let device = words.next()?.strip_prefix("/dev/")?;
            (words.next()? == folder).then(|| device.to_owned())
        });
        let device = device.ok_or_else(|| format!("{folder} is not mounted"))?;
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        std::fs::write(&trigger, "storm")
            .map_err(|error| format!("cannot write {trigger}: {error}"))
    }

    /// Checks the volume and mounts it again; nobody may use it meanwhile.
    pub(crate) fn mend(&self) -> Result<(), String> {
        for _ in 0..MENDS_MAX {
            self.unmount()?;
            // Its exit code says that something was mended, which is what it is called for.
            let _ = Command::new("e2fsck")
                .args(["-f", "-y"])
                .arg(&self.image)
                .output()
                .map_err(|error| format!("cannot check a volume: {error}"))?;
            self.mount()?;
            let probe = self.folder.join("probe");
            if File::create(&probe).is_ok() && std::fs::remove_file(&probe).is_ok() {
                return Ok(());
            }
            // The device lives on for an instant after the unmount.
            std::thread::sleep(PAUSE);
        }
        Err(format!(
            "{} takes no writes after it was checked",
            self.folder.display()
        ))
    }

    fn unmount(&self) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..UNMOUNT_TRIES {
            match output("unmount a volume", Command::new("umount").arg(&self.folder)) {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
            std::thread::sleep(PAUSE);
        }
        Err(last)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // What is still used is let go by its last user.
        let lazily = Command::new("umount").arg("-l").arg(&self.folder).output();
        drop(lazily);
    }
}
