//! States of meters and of the link, and the report's bound.

use super::Lately;
use contract::Contract;
use evidence::frozen;
use evidence::kinds::{
    Ack, AttemptFailed, Counter, CounterSnapshot, EpochStart, Event, PulseCount, Reading, Soe,
};
use evidence::reasons::{
    AttemptCause, CountBasis, CounterState, EpochCause, EventCode, HoldoverReason, SoeChange,
    TimeQuality, TimeStatus, TruthClass,
};
use evidence::{
    Blob, BootId, CommitId, Digest, MonoNs, Payload, Quality, Seq, SourceId, Stamp, TimeDetail,
    UtcNs,
};
use serde_json::{Map, Value};
use std::fmt::Write;

const S: i64 = 1_000_000_000;

/// As many meters on one port, read every second.
fn contract(meters: usize) -> Contract {
    let mut text = String::from(
        "[station]\norigin = \"example.org/s\"\n[[port]]\nid = \"lan\"\nkind = \"modbus-tcp\"\n\
         address = \"h:502\"\n[[schedule]]\nid = \"often\"\nevery = \"1s\"\n[[profile]]\nid = \"p\"\n\
         [[profile.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\nunit = \"Wh\"\n\
         [uplink]\nurl = \"https://c\"\nca_file = \"a\"\ncert_file = \"b\"\nkey_file = \"c\"\n\
         collector_key = \"collector.example.org+15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599\"\n",
    );
    for meter in 0..meters {
        let unit = meter % 256;
        let port = match meter / 256 {
            0 => "lan".to_owned(),
            more => format!("lan{more}"),
        };
        if unit == 0 && meter > 0 {
            let _ = write!(
                text,
                "[[port]]\nid = \"{port}\"\nkind = \"modbus-tcp\"\naddress = \"h{meter}:502\"\n"
            );
        }
        let _ = write!(
            text,
            "[[meter]]\nid = \"m{meter}\"\nport = \"{port}\"\nunit = {unit}\nschedule = \"often\"\nprofile = \"p\"\n"
        );
    }
    contract::parse(&text).unwrap()
}

fn reading(meter: &str) -> Payload {
    Reading {
        at: MonoNs(1),
        meter_id: meter.parse().unwrap(),
        point_id: "energy".parse().unwrap(),
        source: SourceId::new("lan").unwrap(),
        seq: Seq(1),
        slot: None,
        attempt: 0,
        raw: Blob(vec![0]),
        value: Some("7".parse().unwrap()),
        quality: Quality::GOOD,
        contract: CommitId(1),
    }
    .into()
}

fn failed(meter: &str, cause: AttemptCause) -> Payload {
    failed_in(2, meter, cause)
}

/// A session that fails, and leaves one point without a reading.
fn failed_in(seq: u64, meter: &str, cause: AttemptCause) -> Payload {
    AttemptFailed {
        at: MonoNs(1),
        meter_id: meter.parse().unwrap(),
        source: SourceId::new("lan").unwrap(),
        seq: Seq(seq),
        slot: None,
        attempt: 0,
        last: true,
        cause,
        exception: (cause == AttemptCause::Exception).then_some(2),
        points: vec!["energy".parse().unwrap()],
        contract: CommitId(1),
        sample: None,
    }
    .into()
}

fn uplink(code: EventCode, detail: &str) -> Payload {
    Event {
        detail: Some(detail.to_owned()),
        ..Event::new(MonoNs(1), code, SourceId::new("uplink").unwrap())
    }
    .into()
}

/// Of an entry, one a second.
fn stamp(place: u64) -> Stamp {
    Stamp {
        timestamp: UtcNs(i64::try_from(place).unwrap() * S),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    }
}

/// What is told at `now_s` of entries, one a second.
fn told(contract: &Contract, entries: &[Payload], now_s: i64) -> Map<String, Value> {
    let mut lately = Lately::default();
    for (place, payload) in (0u64..).zip(entries) {
        lately.observe(CommitId(place), &stamp(place), payload);
    }
    let now = UtcNs(now_s * S);
    let parts = lately.report(contract, now, now).into_iter();
    parts.map(|(name, part)| (name.to_owned(), part)).collect()
}

fn state(entries: &[Payload], now_s: i64) -> String {
    let told = told(&contract(1), entries, now_s);
    let state = told["meter_states"].pointer("/0/state");
    state.and_then(Value::as_str).unwrap().to_owned()
}

#[test]
fn a_meter_answers_fails_is_late_or_was_never_read() {
    let timeout = || failed("m0", AttemptCause::Timeout);
    let stopped = || failed("m0", AttemptCause::Stopped);
    for (entries, now_s, expected) in [
        (vec![], 1, "waiting"),
        (vec![reading("m0")], 1, "answering"),
        (vec![reading("m0")], 60, "late"),
        (vec![reading("m0"), timeout()], 2, "failing"),
        (vec![timeout(), reading("m0")], 2, "answering"),
        (vec![reading("m0"), stopped()], 2, "answering"),
        (
            vec![reading("m0"), failed_in(1, "m0", AttemptCause::Exception)],
            2,
            "partly",
        ),
        (
            vec![failed_in(1, "m0", AttemptCause::Exception), reading("m0")],
            2,
            "partly",
        ),
    ] {
        assert_eq!(state(&entries, now_s), expected, "{entries:?}");
    }
}

