//! What a card or a port asks before it does what is committed, and the answers.

use super::super::{
    ClockFloor, ClockStart, Message, OpenClock, OpenCommand, OutputFloor, OutputStart, SetTag,
};
use evidence::{CommitId, MeterId, PointId, SourceId};

pub(super) fn samples() -> Vec<Message> {
    vec![
        OutputFloor {
            card: SourceId::new("dio-1").unwrap(),
        }
        .into(),
        OutputStart {
            from: CommitId(900),
            open: vec![OpenCommand {
                point: PointId::new("breaker").unwrap(),
                command: CommitId(880),
            }],
            tags: vec![SetTag {
                point: PointId::new("breaker").unwrap(),
                by: "ada (uid 1000)".into(),
            }],
        }
        .into(),
        ClockFloor {
            port: SourceId::new("rs485-1").unwrap(),
        }
        .into(),
        ClockStart {
            from: CommitId(901),
            open: vec![OpenClock {
                meter: MeterId::new("m07").unwrap(),
                order: CommitId(870),
            }],
        }
        .into(),
    ]
}
