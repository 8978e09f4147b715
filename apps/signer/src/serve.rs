//! The socket: several connections, one thread each, one request at a time on each.

use crate::Failure;
use crate::desk::Desk;
use crate::door::Door;
use crate::say;
use ipc::message::ErrorCode;
use ipc::{Channel, IpcError, Listener, Message};
use keys::limits::TPM_RSA_TIMEOUT_NS;
use keys::tpm_commands_ended;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Connections served at once; a node needs one or two.
const CONNECTIONS_MAX: usize = 16;
/// Failures to accept in a row after which the signer ends, so that its supervisor sees it.
const ACCEPT_FAILURES_MAX: u32 = 50;
/// What the other commands of an answer take beside the longest one.
const LONG_MORE: Duration = Duration::from_secs(15);
/// How soon a wait notices that the signer was told to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// What the supervisor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Alive,
    /// It may be silent for as long as the longest command takes.
    Long,
}

/// Whether the desk makes progress, from one look to the next.
#[derive(Debug, Default)]
struct Wait {
    /// A long silence was announced, and the desk was not free since.
    announced: bool,
    /// Commands to a TPM that had ended at the last look.
    ended: u64,
}

impl Wait {
    /// A desk that somebody keeps for ever is a hang, though the thread that looks goes on. One that waits for a slow TPM is none while
    /// its commands end: each has a time-out far below the silence that a supervisor suffers, and all of an answer may take longer.
    fn look(&mut self, long: bool, free: bool, ended: u64) -> Option<Sign> {
        let progress = ended != std::mem::replace(&mut self.ended, ended);
        if long {
            self.announced = true;
            return Some(Sign::Long);
        }
        if free {
            self.announced = false;
            return Some(Sign::Alive);
        }
        // What ends before the long command must not take its announcement back.
        (progress && !self.announced).then_some(Sign::Alive)
    }
}

