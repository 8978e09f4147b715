//! Named steps in order: each timed, the first failure ends the run, a table tells the tale.

use crate::failure::{Failure, Outcome};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// One step: its name and what it does; what it returns stands in the table.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    pub(crate) action: Box<dyn Fn() -> Outcome + 'a>,
}

struct Done {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// Runs the steps until one fails.
pub(crate) fn run(steps: &[Step<'_>]) -> Outcome {
    let mut done = Vec::new();
    for step in steps {
        println!("== {}", step.name);
        let start = now();
        let outcome = (step.action)();
        let failed = outcome.is_err();
        if let Err(failure) = &outcome {
            eprintln!("{failure}");
        }
        done.push(Done {
            name: step.name,
            took: now().duration_since(start),
            outcome,
        });
        if failed {
            break;
        }
    }
    table(&done, steps.len())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this program reads a clock"
)]
fn now() -> Instant {
    Instant::now()
}

fn table(done: &[Done], planned: usize) -> Outcome {
    let mut text = String::from("\n");
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
        let _ = writeln!(text, "{name:<8} {mark:<6} {seconds:>7.1} s  {line}");
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
    use std::cell::Cell;

    fn step<'a>(name: &'static str, action: impl Fn() -> Outcome + 'a) -> Step<'a> {
        Step {
            name,
            action: Box::new(action),
        }
    }

    #[test]
    fn all_steps_run_and_the_last_line_counts_them() {
        let text = run(&[
            step("one", || Ok("fine".into())),
            step("two", || Ok("fine".into())),
        ]);
        assert_eq!(text.unwrap().lines().last(), Some("2 passed, 0 failed"));
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        let reached = Cell::new(false);
        let failure = run(&[
            step("one", || Ok("fine".into())),
            step("two", || Err(Failure::new("broken"))),
            step("three", || {
                reached.set(true);
                Ok(String::new())
            }),
        ])
        .unwrap_err()
        .to_string();
        assert!(!reached.get());
        assert!(failure.contains("two      FAILED"), "{failure}");
        assert!(failure.contains("not run: 1"), "{failure}");
        assert_eq!(failure.lines().last(), Some("1 passed, 1 failed"));
    }
}
