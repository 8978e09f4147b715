//! The collector's side: verify, store durably, move (size, root), then cosign.

mod checkpoint;
pub mod memory;
mod reply;
mod store;
mod upload;

use alloc::string::String;
use alloc::vec::Vec;
use proof::note::{Algorithm, KeyError, Note, SignatureLine, VerifierKey};
use proof::tree::empty_root;
use proof::wire::{AddCheckpoint, MirrorInfo};
use proof::{Checkpoint, Hash, SignedCheckpoint};

use crate::node::{Head, Sealed};

pub use reply::Reply;
pub use store::{Fork, ForkKind, MirrorStore, Mirrored, Sample};
pub use upload::{Flow, Upload};

/// Whether a log may still grow here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the newest generation known.
    Open,
    /// A newer generation is mirrored: this one keeps what it has and takes no newer head.
    Superseded,
}

/// Makes the cosignature over a checkpoint's text; knows key, name and time.
pub trait Cosigner {
    /// The signature line.
    ///
    /// # Errors
    /// Why there is none.
    fn cosign(&self, checkpoint_text: &str) -> Result<SignatureLine, KeyError>;
}

/// A body of `add-checkpoint`, read as far as its log's name. Nothing in it is trusted yet.
#[derive(Clone, Debug)]
pub struct Announcement {
    body: AddCheckpoint,
    note: Note,
    origin: String,
}

impl Announcement {
    /// Reads a body.
    ///
    /// # Errors
    /// The reply to one that is malformed (400).
    pub fn read(body: &[u8]) -> Result<Self, Reply> {
        let body = AddCheckpoint::decode(body).map_err(|error| Reply::text(400, &error))?;
        let note =
            Note::parse(body.checkpoint.as_bytes()).map_err(|error| Reply::text(400, &error))?;
        let origin = Checkpoint::parse(note.text())
            .map_err(|error| Reply::text(400, &error))?
            .origin;
        Ok(Self { body, note, origin })
    }

    /// The origin that it claims.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// The mirror of one log.
#[derive(Debug)]
pub struct Mirror<S> {
    origin: String,
    keys: Vec<VerifierKey>,
    /// Behind which sizes other keys sign, and which: ascending.
    borders: Vec<(u64, Vec<VerifierKey>)>,
    store: S,
}

impl<S: MirrorStore> Mirror<S> {
    /// A mirror of the log with this origin, whose signers are pinned.
    ///
    /// Where an ECDSA P-256 key is among them it is the authority: a checkpoint without its
    /// signature is refused. An Ed25519 key counts only where no P-256 key is pinned. Without any key nothing more is taken,
    /// finished or cosigned; what was stored is served.
    #[must_use]
    pub fn new(origin: &str, keys: Vec<VerifierKey>, store: S) -> Self {
        Self {
            origin: origin.into(),
            keys,
            borders: Vec::new(),
            store,
        }
    }

    /// From here on these keys are pinned; heads behind a border count where those that sign from there on signed them, and
    /// no others of the pinned ones. Of a key that is not pinned nothing counts.
    pub fn trust(&mut self, keys: Vec<VerifierKey>, borders: Vec<(u64, Vec<VerifierKey>)>) {
        self.keys = keys;
        self.borders = borders;
    }

    /// The keys whose heads of this size count.
    fn keys_at(&self, size: u64) -> Vec<VerifierKey> {
        let place = self.borders.iter().rposition(|(below, _)| size > *below);
        let of = |keys: &[VerifierKey], key: &VerifierKey| {
            keys.iter()
                .any(|one| one.public_bytes() == key.public_bytes())
        };
        let counts = |key: &&VerifierKey| match place.and_then(|at| self.borders.get(at)) {
            Some((_, keys)) => of(keys, key),
            None => !self.borders.iter().any(|(_, keys)| of(keys, key)),
        };
        self.keys.iter().filter(counts).cloned().collect()
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What is stored.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// What is stored, to be changed by its owner.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Size and root that are mirrored; the empty tree before the first commit.
    #[must_use]
    pub fn mirrored_head(&self) -> Head {
        self.store
            .mirrored()
            .map_or_else(empty, |mirrored| mirrored.sealed.head)
    }

    /// Size of the newest head taken, cosigned or not.
    #[must_use]
    pub fn newest_size(&self) -> u64 {
        self.pending_head().size.max(self.mirrored_head().size)
    }

    /// The newest head taken.
    fn pending_head(&self) -> Head {
        self.store
            .pending()
            .last()
            .map_or_else(empty, |sealed| sealed.head)
    }

    /// A head of this size that was taken, and its root with it.
    fn known(&self, size: u64) -> Option<&Sealed> {
        let pending = self.store.pending().iter().rev();
        let mirrored = self.store.mirrored().map(|mirrored| &mirrored.sealed);
        pending
            .chain(mirrored)
            .find(|sealed| sealed.head.size == size)
    }

    /// Opens a checkpoint with the pinned keys.
    fn open(&self, note: &Note) -> Result<SignedCheckpoint, Reply> {
        let size = Checkpoint::parse(note.text()).map_or(0, |head| head.size);
        let keys = self.keys_at(size);
        let signed = SignedCheckpoint::from_note(note.clone(), &keys)
            .map_err(|error| Reply::text(403, &error))?;
        let is_authority = |key: &VerifierKey| key.algorithm() == Algorithm::EcdsaP256;
        let authority_pinned = keys.iter().any(is_authority);
        let by_authority = keys
            .iter()
            .enumerate()
            .any(|(index, key)| is_authority(key) && signed.verified().has_key(index));
        if authority_pinned && !by_authority {
            return Err(Reply::text(
                403,
                &"no signature is of the log's authority key",
            ));
        }
        if signed.checkpoint().origin != self.origin {
            return Err(Reply::text(404, &"the log is not known here"));
        }
        Ok(signed)
    }

    /// Whether the mirrored head is signed by keys whose signatures count now: one of a key that was revoked since is served
    /// and says nothing more.
    #[must_use]
    pub fn counts(&self) -> bool {
        let mirrored = self.store.mirrored();
        mirrored.is_some_and(|mirrored| self.still_signed(&mirrored.sealed).is_ok())
    }

    /// Refuses a head that was taken once and whose signatures count no more: its key was revoked since.
    fn still_signed(&self, sealed: &Sealed) -> Result<(), Reply> {
        let note = Note::parse(sealed.note.as_bytes());
        let note = note.map_err(|error| Reply::text(500, &error))?;
        let words = "the head was signed by a key that was revoked since: it is neither finished nor cosigned";
        match self.open(&note) {
            Ok(_) => Ok(()),
            Err(_) => Err(Reply::text(403, &words)),
        }
    }

    /// 202 and 409 of `add-entries`: where an upload can go on.
    fn info(&self, status: u16, upload_end: Option<u64>) -> Reply {
        let info = MirrorInfo {
            tree_size: upload_end.unwrap_or_else(|| self.pending_head().size),
            next_entry: self.store.next_entry(),
            ticket: Vec::new(),
        };
        Reply::info(status, &info)
    }
}

fn empty() -> Head {
    Head {
        size: 0,
        root: empty_root(),
    }
}

/// Whether two heads of one size are one.
fn same_root(a: &Hash, b: &Hash) -> bool {
    a == b
}
