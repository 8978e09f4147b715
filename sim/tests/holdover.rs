//! The error bound against simulated oscillators, as many as fit a test, and that the judge can say no.

use evidence::MonoNs;
use fieldnotary_sim::holdover::{Plan, run_all, run_one};
use fieldnotary_sim::oscillator::Oscillator;
use time_plane::bound::Bound;
use time_plane::drift::{Learner, OscillatorClass, ServoSample};

const HOUR_S: u32 = 3_600;

/// Short of lock and of time alone: what a development build does in some seconds.
fn short(seed: u64) -> Plan {
    Plan {
        runs: 3,
        alone_s: 2 * HOUR_S,
        locked_s: (HOUR_S, 3 * HOUR_S),
        threads: 2,
        ..Plan::bounded(seed)
    }
}

//= A8.3
#[test]
fn the_true_error_stays_inside_of_the_bound() {
    for seed in [1, 2] {
        println!("seed {seed}");
        let report = run_all(&short(seed), OscillatorClass::ALL);
        for class in &report.classes {
            assert_eq!(class.covered, class.runs, "{class:?}");
            // An hour alone leaves an error, or nothing was simulated.
            assert!(class.error_hour_ns.0 > 0.0, "{class:?}");
            assert!(class.worst.1 < 1.0 && class.worst.1 > 0.01, "{class:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let error = |seed| {
        run_one(&short(seed), OscillatorClass::Tcxo, 5)
            .error_hour_ns
            .to_bits()
    };
    assert_eq!(error(4), error(4));
    assert_ne!(error(4), error(5));
}

/// A rubidium that is declared and a crystal that is there: the judge must see the error outside.
#[test]
fn a_bound_that_is_told_the_wrong_class_and_has_seen_little_is_found_out() {
    let mut outside = 0;
    for run in 0..10 {
        let mut oscillator = Oscillator::draw(OscillatorClass::Xo, 9, run);
        let mut learner = Learner::new(OscillatorClass::Rubidium);
        let (held_ppb, _) = oscillator.second();
        let sample = |second: u32| ServoSample {
            at: MonoNs(u64::from(second) * 1_000_000_000),
            correction_ppt: 0,
            temperature_millidegrees: None,
            locked: true,
        };
        for second in 0..120 {
            learner.observe(sample(second));
        }
        let bound = Bound::new(&sample(120), 100, 0, learner.growth());
        let error_ns: f64 = (0..HOUR_S).map(|_| oscillator.second().0 - held_ppb).sum();
        let total_ns = bound.parts(sample(120 + HOUR_S).at).total_ns();
        #[expect(clippy::cast_precision_loss, reason = "compared, not counted")]
        if error_ns.abs() > total_ns as f64 {
            outside += 1;
        }
    }
    assert!(outside >= 9, "{outside}");
}
