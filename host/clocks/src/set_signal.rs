//! The kernel's signal that `CLOCK_REALTIME` was set: a timer that is cancelled by it.
//!
//! A slewed clock is not set and makes no signal; a set between a signal and the next arming may make
//! one signal of two. Both show when the clocks are compared.

use crate::error::ClocksError;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, read};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::path::Path;

/// Far in the future, and within what the kernel counts in nanoseconds: the year 2255.
const FAR_S: i64 = 9_000_000_000;

/// Becomes readable when the clock was set.
#[derive(Debug)]
pub struct ClockSetSignal {
    fd: OwnedFd,
}

impl ClockSetSignal {
    /// A signal that is armed.
    ///
    /// # Errors
    ///
    /// What the kernel said, where it has no such timer.
    pub fn new() -> Result<Self, ClocksError> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let fd = timerfd_create(TimerfdClockId::Realtime, flags).map_err(ClocksError::of(
            "cannot make a timer on",
            Path::new("CLOCK_REALTIME"),
        ))?;
        let signal = Self { fd };
        signal.arm()?;
        Ok(signal)
    }

    /// Arms the timer; `true` if the clock was set while that was done.
    fn arm(&self) -> Result<bool, ClocksError> {
        let never = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let timer = Itimerspec {
            it_interval: never,
            it_value: Timespec {
                tv_sec: FAR_S,
                tv_nsec: 0,
            },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(&self.fd, flags, &timer) {
            Ok(_) => Ok(false),
            Err(Errno::CANCELED) => Ok(true),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Whether the clock was set since the last time this was asked; the signal is armed again.
    ///
    /// # Errors
    ///
    /// What the kernel said, if the timer can be read no more.
    pub fn take(&mut self) -> Result<bool, ClocksError> {
        let mut expirations = [0; 8];
        match read(&self.fd, &mut expirations) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(Errno::CANCELED) => self.arm().map(|_| true),
            Ok(_) => self.arm(),
            Err(errno) => Err(failed(errno)),
        }
    }
}

fn failed(errno: Errno) -> ClocksError {
    ClocksError::of("cannot use the timer on", Path::new("CLOCK_REALTIME"))(errno)
}

impl AsFd for ClockSetSignal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::ClockSetSignal;
    use rustix::fd::{AsFd as _, AsRawFd as _};

    /// The clock of the machine that runs the tests is not set: what is tried is how the kernel sees the
    /// timer, absolute and cancelled when the clock is set, and that nothing is signalled without it.
    #[test]
    fn the_kernel_holds_the_timer_as_one_that_a_set_clock_cancels() {
        let mut signal = ClockSetSignal::new().unwrap();
        let path = format!("/proc/self/fdinfo/{}", signal.as_fd().as_raw_fd());
        let held = || std::fs::read_to_string(&path).unwrap();
        assert!(held().contains("clockid: 0\n"), "{}", held());
        assert!(held().contains("settime flags: 03\n"), "{}", held());
        assert_eq!(signal.take(), Ok(false));
        assert!(held().contains("settime flags: 03\n"), "{}", held());
    }
}
