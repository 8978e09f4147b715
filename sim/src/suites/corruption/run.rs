//! The run: chooses the cases, deals them out to threads, and adds up what they found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use evidence::reasons::TruthClass;
use journal::OpenError;

use super::cases::{FIXED_HEADER_BYTES, Kind};
use super::damage::Bench;
use super::expect::Expect;
use super::golden::{Golden, History, SHAPE};
use super::judge;
use super::kept;
use super::report::{Fault, Report, Violation};
use super::subject::{Engine, Subject};
use crate::draw::mix;

/// Cases that a thread takes at once.
const CHUNK: usize = 64;
/// One case in so many goes on after opening, where cases are many.
const GO_ON_EVERY: u64 = 8;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Chooses the cases of a bounded run, the pairs, and what is asked of each.
    pub seed: u64,
    /// A sample of every kind instead of all.
    pub bounded: bool,
    /// Threads.
    pub threads: usize,
    /// Whether the first violation ends the run.
    pub until_fault: bool,
    /// This case only: image, kind and number.
    pub case: Option<(String, Kind, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    image: usize,
    kind: Kind,
    number: u64,
}

/// Tries the engine.
#[must_use]
pub fn run(plan: &Plan) -> Report {
    run_with(plan, &Engine)
}

/// Tries whatever reads and opens a device.
pub fn run_with(plan: &Plan, subject: &impl Subject) -> Report {
    let images = images(plan);
    let mut cases = chosen(plan, &images);
    // Spread the kinds, so that a fault of any of them shows early.
    cases.sort_by_key(|case| mix(case.number ^ mix(case.kind as u64)));
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let total = Mutex::new(Report::default());
    thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                let mut report = Report::default();
                let benches: Vec<Bench> = images.iter().map(Bench::new).collect();
                while !stop.load(Ordering::Relaxed) {
                    let from = next.fetch_add(CHUNK, Ordering::Relaxed);
                    let Some(rest) = cases.get(from..).filter(|rest| !rest.is_empty()) else {
                        break;
                    };
                    for case in rest.iter().take(CHUNK) {
                        let (golden, bench) = (&images[case.image], &benches[case.image]);
                        tried(plan, golden, bench, case, subject, &mut report);
                    }
                    if plan.until_fault && !report.is_clean() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                total
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(report);
            });
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The images that a plan needs.
fn images(plan: &Plan) -> Vec<Golden> {
    let needed = |name: &str| plan.case.as_ref().is_none_or(|(only, ..)| only == name);
    [
        TruthClass::Independent,
        TruthClass::SameDeviceSync,
        TruthClass::SameDeviceDeferred,
    ]
    .into_iter()
    .flat_map(|class| [History::Orderly, History::Scarred].map(|history| (class, history)))
    .filter(|(class, history)| needed(&Golden::named(*class, *history)))
    .map(|(class, history)| Golden::make(class, history))
    .collect()
}

fn chosen(plan: &Plan, images: &[Golden]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (image, golden) in images.iter().enumerate() {
        if let Some((name, kind, number)) = &plan.case {
            if *name == golden.name() {
                let (kind, number) = (*kind, *number);
                cases.push(Case {
                    image,
                    kind,
                    number,
                });
            }
            continue;
        }
        for (kind, _, quota) in Kind::ALL {
            let count = kind.count(golden);
            let stride = if plan.bounded {
                (count / quota).max(1)
            } else {
                1
            };
            let begin = mix(plan.seed ^ mix(kind as u64 ^ mix(image as u64))) % stride;
            let fixed = |number: &u64| {
                kind == Kind::Bit
                    && (number + plan.seed) % images.len() as u64 == image as u64
                    && is_fixed_header(golden, *number)
            };
            for number in 0..count {
                if number % stride == begin || fixed(&number) {
                    cases.push(Case {
                        image,
                        kind,
                        number,
                    });
                }
            }
        }
    }
    cases
}

