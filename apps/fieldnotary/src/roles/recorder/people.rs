//! Validation of what people add: only what people may say, now, and only under the user id that asks.

use super::intake::Objection;
use super::rotated;
use crate::acts::Act;
use contract::Contract;
use contract::limits::OPERATOR_BYTES_MAX;
use core::cmp::Ordering;
use evidence::kinds::{Audit, SignOff};
use evidence::reasons::{CommandOrigin, Outcome, TagChange, Validity};
use evidence::{Actor, Captured, Decimal, DecimalError, MeterId, MonoNs, Payload, PointId};
use ipc::message::RefuseReason;

/// How long ago an entry may say that it was made: it is made for being sent.
const AGE_NS_MAX: u64 = 60_000_000_000;

/// The payload, if its record holds, a person may write it, and its actor is who asks.
pub(super) fn check(entry: &Captured, uid: u32, now: MonoNs) -> Result<Payload, Objection> {
    let payload = match entry.crc_holds() {
        true => entry
            .payload()
            .map_err(|error| (RefuseReason::Encoding, error.to_string())),
        false => {
            let detail = "the record CRC does not match the capture bytes".to_owned();
            Err((RefuseReason::RecordCrc, detail))
        }
    };
    let judged = payload.and_then(|payload| {
        judge(&payload, uid, now)?;
        Ok(payload)
    });
    judged.map_err(|(reason, detail)| Objection {
        reason,
        detail,
        sample: entry.capture.clone(),
    })
}

fn judge(payload: &Payload, uid: u32, now: MonoNs) -> Result<(), (RefuseReason, String)> {
    let (actor, texts) = said_by(payload)?;
    if let Payload::SignOff(signed) = payload
        && agrees(signed) != Ok(signed.outcome == Outcome::Done)
    {
        let detail = "its outcome is not that of its own numbers".to_owned();
        return Err((RefuseReason::Encoding, detail));
    }
    let forges = |text: &str| text.chars().any(char::is_control);
    if texts.into_iter().flatten().any(forges) {
        let detail = "a text has a control character, such as the end of a line".to_owned();
        return Err((RefuseReason::Encoding, detail));
    }
    about_outputs(payload)?;
    about_keys(payload)?;
    let at = payload.at();
    if at > now || now.since(at) > AGE_NS_MAX {
        let detail = "it says that it was made at another time than now".to_owned();
        return Err((RefuseReason::Order, detail));
    }
    if !Actor::is_local(actor.as_str(), uid) {
        let end = Actor::vouched(uid);
        let detail = format!(
            "the actor {:?} does not end with {end}, which is who asks",
            actor.as_str()
        );
        return Err((RefuseReason::Actor, detail));
    }
    Ok(())
}

/// The audit entry of somebody who wanted to write under another name than his own.
pub(super) fn refused(entry: &Captured, uid: u32, objection: &Objection, at: MonoNs) -> Audit {
    Audit {
        at,
        actor: Actor::local("", uid),
        action: Act::WriteEntry.name().to_owned(),
        reason: objection.detail.clone(),
        scope: entry.kind.name().to_owned(),
        outcome: Outcome::Refused,
        diff: None,
    }
}

/// Whether a sign-off says of the entry that it names what is in the log: `found` is the payload of that entry, or
/// nothing where the log of this generation does not hold it any more.
pub(super) fn names_its_reading(
    entry: &Captured,
    signed: &SignOff,
    found: Option<&Payload>,
) -> Result<(), Objection> {
    let (meter, point, id) = (signed.meter_id.as_ref(), &signed.point_id, signed.reading);
    let detail = match found.map(|found| (found.kind(), found.shown())) {
        None => format!("the log of this generation has no entry {id} that can be read"),
        Some((_, Some(shown))) => {
            let same = |value: Decimal| value.cmp_value(signed.value) == Ordering::Equal;
            if (shown.meter_id, shown.point_id) != (meter, point) {
                let of = shown
                    .meter_id
                    .map_or_else(String::new, |meter| format!("{meter}/"));
                format!("entry {id} is of {of}{}", shown.point_id)
            } else if shown.quality.validity != Validity::Good {
                format!("what entry {id} says is not good")
            } else if !shown.value.is_some_and(same) {
                format!("entry {id} has another value")
            } else {
                return Ok(());
            }
        }
        Some((kind, None)) => format!("entry {id} says no point's value: it is a {}", kind.name()),
    };
    Err(Objection {
        reason: RefuseReason::Named,
        detail,
        sample: entry.capture.clone(),
    })
}

/// Whether a sign-off compares a point of two states as one: with one of them, and exactly.
pub(super) fn compares_a_state(
    entry: &Captured,
    signed: &SignOff,
    contract: &Contract,
) -> Result<(), Objection> {
    is_a_state(
        signed.meter_id.as_ref(),
        &signed.point_id,
        contract,
        [signed.expected, signed.tolerance],
    )
    .map_err(|detail| Objection {
        reason: RefuseReason::Encoding,
        detail,
        sample: entry.capture.clone(),
    })
}

