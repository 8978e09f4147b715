//! Validation of what producers submit (life of a record, step 2): nothing unsound is committed as data.

use contract::StationPoints;
use evidence::kinds::{Counter, Opaque};
use evidence::limits::{CONTENT_TYPE_BYTES_MAX, OPAQUE_BYTES_MAX};
use evidence::{
    Captured, CommitId, Digest, Kind, MeterId, Payload, PointId, Seq, SourceId, Stream, frozen,
};
use ipc::message::RefuseReason;
use sha2::Digest as _;

/// Records that one submission may have: a frame takes them whole.
pub(super) const SUBMISSION_RECORDS_MAX: usize = 1_024;

/// A submission whose every record is sound.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) records: Vec<(Captured, Payload)>,
}

/// Why a submission is not sound, with the record that shows it.
#[derive(Debug)]
pub(super) struct Objection {
    pub(super) reason: RefuseReason,
    pub(super) detail: String,
    pub(super) sample: Vec<u8>,
}

/// Checks CRC, encoding, kind, stream, number, contract and point of every record; `points` are the station's own by
/// the contract in force.
pub(super) fn check(
    stream: &Stream,
    seq: Option<Seq>,
    contract: CommitId,
    points: &StationPoints,
    records: Vec<Captured>,
) -> Result<Sound, Objection> {
    if records.len() > SUBMISSION_RECORDS_MAX {
        return Err(Objection {
            reason: RefuseReason::TooMany,
            detail: format!(
                "{} records in one submission, at most {SUBMISSION_RECORDS_MAX} are taken",
                records.len()
            ),
            sample: Vec::new(),
        });
    }
    let mut sound = Vec::with_capacity(records.len());
    let mut numbered = 0;
    for captured in records {
        // Records of a card's points are numbered one by one, those of a session share its number.
        let number = seq.map(|seq| Seq(seq.0.saturating_add(numbered)));
        numbered += u64::from(is_of_points(captured.kind));
        let sound_one = check_one(stream, number, contract, &captured)
            .and_then(|payload| check_point(points, &payload).map(|()| payload));
        match sound_one {
            Ok(payload) => sound.push((captured, payload)),
            Err((reason, detail)) => {
                return Err(Objection {
                    reason,
                    detail,
                    sample: captured.capture,
                });
            }
        }
    }
    Ok(Sound { records: sound })
}

