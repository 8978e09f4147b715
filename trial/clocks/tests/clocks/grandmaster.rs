//! The grandmaster of our own, followed by a real ptp4l.

use crate::common::Bench;
use fieldnotary_trial_clocks::SimGrandmaster;
use time_plane::reading::PtpReading;

/// Measuring is this noisy on a busy machine, in nanoseconds; steps are some ten times as large.
const NOISE_NS: i64 = 100_000;

/// The median of the offsets of the next Syncs, each with what the grandmaster was ahead of us then.
fn median_excess(bench: &mut Bench, master: &SimGrandmaster, syncs: usize) -> i64 {
    let mut excess = Vec::new();
    let mut last = None;
    while excess.len() < syncs {
        let reading = bench.wait_for("another Sync", 10, |reading| reading.ingress > last);
        let ingress = reading.ingress.unwrap();
        last = Some(ingress);
        excess.push(reading.offset_ns + master.orders().ahead_ns(ingress));
    }
    excess.sort_unstable();
    excess[syncs / 2]
}

fn offset_of(bench: &mut Bench, after: &PtpReading) -> PtpReading {
    let last = after.ingress;
    bench.wait_for("another Sync", 10, move |reading| reading.ingress > last)
}

#[test]
fn a_follower_sees_the_step_the_drift_and_the_path() {
    let mut bench = Bench::new();
    let master = SimGrandmaster::start(&bench.rig).unwrap();
    let settled = bench.settle();
    assert_eq!((settled.gm_class, settled.steps_removed), (6, 1));
    assert!(median_excess(&mut bench, &master, 7).abs() < NOISE_NS);

    master.orders().step(1_000_000);
    let excess = median_excess(&mut bench, &master, 9);
    assert!(excess.abs() < NOISE_NS, "after a step: {excess}");
    let stepped = bench.look().unwrap();
    assert!(
        (stepped.offset_ns + 1_000_000).abs() < 3 * NOISE_NS,
        "{stepped:?}"
    );

    // 500 parts per million for two seconds: a millisecond.
    master.orders().drift(500_000);
    let begun = offset_of(&mut bench, &stepped);
    let begun_at = begun.ingress.unwrap().0;
    bench.wait_for("two seconds more", 20, |reading| {
        reading
            .ingress
            .is_some_and(|at| at.0 > begun_at + 2_000_000_000)
    });
    let excess = median_excess(&mut bench, &master, 9);
    assert!(excess.abs() < NOISE_NS, "while it drifts: {excess}");
    let drifted = bench.look().unwrap();
    assert!(
        drifted.offset_ns < begun.offset_ns - 700_000,
        "{begun:?} {drifted:?}"
    );
    master.orders().drift(0);

    // A path that is longer one way: half of it in the offset, half of it in the path.
    let before = median_excess(&mut bench, &master, 5);
    let path_ns = bench.look().unwrap().mean_path_delay_ns;
    master.orders().extra_up_ns = 2_000_000;
    let longer = bench.wait_for("a longer path", 20, |reading| {
        reading.mean_path_delay_ns > path_ns + 900_000
    });
    assert!(
        longer.mean_path_delay_ns < path_ns + 1_200_000,
        "{longer:?}"
    );
    let after = median_excess(&mut bench, &master, 5);
    assert!(
        (after - before + 1_000_000).abs() < 3 * NOISE_NS,
        "{before} {after}"
    );

    {
        let mut orders = master.orders();
        orders.class = 248;
        orders.time_flags = 0b10_1000;
        orders.utc_offset_s = 37;
    }
    let worse = bench.wait_for("another class", 10, |reading| reading.gm_class == 248);
    assert_eq!((worse.time_flags, worse.utc_offset_s), (0b10_1000, 37));
    master.stop().unwrap();
}

/// A master that runs slow by five parts per million: the offsets grow by five microseconds a second.
#[test]
fn five_parts_per_million_are_seen() {
    let mut bench = Bench::new();
    let master = SimGrandmaster::start(&bench.rig).unwrap();
    bench.settle();
    master.orders().drift(-5_000);
    let mut points: Vec<(f64, f64)> = Vec::new();
    let (mut first, mut last) = (None, None);
    while points.len() < 60 {
        let reading = bench.wait_for("another Sync", 10, |reading| reading.ingress > last);
        let at = reading.ingress.unwrap();
        last = Some(at);
        let first = *first.get_or_insert(at.0);
        #[expect(clippy::cast_precision_loss, reason = "some seconds and microseconds")]
        points.push(((at.0 - first) as f64 / 1e9, reading.offset_ns as f64));
    }
    let slope_ns_per_s = theil_sen(&points);
    assert!(
        (slope_ns_per_s - 5_000.0).abs() < 2_500.0,
        "{slope_ns_per_s}"
    );
}

/// The median of the slopes between all pairs: a straight line that a few late stamps do not bend.
fn theil_sen(points: &[(f64, f64)]) -> f64 {
    let pairs = points.iter().enumerate().flat_map(|(at, first)| {
        let later = points.iter().skip(at + 1);
        later.map(move |second| (second.1 - first.1) / (second.0 - first.0))
    });
    let mut slopes: Vec<f64> = pairs.filter(|slope| slope.is_finite()).collect();
    slopes.sort_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}
