//! What happened to the node's own processes, in answers and in the history.

use super::{Asked, Log, S, at, source, why};
use evidence::kinds::Event;
use evidence::reasons::{EventCode, TimeCause, TimeQuality};
use evidence::{MonoNs, SourceId};

const SECOND: i64 = 1_000_000_000;

fn process(log: &mut Log, at: u64, code: EventCode, role: &str, count: u64) -> u64 {
    log.put(Event {
        count: Some(count),
        detail: Some("pid 7, signal 9".to_owned()),
        ..Event::new(MonoNs(at * S), code, SourceId::new(role).unwrap())
    })
}

/// Killed at 150 s: the time process, told at once. Killed at 170 s: the recorder, whose last entry is of 160 s, told by
/// its successor at 172 s. The node was told to stop at 300 s.
fn blows(asked: Option<Asked>) -> Log {
    let mut log = Log::new(asked);
    process(&mut log, 100, EventCode::ProcessStarted, "time", 0);
    log.map(110 * S, 0, TimeQuality::Synced, Some(1_000));
    process(&mut log, 150, EventCode::ProcessKilled, "time", 1);
    process(&mut log, 151, EventCode::ProcessStarted, "time", 1);
    log.beat(160 * S);
    log.start(172 * S, super::DAY + 72 * SECOND, 1);
    process(&mut log, 170, EventCode::ProcessKilled, "recorder", 1);
    log.map(180 * S, 0, TimeQuality::Synced, Some(1_000));
    log.beat(290 * S);
    process(&mut log, 300, EventCode::OrderlyStop, "recorder", 0);
    log
}

//= R1.2
#[test]
fn an_answer_names_what_happened_to_the_nodes_processes_near_the_instant() {
    use EventCode::{OrderlyStop, ProcessKilled, ProcessStarted};
    for (seconds, expected) in [
        (30, &[][..]),
        (52, &[(ProcessKilled, 2), (ProcessStarted, 1)][..]),
        // The time without stamps as a whole.
        (
            71,
            &[
                (ProcessKilled, 21),
                (ProcessStarted, 20),
                (ProcessKilled, 1),
            ][..],
        ),
        (150, &[][..]),
        (190, &[(OrderlyStop, -10)][..]),
    ] {
        let log = blows(at(seconds * SECOND));
        let answer = why(&log);
        let node = answer.node.iter();
        let node: Vec<_> = node
            .map(|sign| (sign.event.code, sign.before_ns / SECOND))
            .collect();
        assert_eq!(node, expected, "{seconds} s");
    }
    let json = why(&blows(at(52 * SECOND))).json();
    assert_eq!(json["node"][0]["code"], "process_killed");
    assert_eq!(json["node"][0]["source"], "time");
}

//= A8.2
#[test]
fn not_running_begins_where_the_recorder_was_killed_and_not_at_its_last_entry() {
    let history = blows(None).history();
    let told: Vec<_> = history
        .stretches
        .iter()
        .map(|one| {
            (
                one.cover.name(),
                one.begin.at.0 / S,
                one.lasted_ns.unwrap() / S,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("RTC_ONLY", 100, 10),
            ("SYNCED", 110, 60),
            ("not running", 170, 2),
            ("RTC_ONLY", 172, 8),
            ("SYNCED", 180, 120),
        ]
    );
    assert_eq!(history.totals.not_running_ns, 2 * S);
    let ended: Vec<_> = history
        .runs
        .iter()
        .map(|run| run.ended.as_ref().unwrap().code)
        .collect();
    assert_eq!(ended, [EventCode::ProcessKilled, EventCode::OrderlyStop]);
    // One that hung stamped nothing since its last entry.
    let mut log = Log::new(None);
    log.beat(160 * S);
    log.start(172 * S, super::DAY + 72 * SECOND, 1);
    process(&mut log, 170, EventCode::ProcessHung, "recorder", 1);
    assert_eq!(log.history().totals.not_running_ns, 12 * S);
}

//= R1.2
#[test]
fn behind_an_orderly_stop_the_answer_is_that_and_what_was_known_last() {
    let mut log = blows(at(400 * SECOND));
    let answer = why(&log);
    let ended = answer.ended.as_ref().unwrap();
    assert_eq!(
        ended.run.ended.as_ref().unwrap().code,
        EventCode::OrderlyStop
    );
    assert_eq!(ended.stretch.cover.name(), "SYNCED");
    assert!(answer.moments.is_empty() && answer.is_explained());
    // A node that was not told to stop, and does not run: what is known is said, and it is not explained.
    let mut killed = Log::new(at(400 * SECOND));
    killed.beat(160 * S);
    assert!(why(&killed).ended.is_none());
    killed.account.says_no_more();
    let answer = why(&killed);
    assert!(answer.ended.unwrap().run.ended.is_none());
    assert!(!why(&killed).is_explained());
    // It began again.
    log.start(500 * S, super::DAY + 400 * SECOND, 1);
    log.beat(510 * S);
    assert!(why(&log).ended.is_none());
}

/// Old versions told of the return by the code of the loss, without a cause.
//= R7.2
#[test]
fn a_loss_of_messages_is_in_force_until_its_return_in_old_logs_too() {
    let in_force = |log: &Log, at: u64| {
        let events = log.account.in_force(0, MonoNs(at * S));
        events.iter().map(|event| event.code).collect::<Vec<_>>()
    };
    for code in [EventCode::PtpLossEnded, EventCode::PtpLoss] {
        let mut log = Log::new(None);
        log.event(110 * S, EventCode::PtpLoss, Some(TimeCause::PacketLoss), 9);
        log.event(120 * S, code, None, 3);
        assert_eq!(in_force(&log, 119), [EventCode::PtpLoss]);
        assert_eq!(in_force(&log, 121), []);
        let history = log.history();
        let told: Vec<_> = history.events.iter().map(|event| event.code).collect();
        assert_eq!(told, [EventCode::PtpLoss, EventCode::PtpLossEnded]);
    }
    // A time process that came again says what it finds: what it does not say, has ended.
    let mut log = Log::new(None);
    log.event(110 * S, EventCode::TimeSourceFault, None, 1);
    process(
        &mut log,
        120,
        EventCode::ProcessStarted,
        source().as_str(),
        1,
    );
    assert_eq!(in_force(&log, 119), [EventCode::TimeSourceFault]);
    assert_eq!(in_force(&log, 121), []);
}

/// The first figure of a jump that its daemon took in by parts; the whole was told half a minute later.
//= R1.2
#[test]
fn the_answer_shows_how_far_a_source_jumped_in_all() {
    let mut log = Log::new(at(25 * SECOND));
    let step = Some(TimeCause::SourceStep);
    log.event(120 * S, EventCode::TimeSourceMoved, step, 324_000_000);
    let whole = log.event(150 * S, EventCode::TimeSourceMovedInAll, step, 500_000_000);
    log.event(200 * S, EventCode::TimeSourceMoved, step, 7_000_000);
    log.event(210 * S, EventCode::TimeSourceMovedInAll, step, 9_000_000);
    let signs = why(&log).signs;
    let counts: Vec<_> = signs
        .iter()
        .map(|sign| sign.event.count.unwrap() / 1_000_000)
        .collect();
    assert_eq!(counts, [324, 500]);
    assert_eq!(signs[1].event.mark.entry.commit_id.0, whole);
}
