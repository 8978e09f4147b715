//! What no restart of a process can cure, said before any is started: places that cannot be used, an
//! identity or a journal that is not whole, or of another log, or newer than this program.

use super::directory::{kept_by_another, open_reader};
use super::journal::place;
use super::ring_files::{in_their_places, tell_lacking, tell_passed_over};
use super::sealed_by::{SealedBy, sealed_by};
use super::secrets::{draft_file, private_file};
use crate::paths::DataDir;
use crate::roles::recorder::{keep_place, newest_generation};
use contract::Contract;
use evidence::Generation;
use journal::keep::Store;
use rustix::fs::Access;
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The fewest segments of a ring, and the smallest of them as a power of two: 64 KiB.
const SEGMENTS_MIN: u64 = 2;
const SEGMENT_BITS_MIN: u32 = 16;
/// Beside the ring: truth store, markers, logs.
const BESIDE_RING_BYTES: u64 = 1 << 20;

/// Whether the data directory can be used at all: nothing is made or changed.
pub(super) fn usable(data: &DataDir) -> Result<(), String> {
    let root = data.root();
    let shown = root.display();
    if root.exists() && !root.is_dir() {
        return Err(format!(
            "{shown} is a file, and a node keeps a directory: give another name with --data"
        ));
    }
    if let Some((kept, _)) = kept_by_another(root) {
        return Err(format!(
            "{shown} is {kept}; give the node one of its own with --data"
        ));
    }
    // Before it is there, the place where it will be.
    let Some(place) = root.ancestors().find(|place| place.exists()) else {
        return Ok(());
    };
    permitted(place)?;
    for inside in [data.identity(), root.join("journal"), data.run()] {
        if inside.is_dir() {
            permitted(&inside)?;
        }
    }
    Ok(())
}

/// Whether a directory and what a reader needs in it can be read.
pub(super) fn readable(root: &Path) -> Result<(), String> {
    for place in [
        root.to_path_buf(),
        root.join("identity"),
        root.join("journal"),
        root.join("logs"),
    ] {
        if place.is_dir() {
            granted(&place, Access::READ_OK | Access::EXEC_OK, "read")?;
        }
    }
    let data = DataDir::new(root);
    let identity = [data.log_id(), data.identity().join("keys.vkey")];
    identity
        .iter()
        .try_for_each(|file| permitted_file(file, Access::READ_OK))
}

/// Whether this user may use the files of a ring, and its truth store where its place is known: of what cannot be
/// looked at nothing is known, and nothing is given up for it.
pub(super) fn permitted_files(
    ring: &Path,
    truth: Option<&Path>,
    wanted: Access,
) -> Result<(), String> {
    if ring.is_dir() {
        granted(ring, Access::READ_OK | Access::EXEC_OK, "read")?;
    }
    let keeps = Store::ALL.map(|store| keep_place(ring, store));
    for keep in keeps.iter().filter(|keep| keep.is_dir()) {
        granted(keep, Access::READ_OK | Access::EXEC_OK, "read")?;
    }
    let folders = std::iter::once(ring).chain(keeps.iter().map(PathBuf::as_path));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    let files = files.flatten().map(|file| file.path());
    let of_ring = files.filter(|file| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            ["ring.json", "keys.vkey", media::TRUTH_FILE].contains(&name)
                || name.starts_with("seg-")
        })
    });
    of_ring
        .chain(truth.map(Path::to_owned))
        .try_for_each(|file| permitted_file(&file, wanted))
}

/// Whether this user may use a file; one that is not there is somebody else's business.
fn permitted_file(file: &Path, wanted: Access) -> Result<(), String> {
    let Err(Errno::ACCESS | Errno::PERM) = rustix::fs::access(file, wanted) else {
        return Ok(());
    };
    let own = rustix::process::geteuid().as_raw();
    let what = match wanted.contains(Access::WRITE_OK) {
        true => "read and write",
        false => "read",
    };
    let (whose, cure) = match std::fs::metadata(file) {
        Ok(about) if about.uid() == own => (
            format!("it is this user's own, mode {:04o}", about.mode() & 0o7777),
            format!("chmod u+rw {}", file.display()),
        ),
        Ok(about) => (
            format!(
                "it belongs to user {}, mode {:04o}, and this is user {own}",
                about.uid(),
                about.mode() & 0o7777
            ),
            format!(
                "run this as that user, for example with: sudo -u '#{}' COMMAND",
                about.uid()
            ),
        ),
        Err(error) => (
            format!("this is user {own}, and its folder says: {}", error.kind()),
            "run this as the user to whom the folder belongs".to_owned(),
        ),
    };
    Err(format!(
        "no permission to {what} {}: {whose}\nnothing is known to be lost, and nothing was changed\n{cure}",
        file.display()
    ))
}

