//! Entries of commands, outputs and tags.

use super::{AT, source};
use evidence::kinds::{Command, Output, Tag};
use evidence::reasons::{
    CommandOrigin, CommandStep, OutputOutcome, OutputReason, QualityReason, TagChange,
};
use evidence::{Actor, CommitId, Kind, Payload, PointId, Quality, Seq, UtcNs};

/// An entry of one of these kinds: with every field, or with only those that it must have.
pub(super) fn sample(kind: Kind, full: bool) -> Payload {
    let point_id = PointId::new("breaker-close").unwrap();
    match kind {
        Kind::Command => Command {
            at: AT,
            point_id,
            step: CommandStep::Execute,
            value: full.then(|| "-42.50".parse().unwrap()),
            origin: CommandOrigin::Master,
            actor: Actor::stated("scada-1").unwrap(),
            reason: "order 4711".into(),
            issued: full.then_some(UtcNs(1_800_000_000_000_000_000)),
        }
        .into(),
        Kind::Output => Output {
            at: AT,
            point_id,
            source: source(),
            line: full.then_some(12),
            channel: full.then(|| "out_voltage0_raw".into()),
            seq: Seq(9),
            outcome: OutputOutcome::Mismatch,
            reason: OutputReason::FeedbackInvalid,
            command: full.then_some(CommitId(70_000)),
            selection: full.then_some(CommitId(69_990)),
            value: full.then(|| "1".parse().unwrap()),
            raw: full.then(|| "1".parse().unwrap()),
            driven_at: full.then_some(AT),
            feedback: full.then(|| PointId::new("breaker").unwrap()),
            feedback_value: full.then(|| "0".parse().unwrap()),
            feedback_quality: full.then_some(Quality::invalid(QualityReason::Chatter)),
            about: full.then(|| "earth off good".into()),
            contract: CommitId(1),
        }
        .into(),
        _ => Tag {
            at: AT,
            point_id,
            change: TagChange::Removed,
            actor: Actor::local("ada", 1000),
            reason: "work has ended".into(),
            owner: full.then(|| "bert (uid 1001)".into()),
        }
        .into(),
    }
}
