//! Every message comes back from its bytes; no bytes do harm.

mod field;
mod statements;
mod wires;

use super::{
    Accepted, AckReport, BoundHead, CountFloor, CountStart, Error, ErrorCode, FeedBatch, FeedEntry,
    FeedPull, Frontier, FrontierAt, Head, Hello, Hole, Leaf, Lease, Leased, Message, MissedFloor,
    MissedSlot, MissedSlots, NoteText, Offers, PersonEntry, ProcessEvent, RefuseReason, Refused,
    SealedHead, SignCheckpoint, SignedNote, SlotFloor, SlotStart, Status, StatusReport, StatusText,
    Stop, Submit, TakeOffers, TimeOffer, TimeStatement, TurnedAway, Welcome, WorkAsked,
    WorkUnderWay,
};
use crate::limits::{FEED_BYTES_MAX, MESSAGE_BYTES_MAX, RANGE_HASHES_MAX};
use evidence::kinds::{Counter, CounterSnapshot, Event, TimeMap};
use evidence::reasons::{
    CounterKind, CounterState, Custody, EventCode, KeyFault, LossCause, TruthClass,
};
use evidence::{
    Blob, BootId, Captured, CommitId, Digest, Epoch, Generation, Kind, MeterId, MonoNs, PointId,
    ScheduleId, SourceId, UtcNs,
};
use proptest::prelude::{any, prop_assert_eq, proptest};

fn event() -> Captured {
    Captured::new(
        &Event {
            count: Some(3),
            detail: Some("io".into()),
            ..Event::new(
                MonoNs(77),
                EventCode::ProcessStarted,
                SourceId::new("supervisor").unwrap(),
            )
        }
        .into(),
    )
}

fn an_offer(number: u64) -> TimeOffer {
    TimeOffer {
        submission_id: number,
        from: SourceId::new("head-end").unwrap(),
        at: MonoNs(number),
        utc: UtcNs(-5),
        uncertainty_ns: 3_000_000,
    }
}

fn offer(number: u64) -> Message {
    an_offer(number).into()
}

fn of_work() -> Vec<Message> {
    vec![
        WorkAsked {}.into(),
        WorkUnderWay {
            station: true,
            sources: vec![SourceId::new("rs485").unwrap()],
            meters: vec![MeterId::new("m07").unwrap(), MeterId::new("m08").unwrap()],
        }
        .into(),
    ]
}

fn of_pulses() -> Vec<Message> {
    vec![
        CountFloor {
            point: PointId::new("water").unwrap(),
        }
        .into(),
        CountStart {
            point: PointId::new("water").unwrap(),
            count: Some(u64::MAX),
        }
        .into(),
        MissedFloor {
            meter: MeterId::new("m07").unwrap(),
        }
        .into(),
        MissedSlots {
            meter: MeterId::new("m07").unwrap(),
            slots: vec![MissedSlot {
                version: 1,
                number: 2_000_000,
                due: UtcNs(1_800_000_000_000_000_000),
            }],
            others: true,
        }
        .into(),
    ]
}

fn with_the_recorder() -> Vec<Message> {
    vec![
        Hello {
            role: "io".into(),
            pid: 4_000_000,
            incarnation: 2,
        }
        .into(),
        Welcome {
            generation: Generation(1),
            epoch: Epoch(9),
            boot_id: BootId([3; 16]),
            contract: CommitId(1),
            contract_digest: Digest([4; 32]),
            origin: "meters.example/site/g1".into(),
            truth_class: TruthClass::SameDeviceSync,
            truth_degraded: false,
            commit_ptr: CommitId(70_000),
            newest_utc: UtcNs(1_800_000_000_000_000_000),
            statement: Some(Captured::new(&TimeMap::absent(MonoNs(5), UtcNs(-5)).into())),
            ran_in_this_boot: true,
            node_was_away: true,
            boot_to_stable_ns: Some(31_000_000_000),
        }
        .into(),
        Lease {
            stream: "m07".into(),
            attempted: Some(41),
            count: 64,
        }
        .into(),
        Lease {
            stream: "m07".into(),
            attempted: None,
            count: 64,
        }
        .into(),
        Leased {
            stream: "m07".into(),
            next: 42,
            end: 106,
        }
        .into(),
        SlotFloor {
            schedule: ScheduleId::new("quarter").unwrap(),
        }
        .into(),
        SlotStart {
            schedule: ScheduleId::new("quarter").unwrap(),
            version: 1,
            number: 1_900_000,
            anchor: MonoNs(u64::MAX),
        }
        .into(),
        Submit {
            submission_id: 5,
            stream: "m07".into(),
            stream_seq: Some(42),
            records: vec![event(), event()],
        }
        .into(),
        Accepted {
            submission_id: 5,
            first_commit: CommitId(70_000),
            count: 2,
        }
        .into(),
        Refused {
            submission_id: 6,
            reason: RefuseReason::Order,
            detail: "41 after 42".into(),
        }
        .into(),
    ]
}

