//! The authority's key in a PKCS#11 token: a secure element, an HSM, or a program that looks like one.

mod calls;
mod objects;

use self::calls::within;
use self::objects::{is_kept, kept, object, public};
use crate::files;
use crate::limits::{
    PIN_BYTES_MAX, SECRET_MODE, TOKEN_MAKE_TIMEOUT_NS, TOKEN_OPENED_ANEW_MAX, TOKEN_TIMEOUT_NS,
};
use crate::software::Ed25519File;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, SlotInfo, TokenInfo};
use cryptoki::types::AuthPin;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use trust_plane::{
    Backend, BackendError, Capabilities, Certified, CounterKind, Custody, Description, KeyFault,
    Signable, Step, ecdsa_der,
};

pub use self::calls::token_is_stuck;

/// The curve P-256 as an object identifier in DER.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// An uncompressed point in an OCTET STRING begins so.
const POINT_PREFIX: [u8; 2] = [0x04, 65];
/// What the manufacturers of tokens that are programs call themselves.
const PROGRAMS: &[&str] = &[
    "SoftHSM",
    "Mozilla",
    "NSS",
    "opencryptoki",
    "Kryoptic",
    "p11-kit",
];

/// What finds the key in a token again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pkcs11KeyFile {
    pub(crate) module: PathBuf,
    /// The token's label.
    pub(crate) token: String,
    pub(crate) key_id: Vec<u8>,
    pub(crate) pin_file: PathBuf,
    /// What the module needs beside system libraries.
    pub(crate) allow: Vec<PathBuf>,
}

/// The keys of a node, one of them in a token.
#[derive(Debug)]
pub(crate) struct Pkcs11Keys {
    authority: Vec<u8>,
    ed25519: Ed25519File,
    /// Whoever asks the module has it; that is one at a time.
    token: Arc<Mutex<Token>>,
}

/// What is had of a token.
#[derive(Debug)]
struct Token {
    file: Pkcs11KeyFile,
    authority: Vec<u8>,
    /// The module, once it was loaded: it cannot be loaded twice.
    module: Option<Pkcs11>,
    open: Option<Open>,
    /// Whether the token refused the PIN: a few more times and it locks itself.
    pin_refused: bool,
}

/// A token with a session, and the key in it.
#[derive(Debug)]
struct Open {
    session: Session,
    key: ObjectHandle,
    description: Description,
}

fn fault(error: &Error) -> KeyFault {
    match error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid, _) => KeyFault::WrongPin,
        Error::Pkcs11(RvError::PinLocked, _) => KeyFault::LockedOut,
        Error::Pkcs11(
            RvError::TokenNotPresent | RvError::DeviceRemoved | RvError::SlotIdInvalid,
            _,
        ) => KeyFault::TokenMissing,
        Error::LibraryLoading(_) => KeyFault::Unavailable,
        _ => KeyFault::Failed,
    }
}

fn failed(what: &str) -> impl Fn(Error) -> BackendError {
    move |error| BackendError::new(fault(&error), format!("{what}: {error}"))
}

fn load(file: &Pkcs11KeyFile) -> Result<Pkcs11, BackendError> {
    let what = format!("{}: cannot be loaded", file.module.display());
    let module = Pkcs11::new(&file.module).map_err(failed(&what))?;
    let begun = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
    match begun {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
        // It answers nothing yet: as good as not there.
        Err(error) => {
            let words = format!("the module does not begin: {error}");
            Err(BackendError::new(KeyFault::Unavailable, words))
        }
    }
}

/// The slot with the token of this label.
fn find(module: &Pkcs11, label: &str) -> Result<(Slot, SlotInfo, TokenInfo), BackendError> {
    let slots = module.get_slots_with_initialized_token();
    let mut labels = Vec::new();
    for slot in slots.map_err(failed("no list of slots"))? {
        let of_slot = module.get_slot_info(slot).map_err(failed("a slot"))?;
        let token = module.get_token_info(slot).map_err(failed("a token"))?;
        if token.label() == label {
            return Ok((slot, of_slot, token));
        }
        labels.push(format!("{:?}", token.label()));
    }
    let words = match labels.is_empty() {
        true => format!("no token {label:?}: no slot has any"),
        false => format!("no token {label:?}; there are {}", labels.join(", ")),
    };
    Err(BackendError::new(KeyFault::TokenMissing, words))
}

