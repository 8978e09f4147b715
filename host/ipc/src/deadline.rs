//! Deadlines of socket calls, on the kernel's monotonic clock, and the one poll of this crate.

use crate::error::IpcError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A point in time until which a call may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Duration);

fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

impl Deadline {
    /// The deadline this long from now.
    pub(crate) fn after(wait: Duration) -> Self {
        Self(now().saturating_add(wait))
    }

    /// What is left until it.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_sub(now())
    }

    /// Waits until the socket is ready for `events` or has failed; `false` at the deadline.
    pub(crate) fn ready(self, fd: BorrowedFd<'_>, events: PollFlags) -> Result<bool, IpcError> {
        loop {
            let left = self.left();
            let timeout = Timespec::try_from(left).ok();
            match poll(
                &mut [PollFd::from_borrowed_fd(fd, events)],
                timeout.as_ref(),
            ) {
                Ok(0) if self.left().is_zero() => return Ok(false),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(errno) => return Err(IpcError::of("poll")(errno)),
            }
        }
    }
}
