//! A meter's records in, findings out.

use super::Life;
use contract::Contract;
use evidence::kinds::{ClockSet, MeterLife, MeterReport, Reading};
use evidence::reasons::{
    ClockClass, ClockOutcome, ClockReason, HoldoverReason, QualityReason, TimeQuality, TimeStatus,
};
use evidence::{
    Blob, CommitId, MeterId, MonoNs, Payload, PointId, Quality, Seq, SourceId, Stamp, TimeDetail,
    UtcNs,
};
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const MIN_NS: u64 = 60_000_000_000;
const EPOCH_S: i64 = 1_800_000_000;

fn contract(counter: &str) -> Contract {
    let text = format!(
        "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"min\"\nevery = \"1min\"\n\
         [[port]]\nid = \"a\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/a\"\n\
         [[meter]]\nid = \"m1\"\nport = \"a\"\nunit = 1\nschedule = \"min\"\nclock_zone = \"+01:00\"\n\
         [[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\nrole = \"counter\"\n{counter}\n\
         [[meter.point]]\nid = \"serial\"\nregister = \"holding:2\"\ntype = \"u32\"\nrole = \"serial\"\n\
         [[meter.point]]\nid = \"clock\"\nregister = \"holding:4\"\ntype = \"u32\"\nrole = \"clock\"\n\
         [[meter.point]]\nid = \"power\"\nregister = \"holding:6\"\ntype = \"u32\"\n"
    );
    contract::parse(&text).unwrap()
}

fn stamp(at: MonoNs) -> Stamp {
    Stamp {
        timestamp: UtcNs(EPOCH_S * 1_000_000_000 + i64::try_from(at.0).unwrap()),
        quality: TimeQuality::Holdover,
        status: TimeStatus::Holdover,
        bound_ns: Some(1_000_000),
        detail: TimeDetail::Holdover(HoldoverReason::SourceLost),
    }
}

fn reading(seq: u64, point: &str, value: &str) -> Payload {
    Reading {
        at: MonoNs(seq * MIN_NS),
        meter_id: MeterId::new("m1").unwrap(),
        point_id: PointId::new(point).unwrap(),
        source: SourceId::new("a").unwrap(),
        seq: Seq(seq),
        slot: None,
        attempt: 0,
        raw: Blob(Vec::new()),
        value: value.parse().ok(),
        quality: Quality::GOOD,
        contract: CommitId(1),
    }
    .into()
}

fn words(found: &MeterLife) -> String {
    let number = |value: Option<evidence::Decimal>| value.map_or("-".into(), |v| v.to_string());
    let seq = |seq: Option<Seq>| seq.map_or("-".into(), |seq| seq.0.to_string());
    format!(
        "{} {} {}@{} {}@{} {}@{}",
        found.point_id.as_ref().map_or("-", PointId::as_str),
        found.finding.name(),
        number(found.before),
        seq(found.before_seq),
        number(found.about_value),
        seq(found.about_seq),
        number(found.value),
        found.seq.0,
    )
}

/// A session a minute, each with these values; gives what was found.
fn run(life: &mut Life, contract: &Contract, sessions: &[(u64, &[(&str, &str)])]) -> Vec<String> {
    let mut found = Vec::new();
    for (seq, values) in sessions {
        for (point, value) in *values {
            let record = reading(*seq, point, value);
            found.extend(life.take(contract, &record, &stamp(record.at())));
        }
        found.extend(life.close(contract));
    }
    found.iter().map(words).collect()
}

fn check(counter: &str, values: &[&str], due: &[&str]) {
    let contract = contract(counter);
    let sessions: Vec<_> = (1..).zip(values).collect();
    let mut life = Life::default();
    let mut found = Vec::new();
    for (seq, value) in sessions {
        found.extend(run(
            &mut life,
            &contract,
            &[(seq, &[("energy", value), ("power", value)])],
        ));
    }
    assert_eq!(found, due, "{values:?}");
}

//= U2
#[test]
fn what_a_counter_did_is_told_and_what_it_should_do_is_not() {
    check("", &["5", "5", "7", "900000"], &[]);
    check(
        "rolls_at = \"1000\"",
        &["998", "3"],
        &["energy rollover 998@1 -@- 3@2"],
    );
    // The end of its registers, where nothing is said.
    let end = ["4294967290", "4"];
    check("", &end, &["energy rollover 4294967290@1 -@- 4@2"]);
    check(
        "",
        &["500", "0", "501"],
        &[
            "energy doubted 500@1 -@- 0@2",
            "energy bad_read 500@1 0@2 501@3",
        ],
    );
    check(
        "",
        &["500", "3", "4", "5"],
        &[
            "energy doubted 500@1 -@- 3@2",
            "energy set_back 500@1 3@2 4@3",
        ],
    );
    check(
        "rate_max = \"60\"",
        &["500", "70000", "502"],
        &[
            "energy doubted 500@1 -@- 70000@2",
            "energy bad_read 500@1 70000@2 502@3",
        ],
    );
    check(
        "rate_max = \"60\"",
        &["500", "70000", "70001", "70002"],
        &[
            "energy doubted 500@1 -@- 70000@2",
            "energy leap 500@1 70000@2 70001@3",
        ],
    );
    check(
        "rate_max = \"60\"",
        &["500", "70000", "3", "4"],
        &[
            "energy doubted 500@1 -@- 70000@2",
            "energy bad_read 500@1 70000@2 3@3",
            "energy doubted 500@1 -@- 3@3",
            "energy set_back 500@1 3@3 4@4",
        ],
    );
}