/// Whether what a point is compared with can be its state, where it has but two; the error says what would be right.
pub(crate) fn is_a_state(
    meter: Option<&MeterId>,
    point: &PointId,
    contract: &Contract,
    [expected, tolerance]: [Decimal; 2],
) -> Result<(), String> {
    if meter.is_some() || !contract.points.has_two_states(point) {
        return Ok(());
    }
    let is = |value: Decimal, wanted: &str| {
        let wanted: Result<Decimal, DecimalError> = wanted.parse();
        wanted.is_ok_and(|wanted| value.cmp_value(wanted) == Ordering::Equal)
    };
    if !is(expected, "0") && !is(expected, "1") {
        return Err(format!(
            "{point} has two states, and {expected} is neither: what it shows in the field is on (1) or off (0)"
        ));
    }
    if !is(tolerance, "0") {
        return Err(format!(
            "{point} has two states, and a tolerance of {tolerance} would take one for the other: it has none"
        ));
    }
    Ok(())
}

/// What is told of new keys is what they and the old ones state, to the last word.
fn about_keys(payload: &Payload) -> Result<(), (RefuseReason, String)> {
    let Payload::KeyRotation(told) = payload else {
        return Ok(());
    };
    let stated = rotated::entry(&told.statement, told.at);
    match stated {
        Ok(stated) if stated == *told => Ok(()),
        Ok(_) => Err((
            RefuseReason::Encoding,
            "it says something else than the keys state".to_owned(),
        )),
        Err(error) => Err((RefuseReason::Encoding, error.to_string())),
    }
}

/// What somebody wants of an output or of a meter has a reason, a name that a tag can keep, and no other origin than a person.
fn about_outputs(payload: &Payload) -> Result<(), (RefuseReason, String)> {
    let (actor, reason, origin) = match payload {
        Payload::Command(command) => (command.actor.as_str(), &command.reason, command.origin),
        Payload::Tag(tag) => (tag.actor.as_str(), &tag.reason, CommandOrigin::Person),
        Payload::ClockOrder(order) => (order.actor.as_str(), &order.reason, CommandOrigin::Person),
        _ => return Ok(()),
    };
    if origin != CommandOrigin::Person {
        let detail = "a person at the command line is no master".to_owned();
        return Err((RefuseReason::Actor, detail));
    }
    if actor.len() > OPERATOR_BYTES_MAX {
        let detail = format!(
            "an actor of {} bytes, at most {OPERATOR_BYTES_MAX}",
            actor.len()
        );
        return Err((RefuseReason::Actor, detail));
    }
    if let Payload::Tag(tag) = payload
        && let Some(owner) = &tag.owner
        && (tag.change == TagChange::Set || owner.len() > OPERATOR_BYTES_MAX)
    {
        let detail = format!(
            "the owner of a tag is named where somebody else takes it away, with at most {OPERATOR_BYTES_MAX} bytes"
        );
        return Err((RefuseReason::Actor, detail));
    }
    if reason.trim().is_empty() {
        let detail = "it has no reason".to_owned();
        return Err((RefuseReason::Encoding, detail));
    }
    Ok(())
}

/// The texts of an entry that are free.
type Texts<'p> = [Option<&'p str>; 3];

/// Who says what people may say, and the other texts of it.
fn said_by(payload: &Payload) -> Result<(&Actor, Texts<'_>), (RefuseReason, String)> {
    Ok(match payload {
        Payload::Probe(probe) => {
            let texts = [&probe.unit, &probe.note, &probe.file_name];
            (&probe.actor, texts.map(Option::as_deref))
        }
        Payload::Maintenance(work) => (&work.actor, [Some(&work.reason), None, None]),
        Payload::SignOff(signed) => (&signed.actor, [signed.note.as_deref(), None, None]),
        Payload::Command(command) => (&command.actor, [Some(&command.reason), None, None]),
        Payload::Tag(tag) => (&tag.actor, [Some(&tag.reason), tag.owner.as_deref(), None]),
        Payload::ClockOrder(order) => (&order.actor, [Some(&order.reason), None, None]),
        Payload::Enrolment(told) => {
            let texts = [
                Some(told.reason.as_str()),
                Some(told.registrar.as_str()),
                None,
            ];
            (&told.actor, texts)
        }
        Payload::Revocation(told) => {
            let texts = [
                Some(told.reason.as_str()),
                Some(told.by.as_str()),
                Some(told.why.as_str()),
            ];
            (&told.actor, texts)
        }
        Payload::KeyRotation(told) => {
            let texts = [Some(told.reason.as_str()), None, None];
            (&told.actor, texts)
        }
        other => {
            let detail = format!("{} entries are not written by people", other.kind().name());
            return Err((RefuseReason::Kind, detail));
        }
    })
}

/// Whether the two numbers of a sign-off differ by no more than its tolerance.
///
/// # Errors
/// The tolerance is negative, or numbers are too far apart to be compared.
pub(crate) fn agrees(said: &SignOff) -> Result<bool, DecimalError> {
    said.value.is_within(said.expected, said.tolerance)
}

#[cfg(test)]
mod tests {
    use super::{AGE_NS_MAX, agrees, check, compares_a_state, names_its_reading};
    use evidence::kinds::{Audit, Maintenance, Reading, SignOff};
    use evidence::reasons::{MaintenancePhase, Outcome, QualityReason};
    use evidence::{
        Actor, Blob, Captured, CommitId, EntryError, MeterId, MonoNs, Payload, PointId, Quality,
        Seq, SourceId,
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
}
