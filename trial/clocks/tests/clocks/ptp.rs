//! ptp4l, read by the probe and by pmc at the same time.

use crate::common::{Bench, SETTLED_S};
use fieldnotary_trial_clocks::{Ptp, Rig, Side, until};
use std::fmt::Write as _;
use time_plane::reading::{ClockIdentity, PtpMismatches, PtpReading, Timestamping};

/// What an older pmc does not know.
const OF_VERSION_4: [&str; 3] = [
    "GET PORT_SERVICE_STATS_NP",
    "GET PORT_HWCLOCK_NP",
    "GET POWER_PROFILE_SETTINGS_NP",
];

/// What pmc prints of a clock: its values by their names.
struct Printed(Vec<(String, String)>);

impl Printed {
    fn of(rig: &Rig, ptp: &Ptp) -> Self {
        let own = rig.path("pmc.sock");
        let (own, socket) = (own.to_string_lossy(), ptp.socket.to_string_lossy());
        let mut arguments = vec!["-u", "-b", "0", "-i", &own, "-s", &socket];
        arguments.extend([
            "GET DEFAULT_DATA_SET",
            "GET TIME_PROPERTIES_DATA_SET",
            "GET PARENT_DATA_SET",
            "GET TIME_STATUS_NP",
            "GET CURRENT_DATA_SET",
            "GET PORT_DATA_SET",
            "GET PORT_PROPERTIES_NP",
            "GET PORT_STATS_NP",
        ]);
        if rig.ptp4l_version().unwrap() >= 4 {
            arguments.extend(OF_VERSION_4);
        }
        let text = rig.run(Side::Follower, "pmc", &arguments).unwrap();
        let pair = |line: &str| {
            let (name, value) = line.trim().split_once(' ')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        Self(text.lines().filter_map(pair).collect())
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> &str {
        let found = self.find(name);
        found.unwrap_or_else(|| panic!("pmc did not print {name}: {:?}", self.0))
    }

    fn number(&self, name: &str) -> i64 {
        let text = self.text(name).trim_end_matches(".0");
        match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).unwrap(),
            None => text.parse().unwrap(),
        }
    }
}

/// As pmc writes it: c2b681.fffe.4a43ff.
fn dotted(clock: ClockIdentity) -> String {
    let mut text = String::new();
    for (at, byte) in clock.0.iter().enumerate() {
        let dot = if at == 3 || at == 5 { "." } else { "" };
        let _ = write!(text, "{dot}{byte:02x}");
    }
    text
}

/// What changes from one Sync to the next.
fn moving(reading: &PtpReading) -> impl PartialEq + use<> {
    let port = &reading.ports[0];
    (
        reading.offset_ns,
        reading.mean_path_delay_ns,
        reading.ingress,
        port.received,
    )
}

fn check(reading: &PtpReading, printed: &Printed) {
    let [port] = reading.ports.as_slice() else {
        panic!("{:?}", reading.ports)
    };
    let texts = [
        ("clockIdentity", dotted(reading.clock)),
        ("grandmasterIdentity", dotted(reading.gm)),
        ("gmIdentity", dotted(reading.gm)),
        ("gmPresent", reading.gm_present.to_string()),
        ("portState", format!("{:?}", port.state).to_uppercase()),
        ("interface", port.interface.clone().unwrap()),
        ("offsetFromMaster", format!("{}.0", reading.offset_ns)),
    ];
    for (name, found) in texts {
        assert_eq!(found, printed.text(name), "{name}");
    }
    assert_eq!(port.timestamping, Some(Timestamping::Software));
    assert_eq!(printed.text("timestamping"), "SOFTWARE");
    let flag = |bit: u8| i64::from(reading.time_flags >> bit & 1);
    let unsigned = |value: u64| i64::try_from(value).unwrap();
    let numbers = [
        ("domainNumber", i64::from(reading.domain)),
        ("master_offset", reading.offset_ns),
        ("ingress_time", reading.ingress.unwrap().0),
        ("meanPathDelay", reading.mean_path_delay_ns),
        ("stepsRemoved", i64::from(reading.steps_removed)),
        ("gm.ClockClass", i64::from(reading.gm_class)),
        ("gm.ClockAccuracy", i64::from(reading.gm_accuracy)),
        ("gm.OffsetScaledLogVariance", i64::from(reading.gm_variance)),
        ("grandmasterPriority1", i64::from(reading.gm_priorities[0])),
        ("grandmasterPriority2", i64::from(reading.gm_priorities[1])),
        ("currentUtcOffset", i64::from(reading.utc_offset_s)),
        ("leap61", flag(0)),
        ("leap59", flag(1)),
        ("currentUtcOffsetValid", flag(2)),
        ("ptpTimescale", flag(3)),
        ("timeTraceable", flag(4)),
        ("frequencyTraceable", flag(5)),
        ("timeSource", i64::from(reading.time_source)),
        ("logSyncInterval", i64::from(port.log_sync_interval)),
        ("logAnnounceInterval", i64::from(port.log_announce_interval)),
        ("rx_Sync", unsigned(port.received.sync)),
        ("rx_Follow_Up", unsigned(port.received.follow_up)),
        ("rx_Delay_Resp", unsigned(port.received.delay_resp)),
        ("rx_Announce", unsigned(port.received.announce)),
    ];
    for (name, found) in numbers {
        assert_eq!(found, printed.number(name), "{name}");
    }
    let mismatches = printed.find("sync_mismatch").map(|_| PtpMismatches {
        sync: printed.number("sync_mismatch").cast_unsigned(),
        follow_up: printed.number("followup_mismatch").cast_unsigned(),
    });
    assert_eq!(port.mismatches, mismatches);
    // A virtual card has no clock, and nobody has set the power profile.
    assert_eq!(printed.find("phcIndex").unwrap_or("-1"), "-1");
    assert_eq!(printed.find("version").unwrap_or("0"), "0");
    assert_eq!((port.hardware_clock, reading.power_profile), (None, None));
}

#[test]
fn a_ptp4l_reads_as_its_own_client_prints_it() {
    let mut bench = Bench::new();
    // A grandmaster that says much of its timescale, so that the flags are not all the same.
    let options = [
        ("utc_offset", "36"),
        ("clockClass", "7"),
        ("logSyncInterval", "0"),
    ];
    let _master = bench.rig.ptp4l(Side::Master, &options).unwrap();
    bench.settle();
    // Nothing moved between two readings: then what pmc printed in between is the same.
    let compared = until(SETTLED_S, || {
        let before = bench.look().ok()?;
        let printed = Printed::of(&bench.rig, &bench.follower);
        let after = bench.look().ok()?;
        (moving(&before) == moving(&after)).then_some((before, printed))
    });
    let (reading, printed) = compared.unwrap();
    check(&reading, &printed);
    assert_eq!(reading.gm_class, 7);
}