//= U2
#[test]
fn a_meter_of_another_number_is_told_with_both_and_the_last_and_first_of_each_counter() {
    let contract = contract("");
    let mut life = Life::default();
    let sessions: &[(u64, &[(&str, &str)])] = &[
        (1, &[("energy", "500"), ("serial", "11")]),
        // The number was not read, and the counter goes back: the next session tells why.
        (2, &[("energy", "3")]),
        (3, &[("energy", "4"), ("serial", "22")]),
        (4, &[("energy", "5"), ("serial", "22")]),
    ];
    let mut told = Vec::new();
    for session in sessions {
        let found = run(&mut life, &contract, core::slice::from_ref(session));
        told.extend(found);
    }
    let due = [
        "energy doubted 500@1 -@- 3@2",
        "- replaced -@1 -@- -@3",
        "energy replaced 500@1 -@- 4@3",
    ];
    assert_eq!(told, due);
    // The same meter that goes back was reset.
    let sessions: &[(u64, &[(&str, &str)])] = &[
        (5, &[("energy", "1"), ("serial", "22")]),
        (6, &[("energy", "2"), ("serial", "22")]),
    ];
    let due = ["energy doubted 5@4 -@- 1@5", "energy reset 5@4 1@5 2@6"];
    assert_eq!(run(&mut life, &contract, sessions), due);
}

/// The order of records within a session decides nothing, nor does a reading that is marked as wrong.
//= U2
#[test]
fn a_session_is_judged_whole_and_by_what_is_valid() {
    let contract = contract("");
    let mut life = Life::default();
    let first: (u64, &[(&str, &str)]) = (1, &[("serial", "11"), ("energy", "500")]);
    assert!(run(&mut life, &contract, &[first]).is_empty());
    let Payload::Reading(mut bad) = reading(2, "energy", "0") else {
        panic!("a reading is due");
    };
    bad.quality = Quality::invalid(QualityReason::OutOfRange);
    let bad: Payload = bad.into();
    assert!(life.take(&contract, &bad, &stamp(bad.at())).is_empty());
    assert!(life.close(&contract).is_empty());
    let swapped: (u64, &[(&str, &str)]) = (3, &[("energy", "0"), ("serial", "22")]);
    let due = ["- replaced -@1 -@- -@3", "energy replaced 500@1 -@- 0@3"];
    assert_eq!(run(&mut life, &contract, &[swapped]), due);
}

//= U6
#[test]
fn a_clock_is_told_when_it_is_first_known_and_when_its_class_changes() {
    let contract = contract("");
    let mut life = Life::default();
    let clock = |seq: i64, ahead: i64| (EPOCH_S + seq * 60 + 3_600 + ahead).to_string();
    let mut told = Vec::new();
    for (seq, ahead) in [(1, 0), (2, 1), (3, 5), (4, 6), (5, -400)] {
        let record = reading(seq, "clock", &clock(i64::try_from(seq).unwrap(), ahead));
        assert!(
            life.take(&contract, &record, &stamp(record.at()))
                .is_empty()
        );
        told.extend(life.close(&contract));
    }
    let classes: Vec<_> = told
        .iter()
        .map(|one| (one.seq.0, one.clock_class))
        .collect();
    let due = [
        (1, Some(ClockClass::Below2S)),
        (3, Some(ClockClass::Below10S)),
        (5, Some(ClockClass::Below1H)),
    ];
    assert_eq!(classes, due);
    assert_eq!(told[0].bound_ns, Some(1_001_000_000));
    assert!(told[2].offset_ns.unwrap() < -390_000_000_000);
}