/// Serves the path, to the user of the node or, where that is the same, to the own one, until a signal says stop, or until a device appears that was absent when this process
/// was confined: a rule for it can be had only by being started anew.
pub(crate) fn serve(
    path: &Path,
    desk: Desk,
    node: Option<u32>,
    absent: Option<&Path>,
) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::System("signals", error))?;
    }
    let listener = match node {
        Some(uid) => {
            let listener = Listener::bind_for_group(path)?;
            // Nobody else says so: whoever started it is not a supervisor of ours.
            say::err(format_args!("ready: {} serves user {uid}", path.display()));
            listener
        }
        None => Listener::bind(path)?,
    };
    let door = desk.door();
    let long = desk.long();
    let desk = Arc::new(Mutex::new(desk));
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    let mut failures = 0;
    let mut wait = Wait::default();
    while !stop.load(Ordering::Relaxed) {
        // Whoever has the desk sets it before the long command: the silence that follows is announced in time.
        let long = long.swap(false, Ordering::Relaxed);
        match wait.look(long, desk.try_lock().is_ok(), tpm_commands_ended()) {
            Some(Sign::Long) => {
                sandbox::pulse::busy(Duration::from_nanos(TPM_RSA_TIMEOUT_NS) + LONG_MORE);
            }
            Some(Sign::Alive) => sandbox::pulse::alive(),
            None => {}
        }
        if let Some(appeared) = absent.filter(|absent| absent.exists()) {
            return Err(Failure::StoreAppeared(appeared.into()));
        }
        let channel = match listener.accept(STOP_CHECK) {
            Ok(Some(channel)) => channel,
            Ok(None) => continue,
            Err(error) if failures < ACCEPT_FAILURES_MAX => {
                say::err(format_args!("a connection was not accepted: {error}"));
                failures += 1;
                std::thread::sleep(STOP_CHECK);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        failures = 0;
        connections.retain(|connection| !connection.is_finished());
        if let Some(refusal) = refuse(&channel, &door, node, connections.len()) {
            // A peer that is gone already needs no answer.
            let _ = channel.send(&refusal);
            continue;
        }
        let (desk, door) = (Arc::clone(&desk), Arc::clone(&door));
        let stop = Arc::clone(&stop);
        let serve = move || answer(&channel, &desk, &door, &stop);
        connections.push(std::thread::spawn(serve));
    }
    // From here on nobody can connect; what is being answered is answered to its end.
    drop(listener);
    for connection in connections {
        if connection.join().is_err() {
            say::err(format_args!("a connection ended by a fault of the program"));
        }
    }
    Ok(())
}

/// Why a connection is not served, if it is not.
fn refuse(
    channel: &Channel,
    door: &Door,
    node: Option<u32>,
    connections: usize,
) -> Option<Message> {
    let served = node.unwrap_or_else(|| rustix::process::geteuid().as_raw());
    match channel.peer_credentials() {
        Ok(peer) if peer.uid == served => {}
        Ok(peer) => {
            door.turn_away(peer.uid);
            say::err(format_args!(
                "process {} of user {} was refused",
                peer.pid, peer.uid
            ));
            return Some(Message::error(
                ErrorCode::NotAllowed,
                format_args!("user {} may not use these keys", peer.uid),
            ));
        }
        Err(error) => return Some(Message::error(ErrorCode::NotAllowed, error)),
    }
    (connections >= CONNECTIONS_MAX).then(|| {
        Message::error(
            ErrorCode::Busy,
            format_args!("{CONNECTIONS_MAX} connections are served already"),
        )
    })
}

fn answer(channel: &Channel, desk: &Mutex<Desk>, door: &Door, stop: &AtomicBool) {
    let Ok(peer) = channel.peer_credentials() else {
        return;
    };
    while !stop.load(Ordering::Relaxed) {
        let answer = match channel.recv(STOP_CHECK) {
            Ok(None) => continue,
            Ok(Some(request)) => {
                // A thread that died while it held the desk left no half-made statement: memory is
                // only ever replaced whole.
                let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
                desk.answer(&request, peer.uid)
            }
            Err(error @ (IpcError::Malformed(_) | IpcError::TooLong { .. })) => {
                // Whoever speaks another language is told so once.
                let _ = channel.send(&Message::error(ErrorCode::Malformed, &error));
                say::err(format_args!("a connection was closed: {error}"));
                door.malformed(peer.uid);
                return;
            }
            Err(_) => return,
        };
        if channel.send(&answer).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sign, Wait};
    use keys::limits::{TPM_BUSY_PAUSE, TPM_BUSY_TRIES_MAX, TPM_TIMEOUT_NS};

    /// Everything that the three looks can find, twice in a row: whether it was announced before decides with them.
    //= A6.7
    #[test]
    fn a_desk_that_waits_for_a_slow_tpm_is_alive_and_one_that_hangs_is_not() {
        // long, free, progress, announced before; what is said, announced after.
        for (long, free, progress, before, said, after) in [
            (false, false, false, false, None, false),
            (false, false, false, true, None, true),
            (false, false, true, false, Some(Sign::Alive), false),
            (false, false, true, true, None, true),
            (false, true, false, false, Some(Sign::Alive), false),
            (false, true, false, true, Some(Sign::Alive), false),
            (false, true, true, false, Some(Sign::Alive), false),
            (false, true, true, true, Some(Sign::Alive), false),
            (true, false, false, false, Some(Sign::Long), true),
            (true, false, false, true, Some(Sign::Long), true),
            (true, false, true, false, Some(Sign::Long), true),
            (true, false, true, true, Some(Sign::Long), true),
            (true, true, false, false, Some(Sign::Long), true),
            (true, true, false, true, Some(Sign::Long), true),
            (true, true, true, false, Some(Sign::Long), true),
            (true, true, true, true, Some(Sign::Long), true),
        ] {
            let mut wait = Wait {
                announced: before,
                ended: 7,
            };
            let ended = 7 + u64::from(progress);
            let found = (wait.look(long, free, ended), wait.announced);
            assert_eq!(found, (said, after), "{long} {free} {progress} {before}");
            // The same count is no progress a second time.
            if !(long || free) {
                assert_eq!(wait.look(false, false, ended), None);
            }
        }
    }

    /// What the supervisor suffers of a signer (`apps/fieldnotary`, table of processes), against what one command may take.
    #[test]
    fn one_command_ends_before_a_supervisor_takes_the_signer_for_hung() {
        const SILENCE_NS: u64 = 15_000_000_000;
        let pauses =
            u64::from(TPM_BUSY_TRIES_MAX) * u64::try_from(TPM_BUSY_PAUSE.as_nanos()).unwrap();
        assert!(2 * (TPM_TIMEOUT_NS + pauses) < SILENCE_NS);
    }
}
