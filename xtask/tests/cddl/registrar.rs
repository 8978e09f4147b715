//! Entries that a registrar's statements become.

use super::AT;
use evidence::kinds::{Enrolment, Revocation};
use evidence::reasons::EnrolmentProof;
use evidence::{Actor, Blob, Kind, Payload};

/// Entries of this kind, with every optional field or with none.
pub(super) fn sample(kind: Kind, full: bool) -> Option<Payload> {
    Some(match kind {
        Kind::Enrolment => Enrolment {
            at: AT,
            actor: Actor::local("ada", 1000),
            reason: "commissioning".into(),
            proof: EnrolmentProof::Credential,
            registrar: "c.example+1+A".into(),
            statement: "fieldnotary enrolment v1\n".into(),
            endorsement: full.then(|| Blob(vec![0x30, 0x82])),
        }
        .into(),
        Kind::Revocation => Revocation {
            at: AT,
            actor: Actor::local("ada", 1000),
            reason: "told by the collector's operator".into(),
            keys: vec!["example.org/n+1+A".into(); if full { 2 } else { 0 }],
            since_s: 1_800_000_000,
            by: "ben (uid 7)".into(),
            why: "stolen".into(),
            registrar: "c.example+1+A".into(),
            statement: "fieldnotary revocation v1\n".into(),
        }
        .into(),
        _ => return None,
    })
}
