//! Courses of inputs: what is meant, what comes, and that a seed decides both.

use super::{InputKind, Played, Wave, What, Width};
use crate::lines::Moments;
use crate::points::{Input, Ordered};
use std::time::Duration;

const MS: u64 = 1_000_000;

fn input() -> Input {
    Input {
        name: "water".to_owned(),
        period: Duration::from_millis(100),
        width: Duration::from_millis(30),
        jitter: 0.5,
        bit: None,
    }
}

fn ordered(kind: InputKind) -> Ordered<InputKind> {
    Ordered {
        place: 0,
        kind,
        from: Duration::ZERO,
        until: None,
    }
}

/// Ten seconds, in so many steps.
fn played(faults: &[Ordered<InputKind>], seed: u64, steps: u64) -> Vec<Played> {
    let mut wave = Wave::new(0, &input(), faults, seed, 1_000 * MS);
    let step = |number| wave.play(1_000 * MS + 10_000 * MS * number / steps);
    (1..=steps).flat_map(step).collect()
}

fn edges(played: &[Played]) -> Vec<(u64, bool)> {
    let edges = played.iter().filter_map(|one| match one.what {
        What::Edge { rising } => Some((one.at_ns, rising)),
        _ => None,
    });
    edges.collect()
}

/// How long it is high, each time.
fn widths(played: &[Played]) -> Vec<u64> {
    let edges = edges(played);
    let pairs = edges.windows(2).filter(|pair| pair[0].1);
    pairs.map(|pair| pair[1].0 - pair[0].0).collect()
}

//= A3.3
#[test]
fn without_faults_each_meant_pulse_is_two_edges_whatever_the_steps() {
    let once = played(&[], 7, 1);
    assert_eq!(widths(&once), vec![30 * MS; 100]);
    let meant = once.iter().filter_map(|one| match one.what {
        What::Pulse {
            number,
            until_ns,
            fault: None,
        } => Some((number, until_ns - one.at_ns)),
        _ => None,
    });
    assert!(meant.eq((1..=100).map(|number| (number, 30 * MS))));
    assert!(edges(&once).windows(2).all(|pair| pair[0].1 != pair[1].1));
    assert_eq!(edges(&once), edges(&played(&[], 7, 40)));
    assert_ne!(edges(&once), edges(&played(&[], 8, 1)));
}

//= A3.3
#[test]
fn glitches_have_the_widths_that_are_ordered_and_change_no_pulse() {
    let us = Duration::from_micros;
    let class = |from, to, weight| Width {
        from: us(from),
        to: us(to),
        weight,
    };
    let kind = InputKind::Glitch {
        every: Duration::from_millis(50),
        widths: vec![class(2, 9, 3.0), class(2_000, 9_000, 1.0)],
    };
    let played = played(&[ordered(kind)], 7, 40);
    let widths = widths(&played);
    let of = |from, to| {
        widths
            .iter()
            .filter(|width| (from..=to).contains(*width))
            .count()
    };
    let (narrow, wide) = (of(2_000, 9_000), of(2 * MS, 9 * MS));
    assert_eq!((of(30 * MS, 30 * MS), narrow + wide), (100, 200));
    assert!((110..190).contains(&narrow), "{narrow}");
}

//= A3.3
#[test]
fn pulses_are_missed_bounce_stick_and_lose_their_edges() {
    let missed = played(&[ordered(InputKind::Missed { share: 0.3 })], 7, 40);
    let gone = missed.iter().filter(|one| {
        let What::Pulse { fault, .. } = one.what else {
            return false;
        };
        fault == Some("missed")
    });
    let gone = gone.count();
    assert!((15..45).contains(&gone), "{gone}");
    assert_eq!(widths(&missed).len(), 100 - gone);

    let within = Duration::from_millis(2);
    let bounced = played(&[ordered(InputKind::Bounce { most: 3, within })], 7, 40);
    let long = widths(&bounced)
        .iter()
        .filter(|width| **width > 20 * MS)
        .count();
    assert!(long == 100 && edges(&bounced).len() > 400);

    let stuck = Ordered {
        from: Duration::from_secs(4),
        until: Some(Duration::from_secs(5)),
        ..ordered(InputKind::Stuck)
    };
    let stuck = played(&[stuck], 7, 40);
    let silent = 5_000 * MS..6_000 * MS;
    assert!(
        edges(&stuck)
            .iter()
            .all(|(at_ns, _)| !silent.contains(at_ns))
    );
    assert!(edges(&stuck).windows(2).all(|pair| pair[0].1 != pair[1].1));

    let most = 4;
    let lossy = played(&[ordered(InputKind::LostEdges { share: 0.1, most })], 7, 40);
    let lost = lossy.iter().filter_map(|one| match one.what {
        What::Lost { count } => Some(u64::from(count)),
        _ => None,
    });
    let lost: u64 = lost.sum();
    let shown = u64::try_from(edges(&lossy).len()).unwrap();
    assert!((20..100).contains(&lost) && (196..=200).contains(&(lost + shown)));
}

//= A3.8
#[test]
fn an_input_that_marks_something_is_active_as_long() {
    let held = Ordered {
        from: Duration::from_millis(2_500),
        until: Some(Duration::from_secs(4)),
        ..ordered(InputKind::Held("noise-storm"))
    };
    let mut resting = input();
    resting.width = Duration::ZERO;
    let mut wave = Wave::new(0, &resting, &[held], 7, 0);
    let played = wave.play(10_000 * MS);
    assert_eq!(edges(&played), [(2_500 * MS, true), (4_000 * MS, false)]);
}

//= A3.3
#[test]
fn chatter_is_an_even_number_of_changes_in_its_bursts() {
    let kind = InputKind::Chatter {
        moments: Moments::At {
            moments: vec![Duration::from_secs(2)],
            length: Duration::from_secs(1),
        },
        every: Duration::from_millis(20),
    };
    let mut resting = input();
    resting.width = Duration::ZERO;
    let mut wave = Wave::new(0, &resting, &[ordered(kind)], 7, 0);
    let played = wave.play(10_000 * MS);
    let burst = played.iter().find_map(|one| match one.what {
        What::Fault { changes, .. } => changes,
        _ => None,
    });
    let edges = edges(&played);
    let changes = u64::try_from(edges.len()).unwrap();
    assert!(burst == Some(changes) && changes % 2 == 0);
    assert!((40..70).contains(&changes), "{changes}");
    assert!(
        edges
            .iter()
            .all(|(at_ns, _)| (2_000 * MS..=3_000 * MS).contains(at_ns))
    );
}
