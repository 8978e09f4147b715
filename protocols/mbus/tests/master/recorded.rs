//! Replies that are short or late, as they were read from pseudo-terminals on a busy machine: what was to blame is
//! told by how they came.

use crate::given::BAUD;
use crate::line::primary;
use fieldnotary_mbus::link;
use fieldnotary_mbus::master::{
    Action, Failure, LineErrors, Master, Outcome, Readout, Report, Stray, Work,
};

/// A telegram of 45 bytes, paced as characters of 2,400 bit/s. Each line: when a read returned, in microseconds since the first
/// character was due, and what it gave.
type Recording = &'static [(u64, &'static str)];

/// The meter stopped behind 14 bytes.
const STOPPED: Recording = &[
    (61_108, "682727"),
    (77_173, "680805"),
    (77_239, "727856"),
    (81_053, "34"),
    (109_063, "122d2c01"),
];

/// The reading process was held up (`SIGSTOP`) for 110 ms behind 4 bytes.
const HELD_UP: Recording = &[
    (42_938, "68272768"),
    (
        171_012,
        "080572785634122d2c010707000000011305011305011305011305011305",
    ),
    (202_922, "01130501"),
    (203_006, "13"),
    (203_037, "05"),
    (203_063, "01"),
    (210_910, "13"),
    (215_625, "05"),
    (246_931, "c316"),
];

/// Behind 20 bytes a converter held the others back for 90 ms.
const IN_TWO_PARTS: Recording = &[
    (49_348, "68272768080572785634"),
    (58_374, "122d"),
    (71_200, "2c01"),
    (91_178, "0707000000"),
    (94_974, "01"),
    (198_084, "1305"),
    (198_704, "01"),
    (217_092, "13050113"),
    (226_243, "0501"),
    (249_159, "1305011305"),
    (253_710, "01"),
    (275_230, "13050113"),
    (290_414, "05011305"),
    (294_999, "c3"),
    (303_163, "16"),
];

/// What the pseudo-terminal may hold bytes back on that machine.
const LATENCY_NS: u64 = 20_000_000;

#[derive(Default)]
struct Seen {
    reports: Vec<Report>,
    strays: Vec<Stray>,
    readout: Option<Readout>,
}

/// Reads meter 5, which says this to every request for data. `looks` is whether the host was there to see each silence: one that was
/// held up comes back to bytes that are ready.
fn read(said: Recording, looks: bool, errors: LineErrors) -> Seen {
    let mut master = Master::new(BAUD, LATENCY_NS, 0);
    let mut seen = Seen::default();
    let mut now_ns = 1_000_000_000;
    let work = Work::Read {
        meter: primary(5),
        reset: None,
        telegrams_max: 16,
        anew: false,
    };
    let mut actions = master.begin(work.into(), now_ns).unwrap();
    let mut coming: Vec<(u64, Vec<u8>)> = Vec::new();
    for _ in 0..10_000 {
        let mut wait_ns = None;
        for action in std::mem::take(&mut actions) {
            match action {
                Action::Send(request) => {
                    let end_ns = now_ns + master_transfer_ns(request.len());
                    match request[1] & 0x0F {
                        0x0B => coming.extend(
                            said.iter()
                                .map(|(us, hex)| (end_ns + us * 1_000, hex::decode(hex))),
                        ),
                        _ => coming.push((end_ns + 10_000_000, vec![link::ACK])),
                    }
                }
                Action::WaitUntil(at_ns) => wait_ns = Some(at_ns),
                Action::Exchange { report, .. } => seen.reports.push(report),
                Action::Stray(stray) => seen.strays.push(stray),
                Action::Done(Outcome::Read(readout)) => seen.readout = Some(readout),
                _ => {}
            }
        }
        if seen.readout.is_some() {
            break;
        }
        coming.sort_by_key(|(at_ns, _)| *at_ns);
        let next_ns = coming.first().map(|(at_ns, _)| *at_ns);
        let is_held_up = !looks && coming.len() < said.len() && !coming.is_empty();
        match (next_ns, wait_ns) {
            (Some(at_ns), wait_ns)
                if is_held_up || wait_ns.is_none_or(|wait_ns| at_ns <= wait_ns) =>
            {
                now_ns = now_ns.max(at_ns);
                let (_, bytes) = coming.remove(0);
                actions = master.received(&bytes, now_ns);
                if errors.any() && seen.reports.len() == 1 {
                    actions.extend(master.line_errors(errors, now_ns));
                }
            }
            (_, Some(wait_ns)) => {
                now_ns = now_ns.max(wait_ns);
                actions = master.tick(now_ns);
            }
            (_, None) => panic!("the master waits for nothing"),
        }
    }
    seen
}

fn master_transfer_ns(bytes: usize) -> u64 {
    fieldnotary_mbus::master::timing::Timing::new(BAUD).transfer_ns(bytes)
}

mod hex {
    pub(super) fn decode(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        let pairs = digits.map(|pair| std::str::from_utf8(pair).unwrap());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }
}

fn failures(seen: &Seen) -> Vec<Option<Failure>> {
    let attempts = &seen.reports.last().unwrap().attempts;
    attempts.iter().map(|one| one.failure).collect()
}

/// What looks like two speakers is asked about; nothing of this does.
fn nothing_looks_like_a_collision(seen: &Seen) {
    for failure in failures(seen).into_iter().flatten() {
        assert!(!failure.reason().collision, "{failure:?}");
    }
}

//= A3.2
#[test]
fn a_meter_that_stops_within_its_frame_is_short_and_no_collision() {
    let seen = read(STOPPED, true, LineErrors::default());
    assert_eq!(failures(&seen), [Some(Failure::Truncated); 3]);
    nothing_looks_like_a_collision(&seen);
    assert_eq!(seen.readout.unwrap().failure, Some(Failure::Truncated));
}

//= A3.2
#[test]
fn a_host_that_was_held_up_within_a_frame_has_seen_no_silence() {
    let seen = read(HELD_UP, false, LineErrors::default());
    assert_eq!(seen.readout.unwrap().failure, None);
    let report = seen.reports.last().unwrap();
    assert_eq!(report.attempts.len(), 1);
    assert_eq!(report.reply().len(), 45);
}

//= A3.2
#[test]
fn a_frame_in_two_parts_is_told_with_its_pause_and_never_meets_the_repeat() {
    let seen = read(IN_TWO_PARTS, true, LineErrors::default());
    assert_eq!(
        failures(&seen),
        [
            Some(Failure::Interrupted { pause_ms: 103 }),
            Some(Failure::Interrupted { pause_ms: 103 }),
            Some(Failure::Truncated),
        ]
    );
    nothing_looks_like_a_collision(&seen);
    for attempt in &seen.reports.last().unwrap().attempts[..2] {
        assert_eq!(attempt.heard.bytes.len(), 45, "all that came is kept");
    }
    assert!(
        !seen
            .reports
            .last()
            .unwrap()
            .attempts
            .iter()
            .any(|one| one.heard.early)
    );
}

//= A3.2
//= R5.1
#[test]
fn characters_lost_on_this_side_are_no_collision() {
    let overrun = LineErrors {
        overrun: 1,
        ..LineErrors::default()
    };
    let seen = read(STOPPED, true, overrun);
    assert!(
        failures(&seen).contains(&Some(Failure::Lost)),
        "{:?}",
        failures(&seen)
    );
    nothing_looks_like_a_collision(&seen);
}
