//! Validation of what people add: only what people may say, and only under the user id that asks.

use super::intake::Objection;
use evidence::{Captured, Payload};
use ipc::message::RefuseReason;

/// The end of an actor's name for a user id.
pub(crate) fn vouched(uid: u32) -> String {
    format!("(uid {uid})")
}

/// The payload, if its record holds, a person may write it, and its actor is who asks.
pub(super) fn check(entry: &Captured, uid: u32) -> Result<Payload, Objection> {
    let objection = |reason, detail: String| Objection {
        reason,
        detail,
        sample: entry.capture.clone(),
    };
    if !entry.crc_holds() {
        let detail = "the record CRC does not match the capture bytes".to_owned();
        return Err(objection(RefuseReason::RecordCrc, detail));
    }
    let payload = entry
        .payload()
        .map_err(|error| objection(RefuseReason::Encoding, error.to_string()))?;
    let actor = match &payload {
        Payload::Probe(probe) => &probe.actor,
        Payload::Maintenance(work) => &work.actor,
        Payload::SignOff(signed) => &signed.actor,
        other => {
            let detail = format!("{} entries are not written by people", other.kind().name());
            return Err(objection(RefuseReason::Kind, detail));
        }
    };
    let end = vouched(uid);
    if actor.len() <= end.len() || !actor.ends_with(&end) {
        let detail = format!("the actor {actor:?} does not end with {end}, which is who asks");
        return Err(objection(RefuseReason::Actor, detail));
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::check;
    use evidence::kinds::{Audit, Maintenance};
    use evidence::reasons::{MaintenancePhase, Outcome};
    use evidence::{Captured, MonoNs};
    use ipc::message::RefuseReason;

    fn work(actor: &str) -> Captured {
        Captured::new(
            &Maintenance {
                at: MonoNs(1),
                phase: MaintenancePhase::Begin,
                actor: actor.to_owned(),
                reason: "terminator".to_owned(),
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
        assert!(check(&work("ada (uid 1000)"), 1000).is_ok());
        for (actor, uid) in [
            ("ada (uid 1000)", 0),
            ("ada (uid 1000)", 100),
            ("ada", 1000),
            ("(uid 1000)", 1000),
            ("", 1000),
        ] {
            let refused = check(&work(actor), uid).unwrap_err();
            assert_eq!(refused.reason, RefuseReason::Actor, "{actor}");
            assert!(refused.detail.contains(&format!("(uid {uid})")));
        }
        let mut damaged = work("ada (uid 1000)");
        damaged.capture[0] ^= 1;
        assert_eq!(
            check(&damaged, 1000).unwrap_err().reason,
            RefuseReason::RecordCrc
        );
        let audit = Audit {
            at: MonoNs(1),
            actor: "ada (uid 1000)".to_owned(),
            action: "adopt".to_owned(),
            reason: "none".to_owned(),
            scope: "all".to_owned(),
            outcome: Outcome::Done,
            diff: None,
        };
        let refused = check(&Captured::new(&audit.into()), 1000).unwrap_err();
        assert_eq!(refused.reason, RefuseReason::Kind);
    }
}
