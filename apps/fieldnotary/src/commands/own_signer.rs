//! A signer with a user of its own: started by somebody else, and asked at the socket that it serves.

use super::preflight;
use crate::files::write_durably;
use crate::paths::DataDir;
use crate::roles::recorder::is_of_another_version;
use ipc::message::{Describe, Keys, Message, NoteText};
use ipc::{Channel, IpcError};
use std::io::ErrorKind::NotFound;
use std::path::Path;
use std::time::Duration;
use trust_plane::Rotation;

/// How long it may take to be there: whoever starts both does not wait for one.
const CONNECT: Duration = Duration::from_secs(3);
/// How long it may take to describe its keys: above what a TPM takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes this node's the keys of the signer at a socket: their public half stands where the node's own would, and the
/// place at which every process looks for a signer leads there.
pub(super) fn take(data: &DataDir, socket: &Path) -> Result<(), String> {
    if let Some(own) = private(data) {
        return Err(format!(
            "{} has keys of its own ({own}), and --signer names another holder of keys\n\
             leave --signer out; or move the keys to the signer's directory first, all files but keys.vkey and log-id:\n  \
             see docs/keys.md, \"A signer with a user of its own\"",
            data.identity().display()
        ));
    }
    keep_public(data, socket, &describe(socket)?)?;
    lead(data, socket)
}

/// The keys of such a signer changed: their public half stands beside the log too. Nothing where the signer is the node's own.
pub(in crate::commands) fn follow(data: &DataDir) -> Result<(), String> {
    match std::fs::read_link(data.signer_socket()) {
        Ok(socket) => keep_public(data, &socket, &describe(&socket)?),
        Err(_) => Ok(()),
    }
}

/// Takes away what a start with --signer left: the signer of this node serves that path itself, if there are keys for it.
pub(super) fn leave(data: &DataDir) -> Result<(), String> {
    let path = data.signer_socket();
    let Ok(socket) = std::fs::read_link(&path) else {
        return Ok(());
    };
    if private(data).is_none() && data.identity().join("keys.vkey").exists() {
        return Err(format!(
            "{} has the public half of its keys alone: a signer of another user has the keys, as at the last start\n\
             start the node with: --signer {}",
            data.identity().display(),
            socket.display()
        ));
    }
    std::fs::remove_file(&path)
        .map_err(|error| format!("cannot remove {}: {error}", path.display()))
}

/// A file of the node's identity that leads to a private key.
fn private(data: &DataDir) -> Option<&'static str> {
    let mut names = ["store.toml", "authority-p256.pem", "ed25519.pem"].into_iter();
    names.find(|name| data.identity().join(name).exists())
}

fn describe(socket: &Path) -> Result<Keys, String> {
    let shown = socket.display();
    let channel = Channel::connect(socket, CONNECT).map_err(|error| match error {
        IpcError::NobodyServes { .. } => format!(
            "no signer serves {shown}; start it as its own user, for the one that runs this node:\n  \
             fieldnotary-signer run --identity ITS-KEYS --socket {shown} --origin ORIGIN --for USER"
        ),
        other => format!("the signer at {shown} cannot be asked: {other}"),
    })?;
    match channel.ask(&Describe { origin: None }.into(), PATIENCE) {
        Ok(Message::Keys(keys)) => Ok(keys),
        Ok(other) => Err(format!(
            "the signer at {shown} answered with {}",
            other.name()
        )),
        Err(error) if is_of_another_version(&error) => Err(format!(
            "the signer at {shown} is of another version than this node: {error}\n\
             install both programs of one version, and start the signer anew"
        )),
        Err(error) => Err(format!(
            "the signer at {shown} does not serve this user: {error}\n\
             it serves its own user and the one that it was started with: --for USER"
        )),
    }
}

/// The log's keys stand beside it, as whoever reads it expects.
fn keep_public(data: &DataDir, socket: &Path, keys: &Keys) -> Result<(), String> {
    let identity = data.identity();
    std::fs::create_dir_all(&identity)
        .map_err(|error| format!("cannot create {}: {error}", identity.display()))?;
    let path = identity.join("keys.vkey");
    let said: String = keys.vkeys.iter().map(|vkey| format!("{vkey}\n")).collect();
    match std::fs::read_to_string(&path) {
        Ok(kept) if kept == said => Ok(()),
        Ok(kept) if leads(&kept, keys) => {
            // The statements first: without them nothing would lead from the newest keys to the older part of the log.
            for (number, NoteText(note)) in (1..).zip(&keys.rotations) {
                write_durably(&identity.join(Rotation::file(number)), note)?;
            }
            write_durably(&path, said)
        }
        Ok(_) => Err(format!(
            "the signer at {} has other keys than {}, by which this log is signed\n\
             start it with the keys of this log; where they are lost, put its own in their place:\n  \
             fieldnotary-signer vkey --identity ITS-KEYS > {}\n\
             and go on as a new generation: fieldnotary adopt {} --cause replaced --reason TEXT",
            socket.display(),
            path.display(),
            path.display(),
            data.root().display()
        )),
        Err(error) if error.kind() == NotFound => {
            // Where a log lies already, its keys come from a backup and from nobody who happens to serve a socket.
            if data.log_id().exists() {
                return Err(format!(
                    "{} is missing, and this log has begun\n{}",
                    path.display(),
                    preflight::backup_cure(data)
                ));
            }
            write_durably(&path, said)
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Whether the keys that are kept state, one after the other, that those of the signer follow them.
fn leads(kept: &str, keys: &Keys) -> bool {
    let mut kept: Vec<String> = kept.lines().map(str::to_owned).collect();
    for NoteText(note) in &keys.rotations {
        let Ok(stated) = Rotation::read(note.as_bytes()) else {
            return false;
        };
        if stated.old.each_ref().map(ToString::to_string)[..] == kept[..] {
            kept = stated.new.iter().map(ToString::to_string).collect();
        }
    }
    kept == keys.vkeys
}

fn lead(data: &DataDir, socket: &Path) -> Result<(), String> {
    let path = data.signer_socket();
    let cannot = |error| format!("cannot lead {} to the signer: {error}", path.display());
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != NotFound => return Err(cannot(error)),
        Ok(()) | Err(_) => {}
    }
    let socket = std::path::absolute(socket).map_err(cannot)?;
    std::os::unix::fs::symlink(socket, &path).map_err(cannot)
}
