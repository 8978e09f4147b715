//! The screens as golden files, over one log. `BLESS=1` writes them anew; read what changed.

use super::{history, now, plot, svg, why};
use evidence::kinds::{Counter, CounterSnapshot, EpochStart, Event, TimeMap};
use evidence::reasons::{
    CounterState, EpochCause, EventCode, HoldoverReason, OffsetBucket, TimeCause, TimeQuality,
    TimeStatus, TruthClass,
};
use evidence::{
    BootId, Captured, CommitId, Entry, Epoch, Generation, Header, MonoNs, Payload, SourceId,
    TimeDetail, UtcNs,
};
use query::{Asked, Span, TimeAccount};
use std::path::Path;

const S: u64 = 1_000_000_000;
/// 2026-11-20T00:00:00Z.
const DAY: i64 = 1_795_132_800_000_000_000;

struct Log {
    account: TimeAccount,
    next: u64,
    map: TimeMap,
}

impl Log {
    fn put(&mut self, payload: impl Into<Payload>) {
        let payload = payload.into();
        let entry = Entry {
            header: Header {
                kind: payload.kind(),
                generation: Generation(1),
                commit_id: CommitId(self.next),
                epoch: Epoch(1),
            },
            stamp: self.map.evaluate(payload.at()),
            captured: Captured::new(&payload),
        };
        self.account.observe(&entry);
        self.next += 1;
    }

    fn map(&mut self, at: u64, off_ns: i64, quality: TimeQuality, bound_ns: u64) {
        let (status, detail) = match quality {
            TimeQuality::Synced => (
                TimeStatus::Locked,
                TimeDetail::Offset(OffsetBucket::Below1Us),
            ),
            _ => (
                TimeStatus::Holdover,
                TimeDetail::Holdover(HoldoverReason::SourceLost),
            ),
        };
        self.map = TimeMap {
            quality,
            status,
            detail,
            bound_ns: Some(bound_ns),
            bound_growth_ppb: 1_000,
            initial_ns: Some(bound_ns / 2),
            frequency_ns: Some(bound_ns / 2),
            basis: "ptp4l".to_owned(),
            sync_age_ns: Some(S),
            ..TimeMap::absent(
                MonoNs(at * S),
                UtcNs(DAY + off_ns + i64::try_from((at - 100) * S).unwrap()),
            )
        };
        self.put(self.map.clone());
    }

    fn event(&mut self, at: u64, code: EventCode, cause: TimeCause, count: u64) {
        self.put(Event {
            count: Some(count),
            detail: Some(cause.meaning().to_owned()),
            time_cause: Some(cause),
            ..Event::new(MonoNs(at * S), code, SourceId::new("time").unwrap())
        });
    }

    /// Locked, lost, stepped with a cause, and stepped back without one.
    fn story(asked: Asked) -> TimeAccount {
        let mut log = Self::begin(asked);
        log.map(110, 0, TimeQuality::Synced, 1_000);
        log.map(150, 0, TimeQuality::Holdover, 5_000);
        log.event(150, EventCode::SyncLost, TimeCause::EventPathLoss, 0);
        log.map(200, 5_000_000, TimeQuality::Holdover, 5_005_000);
        log.event(200, EventCode::TimeStep, TimeCause::SetByProgram, 5_000_000);
        log.map(300, 0, TimeQuality::Holdover, 10_005_000);
        log.event(300, EventCode::TimeStep, TimeCause::Unexplained, 5_000_000);
        log.map(340, 0, TimeQuality::Holdover, 10_105_000);
        log.account
    }

    /// The node's first start.
    fn begin(asked: Asked) -> Self {
        let map = TimeMap::absent(MonoNs(100 * S), UtcNs(DAY));
        let mut log = Self {
            account: TimeAccount::asking(asked),
            next: 0,
            map,
        };
        log.put(EpochStart::new(
            MonoNs(100 * S),
            EpochCause::FirstStart,
            BootId([1; 16]),
            TruthClass::Independent,
        ));
        log
    }

    fn offer(&mut self, at: u64, from: &str, refused: Option<TimeCause>) {
        let (code, why) = match refused {
            Some(cause) => (EventCode::SyncRequestRefused, cause.meaning()),
            None => (
                EventCode::OfferTaken,
                "the node's clock is 4 ms ahead of it, known to 9 ms",
            ),
        };
        self.put(Event {
            count: Some(1),
            detail: Some(format!("{from}: {why}")),
            time_cause: refused,
            ..Event::new(MonoNs(at * S), code, SourceId::new(from).unwrap())
        });
    }
}

fn golden(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/commands/time/goldens")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, shown).unwrap();
    }
    let due = std::fs::read_to_string(&path).unwrap();
    assert_eq!(shown, due, "{name}:\n{shown}");
}

