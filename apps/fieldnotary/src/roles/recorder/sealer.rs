//! The thread that asks the signer for checkpoints. Commits never wait for it.

use super::work::Work;
use evidence::Digest;
use evidence::reasons::Custody;
use ipc::message::{Message, SignCheckpoint};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

/// How long the signer may take for one signature.
const SIGN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to look for the signer's socket.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// A tree head to be sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) root: Digest,
}

/// A signed head.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) head: Head,
    pub(super) note: String,
    pub(super) custody: Custody,
}

/// Serves heads one by one until the recorder is gone.
pub(super) fn serve(socket: &Path, heads: &Receiver<Head>, results: &SyncSender<Work>) {
    let mut channel = None;
    for head in heads {
        steps::pass("seal.asked");
        let outcome = sign(socket, &mut channel, head);
        if outcome.is_err() {
            channel = None;
        }
        if results.send(Work::Sealed(outcome)).is_err() {
            return;
        }
    }
}

fn sign(socket: &Path, channel: &mut Option<ipc::Channel>, head: Head) -> Result<Sealed, String> {
    if channel.is_none() {
        *channel = Some(ipc::Channel::connect(socket, CONNECT_TIMEOUT).map_err(|e| e.to_string())?);
    }
    let Some(signer) = channel else {
        return Err("the signer is not connected".to_owned());
    };
    let request = SignCheckpoint {
        origin: head.origin.clone(),
        size: head.size,
        root: head.root,
    };
    match signer
        .ask(&request.into(), SIGN_TIMEOUT)
        .map_err(|error| error.to_string())?
    {
        Message::SignedNote(signed) => Ok(Sealed {
            head,
            note: signed.note.0,
            custody: signed.custody,
        }),
        other => Err(format!("the signer answered with {}", other.name())),
    }
}
