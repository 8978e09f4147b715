//! Somebody who has the keys, or had them, and a log in its published form: he changes entries, adds others, and has the whole signed.

use crate::common::damage::copy_into;
use crate::common::{program, wait_until};
use evidence::{Captured, CommitId, Digest, Entry, Payload, encode_entry, leaf_data, split_leaf};
use ipc::message::{SignCheckpoint, SignedNote};
use ipc::{Channel, Message};
use proof::{Frontier, Hash};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// Leaves of a full bundle.
const BUNDLE: usize = 256;

/// A copy of an identity, and whatever its signer signs.
pub(super) struct Thief {
    folder: tempfile::TempDir,
    base: String,
    rotations: u64,
}

impl Thief {
    /// Has a copy of an identity.
    pub(super) fn with(identity: &Path, base: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("identity");
        std::fs::create_dir(&own).unwrap();
        copy_into(identity, &own);
        let note = |number: &usize| own.join(format!("rotation-{number:03}.note"));
        let rotations = (1..).take_while(|number| note(number).is_file()).count();
        Self {
            folder,
            base: base.to_owned(),
            rotations: u64::try_from(rotations).unwrap(),
        }
    }

    pub(super) fn origin(&self) -> String {
        format!("{}/g1", self.base)
    }

    /// Starts the signer for one question: a TPM that is a program serves one at a time.
    pub(super) fn ask(&self, request: impl Into<Message>) -> Message {
        let socket = self.folder.path().join("signer.sock");
        let mut run = Command::new(program("fieldnotary-signer"));
        run.args(["run", "--origin", &self.base, "--identity"]);
        run.arg(self.folder.path().join("identity"));
        run.arg("--socket").arg(&socket);
        let words = std::fs::File::create(self.folder.path().join("signer.log")).unwrap();
        let mut signer = run.stderr(words).spawn().unwrap();
        let channel = wait_until("the signer", LONG, || {
            Channel::connect(&socket, Duration::from_millis(100)).ok()
        });
        let answer = channel.ask(&request.into(), LONG);
        signer.kill().unwrap();
        signer.wait().unwrap();
        answer.unwrap()
    }

    /// A head, signed.
    pub(super) fn sign(&self, (size, root): (u64, Hash)) -> SignedNote {
        let asked = SignCheckpoint {
            origin: self.origin(),
            size,
            root: Digest(root.0),
            plain_shown: None,
            rotations: self.rotations,
        };
        match self.ask(asked) {
            Message::SignedNote(signed) => signed,
            other => panic!("{other:?}"),
        }
    }
}

/// The leaves of a log of which nothing is missing.
pub(super) struct Forged {
    leaves: Vec<Vec<u8>>,
}

/// Where a bundle lies; these logs have few.
fn bundle(tiles: &Path, index: usize, width: usize) -> PathBuf {
    let name = match width {
        BUNDLE => format!("{index:03}"),
        part => format!("{index:03}.p/{part}"),
    };
    tiles.join("tile/entries").join(name)
}

impl Forged {
    /// Reads a log of so many entries.
    pub(super) fn of(tiles: &Path) -> Self {
        let text = std::fs::read_to_string(tiles.join("checkpoint")).unwrap();
        let size: usize = text.lines().nth(1).unwrap().parse().unwrap();
        let mut leaves = Vec::new();
        while leaves.len() < size {
            let width = (size - leaves.len()).min(BUNDLE);
            let bytes = std::fs::read(bundle(tiles, leaves.len() / BUNDLE, width)).unwrap();
            let mut rest = bytes.as_slice();
            while let Some((length, more)) = rest.split_first_chunk() {
                let (leaf, more) = more.split_at(u16::from_be_bytes(*length).into());
                leaves.push(leaf.to_vec());
                rest = more;
            }
        }
        Self { leaves }
    }

    fn entry(&self, id: usize) -> (Entry, Payload) {
        let (_, bytes) = split_leaf(&self.leaves[id]).unwrap();
        let entry = Entry::decode(bytes).unwrap();
        let payload = entry.payload().unwrap();
        (entry, payload)
    }

    /// The last entry of which there is something, by its number.
    pub(super) fn last<T>(&self, what: impl Fn(Payload) -> Option<T>) -> (usize, T) {
        let mut all = (0..self.leaves.len()).rev();
        all.find_map(|id| Some((id, what(self.entry(id).1)?)))
            .unwrap()
    }

    fn leaf(&self, like: usize, at: usize, payload: &Payload) -> Vec<u8> {
        let (entry, _) = self.entry(like);
        let mut header = entry.header;
        header.commit_id = CommitId(u64::try_from(at).unwrap());
        let (salt, _) = split_leaf(&self.leaves[like]).unwrap();
        let bytes = encode_entry(&header, &entry.stamp, &Captured::new(payload));
        leaf_data(salt, &bytes)
    }

    /// Writes an entry anew.
    pub(super) fn change(&mut self, id: usize, payload: impl Into<Payload>) {
        self.leaves[id] = self.leaf(id, id, &payload.into());
    }

    /// Adds an entry of the kind of another.
    pub(super) fn append(&mut self, like: usize, payload: impl Into<Payload>) -> usize {
        let at = self.leaves.len();
        self.leaves.push(self.leaf(like, at, &payload.into()));
        at
    }

    /// Adds entries that say nothing new until there are so many.
    pub(super) fn pad_to(&mut self, size: u64) {
        let (like, event) = self.last(|payload| match payload {
            Payload::Event(event) => Some(event),
            _ => None,
        });
        while self.head().0 < size {
            self.append(like, event.clone());
        }
    }

    /// Size and root.
    pub(super) fn head(&self) -> (u64, Hash) {
        let mut tree = Frontier::new();
        for leaf in &self.leaves {
            tree.push(proof::tree::leaf_hash(leaf));
        }
        (tree.size(), tree.root())
    }

    /// Puts it in the place of a log, with this head over it.
    pub(super) fn put(&self, tiles: &Path, head: &SignedNote) {
        std::fs::remove_dir_all(tiles.join("tile/entries")).unwrap();
        for (index, leaves) in self.leaves.chunks(BUNDLE).enumerate() {
            let mut bytes = Vec::new();
            for leaf in leaves {
                bytes.extend(u16::try_from(leaf.len()).unwrap().to_be_bytes());
                bytes.extend(leaf);
            }
            let path = bundle(tiles, index, leaves.len());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        std::fs::write(tiles.join("checkpoint"), &head.note.0).unwrap();
    }
}
