//! Gaps of a card: its points are due on slots as a meter's are, and each record has a number of its own.

use super::Log;
use contract::Contract;
use evidence::kinds::{Analog, Loss, PulseCount, Soe};
use evidence::reasons::{AnalogCause, CountBasis, LossCause, MarkerKind, QualityReason, SoeChange};
use evidence::{CommitId, Decimal, MeterId, MonoNs, PointId, Quality, Seq, Slot, SourceId};

const CARD: &str = "[[card]]\nid = \"tcp\"\nkind = \"recording\"\npath = \"/dev/null\"\n\
    [[debounce]]\nid = \"p\"\nwindow = \"1ms\"\n\
    [[di]]\nid = \"door\"\ncard = \"tcp\"\nline = 1\ndebounce = \"p\"\n\
    [[pulse]]\nid = \"water\"\ncard = \"tcp\"\nline = 2\ndebounce = \"p\"\nschedule = \"fast\"\n\
    [[ai]]\nid = \"temp\"\ncard = \"tcp\"\nchannel = \"temp1_input\"\nschedule = \"fast\"\n";

/// A log of a card with a door, a pulse meter and a temperature, whose slots begin with 100.
fn log() -> Log {
    let text = format!(
        "[station]\norigin = \"example.org/gaps\"\n[[schedule]]\nid = \"fast\"\nevery = \"1s\"\n{CARD}"
    );
    let contract: Contract = contract::parse(&text).unwrap();
    let mut log = Log::empty();
    for part in contract.parts(MonoNs(0)) {
        log.put(part);
    }
    log.marker(MarkerKind::ScheduleStart, slot(100));
    log
}

fn slot(number: u64) -> Slot {
    Slot { version: 1, number }
}

fn card() -> SourceId {
    SourceId::new("tcp").unwrap()
}

fn door(seq: u64) -> Soe {
    Soe {
        at: MonoNs(0),
        point_id: PointId::new("door").unwrap(),
        source: card(),
        line: 1,
        seq: Seq(seq),
        change: SoeChange::Edge,
        value: Some(true),
        quality: Quality::GOOD,
        policy: "p".to_owned(),
        window_us: 1_000,
        confirmed_at: None,
        bounce_from: None,
        marker: None,
        count: None,
        loss: None,
        contract: CommitId(0),
    }
}

fn water(seq: u64, number: u64) -> PulseCount {
    PulseCount {
        at: MonoNs(0),
        point_id: PointId::new("water").unwrap(),
        source: card(),
        line: 2,
        seq: Seq(seq),
        slot: Some(slot(number)),
        count: seq,
        pulse_at: None,
        value: None,
        quality: Quality::GOOD,
        basis: CountBasis::Live,
        suspect: 0,
        policy: "p".to_owned(),
        window_us: 1_000,
        contract: CommitId(0),
    }
}

fn temp(seq: u64, number: u64, raw: Option<i128>) -> Analog {
    let raw = raw.map(|raw| Decimal::new(raw, 0).unwrap());
    Analog {
        at: MonoNs(0),
        point_id: PointId::new("temp").unwrap(),
        source: card(),
        channel: "temp1_input".to_owned(),
        seq: Seq(seq),
        slot: Some(slot(number)),
        cause: AnalogCause::Cyclic,
        raw,
        value: raw,
        quality: match raw {
            Some(_) => Quality::GOOD,
            None => Quality::invalid(QualityReason::SourceLost),
        },
        contract: CommitId(0),
        calibration: None,
    }
}

/// What is missing, a line each: slot, count of slots, points, class, cause.
fn missing(log: &Log) -> Vec<String> {
    let report = log.account.report();
    let all = report.missing.iter().map(|one| {
        let points: Vec<&str> = one.points.iter().map(PointId::as_str).collect();
        format!(
            "{} {} {} {} {}",
            one.slot.number,
            one.slots,
            points.join("+"),
            one.class,
            one.cause
        )
    });
    all.collect()
}

//= A4.3
//= A4.6
#[test]
fn slots_of_a_card_are_due_for_each_of_its_points_and_a_value_that_was_not_there_has_its_cause() {
    let mut log = log();
    log.put(water(0, 100));
    log.put(temp(1, 100, Some(20)));
    log.put(door(2));
    log.put(water(3, 101));
    log.put(temp(4, 101, None));
    log.put(water(5, 102));
    // The temperature of 102 and all of 103 never came.
    log.put(water(6, 104));
    log.put(temp(7, 104, Some(21)));
    log.marker(MarkerKind::Heartbeat, slot(104));
    assert_eq!(
        missing(&log),
        [
            "101 1 temp IF_ERR source_lost",
            "102 1 temp UNEXPLAINED UNEXPLAINED",
            "103 1 water+temp UNEXPLAINED UNEXPLAINED",
        ]
    );
    let report = log.account.report();
    assert_eq!((report.due, report.captured, report.duplicates), (5, 6, 0));
    assert_eq!(report.seq_findings.len(), 0);
    let card = MeterId::new("tcp").unwrap();
    assert!(log.account.meters().contains(&card));
    assert_eq!(report.cards, [card.clone()].into());
    let summary = report.meters.get(&card).unwrap();
    assert_eq!((summary.due, summary.missing), (10, 4));
}

//= A4.3
#[test]
fn numbers_of_a_card_that_no_record_has_are_found_and_a_loss_between_them_explains_them() {
    let mut log = log();
    for seq in [0, 1, 2] {
        log.put(door(seq));
    }
    let lost = log.next;
    log.next += 2;
    log.put(door(5));
    log.put(door(8));
    let found = |log: &Log| -> Vec<String> {
        let report = log.account.report();
        let findings = report.seq_findings.iter();
        let said = findings.map(|one| format!("{} {} {}", one.first, one.count, one.class));
        said.collect()
    };
    log.put(Loss {
        at: MonoNs(0),
        first: CommitId(lost),
        count: 2,
        cause: LossCause::FrameDamaged,
        hashes: Vec::new(),
        segment: 0,
        offset_bytes: 0,
        before: Vec::new(),
    });
    assert_eq!(found(&log), ["3 2 COMMIT_GAP", "6 2 UNEXPLAINED"]);
}
