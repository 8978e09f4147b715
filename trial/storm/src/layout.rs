//! Where the files of one site lie.

use std::path::{Path, PathBuf};

/// The folder of one site.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the folders of a new site.
    pub(crate) fn make(root: &Path) -> Result<Self, String> {
        let layout = Self {
            root: root.to_path_buf(),
        };
        for folder in [
            layout.root.clone(),
            layout.volume(),
            layout.street(),
            layout.tls(),
            layout.logs(),
        ] {
            std::fs::create_dir_all(&folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        Ok(layout)
    }

    /// What may be full or fail: node and collector lie there.
    pub(crate) fn volume(&self) -> PathBuf {
        self.root.join("v")
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.root.join("volume.img")
    }

    pub(crate) fn node(&self) -> PathBuf {
        self.volume().join("node")
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.node().join("identity")
    }

    pub(crate) fn processes(&self) -> PathBuf {
        self.node().join("run/processes.json")
    }

    pub(crate) fn recorder_socket(&self) -> PathBuf {
        self.node().join("run/recorder.sock")
    }

    pub(crate) fn collector(&self) -> PathBuf {
        self.volume().join("collector")
    }

    /// An older copy of the collector.
    pub(crate) fn collector_before(&self) -> PathBuf {
        self.root.join("collector-before")
    }

    /// A second node with the first one's identity.
    pub(crate) fn clone_of_node(&self) -> PathBuf {
        self.root.join("clone")
    }

    pub(crate) fn street(&self) -> PathBuf {
        self.root.join("street")
    }

    pub(crate) fn street_log(&self) -> PathBuf {
        self.street().join("street.jsonl")
    }

    pub(crate) fn street_plan(&self) -> PathBuf {
        self.root.join("street-faults.toml")
    }

    pub(crate) fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    pub(crate) fn contract(&self) -> PathBuf {
        self.root.join("contract.toml")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub(crate) fn injector_log(&self) -> PathBuf {
        self.root.join("injector.jsonl")
    }

    /// Where steps are armed and the clock is set off.
    pub(crate) fn board(&self) -> PathBuf {
        self.root.join("steps.board")
    }
}
