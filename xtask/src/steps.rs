//! Named steps: each timed, the first failure ends the run, a table tells the tale.

use crate::failure::{Failure, Outcome};
use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};

/// One step: its name and what it does; what it returns stands in the table.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    pub(crate) action: Box<dyn Fn() -> Outcome + Sync + 'a>,
}

/// Steps in order.
pub(crate) type Lane<'a> = Vec<Step<'a>>;

/// Lanes that go on side by side: where the steps of one mostly wait, those of another have the processor.
pub(crate) type Stage<'a> = Vec<Lane<'a>>;

struct Done {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// Runs the stages in order. A lane ends with its first failure, and no stage begins after one.
pub(crate) fn run(stages: &[Stage<'_>]) -> Outcome {
    let mut done = Vec::new();
    for stage in stages {
        done.extend(side_by_side(stage));
        if done.iter().any(|step| step.outcome.is_err()) {
            break;
        }
    }
    table(&done, stages.iter().flatten().map(Vec::len).sum())
}

fn side_by_side(stage: &Stage<'_>) -> Vec<Done> {
    thread::scope(|scope| {
        let lanes: Vec<_> = stage
            .iter()
            .map(|lane| scope.spawn(|| in_order(lane)))
            .collect();
        lanes
            .into_iter()
            .flat_map(|lane| match lane.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn in_order(lane: &Lane<'_>) -> Vec<Done> {
    let mut done = Vec::new();
    for step in lane {
        println!("== {}", step.name);
        let start = now();
        let outcome = (step.action)();
        let took = now().duration_since(start);
        let failed = outcome.is_err();
        match &outcome {
            Ok(_) => println!("== {}: done in {:.0} s", step.name, took.as_secs_f64()),
            Err(failure) => eprintln!("== {} FAILED: {failure}", step.name),
        }
        done.push(Done {
            name: step.name,
            took,
            outcome,
        });
        if failed {
            break;
        }
    }
    done
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads a clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn table(done: &[Done], planned: usize) -> Outcome {
    let mut text = String::from("\n");
    let width = done.iter().map(|step| step.name.len()).max().unwrap_or(0);
    for Done {
        name,
        took,
        outcome,
    } in done
    {
        let (mark, line) = match outcome {
            Ok(line) => ("ok", line.as_str()),
            Err(_) => ("FAILED", "see above"),
        };
        let seconds = took.as_secs_f64();
        let _ = writeln!(text, "{name:<width$} {mark:<6} {seconds:>7.1} s  {line}");
    }
    let failed = done.iter().filter(|step| step.outcome.is_err()).count();
    let passed = done.len() - failed;
    let missed = planned - done.len();
    if missed > 0 {
        let _ = writeln!(text, "not run: {missed}");
    }
    let _ = write!(text, "{passed} passed, {failed} failed");
    if failed == 0 {
        Ok(text)
    } else {
        Err(Failure::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, run};
    use crate::failure::{Failure, Outcome};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    fn step<'a>(name: &'static str, action: impl Fn() -> Outcome + Sync + 'a) -> Step<'a> {
        Step {
            name,
            action: Box::new(action),
        }
    }

    fn fine<'a>(name: &'static str) -> Step<'a> {
        step(name, || Ok("fine".into()))
    }

    fn broken<'a>(name: &'static str) -> Step<'a> {
        step(name, || Err(Failure::new("broken")))
    }

    #[test]
    fn all_steps_run_and_the_last_line_counts_them() {
        let text = run(&[
            vec![vec![fine("one"), fine("two")]],
            vec![vec![fine("three")], vec![fine("four")]],
        ]);
        assert_eq!(text.unwrap().lines().last(), Some("4 passed, 0 failed"));
    }

    #[test]
    fn the_first_failure_ends_its_lane_and_the_run() {
        let reached = AtomicBool::new(false);
        let late = |name| {
            step(name, || {
                reached.store(true, Relaxed);
                Ok(String::new())
            })
        };
        let failure = run(&[
            vec![
                vec![fine("one"), broken("two"), late("three")],
                vec![fine("beside")],
            ],
            vec![vec![late("last")]],
        ])
        .unwrap_err()
        .to_string();
        assert!(!reached.load(Relaxed));
        assert!(failure.contains("two    FAILED"), "{failure}");
        assert!(failure.contains("not run: 2"), "{failure}");
        assert_eq!(failure.lines().last(), Some("2 passed, 1 failed"));
    }

    #[test]
    fn lanes_go_on_side_by_side() {
        let both = Barrier::new(2);
        let meets = |name| {
            step(name, || {
                both.wait();
                Ok(String::new())
            })
        };
        run(&[vec![vec![meets("one")], vec![meets("two")]]]).unwrap();
    }
}