/// Whether this process may read and write in a directory.
fn permitted(place: &Path) -> Result<(), String> {
    let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    granted(place, wanted, "read and write")
}

fn granted(place: &Path, wanted: Access, what: &str) -> Result<(), String> {
    let shown = place.display();
    match rustix::fs::access(place, wanted) {
        Ok(()) => Ok(()),
        Err(Errno::ROFS) => Err(format!(
            "{shown} is mounted read-only, and a node must write there\n\
             look why (`dmesg`: a failing disk is mounted so), then:\n  \
             mount -o remount,rw \"$(findmnt -n -o TARGET -T {shown})\""
        )),
        Err(Errno::ACCESS | Errno::PERM) => {
            let owner = std::fs::metadata(place).map_or(0, |about| about.uid());
            let own = rustix::process::geteuid().as_raw();
            // Keys lie in there: nobody is told to give them to another user.
            Err(match owner == own {
                true => format!(
                    "no permission to {what} in {shown}, though it is this user's own\n  chmod u+rwx {shown}"
                ),
                false => format!(
                    "no permission to {what} in {shown}: it belongs to user {owner}, this is user {own}\n\
                     run this as that user, for example with: sudo -u '#{owner}' COMMAND"
                ),
            })
        }
        Err(error) => Err(format!("cannot use {shown}: {error}")),
    }
}

/// Whether identity and journal are whole and belong together, and the ring has room.
pub(super) fn whole(contract: &Contract, data: &DataDir) -> Result<(), String> {
    tell_passed_over(data);
    let generation = newest_generation(data)?;
    let journal = data.journal(generation.0);
    let begun = has_files(&journal);
    identity_is_whole(data, begun)?;
    let ring = journal.join("ring.json");
    if ring.is_file() {
        let reader = open_reader(data, generation);
        match reader {
            Ok(reader) => {
                in_their_places(&journal, &reader)?;
                same_keys(data, generation)?;
                tell_lacking(data, generation, &reader)?;
            }
            // The node was ended after the ring was made and before its first entry.
            Err(_) if place::open(&journal).is_ok_and(|place| place.is_unbegun()) => {}
            Err(words) if words.contains('\n') => return Err(words),
            Err(words) => return Err(format!("{words}\n{}", fsck_cure(data))),
        }
    } else if holds_a_log(&journal) {
        return Err(format!(
            "{} is missing, but a log lies beside it, and a new ring must not be laid over it\n{}",
            ring.display(),
            fsck_cure(data)
        ));
    } else if signed_before(data) {
        return Err(format!(
            "{} holds no log, but {} says that heads of one were signed: a second log under the same \
             name would contradict it\n{}",
            data.root().display(),
            data.identity().join("last-signed").display(),
            backup_cure(data)
        ));
    } else {
        room(contract, data)?;
    }
    Ok(())
}

fn has_files(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut files| files.next().is_some())
}

