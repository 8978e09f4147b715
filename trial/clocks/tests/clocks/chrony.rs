//! chronyd, read by the probe and by chronyc at the same time; samples handed to it.

use crate::common::awaited;
use clocks::{Chronyd, Probe as _, RefClock};
use fieldnotary_trial_clocks::{Chrony, Rig, Side, until};
use std::time::Duration;
use time_plane::reading::{
    ChronyReading, ChronySourceState, Fault, LeapStatus, OfferedSample, Reading,
};

/// Seconds until a follower has chosen its source; five when nothing else runs.
const SETTLED_S: u64 = 25;
/// The user that Debian's chronyd runs as.
const USER: &str = "_chrony";

struct Bench {
    probe: Chronyd,
    follower: Chrony,
    master: Chrony,
    rig: Rig,
}

impl Bench {
    fn new() -> Self {
        let rig = Rig::new().unwrap();
        let master = rig.chronyd(Side::Master, "root").unwrap();
        let follower = rig.chronyd(Side::Follower, USER).unwrap();
        let mut daemon = rig.daemon(&follower.socket).unwrap();
        let uid = rig.run(Side::Follower, "id", &["-u", USER]).unwrap();
        daemon.trusted_uids = vec![uid.trim().parse().unwrap()];
        let probe = Chronyd::new(&daemon).unwrap();
        Self {
            probe,
            follower,
            master,
            rig,
        }
    }

    fn look(&mut self) -> Result<ChronyReading, Fault> {
        match self.probe.look(clocks::mono()).outcome {
            Ok(Reading::Chrony(reading)) => Ok(reading),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault),
        }
    }

    fn wait_for(
        &mut self,
        what: &str,
        seconds: u64,
        wanted: impl Fn(&ChronyReading) -> bool,
    ) -> ChronyReading {
        let found = awaited(what, seconds, || self.look(), wanted);
        found.unwrap_or_else(|why| panic!("{why}\n{}", self.rig.log("chronyd-follower")))
    }

    /// The lines of a report, as chronyc prints them for programs.
    fn printed(&self, report: &str) -> Vec<Vec<String>> {
        let socket = self.follower.socket.to_string_lossy();
        let arguments = ["-h", &socket, "-n", "-c", report];
        let text = self.rig.run(Side::Follower, "chronyc", &arguments).unwrap();
        let fields = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines().map(fields).collect()
    }
}

/// Decimal units as a whole number of parts of them.
fn parts(text: &str, unit: f64) -> i64 {
    let number: f64 = text.parse().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "some thousands of parts")]
    let parts = (number * unit).round() as i64;
    parts
}

fn check_tracking(before: &ChronyReading, reading: &ChronyReading, printed: &[String]) {
    let unsigned = |value: u64| i64::try_from(value).unwrap();
    let nine_places = |at: usize| parts(&printed[at], 1e9);
    let reference = reading.reference.map(|byte| format!("{byte:02X}")).concat();
    assert_eq!(reference, printed[0]);
    assert_eq!(reading.stratum.to_string(), printed[2]);
    let (seconds, fraction) = printed[3].split_once('.').unwrap();
    let reference_ns: i64 = format!("{seconds}{fraction:0<9}").parse().unwrap();
    assert_eq!(reading.reference_time.0, reference_ns);
    // What changes while nothing is measured: the printed one is between the two that were read.
    let between = [
        ("correction", 4, before.correction_ns, reading.correction_ns),
        (
            "root dispersion",
            11,
            unsigned(before.root_dispersion_ns),
            unsigned(reading.root_dispersion_ns),
        ),
    ];
    for (name, at, first, second) in between {
        let range = first.min(second) - 1..=first.max(second) + 1;
        assert!(
            range.contains(&nine_places(at)),
            "{name}: {range:?} {}",
            printed[at]
        );
    }
    let exact = [
        ("last offset", reading.last_offset_ns, nine_places(5)),
        (
            "RMS offset",
            unsigned(reading.rms_offset_ns),
            nine_places(6),
        ),
        ("frequency", reading.frequency_ppb, parts(&printed[7], 1e3)),
        ("residual", reading.residual_ppb, parts(&printed[8], 1e3)),
        ("skew", unsigned(reading.skew_ppb), parts(&printed[9], 1e3)),
        (
            "root delay",
            unsigned(reading.root_delay_ns),
            nine_places(10),
        ),
    ];
    for (name, found, expected) in exact {
        assert!((found - expected).abs() <= 1, "{name}: {found} {expected}");
    }
    // One decimal place is printed.
    let interval_ms = unsigned(reading.update_interval_ms);
    assert!((interval_ms - parts(&printed[12], 1e3)).abs() <= 51);
    assert_eq!(
        (reading.leap, printed[13].as_str()),
        (LeapStatus::Normal, "Normal")
    );
}

