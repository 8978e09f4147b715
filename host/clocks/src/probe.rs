//! What every source of time is to the process that asks it.

use evidence::MonoNs;
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
}