fn custody(slot: &SlotInfo, token: &TokenInfo) -> Custody {
    let says = |one: &str| {
        let name = token.manufacturer_id();
        name.contains(one) || slot.manufacturer_id().contains(one) || token.model().contains(one)
    };
    match !slot.hardware_slot() || PROGRAMS.iter().any(|one| says(one)) {
        true => Custody::Pkcs11Emulated,
        false => Custody::Pkcs11,
    }
}

fn pin(path: &Path) -> Result<AuthPin, BackendError> {
    let unread = |words: String| BackendError::new(KeyFault::WrongPin, words);
    let bytes = files::read(path, SECRET_MODE, PIN_BYTES_MAX)
        .map_err(|error| unread(format!("the PIN: {error}")))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| unread(format!("the PIN in {} is not text", path.display())))?;
    Ok(AuthPin::from(text.trim_end_matches('\n').to_owned()))
}

fn log_in(session: &Session, file: &Pkcs11KeyFile) -> Result<(), BackendError> {
    match session.login(UserType::User, Some(&pin(&file.pin_file)?)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(failed("the token refuses the log-in")(error)),
    }
}

impl Open {
    fn new(module: &Pkcs11, file: &Pkcs11KeyFile) -> Result<(Self, Vec<u8>), BackendError> {
        let (slot, of_slot, token) = find(module, &file.token)?;
        let session = module
            .open_ro_session(slot)
            .map_err(failed("the token gives no session"))?;
        log_in(&session, file)?;
        let key = object(&session, file, ObjectClass::PRIVATE_KEY)?;
        let authority = public(&session, file)?;
        let description = Description {
            capabilities: Capabilities {
                custody: custody(&of_slot, &token),
                non_exportable: is_kept(&session, key)?,
                ..Capabilities::SOFTWARE
            },
            maker: format!(
                "{} {}, serial {}, firmware {}",
                token.manufacturer_id(),
                token.model(),
                token.serial_number(),
                token.firmware_version()
            ),
            key_public: None,
            counters: Vec::new(),
            lacking: Vec::new(),
            kept: 0,
        };
        let open = Self {
            session,
            key,
            description,
        };
        Ok((open, authority))
    }
}

impl Pkcs11Keys {
    /// Makes a key in a token; gives the authority's public key.
    pub(crate) fn create(file: &Pkcs11KeyFile, label: &str) -> Result<Vec<u8>, BackendError> {
        let (file, label) = (file.clone(), label.to_owned());
        let make = move || Self::make(&file, &label);
        within(TOKEN_MAKE_TIMEOUT_NS, "to make a key", make)
    }

