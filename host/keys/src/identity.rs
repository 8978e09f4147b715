//! The identity directory: created once, loaded whole or not at all, and the memory of what was
//! signed.

use crate::error::KeysError;
use crate::files::{LockedDir, Target, read, stands};
use crate::limits::{
    AUTHORITY_FILE, DIRECTORY_MODE, ED25519_FILE, KEY_FILE_BYTES_MAX, LAST_SIGNED_BYTES_MAX,
    LAST_SIGNED_FILE, PUBLIC_MODE, SECRET_MODE, VKEYS_FILE,
};
use crate::software::SoftwareKeys;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use trust_plane::{BaseOrigin, Engine, LastSigned, VerifierKey};

/// What everybody may know: the log's base origin and the keys under it, the authority first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIdentity {
    /// The base origin.
    pub origin: BaseOrigin,
    /// Its verifier keys: P-256, then Ed25519.
    pub vkeys: [VerifierKey; 2],
}

/// A whole identity, ready to sign.
#[derive(Debug)]
pub struct Identity {
    /// The keys.
    pub keys: SoftwareKeys,
    /// What everybody may know of them.
    pub public: PublicIdentity,
    /// What was signed last.
    pub last_signed: LastSigned,
}

/// An identity directory that no other signer works with while this value lives.
#[derive(Debug)]
pub struct IdentityDir {
    dir: LockedDir,
}

impl IdentityDir {
    /// Takes a directory for this process alone.
    ///
    /// # Errors
    /// When it is missing, in use, another user's, or open to other writers.
    pub fn open(path: &Path) -> Result<Self, KeysError> {
        LockedDir::open(path).map(|dir| Self { dir })
    }

    /// The same, and creates the directory if it is not there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_or_create(path: &Path) -> Result<Self, KeysError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(path)
            .map_err(KeysError::io(path, "create the directory"))?;
        Self::open(path)
    }

    /// Creates the keys of a log. Nothing that exists is overwritten.
    ///
    /// # Errors
    /// [`KeysError::Exists`], and what keeps the files from being written.
    pub fn create(&self, origin: BaseOrigin) -> Result<Identity, KeysError> {
        for name in [VKEYS_FILE, AUTHORITY_FILE, ED25519_FILE, LAST_SIGNED_FILE] {
            let path = self.dir.join(name);
            if stands(&path)? {
                return Err(KeysError::Exists(path));
            }
        }
        let keys = SoftwareKeys::generate()?;
        let last_signed = LastSigned::default();
        let unwritable = |name: &str, expected| KeysError::NotAKey {
            path: self.dir.join(name),
            expected,
        };
        let p256 = keys
            .p256_pem()
            .ok_or_else(|| unwritable(AUTHORITY_FILE, "encodable"))?;
        let ed25519 = keys
            .ed25519_pem()
            .ok_or_else(|| unwritable(ED25519_FILE, "encodable"))?;
        let secret = |name, text: &str| {
            self.dir
                .write(name, SECRET_MODE, text.as_bytes(), Target::New)
        };
        secret(AUTHORITY_FILE, &p256)?;
        secret(ED25519_FILE, &ed25519)?;
        secret(LAST_SIGNED_FILE, &last_signed.to_text())?;
        let (keys, vkeys) = self.vkeys(keys, &origin)?;
        let lines = format!("{}\n{}\n", vkeys[0], vkeys[1]);
        self.dir
            .write(VKEYS_FILE, PUBLIC_MODE, lines.as_bytes(), Target::New)?;
        Ok(Identity {
            keys,
            public: PublicIdentity { origin, vkeys },
            last_signed,
        })
    }

    /// Loads the identity.
    ///
    /// # Errors
    /// When any part of it is missing, damaged, foreign, or open to others.
    pub fn load(&self) -> Result<Identity, KeysError> {
        let [authority, ed25519] = [AUTHORITY_FILE, ED25519_FILE].map(|name| self.dir.join(name));
        let vkeys_path = self.dir.join(VKEYS_FILE);
        let public = read_vkeys(self.dir.path())?;
        let keys = SoftwareKeys::from_pem(
            (
                &authority,
                &read(&authority, SECRET_MODE, KEY_FILE_BYTES_MAX)?,
            ),
            (&ed25519, &read(&ed25519, SECRET_MODE, KEY_FILE_BYTES_MAX)?),
        )?;
        let (keys, vkeys) = self.vkeys(keys, &public.origin)?;
        if vkeys != public.vkeys {
            return Err(KeysError::Foreign(vkeys_path));
        }
        Ok(Identity {
            keys,
            public,
            last_signed: self.last_signed()?,
        })
    }

    fn last_signed(&self) -> Result<LastSigned, KeysError> {
        let path = self.dir.join(LAST_SIGNED_FILE);
        let bytes = read(&path, SECRET_MODE, LAST_SIGNED_BYTES_MAX)?;
        // What is not text fails at its title line.
        let text = std::str::from_utf8(&bytes).unwrap_or("");
        LastSigned::parse(text).map_err(|error| KeysError::LastSigned { path, error })
    }

    /// Makes the record of signed heads durable, before a signature leaves.
    ///
    /// # Errors
    /// When it is not known to be durable.
    pub fn store_last_signed(&self, last_signed: &LastSigned) -> Result<(), KeysError> {
        let text = last_signed.to_text();
        self.dir.write(
            LAST_SIGNED_FILE,
            SECRET_MODE,
            text.as_bytes(),
            Target::Replace,
        )
    }

    /// The verifier keys of these keys; an engine is what knows how to name them.
    fn vkeys(
        &self,
        keys: SoftwareKeys,
        origin: &BaseOrigin,
    ) -> Result<(SoftwareKeys, [VerifierKey; 2]), KeysError> {
        let engine = Engine::new(keys, origin.clone(), LastSigned::default());
        let vkeys = engine.verifier_keys(origin.as_str());
        let vkeys = vkeys.map_err(|_| KeysError::NotVkeys(self.dir.join(VKEYS_FILE)))?;
        Ok((engine.into_backend(), vkeys))
    }
}

/// Reads the public file of an identity directory, whoever works with it.
///
/// # Errors
/// When it is missing or not two verifier keys of one origin.
pub fn read_vkeys(directory: &Path) -> Result<PublicIdentity, KeysError> {
    let path = directory.join(VKEYS_FILE);
    if !stands(&path)? {
        for secret in [AUTHORITY_FILE, ED25519_FILE] {
            let secret = directory.join(secret);
            if stands(&secret)? {
                return Err(KeysError::HalfWritten(secret));
            }
        }
        return Err(KeysError::None(directory.into()));
    }
    let bytes = read(&path, PUBLIC_MODE, KEY_FILE_BYTES_MAX)?;
    let lines = std::str::from_utf8(&bytes).ok().and_then(two_lines);
    let vkeys = lines.and_then(|[authority, ed25519]| {
        let keys: [VerifierKey; 2] = [authority.parse().ok()?, ed25519.parse().ok()?];
        (keys[0].name() == keys[1].name()).then_some(keys)
    });
    let vkeys = vkeys.ok_or(KeysError::NotVkeys(path))?;
    let origin = BaseOrigin::new(vkeys[0].name()).map_err(KeysError::Origin)?;
    Ok(PublicIdentity { origin, vkeys })
}

fn two_lines(text: &str) -> Option<[&str; 2]> {
    let (one, rest) = text.split_once('\n')?;
    let other = rest.strip_suffix('\n')?;
    (!other.contains('\n')).then_some([one, other])
}

#[cfg(test)]
mod tests;