/// What ptp4l showed when counters were taken last, and that it was late then.
//= R7.2
#[test]
fn the_health_of_ptp_is_shown_with_its_doubt() {
    for (state, file) in [
        (CounterState::Value, "now-ptp.txt"),
        (CounterState::Stale, "now-ptp-stale.txt"),
    ] {
        let mut log = Log::begin(Asked::Time(UtcNs(DAY)));
        log.map(110, 0, TimeQuality::Synced, 1_000);
        let counter = |name: &str, label: Option<&str>, value: Option<u64>| Counter {
            name: name.to_owned(),
            label: label.map(str::to_owned),
            state: value.map_or(CounterState::Unsupported, |_| state),
            value,
            source: SourceId::new("time").unwrap(),
        };
        log.put(CounterSnapshot {
            at: MonoNs(111 * S),
            counters: vec![
                counter("gm_id", Some("02464e.fffe.474d01"), Some(6)),
                counter("domain", None, Some(24)),
                counter("profile", Some("C37.238-2017"), Some(2_017)),
                counter("port_state", Some("SLAVE"), Some(1)),
                counter("offset", Some("behind"), Some(412)),
                counter("path_delay", None, Some(23_470)),
                counter("jitter", None, Some(96)),
                counter("hw_timestamping", None, Some(0)),
                counter("pkt_loss", None, Some(1)),
                counter("out_of_order", None, None),
            ],
        });
        let now = log.account.now().unwrap();
        golden(file, &now::screen(&now, UtcNs(DAY + 20_000_000_000), false));
    }
}

/// What a node says of those who offer it the time, and of the chronyd that is to have it.
//= R6.8
#[test]
fn who_offers_the_time_is_named_with_its_last_verdict() {
    let mut log = Log::begin(Asked::Time(UtcNs(DAY + 70 * 1_000_000_000)));
    log.map(110, 0, TimeQuality::Synced, 1_000);
    log.offer(120, "head-end", None);
    log.offer(130, "scada-1", Some(TimeCause::OfferUntrusted));
    log.event(140, EventCode::RefclockFault, TimeCause::DaemonGone, 0);
    log.map(150, 0, TimeQuality::Synced, 1_000);
    log.offer(180, "head-end", Some(TimeCause::OfferTooFar));
    log.map(200, 0, TimeQuality::Synced, 1_000);
    let now = log.account.now().unwrap();
    golden(
        "now-offered.txt",
        &now::screen(&now, UtcNs(DAY + 250_000_000_000), false),
    );
    let verdicts = |of: &serde_json::Value| {
        let all = of["offered"].as_array().unwrap().iter();
        let pair = |one: &serde_json::Value| {
            let word = |key| one[key].as_str().unwrap().to_owned();
            (word("from"), word("verdict"))
        };
        all.map(pair).collect::<Vec<_>>()
    };
    let pair = |from: &str, verdict: &str| (from.to_owned(), verdict.to_owned());
    let untrusted = pair("scada-1", "offer_untrusted");
    assert_eq!(
        verdicts(&now.json()),
        [pair("head-end", "offer_too_far"), untrusted.clone()]
    );
    assert_eq!(now.json()["refclock"]["code"], "refclock_fault");
    // At 70 s the head-end's was still taken.
    let why = log.account.why().unwrap();
    golden("why-offered.txt", &why::screen(&why));
    assert_eq!(
        verdicts(&why.json()),
        [pair("head-end", "taken"), untrusted]
    );
}

//= R1.2
#[test]
fn the_screens_are_what_was_reviewed() {
    let at = |seconds: i64| Asked::Time(UtcNs(DAY + seconds * 1_000_000_000));
    let account = Log::story(at(105));
    let screen = plot::Screen {
        columns: 80,
        blocks: false,
    };
    let whole = account.history(Span::default());
    let drawn = plot::plot(&whole, &screen);
    let one_screen = format!("{drawn}\n{}", history::totals(&whole));
    assert!(one_screen.lines().count() <= 24, "{one_screen}");
    assert!(
        one_screen.lines().all(|line| line.len() <= 160),
        "{one_screen}"
    );
    golden(
        "history.txt",
        &format!("{one_screen}\n{}", history::rows(&whole, None)),
    );
    let said = why::screen(&account.why().unwrap());
    golden("why.txt", &said);
    // What the document shows is what is shown.
    let document = include_str!("../../../../../docs/time.md");
    assert!(document.contains(said.trim_end()), "{said}");
    golden(
        "why-unexplained.txt",
        &why::screen(&Log::story(at(230)).why().unwrap()),
    );
    let shown = now::screen(&account.now().unwrap(), UtcNs(DAY + 250_000_000_000), false);
    assert!(shown.lines().count() <= 24, "{shown}");
    golden("now.txt", &shown);
    golden("history.svg", &svg::drawing(&whole));
}
