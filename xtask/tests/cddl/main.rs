//! Entries of every kind, judged by the published CDDL with tools that are not ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod boot;
mod keys;
mod meters;
mod missing;
mod outputs;
mod people;
mod points;
mod registrar;

use evidence::cbor::Writer;
use evidence::kinds::{
    Ack, AttemptFailed, Audit, Checkpoint, Configuration, Counter, CounterSnapshot, EpochStart,
    Event, Marker, MeterReport, Predecessor, Reading, TimeMap,
};
use evidence::reasons::{
    AdoptionCause, AttemptCause, CounterState, Custody, DriftBudget, EpochCause, EventCode,
    HoldoverReason, MarkerKind, OffsetBucket, Outcome, TimeCause, TimeQuality, TimeStatus,
    TruthClass,
};
use evidence::{
    Blob, BootId, Captured, CommitId, Digest, Entry, Epoch, Generation, Header, Kind, MeterId,
    MonoNs, Payload, PointId, Quality, ScheduleId, Seq, Slot, SourceId, Stamp, TimeDetail, UtcNs,
};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

const AT: MonoNs = MonoNs(12_345_678_901);
const SLOT: Slot = Slot {
    version: 1,
    number: 99,
};
const DIGEST: Digest = Digest([0xD1; 32]);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn meter() -> MeterId {
    MeterId::new("hall-3/m07").unwrap()
}

fn source() -> SourceId {
    SourceId::new("rs485-1").unwrap()
}

fn schedule() -> ScheduleId {
    ScheduleId::new("every-15-min").unwrap()
}

fn entry(captured: Captured, stamp: Stamp) -> Vec<u8> {
    let header = Header {
        kind: captured.kind,
        generation: Generation(1),
        commit_id: CommitId(70_000),
        epoch: Epoch(2),
    };
    Entry {
        header,
        stamp,
        captured,
    }
    .encode()
}

fn synced() -> Stamp {
    Stamp {
        timestamp: UtcNs(1_700_000_000_000_000_000),
        quality: TimeQuality::Synced,
        status: TimeStatus::Locked,
        bound_ns: Some(250_000),
        detail: TimeDetail::Offset(OffsetBucket::Below100Us),
    }
}

fn alone() -> Stamp {
    Stamp {
        timestamp: UtcNs(-1),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    }
}

/// An entry of the kind: with every field, or with only those that it must have.
fn sample(kind: Kind, full: bool) -> Vec<u8> {
    let payload = capture_sample(kind, full).unwrap_or_else(|| record_sample(kind, full));
    assert_eq!(payload.kind(), kind);
    entry(
        Captured::new(&payload),
        if full { synced() } else { alone() },
    )
}

fn reading(full: bool) -> Payload {
    Reading {
        at: AT,
        meter_id: meter(),
        point_id: PointId::new("energy").unwrap(),
        source: source(),
        seq: Seq(u64::MAX),
        slot: full.then_some(SLOT),
        attempt: 0,
        raw: Blob(vec![0, 1, 0, 2]),
        value: full.then(|| "-655.38".parse().unwrap()),
        quality: Quality::GOOD,
        contract: CommitId(1),
    }
    .into()
}

fn event(code: EventCode, full: bool) -> Payload {
    Event {
        at: AT,
        code,
        source: source(),
        meter_id: full.then(meter),
        seq: full.then_some(Seq(3)),
        about_seq: full.then_some(Seq(2)),
        count: full.then_some(4),
        detail: full.then(|| "came 80 ms late".into()),
        sample: full.then(|| Blob(vec![7; 260])),
        time_cause: full.then_some(TimeCause::Unexplained),
        moved_ns: full.then_some(-2_000_000),
    }
    .into()
}

fn attempt_failed(cause: AttemptCause, full: bool) -> Payload {
    AttemptFailed {
        at: AT,
        meter_id: meter(),
        source: source(),
        seq: Seq(41),
        slot: full.then_some(SLOT),
        attempt: 2,
        last: full,
        cause,
        exception: full.then_some(2),
        points: if full {
            vec![PointId::new("energy").unwrap()]
        } else {
            Vec::new()
        },
        sample: full.then(|| Blob(vec![1])),
        contract: CommitId(1),
    }
    .into()
}

