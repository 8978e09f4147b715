//! History and answers over logs in the making.

mod node;
mod standing;

use super::{Asked, Cover, JumpKind, Span, TimeAccount, TimeHistory, TimeWhy};
use evidence::kinds::{EpochStart, Event, Marker, TimeMap};
use evidence::reasons::{
    EpochCause, EventCode, HoldoverReason, MarkerKind, OffsetBucket, TimeCause, TimeQuality,
    TimeStatus, TruthClass,
};
use evidence::{
    BootId, Captured, CommitId, Entry, Epoch, Generation, Header, MonoNs, Payload, SourceId,
    TimeDetail, UtcNs,
};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

const S: u64 = 1_000_000_000;
/// 2026-11-20T00:00:00Z.
const DAY: i64 = 1_795_132_800_000_000_000;

/// A log whose entries are stamped as a recorder stamps them.
struct Log {
    account: TimeAccount,
    next: u64,
    epoch: u64,
    map: TimeMap,
}

fn source() -> SourceId {
    SourceId::new("time").unwrap()
}

impl Log {
    fn new(asked: Option<Asked>) -> Self {
        let account = asked.map_or_else(TimeAccount::new, TimeAccount::asking);
        let map = TimeMap::absent(MonoNs(100 * S), UtcNs(DAY));
        let mut log = Self {
            account,
            next: 0,
            epoch: 0,
            map,
        };
        log.start(100 * S, DAY, 1);
        log
    }

    fn put(&mut self, payload: impl Into<Payload>) -> u64 {
        let payload = payload.into();
        let entry = Entry {
            header: Header {
                kind: payload.kind(),
                generation: Generation(1),
                commit_id: CommitId(self.next),
                epoch: Epoch(self.epoch),
            },
            stamp: self.map.evaluate(payload.at()),
            captured: Captured::new(&payload),
        };
        self.account.observe(&entry);
        self.next += 1;
        self.next - 1
    }

    /// A run of the recorder on this boot.
    fn start(&mut self, at: u64, utc: i64, boot: u8) {
        self.epoch += 1;
        self.map = TimeMap::absent(MonoNs(at), UtcNs(utc));
        self.put(EpochStart::new(
            MonoNs(at),
            EpochCause::OrderlyStart,
            BootId([boot; 16]),
            TruthClass::Independent,
        ));
    }

    /// A map at `at`, whose clock stands `off_ns` from where the log's day began.
    fn map(&mut self, at: u64, off_ns: i64, quality: TimeQuality, bound_ns: Option<u64>) -> u64 {
        let (status, detail) = match quality {
            TimeQuality::Synced => (
                TimeStatus::Locked,
                TimeDetail::Offset(OffsetBucket::Below1Us),
            ),
            TimeQuality::Holdover => (
                TimeStatus::Holdover,
                TimeDetail::Holdover(HoldoverReason::SourceLost),
            ),
            TimeQuality::RtcOnly => (
                TimeStatus::FreeRun,
                TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
            ),
        };
        let since = i64::try_from(at).unwrap() - i64::try_from(100 * S).unwrap();
        self.map = TimeMap {
            at: MonoNs(at),
            quality,
            status,
            detail,
            bound_ns,
            bound_growth_ppb: 1_000,
            basis: "ptp".to_owned(),
            ..TimeMap::absent(MonoNs(at), UtcNs(DAY + off_ns + since))
        };
        self.put(self.map.clone())
    }

    fn event(&mut self, at: u64, code: EventCode, cause: Option<TimeCause>, count: u64) -> u64 {
        self.put(Event {
            count: Some(count),
            detail: Some("seen".to_owned()),
            time_cause: cause,
            ..Event::new(MonoNs(at), code, source())
        })
    }

    fn beat(&mut self, at: u64) -> u64 {
        self.put(Marker {
            at: MonoNs(at),
            marker: MarkerKind::Heartbeat,
            source: source(),
            schedule: None,
            slot: None,
            meter_id: None,
            seq: None,
            count: None,
            last_attempt: None,
            last_reply: None,
        })
    }

