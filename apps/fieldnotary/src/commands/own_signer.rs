//! A signer with a user of its own: started by somebody else, and asked at the socket that it serves.

use super::directory::keys_beside;
use super::preflight;
use super::secrets::{draft_file, private_file};
use crate::files::write_durably;
use crate::paths::DataDir;
use crate::roles::recorder::is_of_another_version;
use ipc::message::{Describe, ErrorCode, Keys, Message, NoteText};
use ipc::{Channel, IpcError};
use proof::note::VerifierKey;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::time::Duration;
use trust_plane::{Rotation, newest};

/// How long it may take to be there where it has to be: whoever starts both does not wait for one.
const CONNECT: Duration = Duration::from_secs(3);
/// How long it may take to describe its keys: above what a TPM takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// For what a signer is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A start of the node. One that knows its keys already starts without its signer: capture does not wait for keys.
    Start,
    /// Another generation, which is of no use where nobody seals it.
    Adoption,
}

/// Why the signer did not say what its keys are.
enum Unheard {
    /// It is not there, or cannot say it now.
    Away(String),
    /// It does not serve this user, or this version of the node.
    Refused(String),
}

/// Makes this node's the keys of the signer at a socket: their public half stands where the node's own would, and the
/// place at which every process looks for a signer leads there.
pub(super) fn take(
    data: &DataDir,
    origin: &str,
    socket: &Path,
    purpose: Purpose,
) -> Result<(), String> {
    if let Some(own) = private_file(data) {
        return Err(format!(
            "{} has keys of its own ({}), and --signer names another holder of keys\n\
             leave --signer out; or give the keys to the signer's user: docs/keys.md, \"A signer with a user of its own\"",
            data.identity().display(),
            own.display()
        ));
    }
    if let Some(draft) = draft_file(data) {
        return Err(format!(
            "{} has a draft of keys ({}), of a change of keys that was cut, and no keys; --signer names the holder of the keys\n\
             a draft is as secret as a key: move each next-* to the keys of the signer, whose next start ends or removes it; or \
             remove it where it is not of that signer's keys: docs/keys.md, \"A signer with a user of its own\"",
            data.identity().display(),
            draft.display()
        ));
    }
    let socket = absolute(socket)?;
    if socket == absolute(&data.signer_socket())? {
        return Err(format!(
            "{} is where this node's processes look for a signer; --signer names the socket that the signer serves, \
             in a folder of its own user",
            socket.display()
        ));
    }
    let kept = data.identity().join("keys.vkey").exists();
    let known = kept && purpose == Purpose::Start;
    match describe(&socket, if known { Duration::ZERO } else { CONNECT }) {
        Ok(keys) => keep_public(data, origin, &socket, &keys, purpose)?,
        Err(Unheard::Away(words)) if known => complain!("warning: {words}"),
        Err(Unheard::Away(words) | Unheard::Refused(words)) => return Err(words),
    }
    lead(data, &socket)
}

/// The keys of such a signer changed: their public half stands beside the log too. Nothing where the signer is the node's own.
pub(in crate::commands) fn follow(data: &DataDir) -> Result<(), String> {
    match std::fs::read_link(data.signer_socket()) {
        Ok(socket) => {
            let keys = describe(&socket, CONNECT).map_err(|error| match error {
                Unheard::Away(words) | Unheard::Refused(words) => words,
            })?;
            let kept = keys_beside(data)?;
            let origin = kept.first().map_or("", |key| key.name());
            keep_public(data, origin, &socket, &keys, Purpose::Start)
        }
        Err(_) => Ok(()),
    }
}

/// Takes away what a start with --signer left: the signer of this node serves that path itself, if there are keys for it.
pub(super) fn leave(data: &DataDir) -> Result<(), String> {
    let path = data.signer_socket();
    let socket = std::fs::read_link(&path).ok();
    let identity = data.identity();
    if private_file(data).is_none() && identity.join("keys.vkey").exists() {
        let beside = draft_file(data).map_or_else(String::new, |draft| {
            format!(
                " ({} is a draft of a change of keys that was cut, and none of them)",
                draft.display()
            )
        });
        let shown = identity.display();
        return Err(match socket {
            Some(socket) => format!(
                "{shown} has the public half of its keys alone{beside}: a signer of another user has the keys, as at the last start\n\
                 say the same again: --signer {}",
                socket.display()
            ),
            None => format!(
                "{shown} has the public half of its keys alone{beside}\n\
                 where a signer of another user has the keys, name its socket: --signer SOCKET; otherwise {}",
                preflight::backup_cure(data)
            ),
        });
    }
    socket.map_or(Ok(()), |_| {
        std::fs::remove_file(&path)
            .map_err(|error| format!("cannot remove {}: {error}", path.display()))
    })
}