/// What holds a meter back is told beside what went wrong with it, and sessions are counted, not attempts.
#[test]
fn a_consequence_does_not_hide_its_cause() {
    let entries = [
        reading("m0"),
        failed_in(2, "m0", AttemptCause::Exception),
        failed_in(2, "m0", AttemptCause::Exception),
        failed_in(3, "m0", AttemptCause::Quarantined),
    ];
    let told = told(&contract(1), &entries, 4);
    let meter = told["meter_states"].pointer("/0").unwrap();
    assert_eq!(meter["cause"], "exception");
    assert_eq!(meter["exception"], 2);
    assert_eq!(meter["held"], "quarantined");
    assert_eq!(meter["failed_in_a_row"], 2);
    assert_eq!(told["ports"].pointer("/0/answering"), Some(&0.into()));
}

/// A card that is lost is told, and what its points said before it stands no more.
//= A2.5
//= R3.4
#[test]
fn what_a_lost_card_said_stands_no_more() {
    let text = "[station]\norigin = \"example.org/s\"\n[[card]]\nid = \"dio\"\nkind = \"gpio\"\n\
                path = \"/dev/gpiochip0\"\n[[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\
                [[di]]\nid = \"door\"\ncard = \"dio\"\nline = 1\ndebounce = \"contact\"\n";
    let contract = contract::parse(text).unwrap();
    let door = || {
        Payload::from(Soe {
            at: MonoNs(1),
            point_id: "door".parse().unwrap(),
            source: SourceId::new("dio").unwrap(),
            line: 1,
            seq: Seq(1),
            marker: None,
            change: SoeChange::Edge,
            value: Some(true),
            quality: Quality::GOOD,
            policy: "none".to_owned(),
            window_us: 0,
            confirmed_at: None,
            bounce_from: None,
            count: None,
            loss: None,
            contract: CommitId(1),
        })
    };
    let event = |code| match uplink(code, "there is no /dev/gpiochip0") {
        Payload::Event(event) => Payload::from(Event {
            source: SourceId::new("dio").unwrap(),
            ..event
        }),
        other => other,
    };
    let lost = || event(EventCode::PortLost);
    for (entries, value, reason) in [
        (vec![door()], Value::from("on"), "none"),
        (vec![door(), lost()], Value::Null, "source_lost"),
        (
            vec![door(), lost(), event(EventCode::PortOpened), door()],
            Value::from("on"),
            "none",
        ),
    ] {
        let told = told(&contract, &entries, 9);
        let point = told["points"].pointer("/0").unwrap();
        assert_eq!(
            (&point["value"], &point["reason"]),
            (&value, &reason.into()),
            "{entries:?}"
        );
    }
}

/// What a card counted last of pulses that were too short, beside its point.
//= R3.4
#[test]
fn glitches_stand_beside_their_point() {
    let text = "[station]\norigin = \"example.org/s\"\n[[card]]\nid = \"dio\"\nkind = \"gpio\"\n\
                path = \"/dev/gpiochip0\"\n[[debounce]]\nid = \"contact\"\nwindow = \"5ms\"\n\
                [[pulse]]\nid = \"water\"\ncard = \"dio\"\nline = 1\ndebounce = \"contact\"\n\
                schedule = \"often\"\n[[schedule]]\nid = \"often\"\nevery = \"1s\"\n";
    let contract = contract::parse(text).unwrap();
    let counter = |name: &str, value| Counter {
        name: name.to_owned(),
        label: Some("water".to_owned()),
        state: CounterState::Value,
        value: Some(value),
        source: SourceId::new("dio").unwrap(),
    };
    let counted = |glitches| -> Payload {
        let counters = vec![counter("edge_cnt", 900), counter("glitch_cnt", glitches)];
        CounterSnapshot {
            at: MonoNs(2),
            counters,
        }
        .into()
    };
    let pulses = PulseCount {
        at: MonoNs(1),
        point_id: "water".parse().unwrap(),
        source: SourceId::new("dio").unwrap(),
        line: 1,
        seq: Seq(1),
        slot: None,
        count: 40,
        pulse_at: None,
        value: None,
        quality: Quality::GOOD,
        basis: CountBasis::Live,
        suspect: 0,
        policy: "contact".to_owned(),
        window_us: 5_000,
        contract: CommitId(1),
    };
    let report = told(&contract, &[counted(3), pulses.into(), counted(7)], 9);
    let point = report["points"].pointer("/0").unwrap();
    assert_eq!(point["glitches"], 7, "{point}");
}

#[test]
fn the_link_keeps_its_cause_and_since_when() {
    let entries = [
        uplink(EventCode::UplinkDown, "refused"),
        reading("m0"),
        uplink(EventCode::UplinkDown, "timeout"),
    ];
    let told = told(&contract(1), &entries, 10);
    let link = &told["uplink"];
    assert_eq!(
        (&link["state"], &link["cause"]),
        (&"down".into(), &"timeout".into())
    );
    assert_eq!(link["since_ms"], 10_000);
    assert_eq!(link["takes_nothing"], true);
}

