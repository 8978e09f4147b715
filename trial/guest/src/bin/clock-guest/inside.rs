//! What runs inside of the guest beside the node: a true time, and a program that sets the clock.

use crate::args::{FeedArgs, LeadArgs, SetArgs};
use clocks::RefClock;
use evidence::UtcNs;
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};
use std::path::Path;
use std::time::Duration;
use time_plane::ClockComparison;
use time_plane::reading::OfferedSample;
use trial_clocks::{Rig, Side, SimGrandmaster};

/// chronyd takes one sample of four a second.
const FEED_EVERY: Duration = Duration::from_millis(250);
/// How soon a grandmaster hears that it is to be ahead by something else.
const LEAD_EVERY: Duration = Duration::from_millis(50);
/// ptp4l steers the clock, and steps where it is off by more than a millisecond and a half: stamps of an emulated
/// processor are some hundred microseconds coarse.
const STEERS: [(&str, &str); 3] = [
    ("free_running", "0"),
    ("step_threshold", "0.0015"),
    ("first_step_threshold", "0.0015"),
];
/// Settings that are refused before the one that counts.
const WARM: u32 = 3;

/// Is the true time: it goes on with the oscillator, whatever is done to the machine's clock.
pub(crate) fn feed(args: &FeedArgs) -> Result<(), String> {
    let first = clocks::compare();
    let clock = RefClock::new(&args.socket).map_err(|error| error.to_string())?;
    loop {
        let now = clocks::compare();
        let ahead_ns = ahead_ns(&args.ahead);
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

/// Is a grandmaster whose clock goes on with the oscillator, and has a ptp4l steer the machine's clock by it.
pub(crate) fn lead(args: &LeadArgs) -> Result<(), String> {
    let rig = Rig::new()?;
    let master = SimGrandmaster::start(&rig)?;
    master.orders().let_go();
    let socket = args.socket.to_string_lossy();
    let mut options = vec![("uds_address", socket.as_ref())];
    options.extend(STEERS);
    let _follower = rig.ptp4l(Side::Follower, &options)?;
    let mut ahead = 0;
    loop {
        let now = ahead_ns(&args.ahead);
        if now != ahead {
            master.orders().step(now - ahead);
            ahead = now;
        }
        std::thread::sleep(LEAD_EVERY);
    }
}

fn ahead_ns(file: &Path) -> i64 {
    let ahead = std::fs::read_to_string(file).unwrap_or_default();
    ahead.trim().parse().unwrap_or(0)
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
