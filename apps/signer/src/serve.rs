//! The socket: several connections, one thread each, one request at a time on each.

use crate::Failure;
use crate::desk::Desk;
use crate::desk::now_ns;
use crate::door::Door;
use crate::say;
use crate::seats::{CONNECTIONS_MAX, PEER_CONNECTIONS_MAX, Seated, Seats};
use ipc::message::ErrorCode;
use ipc::{Channel, IpcError, Listener, Message, PeerCredentials, SocketLock};
use keys::limits::TPM_RSA_TIMEOUT_NS;
use keys::tpm_commands_ended;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

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
    node: Option<(u32, SocketLock)>,
    absent: Option<&Path>,
) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::System("signals", error))?;
    }
    let served = node.as_ref().map(|(uid, _)| *uid);
    let listener = match node {
        Some((uid, lock)) => {
            let listener = Listener::bind_for_group(path, &lock)?;
            // Nobody else says so: whoever started it is not a supervisor of ours.
            say::err(format_args!("ready: {} serves user {uid}", path.display()));
            listener
        }
        None => Listener::bind(path)?,
    };
    let door = desk.door();
    let long = desk.long();
    let desk = Arc::new(Mutex::new(desk));
    let seats = Arc::new(Mutex::new(Seats::default()));
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
        for idle in look(&seats).idle_too_long(now_ns()) {
            Channel::shut_down(&idle);
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
        let channel = Arc::new(channel);
        let (peer, seat) = match seat(&channel, &door, served, &seats) {
            Ok(seated) => seated,
            Err(refusal) => {
                // A peer that is gone already needs no answer.
                let _ = channel.send(&refusal);
                continue;
            }
        };
        let (desk, door) = (Arc::clone(&desk), Arc::clone(&door));
        let (stop, seats) = (Arc::clone(&stop), Arc::clone(&seats));
        let serve = move || {
            let seat = Sat {
                seats: &seats,
                seat,
            };
            answer((&channel, peer), &desk, &door, &stop, &seat);
        };
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

/// The seats of all connections.
type AllSeats = Mutex<Seats<Arc<Channel>>>;

/// Whoever holds them changes them whole.
fn look(seats: &AllSeats) -> MutexGuard<'_, Seats<Arc<Channel>>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The seat of a connection; it is free with the end of its thread, however that comes.
struct Sat<'a> {
    seats: &'a AllSeats,
    seat: u64,
}

impl Drop for Sat<'_> {
    fn drop(&mut self) {
        look(self.seats).leaves(self.seat);
    }
}

/// Who connected and where, or why that is not served.
fn seat(
    channel: &Arc<Channel>,
    door: &Door,
    served: Option<u32>,
    seats: &AllSeats,
) -> Result<(PeerCredentials, u64), Box<Message>> {
    let served = served.unwrap_or_else(|| rustix::process::geteuid().as_raw());
    let peer = match channel.peer_credentials() {
        Ok(peer) if peer.uid == served => peer,
        Ok(peer) => {
            door.turn_away(peer.uid);
            say::err(format_args!(
                "process {} of user {} was refused",
                peer.pid, peer.uid
            ));
            return Err(Box::new(Message::error(
                ErrorCode::NotAllowed,
                format_args!("user {} may not use these keys", peer.uid),
            )));
        }
        Err(error) => return Err(Box::new(Message::error(ErrorCode::NotAllowed, error))),
    };
    match look(seats).sit(peer.pid, Arc::clone(channel), now_ns()) {
        Seated::Here(seat) => Ok((peer, seat)),
        Seated::Instead(seat, other) => {
            other.shut_down();
            Ok((peer, seat))
        }
        Seated::Full => Err(Box::new(Message::error(
            ErrorCode::Busy,
            format_args!(
                "{CONNECTIONS_MAX} connections are being answered, or {PEER_CONNECTIONS_MAX} of process {}: ask again when one \
                 of them was",
                peer.pid
            ),
        ))),
    }
}

fn answer(
    (channel, peer): (&Channel, PeerCredentials),
    desk: &Mutex<Desk>,
    door: &Door,
    stop: &AtomicBool,
    seat: &Sat<'_>,
) {
    while !stop.load(Ordering::Relaxed) {
        let answer = match channel.recv(STOP_CHECK) {
            Ok(None) => continue,
            Ok(Some(request)) => {
                // It gave way to another since this was sent: whoever asks finds it ended, and connects anew.
                if !look(seat.seats).asks(seat.seat) {
                    return;
                }
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
        let sent = channel.send(&answer);
        look(seat.seats).answered(seat.seat, now_ns());
        if sent.is_err() {
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
