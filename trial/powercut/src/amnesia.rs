//! A file system that forgets: what was not synced when the power goes is lost, torn or reordered, sector
//! by sector.

mod disk;
mod fuse;

pub(crate) use disk::{Disk, Flaw};
use fuse::Amnesia;
use fuser::{BackgroundSession, Config, MountOption};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file system, mounted as long as this lives.
#[derive(Debug)]
pub(crate) struct Mounted {
    disk: Arc<Mutex<Disk>>,
    _session: BackgroundSession,
}

impl Mounted {
    /// Mounts an empty one.
    pub(crate) fn at(folder: &Path) -> Result<Self, String> {
        let disk = Arc::new(Mutex::new(Disk::default()));
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName("amnesia".to_owned()),
            MountOption::NoAtime,
        ];
        let session = fuser::spawn_mount(Amnesia(Arc::clone(&disk)), folder, &config)
            .map_err(|error| format!("cannot mount on {}: {error}", folder.display()))?;
        Ok(Self {
            disk,
            _session: session,
        })
    }

    /// The medium behind it.
    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Mounted;
    use media::DATA_SYNC;
    use rustix::fs::{Mode, OFlags};
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;
    use trial::Random;

    const BYTES: usize = 8_192;

    fn open(path: &Path, flags: OFlags) -> File {
        File::from(rustix::fs::open(path, OFlags::RDWR | flags, Mode::empty()).unwrap())
    }

    /// Through the kernel: what was synced or written through is there after every cut, what was only
    /// written is not after all of them.
    #[test]
    fn the_mounted_file_system_keeps_what_was_synced_and_forgets_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Mounted::at(folder.path()).unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["synced", "through", "written"] {
            std::fs::write(path(name), [0; BYTES]).unwrap();
        }
        mounted.disk().settle();
        let mut forgotten = 0;
        for cut in 1..=20 {
            let synced = open(&path("synced"), OFlags::empty());
            synced.write_all_at(&[cut; BYTES], 0).unwrap();
            synced.sync_data().unwrap();
            let through = open(&path("through"), DATA_SYNC);
            through.write_all_at(&[cut; BYTES], 0).unwrap();
            let written = open(&path("written"), OFlags::empty());
            written.write_all_at(&[cut; BYTES], 0).unwrap();
            mounted.disk().arm(0);
            assert!(synced.sync_data().is_err(), "the power is gone");
            drop((synced, through, written));
            mounted.disk().restore(&mut Random::new(u64::from(cut)));
            assert_eq!(std::fs::read(path("synced")).unwrap(), [cut; BYTES]);
            assert_eq!(std::fs::read(path("through")).unwrap(), [cut; BYTES]);
            forgotten += u32::from(std::fs::read(path("written")).unwrap() != [cut; BYTES]);
        }
        assert!(forgotten > 10, "forgotten {forgotten} times");
    }
}
