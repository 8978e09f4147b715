//! What people may say, and under which name.

use super::{AGE_NS_MAX, agrees, check, compares_a_state, names_its_reading};
use evidence::kinds::{Audit, Maintenance, Reading, SignOff};
use evidence::reasons::{MaintenancePhase, Outcome, QualityReason};
use evidence::{
    Actor, Blob, Captured, CommitId, EntryError, MeterId, MonoNs, Payload, PointId, Quality, Seq,
    SourceId,
};
use ipc::message::RefuseReason;

const NOW: MonoNs = MonoNs(AGE_NS_MAX + 10);

fn work(actor: &str) -> Captured {
    work_at(actor, "terminator", NOW)
}

fn work_at(actor: &str, reason: &str, at: MonoNs) -> Captured {
    Captured::new(
        &Maintenance {
            at,
            phase: MaintenancePhase::Begin,
            actor: Actor::stated(actor).unwrap(),
            reason: reason.to_owned(),
            source: None,
            meter_id: None,
            until: None,
        }
        .into(),
    )
}

//= A3.6
#[test]
fn nobody_writes_under_another_name_and_nothing_but_what_people_say() {
    assert!(check(&work("ada (uid 1000)"), 1000, NOW).is_ok());
    for (actor, uid) in [
        ("ada (uid 1000)", 0),
        ("ada (uid 1000)", 100),
        ("ada", 1000),
        ("(uid 1000)", 1000),
        ("root (uid 0) (uid 1000)", 1000),
    ] {
        let refused = check(&work(actor), uid, NOW).unwrap_err();
        assert_eq!(refused.reason, RefuseReason::Actor, "{actor}");
        assert!(refused.detail.contains(&format!("(uid {uid})")));
        let told = super::refused(&work(actor), uid, &refused, NOW);
        assert_eq!(told.actor, Actor::local("", uid));
        assert_eq!(
            (told.outcome, told.scope.as_str()),
            (Outcome::Refused, "maintenance")
        );
    }
    // Nobody, and a line of his own: neither is the name of anybody.
    let sound = work("ada (uid 1000)");
    let text = b"ada (uid 1000)";
    for nobody in [b"a\na (uid 1000)", b"              "] {
        let mut entry = sound.clone();
        let at = entry.capture.windows(text.len()).position(|at| at == text);
        entry.capture[at.unwrap()..][..text.len()].copy_from_slice(nobody);
        if let Err(EntryError::RecordCrc { computed, .. }) = entry.payload() {
            entry.record_crc = computed;
        }
        let refused = check(&entry, 1000, NOW).unwrap_err();
        assert_eq!(refused.reason, RefuseReason::Encoding);
        assert!(
            refused.detail.contains("no control characters"),
            "{refused:?}"
        );
    }
    let mut damaged = work("ada (uid 1000)");
    damaged.capture[0] ^= 1;
    assert_eq!(
        check(&damaged, 1000, NOW).unwrap_err().reason,
        RefuseReason::RecordCrc
    );
    let audit = Audit {
        at: NOW,
        actor: Actor::local("ada", 1000),
        action: "adopt".to_owned(),
        reason: "none".to_owned(),
        scope: "all".to_owned(),
        outcome: Outcome::Done,
        diff: None,
    };
    let refused = check(&Captured::new(&audit.into()), 1000, NOW).unwrap_err();
    assert_eq!(refused.reason, RefuseReason::Kind);
}

//= A3.6
#[test]
fn an_entry_is_of_now_and_its_words_forge_no_line() {
    let reason = |reason: &str, at: u64| {
        let entry = work_at("ada (uid 7)", reason, MonoNs(at));
        check(&entry, 7, NOW).err().map(|refused| refused.reason)
    };
    assert_eq!(reason("terminator", NOW.0 - AGE_NS_MAX), None);
    for (text, at, due) in [
        ("terminator", NOW.0 + 1, RefuseReason::Order),
        ("terminator", u64::MAX, RefuseReason::Order),
        ("terminator", NOW.0 - AGE_NS_MAX - 1, RefuseReason::Order),
        ("a\nforged line", NOW.0, RefuseReason::Encoding),
        ("\u{1b}[2K", NOW.0, RefuseReason::Encoding),
    ] {
        assert_eq!(reason(text, at), Some(due), "{text:?} {at}");
    }
}

fn sign_off([value, expected, tolerance]: [&str; 3], outcome: Outcome) -> SignOff {
    SignOff {
        at: NOW,
        actor: Actor::local("ada", 7),
        meter_id: MeterId::new("m1").ok(),
        point_id: PointId::new("e").unwrap(),
        reading: CommitId(1),
        value: value.parse().unwrap(),
        expected: expected.parse().unwrap(),
        tolerance: tolerance.parse().unwrap(),
        outcome,
        sessions: 0,
        incomplete: 0,
        span_ns: 0,
        note: None,
    }
}

