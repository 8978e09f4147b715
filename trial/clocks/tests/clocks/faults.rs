//! What the probe sees when the master, the path, the link or the daemon fails.

use crate::common::Bench;
use clocks::{Probe as _, Ptp4l};
use fieldnotary_trial_clocks::{Direction, Side, until};
use time_plane::reading::{Fault, PortState, Reading};

/// The flags stay up: that nothing was measured shows in the last Sync alone.
#[test]
fn a_master_that_stops_shows_in_the_last_sync_and_not_in_the_flag() {
    let mut bench = Bench::new();
    let master = bench.rig.ptp4l(Side::Master, &[]).unwrap();
    let before = bench.settle();
    assert_eq!(before.ports[0].state, PortState::Uncalibrated);
    // What it answered to the last look is taken; what comes now it says by itself.
    bench.look().unwrap();
    assert!(!bench.is_woken(0));
    master.process.freeze().unwrap();
    assert!(bench.is_woken(15), "the state of the port is not pushed");
    let stopped = bench.wait_for("the end of the Syncs", 15, |reading| {
        reading.ingress.is_none()
    });
    assert!(stopped.gm_present, "{stopped:?}");
    assert_eq!(stopped.gm_class, 6);
    assert_eq!(stopped.ports[0].state, PortState::Listening);
    master.process.thaw().unwrap();
    let again = bench.wait_for("Syncs again", 15, |reading| reading.ingress.is_some());
    assert!(again.ingress > before.ingress);
}

#[test]
fn lost_event_messages_show_in_the_age_of_the_last_sync_and_in_no_state() {
    let mut bench = Bench::new();
    let _master = bench.rig.ptp4l(Side::Master, &[]).unwrap();
    bench.settle();
    bench.rig.lose(Direction::Event, 100).unwrap();
    let first = bench.look().unwrap();
    let follow_ups = first.ports[0].received.follow_up;
    let later = bench.wait_for("eight Follow_Ups more", 10, |reading| {
        reading.ports[0].received.follow_up >= follow_ups + 8
    });
    assert_eq!(later.ingress, first.ingress);
    assert_eq!(later.offset_ns, first.offset_ns);
    assert_eq!(later.ports[0].received.sync, first.ports[0].received.sync);
    assert_eq!(later.ports[0].state, PortState::Uncalibrated);
    assert!(later.gm_present);
    // Where the version counts them: each is a Follow_Up without its Sync.
    if let (Some(first), Some(later)) = (first.ports[0].mismatches, later.ports[0].mismatches) {
        assert!(
            later.follow_up >= first.follow_up + 7,
            "{first:?} {later:?}"
        );
    }
    bench.rig.heal().unwrap();
    bench.wait_for("a Sync again", 10, |reading| {
        reading.ingress > first.ingress
    });
    // The other path alone: Announces stay out, and the port says so.
    bench.rig.lose(Direction::General, 100).unwrap();
    bench.wait_for("no master", 15, |reading| {
        reading.ports[0].state == PortState::Listening
    });
}

#[test]
fn a_link_that_is_down_is_a_faulty_port() {
    let mut bench = Bench::new();
    let _master = bench.rig.ptp4l(Side::Master, &[]).unwrap();
    bench.settle();
    bench.rig.link(Side::Master, false).unwrap();
    let down = bench.wait_for("a faulty port", 10, |reading| {
        reading.ports[0].state == PortState::Faulty
    });
    assert!(!down.gm_present, "{down:?}");
    bench.rig.link(Side::Master, true).unwrap();
    bench.wait_for("Syncs again", 20, |reading| reading.ingress.is_some());
}

#[test]
fn a_daemon_that_is_absent_frozen_or_killed_is_told_apart() {
    let mut bench = Bench::new();
    let daemon = bench.rig.daemon(&bench.follower.socket).unwrap();
    let mut elsewhere = daemon.clone();
    elsewhere.socket = bench.rig.path("nobody.uds");
    elsewhere.directory = bench.rig.directory("others").unwrap();
    let mut absent = Ptp4l::new(&elsewhere, None, 0, 0).unwrap();
    assert_eq!(absent.look(clocks::mono()).outcome, Err(Fault::Absent));
    drop(absent);
    // Where the other one is gone, what only reads is asked; version 3.1 has none.
    let read_only = bench.follower.read_only.clone();
    let mut reader = Ptp4l::new(&elsewhere, read_only.as_deref(), 0, 0).unwrap();
    bench.wait_for("the daemon", 10, |_| true);
    let looked = reader.look(clocks::mono()).outcome;
    match (&looked, &read_only) {
        (Ok(Reading::Ptp(reading)), Some(_)) => assert_eq!(reading.ports[0].timestamping, None),
        (Err(Fault::Absent), None) => {}
        _ => panic!("{looked:?}"),
    }
    elsewhere.socket.clone_from(&daemon.socket);
    // Another domain's daemon does not answer.
    drop(reader);
    let mut domain = Ptp4l::new(&elsewhere, None, 7, 0).unwrap();
    assert_eq!(domain.look(clocks::mono()).outcome, Err(Fault::Silent));

    // Somebody clears away our own socket: another one takes its place.
    let own = daemon.directory.join("ptp4l-client.sock");
    std::fs::remove_file(&own).unwrap();
    assert!(bench.look().is_ok());
    assert!(own.exists());

    bench.follower.process.freeze().unwrap();
    assert_eq!(bench.look(), Err(Fault::Silent));
    bench.follower.process.thaw().unwrap();
    // Its late answers are nobody's.
    let thawed = until(10, || bench.look().ok()).unwrap();
    assert_eq!(thawed.ports.len(), 1);

    let replaced = bench.rig.ptp4l(Side::Follower, &[("domainNumber", "7")]);
    let killed = std::mem::replace(&mut bench.follower, replaced.unwrap());
    killed.process.kill();
    let taken_over = until(10, || domain.look(clocks::mono()).outcome.ok());
    assert!(
        taken_over.is_some(),
        "the next daemon takes the socket's place"
    );
    let socket = bench.follower.socket.clone();
    let last = bench.rig.ptp4l(Side::Master, &[]).unwrap();
    let killed = std::mem::replace(&mut bench.follower, last);
    killed.process.kill();
    assert!(socket.exists());
    assert_eq!(bench.look(), Err(Fault::Stale));
    std::fs::remove_file(&socket).unwrap();
    assert_eq!(bench.look(), Err(Fault::Absent));
    if let Some(read_only) = read_only {
        std::fs::remove_file(read_only).unwrap();
    }
    assert_eq!(bench.look(), Err(Fault::Absent));
}
