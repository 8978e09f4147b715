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