//= U8
#[test]
fn values_agree_within_the_tolerance_and_no_outcome_says_otherwise() {
    for (numbers, agree) in [
        (["1234.50", "1234.5", "0"], true),
        (["1234.51", "1234.5", "0"], false),
        (["1235.0", "1234.5", "0.5"], true),
        (["1235.1", "1234.5", "0.5"], false),
        (["1234.0", "1234.5", "0.5"], true),
        (["1233.9", "1234.5", "0.5"], false),
        (["-5", "5", "10"], true),
        (["5", "-5", "9.99"], false),
        (["1", "1", "-0.1"], false),
    ] {
        let due = if agree {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        let other = if agree {
            Outcome::Failed
        } else {
            Outcome::Done
        };
        assert_eq!(agrees(&sign_off(numbers, due)), Ok(agree), "{numbers:?}");
        let entry = |outcome| Captured::new(&sign_off(numbers, outcome).into());
        assert!(check(&entry(due), 7, NOW).is_ok());
        let refused = check(&entry(other), 7, NOW).unwrap_err();
        assert_eq!(refused.reason, RefuseReason::Encoding);
    }
}

/// A tolerance of one would sign a door off that reads the opposite.
//= U8
#[test]
fn a_point_of_two_states_is_compared_with_one_of_them_and_exactly() {
    let text = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"m\"\nevery = \"1min\"\n\
        [[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n\
        [[card]]\nid = \"adc\"\nkind = \"iio\"\npath = \"/iio\"\n\
        [[debounce]]\nid = \"p\"\nwindow = \"5ms\"\n\
        [[di]]\nid = \"e\"\ncard = \"dio\"\nline = 4\ndebounce = \"p\"\n\
        [[do]]\nid = \"breaker\"\ncard = \"dio\"\nline = 5\nsafe = \"off\"\n\
        [[ai]]\nid = \"level\"\ncard = \"adc\"\nchannel = \"in\"\nschedule = \"m\"\n";
    let contract = contract::parse(text).unwrap();
    for (point, numbers, refused) in [
        ("e", ["0", "1", "1"], Some("a tolerance of 1")),
        ("e", ["0", "0", "0.5"], Some("a tolerance of 0.5")),
        ("e", ["0", "5", "5"], Some("5 is neither")),
        ("breaker", ["1", "0.5", "0.5"], Some("0.5 is neither")),
        ("breaker", ["1", "1.0", "0.0"], None),
        ("e", ["0", "0", "0"], None),
        ("level", ["0", "5", "5"], None),
    ] {
        let mut signed = sign_off(numbers, Outcome::Done);
        (signed.meter_id, signed.point_id) = (None, PointId::new(point).unwrap());
        let entry = Captured::new(&signed.clone().into());
        let told = compares_a_state(&entry, &signed, &contract).map_err(|no| no.detail);
        match refused {
            None => assert_eq!(told, Ok(())),
            Some(words) => assert!(told.unwrap_err().contains(words), "{point} {words}"),
        }
        // A meter's point of the same name is a number.
        signed.meter_id = MeterId::new("m1").ok();
        assert!(compares_a_state(&entry, &signed, &contract).is_ok());
    }
}

fn reading(meter: &str, value: &str, quality: Quality) -> Payload {
    Reading {
        at: NOW,
        meter_id: MeterId::new(meter).unwrap(),
        point_id: PointId::new("e").unwrap(),
        source: SourceId::new("rs485").unwrap(),
        seq: Seq(4),
        slot: None,
        attempt: 0,
        raw: Blob::default(),
        value: value.parse().ok(),
        quality,
        contract: CommitId(0),
    }
    .into()
}

/// What it compares is in the log, as it says: neither the entry nor its value can be invented.
//= U8
#[test]
fn a_sign_off_names_a_good_reading_of_its_point_with_that_value() {
    let signed = sign_off(["1234.5", "1234.5", "0"], Outcome::Done);
    let entry = Captured::new(&signed.clone().into());
    let test = Quality::questionable(QualityReason::Test);
    for (found, refused) in [
        (Some(reading("m1", "1234.50", Quality::GOOD)), None),
        (None, Some("no entry 1 that can be read")),
        (
            Some(reading("m2", "1234.5", Quality::GOOD)),
            Some("is of m2/e"),
        ),
        (
            Some(reading("m1", "1234.6", Quality::GOOD)),
            Some("another value"),
        ),
        (Some(reading("m1", "1234.5", test)), Some("is not good")),
        (
            Some(work("ada (uid 7)").payload().unwrap()),
            Some("says no point's value: it is a maintenance"),
        ),
    ] {
        let said = names_its_reading(&entry, &signed, found.as_ref());
        match (said, refused) {
            (Ok(()), None) => {}
            (Err(said), Some(words)) => {
                assert_eq!(said.reason, RefuseReason::Named);
                assert!(said.detail.contains(words), "{}", said.detail);
            }
            (said, _) => panic!("{found:?}: {said:?}"),
        }
    }
}