/// Kinds that io, time and people produce.
fn capture_sample(kind: Kind, full: bool) -> Option<Payload> {
    Some(match kind {
        Kind::Reading => reading(full),
        Kind::Event => event(EventCode::LateReply, full),
        Kind::AttemptFailed => attempt_failed(AttemptCause::Exception, full),
        Kind::Marker => Marker {
            at: AT,
            marker: MarkerKind::SeqGap,
            source: source(),
            schedule: full.then(schedule),
            slot: full.then_some(SLOT),
            meter_id: full.then(meter),
            seq: full.then_some(Seq(5)),
            count: full.then_some(6),
            last_attempt: full.then_some(AT),
            last_reply: full.then_some(AT),
        }
        .into(),
        Kind::TimeMap if full => TimeMap {
            at: AT,
            as_of: AT,
            utc: UtcNs(1),
            quality: TimeQuality::Synced,
            status: TimeStatus::Locked,
            bound_ns: Some(1),
            bound_growth_ppb: u32::MAX,
            valid_until: AT,
            detail: TimeDetail::Offset(OffsetBucket::FromOneS),
            basis: "chrony".into(),
            initial_ns: Some(1),
            frequency_ns: Some(2),
            temperature_ns: Some(3),
            ageing_ns: Some(4),
            asymmetry_ns: Some(5),
            drift_budget: Some(DriftBudget::Spent),
            sync_age_ns: Some(6),
        }
        .into(),
        Kind::TimeMap => TimeMap::absent(AT, UtcNs(0)).into(),
        Kind::MeterReport => MeterReport {
            at: AT,
            meter_id: meter(),
            source: source(),
            seq: Seq(70),
            slot: full.then_some(SLOT),
            attempt: 1,
            serial: full.then(|| "12345678".into()),
            manufacturer: full.then(|| "LUG".into()),
            version: full.then_some(4),
            medium: full.then_some(4),
            access_number: full.then_some(255),
            status: full.then_some(0),
            clock: full.then(|| "2026-11-29T12:00:00".into()),
            telegrams: 1,
            contract: CommitId(3),
            summer_time: full.then_some(true),
        }
        .into(),
        Kind::Soe
        | Kind::PulseCount
        | Kind::Analog
        | Kind::Calibration
        | Kind::Excursion
        | Kind::ResetReason
        | Kind::ModemReport => points::sample(kind, full),
        Kind::MeterLife => meters::life(full),
        Kind::Backfill => meters::backfill(full),
        Kind::ClockOrder => meters::clock_order(),
        Kind::ClockSet => meters::clock_set(full),
        Kind::Opaque => meters::opaque(full),
        Kind::Downtime | Kind::SeqSkip | Kind::Loss | Kind::Unkept => missing::sample(kind, full),
        Kind::Command | Kind::Output | Kind::Tag => outputs::sample(kind, full),
        Kind::Boot | Kind::Attestation | Kind::Firmware => return boot::sample(kind, full),
        Kind::KeyStore | Kind::Binding | Kind::Unsealed | Kind::Rollback | Kind::KeyUse => {
            return keys::sample(kind, full);
        }
        _ => return registrar::sample(kind, full).or_else(|| people::sample(kind, full)),
    })
}

/// Kinds that the recorder and the uplink produce.
fn record_sample(kind: Kind, full: bool) -> Payload {
    match kind {
        Kind::Audit => Audit {
            at: AT,
            actor: evidence::Actor::node("recorder"),
            action: "activate".into(),
            reason: "new contract".into(),
            scope: "contract".into(),
            outcome: Outcome::Done,
            diff: full.then(|| "+1 meter".into()),
        }
        .into(),
        Kind::CounterSnapshot => counters(full),
        Kind::Checkpoint => Checkpoint {
            at: AT,
            size: 70_000,
            root: DIGEST,
            note: "origin\n70000\n".into(),
            custody: Custody::Software,
        }
        .into(),
        Kind::Ack => Ack {
            at: AT,
            collector: "collector.example".into(),
            size: 70_000,
            root: DIGEST,
            cosignature: "\u{2014} collector.example AAAA".into(),
        }
        .into(),
        Kind::EpochStart => epoch(full),
        Kind::Configuration => Configuration {
            at: AT,
            digest: DIGEST,
            part: 0,
            parts: 1,
            bytes: Blob(vec![0xC0; if full { 48 * 1_024 } else { 0 }]),
        }
        .into(),
        other => panic!("write a sample for {other:?}"),
    }
}

fn counters(full: bool) -> Payload {
    let counter = |state, value| Counter {
        name: "if_err_cnt".into(),
        label: full.then(|| "m07".into()),
        state,
        value,
        source: source(),
    };
    let all = vec![
        counter(CounterState::Value, Some(3)),
        counter(CounterState::Unsupported, None),
    ];
    let counters = if full { all } else { Vec::new() };
    CounterSnapshot { at: AT, counters }.into()
}

fn epoch(full: bool) -> Payload {
    EpochStart {
        at: AT,
        cause: EpochCause::Adoption,
        boot_id: BootId([0xB0; 16]),
        truth_class: TruthClass::SameDeviceSync,
        truth_degraded: !full,
        rolled_forward: 1,
        dropped_bytes: 2,
        scan_bytes: 3,
        recovery_us: 4,
        predecessor: full.then(|| Predecessor {
            generation: Generation(0),
            size: 12,
            root: DIGEST,
            checkpoint: Some("origin\n12\n".into()),
            cause: Some(AdoptionCause::Restored),
        }),
    }
    .into()
}

