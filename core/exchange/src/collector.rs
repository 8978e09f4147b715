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
pub use store::{Fork, ForkKind, MirrorStore, Mirrored, Sample, Stale, StaleHead};
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

    /// Whether one of these keys signed it: such as one whose signatures count no more, so that its node hears why.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifierKey) -> bool {
        self.note.verify(core::slice::from_ref(key)).is_ok()
    }
}

/// Where keys of a log follow others.
#[derive(Clone, Debug)]
pub struct Border {
    /// The smallest head that is the new keys' and no longer the old ones': 0 in generations behind the one in which they
    /// changed, `u64::MAX` in those before it.
    pub from: u64,
    /// The keys that sign up to there.
    pub old: Vec<VerifierKey>,
    /// The keys that sign from there on.
    pub new: Vec<VerifierKey>,
}

impl Border {
    /// Whether a key may sign a head of this size.
    fn lets(&self, key: &VerifierKey, size: u64) -> bool {
        let barred = match size >= self.from {
            true => &self.old,
            false => &self.new,
        };
        !barred
            .iter()
            .any(|one| one.public_bytes() == key.public_bytes())
    }
}

/// The mirror of one log.
#[derive(Debug)]
pub struct Mirror<S> {
    origin: String,
    keys: Vec<VerifierKey>,
    borders: Vec<Border>,
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

    /// From here on these keys are pinned, and of those that a border names each counts on its side alone. Of a key that is
    /// not pinned nothing counts.
    pub fn trust(&mut self, keys: Vec<VerifierKey>, borders: Vec<Border>) {
        self.keys = keys;
        self.borders = borders;
    }

    /// The pinned keys, those that followed others among them.
    #[must_use]
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// The keys whose heads of this size count.
    fn keys_at(&self, size: u64) -> Vec<VerifierKey> {
        let counts = |key: &&VerifierKey| self.borders.iter().all(|border| border.lets(key, size));
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

    /// Size of the newest head taken, cosigned or not, that one of these keys signed; 0 where none did.
    #[must_use]
    pub fn newest_signed_by(&self, keys: &[VerifierKey]) -> u64 {
        let keys: Vec<VerifierKey> = keys
            .iter()
            .filter_map(|key| key.under_name(&self.origin).ok())
            .collect();
        let by_them = |sealed: &&Sealed| {
            let verified = Note::parse(sealed.note.as_bytes()).and_then(|note| note.verify(&keys));
            verified.is_ok_and(|verified| (0..keys.len()).any(|key| verified.has_key(key)))
        };
        let signed = self.taken().filter(by_them);
        signed.map(|sealed| sealed.head.size).max().unwrap_or(0)
    }

    /// The heads that were taken and are held still, the newest first.
    fn taken(&self) -> impl Iterator<Item = &Sealed> {
        let mirrored = self.store.mirrored().map(|mirrored| &mirrored.sealed);
        self.store.pending().iter().rev().chain(mirrored)
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
        self.taken().find(|sealed| sealed.head.size == size)
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
