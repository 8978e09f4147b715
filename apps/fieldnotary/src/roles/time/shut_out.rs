//! A folder of chronyd that came after this process was confined: it may never write there, so it begins again.

use contract::Contract;
use std::path::{Path, PathBuf};
use time_plane::reading::{Fault, Observation, SourceKind};

/// The folder in which chronyd answers, where it was not there when this process began.
#[derive(Debug)]
pub(super) struct ShutOut {
    folder: Option<PathBuf>,
}

impl ShutOut {
    /// Looks whether the folder is there. It is called right behind the confinement, which allows a process
    /// no folder that is not there; the one above is not allowed instead, for whole `/run` would be open.
    pub(super) fn of(contract: &Contract) -> Self {
        let chrony = contract.time.as_ref().and_then(|time| time.chrony.as_ref());
        let folder = chrony.and_then(|socket| Path::new(socket).parent());
        Self {
            folder: folder
                .filter(|folder| !folder.exists())
                .map(Path::to_path_buf),
        }
    }

    /// Looks at what was seen of chronyd.
    ///
    /// # Errors
    ///
    /// The folder is there now and this process is kept out: whoever starts it again lets it in.
    pub(super) fn look(&self, seen: &Observation) -> Result<(), String> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let denied = seen.source == SourceKind::Chrony && seen.outcome == Err(Fault::Denied);
        if denied && folder.exists() {
            return Err(format!(
                "{} was made after this process was confined; it begins again, to be allowed there",
                folder.display()
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::ShutOut;
    use evidence::MonoNs;
    use time_plane::reading::{Fault, Observation, SourceKind};

    #[test]
    fn only_a_folder_that_came_later_and_is_closed_is_a_reason_to_begin_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("chrony");
        let seen = |source, fault| Observation {
            at: MonoNs(0),
            outcome: Err(fault),
            source,
        };
        let denied = || seen(SourceKind::Chrony, Fault::Denied);
        let late = ShutOut {
            folder: Some(folder.clone()),
        };
        assert_eq!(late.look(&denied()), Ok(()));
        std::fs::create_dir(&folder).unwrap();
        let words = late.look(&denied()).unwrap_err();
        assert!(words.contains(&*folder.to_string_lossy()), "{words}");
        assert_eq!(late.look(&seen(SourceKind::Ptp, Fault::Denied)), Ok(()));
        assert_eq!(late.look(&seen(SourceKind::Chrony, Fault::Stale)), Ok(()));
        let there = ShutOut { folder: None };
        assert_eq!(there.look(&denied()), Ok(()));
    }
}
