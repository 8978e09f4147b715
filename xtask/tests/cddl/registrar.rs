//! Entries that statements of others become: a registrar's, a timestamp authority's.

use super::{AT, DIGEST};
use evidence::kinds::{Enrolment, KeyRotation, Revocation, Timestamp, TimestampFailed};
use evidence::reasons::{EnrolmentProof, StampFault};
use evidence::{Actor, Blob, Kind, Payload, UtcNs};

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
        Kind::KeyRotation => KeyRotation {
            at: AT,
            actor: Actor::local("ada", 1000),
            reason: "yearly".into(),
            old: vec!["example.org/n+1+A".into(); if full { 2 } else { 0 }],
            new: vec!["example.org/n+2+A".into(); if full { 2 } else { 0 }],
            size: 812,
            statement: "fieldnotary rotation v1\n".into(),
        }
        .into(),
        Kind::Timestamp => Timestamp {
            at: AT,
            size: 70_000,
            root: DIGEST,
            stated: UtcNs(1_800_000_000_000_000_000),
            accuracy_ns: full.then_some(1_000_000_000),
            offset_ns: full.then_some(3_000_000),
            authority: "stamps".into(),
            root_name: "authority".into(),
            token: Blob(vec![0x30; if full { 32 * 1_024 } else { 0 }]),
        }
        .into(),
        Kind::TimestampFailed => TimestampFailed {
            at: AT,
            size: 70_000,
            fault: StampFault::WrongNonce,
            count: 3,
            retry_ms: 20_000,
            detail: "the answer is to another question".into(),
        }
        .into(),
        _ => return None,
    })
}
