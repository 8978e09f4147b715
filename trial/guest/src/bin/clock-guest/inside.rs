//! What runs inside of the guest beside the node: a true time, and a program that sets the clock.

use crate::args::{FeedArgs, SetArgs};
use clocks::RefClock;
use evidence::UtcNs;
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};
use std::time::Duration;
use time_plane::ClockComparison;
use time_plane::reading::OfferedSample;

/// chronyd takes one sample of four a second.
const FEED_EVERY: Duration = Duration::from_millis(250);
/// Settings that are refused before the one that counts.
const WARM: u32 = 3;

/// Is the true time: it goes on with the oscillator, whatever is done to the machine's clock.
pub(crate) fn feed(args: &FeedArgs) -> Result<(), String> {
    let first = clocks::compare();
    let clock = RefClock::new(&args.socket).map_err(|error| error.to_string())?;
    loop {
        let now = clocks::compare();
        let ahead = std::fs::read_to_string(&args.ahead).unwrap_or_default();
        let ahead_ns: i64 = ahead.trim().parse().unwrap_or(0);
        let gone_ns = now.raw_ns.saturating_sub(first.raw_ns);
        let utc = UtcNs(first.sample.utc.0.saturating_add_unsigned(gone_ns) + ahead_ns);
        let sample = OfferedSample {
            from: "true time".into(),
            utc,
            uncertainty_ns: now.sample.read_uncertainty_ns,
        };
        // chronyd may not be there yet, or be away for a while.
        let _ = clock.send(&sample, now.sample.utc);
        std::thread::sleep(FEED_EVERY);
    }
}

/// Sets the clock and tells the node nothing; prints by how many nanoseconds it was moved in fact, for
/// whoever judges the node.
pub(crate) fn set(args: &SetArgs) -> Result<(), String> {
    const NO_TIME: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: -1,
    };
    // What an emulated processor has to translate once would take a millisecond between reading and setting.
    for _ in 0..WARM {
        let _ = clock_settime(ClockId::Realtime, NO_TIME);
    }
    let before = clocks::compare();
    let now = clock_gettime(ClockId::Realtime);
    let ns = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec) + i128::from(args.by);
    let failed = || format!("{} ns from now is no time", args.by);
    let to = Timespec {
        tv_sec: i64::try_from(ns.div_euclid(1_000_000_000)).map_err(|_| failed())?,
        tv_nsec: i64::try_from(ns.rem_euclid(1_000_000_000)).map_err(|_| failed())?,
    };
    clock_settime(ClockId::Realtime, to).map_err(|errno| format!("clock_settime: {errno}"))?;
    let after = clocks::compare();
    let difference =
        |of: &ClockComparison| i128::from(of.sample.utc.0) - i128::from(of.sample.mono.0);
    println!("{}", difference(&after) - difference(&before));
    Ok(())
}
