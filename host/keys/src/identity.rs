//! The identity directory: created once, loaded whole or not at all, and the memory of what was
//! signed.

use crate::error::KeysError;
use crate::files::{LockedDir, Target, read, stands};
use crate::limits::{
    AUTHORITY_FILE, DIRECTORY_MODE, ED25519_FILE, KEY_FILE_BYTES_MAX, KEY_ID_BYTES,
    LAST_SIGNED_BYTES_MAX, LAST_SIGNED_FILE, PLAIN_FILE, PUBLIC_MODE, SECRET_MODE, STEPS_FILE,
    STORE_FILE, STORE_FILE_BYTES_MAX, VKEYS_FILE,
};
use crate::mark;
use crate::pkcs11::{Pkcs11KeyFile, Pkcs11Keys};
use crate::software::{Ed25519File, SoftwareKeys, random};
use crate::steps::{self, StepsLeft};
use crate::store::StoreFile;
use crate::tpm::{TpmKeys, TpmPlace};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use trust_plane::limits::PLAIN_EVERY_S;
use trust_plane::{Backend, BaseOrigin, Engine, LastSigned, PlainMark, VerifierKey};

/// The keys of an identity, whatever holds them.
pub type Keys = Box<dyn Backend + Send>;

/// Where the authority's key of a new identity is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewKeys {
    /// In a file.
    File,
    /// In a TPM 2.0.
    Tpm {
        /// Where it is.
        place: TpmPlace,
        /// The firmware's event log, where it is not where the kernel shows that of the device.
        event_log: Option<PathBuf>,
    },
    /// In a PKCS#11 token.
    Token {
        /// The module's file.
        module: PathBuf,
        /// The token's label.
        token: String,
        /// The file that holds the user's PIN.
        pin_file: PathBuf,
        /// Files and directories that the module needs beside system libraries.
        allow: Vec<PathBuf>,
    },
}