/// What the validator says to each entry.
fn judge(entries: &[Vec<u8>]) -> Vec<String> {
    let venv = env::var_os("FIELDNOTARY_PEERS")
        .map_or_else(|| root().join("target/peers/venv"), PathBuf::from);
    let python = venv.join("bin/python");
    assert!(
        python.exists(),
        "the test peers are missing: run `cargo xtask setup` first, or `cargo xtask test`"
    );
    let mut validator = Command::new(python)
        .arg(root().join("xtask/tests/validate_entries.py"))
        .arg(root().join("spec/entry.cddl"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for entry in entries {
        for byte in entry {
            write!(lines, "{byte:02x}").unwrap();
        }
        lines.push('\n');
    }
    // It reads a line and answers it, so both directions must flow at once.
    let mut stdin = validator.stdin.take().unwrap();
    let feed = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = validator.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the validator could not read the schema, see above"
    );
    feed.join().unwrap().unwrap();
    let verdicts: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(verdicts.len(), entries.len());
    verdicts
}

#[test]
fn the_published_schema_is_the_generated_one() {
    let published = fs::read_to_string(root().join("spec/entry.cddl")).unwrap();
    let current = published.trim_end() == evidence::cddl().trim_end();
    assert!(
        current,
        "spec/entry.cddl is out of date: run `cargo xtask spec`"
    );
}

//= A2.1
//= A2.2
#[test]
fn an_entry_of_every_kind_is_valid_for_an_independent_tool() {
    let mut names = Vec::new();
    let mut entries = Vec::new();
    for kind in Kind::ALL {
        for full in [true, false] {
            names.push(format!("{} full={full}", kind.name()));
            entries.push(sample(*kind, full));
        }
    }
    for code in EventCode::ALL {
        names.push(format!("event {code}"));
        entries.push(entry(Captured::new(&event(*code, true)), synced()));
    }
    for cause in AttemptCause::ALL {
        names.push(format!("attempt_failed {cause}"));
        entries.push(entry(
            Captured::new(&attempt_failed(*cause, false)),
            alone(),
        ));
    }
    for (name, verdict) in names.iter().zip(judge(&entries)) {
        assert_eq!(verdict, "valid", "{name}");
    }
}

/// A configuration entry's capture bytes, with what `change` makes of its map.
fn configuration(len: usize, change: impl Fn(&mut Writer)) -> Vec<u8> {
    let mut capture = Writer::new();
    capture.map(len);
    change(&mut capture);
    let captured = Captured {
        kind: Kind::Configuration,
        capture: capture.into_bytes(),
        record_crc: 0,
    };
    entry(captured, synced())
}

fn fields(writer: &mut Writer, keys: std::ops::RangeInclusive<u64>) {
    for key in keys {
        writer.uint(key);
        match key {
            1 => writer.bytes(&[0; 32]),
            4 => writer.bytes(&[]),
            _ => writer.uint(1),
        }
    }
}

#[test]
fn a_damaged_or_foreign_entry_is_refused_by_the_independent_tool() {
    let whole = sample(Kind::Reading, true);
    let with = |place: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[place] = byte;
        bytes
    };
    let cases = [
        ("a byte short", whole[..whole.len() - 1].to_vec()),
        ("a byte too many", [whole.as_slice(), &[0]].concat()),
        ("the kind of another payload", with(2, 2)),
        ("a kind that does not exist", with(2, 0x17)),
        ("not an array", with(0, 0xA4)),
        (
            "a required field left out",
            configuration(4, |w| fields(w, 0..=3)),
        ),
        (
            "a field that no version knows",
            configuration(6, |w| {
                fields(w, 0..=4);
                w.uint(99);
                w.uint(0);
            }),
        ),
        (
            "a digest of the wrong length",
            configuration(5, |w| {
                w.uint(0);
                w.uint(1);
                w.uint(1);
                w.bytes(&[0; 31]);
                fields(w, 2..=4);
            }),
        ),
        (
            "text where a number belongs",
            configuration(5, |w| {
                w.uint(0);
                w.text("noon");
                fields(w, 1..=4);
            }),
        ),
        ("nothing", Vec::new()),
    ];
    let control = configuration(5, |w| fields(w, 0..=4));
    let mut entries: Vec<Vec<u8>> = cases.iter().map(|(_, entry)| entry.clone()).collect();
    entries.push(control);
    let mut verdicts = judge(&entries);
    assert_eq!(
        verdicts.pop().unwrap(),
        "valid",
        "the unchanged entry of the same making"
    );
    for ((name, _), verdict) in cases.iter().zip(verdicts) {
        assert!(verdict.starts_with("refused: "), "{name}: {verdict}");
    }
}
