//! Where everything lies in a node's data directory.

use std::path::{Path, PathBuf};

/// A node's data directory.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    pub(crate) fn new(root: &Path) -> Self {
        Self(root.to_path_buf())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// Keys of the software backend and their verifier keys.
    pub(crate) fn identity(&self) -> PathBuf {
        self.0.join("identity")
    }

    /// Segments and truth store of one generation.
    pub(crate) fn journal(&self, generation: u64) -> PathBuf {
        self.0.join("journal").join(format!("g{generation:06}"))
    }

    /// The poll marker board (A4.8), outside the journal.
    pub(crate) fn markers(&self) -> PathBuf {
        self.0.join("markers")
    }

    /// Sockets of the running node.
    pub(crate) fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// Sockets of the time process, which daemons answer to.
    pub(crate) fn time_sockets(&self) -> PathBuf {
        self.run().join("time")
    }

    pub(crate) fn recorder_socket(&self) -> PathBuf {
        self.run().join("recorder.sock")
    }

    pub(crate) fn signer_socket(&self) -> PathBuf {
        self.run().join("signer.sock")
    }

    /// The socket that the signer serves: another one where a signer of another user has the keys.
    pub(crate) fn served_by_signer(&self) -> PathBuf {
        let path = self.signer_socket();
        std::fs::read_link(&path).unwrap_or(path)
    }

    /// The log's random identity.
    pub(crate) fn log_id(&self) -> PathBuf {
        self.identity().join("log-id")
    }

    /// What the uplink keeps: a directory of its own, as it may write nowhere else.
    pub(crate) fn uplink(&self) -> PathBuf {
        self.0.join("uplink")
    }

    /// Sizes at which the collector may stand.
    pub(crate) fn standing(&self) -> PathBuf {
        self.uplink().join("standing.json")
    }

    /// What the syslog role keeps.
    pub(crate) fn syslog(&self) -> PathBuf {
        self.0.join("syslog")
    }

    /// Up to where the receiver has the log.
    pub(crate) fn forwarded(&self) -> PathBuf {
        self.syslog().join("place.json")
    }

    /// What the timestamp role keeps.
    pub(crate) fn timestamp(&self) -> PathBuf {
        self.0.join("timestamp")
    }

    /// When the last timestamp was had.
    pub(crate) fn stamped(&self) -> PathBuf {
        self.timestamp().join("last.json")
    }

    /// What the processes write to standard error.
    pub(crate) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// What the supervisor keeps across boots.
    pub(crate) fn supervisor(&self) -> PathBuf {
        self.0.join("supervisor")
    }

    /// The restart ledger.
    pub(crate) fn restarts(&self) -> PathBuf {
        self.supervisor().join("restarts.json")
    }

    /// How the processes of the running node fare.
    pub(crate) fn supervision(&self) -> PathBuf {
        self.run().join("supervision.json")
    }

    /// Files that people attached, each named by its SHA-256.
    pub(crate) fn attachments(&self) -> PathBuf {
        self.0.join("attachments")
    }

    /// Says that the directory was restored, and from what.
    pub(crate) fn restored(&self) -> PathBuf {
        self.0.join("restored.json")
    }

    /// The truth store, where it has a medium of its own.
    pub(crate) fn truth(&self) -> PathBuf {
        self.0.join("truth")
    }
}