fn check_one(
    stream: &Stream,
    seq: Option<Seq>,
    contract: CommitId,
    captured: &Captured,
) -> Result<Payload, (RefuseReason, String)> {
    if !captured.crc_holds() {
        let detail = "the record CRC does not match the capture bytes".to_owned();
        return Err((RefuseReason::RecordCrc, detail));
    }
    let payload = captured
        .payload()
        .map_err(|error| (RefuseReason::Encoding, error.to_string()))?;
    let (meter, number, under) = match &payload {
        Payload::Reading(reading) => (&reading.meter_id, reading.seq, reading.contract),
        Payload::AttemptFailed(failed) => (&failed.meter_id, failed.seq, failed.contract),
        Payload::Soe(soe) => (&MeterId::from(&soe.source), soe.seq, soe.contract),
        Payload::PulseCount(pulse) => (&MeterId::from(&pulse.source), pulse.seq, pulse.contract),
        Payload::Analog(analog) => (&MeterId::from(&analog.source), analog.seq, analog.contract),
        Payload::Excursion(one) => (&MeterId::from(&one.source), one.seq, one.contract),
        Payload::ModemReport(one) => (&MeterId::from(&one.source), one.seq, one.contract),
        Payload::ResetReason(one) => (&MeterId::from(&one.source), one.seq, one.contract),
        Payload::Output(output) => (&MeterId::from(&output.source), output.seq, output.contract),
        Payload::MeterReport(report) => (&report.meter_id, report.seq, report.contract),
        Payload::Opaque(opaque) => {
            whole(opaque)?;
            (&opaque.meter_id, opaque.seq, opaque.contract)
        }
        // They have no number: the slot that is filled, or the order, tells whether they are new.
        Payload::Backfill(filled) => {
            unnumbered(stream, seq, (&filled.meter_id, filled.contract), contract)?;
            return Ok(payload);
        }
        Payload::ClockSet(set) => {
            unnumbered(stream, seq, (&set.meter_id, set.contract), contract)?;
            return Ok(payload);
        }
        Payload::Event(_) | Payload::Marker(_) | Payload::Downtime(_) => return Ok(payload),
        Payload::CounterSnapshot(snapshot) => {
            let own = |counter: &&Counter| frozen::is_reserved(&counter.name);
            return match snapshot.counters.iter().find(own) {
                None => Ok(payload),
                Some(counter) => Err((
                    RefuseReason::Kind,
                    format!("the counter {} is the recorder's own", counter.name),
                )),
            };
        }
        other => return Err((RefuseReason::Kind, not_for_producers(other.kind()))),
    };
    if !matches!(stream, Stream::Meter(owner) if owner == meter) {
        return Err((
            RefuseReason::Stream,
            format!("a record of {meter} in the stream of {stream}"),
        ));
    }
    if Some(number) != seq {
        let session = seq.map_or("none".to_owned(), |seq| seq.to_string());
        let detail = format!("a record numbered {number} in a submission numbered {session}");
        return Err((RefuseReason::Order, detail));
    }
    if under != contract {
        let detail = format!("scaled under configuration {under}, in force is {contract}");
        return Err((RefuseReason::Contract, detail));
    }
    Ok(payload)
}

/// What has no number is of the stream's meter, and of the contract in force.
fn unnumbered(
    stream: &Stream,
    seq: Option<Seq>,
    (meter, under): (&MeterId, CommitId),
    contract: CommitId,
) -> Result<(), (RefuseReason, String)> {
    let of_meter = matches!(stream, Stream::Meter(owner) if owner == meter);
    match of_meter && seq.is_none() && under == contract {
        true => Ok(()),
        false => Err((
            RefuseReason::Stream,
            format!("a record of {meter} without a number in the stream of {stream}"),
        )),
    }
}

/// What is carried is as long as it says, no longer than is carried, and hashes to what it says.
fn whole(opaque: &Opaque) -> Result<(), (RefuseReason, String)> {
    let bytes = &opaque.bytes.0;
    let sound = bytes.len() <= OPAQUE_BYTES_MAX
        && u64::try_from(bytes.len()) == Ok(opaque.length_bytes)
        && opaque.content_type.len() <= CONTENT_TYPE_BYTES_MAX
        && Digest(sha2::Sha256::digest(bytes).into()) == opaque.sha256;
    match sound {
        true => Ok(()),
        false => Err((
            RefuseReason::Encoding,
            format!(
                "a payload of {} bytes that is not what it says",
                bytes.len()
            ),
        )),
    }
}

/// A record of the station's own points is of one that the contract has on its card.
fn check_point(points: &StationPoints, payload: &Payload) -> Result<(), (RefuseReason, String)> {
    let (card, point): (&SourceId, &PointId) = match payload {
        Payload::Soe(soe) => (&soe.source, &soe.point_id),
        Payload::PulseCount(pulse) => (&pulse.source, &pulse.point_id),
        Payload::Analog(analog) => (&analog.source, &analog.point_id),
        Payload::Excursion(one) => (&one.source, &one.point_id),
        Payload::ModemReport(one) => (&one.source, &one.point_id),
        Payload::ResetReason(one) => (&one.source, &one.point_id),
        Payload::Output(output) => (&output.source, &output.point_id),
        _ => return Ok(()),
    };
    if points.card_of(point) == Some(card) {
        return Ok(());
    }
    let detail = format!("the contract has no point {point} on card {card}");
    Err((RefuseReason::Point, detail))
}

