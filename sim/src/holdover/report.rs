//! What all runs of a class gave, against the bar.

use super::run::{Plan, Run, nanoseconds, run_one};
use std::sync::atomic::{AtomicU32, Ordering};
use time_plane::drift::OscillatorClass;

/// Names of the parts, in the order of [`ClassReport::parts_hour`].
pub const PART_NAMES: [&str; 5] = ["initial", "frequency", "temperature", "ageing", "asymmetry"];

/// The bar: covered runs in a thousand, and the bound after an hour over the p99 of the error.
const COVERED_PERMILLE_MIN: usize = 990;
const BOUND_OVER_P99_MAX: f64 = 5.0;

/// All runs.
#[derive(Clone, Debug)]
pub struct Report {
    /// Each class, in the order of the classes.
    pub classes: Vec<ClassReport>,
}

impl Report {
    /// Whether each class is within the bar.
    #[must_use]
    pub fn is_met(&self) -> bool {
        !self.classes.is_empty() && self.classes.iter().all(ClassReport::is_met)
    }
}

/// The runs of a class.
#[derive(Clone, Debug)]
pub struct ClassReport {
    /// The class.
    pub class: OscillatorClass,
    /// How many runs.
    pub runs: usize,
    /// Runs in which the true error was inside of the bound all the time.
    pub covered: usize,
    /// Runs with the temperature measured, and how many of these were covered.
    pub measured: (usize, usize),
    /// p50 and p99 over runs of the error after an hour, in nanoseconds.
    pub error_hour_ns: (f64, f64),
    /// p50, p95 and p99 over runs of the bound after an hour, in nanoseconds.
    pub bound_hour_ns: (f64, f64, f64),
    /// Runs whose bound after an hour is within five times the p99 of the error.
    pub tight: usize,
    /// Median over runs of each part's share of the bound after an hour.
    pub parts_hour: [f64; 5],
    /// Runs in which each part was the largest after an hour.
    pub largest_hour: [usize; 5],
    /// Covered runs in which the error would have been outside without the part.
    pub needed: [usize; 5],
    /// p50 and p99 over runs of the largest error over bound within a run.
    pub worst: (f64, f64),
    /// The runs that were not covered.
    pub outside: Vec<Run>,
}

impl ClassReport {
    /// Over the p99 of the error after an hour: the p50 and the p99 of the bound. The bar asks it of the
    /// p99, so that hardly any bound may be too wide.
    #[must_use]
    pub fn ratios(&self) -> (f64, f64) {
        let error_ns = self.error_hour_ns.1.max(1.0);
        (
            self.bound_hour_ns.0 / error_ns,
            self.bound_hour_ns.2 / error_ns,
        )
    }

    /// Whether the class is within the bar.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.runs > 0
            && self.covered * 1_000 >= self.runs * COVERED_PERMILLE_MIN
            && self.ratios().1 <= BOUND_OVER_P99_MAX
    }

    fn of(class: OscillatorClass, runs: &[Run]) -> Self {
        let errors = sorted(runs.iter().map(|run| run.error_hour_ns));
        let bounds = sorted(
            runs.iter()
                .map(|run| nanoseconds(run.bound_hour.total_ns())),
        );
        let worst = sorted(runs.iter().map(|run| run.worst));
        let limit_ns = BOUND_OVER_P99_MAX * quantile(&errors, 0.99);
        let mut parts_hour = [0.0; 5];
        let mut largest_hour = [0; 5];
        for (place, share) in parts_hour.iter_mut().enumerate() {
            let shares = sorted(runs.iter().map(|run| {
                let part = run.bound_hour.named().get(place).map_or(0, |part| part.1);
                nanoseconds(part) / nanoseconds(run.bound_hour.total_ns()).max(1.0)
            }));
            *share = quantile(&shares, 0.5);
        }
        let mut needed = [0; 5];
        for run in runs {
            for (count, needed) in needed.iter_mut().zip(run.needed) {
                *count += usize::from(needed && run.outside_at_s.is_none());
            }
            let parts = run.bound_hour.named();
            let largest = (0..parts.len()).max_by_key(|at| parts.get(*at).map(|part| part.1));
            if let Some(count) = largest.and_then(|at| largest_hour.get_mut(at)) {
                *count += 1;
            }
        }
        let measured = runs.iter().filter(|run| run.is_measured);
        Self {
            class,
            runs: runs.len(),
            covered: runs.iter().filter(|run| run.outside_at_s.is_none()).count(),
            measured: (
                measured.clone().count(),
                measured.filter(|run| run.outside_at_s.is_none()).count(),
            ),
            error_hour_ns: (quantile(&errors, 0.5), quantile(&errors, 0.99)),
            bound_hour_ns: (
                quantile(&bounds, 0.5),
                quantile(&bounds, 0.95),
                quantile(&bounds, 0.99),
            ),
            tight: bounds.iter().filter(|bound| **bound <= limit_ns).count(),
            parts_hour,
            largest_hour,
            needed,
            worst: (quantile(&worst, 0.5), quantile(&worst, 0.99)),
            outside: runs
                .iter()
                .filter(|run| run.outside_at_s.is_some())
                .copied()
                .collect(),
        }
    }
}