    /// Locked at 110 s, the source lost at 150 s, the clock stepped forward by 5 ms at 200 s.
    fn story(asked: Option<Asked>) -> Self {
        let mut log = Self::new(asked);
        log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
        log.event(110 * S, EventCode::SyncAcquired, None, 0);
        log.beat(140 * S);
        log.map(150 * S, 0, TimeQuality::Holdover, Some(5_000));
        log.event(
            150 * S,
            EventCode::SyncLost,
            Some(TimeCause::EventPathLoss),
            0,
        );
        log.event(
            170 * S,
            EventCode::PtpLoss,
            Some(TimeCause::EventPathLoss),
            9,
        );
        log.map(200 * S, 5_000_000, TimeQuality::Holdover, Some(5_005_000));
        log.event(
            200 * S,
            EventCode::TimeStep,
            Some(TimeCause::SetByProgram),
            5_000_000,
        );
        log.beat(260 * S);
        log
    }

    fn history(&self) -> TimeHistory {
        self.account.history(Span::default())
    }
}

fn at(off_ns: i64) -> Option<Asked> {
    Some(Asked::Time(UtcNs(DAY + off_ns)))
}

fn why(log: &Log) -> TimeWhy {
    log.account.why().unwrap()
}

//= A8.2
//= A8.3
#[test]
fn a_history_has_labels_jumps_and_totals() {
    let history = Log::story(None).history();
    let told: Vec<_> = history
        .stretches
        .iter()
        .map(|one| (one.cover.name(), one.lasted_ns.unwrap() / S, one.entries))
        .collect();
    assert_eq!(
        told,
        [
            ("RTC_ONLY", 10, 1),
            ("SYNCED", 40, 3),
            ("HOLDOVER", 50, 3),
            ("HOLDOVER", 60, 3)
        ]
    );
    let totals = &history.totals;
    assert_eq!((totals.sync_acquired, totals.sync_lost), (1, 1));
    assert_eq!(
        (totals.holdovers, totals.holdover_ns),
        (1, (110 * S, 110 * S))
    );
    assert_eq!(totals.quality_ns[&TimeQuality::Synced], 40 * S);
    assert_eq!(totals.jumps[&OffsetBucket::Below10Ms], 1);
    assert_eq!(totals.unexplained, 0);
    assert_eq!(history.boot_to_stable_ns, Some(110 * S));
    let jump = &history.jumps[0];
    assert_eq!(
        (jump.kind, jump.magnitude_ns, jump.forward),
        (JumpKind::Step, 5_000_000, Some(true))
    );
    assert_eq!(jump.event.unwrap().to_string(), "1:8");
    assert_eq!(history.json()["jumps"][0]["cause"], "set_by_program");
}

/// Stamps do not show a slew; the figure of the event does, not its words.
//= A8.5
#[test]
fn the_direction_of_a_slew_is_that_of_its_figure() {
    for (moved_ns, forward) in [
        (Some(-3_000_000), Some(false)),
        (Some(3_000_000), Some(true)),
        (None, None),
    ] {
        let mut log = Log::new(None);
        log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
        log.put(Event {
            count: Some(3_000_000),
            detail: Some("slewed forward, said somebody".to_owned()),
            time_cause: Some(TimeCause::DaemonCorrection),
            moved_ns,
            ..Event::new(MonoNs(150 * S), EventCode::TimeSlew, source())
        });
        let jump = &log.history().jumps[0];
        assert_eq!(
            (jump.kind, jump.magnitude_ns, jump.forward),
            (JumpKind::Slew, 3_000_000, forward)
        );
    }
}

//= R1.2
#[test]
fn a_jump_of_milliseconds_is_explained_by_its_entry_and_the_signs_before_it() {
    let why = why(&Log::story(at(130 * 1_000_000_000)));
    assert_eq!(why.moments.len(), 1);
    let moment = &why.moments[0];
    assert_eq!(moment.stretch.cover.name(), "HOLDOVER");
    assert_eq!(moment.map.as_ref().unwrap().0.to_string(), "1:7");
    let (jump, _) = why.before.as_ref().unwrap();
    assert_eq!(jump.cause, Some(TimeCause::SetByProgram));
    let signs: Vec<_> = why.signs.iter().map(|sign| sign.event.code).collect();
    assert_eq!(
        signs,
        [EventCode::SyncLost, EventCode::PtpLoss, EventCode::TimeStep]
    );
    assert!(why.is_explained() && why.after.is_none());
}

