//! Identities that are whole, and every way in which one is not.

use super::{IdentityDir, NewKeys, read_vkeys};
use crate::error::KeysError;
use crate::limits::{AUTHORITY_FILE, ED25519_FILE, LAST_SIGNED_FILE, VKEYS_FILE};
use crate::tpm::TpmPlace;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;
use trial_stores::Swtpm;
use trust_plane::{Backend as _, BaseOrigin, Custody, Engine, Hash, LastSigned, Statement, Step};

fn origin() -> BaseOrigin {
    BaseOrigin::new("meters.example/site").unwrap()
}

fn created() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dir = IdentityDir::open_or_create(folder.path()).unwrap();
    dir.create(origin(), &NewKeys::File).unwrap();
    folder
}

fn load_error(folder: &Path) -> String {
    let dir = IdentityDir::open(folder).unwrap();
    dir.load().unwrap_err().to_string()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

//= A6.2
#[test]
fn what_was_created_is_loaded_and_says_that_it_is_software() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data/identity");
    let dir = IdentityDir::open_or_create(&folder).unwrap();
    let made = dir.create(origin(), &NewKeys::File).unwrap();
    let mut loaded = dir.load().unwrap();
    assert_eq!(loaded.public, made.public);
    assert_eq!(read_vkeys(&folder).unwrap(), made.public);
    assert_eq!(loaded.public.origin, origin());
    assert_eq!(mode(&folder), 0o700);
    for secret in [AUTHORITY_FILE, ED25519_FILE, LAST_SIGNED_FILE] {
        assert_eq!(mode(&folder.join(secret)), 0o600, "{secret}");
    }
    assert_eq!(mode(&folder.join(VKEYS_FILE)), 0o644);
    let capabilities = loaded.keys.describe().unwrap().capabilities;
    assert_eq!(capabilities.custody, Custody::Software);
    assert!(!capabilities.non_exportable && !capabilities.monotonic_counter);
    assert!(!capabilities.attestation && !capabilities.measured_boot);
    let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

//= A6.1
#[test]
fn a_key_never_shows_in_what_is_printed() {
    let folder = created();
    let loaded = IdentityDir::open(folder.path()).unwrap().load().unwrap();
    assert!(format!("{loaded:?}").contains("keys: SoftwareKeys(..)"));
}

//= A6.1
#[test]
fn keys_are_never_overwritten() {
    for name in [AUTHORITY_FILE, ED25519_FILE, LAST_SIGNED_FILE, VKEYS_FILE] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, "precious").unwrap();
        let dir = IdentityDir::open(folder.path()).unwrap();
        let error = dir.create(origin(), &NewKeys::File).unwrap_err();
        assert!(
            matches!(&error, KeysError::Exists(found) if *found == path),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//= A6.3
#[test]
fn loaded_keys_sign_what_the_public_file_verifies() {
    let folder = created();
    let dir = IdentityDir::open(folder.path()).unwrap();
    let identity = dir.load().unwrap();
    let mut engine = Engine::new(identity.keys, identity.public.origin, identity.last_signed);
    let statement = Statement::Checkpoint {
        origin: "meters.example/site/g1".into(),
        size: 5,
        root: Hash([1; 32]),
    };
    let pending = engine.check(&statement).unwrap();
    dir.store_last_signed(pending.last_signed()).unwrap();
    let note = engine.sign(pending, Some(Step::Next)).unwrap().note;
    assert!(note.starts_with("meters.example/site/g1\n5\n"));
    let key_id = |line: usize| identity.public.vkeys[line].key_id();
    let authority = identity.public.vkeys[0].under_name("x").unwrap();
    assert_eq!(authority.key_id(), key_id(0));
    // The record is what the next start goes on from.
    let again = dir.load().unwrap().last_signed;
    assert_ne!(again, LastSigned::default());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn one_signer_at_a_time() {
    let folder = created();
    let first = IdentityDir::open(folder.path()).unwrap();
    let error = IdentityDir::open(folder.path()).unwrap_err();
    assert!(matches!(error, KeysError::InUse(_)), "{error}");
    // The public part is everybody's.
    assert!(read_vkeys(folder.path()).is_ok());
    drop(first);
    assert!(IdentityDir::open(folder.path()).is_ok());
}

/// What is wrong, how it comes about, and what the message must say.
type Damage = (&'static str, fn(&Path), &'static str);

const DAMAGES: &[Damage] = &[
    (
        "creation interrupted",
        |folder| fs::remove_file(folder.join(VKEYS_FILE)).unwrap(),
        "was interrupted",
    ),
    (
        "secret gone",
        |folder| fs::remove_file(folder.join(ED25519_FILE)).unwrap(),
        "missing",
    ),
    (
        "record gone",
        |folder| fs::remove_file(folder.join(LAST_SIGNED_FILE)).unwrap(),
        "missing",
    ),
    (
        "secret empty",
        |folder| fs::write(folder.join(AUTHORITY_FILE), "").unwrap(),
        "not a P-256 private key",
    ),
    (
        "secret cut short",
        |folder| {
            let path = folder.join(ED25519_FILE);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        },
        "not an Ed25519 private key",
    ),
    (
        "secrets swapped",
        |folder| {
            fs::copy(folder.join(ED25519_FILE), folder.join(AUTHORITY_FILE)).unwrap();
        },
        "not a P-256 private key",
    ),
    (
        "secret too long",
        |folder| fs::write(folder.join(AUTHORITY_FILE), vec![b'x'; 5_000]).unwrap(),
        "too long",
    ),
    (
        "secret of another identity",
        |folder| {
            let other = created();
            fs::copy(other.path().join(ED25519_FILE), folder.join(ED25519_FILE)).unwrap();
        },
        "different identities",
    ),
    (
        "secret readable by others",
        |folder| set_mode(&folder.join(AUTHORITY_FILE), 0o640),
        "mode 0640 lets others in; at most 0600",
    ),
    (
        "record writable by others",
        |folder| set_mode(&folder.join(LAST_SIGNED_FILE), 0o602),
        "mode 0602",
    ),
    (
        "public keys writable by others",
        |folder| set_mode(&folder.join(VKEYS_FILE), 0o664),
        "at most 0644",
    ),
    (
        "secret behind a link",
        |folder| {
            let path = folder.join(AUTHORITY_FILE);
            fs::rename(&path, folder.join("elsewhere")).unwrap();
            std::os::unix::fs::symlink("elsewhere", path).unwrap();
        },
        "not a regular file",
    ),
    (
        "public keys damaged",
        |folder| fs::write(folder.join(VKEYS_FILE), "meters.example/site+x\n").unwrap(),
        "verifier key",
    ),
    (
        "record cut short",
        |folder| {
            let path = folder.join(LAST_SIGNED_FILE);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("end 0\n", "")).unwrap();
        },
        "never sign a second history",
    ),
];

//= A6.1
#[test]
fn an_identity_is_whole_or_refused_with_what_is_wrong() {
    for (what, damage, expected) in DAMAGES {
        let folder = created();
        damage(folder.path());
        let error = load_error(folder.path());
        assert!(error.contains(expected), "{what}: {error}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(load_error(empty.path()).contains("no keys here"));
}

#[test]
fn a_directory_open_to_other_writers_is_refused() {
    let folder = created();
    set_mode(folder.path(), 0o770);
    let error = IdentityDir::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("mode 0770"), "{error}");
}

#[test]
fn what_a_dead_process_left_is_cleared_away() {
    let folder = created();
    let left = folder.path().join(format!(".{LAST_SIGNED_FILE}.tmp"));
    fs::write(&left, "half").unwrap();
    let dir = IdentityDir::open(folder.path()).unwrap();
    dir.store_last_signed(&LastSigned::default()).unwrap();
    assert!(!left.exists());
    assert!(dir.load().is_ok());
}

/// A draft of new keys, and what old and new ones state.
fn stated(dir: &IdentityDir) -> (String, [String; 2]) {
    let identity = dir.load().unwrap();
    let mut engine = Engine::new(identity.keys, origin(), identity.last_signed);
    engine.release();
    let mut next = dir.draft().unwrap();
    let by = evidence::Actor::local("ada", 7);
    let note = engine.introduce(&mut next, "meters.example/site/g1", &by, "yearly");
    let engine = Engine::new(next, origin(), LastSigned::default());
    let keys = engine.verifier_keys(origin().as_str()).unwrap();
    (note.unwrap(), keys.map(|key| key.to_string()))
}

/// The keys that an identity has when it is loaded, and the names of its files.
fn loaded(folder: &Path) -> ([String; 2], Vec<String>) {
    let dir = IdentityDir::open(folder).unwrap();
    let keys = dir.load().unwrap().public.vkeys.map(|key| key.to_string());
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    (keys, names)
}

/// Cut at every step between the making of new keys and the last of them in its place.
//= R8.2
#[test]
fn a_rotation_is_done_or_not_wherever_it_is_cut() {
    each_cut(created);
}

/// The same of keys in a TPM, where what is put into its place leads to a key and is none.
//= A6.1
//= R8.2
#[test]
fn a_rotation_of_keys_in_a_tpm_is_done_or_not_wherever_it_is_cut() {
    let tpm = Swtpm::new();
    let first = tempfile::tempdir().unwrap();
    let new = NewKeys::Tpm {
        place: TpmPlace::Socket(tpm.socket()),
        event_log: None,
    };
    let dir = IdentityDir::open_or_create(first.path()).unwrap();
    dir.create(origin(), &new).unwrap();
    each_cut(|| {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o700);
        for file in fs::read_dir(first.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        folder
    });
}

fn each_cut(created: impl Fn() -> TempDir) {
    use super::rotate::{PARTS, draft};
    let places = PARTS.len();
    for cut in 0..=2 * places + 1 {
        let folder = created();
        let (old, whole) = loaded(folder.path());
        let dir = IdentityDir::open(folder.path()).unwrap();
        let (note, new) = stated(&dir);
        for secret in PARTS.iter().filter(|name| **name != VKEYS_FILE) {
            let path = folder.path().join(draft(secret));
            assert!(!path.exists() || mode(&path) == 0o600, "{secret}");
        }
        if let Some(missing) = places.checked_sub(cut) {
            // Before the statement: a draft of which so many parts are not written.
            for name in PARTS.iter().rev().take(missing) {
                let _ = fs::remove_file(folder.path().join(draft(name)));
            }
        } else {
            // Behind it: so many parts are in their places.
            dir.state(&note).unwrap();
            for name in PARTS.iter().take(cut - places - 1) {
                let from = folder.path().join(draft(name));
                let _ = fs::rename(from, folder.path().join(name));
            }
        }
        drop(dir);
        let (keys, mut names) = loaded(folder.path());
        let is_stated = cut > places;
        assert_eq!(keys, if is_stated { new.clone() } else { old }, "{cut}");
        names.retain(|name| name != "rotation-001.note");
        assert_eq!(names, whole, "{cut}");
        let all = super::read_rotations(folder.path()).unwrap();
        assert_eq!(all.len(), usize::from(is_stated), "{cut}");
        // And it goes on from there: the keys that were loaded sign the next statement.
        let dir = IdentityDir::open(folder.path()).unwrap();
        let (note, newest) = stated(&dir);
        dir.rotate(&note).unwrap();
        drop(dir);
        assert_eq!(loaded(folder.path()).0, newest, "{cut}");
        assert_eq!(
            super::read_rotations(folder.path()).unwrap().len(),
            all.len() + 1
        );
    }
}

/// Whoever could read a draft has a key that may be the next: it takes no place.
//= A6.1
//= R8.2
#[test]
fn drafts_of_new_keys_that_others_could_read_are_not_taken() {
    use super::rotate::{PARTS, draft};
    for name in PARTS {
        let folder = created();
        let dir = IdentityDir::open(folder.path()).unwrap();
        let (note, _) = stated(&dir);
        let path = folder.path().join(draft(name));
        if !path.exists() {
            continue;
        }
        dir.state(&note).unwrap();
        set_mode(&path, 0o666);
        let error = dir.load().unwrap_err().to_string();
        assert!(
            error.contains(&draft(name)) && error.contains("0666"),
            "{error}"
        );
        // What was put right goes on.
        set_mode(&path, 0o600);
        dir.load().unwrap();
    }
}

#[test]
fn statements_that_do_not_follow_each_other_are_refused() {
    let folder = created();
    let dir = IdentityDir::open(folder.path()).unwrap();
    let (note, _) = stated(&dir);
    dir.rotate(&note).unwrap();
    dir.state(&note).unwrap();
    let error = dir.rotations().unwrap_err().to_string();
    assert!(error.contains("rotation-002.note"), "{error}");
    assert!(dir.load().is_err());
}
