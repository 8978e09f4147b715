//! A grandmaster of our own, whose clock is the machine's with an offset and a rate, both to order.
//!
//! IEEE 1588-2008 over UDP and IPv4, two-step, end to end. Its stamps are the kernel's of each packet,
//! turned into its own clock's. A path that is longer one way is made of them too: what is subtracted
//! when a Sync leaves, or added when a `Delay_Req` comes in, a follower cannot tell from a delay.

mod sockets;
mod wire;

use crate::rig::{Rig, Side};
use evidence::{MonoNs, UtcNs};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use sockets::{Sockets, Stamped};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use time_plane::ClockComparison;
use wire::Kind;

const SYNC_EVERY_NS: u64 = 125_000_000;
const LOG_SYNC_INTERVAL: i8 = -3;
const ANNOUNCE_EVERY_NS: u64 = 250_000_000;
const LOG_ANNOUNCE_INTERVAL: i8 = -2;
const LOG_DELAY_INTERVAL: i8 = -2;
/// Longest wait between two looks at the orders.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What the grandmaster is, from the next message on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// `clockClass` (IEEE 1588-2008, 7.6.2.4).
    pub class: u8,
    /// `clockAccuracy` (IEEE 1588-2008, 7.6.2.5).
    pub accuracy: u8,
    /// The flags of its timescale, in the order of `PtpReading::time_flags`.
    pub time_flags: u8,
    /// TAI minus UTC as it says, in seconds.
    pub utc_offset_s: i16,
    /// What it adds to its stamps, in seconds: TAI minus UTC where it counts TAI.
    pub timescale_offset_s: i64,
    /// A delay from master to follower that the other way has not, in nanoseconds.
    pub extra_down_ns: i64,
    /// A delay from follower to master that the other way has not, in nanoseconds.
    pub extra_up_ns: i64,
    /// How many of a hundred Syncs are lost, evenly spread.
    pub sync_loss_percent: u8,
    /// Whether it says nothing at all.
    pub is_silent: bool,
    clock: Clock,
}

/// `CLOCK_REALTIME` + `offset_ns` + `rate_ppb` of the time since `since`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    offset_ns: i64,
    rate_ppb: i64,
    since: UtcNs,
    /// What `CLOCK_REALTIME` was ahead of the raw clock by when it was let go of, in nanoseconds.
    let_go: Option<i128>,
}

/// What `CLOCK_REALTIME` is ahead of the raw clock by, in nanoseconds.
fn against_raw_ns(of: &ClockComparison) -> i128 {
    i128::from(of.sample.utc.0) - i128::from(of.raw_ns)
}

impl Clock {
    fn offset_at(self, at: UtcNs) -> i64 {
        let passed = i128::from(at.0) - i128::from(self.since.0);
        let drifted = passed * i128::from(self.rate_ppb) / 1_000_000_000;
        self.offset_ns
            .saturating_add(i64::try_from(drifted).unwrap_or(0))
    }

    fn at(self, at: UtcNs) -> i64 {
        at.0.saturating_add(self.offset_at(at))
    }
}

impl Orders {
    fn new() -> Self {
        Self {
            class: 6,
            accuracy: 0x21,
            time_flags: 0,
            utc_offset_s: 0,
            timescale_offset_s: 0,
            extra_down_ns: 0,
            extra_up_ns: 0,
            sync_loss_percent: 0,
            is_silent: false,
            clock: Clock {
                offset_ns: 0,
                rate_ppb: 0,
                since: clocks::utc(),
                let_go: None,
            },
        }
    }

    /// Lets its clock go on with the oscillator, whatever is done to the machine's clock from now on.
    pub fn let_go(&mut self) {
        self.clock.let_go = Some(against_raw_ns(&clocks::compare()));
    }

    /// Moves its clock at once.
    pub fn step(&mut self, by_ns: i64) {
        self.clock.offset_ns = self.clock.offset_ns.saturating_add(by_ns);
    }

    /// Lets its clock run fast by this much from now on, without a jump.
    pub fn drift(&mut self, rate_ppb: i64) {
        let now = clocks::utc();
        self.clock = Clock {
            offset_ns: self.clock.offset_at(now),
            rate_ppb,
            since: now,
            ..self.clock
        };
    }

    /// How far its clock is ahead of `CLOCK_REALTIME` at this instant of that clock, in nanoseconds.
    #[must_use]
    pub fn ahead_ns(&self, at: UtcNs) -> i64 {
        self.clock.offset_at(at)
    }

    /// Its stamp for a packet that the kernel stamped.
    fn stamp(&self, at: UtcNs, shift_ns: i64) -> i64 {
        // The packet was stamped just now.
        let moved_ns = self.clock.let_go.map_or(0, |let_go_ns| {
            against_raw_ns(&clocks::compare()) - let_go_ns
        });
        let moved_ns = i64::try_from(moved_ns).unwrap_or(0);
        let ns = self.clock.at(at).saturating_add(shift_ns);
        ns.saturating_sub(moved_ns)
            .saturating_add(self.timescale_offset_s.saturating_mul(1_000_000_000))
    }
}

