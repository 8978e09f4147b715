//! A rig with a follower that is being read.

use clocks::{Probe as _, Ptp4l};
use fieldnotary_trial_clocks::{Ptp, Rig, Side, until};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt::Debug;
use time_plane::reading::{Fault, PtpReading, Reading};

/// Seconds until a follower has chosen its master and measured; two when nothing else runs.
pub(crate) const SETTLED_S: u64 = 25;

/// A rig, its follower's ptp4l and the probe that reads it.
pub(crate) struct Bench {
    pub(crate) probe: Ptp4l,
    pub(crate) follower: Ptp,
    pub(crate) rig: Rig,
}

impl Bench {
    /// Starts the follower; a master is the caller's.
    pub(crate) fn new() -> Self {
        let rig = Rig::new().unwrap();
        let follower = rig.ptp4l(Side::Follower, &[]).unwrap();
        let daemon = rig.daemon(&follower.socket).unwrap();
        let probe = Ptp4l::new(&daemon, follower.read_only.as_deref(), 0, 0).unwrap();
        Self {
            probe,
            follower,
            rig,
        }
    }

    pub(crate) fn look(&mut self) -> Result<PtpReading, Fault> {
        match self.probe.look(clocks::mono()).outcome {
            Ok(Reading::Ptp(reading)) => Ok(reading),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault),
        }
    }

    /// Whether the daemon tells something by itself within so many seconds.
    pub(crate) fn is_woken(&self, seconds: i64) -> bool {
        let timeout = Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        let wake = self.probe.wake().unwrap();
        poll(&mut [PollFd::new(&wake, PollFlags::IN)], Some(&timeout)) == Ok(1)
    }

    /// The first reading that is as wanted.
    pub(crate) fn wait_for(
        &mut self,
        what: &str,
        seconds: u64,
        wanted: impl Fn(&PtpReading) -> bool,
    ) -> PtpReading {
        let found = awaited(what, seconds, || self.look(), wanted);
        found.unwrap_or_else(|why| panic!("{why}\n{}", self.rig.log("ptp4l-follower")))
    }

    /// A reading with a measurement.
    pub(crate) fn settle(&mut self) -> PtpReading {
        self.wait_for("a measurement", SETTLED_S, |reading| {
            reading.ingress.is_some() && reading.mean_path_delay_ns != 0
        })
    }
}

/// The first look that is as wanted, or what was seen last instead.
pub(crate) fn awaited<R: Clone + Debug>(
    what: &str,
    seconds: u64,
    mut look: impl FnMut() -> Result<R, Fault>,
    wanted: impl Fn(&R) -> bool,
) -> Result<R, String> {
    let mut last = None;
    let found = until(seconds, || {
        let looked = look();
        last = Some(looked.clone());
        looked.ok().filter(&wanted)
    });
    found.ok_or_else(|| format!("not seen in {seconds} s: {what}; last {last:?}"))
}
