//! What is written is read again as it was, and what cannot be read is named.

use super::{Replay, read, write};
use crate::Probe as _;
use evidence::{MonoNs, UtcNs};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::{collection, option};
use time_plane::reading::{
    CardClockReading, ChronyReading, ChronySource, ChronySourceState, ClockIdentity, Fault,
    LeapStatus, Observation, OfferedSample, PortState, PowerProfile, PtpCounts, PtpMismatches,
    PtpPort, PtpReading, Reading, RtcReading, RtcVoltage, SourceKind, Timestamping,
};

fn port() -> impl Strategy<Value = PtpPort> {
    let timestamping = prop_oneof![
        Just(Timestamping::Software),
        Just(Timestamping::Hardware),
        (5..=u8::MAX).prop_map(Timestamping::Unknown)
    ];
    let names = (option::of(any::<String>()), option::of(timestamping));
    let counts = any::<[u64; 4]>();
    let numbers = (any::<(u16, u8, i8, i8)>(), option::of(any::<u32>()));
    (names, counts, numbers, option::of(any::<(u64, u64)>())).prop_map(
        |((interface, timestamping), counts, (numbers, hardware_clock), mismatches)| PtpPort {
            number: numbers.0,
            state: PortState::of(numbers.1),
            log_sync_interval: numbers.2,
            log_announce_interval: numbers.3,
            interface,
            timestamping,
            hardware_clock,
            received: PtpCounts {
                sync: counts[0],
                follow_up: counts[1],
                delay_resp: counts[2],
                announce: counts[3],
            },
            mismatches: mismatches.map(|(sync, follow_up)| PtpMismatches { sync, follow_up }),
        },
    )
}

fn profile() -> impl Strategy<Value = PowerProfile> {
    let inaccuracy = || option::of(any::<u32>());
    (
        any::<(u16, u16)>(),
        inaccuracy(),
        inaccuracy(),
        inaccuracy(),
    )
        .prop_map(
            |((edition, gm_id), gm_inaccuracy_ns, network_inaccuracy_ns, total_inaccuracy_ns)| {
                PowerProfile {
                    edition,
                    gm_id,
                    gm_inaccuracy_ns,
                    network_inaccuracy_ns,
                    total_inaccuracy_ns,
                }
            },
        )
}

fn ptp() -> impl Strategy<Value = Reading> {
    let wide = any::<([u8; 8], [u8; 8], i64, i64, Option<i64>)>();
    let narrow = any::<(u8, bool, u8, u8, u16, [u8; 2], u16, i16, u8, u8)>();
    let ports = collection::vec(port(), 0..4);
    (wide, narrow, ports, option::of(profile())).prop_map(|(wide, narrow, ports, power_profile)| {
        Reading::Ptp(PtpReading {
            clock: ClockIdentity(wide.0),
            gm: ClockIdentity(wide.1),
            offset_ns: wide.2,
            mean_path_delay_ns: wide.3,
            ingress: wide.4.map(UtcNs),
            domain: narrow.0,
            gm_present: narrow.1,
            gm_class: narrow.2,
            gm_accuracy: narrow.3,
            gm_variance: narrow.4,
            gm_priorities: narrow.5,
            steps_removed: narrow.6,
            utc_offset_s: narrow.7,
            time_flags: narrow.8,
            time_source: narrow.9,
            ports,
            power_profile,
        })
    })
}

fn source() -> impl Strategy<Value = ChronySource> {
    let numbers = any::<(u16, u16, bool, i16, u8, Option<u32>, i64, u64)>();
    (any::<String>(), numbers).prop_map(|(name, numbers)| ChronySource {
        name,
        stratum: numbers.0,
        state: ChronySourceState::of(numbers.1),
        is_refclock: numbers.2,
        log_poll: numbers.3,
        reach: numbers.4,
        last_sample_age_s: numbers.5,
        offset_ns: numbers.6,
        error_ns: numbers.7,
    })
}

