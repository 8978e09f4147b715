//! A real follower and a real grandmaster; what lies between them fails, and they themselves.

use crate::sequence::{Fault, Sequence};
use crate::simulated::{WINDOW_NS, probe};
use crate::watch::Watch;
use evidence::reasons::{EventCode, TimeCause};
use fieldnotary_trial_clocks::{Direction, Rig, Side};
use std::fmt::Write as _;

/// Announces are lost too: with the usual three a follower would leave its master for a while at each run
/// of three that are lost, which is once in 39 s at 20 % and four a second.
const OPTIONS: [(&str, &str); 1] = [("announceReceiptTimeout", "10")];
/// Seconds of 20 % loss.
const LOSSY_S: u64 = 15;

pub(crate) fn failures() -> (String, Vec<String>) {
    let rig = Rig::new().unwrap();
    let follower = rig.ptp4l(Side::Follower, &OPTIONS).unwrap();
    let master = rig.ptp4l(Side::Master, &[]).unwrap();
    let watch = Watch::new(vec![probe(&rig, &follower)], WINDOW_NS);
    let mut sequence = Sequence::begin("failures", watch);
    let loss = |name, cause| Fault {
        name,
        code: EventCode::PtpLoss,
        cause,
        within_s: 10,
        neighbours: &[],
    };
    sequence.fault(loss("UDP 319 is lost", TimeCause::EventPathLoss), || {
        rig.lose(Direction::Event, 100).unwrap();
    });
    sequence.heal(15, || rig.heal().unwrap());
    sequence.fault(loss("UDP 320 is lost", TimeCause::GeneralPathLoss), || {
        rig.lose(Direction::General, 100).unwrap();
    });
    sequence.heal(15, || rig.heal().unwrap());
    let began = clocks::mono();
    sequence.fault(loss("20 % of both are lost", TimeCause::PacketLoss), || {
        rig.lose(Direction::Event, 20).unwrap();
        rig.lose(Direction::General, 20).unwrap();
    });
    sequence.watch.run(LOSSY_S);
    let lost = sequence.watch.count_since(EventCode::SyncLost, began);
    let changes = &sequence.watch.changes;
    let sank = changes.iter().filter(|(at, _)| *at >= began).count() / 2;
    let _ = writeln!(
        sequence.lines,
        "  at 20 %: {lost} sync_lost, stamps sank {sank} times"
    );
    // Sync and Follow_Up both come with 0.64, so that the next whole pair is n + 1 intervals away with
    // 0.64 * 0.36^n. The claim ends once the last one is a second old at a look:
    // n = 8 at least, once in twelve minutes. A stamp sinks until the next look, from n = 6 on, once in 90 s.
    sequence.check(lost <= 1 && sank <= 2, "the label flaps at 20 % loss");
    sequence.heal(15, || rig.heal().unwrap());
    // The stretch in which messages are counted passes before they are as many as promised.
    sequence.watch.run(7);
    let silent = loss("grandmaster frozen", TimeCause::GrandmasterSilent);
    sequence.fault(silent, || master.process.freeze().unwrap());
    sequence.heal(15, || master.process.thaw().unwrap());
    sequence.fault(loss("link down", TimeCause::LinkDown), || {
        rig.link(Side::Master, false).unwrap();
    });
    sequence.heal(20, || rig.link(Side::Master, true).unwrap());
    let gone = Fault {
        code: EventCode::TimeSourceFault,
        ..loss("ptp4l killed", TimeCause::DaemonGone)
    };
    sequence.fault(gone, || follower.process.kill());
    let mut again = None;
    sequence.heal(20, || again = rig.ptp4l(Side::Follower, &OPTIONS).ok());
    sequence.finish()
}