//= R1.2
#[test]
fn a_jump_that_no_entry_tells_of_is_not_explained() {
    // However small against what slewing could do meanwhile: slewing moves both clocks alike.
    for (event, back_ns) in [
        (None, 30 * S),
        (Some(TimeCause::Unexplained), 30 * S),
        (None, S / 50),
    ] {
        let mut log = Log::new(at(60 * 1_000_000_000));
        log.map(110 * S, 0, TimeQuality::RtcOnly, None);
        let off_ns = -i64::try_from(back_ns).unwrap();
        log.map(150 * S, off_ns, TimeQuality::RtcOnly, None);
        if let Some(cause) = event {
            log.event(150 * S, EventCode::TimeStep, Some(cause), back_ns);
        }
        log.beat(250 * S);
        let why = why(&log);
        let (jump, _) = why.before.as_ref().unwrap();
        assert_eq!(jump.kind == JumpKind::Untold, event.is_none());
        assert_eq!((jump.magnitude_ns, jump.forward), (back_ns, Some(false)));
        assert!(!why.is_explained());
    }
}

#[test]
fn a_time_that_the_clock_showed_twice_has_two_answers_and_one_leapt_over_has_its_jump() {
    let mut log = Log::new(at(40 * 1_000_000_000));
    log.map(150 * S, -30_000_000_000, TimeQuality::RtcOnly, None);
    log.beat(250 * S);
    let answer = why(&log);
    assert_eq!(answer.moments.len(), 2);
    // 40 s into the day was 140 s on the boot's clock, and the jump came at 150 s.
    assert_eq!(answer.after.unwrap().1, 10_000_000_000);

    let mut log = Log::new(at(60 * 1_000_000_000));
    log.map(150 * S, 30_000_000_000, TimeQuality::RtcOnly, None);
    log.event(
        150 * S,
        EventCode::TimeStep,
        Some(TimeCause::HeadEnd),
        30 * S,
    );
    let why = why(&log);
    assert!(why.moments.is_empty());
    assert_eq!(why.over.as_ref().unwrap().cause, Some(TimeCause::HeadEnd));
    assert!(why.is_explained());
}

#[test]
fn an_entry_is_asked_for_by_its_number() {
    let asked = |generation, commit_id| {
        Some(Asked::Entry {
            generation,
            commit_id,
        })
    };
    let answer = why(&Log::story(asked(None, 3)));
    assert_eq!(answer.moments[0].stretch.cover.name(), "SYNCED");
    assert_eq!(answer.moments[0].stamp.unwrap().bound_ns, Some(31_000));
    assert!(Log::story(asked(Some(2), 3)).account.why().is_none());
    assert!(Log::story(asked(None, 99)).account.why().is_none());
}

//= A8.5
#[test]
fn a_clock_that_comes_up_behind_is_named_with_the_boots() {
    let mut log = Log::story(at(-3_600_000_000_000 + 5_000_000_000));
    log.start(20 * S, DAY - 3_600_000_000_000, 2);
    log.event(
        20 * S,
        EventCode::ClockFloored,
        Some(TimeCause::BootClock),
        3_760 * S,
    );
    log.beat(30 * S);
    let why = why(&log);
    let (ended, began) = &why.restarts[0];
    assert_eq!(ended.same_boot(began), Some(false));
    assert_ne!(ended.boot, began.boot);
    let (jump, _) = why.before.as_ref().unwrap();
    assert_eq!(
        (jump.kind, jump.cause),
        (JumpKind::ResetAtBoot, Some(TimeCause::BootClock))
    );
    assert_eq!(jump.magnitude_ns / S, 3_760);
}

#[test]
fn a_clock_that_was_set_while_nothing_ran_is_seen_where_the_boot_is_the_same() {
    let mut log = Log::story(None);
    log.start(300 * S, DAY + 200_000_000_000 + 60_000_000_000, 1);
    let history = log.history();
    let jump = history.jumps.last().unwrap();
    assert_eq!(
        (jump.kind, jump.magnitude_ns),
        (JumpKind::Untold, 59_995_000_000)
    );
    assert_eq!(history.totals.not_running_ns, 40 * S);
    assert_eq!(history.totals.restarts, 1);
}

#[test]
fn entries_that_are_not_here_are_a_stretch_of_their_own() {
    let mut log = Log::new(at(50 * 1_000_000_000));
    log.beat(110 * S);
    for seconds in [130, 160] {
        log.next += 10;
        log.beat(seconds * S);
    }
    log.beat(170 * S);
    let covers: Vec<_> = log
        .history()
        .stretches
        .iter()
        .map(|one| one.cover.name())
        .collect();
    assert_eq!(covers, ["RTC_ONLY", "not here", "RTC_ONLY"]);
    assert_eq!(log.history().totals.not_here_ns, 50 * S);
    assert!(!why(&log).is_explained());
}