/// All runs of the classes.
#[must_use]
pub fn run_all(plan: &Plan, classes: &[OscillatorClass]) -> Report {
    let of_class = |class: &OscillatorClass| {
        let next = AtomicU32::new(0);
        let work = || {
            let mut runs = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= plan.runs {
                    return runs;
                }
                runs.push(run_one(plan, *class, number));
            }
        };
        let mut runs: Vec<Run> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..plan.threads.max(1))
                .map(|_| scope.spawn(work))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("a run does not panic"))
                .collect()
        });
        runs.sort_by_key(|run| run.number);
        ClassReport::of(*class, &runs)
    };
    Report {
        classes: classes.iter().map(of_class).collect(),
    }
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

/// The value that a share of the numbers does not exceed; nought of none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some thousand numbers, a share from 0 to 1"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{ClassReport, Report, quantile};
    use crate::holdover::Run;
    use time_plane::bound::BoundParts;
    use time_plane::drift::OscillatorClass;

    /// A run of an error after an hour and a bound, both in nanoseconds.
    fn run(number: u32, error_ns: f64, bound_ns: u64, outside: bool) -> Run {
        let bound_hour = BoundParts {
            initial_ns: 10,
            frequency_ns: bound_ns - 10,
            ..BoundParts::default()
        };
        Run {
            number,
            locked_s: 3_600,
            is_measured: number.is_multiple_of(2),
            error_hour_ns: error_ns,
            bound_hour,
            bound_end: bound_hour,
            worst: error_ns / 1_000.0,
            needed: [false, true, false, false, false],
            outside_at_s: outside.then_some(10),
        }
    }

    fn report(runs: &[Run]) -> ClassReport {
        ClassReport::of(OscillatorClass::Xo, runs)
    }

    #[test]
    fn one_run_in_a_hundred_may_be_outside_and_no_more() {
        let runs = |outside: u32| -> Vec<Run> {
            (0..200)
                .map(|number| run(number, 400.0, 1_000, number < outside))
                .collect()
        };
        assert!(report(&runs(2)).is_met());
        let missed = report(&runs(3));
        assert!(!missed.is_met());
        assert_eq!((missed.covered, missed.outside.len()), (197, 3));
        assert_eq!(missed.measured, (100, 98));
        assert_eq!(missed.needed, [0, 197, 0, 0, 0]);
        assert_eq!(missed.largest_hour, [0, 200, 0, 0, 0]);
        assert!(
            !Report {
                classes: vec![missed]
            }
            .is_met()
        );
        assert!(
            !Report {
                classes: Vec::new()
            }
            .is_met()
        );
    }

    #[test]
    fn a_bound_that_is_too_wide_in_more_than_one_run_in_a_hundred_misses_the_bar() {
        let runs = |wide: u32| -> Vec<Run> {
            (0..200)
                .map(|number| {
                    run(
                        number,
                        400.0,
                        if number < wide { 2_001 } else { 2_000 },
                        false,
                    )
                })
                .collect()
        };
        assert!(report(&runs(2)).is_met());
        let missed = report(&runs(3));
        assert!(!missed.is_met());
        assert_eq!(missed.tight, 197);
    }

    #[test]
    fn a_quantile_is_one_of_the_numbers() {
        let numbers: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((quantile(&numbers, 0.5) - 50.0).abs() < f64::EPSILON);
        assert!((quantile(&numbers, 0.99) - 99.0).abs() < f64::EPSILON);
        assert!((quantile(&numbers, 1.0) - 100.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).abs() < f64::EPSILON);
    }
}