    fn make(file: &Pkcs11KeyFile, label: &str) -> Result<Vec<u8>, BackendError> {
        let module = load(file)?;
        let (slot, _, _) = find(&module, &file.token)?;
        let session = module
            .open_rw_session(slot)
            .map_err(failed("the token gives no session to write"))?;
        log_in(&session, file)?;
        let id = || Attribute::Id(file.key_id.clone());
        let name = || Attribute::Label(label.as_bytes().to_vec());
        let public_part = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::KeyType(KeyType::EC),
            Attribute::Verify(true),
            Attribute::EcParams(P256.to_vec()),
            id(),
            name(),
        ];
        let private_part = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            id(),
            name(),
        ];
        session
            .generate_key_pair(&Mechanism::EccKeyPairGen, &public_part, &private_part)
            .map_err(failed("the token makes no key on P-256"))?;
        public(&session, file)
    }

    /// Keys that are opened when they are first needed.
    pub(crate) fn new(file: Pkcs11KeyFile, authority: Vec<u8>, ed25519: Ed25519File) -> Self {
        let token = Token {
            file,
            authority: authority.clone(),
            module: None,
            open: None,
            pin_refused: false,
        };
        Self {
            authority,
            ed25519,
            token: Arc::new(Mutex::new(token)),
        }
    }

    /// Has something done with the token.
    fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Token) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let token = Arc::clone(&self.token);
        within(TOKEN_TIMEOUT_NS, what, move || {
            // Whatever a fault of the program left is opened anew where it fails.
            work(&mut token.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

impl Token {
    /// The token with a session, where it can be had.
    fn open(&mut self) -> Result<&Open, BackendError> {
        if self.pin_refused {
            let words = format!(
                "the token refused the PIN in {}; it is not tried again before the signer is started anew",
                self.file.pin_file.display()
            );
            return Err(BackendError::new(KeyFault::WrongPin, words));
        }
        if self.open.is_none() {
            let module = match self.module.take() {
                Some(module) => module,
                None => load(&self.file).map_err(|error| self.file.confined(error))?,
            };
            let opened = Open::new(&module, &self.file);
            self.module = Some(module);
            if let Err(error) = &opened {
                self.pin_refused = error.fault == KeyFault::WrongPin;
            }
            let (open, authority) = opened.map_err(|error| self.file.confined(error))?;
            if authority != self.authority {
                let words = "the token's key is another than this log is signed with";
                return Err(BackendError::new(KeyFault::KeyReplaced, words));
            }
            self.open = Some(open);
        }
        let gone = || BackendError::new(KeyFault::Unavailable, "the token is not open");
        self.open.as_ref().ok_or_else(gone)
    }
}

impl Pkcs11KeyFile {
    /// A store that is not there may lie outside of what the module is let to: of a module that does not begin that is the first thing to
    /// look at, of a token that no slot has the last.
    fn confined(&self, error: BackendError) -> BackendError {
        let named: Vec<_> = (self.allow.iter())
            .map(|path| path.display().to_string())
            .collect();
        let allowed = match named.is_empty() {
            true => "nothing is allowed now".to_owned(),
            false => format!("allowed now: {}", named.join(", ")),
        };
        let words = match error.fault {
            KeyFault::Unavailable => format!(
                "{}; look first at the signer's sandbox, in which a module reaches system libraries and what --allow named at \
                 `init`: {allowed}; another file or directory of the token goes into `allow` of identity/store.toml, see docs/keys.md",
                error.words
            ),
            KeyFault::TokenMissing => format!(
                "{} (in the signer's sandbox a module reaches system libraries and what `allow` of identity/store.toml names, {allowed})",
                error.words
            ),
            _ => return error,
        };
        BackendError::new(error.fault, words)
    }
}

impl Token {
    /// Does something with the token. Behind whatever fails module, session and keys are begun anew: some modules look for tokens once,
    /// where they begin, and what they gave out before a token was drawn is good for nothing when it is back.
    fn with_open<T>(
        &mut self,
        mut what: impl FnMut(&Open) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let mut anew = 0;
        loop {
            let of_before = self.open.is_some();
            let done = self.open().and_then(&mut what);
            if done.is_ok() {
                return done;
            }
            self.release();
            // A session of before may be what fails; one that was just opened is not.
            if !of_before || anew == TOKEN_OPENED_ANEW_MAX {
                return done;
            }
            anew += 1;
        }
    }

    fn release(&mut self) {
        self.open = None;
        if let Some(module) = self.module.take() {
            // Whoever opens the token next begins the module anew.
            let _ = module.finalize();
        }
    }
}

impl Backend for Pkcs11Keys {
    fn describe(&mut self) -> Result<Description, BackendError> {
        self.ask("what it is", |token| {
            let own = token.file.key_id.clone();
            token.with_open(|open| {
                Ok(Description {
                    kept: kept(&open.session, &own, open.key)?,
                    ..open.description.clone()
                })
            })
        })
    }

    fn p256_public(&self) -> Vec<u8> {
        self.authority.clone()
    }

    fn ed25519_public(&self) -> [u8; 32] {
        self.ed25519.public()
    }

    fn sign_p256(&mut self, text: &Signable) -> Result<Vec<u8>, BackendError> {
        let digest = Sha256::digest(text.text().as_bytes());
        let signed = self.ask("to sign", move |token| {
            token.with_open(|open| {
                open.session
                    .sign(&Mechanism::Ecdsa, open.key, &digest)
                    .map_err(failed("the token does not sign"))
            })
        })?;
        let none =
            || BackendError::new(KeyFault::Failed, "the token gave a signature that is none");
        let r_s: [u8; 64] = signed.try_into().map_err(|_| none())?;
        ecdsa_der(&r_s).map_err(|_| none())
    }

    fn sign_ed25519(&mut self, text: &Signable) -> Result<[u8; 64], BackendError> {
        Ok(self.ed25519.sign(text.text()))
    }

    fn release(&mut self) {
        // One that does not come back is told by whoever asks it next.
        let _ = self.ask("to end", |token| {
            token.release();
            Ok(())
        });
    }

    fn can_count(&self) -> bool {
        false
    }

    fn certify(
        &mut self,
        counter: CounterKind,
        _: Step,
        _: &Signable,
    ) -> Result<Certified, BackendError> {
        let words = format!("PKCS#11 has no {counter} counter");
        Err(BackendError::new(KeyFault::CounterUndefined, words))
    }
}

#[cfg(test)]
mod tests;