fn chrony() -> impl Strategy<Value = Reading> {
    let numbers = any::<([u8; 4], u16, u16, [i64; 5], [u64; 5])>();
    (numbers, collection::vec(source(), 0..4)).prop_map(|(numbers, sources)| {
        let (
            [
                reference_ns,
                correction_ns,
                last_offset_ns,
                frequency_ppb,
                residual_ppb,
            ],
            sizes,
        ) = (numbers.3, numbers.4);
        Reading::Chrony(ChronyReading {
            reference: numbers.0,
            stratum: numbers.1,
            leap: LeapStatus::of(numbers.2),
            reference_time: UtcNs(reference_ns),
            correction_ns,
            last_offset_ns,
            rms_offset_ns: sizes[0],
            frequency_ppb,
            residual_ppb,
            skew_ppb: sizes[1],
            root_delay_ns: sizes[2],
            root_dispersion_ns: sizes[3],
            update_interval_ms: sizes[4],
            sources,
        })
    })
}

fn others() -> impl Strategy<Value = Reading> {
    let voltage = any::<(bool, bool, bool, bool)>().prop_map(|flags| RtcVoltage {
        invalid: flags.0,
        backup_low: flags.1,
        backup_empty: flags.2,
        accuracy_low: flags.3,
    });
    let rtc = (any::<(i64, u64)>(), option::of(voltage)).prop_map(|(times, voltage)| {
        Reading::Rtc(RtcReading {
            utc: UtcNs(times.0),
            read_uncertainty_ns: times.1,
            voltage,
        })
    });
    let card = any::<(u32, i64, u64, i64)>().prop_map(|numbers| {
        Reading::CardClock(CardClockReading {
            index: numbers.0,
            difference_ns: numbers.1,
            read_uncertainty_ns: numbers.2,
            utc: UtcNs(numbers.3),
        })
    });
    let offered = any::<(String, i64, u64)>().prop_map(|(from, utc, uncertainty_ns)| {
        Reading::Offered(OfferedSample {
            from,
            utc: UtcNs(utc),
            uncertainty_ns,
        })
    });
    let thermal = any::<i32>().prop_map(|millidegrees_c| Reading::Thermal { millidegrees_c });
    prop_oneof![rtc, card, offered, thermal]
}