const fn is_of_points(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Soe
            | Kind::PulseCount
            | Kind::Analog
            | Kind::Excursion
            | Kind::ResetReason
            | Kind::Output
            | Kind::ModemReport
    )
}

fn not_for_producers(kind: Kind) -> String {
    format!("{} entries are written by the recorder alone", kind.name())
}

#[cfg(test)]
mod tests {
    use super::{CONTENT_TYPE_BYTES_MAX, OPAQUE_BYTES_MAX, check};
    use contract::StationPoints;
    use evidence::Stream;
    use evidence::kinds::{Analog, AttemptFailed, Counter, CounterSnapshot, Opaque, SeqSkip};
    use evidence::reasons::{AnalogCause, AttemptCause, CounterState, SkipCause};
    use evidence::{Captured, CommitId, Digest, MeterId, MonoNs, Payload, Quality, Seq, SourceId};
    use ipc::message::RefuseReason;
    use sha2::Digest as _;

    fn failed(meter: &str, seq: u64, contract: u64) -> Payload {
        AttemptFailed {
            at: MonoNs(1),
            meter_id: MeterId::new(meter).unwrap(),
            source: SourceId::new("rs485-1").unwrap(),
            seq: Seq(seq),
            slot: None,
            attempt: 0,
            last: true,
            cause: AttemptCause::Timeout,
            exception: None,
            points: vec![],
            sample: None,
            contract: CommitId(contract),
        }
        .into()
    }

    fn points() -> StationPoints {
        let text = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
            [[card]]\nid = \"dio\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n\
            [[ai]]\nid = \"temp\"\ncard = \"dio\"\nchannel = \"temp1_input\"\nschedule = \"q\"\n";
        contract::parse(text).unwrap().points
    }

    fn verdict(record: Captured) -> Option<RefuseReason> {
        let stream = Stream::Meter(MeterId::new("m1").unwrap());
        check(&stream, Some(Seq(5)), CommitId(1), &points(), vec![record])
            .err()
            .map(|objection| objection.reason)
    }

    /// What a start goes on from is said by the recorder alone.
    //= A2.4
    #[test]
    fn a_producer_cannot_say_the_recorders_own_counters() {
        let snapshot = |name: &str| {
            Captured::new(
                &CounterSnapshot {
                    at: MonoNs(1),
                    counters: vec![Counter {
                        name: name.to_owned(),
                        label: Some("1".to_owned()),
                        state: CounterState::Value,
                        value: Some(0),
                        source: SourceId::new("rs485-1").unwrap(),
                    }],
                }
                .into(),
            )
        };
        assert_eq!(verdict(snapshot("session_cnt")), None);
        for name in [
            "frozen_part",
            "seq_window",
            "slot_floor",
            "contract_commit",
            "lost_entries",
        ] {
            assert_eq!(verdict(snapshot(name)), Some(RefuseReason::Kind), "{name}");
        }
    }

    /// Bytes that are carried are what the entry says of them, or they are not committed.
    //= U7
    //= A5.1
    #[test]
    fn a_payload_is_as_long_as_it_says_and_hashes_to_what_it_says() {
        let sound = |bytes: usize| {
            let bytes = vec![0xDB; bytes];
            Opaque {
                at: MonoNs(1),
                meter_id: MeterId::new("m1").unwrap(),
                point_id: "profile".parse().unwrap(),
                source: SourceId::new("rs485-1").unwrap(),
                seq: Seq(5),
                slot: None,
                attempt: 0,
                content_type: "application/x-dlms-apdu".to_owned(),
                length_bytes: bytes.len() as u64,
                sha256: Digest(sha2::Sha256::digest(&bytes).into()),
                bytes: bytes.as_slice().into(),
                quality: Quality::GOOD,
                contract: CommitId(1),
            }
        };
        let of = |opaque: Opaque| verdict(Captured::new(&opaque.into()));
        assert_eq!(of(sound(0)), None);
        assert_eq!(of(sound(OPAQUE_BYTES_MAX)), None);
        let encoding = Some(RefuseReason::Encoding);
        assert_eq!(of(sound(OPAQUE_BYTES_MAX + 1)), encoding);
        let mut changed = sound(9);
        changed.bytes.0[3] ^= 1;
        assert_eq!(of(changed), encoding);
        let mut shorter = sound(9);
        shorter.length_bytes = 8;
        assert_eq!(of(shorter), encoding);
        let mut named = sound(9);
        named.content_type = "x".repeat(CONTENT_TYPE_BYTES_MAX + 1);
        assert_eq!(of(named), encoding);
    }

