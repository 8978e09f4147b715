//! What the log says of what is not in it.

use super::{AT, DIGEST, SLOT, meter, schedule, source};
use evidence::kinds::{Downtime, Loss, SeqSkip, Unkept};
use evidence::reasons::{DowntimeCause, KeepStore, LossCause, SkipCause, UnkeptCause};
use evidence::{CommitId, Kind, Payload, Seq};

pub(super) fn sample(kind: Kind, full: bool) -> Payload {
    match kind {
        Kind::Downtime => Downtime {
            at: AT,
            schedule: schedule(),
            first: SLOT,
            count: full.then_some(7),
            cause: DowntimeCause::Reboot,
            source: source(),
            meter_id: full.then(meter),
        }
        .into(),
        Kind::SeqSkip => SeqSkip {
            at: AT,
            meter_id: meter(),
            first: Seq(8),
            count: 9,
            cause: SkipCause::LeaseAbandoned,
        }
        .into(),
        Kind::Loss => Loss {
            at: AT,
            first: CommitId(10),
            count: 11,
            cause: LossCause::FrameDamaged,
            hashes: if full { vec![DIGEST; 3] } else { Vec::new() },
            segment: 4,
            offset_bytes: 65_536,
            before: if full { vec![DIGEST; 2] } else { Vec::new() },
        }
        .into(),
        Kind::Unkept => Unkept {
            at: AT,
            store: KeepStore::Audit,
            first: CommitId(10),
            count: 11,
            cause: UnkeptCause::Refused,
            says: full.then(|| "no space".into()),
        }
        .into(),
        other => panic!("write a sample for {other:?}"),
    }
}
