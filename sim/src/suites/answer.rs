//! The answer of a suite's program: what was tried, how long it took, what was broken; one line or many.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Map, Value};

/// Runs a suite; its report, and the seconds it took.
pub fn timed<R>(run: impl FnOnce() -> R) -> (R, f64) {
    let start = now();
    let report = run();
    (report, now().duration_since(start).as_secs_f64())
}

/// Seconds as an answer gives them.
#[must_use]
pub fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// Prints the answer with the counts added; success if all is as it must be.
pub fn give(
    mut answer: Value,
    counts: impl IntoIterator<Item = (&'static str, u64)>,
    json: bool,
    passed: bool,
) -> ExitCode {
    if let Value::Object(answer) = &mut answer {
        let counts = counts.into_iter();
        answer.extend(
            counts
                .map(|(key, count)| (key.to_owned(), count.into()))
                .collect::<Map<_, _>>(),
        );
    }
    match json {
        true => println!("{answer}"),
        false => println!("{answer:#}"),
    }
    match passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the suites read a clock"
)]
fn now() -> Instant {
    Instant::now()
}
