//! Other keys take the place of those of an identity.
//!
//! New keys are made as drafts beside the old ones. The file with the statement of both is the commit point: without it
//! drafts are removed, with it they are put into their places, file by file, whenever the identity is loaded.

use super::{IdentityDir, Keys, opened, read_store, read_vkeys, two_vkeys};
use crate::error::KeysError;
use crate::files::{Target, read, stands};
use crate::limits::{
    AUTHORITY_FILE, ED25519_FILE, KEY_FILE_BYTES_MAX, KEY_ID_BYTES, PUBLIC_MODE, SECRET_MODE,
    STORE_FILE, STORE_FILE_BYTES_MAX, VKEYS_FILE,
};
use crate::pkcs11::Pkcs11Keys;
use crate::software::{Ed25519File, SoftwareKeys, random};
use crate::store::StoreFile;
use crate::tpm::TpmKeys;
use std::path::{Path, PathBuf};
use trust_plane::limits::{ROTATION_BYTES_MAX, ROTATIONS_MAX};
use trust_plane::{BackendError, KeyFault, Rotation, VerifierKey};

/// What a draft has, in the order in which it takes its places: with the last one it is done.
pub(super) const PARTS: [&str; 4] = [AUTHORITY_FILE, STORE_FILE, ED25519_FILE, VKEYS_FILE];

/// A statement of new keys, as it lies in an identity directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedRotation {
    /// The signed note.
    pub note: String,
    /// What it says.
    pub rotation: Rotation,
}

pub(super) fn draft(name: &str) -> String {
    format!("{}{name}", Rotation::DRAFT_PREFIX)
}

/// The first statement that lies in a directory, whatever it says.
pub(super) fn first(directory: &Path) -> Result<Option<PathBuf>, KeysError> {
    let path = directory.join(Rotation::file(1));
    Ok(stands(&path)?.then_some(path))
}

/// The statements by which the keys of an identity changed, the oldest first. None where there is no directory.
///
/// # Errors
/// Where one cannot be read, or is none.
pub fn read_rotations(directory: &Path) -> Result<Vec<StatedRotation>, KeysError> {
    let mut all: Vec<StatedRotation> = Vec::new();
    for number in 1..=ROTATIONS_MAX {
        let path = directory.join(Rotation::file(number));
        if !stands(&path)? {
            break;
        }
        let bytes = read(&path, PUBLIC_MODE, ROTATION_BYTES_MAX)?;
        let none = || KeysError::NotAKey {
            path: path.clone(),
            expected: "a statement of new keys, signed by them and by the old ones",
        };
        let rotation = Rotation::read(&bytes).map_err(|_| none())?;
        let before = all.last().map(|before| &before.rotation.new);
        if before.is_some_and(|before| !rotation.follows(before)) {
            return Err(none());
        }
        let note = String::from_utf8(bytes.to_vec()).map_err(|_| none())?;
        all.push(StatedRotation { note, rotation });
    }
    Ok(all)
}

impl IdentityDir {
    /// The statements by which its keys changed, the oldest first.
    ///
    /// # Errors
    /// As [`read_rotations`].
    pub fn rotations(&self) -> Result<Vec<StatedRotation>, KeysError> {
        read_rotations(self.dir.path())
    }

    /// How many statements were written since a time of day, in seconds since 1970; one whose time cannot be told counts.
    #[must_use]
    pub fn rotated_since(&self, since_s: u64) -> u64 {
        let late = |number: usize| {
            let path = self.dir.join(&Rotation::file(number));
            let about = rustix::fs::lstat(&path).ok()?;
            let written = u64::try_from(about.st_mtime);
            Some(u64::from(written.map_or(true, |written| written > since_s)))
        };
        (1..=ROTATIONS_MAX).map_while(late).sum()
    }

