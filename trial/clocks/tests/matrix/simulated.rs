//! A real follower, and a grandmaster whose clock, path and claims are to order.

use crate::sequence::{Fault, Sequence};
use crate::watch::Watch;
use clocks::{Probe, Ptp4l};
use evidence::reasons::{EventCode, TimeCause};
use fieldnotary_trial_clocks::{Ptp, Rig, Side, SimGrandmaster};

/// Five Sync intervals of 125 ms are less than the second that a measurement is good for at least.
pub(crate) const WINDOW_NS: u64 = 1_000_000_000;

/// A probe of this follower.
pub(crate) fn probe(rig: &Rig, follower: &Ptp) -> Box<dyn Probe> {
    let daemon = rig.daemon(&follower.socket).unwrap();
    Box::new(Ptp4l::new(&daemon, follower.read_only.as_deref(), 0, 0).unwrap())
}

/// What the grandmaster's clock and the path do.
pub(crate) fn motion() -> (String, Vec<String>) {
    let rig = Rig::new().unwrap();
    let follower = rig.ptp4l(Side::Follower, &[]).unwrap();
    let master = SimGrandmaster::start(&rig).unwrap();
    let watch = Watch::new(vec![probe(&rig, &follower)], WINDOW_NS);
    let mut sequence = Sequence::begin("motion", watch);
    let moved = |name, code, cause| Fault {
        name,
        code,
        cause,
        within_s: 25,
        neighbours: &[],
    };
    let step = moved(
        "grandmaster steps by +50 us",
        EventCode::TimeSourceMoved,
        TimeCause::GrandmasterStep,
    );
    sequence.fault(step, || master.orders().step(50_000));
    let up = moved(
        "path up longer by 40 us",
        EventCode::PathChange,
        TimeCause::PathAsymmetry,
    );
    sequence.fault(up, || master.orders().extra_up_ns = 40_000);
    let down = moved(
        "path down longer by 40 us",
        EventCode::PathChange,
        TimeCause::PathAsymmetry,
    );
    sequence.fault(down, || master.orders().extra_down_ns = 40_000);
    let drift = moved(
        "grandmaster drifts by +2 ppm",
        EventCode::TimeSourceMoved,
        TimeCause::GrandmasterDrift,
    );
    sequence.fault(drift, || master.orders().drift(2_000));
    sequence.heal(10, || master.orders().drift(0));
    sequence.watch.run(12);
    sequence.finish()
}

/// What the grandmaster claims, and a step beyond the site's limit.
pub(crate) fn claims() -> (String, Vec<String>) {
    let rig = Rig::new().unwrap();
    let follower = rig.ptp4l(Side::Follower, &[]).unwrap();
    let master = SimGrandmaster::start(&rig).unwrap();
    {
        let mut orders = master.orders();
        orders.time_flags = 0b0000_1100;
        orders.utc_offset_s = 37;
        orders.timescale_offset_s = 37;
    }
    let watch = Watch::new(vec![probe(&rig, &follower)], WINDOW_NS);
    let mut sequence = Sequence::begin("claims", watch);
    let claimed = |name, code, cause| Fault {
        name,
        code,
        cause,
        within_s: 5,
        neighbours: &[],
    };
    let (code, cause) = (EventCode::GrandmasterDegraded, TimeCause::ClockClass);
    let holdover = claimed("clockClass 6 becomes 7", code, cause);
    sequence.fault(holdover, || master.orders().class = 7);
    let is_synced = sequence.watch.is_synced();
    sequence.check(is_synced, "class 7 is believed");
    // The cure is told too: the class is 6 again.
    let untraceable = Fault {
        neighbours: &[TimeCause::ClassImproved],
        ..claimed("clockClass 7 becomes 248", code, cause)
    };
    sequence.fault(untraceable, || master.orders().class = 248);
    sequence.heal(10, || master.orders().class = 6);
    let utc = claimed(
        "TAI minus UTC wrong by a second",
        EventCode::UtcOffsetFault,
        TimeCause::UtcOffset,
    );
    sequence.fault(utc, || master.orders().utc_offset_s = 36);
    sequence.heal(10, || master.orders().utc_offset_s = 37);
    let step = Fault {
        within_s: 25,
        ..claimed(
            "grandmaster steps by +2 ms",
            EventCode::TimeSourceMoved,
            TimeCause::GrandmasterStep,
        )
    };
    sequence.fault(step, || master.orders().step(2_000_000));
    let is_synced = sequence.watch.is_synced();
    sequence.check(!is_synced, "2 ms are beyond the limit of 1 ms");
    sequence.finish()
}
