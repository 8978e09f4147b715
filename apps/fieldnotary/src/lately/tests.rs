//! States of meters and of the link, and the report's bound.

use super::Lately;
use contract::Contract;
use evidence::kinds::{AttemptFailed, Event, Reading};
use evidence::reasons::{AttemptCause, EventCode, HoldoverReason, TimeQuality, TimeStatus};
use evidence::{Blob, CommitId, MonoNs, Payload, Quality, Seq, SourceId, Stamp, TimeDetail, UtcNs};
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
    AttemptFailed {
        at: MonoNs(1),
        meter_id: meter.parse().unwrap(),
        source: SourceId::new("lan").unwrap(),
        seq: Seq(2),
        slot: None,
        attempt: 0,
        last: true,
        cause,
        exception: None,
        points: Vec::new(),
        contract: CommitId(1),
        sample: None,
    }
    .into()
}

fn uplink(code: EventCode, detail: &str) -> Payload {
    Event {
        at: MonoNs(1),
        code,
        source: SourceId::new("uplink").unwrap(),
        meter_id: None,
        seq: None,
        about_seq: None,
        count: None,
        detail: Some(detail.to_owned()),
        sample: None,
        time_cause: None,
        moved_ns: None,
    }
    .into()
}

/// What is told at `now_s` of entries, one a second.
fn told(contract: &Contract, entries: &[Payload], now_s: i64) -> Map<String, Value> {
    let mut lately = Lately::default();
    for (place, payload) in (0u64..).zip(entries) {
        let stamp = Stamp {
            timestamp: UtcNs(i64::try_from(place).unwrap() * S),
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
        };
        lately.observe(CommitId(place), &stamp, payload);
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
    ] {
        assert_eq!(state(&entries, now_s), expected, "{entries:?}");
    }
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
