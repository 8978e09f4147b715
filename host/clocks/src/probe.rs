//! What every source of time is to the process that asks it.

use evidence::MonoNs;
use rustix::fd::BorrowedFd;
use time_plane::reading::{Observation, SourceKind};

/// A source of time that can be looked at.
pub trait Probe {
    /// Which source it is.
    fn kind(&self) -> SourceKind;

    /// Looks at the source, for some tens of milliseconds at most. `now` is the caller's monotonic time:
    /// a recording is read up to it, everything else dates what it saw itself.
    fn look(&mut self, now: MonoNs) -> Observation;

    /// When within the next second a look would tell most; `None` where any moment serves as well.
    fn best_look(&self, _now: MonoNs) -> Option<MonoNs> {
        None
    }

    /// Becomes readable when the source has something to tell by itself; `None` where it never does.
    fn wake(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