    fn analog(card: &str, seq: u64) -> Captured {
        let analog = Analog {
            at: MonoNs(1),
            point_id: "temp".parse().unwrap(),
            source: SourceId::new(card).unwrap(),
            channel: "temp1_input".to_owned(),
            seq: Seq(seq),
            slot: None,
            cause: AnalogCause::Cyclic,
            raw: None,
            value: None,
            quality: Quality::GOOD,
            calibration: None,
            contract: CommitId(1),
        };
        Captured::new(&analog.into())
    }

    //= A4.1
    //= A4.2
    #[test]
    fn records_of_a_card_are_dense_from_the_number_of_their_submission_on() {
        let verdict = |records: Vec<Captured>| {
            let stream = Stream::Meter(MeterId::new("dio").unwrap());
            let found = check(&stream, Some(Seq(5)), CommitId(1), &points(), records);
            found.err().map(|objection| objection.reason)
        };
        let dense = vec![analog("dio", 5), analog("dio", 6), analog("dio", 7)];
        assert_eq!(verdict(dense), None);
        let hole = vec![analog("dio", 5), analog("dio", 7)];
        assert_eq!(verdict(hole), Some(RefuseReason::Order));
        let foreign = vec![analog("dio", 5), analog("dio-2", 6)];
        assert_eq!(verdict(foreign), Some(RefuseReason::Stream));
        let Ok(Payload::Analog(known)) = analog("dio", 5).payload() else {
            unreachable!()
        };
        let point_id = "humidity".parse().unwrap();
        let strange = Captured::new(&Analog { point_id, ..known }.into());
        assert_eq!(verdict(vec![strange]), Some(RefuseReason::Point));
    }

    //= A4.1
    //= A5.1
    #[test]
    fn every_kind_of_unsound_record_is_refused_with_its_reason() {
        assert_eq!(verdict(Captured::new(&failed("m1", 5, 1))), None);
        let mut damaged = Captured::new(&failed("m1", 5, 1));
        damaged.capture[0] ^= 1;
        assert_eq!(verdict(damaged), Some(RefuseReason::RecordCrc));
        let foreign = Captured {
            record_crc: Captured::new(&failed("m1", 5, 1)).record_crc,
            kind: evidence::Kind::EpochStart,
            ..Captured::new(&failed("m1", 5, 1))
        };
        assert_eq!(verdict(foreign), Some(RefuseReason::Encoding));
        assert_eq!(
            verdict(Captured::new(&failed("m2", 5, 1))),
            Some(RefuseReason::Stream)
        );
        assert_eq!(
            verdict(Captured::new(&failed("m1", 6, 1))),
            Some(RefuseReason::Order)
        );
        assert_eq!(
            verdict(Captured::new(&failed("m1", 5, 9))),
            Some(RefuseReason::Contract)
        );
        let skip = SeqSkip {
            at: MonoNs(0),
            meter_id: MeterId::new("m1").unwrap(),
            first: Seq(5),
            count: 1,
            cause: SkipCause::LeaseAbandoned,
        };
        assert_eq!(
            verdict(Captured::new(&skip.into())),
            Some(RefuseReason::Kind)
        );
    }
}
