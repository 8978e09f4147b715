//! What people add to a log, and where meters are attached.

use super::{AT, DIGEST, meter, source};
use evidence::kinds::{Maintenance, Probe, SignOff, Wiring};
use evidence::reasons::{MaintenancePhase, Outcome, WiringChange};
use evidence::{Actor, CommitId, Kind, Payload, PointId, UtcNs};

pub(super) fn sample(kind: Kind, full: bool) -> Option<Payload> {
    Some(match kind {
        Kind::Probe => Probe {
            at: AT,
            probe: "TP_VBUS".into(),
            actor: Actor::stated("field engineer").unwrap(),
            source: full.then(source),
            meter_id: full.then(meter),
            value: full.then(|| "35.6".parse().unwrap()),
            unit: full.then(|| "V".into()),
            file: full.then_some(DIGEST),
            note: full.then(|| "sags when m07 answers".into()),
            file_name: full.then(|| "vbus.png".into()),
            file_bytes: full.then_some(48_211),
            measured: full.then_some(UtcNs(1)),
        }
        .into(),
        Kind::Maintenance => Maintenance {
            at: AT,
            phase: MaintenancePhase::End,
            actor: Actor::stated("field engineer").unwrap(),
            reason: "terminator replaced".into(),
            source: full.then(source),
            meter_id: full.then(meter),
            until: full.then_some(UtcNs(2)),
        }
        .into(),
        Kind::SignOff => SignOff {
            at: AT,
            actor: Actor::stated("field engineer").unwrap(),
            meter_id: full.then(meter),
            point_id: PointId::new("energy").unwrap(),
            reading: CommitId(70_000),
            value: "1234.50".parse().unwrap(),
            expected: "1234.4".parse().unwrap(),
            tolerance: "0.1".parse().unwrap(),
            outcome: Outcome::Done,
            sessions: 900,
            incomplete: 1,
            span_ns: 3_600_000_000_000,
            note: full.then(|| "read from the display".into()),
        }
        .into(),
        Kind::Wiring => Wiring {
            at: AT,
            change: WiringChange::Moved,
            meter_id: meter(),
            was_source: full.then(source),
            was_address: full.then(|| "7".into()),
            source: full.then(source),
            address: full.then(|| "8".into()),
            contract: CommitId(70_001),
        }
        .into(),
        _ => return None,
    })
}