#[test]
fn a_span_cuts_stretches_and_counts_what_is_in_it() {
    let log = Log::story(None);
    let span = Span {
        from: Some(UtcNs(DAY + 20_000_000_000)),
        to: Some(UtcNs(DAY + 60_000_000_000)),
    };
    let history = log.account.history(span);
    let told: Vec<_> = history
        .stretches
        .iter()
        .map(|one| one.lasted_ns.unwrap() / S)
        .collect();
    assert_eq!(told, [30, 10]);
    assert!(history.jumps.is_empty());
    assert_eq!(history.totals.sync_acquired, 0);
}

#[test]
fn now_is_the_newest_stamp_and_its_map() {
    let log = Log::story(None);
    let now = log.account.now().unwrap();
    assert_eq!(now.stamp.quality, TimeQuality::Holdover);
    assert_eq!(now.stamp.bound_ns, Some(5_005_000 + 60_000));
    assert_eq!(now.map.as_ref().unwrap().0.to_string(), "1:7");
    assert_eq!(now.json()["stamp"]["time_quality"], "HOLDOVER");
    assert!(TimeAccount::new().now().is_none());
}

/// What may happen next in a log: seconds that pass, and what comes then.
#[derive(Clone, Debug)]
enum Next {
    Beat { back_s: u64 },
    Map { quality: usize, off_ms: i64 },
    Step { told: bool, by_ms: i64 },
    Lost,
    Restart { reboot: bool },
}

fn next() -> impl Strategy<Value = (u64, Next)> {
    let what = prop_oneof![
        (0u64..3).prop_map(|back_s| Next::Beat { back_s }),
        (0usize..3, -1i64..=1).prop_map(|(quality, off_ms)| Next::Map { quality, off_ms }),
        (any::<bool>(), -90_000i64..90_000).prop_map(|(told, by_ms)| Next::Step { told, by_ms }),
        proptest::strategy::Just(Next::Lost),
        any::<bool>().prop_map(|reboot| Next::Restart { reboot }),
    ];
    (0u64..40, what)
}

proptest! {
    /// Stretches follow one another on the clock of their boot: no gap, no overlap, nothing counted twice.
    #[test]
    fn stretches_tile_the_time(story in proptest::collection::vec(next(), 0..40)) {
        let mut log = Log::new(None);
        let (mut at, mut off_ms, mut boot) = (100 * S, 0i64, 1u8);
        for (seconds, what) in story {
            at += seconds * S;
            match what {
                Next::Beat { back_s } => { log.beat(at.saturating_sub(back_s * S)); }
                Next::Map { quality, off_ms: by } => {
                    let quality = TimeQuality::ALL[quality];
                    log.map(at, (off_ms + by) * 1_000_000, quality, Some(1_000));
                }
                Next::Step { told, by_ms } => {
                    off_ms += by_ms;
                    log.map(at, off_ms * 1_000_000, TimeQuality::RtcOnly, None);
                    if told {
                        let count = by_ms.unsigned_abs() * 1_000_000;
                        log.event(at, EventCode::TimeStep, None, count);
                    }
                }
                Next::Lost => log.next += 3,
                Next::Restart { reboot } => {
                    let utc = DAY + i64::try_from(at).unwrap();
                    if reboot {
                        boot = boot.wrapping_add(1);
                        at = 50 * S;
                    }
                    log.start(at, utc, boot);
                }
            }
        }
        let history = log.history();
        for pair in history.stretches.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            prop_assert_eq!(one.end.at, next.begin.at);
            prop_assert!(next.cover == Cover::NotRunning || one.run == next.run);
        }
        for (place, run) in history.runs.iter().enumerate() {
            let of_run = history.stretches.iter();
            let of_run = of_run.filter(|one| one.run == place && one.cover != Cover::NotRunning);
            let ns: u64 = of_run.clone().map(|one| one.lasted_ns.unwrap()).sum();
            let end = of_run.clone().next_back().unwrap().end.at;
            prop_assert_eq!(ns, end.since(run.first.at));
        }
        let entries: u64 = history.stretches.iter().map(|one| one.entries).sum();
        prop_assert!(entries <= log.next);
        let sum = history.totals.labelled_ns() + history.totals.not_here_ns + history.totals.not_running_ns;
        let lasted: u64 = history.stretches.iter().filter_map(|one| one.lasted_ns).sum();
        prop_assert_eq!(sum, lasted);
    }
}
