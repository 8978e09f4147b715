//! A signer in a folder of its own, started as its users start it.

use evidence::Digest;
use ipc::message::{Describe, ErrorCode, Keys, SignCheckpoint};
use ipc::{Channel, IpcError, Message};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The base origin of every test.
pub(crate) const BASE: &str = "meters.example/site";
/// Its first generation.
pub(crate) const G1: &str = "meters.example/site/g1";
/// Longer than anything here may take.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// The program.
pub(crate) const SIGNER: &str = env!("CARGO_BIN_EXE_fieldnotary-signer");

/// A folder with the place of an identity and of a socket.
pub(crate) struct Site {
    /// The folder.
    pub(crate) folder: TempDir,
}

/// A running signer; it is killed when it goes out of scope.
pub(crate) struct Running {
    /// The process.
    pub(crate) child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Site {
    /// A folder without an identity.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A folder with an identity.
    pub(crate) fn new() -> Self {
        let site = Self::empty();
        let made = site.command(&["init", "--origin", BASE]);
        assert!(made.status.success(), "{made:?}");
        site
    }

    /// Where the identity is.
    pub(crate) fn identity(&self) -> PathBuf {
        self.folder.path().join("identity")
    }

    /// Where the socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("signer.sock")
    }

    /// Runs a command to its end; the identity's place is added.
    pub(crate) fn command(&self, args: &[&str]) -> Output {
        let output = Command::new(SIGNER)
            .args(args)
            .arg("--identity")
            .arg(self.identity())
            .output();
        output.unwrap()
    }

    /// The arguments of a run.
    pub(crate) fn run_args(&self) -> Vec<String> {
        let path = |path: PathBuf| path.to_str().unwrap().to_string();
        let mut args = vec!["run".into(), "--identity".into(), path(self.identity())];
        args.extend(["--socket".into(), path(self.socket())]);
        args.extend(["--origin".into(), BASE.into()]);
        args
    }

    /// Starts the signer.
    pub(crate) fn start(&self) -> Running {
        let child = Command::new(SIGNER)
            .args(self.run_args())
            .stderr(Stdio::null())
            .spawn();
        Running {
            child: child.unwrap(),
        }
    }

    /// Connects to it.
    pub(crate) fn connect(&self) -> Channel {
        Channel::connect(&self.socket(), LONG).unwrap()
    }
}

/// A request for a tree head's signature.
pub(crate) fn head(origin: &str, size: u64, root: u8) -> Message {
    SignCheckpoint {
        rotations: 0,
        origin: origin.into(),
        size,
        root: Digest([root; 32]),
        plain_shown: None,
    }
    .into()
}

/// The note that answers a request.
pub(crate) fn note(channel: &Channel, request: &Message) -> String {
    match channel.ask(request, LONG).unwrap() {
        Message::SignedNote(signed) => {
            assert_eq!(signed.custody, evidence::reasons::Custody::Software);
            signed.note.0
        }
        other => panic!("{}", other.name()),
    }
}

/// The error that answers a request.
pub(crate) fn refusal(channel: &Channel, request: &Message) -> (ErrorCode, String) {
    match channel.ask(request, LONG) {
        Err(IpcError::Peer { code, text, .. }) => (code, text),
        other => panic!("{other:?}"),
    }
}

/// What the signer says it is.
pub(crate) fn keys(channel: &Channel, origin: Option<&str>) -> Keys {
    let request = Describe {
        origin: origin.map(Into::into),
        nonce: None,
    };
    match channel.ask(&request.into(), LONG).unwrap() {
        Message::Keys(keys) => keys,
        other => panic!("{}", other.name()),
    }
}