    /// Makes the keys that are to follow, in the store that holds those of now. Nothing changes by it: what is not stated is
    /// removed with the next loading.
    ///
    /// # Errors
    /// What keeps them from being made or written.
    pub fn draft(&self) -> Result<Keys, KeysError> {
        self.remove_drafts()?;
        if self.rotations()?.len() >= ROTATIONS_MAX {
            let words = format!(
                "these keys changed {ROTATIONS_MAX} times, which is all that is kept: begin a new log with an identity of its own"
            );
            return Err(BackendError::new(KeyFault::Refused, words).into());
        }
        let public = read_vkeys(self.dir.path())?;
        let secret = |name: &str, text: &str| {
            self.dir
                .write(&draft(name), SECRET_MODE, text.as_bytes(), Target::Replace)
        };
        let unwritable = || KeysError::NotAKey {
            path: self.dir.join(&draft(ED25519_FILE)),
            expected: "encodable",
        };
        let (keys, beside): (Keys, _) = match read_store(self.dir.path())? {
            None => {
                let keys = SoftwareKeys::generate()?;
                secret(AUTHORITY_FILE, &keys.p256_pem().ok_or_else(unwritable)?)?;
                let beside = keys.ed25519_pem();
                (Box::new(keys), beside)
            }
            Some(mut store) => {
                let beside = Ed25519File::generate()?;
                let pem = beside.pem();
                let authority = match &mut store {
                    StoreFile::Tpm(file, _) => {
                        file.template = *random()?;
                        TpmKeys::derive(file)?
                    }
                    StoreFile::Pkcs11(file) => {
                        file.key_id = random()?.iter().take(KEY_ID_BYTES).copied().collect();
                        Pkcs11Keys::create(file, public.origin.as_str())?
                    }
                };
                secret(STORE_FILE, &store.text())?;
                (opened(store, authority, beside).0, pem)
            }
        };
        secret(ED25519_FILE, &beside.ok_or_else(unwritable)?)?;
        let (keys, vkeys) = self.vkeys(keys, &public.origin)?;
        let lines = format!("{}\n{}\n", vkeys[0], vkeys[1]);
        let name = draft(VKEYS_FILE);
        self.dir
            .write(&name, PUBLIC_MODE, lines.as_bytes(), Target::Replace)?;
        Ok(keys)
    }

    /// Makes it so: the statement is durable, and the keys that it names are those of this identity. Cut behind the first,
    /// the second is done with the next loading.
    ///
    /// # Errors
    /// Where it is not known whether the statement is durable, or the keys are not in their places.
    pub fn rotate(&self, note: &str) -> Result<(), KeysError> {
        self.state(note)?;
        self.settle()
    }

    /// Makes a statement durable: from here on its keys are those of the identity.
    pub(super) fn state(&self, note: &str) -> Result<(), KeysError> {
        let name = Rotation::file(self.rotations()?.len().saturating_add(1));
        self.dir
            .write(&name, PUBLIC_MODE, note.as_bytes(), Target::New)
    }

    /// Puts drafts into their places where they are stated, and removes them where they are not.
    pub(super) fn settle(&self) -> Result<(), KeysError> {
        let stated = self.rotations()?.pop().map(|stated| stated.rotation.new);
        if stated.is_none() || stated != self.drafted()? {
            return self.remove_drafts();
        }
        let mut there = Vec::new();
        for name in PARTS {
            let path = self.dir.join(&draft(name));
            if stands(&path)? {
                // None takes a place where others could have read or written one of them.
                let mode = match name {
                    VKEYS_FILE => PUBLIC_MODE,
                    _ => SECRET_MODE,
                };
                read(&path, mode, STORE_FILE_BYTES_MAX)?;
                there.push(name);
            }
        }
        for name in there {
            self.dir.rename(&draft(name), name)?;
        }
        Ok(())
    }

    /// The keys of a draft that is whole.
    fn drafted(&self) -> Result<Option<[VerifierKey; 2]>, KeysError> {
        let path: PathBuf = self.dir.join(&draft(VKEYS_FILE));
        if !stands(&path)? {
            return Ok(None);
        }
        Ok(two_vkeys(&read(&path, PUBLIC_MODE, KEY_FILE_BYTES_MAX)?))
    }

    fn remove_drafts(&self) -> Result<(), KeysError> {
        // The public keys first: without them what is left is a draft of nothing.
        for name in PARTS.iter().rev() {
            self.dir.remove(&draft(name))?;
        }
        Ok(())
    }
}