/// Whether something was ever written behind the magic of a truth store or of a segment: the store may lie elsewhere.
fn holds_a_log(journal: &Path) -> bool {
    let begins = |path: &Path, magic: &[u8]| {
        let mut first = vec![0; magic.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
        read.is_ok() && first == magic
    };
    let inside = std::fs::read_dir(journal).into_iter().flatten().flatten();
    let segments = inside.filter(|file| file.file_name().to_string_lossy().starts_with("seg-"));
    begins(&journal.join(media::TRUTH_FILE), b"FNTRUTH")
        || segments
            .into_iter()
            .any(|file| begins(&file.path(), b"FNSEG"))
}

fn signed_before(data: &DataDir) -> bool {
    let text = std::fs::read_to_string(data.identity().join("last-signed"));
    let is_head = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or("");
        !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.is_ok_and(|text| text.lines().any(is_head))
}

/// How a directory comes back that is not whole.
pub(super) fn backup_cure(data: &DataDir) -> String {
    restore_cure(
        data,
        "put back what is missing or damaged, or restore all of it from a backup",
    )
}

/// How the files beside a journal's segments come back: mostly by what the journal itself tells of them.
pub(super) fn fsck_cure(data: &DataDir) -> String {
    let when = format!(
        "the journal mostly tells how this is put right, in one line and without a backup:\n  \
         fieldnotary journal fsck {}\n\
         only where that does not help, put back what is missing or damaged, or restore all of it from a backup",
        data.root().display()
    );
    restore_cure(data, &when)
}

/// How all of a directory comes from a backup, once it was said when that is needed.
pub(super) fn restore_cure(data: &DataDir, when: &str) -> String {
    let shown = data.root().display();
    format!(
        "{when}:\n  \
         mv {shown} {shown}.damaged\n  fieldnotary restore BACKUP --data {shown} --reason WHY   # it says how to go on\n\
         what was read since that backup is not in it: keep {shown}.damaged, and the collector keeps what it cosigned\n\
         without a backup, begin another log: another origin, another --data"
    )
}

/// How the memory of what was signed comes back: alone only beside a journal that never went back.
pub(super) fn last_signed_cure(data: &DataDir) -> String {
    let shown = data.root().display();
    let (file, journal) = (
        data.identity().join("last-signed"),
        data.root().join("journal"),
    );
    format!(
        "if {} never came from a backup, copy just this file, from any backup --with-keys of this node:\n  \
         cp BACKUP/identity/last-signed {}\n\
         otherwise, or if you do not know, restore all of it and go on as a new generation:\n  \
         mv {shown} {shown}.damaged\n  fieldnotary restore BACKUP --data {shown} --reason WHY\n  \
         fieldnotary adopt {shown} --cause restored --reason WHY\n\
         what was read since that backup is not in it: keep {shown}.damaged, and the collector keeps what it cosigned\n\
         without a backup, begin another log: another origin, another --data",
        journal.display(),
        file.display()
    )
}

fn identity_is_whole(data: &DataDir, begun: bool) -> Result<(), String> {
    let identity = data.identity();
    let vkeys = identity.join("keys.vkey");
    if !vkeys.exists() && private_file(data).is_some() {
        let cure = match begun || signed_before(data) {
            true => backup_cure(data),
            false => format!(
                "its creation was interrupted, so nothing was ever signed with it; make it anew:\n  \
                 rm -r {}\nand start again",
                identity.display()
            ),
        };
        return Err(format!(
            "the identity in {} is half written: {} is missing\n{cure}",
            identity.display(),
            vkeys.display()
        ));
    }
    if !vkeys.exists()
        && let Some(draft) = draft_file(data)
    {
        return Err(format!(
            "{} has a draft of keys ({}), of a change of keys that was cut, and not the keys themselves\n{}",
            identity.display(),
            draft.display(),
            backup_cure(data)
        ));
    }
    for needed in [&vkeys, &data.log_id()] {
        if begun && !needed.exists() {
            return Err(format!(
                "there is a journal, but {} is missing: without it nobody knows whose log this is\n{}",
                needed.display(),
                backup_cure(data)
            ));
        }
    }
    Ok(())
}

/// The keys beside the log must be those that sealed it: under others no reader would believe it.
fn same_keys(data: &DataDir, generation: Generation) -> Result<(), String> {
    let reader = open_reader(data, generation)?;
    let sealed = sealed_by(data, generation, &reader)
        .map_err(|words| format!("{words}\n{}", backup_cure(data)))?;
    let SealedBy::Others(error) = sealed else {
        return Ok(());
    };
    Err(format!(
        "the keys in {} are not those that sealed this log ({error})\n\
         put the log's own keys back; if they changed, also their statement of it (rotation-NNN.note), which the signer and the \
         collector have; where they are lost, go on with these as a new generation:\n  \
         fieldnotary adopt {} --cause replaced --reason TEXT\n\
         the lost keys' keys.vkey, put into {}, lets `verify` check what they sealed",
        data.identity().display(),
        data.root().display(),
        data.journal(generation.0).display()
    ))
}

/// Whether the ring that is about to be made has room.
fn room(contract: &Contract, data: &DataDir) -> Result<(), String> {
    let storage = &contract.storage;
    let needs = storage
        .segment_bytes
        .saturating_mul(storage.segments.into())
        .saturating_add(BESIDE_RING_BYTES);
    let free = match rustix::fs::statvfs(data.root()) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize),
        // What the medium does not tell, provisioning will.
        Err(_) => return Ok(()),
    };
    // What an interrupted start has made already need not be made again.
    let newest = newest_generation(data)?;
    let made = std::fs::read_dir(data.journal(newest.0))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| Some(file.metadata().ok()?.blocks().saturating_mul(512)))
        .sum::<u64>();
    if needs <= free.saturating_add(made) {
        return Ok(());
    }
    let left = free.saturating_add(made).saturating_sub(BESIDE_RING_BYTES);
    let smaller = match left / storage.segment_bytes.max(1) {
        fits @ SEGMENTS_MIN.. => format!("write segments = {fits} under [storage]"),
        _ => match (left / u64::from(storage.segments.max(1))).checked_ilog2() {
            Some(bits) if bits >= SEGMENT_BITS_MIN => {
                let kib = 1u64 << (bits - 10);
                format!("write segment_size = \"{kib}KiB\" under [storage]")
            }
            _ => "take another disk, as even the smallest ring does not fit here".to_owned(),
        },
    };
    Err(format!(
        "the ring needs {}, and {} has {} free\nmake room; what is full is shown by: df -h {}\n\
         or {smaller}: a smaller ring keeps fewer entries",
        super::words::bytes(needs),
        data.root().display(),
        super::words::bytes(free),
        data.root().display()
    ))
}