//= U2
//= U6
#[test]
fn the_head_of_a_telegram_tells_number_and_clock() {
    let text = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"min\"\nevery = \"1min\"\n\
        [[port]]\nid = \"a\"\nkind = \"mbus\"\ndevice = \"/dev/a\"\n\
        [[meter]]\nid = \"m1\"\nport = \"a\"\nprimary = 1\nschedule = \"min\"\n\
        [[meter.point]]\nid = \"volume\"\nquantity = \"Volume\"\n";
    let contract = contract::parse(text).unwrap();
    let mut life = Life::default();
    let mut session = |seq: u64, serial: &str, summer: bool, clock: &str| {
        let report: Payload = MeterReport {
            at: MonoNs(seq * MIN_NS),
            meter_id: MeterId::new("m1").unwrap(),
            source: SourceId::new("a").unwrap(),
            seq: Seq(seq),
            slot: None,
            attempt: 0,
            serial: Some(serial.into()),
            manufacturer: Some("LUG".into()),
            version: None,
            medium: None,
            access_number: None,
            status: None,
            clock: Some(clock.into()),
            telegrams: 1,
            contract: CommitId(1),
            summer_time: Some(summer),
        }
        .into();
        assert!(
            life.take(&contract, &report, &stamp(report.at()))
                .is_empty()
        );
        life.close(&contract)
    };
    // 1,800,000,000 is 2027-01-15T08:00:00Z. A clock that shows no seconds may have none: the next showing tells.
    assert!(session(0, "00000011", true, "2027-01-15T09:01:00").is_empty());
    let told = session(1, "00000011", true, "2027-01-15T09:01:30");
    assert_eq!((told.len(), told[0].bound_ns), (1, Some(1_001_000_000)));
    assert!(
        (29..=31).contains(&(told[0].offset_ns.unwrap() / 1_000_000_000)),
        "{told:?}"
    );
    let told = session(2, "00000022", false, "2027-01-15T08:02:30");
    let [replaced] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(replaced.serial_before.as_deref(), Some("00000011 LUG"));
    assert_eq!(replaced.serial.as_deref(), Some("00000022 LUG"));
}

proptest! {
    /// A restart at any place changes nothing of what is told behind it, whether it takes up records or a frozen state.
    //= U2
    #[test]
    fn a_restart_forgets_nothing(
        values in prop::collection::vec((0_u32..20, 0_u32..3), 2..12), cut in 0_usize..12,
    ) {
        let contract = contract("rolls_at = \"20\"");
        let cut = cut.min(values.len());
        let sessions: Vec<(u64, Vec<(&str, String)>)> = (1..)
            .zip(&values)
            .map(|(seq, (value, serial))| {
                let mut told = std::vec![("energy", value.to_string())];
                if *serial > 0 {
                    told.push(("serial", serial.to_string()));
                }
                (seq, told)
            })
            .collect();
        let each = |life: &mut Life, part: &[(u64, Vec<(&str, String)>)]| {
            let mut found = Vec::new();
            for (seq, told) in part {
                let told: Vec<_> = told.iter().map(|(point, value)| (*point, value.as_str())).collect();
                found.extend(run(life, &contract, &[(*seq, &told)]));
            }
            found
        };
        let mut whole = Life::default();
        each(&mut whole, &sessions[..cut]);
        let mut frozen = Life::default();
        for one in whole.freeze(&contract) {
            prop_assert!(one.label.len() < 480);
            frozen.resume(&contract, one.name, &one.label, one.value);
        }
        prop_assert_eq!(frozen.freeze(&contract), whole.freeze(&contract));
        let after = each(&mut whole, &sessions[cut..]);
        prop_assert_eq!(each(&mut frozen, &sessions[cut..]), after);
    }
}

/// How far a clock is off that was set is told again, in whatever class; of one that nobody wrote to it is no news.
//= U6
#[test]
fn a_clock_that_was_set_is_measured_anew() {
    let contract = contract("");
    for (outcome, tells) in [
        (ClockOutcome::Told, true),
        (ClockOutcome::Failed, true),
        (ClockOutcome::Unknown, true),
        (ClockOutcome::Refused, false),
    ] {
        let mut life = Life::default();
        let shows = |seq: i64| (EPOCH_S + 3_600 + seq * 60).to_string();
        let session = |life: &mut Life, seq: u64| {
            let value = shows(i64::try_from(seq).unwrap());
            run(life, &contract, &[(seq, &[("clock", &value)])])
        };
        assert_eq!(session(&mut life, 1).len(), 1, "known for the first time");
        assert_eq!(session(&mut life, 2).len(), 0);
        let set = ClockSet {
            at: MonoNs(2 * MIN_NS + 1),
            meter_id: MeterId::new("m1").unwrap(),
            source: SourceId::new("a").unwrap(),
            order: CommitId(9),
            outcome,
            reason: ClockReason::None,
            meter_time_s: None,
            sent_at: None,
            exception: None,
            contract: CommitId(1),
        };
        let set: Payload = set.into();
        assert_eq!(life.take(&contract, &set, &stamp(set.at())), []);
        assert_eq!(session(&mut life, 3).len(), usize::from(tells), "{outcome}");
    }
}