fn observation() -> impl Strategy<Value = Observation> {
    let faults = prop_oneof![
        Just(Fault::Absent),
        Just(Fault::Stale),
        Just(Fault::Denied),
        Just(Fault::Stranger),
        Just(Fault::Silent),
        any::<String>().prop_map(Fault::OwnEnd),
        Just(Fault::Malformed("a text of 100 % = nothing")),
        Just(Fault::Unsupported("")),
    ];
    let outcome = prop_oneof![
        (faults, any::<bool>()).prop_map(|(fault, ptp)| {
            let source = if ptp {
                SourceKind::Ptp
            } else {
                SourceKind::Offered
            };
            (source, Err(fault))
        }),
        prop_oneof![ptp(), chrony(), others()].prop_map(|reading| {
            let source = match reading {
                Reading::Ptp(_) => SourceKind::Ptp,
                Reading::Chrony(_) => SourceKind::Chrony,
                Reading::Rtc(_) => SourceKind::Rtc,
                Reading::Thermal { .. } => SourceKind::Thermal,
                Reading::CardClock(_) => SourceKind::CardClock,
                Reading::Offered(_) => SourceKind::Offered,
            };
            (source, Ok(reading))
        }),
    ];
    (any::<u64>(), outcome).prop_map(|(at, (source, outcome))| Observation {
        at: MonoNs(at),
        outcome,
        source,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(observations in collection::vec(observation(), 0..6)) {
        let text = write(&observations);
        let again = read(&text).map_err(|error| format!("{error}\n{text}"));
        proptest::prop_assert_eq!(again, Ok(observations));
    }

    #[test]
    fn no_text_brings_the_reader_down(text: String, at in 0_usize..200, observation in observation()) {
        let _ = read(&text);
        let mut whole = write(&[observation]);
        let at = (0..=at.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at));
        whole.insert_str(at.unwrap_or(0), &text);
        let _ = read(&whole);
    }
}

const EXAMPLE: &str = "\
fieldnotary time recording 1
# A grandmaster goes away, then the daemon.
12.000000001 ptp clock=debf87fffebb26a5 domain=0 offset_ns=-272 mean_path_delay_ns=2646 ingress=1795894966.786999196 gm_present=true gm=c2b681fffe4a43ff gm_class=6 gm_accuracy=33 gm_variance=65535 gm_priorities=6480 steps_removed=1 utc_offset_s=0 time_flags=00 time_source=20
  port number=1 state=uncalibrated log_sync_interval=0 log_announce_interval=1 interface=vdut timestamping=software sync=2661 follow_up=2661 delay_resp=328 announce=167
13.5 ptp fault silent
13.6 thermal millidegrees_c=-1500
14 ptp fault malformed what=not%20a%20management%20message
";

#[test]
fn a_recording_made_by_hand_is_replayed_by_its_own_clock() {
    let observations = read(EXAMPLE).unwrap();
    assert_eq!(observations.len(), 4);
    let mut ptp = Replay::new(SourceKind::Ptp, &observations);
    assert_eq!(ptp.kind(), SourceKind::Ptp);
    let at = |ptp: &mut Replay, ns| ptp.look(MonoNs(ns));
    let early = at(&mut ptp, 12_000_000_000);
    assert_eq!(
        (early.at, early.outcome),
        (MonoNs(12_000_000_000), Err(Fault::Silent))
    );
    for ns in [12_000_000_001, 13_400_000_000] {
        let found = at(&mut ptp, ns);
        assert_eq!(found.at, MonoNs(12_000_000_001));
        let Ok(Reading::Ptp(reading)) = found.outcome else {
            panic!("{found:?}")
        };
        assert_eq!((reading.offset_ns, reading.ports.len()), (-272, 1));
    }
    assert_eq!(at(&mut ptp, 13_999_999_999).outcome, Err(Fault::Silent));
    let malformed = Fault::Malformed("not a management message");
    assert_eq!(at(&mut ptp, u64::MAX).outcome, Err(malformed));
    let mut thermal = Replay::new(SourceKind::Thermal, &observations);
    let reading = Reading::Thermal {
        millidegrees_c: -1_500,
    };
    assert_eq!(thermal.look(MonoNs(u64::MAX)).outcome, Ok(reading));
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let check = |line: &str, expected: &str| {
        let error = read(&format!("fieldnotary time recording 1\n\n{line}\n")).unwrap_err();
        assert_eq!(error.line, 3, "{line}");
        assert!(error.to_string().contains(expected), "{line}: {error}");
    };
    check("12", "begins with its time");
    check(
        "twelve ptp fault silent",
        "seconds have up to nine decimal places",
    );
    check("1.0000000001 ptp fault silent", "nine decimal places");
    check("-1 ptp fault silent", "not negative");
    check("1 gps fault silent", "none of ptp, chrony, rtc");
    check("1 ptp fault tired", "none of absent, stale");
    check("1 ptp fault malformed", "`what` is missing");
    check("1 thermal", "`millidegrees_c` is missing");
    check("1 thermal millidegrees_c=hot", "no number");
    check(
        "1 thermal millidegrees_c=1 millidegrees_c=2",
        "stands twice",
    );
    check(
        "1 thermal millidegrees_c=1 colour=red",
        "`colour` is no field",
    );
    check("1 rtc utc=1 read_uncertainty_ns=1 voltage=x", "i invalid");
    check(
        "1 offered from=a%2 utc=1 uncertainty_ns=1",
        "two hex digits",
    );
    check("  port number=1", "belongs below a reading");
    let error = read("something else\n").unwrap_err();
    assert_eq!((error.line, error.what.contains("begins with")), (1, true));
    let below = read("fieldnotary time recording 1\n1 thermal millidegrees_c=1\n  port number=1\n");
    assert_eq!(below.unwrap_err().line, 3);
}