#[test]
fn a_link_is_reached_since_the_first_answer_of_this_run() {
    let start = || -> Payload {
        let boot = BootId([0; 16]);
        EpochStart::new(
            MonoNs(1),
            EpochCause::OrderlyStart,
            boot,
            TruthClass::SameDeviceSync,
        )
        .into()
    };
    let up = || uplink(EventCode::UplinkUp, "answers");
    let down = || uplink(EventCode::UplinkDown, "refused");
    let link = |entries: &[Payload]| told(&contract(1), entries, 10)["uplink"].clone();

    // Entries are a second apart, the first at the first second.
    let before = link(&[up(), up(), start()]);
    assert_eq!(
        (&before["state"], &before["contacted_since_start"]),
        (&"reached".into(), &false.into())
    );
    assert_eq!(
        (&before["since"], &before["since_ms"]),
        (&Value::Null, &Value::Null)
    );
    let again = link(&[up(), start(), reading("m0"), up(), up()]);
    let first = link(&[start(), reading("m0"), reading("m0"), up(), up()]);
    assert_eq!(again["since"], first["since"]);
    assert_eq!(again["since_ms"], first["since_ms"]);
    assert_eq!(again["contacted_since_start"], true);
    // That it cannot be reached goes on over a start.
    let still = link(&[down(), start(), down()]);
    let never = link(&[down(), reading("m0"), down()]);
    assert_eq!(still["since"], never["since"]);
}

#[test]
fn a_report_on_the_most_meters_fits_its_message_and_lists_the_worst() {
    let contract = contract(contract::limits::METERS_MAX);
    let mut entries: Vec<Payload> = (1..contract::limits::METERS_MAX)
        .map(|id| reading(&format!("m{id}")))
        .collect();
    entries.push(failed("m500", AttemptCause::Timeout));
    let told = told(&contract, &entries, 10_000);
    let bytes = serde_json::to_string(&told).unwrap().len();
    assert!(bytes < ipc::limits::STATUS_BYTES_MAX * 3 / 4, "{bytes}");
    let first = told["meter_states"].pointer("/0/meter_id");
    assert_eq!(first, Some(&"m500".into()));
}

fn acked(size: u64) -> Payload {
    Ack {
        at: MonoNs(1),
        collector: "c".to_owned(),
        size,
        root: Digest([0; 32]),
        cosignature: String::new(),
    }
    .into()
}

/// The first entries of a segment, by what the recorder learned so far.
fn carried(before: &[Payload], size: u64) -> Vec<Payload> {
    let mut lately = Lately::default();
    for (place, payload) in (0u64..).zip(before) {
        lately.observe(CommitId(place), &stamp(place), payload);
    }
    let own = SourceId::new("recorder").unwrap();
    let link = lately.link_frozen();
    let counter = |(name, label, value): (&str, String, u64)| Counter {
        name: name.to_owned(),
        label: Some(label),
        state: CounterState::Value,
        value: Some(value),
        source: own.clone(),
    };
    let counters: Vec<_> = link.map(counter).into_iter().collect();
    assert!(
        counters.iter().all(|one| frozen::is_reserved(&one.name)),
        "nobody else says how the link stands"
    );
    let state = frozen::snapshots(MonoNs(9), &own, &counters);
    let state = state.into_iter().map(Payload::from);
    [acked(size)].into_iter().chain(state).collect()
}

/// Whatever a segment begins with, the collector said nothing for it: a conflict stays one, also where the entry that told it has
/// left the ring.
//= A4.2
#[test]
fn an_acknowledgement_that_is_carried_on_hides_no_trouble_with_the_collector() {
    let start = || -> Payload {
        let boot = BootId([0; 16]);
        let cause = EpochCause::OrderlyStart;
        EpochStart::new(MonoNs(1), cause, boot, TruthClass::SameDeviceSync).into()
    };
    let link = |entries: &[Payload]| told(&contract(1), entries, 60)["uplink"].clone();
    for (code, state) in [
        (EventCode::UplinkConflict, "conflict"),
        (EventCode::UplinkDown, "down"),
        (EventCode::UplinkRefused, "refused"),
    ] {
        let before = vec![acked(7), start(), uplink(code, "a cause, in words")];
        let known = link(&before);
        assert_eq!(
            (&known["state"], &known["takes_nothing"]),
            (&state.into(), &true.into())
        );
        let next = carried(&before, 7);
        // The recorder goes on, and a reader has the newest segment alone.
        let whole = [&before[..], &next].concat();
        for entries in [&whole[..], &next] {
            assert_eq!(link(entries), known, "{state}");
        }
        // What is new was answered.
        let answered = [&next[..], &[acked(8)]].concat();
        assert_eq!(link(&answered)["state"], "reached", "{state}");
        assert_eq!(link(&answered)["cause"], Value::Null, "{state}");
    }
    // That it was reached is no trouble, and goes on as well.
    let before = vec![start(), acked(7)];
    assert_eq!(link(&carried(&before, 7)), link(&before));
}
