//! Payloads that are carried serve slots as readings do.

use super::{Log, meter, slot};
use evidence::kinds::Opaque;
use evidence::reasons::MarkerKind;
use evidence::{Blob, CommitId, Digest, MonoNs, PointId, Quality, Seq, SourceId};

//= U7
//= A4.3
#[test]
fn a_payload_serves_its_points_slot_and_a_lost_one_is_missing() {
    let mut log = Log::new("1s");
    log.marker(MarkerKind::ScheduleStart, slot(1, 100));
    for (seq, number) in [(0, 100), (2, 102)] {
        for point in ["energy", "power"] {
            log.put(Opaque {
                at: MonoNs(0),
                meter_id: meter("m1"),
                point_id: PointId::new(point).unwrap(),
                source: SourceId::new("tcp").unwrap(),
                seq: Seq(seq),
                slot: Some(slot(1, number)),
                attempt: 0,
                content_type: "application/octet-stream".into(),
                length_bytes: 2,
                sha256: Digest([7; 32]),
                bytes: Blob(vec![1, 2]),
                quality: Quality::GOOD,
                contract: CommitId(0),
            });
        }
    }
    log.marker(MarkerKind::Heartbeat, slot(1, 102));
    let report = log.report();
    let summary = &report.meters[&meter("m1")];
    assert_eq!((summary.due, summary.read()), (6, 4));
    let [lost] = report.seq_findings.as_slice() else {
        panic!("{:?}", report.seq_findings);
    };
    assert_eq!((lost.first, lost.count), (1, 1));
}