/// What a signer must be allowed to reach so that it reaches its store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreNeeds {
    /// Devices, to be read and written.
    pub devices: Vec<PathBuf>,
    /// Files and directories to be read: the PIN, and what a module is loaded from.
    pub files: Vec<PathBuf>,
    /// Files and directories to be written too: what a module keeps.
    pub kept: Vec<PathBuf>,
    /// Whether a module is loaded, which reads system libraries.
    pub module: bool,
}

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
    pub keys: Keys,
    /// What everybody may know of them.
    pub public: PublicIdentity,
    /// What was signed last.
    pub last_signed: LastSigned,
    /// When the plain counter moved last.
    pub plain: Option<PlainMark>,
    /// The shortest time between two steps of it, in seconds.
    pub plain_every_s: u64,
    /// Where the firmware's event log is, where the keys are in a TPM that firmware measures into.
    pub event_log: Option<PathBuf>,
    /// The statements by which its keys changed, the oldest first.
    pub rotations: Vec<StatedRotation>,
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
    /// [`KeysError::Exists`], what keeps the files from being written, and what is wrong with the store.
    pub fn create(&self, origin: BaseOrigin, new: &NewKeys) -> Result<Identity, KeysError> {
        for name in [
            VKEYS_FILE,
            STORE_FILE,
            AUTHORITY_FILE,
            ED25519_FILE,
            LAST_SIGNED_FILE,
        ] {
            let path = self.dir.join(name);
            if stands(&path)? {
                return Err(KeysError::Exists(path));
            }
        }
        if let Some(path) = rotate::first(self.dir.path())? {
            return Err(KeysError::Exists(path));
        }
        let secret = |name, text: &str| {
            self.dir
                .write(name, SECRET_MODE, text.as_bytes(), Target::New)
        };
        let unwritable = |name: &str| KeysError::NotAKey {
            path: self.dir.join(name),
            expected: "encodable",
        };
        let mut event_log = None;
        let (keys, ed25519_pem, plain_every_s): (Keys, _, _) = match new {
            NewKeys::File => {
                let keys = SoftwareKeys::generate()?;
                let pem = keys.p256_pem().ok_or_else(|| unwritable(AUTHORITY_FILE))?;
                let ed25519_pem = keys.ed25519_pem();
                secret(AUTHORITY_FILE, &pem)?;
                (Box::new(keys), ed25519_pem, PLAIN_EVERY_S)
            }
            store => {
                let (store, authority) = made(store, &origin)?;
                let ed25519 = Ed25519File::generate()?;
                let pem = ed25519.pem();
                secret(STORE_FILE, &store.text())?;
                event_log = store.event_log();
                let (keys, every_s) = opened(store, authority, ed25519);
                (keys, pem, every_s)
            }
        };
        let ed25519_pem = ed25519_pem.ok_or_else(|| unwritable(ED25519_FILE))?;
        let last_signed = LastSigned::default();
        secret(ED25519_FILE, &ed25519_pem)?;
        secret(LAST_SIGNED_FILE, &last_signed.to_text())?;
        let (keys, vkeys) = self.vkeys(keys, &origin)?;
        let lines = format!("{}\n{}\n", vkeys[0], vkeys[1]);
        self.dir
            .write(VKEYS_FILE, PUBLIC_MODE, lines.as_bytes(), Target::New)?;
        Ok(Identity {
            keys,
            public: PublicIdentity { origin, vkeys },
            last_signed,
            plain: None,
            plain_every_s,
            event_log,
            rotations: Vec::new(),
        })
    }

    /// Loads the identity. A store that is not files is not opened before it is needed: it may be gone for a while.
    ///
    /// # Errors
    /// When any part of it is missing, damaged, foreign, or open to others.
    pub fn load(&self) -> Result<Identity, KeysError> {
        self.settle()?;
        let [authority, ed25519] = [AUTHORITY_FILE, ED25519_FILE].map(|name| self.dir.join(name));
        let vkeys_path = self.dir.join(VKEYS_FILE);
        let public = read_vkeys(self.dir.path())?;
        let store = read_store(self.dir.path())?;
        let secret = |path: &Path| read(path, SECRET_MODE, KEY_FILE_BYTES_MAX);
        let event_log = store.as_ref().and_then(StoreFile::event_log);
        let (keys, plain_every_s): (Keys, _) = match store {
            None => {
                let pem = secret(&authority)?;
                let beside = Ed25519File::from_pem(&ed25519, &secret(&ed25519)?)?;
                let keys = SoftwareKeys::from_pem(&authority, &pem, beside)?;
                (Box::new(keys), PLAIN_EVERY_S)
            }
            Some(store) => {
                let beside = Ed25519File::from_pem(&ed25519, &secret(&ed25519)?)?;
                opened(store, public.vkeys[0].public_bytes(), beside)
            }
        };
        let (keys, vkeys) = self.vkeys(keys, &public.origin)?;
        if vkeys != public.vkeys {
            return Err(KeysError::Foreign(vkeys_path));
        }
        // Statements of other keys would be told in the name of these.
        let rotations = self.rotations()?;
        if rotations
            .last()
            .is_some_and(|newest| newest.rotation.new != public.vkeys)
        {
            return Err(KeysError::Foreign(vkeys_path));
        }
        Ok(Identity {
            keys,
            public,
            last_signed: self.last_signed()?,
            plain: self.plain_mark(),
            plain_every_s,
            event_log,
            rotations,
        })
    }

    /// When the plain counter moved last. What cannot be read costs one step of it, and nothing else.
    fn plain_mark(&self) -> Option<PlainMark> {
        mark::read(&self.dir.join(PLAIN_FILE))
    }

    /// Remembers that the plain counter is moved, before it is.
    ///
    /// # Errors
    /// When it is not known to be durable.
    pub fn store_plain(&self, mark: PlainMark) -> Result<(), KeysError> {
        let text = mark::text(mark);
        let bytes = text.as_bytes();
        self.dir
            .write(PLAIN_FILE, SECRET_MODE, bytes, Target::Replace)
    }

    /// How often the counter of firmware versions might still be moved, and when that was; `None` where it never was.
    ///
    /// # Errors
    /// When the file is there and does not say it.
    pub fn firmware_steps(&self) -> Result<Option<StepsLeft>, KeysError> {
        let path = self.dir.join(STEPS_FILE);
        if !stands(&path)? {
            return Ok(None);
        }
        let known = steps::read(&path).ok_or(KeysError::Store {
            path,
            words: "it does not say how often the counter of firmware versions may be moved"
                .to_owned(),
        });
        known.map(Some)
    }

    /// Remembers that the counter is moved, before it is.
    ///
    /// # Errors
    /// When it is not known to be durable.
    pub fn store_firmware_steps(&self, left: StepsLeft) -> Result<(), KeysError> {
        let text = steps::text(left);
        let bytes = text.as_bytes();
        self.dir
            .write(STEPS_FILE, SECRET_MODE, bytes, Target::Replace)
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
        keys: Keys,
        origin: &BaseOrigin,
    ) -> Result<(Keys, [VerifierKey; 2]), KeysError> {
        let engine = Engine::new(keys, origin.clone(), LastSigned::default());
        let vkeys = engine.verifier_keys(origin.as_str());
        let vkeys = vkeys.map_err(|_| KeysError::NotVkeys(self.dir.join(VKEYS_FILE)))?;
        Ok((engine.into_backend(), vkeys))
    }
}

