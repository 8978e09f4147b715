//! Validation of what people add: only what people may say, now, and only under the user id that asks.

use super::intake::Objection;
use super::rotated;
use crate::acts::Act;
use contract::Contract;
use contract::limits::OPERATOR_BYTES_MAX;
use core::cmp::Ordering;
use evidence::foreign::steers;
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
    let forges = |text: &str| text.chars().any(steers);
    if texts.into_iter().any(forges) {
        let detail = "a text has a sign that steers a screen, such as the end of a line".to_owned();
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
type Texts<'p> = Vec<&'p str>;

/// Who says what people may say, and the other texts of it.
fn said_by(payload: &Payload) -> Result<(&Actor, Texts<'_>), (RefuseReason, String)> {
    Ok(match payload {
        Payload::Probe(probe) => {
            let others = [&probe.unit, &probe.note, &probe.file_name].map(Option::as_deref);
            let texts = [probe.probe.as_str()].into_iter();
            (
                &probe.actor,
                texts.chain(others.into_iter().flatten()).collect(),
            )
        }
        Payload::Maintenance(work) => (&work.actor, vec![&work.reason]),
        Payload::SignOff(signed) => (&signed.actor, signed.note.as_deref().into_iter().collect()),
        Payload::Command(command) => (&command.actor, vec![&command.reason]),
        Payload::Tag(tag) => {
            let owner = tag.owner.as_deref().into_iter();
            (&tag.actor, owner.chain([tag.reason.as_str()]).collect())
        }
        Payload::ClockOrder(order) => (&order.actor, vec![&order.reason]),
        Payload::Enrolment(told) => (&told.actor, vec![&told.reason, &told.registrar]),
        Payload::Revocation(told) => (&told.actor, vec![&told.reason, &told.by, &told.why]),
        Payload::KeyRotation(told) => (&told.actor, vec![&told.reason]),
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
mod tests;