/// Whether somebody else's signer has the keys of this node.
pub(in crate::commands) fn is_used(data: &DataDir) -> bool {
    private_file(data).is_none() && data.signer_socket().is_symlink()
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What is wrong where nobody serves the socket of such a signer.
pub(in crate::commands) fn nobody_serves(socket: &Path) -> String {
    let shown = socket.display();
    format!(
        "no signer serves {shown}; start it as its own user, for the one that runs this node:\n  \
         fieldnotary-signer run --identity ITS-KEYS --socket {shown} --origin ORIGIN --for USER"
    )
}

fn describe(socket: &Path, patience: Duration) -> Result<Keys, Unheard> {
    let shown = socket.display();
    let channel = Channel::connect(socket, patience).map_err(|error| match error {
        IpcError::NobodyServes { .. } => Unheard::Away(nobody_serves(socket)),
        other => Unheard::Away(format!("the signer at {shown} cannot be asked: {other}")),
    })?;
    match channel.ask(
        &Describe {
            origin: None,
            nonce: None,
        }
        .into(),
        PATIENCE,
    ) {
        Ok(Message::Keys(keys)) => Ok(keys),
        Ok(other) => Err(Unheard::Away(format!(
            "the signer at {shown} answered with {}",
            other.name()
        ))),
        Err(IpcError::Peer {
            code: ErrorCode::NotAllowed,
            text,
            ..
        }) => Err(Unheard::Refused(format!(
            "the signer at {shown} does not serve this user: {text}\n\
             it serves the one that it was started for: --for USER"
        ))),
        Err(error) if is_of_another_version(&error) => Err(Unheard::Refused(format!(
            "the signer at {shown} is of another version than this node: {error}\n\
             install both programs of one version, and start the signer anew"
        ))),
        Err(error) => Err(Unheard::Away(format!(
            "the signer at {shown} cannot say what its keys are: {error}"
        ))),
    }
}

/// The log's keys stand beside it, as whoever reads it expects.
fn keep_public(
    data: &DataDir,
    origin: &str,
    socket: &Path,
    keys: &Keys,
    purpose: Purpose,
) -> Result<(), String> {
    let (shown, identity) = (socket.display(), data.identity());
    let is_of_log = |vkey: &String| {
        let key = vkey.parse::<VerifierKey>();
        key.is_ok_and(|key| key.name() == origin)
    };
    if keys.vkeys.is_empty() || !keys.vkeys.iter().all(is_of_log) {
        return Err(format!(
            "the signer at {shown} has keys of another log than {origin}: {}\n\
             name the socket of the one that has keys of {origin}",
            keys.vkeys.join(", ")
        ));
    }
    std::fs::create_dir_all(&identity)
        .map_err(|error| format!("cannot create {}: {error}", identity.display()))?;
    let path = identity.join("keys.vkey");
    let said: String = keys.vkeys.iter().map(|vkey| format!("{vkey}\n")).collect();
    match std::fs::read_to_string(&path) {
        Ok(kept) if kept == said => keep_statements(&identity, origin, keys),
        Ok(kept) if leads(&kept, keys) => {
            // The statements first: without them nothing beside the log would lead from the newest keys to the older part of it.
            keep_statements(&identity, origin, keys)?;
            write_durably(&path, said)
        }
        Ok(_) => Err(format!(
            "the signer at {shown} has other keys than {}, by which this log is signed\n\
             start it with the keys of this log; where they are lost, take its own in their place:\n  \
             rm {}\n  fieldnotary adopt {} --signer {shown} --cause replaced --reason TEXT",
            path.display(),
            path.display(),
            data.root().display()
        )),
        // Where a log has begun, its keys come from a backup, or with a new generation, and from nobody who happens to
        // serve a socket.
        Err(error)
            if error.kind() == NotFound
                && (purpose == Purpose::Adoption || !data.log_id().exists()) =>
        {
            keep_statements(&identity, origin, keys)?;
            write_durably(&path, said)
        }
        Err(error) if error.kind() == NotFound => Err(format!(
            "{} is missing, and this log has begun\n{}",
            path.display(),
            preflight::backup_cure(data)
        )),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// What the signer's keys state of those that followed them lies beside the log too. Nothing is written over: what differs was
/// changed by somebody, and a verdict names it.
fn keep_statements(identity: &Path, origin: &str, keys: &Keys) -> Result<(), String> {
    for (number, NoteText(note)) in (1..).zip(&keys.rotations) {
        let path = identity.join(Rotation::file(number));
        let shown = path.display();
        let stated = Rotation::read(note.as_bytes());
        if !stated.is_ok_and(|stated| stated.base.as_str() == origin) {
            complain!(
                "warning: the signer has as {shown} what is no change of the keys of {origin}: it is left out"
            );
            return Ok(());
        }
        match std::fs::read(&path) {
            Ok(kept) if kept == note.as_bytes() => {}
            Ok(_) => complain!(
                "warning: {shown} is not what the signer has of the same change of keys, and `verify` will name it\n\
                 if nobody knows why, keep it elsewhere and move it away: the next start puts the signer's in its place"
            ),
            Err(error) if error.kind() == NotFound => write_durably(&path, note)?,
            Err(error) => return Err(format!("cannot read {shown}: {error}")),
        }
    }
    Ok(())
}

/// Whether the keys that are kept state, one after the other, that those of the signer follow them.
fn leads(kept: &str, keys: &Keys) -> bool {
    let pair = |lines: &[&str]| match lines {
        [one, other] => Some([one.parse().ok()?, other.parse().ok()?]),
        _ => None,
    };
    let kept: Option<[VerifierKey; 2]> = pair(&kept.lines().collect::<Vec<_>>());
    let said: Vec<&str> = keys.vkeys.iter().map(String::as_str).collect();
    let stated = keys.rotations.iter();
    let stated = stated.map(|NoteText(note)| Rotation::read(note.as_bytes()));
    match (kept, stated.collect::<Result<Vec<_>, _>>()) {
        (Some(kept), Ok(stated)) => Some(newest(kept, &stated)) == pair(&said),
        (None, _) | (_, Err(_)) => false,
    }
}

/// Leads the place at which processes look for a signer to its socket, at once.
fn lead(data: &DataDir, socket: &Path) -> Result<(), String> {
    let path = data.signer_socket();
    let cannot = |error| format!("cannot lead {} to the signer: {error}", path.display());
    let draft = path.with_extension("new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != NotFound => return Err(cannot(error)),
        Ok(()) | Err(_) => {}
    }
    std::os::unix::fs::symlink(socket, &draft).map_err(cannot)?;
    std::fs::rename(&draft, &path).map_err(cannot)
}