/// Makes the authority's key in a store that is not files.
fn made(new: &NewKeys, origin: &BaseOrigin) -> Result<(StoreFile, Vec<u8>), KeysError> {
    match new {
        NewKeys::File => Err(KeysError::Random(getrandom::Error::UNEXPECTED)),
        NewKeys::Tpm { place, event_log } => {
            let (file, authority) = TpmKeys::create(place, *random()?, event_log.clone())?;
            Ok((StoreFile::Tpm(file, PLAIN_EVERY_S), authority))
        }
        NewKeys::Token {
            module,
            token,
            pin_file,
            allow,
        } => {
            let file = Pkcs11KeyFile {
                module: module.clone(),
                token: token.clone(),
                key_id: random()?.iter().take(KEY_ID_BYTES).copied().collect(),
                pin_file: pin_file.clone(),
                allow: allow.clone(),
            };
            let authority = Pkcs11Keys::create(&file, origin.as_str())?;
            Ok((StoreFile::Pkcs11(file), authority))
        }
    }
}

fn opened(store: StoreFile, authority: Vec<u8>, ed25519: Ed25519File) -> (Keys, u64) {
    match store {
        StoreFile::Tpm(file, every_s) => {
            (Box::new(TpmKeys::new(file, authority, ed25519)), every_s)
        }
        StoreFile::Pkcs11(file) => (
            Box::new(Pkcs11Keys::new(file, authority, ed25519)),
            PLAIN_EVERY_S,
        ),
    }
}

/// Which store holds the authority's key; `None` where it is a file.
fn read_store(directory: &Path) -> Result<Option<StoreFile>, KeysError> {
    let path = directory.join(STORE_FILE);
    if !stands(&path)? {
        return Ok(None);
    }
    let bytes = read(&path, SECRET_MODE, STORE_FILE_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not text".to_owned());
    let store = text.and_then(StoreFile::parse);
    store
        .map(Some)
        .map_err(|words| KeysError::Store { path, words })
}

/// Whether the authority's key is a file of the identity directory: what it signs proves no custody.
///
/// # Errors
/// When it is not known which store it has.
pub fn is_in_files(directory: &Path) -> Result<bool, KeysError> {
    read_store(directory).map(|store| store.is_none())
}

/// What the signer of an identity directory must be allowed to reach beside it.
///
/// # Errors
/// When it is not known which store it has.
pub fn store_needs(directory: &Path) -> Result<StoreNeeds, KeysError> {
    let mut needs = StoreNeeds::default();
    match read_store(directory)? {
        None => {}
        Some(StoreFile::Tpm(file, _)) => {
            needs.files.extend(file.event_log());
            if let TpmPlace::Device(device) = file.place {
                needs.devices.push(device);
            }
        }
        Some(StoreFile::Pkcs11(file)) => {
            needs.module = true;
            needs.files.extend([file.module, file.pin_file]);
            needs.kept = file.allow;
        }
    }
    Ok(needs)
}

/// Reads the public file of an identity directory, whoever works with it.
///
/// # Errors
/// When it is missing or not two verifier keys of one origin.
pub fn read_vkeys(directory: &Path) -> Result<PublicIdentity, KeysError> {
    let path = directory.join(VKEYS_FILE);
    if !stands(&path)? {
        for secret in [STORE_FILE, AUTHORITY_FILE, ED25519_FILE] {
            let secret = directory.join(secret);
            if stands(&secret)? {
                return Err(match has_signed(&directory.join(LAST_SIGNED_FILE))? {
                    true => KeysError::Missing(path),
                    false => KeysError::HalfWritten(secret),
                });
            }
        }
        return Err(KeysError::None(directory.into()));
    }
    let bytes = read(&path, PUBLIC_MODE, KEY_FILE_BYTES_MAX)?;
    let vkeys = two_vkeys(&bytes).ok_or(KeysError::NotVkeys(path))?;
    let origin = BaseOrigin::new(vkeys[0].name()).map_err(KeysError::Origin)?;
    Ok(PublicIdentity { origin, vkeys })
}

/// Two verifier keys of one origin.
fn two_vkeys(bytes: &[u8]) -> Option<[VerifierKey; 2]> {
    let [authority, ed25519] = std::str::from_utf8(bytes).ok().and_then(two_lines)?;
    let keys: [VerifierKey; 2] = [authority.parse().ok()?, ed25519.parse().ok()?];
    (keys[0].name() == keys[1].name()).then_some(keys)
}

/// Whether keys of this directory ever signed anything: then it was whole once. What cannot be read is no reason to say no.
fn has_signed(path: &Path) -> Result<bool, KeysError> {
    if !stands(path)? {
        return Ok(false);
    }
    let bytes = read(path, SECRET_MODE, LAST_SIGNED_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Ok(LastSigned::parse(text) != Ok(LastSigned::default()))
}

fn two_lines(text: &str) -> Option<[&str; 2]> {
    let (one, rest) = text.split_once('\n')?;
    let other = rest.strip_suffix('\n')?;
    (!other.contains('\n')).then_some([one, other])
}

mod rotate;
pub use rotate::{StatedRotation, read_rotations};

#[cfg(test)]
mod tests;