fn check_sources(reading: &ChronyReading, printed: &[Vec<String>]) {
    assert_eq!(reading.sources.len(), printed.len());
    for (source, printed) in reading.sources.iter().zip(printed) {
        let letter = match source.state {
            ChronySourceState::Selected => "*",
            ChronySourceState::NotSelectable => "?",
            ChronySourceState::Falseticker => "x",
            ChronySourceState::Jittery => "~",
            ChronySourceState::Combined => "+",
            ChronySourceState::NotCombined => "-",
            ChronySourceState::Unknown(number) => panic!("state {number}"),
        };
        let mode = if source.is_refclock { "#" } else { "^" };
        assert_eq!((mode, letter), (printed[0].as_str(), printed[1].as_str()));
        assert_eq!(source.name, printed[2]);
        assert_eq!(source.stratum.to_string(), printed[3]);
        assert_eq!(source.log_poll.to_string(), printed[4]);
        assert_eq!(format!("{:o}", source.reach), printed[5]);
        let age = source.last_sample_age_s.unwrap_or(u32::MAX);
        assert_eq!(age.to_string(), printed[6]);
        let error_ns = i64::try_from(source.error_ns).unwrap();
        assert!((source.offset_ns - parts(&printed[7], 1e9)).abs() <= 1);
        assert!((error_ns - parts(&printed[9], 1e9)).abs() <= 1);
    }
}

#[test]
fn a_chronyd_reads_as_its_own_client_prints_it() {
    let mut bench = Bench::new();
    let settled = bench.wait_for(
        "a selected source and a combined one",
        SETTLED_S,
        |reading| {
            let has = |state| reading.sources.iter().any(|source| source.state == state);
            reading.stratum == 2
                && has(ChronySourceState::Selected)
                && has(ChronySourceState::Combined)
        },
    );
    assert_eq!(settled.sources.len(), 4);
    // Nothing was measured between two readings: then what chronyc printed in between is the same.
    let compared = until(SETTLED_S, || {
        let before = bench.look().ok()?;
        let (tracking, sources) = (bench.printed("tracking"), bench.printed("sources"));
        let after = bench.look().ok()?;
        let same = before.sources == after.sources && before.reference_time == after.reference_time;
        same.then_some((before, after, tracking, sources))
    });
    let (before, reading, tracking, sources) = compared.unwrap();
    check_tracking(&before, &reading, &tracking[0]);
    check_sources(&reading, &sources);

    // Its flag stays up without a source; its dispersion does not stand still.
    let before = bench.look().unwrap();
    bench.master.process.freeze().unwrap();
    let later = bench.wait_for("polls without an answer", 15, |reading| {
        reading
            .sources
            .iter()
            .all(|source| source.reach & 0b11 == 0)
    });
    assert_eq!(later.leap, LeapStatus::Normal);
    assert!(later.root_dispersion_ns > before.root_dispersion_ns + 5_000);
    let Bench {
        follower,
        mut probe,
        ..
    } = bench;
    follower.process.kill();
    assert_eq!(probe.look(clocks::mono()).outcome, Err(Fault::Stale));
    std::fs::remove_file(&follower.socket).unwrap();
    assert_eq!(probe.look(clocks::mono()).outcome, Err(Fault::Absent));
}

#[test]
fn chronyd_takes_samples_that_are_handed_on() {
    const AHEAD_NS: i64 = 123_456_000;
    let mut bench = Bench::new();
    bench.wait_for("the daemon", SETTLED_S, |_| true);
    let clock = RefClock::new(&bench.follower.reference_clock).unwrap();
    let mut taken = None;
    let sent = until(SETTLED_S, || {
        let local = clocks::utc();
        let sample = OfferedSample {
            from: "head-end".into(),
            utc: evidence::UtcNs(local.0 + AHEAD_NS),
            uncertainty_ns: 1_000_000,
        };
        clock.send(&sample, local).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let sources = bench.look().ok()?.sources;
        taken = sources.into_iter().find(|source| source.is_refclock);
        taken
            .clone()
            .filter(|source| source.last_sample_age_s.is_some())
    });
    let source = sent.unwrap_or_else(|| panic!("{taken:?}\n{}", bench.rig.log("chronyd-follower")));
    assert_eq!(source.name, "TEST");
    // The true time is ahead, so the local clock is behind.
    let off_ns = (source.offset_ns + AHEAD_NS).abs();
    assert!(off_ns < 1_000, "{source:?}");
}