/// Whether a bit of the ring lies in the fixed part of a header: CI tries each on one of the images.
fn is_fixed_header(golden: &Golden, bit: u64) -> bool {
    let (segment, at) = (
        usize::try_from(bit / 8 / SHAPE.segment_bytes).unwrap_or(usize::MAX),
        usize::try_from(bit / 8 % SHAPE.segment_bytes).unwrap_or(usize::MAX),
    );
    at < FIXED_HEADER_BYTES
        || golden.frames.iter().any(|frame| {
            let start = frame.bytes.start;
            frame.segment == segment && (start..start + FIXED_HEADER_BYTES).contains(&at)
        })
}

fn tried(
    plan: &Plan,
    golden: &Golden,
    bench: &Bench,
    case: &Case,
    subject: &impl Subject,
    report: &mut Report,
) {
    let judged = catch_unwind(AssertUnwindSafe(|| {
        judged(plan, golden, bench, case, subject)
    }));
    bench.restore();
    let (touched, violations) = judged.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        (true, vec![(Fault::Panic, text.unwrap_or_default())])
    });
    report.note(case.kind.name(), touched);
    if !violations.is_empty() {
        let name = format!("{}/{}/{}", golden.name(), case.kind.name(), case.number);
        let damage = case.kind.damage(golden, case.number, plan.seed);
        report.blame(&name, &damage, &violations);
    }
}

fn judged(
    plan: &Plan,
    golden: &Golden,
    bench: &Bench,
    case: &Case,
    subject: &impl Subject,
) -> (bool, Vec<Violation>) {
    let damaged = case
        .kind
        .damage(golden, case.number, plan.seed)
        .apply(bench);
    if case.kind.is_of_keep() {
        return kept::judged(golden, &damaged);
    }
    let expect = Expect::of(golden, &damaged, case.kind.is_single());
    let drawn = mix(plan.seed ^ mix(case.number) ^ case.kind as u64);
    // Nothing says that there ever was a log.
    let nothing_left = !damaged.has_ring() && expect.truth_lost();
    let mut violations = Vec::new();
    match subject.read(damaged.device, probe(golden, &expect, drawn)) {
        Ok(read) => violations.extend(judge::reading(golden, &expect, &read)),
        Err(_) if nothing_left => {}
        Err(error) => violations.push((Fault::RefusedOpen, format!("reading: {error}"))),
    }
    let few = case.kind.quota() <= 200;
    let go_on = few || drawn.is_multiple_of(GO_ON_EVERY);
    match subject.open(damaged.device, go_on) {
        Ok(_) if !expect.displaced.is_empty() => {
            let what = "a segment in the place of another was opened over";
            violations.push((Fault::SilentLoss, what.to_owned()));
        }
        Ok(open) => {
            violations.extend(judge::opening(golden, &expect, &open));
            if go_on && open.after.is_none() && damaged.takes_writes() {
                violations.push((Fault::RefusedOpen, "cannot go on".to_owned()));
            }
        }
        Err(_) if nothing_left => {}
        // What lies in another's place would be named lost and written over.
        Err(OpenError::Displaced { lies, belongs })
            if expect.displaced.contains(&(lies, belongs)) => {}
        Err(error) => violations.push((Fault::RefusedOpen, error.to_string())),
    }
    if golden.history == History::Scarred && expect.epochs_lost(golden) {
        // A refused write cannot be told from a committed one: it must open, no more.
        violations.retain(|(fault, _)| *fault == Fault::RefusedOpen);
    }
    (!expect.is_nothing(), violations)
}

/// The entry to ask for by itself: next to what was touched, or any.
fn probe(golden: &Golden, expect: &Expect, drawn: u64) -> u64 {
    let touched = expect.frames.iter();
    let near = touched
        .zip(&golden.frames)
        .find(|(harm, _)| **harm != super::expect::Harm::None)
        .map(|(_, frame)| frame);
    match (near, drawn % 4) {
        (Some(frame), 0) => frame.first,
        (Some(frame), 1) => frame.end,
        (Some(frame), 2) => frame.first.saturating_sub(1).max(golden.oldest),
        _ => golden.oldest + (drawn >> 8) % (golden.size() - golden.oldest),
    }
}
