//! chronyd: its server, itself, and a second source that says something else.

use crate::sequence::{Fault, Sequence};
use crate::simulated;
use crate::watch::Watch;
use clocks::{Chronyd, Probe};
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use fieldnotary_trial_clocks::{Chrony, Rig, Side, SimGrandmaster};

/// Five polls of a second.
const WINDOW_NS: u64 = 5_000_000_000;
/// The user that Debian's chronyd runs as.
const USER: &str = "_chrony";

fn probe(rig: &Rig, follower: &Chrony) -> Box<dyn Probe> {
    let mut daemon = rig.daemon(&follower.socket).unwrap();
    let uid = rig.run(Side::Follower, "id", &["-u", USER]).unwrap();
    daemon.trusted_uids = vec![uid.trim().parse().unwrap()];
    Box::new(Chronyd::new(&daemon).unwrap())
}

/// chronyd alone.
pub(crate) fn alone() -> (String, Vec<String>) {
    let rig = Rig::new().unwrap();
    let server = rig.chronyd(Side::Master, "root").unwrap();
    let follower = rig.chronyd(Side::Follower, USER).unwrap();
    let watch = Watch::new(vec![probe(&rig, &follower)], WINDOW_NS);
    let mut sequence = Sequence::begin("chronyd", watch);
    let silent = Fault {
        name: "chronyd's server frozen",
        code: EventCode::SyncLost,
        cause: TimeCause::SourceSilent,
        within_s: 10,
        neighbours: &[],
    };
    sequence.fault(silent, || server.process.freeze().unwrap());
    sequence.heal(20, || server.process.thaw().unwrap());
    let gone = Fault {
        name: "chronyd killed",
        code: EventCode::TimeSourceFault,
        cause: TimeCause::DaemonGone,
        within_s: 5,
        neighbours: &[],
    };
    sequence.fault(gone, || follower.process.kill());
    let mut again = None;
    sequence.heal(20, || again = rig.chronyd(Side::Follower, USER).ok());
    sequence.finish()
}

/// A grandmaster that steps away from what chronyd says.
pub(crate) fn against_ptp() -> (String, Vec<String>) {
    let rig = Rig::new().unwrap();
    let _server = rig.chronyd(Side::Master, "root").unwrap();
    let by_chrony = rig.chronyd(Side::Follower, USER).unwrap();
    let by_ptp = rig.ptp4l(Side::Follower, &[]).unwrap();
    let master = SimGrandmaster::start(&rig).unwrap();
    let probes = vec![simulated::probe(&rig, &by_ptp), probe(&rig, &by_chrony)];
    let watch = Watch::new(probes, WINDOW_NS);
    let mut sequence = Sequence::begin("two sources", watch);
    let began = clocks::mono();
    master.orders().step(5_000_000);
    let disagree = |watch: &Watch| watch.count_since(EventCode::SourcesDisagree, began) > 0;
    let is_told = sequence.watch.until(5, disagree);
    sequence.check(is_told, "5 ms apart");
    let at = clocks::mono();
    sequence.lines.push_str(&format!(
        "{:<36} {:<22} {:<20} {:>5.1} s\n",
        "ptp4l and chronyd 5 ms apart",
        EventCode::SourcesDisagree.name(),
        "-",
        at.since(began) as f64 / 1e9
    ));
    sequence.watch.run(3);
    let newest = sequence.watch.changes.last().map(|(_, quality)| *quality);
    let held = newest == Some(TimeQuality::Holdover);
    sequence.check(held, "neither is believed, and so HOLDOVER");
    sequence.finish()
}