/// A grandmaster that runs until this value goes.
#[derive(Debug)]
pub struct SimGrandmaster {
    orders: Arc<Mutex<Orders>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl SimGrandmaster {
    /// Starts it on the master's side of the rig.
    ///
    /// # Errors
    ///
    /// Where its ports could not be had: is a ptp4l running there?
    pub fn start(rig: &Rig) -> Result<Self, String> {
        let orders = Arc::new(Mutex::new(Orders::new()));
        let (stop, stopped) = channel::<()>();
        let (ready, is_ready) = channel();
        let namespace = rig.namespace(Side::Master).path();
        let shared = Arc::clone(&orders);
        let thread = std::thread::spawn(move || {
            // The thread alone moves, and only its sockets stay there.
            let sockets = enter(&namespace).and_then(|()| Sockets::open());
            let sockets = match sockets {
                Ok(sockets) => sockets,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return Ok(());
                }
            };
            let _ = ready.send(Ok(()));
            let is_stopped = || stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Empty);
            Speaker {
                sockets,
                orders: shared,
                sequence: [0; 2],
                loss: 0,
            }
            .run(is_stopped)
        });
        let started = is_ready.recv();
        started.map_err(|_| "the grandmaster's thread ended".to_owned())??;
        Ok(Self {
            orders,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Its orders, to read or to change; it obeys with the next message.
    pub fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// What stopped it from sending, if something did.
    pub fn stop(mut self) -> Result<(), String> {
        self.end()
    }

    fn end(&mut self) -> Result<(), String> {
        drop(self.stop.take());
        let thread = self.thread.take();
        let ended = thread.map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_| Err("the grandmaster's thread panicked".to_owned()))
    }
}

impl Drop for SimGrandmaster {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("grandmaster: {error}");
        }
    }
}

fn enter(namespace: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", namespace.display());
    let file = File::open(namespace).map_err(failed)?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|errno| failed(errno.into()))
}

/// What sends and answers, on its thread.
struct Speaker {
    sockets: Sockets,
    orders: Arc<Mutex<Orders>>,
    /// Of Sync and Announce.
    sequence: [u16; 2],
    /// Syncs owed to the loss, in hundredths.
    loss: u8,
}

impl Speaker {
    fn run(mut self, is_stopped: impl Fn() -> bool) -> Result<(), String> {
        let (mut sync_at, mut announce_at) = (clocks::mono(), clocks::mono());
        while !is_stopped() {
            let orders = self.orders_now();
            let now = clocks::mono();
            if now >= announce_at {
                announce_at = next(announce_at, now, ANNOUNCE_EVERY_NS);
                self.announce(&orders)?;
            }
            if now >= sync_at {
                sync_at = next(sync_at, now, SYNC_EVERY_NS);
                self.sync(&orders)?;
            }
            let until = sync_at.min(announce_at).since(clocks::mono());
            let wait = Duration::from_nanos(until).min(LOOK_UP);
            while let Some(request) = self.sockets.receive(wait)? {
                self.answer(&request, &orders)?;
            }
        }
        Ok(())
    }

    fn orders_now(&self) -> Orders {
        let orders = self.orders.lock();
        orders.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn number(&mut self, which: usize) -> u16 {
        let Some(number) = self.sequence.get_mut(which) else {
            return 0;
        };
        *number = number.wrapping_add(1);
        *number
    }

    fn sync(&mut self, orders: &Orders) -> Result<(), String> {
        let sequence = self.number(0);
        self.loss += orders.sync_loss_percent.min(100);
        if self.loss >= 100 {
            self.loss -= 100;
            return Ok(());
        }
        if orders.is_silent {
            return Ok(());
        }
        let sync = wire::stamped(Kind::Sync, sequence, LOG_SYNC_INTERVAL, 0);
        let sent = self.sockets.send_event(&sync)?;
        let stamp = orders.stamp(sent, -orders.extra_down_ns);
        let follow_up = wire::stamped(Kind::FollowUp, sequence, LOG_SYNC_INTERVAL, stamp);
        self.sockets.send_general(&follow_up)
    }

    fn announce(&mut self, orders: &Orders) -> Result<(), String> {
        let sequence = self.number(1);
        if orders.is_silent {
            return Ok(());
        }
        let announce = wire::announce(sequence, LOG_ANNOUNCE_INTERVAL, orders);
        self.sockets.send_general(&announce)
    }

    fn answer(&self, request: &Stamped, orders: &Orders) -> Result<(), String> {
        let stamp = orders.stamp(request.at, orders.extra_up_ns);
        match wire::delay_resp(&request.bytes, LOG_DELAY_INTERVAL, stamp) {
            Some(response) if !orders.is_silent => self.sockets.send_general(&response),
            _ => Ok(()),
        }
    }
}

/// The next beat: in step, or from now where some were missed.
fn next(last: MonoNs, now: MonoNs, every_ns: u64) -> MonoNs {
    let next = last.plus_ns(every_ns);
    if next > now {
        next
    } else {
        now.plus_ns(every_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Orders};
    use evidence::UtcNs;

    #[test]
    fn a_clock_drifts_without_a_jump_and_steps_at_once() {
        let clock = Clock {
            offset_ns: 1_000_000,
            rate_ppb: 5_000,
            since: UtcNs(10_000_000_000),
            let_go: None,
        };
        assert_eq!(clock.offset_at(UtcNs(10_000_000_000)), 1_000_000);
        assert_eq!(clock.offset_at(UtcNs(20_000_000_000)), 1_050_000);
        assert_eq!(clock.at(UtcNs(20_000_000_000)), 20_001_050_000);
        let mut orders = Orders::new();
        orders.step(-700);
        orders.drift(1_000_000);
        assert_eq!(orders.ahead_ns(orders.clock.since), -700);
        let later = UtcNs(orders.clock.since.0 + 1_000_000_000);
        assert_eq!(orders.ahead_ns(later), 1_000_000 - 700);
        orders.timescale_offset_s = 37;
        assert_eq!(orders.stamp(later, -3), later.0 + 37_000_999_297);
    }
}
