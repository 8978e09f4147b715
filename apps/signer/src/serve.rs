//! The socket: several connections, one thread each, one request at a time on each.

use crate::Failure;
use crate::desk::Desk;
use crate::door::Door;
use crate::say;
use crate::seats::{CONNECTIONS_MAX, PEER_CONNECTIONS_MAX, Seated, Seats};
use ipc::message::ErrorCode;
use ipc::{Channel, IpcError, Listener, Message, PeerCredentials, SocketLock};
use keys::limits::TPM_RSA_TIMEOUT_NS;
use keys::now_ns;
use keys::{store_calls_ended, token_is_stuck};
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
    /// Commands and calls to the store that had ended at the last look.
    ended: u64,
}

impl Wait {
    /// A desk that somebody keeps for ever is a hang, though the thread that looks goes on. One that waits for a slow store is none while
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
    Room::new(desk, served, stop, now_ns).open(listener, absent)
}

/// Who is served, by whom, and since when.
struct Room {
    desk: Arc<Mutex<Desk>>,
    door: Arc<Door>,
    /// Set by whoever has the desk, before a command that takes long.
    long: Arc<AtomicBool>,
    served: Option<u32>,
    seats: Arc<AllSeats>,
    stop: Arc<AtomicBool>,
    /// The time that connections are held against.
    clock: fn() -> u64,
}

impl Room {
    fn new(desk: Desk, served: Option<u32>, stop: Arc<AtomicBool>, clock: fn() -> u64) -> Self {
        Self {
            door: desk.door(),
            long: desk.long(),
            desk: Arc::new(Mutex::new(desk)),
            served,
            seats: Arc::default(),
            stop,
            clock,
        }
    }

    fn open(&self, listener: Listener, absent: Option<&Path>) -> Result<(), Failure> {
        let mut connections: Vec<JoinHandle<()>> = Vec::new();
        let mut failures = 0;
        let mut wait = Wait::default();
        while !self.stop.load(Ordering::Relaxed) {
            self.give_signs(&mut wait);
            if let Some(appeared) = absent.filter(|absent| absent.exists()) {
                return Err(Failure::StoreAppeared(appeared.into()));
            }
            if token_is_stuck((self.clock)()) {
                return Err(Failure::TokenStuck);
            }
            for idle in look(&self.seats).idle_too_long((self.clock)()) {
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
            connections.extend(self.takes(channel));
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

    /// Whoever has the desk sets `long` before the long command: the silence that follows is announced in time.
    fn give_signs(&self, wait: &mut Wait) {
        let long = self.long.swap(false, Ordering::Relaxed);
        match wait.look(long, self.desk.try_lock().is_ok(), store_calls_ended()) {
            Some(Sign::Long) => {
                sandbox::pulse::busy(Duration::from_nanos(TPM_RSA_TIMEOUT_NS) + LONG_MORE);
            }
            Some(Sign::Alive) => sandbox::pulse::alive(),
            None => {}
        }
    }

    /// Answers whoever connected in a thread of its own, or turns him away.
    fn takes(&self, channel: Channel) -> Option<JoinHandle<()>> {
        let channel = Arc::new(channel);
        let now_ns = (self.clock)();
        let (peer, seat) = match seat(&channel, &self.door, self.served, &self.seats, now_ns) {
            Ok(seated) => seated,
            Err(refusal) => {
                // A peer that is gone already needs no answer.
                let _ = channel.send(&refusal);
                return None;
            }
        };
        let (desk, door) = (Arc::clone(&self.desk), Arc::clone(&self.door));
        let (stop, seats) = (Arc::clone(&self.stop), Arc::clone(&self.seats));
        let clock = self.clock;
        let serve = move || {
            let seat = Sat {
                seats: &seats,
                seat,
                clock,
            };
            answer((&channel, peer), &desk, &door, &stop, &seat);
        };
        Some(std::thread::spawn(serve))
    }
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
    clock: fn() -> u64,
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
    now_ns: u64,
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
    match look(seats).sit(peer.pid, Arc::clone(channel), now_ns) {
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
            Err(
                error @ (IpcError::Malformed(_)
                | IpcError::OtherVersion(_)
                | IpcError::TooLong { .. }),
            ) => {
                // Whoever speaks another language is told so once.
                let _ = channel.send(&Message::error(ErrorCode::Malformed, &error));
                say::err(format_args!("a connection was closed: {error}"));
                door.malformed(peer.uid);
                return;
            }
            Err(_) => return,
        };
        let sent = channel.send(&answer);
        look(seat.seats).answered(seat.seat, (seat.clock)());
        if sent.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