fn reports() -> Vec<Message> {
    let counter = Counter {
        name: "drift_estimate".into(),
        label: Some("slow".into()),
        state: CounterState::Value,
        value: Some(20_000),
        source: SourceId::new("time").unwrap(),
    };
    let snapshot = CounterSnapshot {
        at: MonoNs(5),
        counters: vec![counter],
    };
    vec![
        TimeStatement {
            submission_id: 7,
            statement: Captured::new(&TimeMap::absent(MonoNs(5), UtcNs(-5)).into()),
            journal: true,
            events: vec![event()],
            counters: Captured::new(&snapshot.into()),
        }
        .into(),
        offer(3),
        TakeOffers {}.into(),
        Offers {
            offers: [1, 2].map(an_offer).to_vec(),
            dropped: 7,
        }
        .into(),
        ProcessEvent {
            submission_id: 8,
            event: event(),
        }
        .into(),
        AckReport {
            submission_id: 9,
            report: event(),
        }
        .into(),
        PersonEntry {
            submission_id: 10,
            entry: event(),
        }
        .into(),
    ]
}

fn of_the_feed() -> Vec<Message> {
    vec![
        FeedPull {
            cursor: CommitId(3),
            kinds: vec![Kind::Reading, Kind::Loss],
            max: 256,
            wait_ms: 1_000,
        }
        .into(),
        FeedBatch {
            entries: vec![FeedEntry {
                commit_id: CommitId(3),
                leaf: Leaf(vec![9; 300]),
            }],
            next_cursor: CommitId(6),
            commit_ptr: CommitId(6),
            holes: vec![Hole {
                first: CommitId(4),
                count: 2,
                cause: LossCause::FrameDamaged,
                hashes: vec![Digest([1; 32])],
                named_by: CommitId(5),
            }],
        }
        .into(),
        FrontierAt { size: 6 }.into(),
        Frontier {
            size: 6,
            hashes: vec![Digest([1; 32]), Digest([2; 32])],
        }
        .into(),
        SealedHead {}.into(),
        Head {
            size: 6,
            note: Some(NoteText("origin\n6\n…\n".into())),
            cosigned_size: 4,
            witnessed_size: 4,
        }
        .into(),
        Head {
            size: 0,
            note: None,
            cosigned_size: 0,
            witnessed_size: 0,
        }
        .into(),
        Status {}.into(),
        StatusReport {
            json: StatusText("{}".into()),
        }
        .into(),
        Stop {}.into(),
        Error {
            code: ErrorCode::Rollback,
            text: "size 5 after 6".into(),
            fault: None,
        }
        .into(),
    ]
}

fn with_the_signer() -> Vec<Message> {
    vec![
        SignCheckpoint {
            rotations: 3,
            origin: "o/g1".into(),
            size: 6,
            root: Digest([5; 32]),
            plain_shown: Some(7),
        }
        .into(),
        SignedNote {
            note: NoteText("o/g1\n".into()),
            custody: Custody::Software,
            bound: vec![BoundHead {
                counter: CounterKind::Plain,
                value: 7,
                attest: Blob(vec![0xff]),
                signature: Blob(vec![0x30]),
            }],
            unbound: Some("the orderly counter is not defined".into()),
            unbound_fault: Some(KeyFault::CounterUndefined),
            uses: Vec::new(),
            rollback_attempts: 1,
            signature_failures: 2,
            turned_away: vec![TurnedAway {
                uid: 7,
                count: 2,
                malformed: 1,
                rotations: 3,
                firmware_steps: 4,
            }],
            began: MonoNs(5),
        }
        .into(),
    ]
}

