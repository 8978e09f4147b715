//! Where the files of a demonstration lie; nothing that exists is ever overwritten.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folders `NAME-2`, `NAME-3` … that are tried.
const FOLDERS_MAX: u32 = 1_000;
/// Bytes of a local socket's path, its end included.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The folder of one demonstration.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Takes `wish`, or a folder named after it if there is something in it already.
    pub(super) fn choose(wish: &Path) -> Result<Self, String> {
        let absolute = std::path::absolute(wish)
            .map_err(|error| format!("--dir {}: {error}", wish.display()))?;
        let name = absolute
            .file_name()
            .ok_or("--dir: a folder's name is due")?
            .to_owned();
        for number in 1..=FOLDERS_MAX {
            let mut name = name.clone();
            if number > 1 {
                name.push(format!("-{number}"));
            }
            let root = absolute.with_file_name(name);
            let layout = Self { root };
            layout.check_length()?;
            if !take(&layout.root)? {
                continue;
            }
            for folder in [
                layout.street(),
                layout.identity(),
                layout.tls(),
                layout.logs(),
            ] {
                std::fs::create_dir_all(&folder)
                    .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
            }
            return Ok(layout);
        }
        Err(format!(
            "{} and {FOLDERS_MAX} folders named after it are in use; name another with --dir",
            absolute.display()
        ))
    }

    fn check_length(&self) -> Result<(), String> {
        let socket = self.node().join("run/recorder.sock");
        let bytes = socket.as_os_str().len();
        if bytes <= SOCKET_PATH_BYTES_MAX {
            return Ok(());
        }
        Err(format!(
            "the socket {} would have a path of {bytes} bytes, the system allows \
             {SOCKET_PATH_BYTES_MAX}; name a shorter folder with --dir",
            socket.display()
        ))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn street(&self) -> PathBuf {
        self.root.join("street")
    }

    /// The street's own record of what it was asked and what it answered.
    pub(super) fn street_log(&self) -> PathBuf {
        self.street().join("street.jsonl")
    }

    pub(super) fn street_plan(&self) -> PathBuf {
        self.root.join("street-faults.toml")
    }

    pub(super) fn node(&self) -> PathBuf {
        self.root.join("node")
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.node().join("identity")
    }

    /// The node's client certificate and the authority it trusts.
    pub(super) fn tls(&self) -> PathBuf {
        self.node().join("tls")
    }

    pub(super) fn collector(&self) -> PathBuf {
        self.root.join("collector")
    }

    pub(super) fn contract(&self) -> PathBuf {
        self.root.join("contract.toml")
    }

    /// What the injector did, line by line.
    pub(super) fn injector_log(&self) -> PathBuf {
        self.root.join("injector.jsonl")
    }

    /// What the programs said.
    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

/// Makes a folder, or takes one that is there and empty; `false` if it is in use.
fn take(root: &Path) -> Result<bool, String> {
    if let Some(parent) = root.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
    }
    // Made in one step, so that two demonstrations at once never share a folder.
    match std::fs::create_dir(root) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(format!("cannot make {}: {error}", root.display())),
    }
    match std::fs::read_dir(root) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(format!("cannot look into {}: {error}", root.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn a_folder_in_use_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let wish = dir.path().join("demo");
        std::fs::create_dir(&wish).unwrap();
        let first = Layout::choose(&wish).unwrap();
        assert_eq!(first.root(), wish, "an empty folder is free");
        assert_eq!(
            Layout::choose(&wish).unwrap().root(),
            dir.path().join("demo-2")
        );
        std::fs::write(dir.path().join("demo-3"), "a file").unwrap();
        assert_eq!(
            Layout::choose(&wish).unwrap().root(),
            dir.path().join("demo-4")
        );
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused_before_anything_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let wish = dir.path().join("x".repeat(90));
        let error = Layout::choose(&wish).unwrap_err();
        assert!(error.contains("shorter folder"), "{error}");
        assert!(!wish.exists());
    }
}