pub(crate) fn samples() -> Vec<Message> {
    [
        with_the_recorder(),
        of_pulses(),
        wires::of_wires(),
        of_work(),
        field::samples(),
        reports(),
        of_the_feed(),
        with_the_signer(),
        statements::of_what_it_is(),
        statements::of_rotations(),
        statements::samples(),
    ]
    .concat()
}

#[test]
fn every_message_comes_back_from_its_bytes() {
    for message in samples() {
        let bytes = message.encode();
        assert_eq!(
            Message::decode(&bytes).as_ref(),
            Ok(&message),
            "{}",
            message.name()
        );
        let longer = [&bytes[..], &[0]].concat();
        assert!(Message::decode(&longer).is_err(), "{}", message.name());
        for cut in 0..bytes.len() {
            assert!(
                Message::decode(&bytes[..cut]).is_err(),
                "{} cut at {cut}",
                message.name()
            );
        }
    }
}

#[test]
fn the_samples_leave_no_message_out_and_no_number_is_used_twice() {
    let mut codes: Vec<u64> = samples().iter().map(Message::code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut declared = Message::CODES.to_vec();
    declared.sort_unstable();
    assert_eq!(codes, declared);
}

#[test]
fn what_this_version_does_not_know_is_named() {
    let table: [(&[u8], &str); 4] = [
        (
            &[0x82, 0x18, 63, 0xA0],
            "byte 1: value outside the range of the messages",
        ),
        (&[0x82, 0x13, 0xA1, 0x00, 0x00], "key 0 is unknown"),
        (&[0x82, 0x0F, 0xA0], "required key 0 is missing"),
        (
            &[0x82, 0x00, 0xA2, 0x00, 0x17, 0x01, 0x60],
            "the error codes of this version",
        ),
    ];
    for (bytes, expected) in table {
        let error = Message::decode(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// What the recorder's arithmetic promises: a batch within the budget is always sendable.
#[test]
fn a_batch_filled_to_its_budget_fits_a_message() {
    let leaf = |bytes: usize| FeedEntry {
        commit_id: CommitId(u64::MAX),
        leaf: Leaf(vec![0; bytes]),
    };
    let hole = Hole {
        first: CommitId(u64::MAX),
        count: u64::MAX,
        cause: LossCause::Pruned,
        hashes: vec![Digest([0; 32]); RANGE_HASHES_MAX],
        named_by: CommitId(u64::MAX),
    };
    for leaf_bytes in [1, 23, 24, 255, 256, 40_000, 0xFFFF] {
        let mut left = FEED_BYTES_MAX - hole.wire_bytes_max();
        let mut entries = Vec::new();
        let entry = leaf(leaf_bytes);
        while let Some(rest) = left.checked_sub(entry.wire_bytes_max()) {
            if entries.len() == crate::limits::LIST_LEN_MAX {
                break;
            }
            left = rest;
            entries.push(entry.clone());
        }
        let batch = Message::from(FeedBatch {
            entries,
            next_cursor: CommitId(u64::MAX),
            commit_ptr: CommitId(u64::MAX),
            holes: vec![hole.clone()],
        });
        assert!(batch.fits(), "{leaf_bytes}");
        assert!(Message::decode(&batch.encode()).is_ok());
    }
}

#[test]
fn an_error_text_is_cut_to_what_a_peer_reads() {
    let error = Message::error(ErrorCode::Internal, "\u{e4}".repeat(5_000));
    assert!(Message::decode(&error.encode()).is_ok());
    assert!(error.encode().len() < MESSAGE_BYTES_MAX);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }

    /// Damage is either refused or another valid message with exactly these bytes.
    #[test]
    fn damaged_messages_have_one_reading_or_none(
        sample in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        mask in 1u8..=255,
    ) {
        let samples = samples();
        let mut bytes = sample.get(&samples).encode();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }
}
