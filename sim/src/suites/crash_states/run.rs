//! A whole run: all sequences of a plan, shared out among threads; or one state again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::base::Base;
use super::explore::Explorer;
use super::operation::Operation;
use super::plan::Plan;
use super::replay::Address;
use super::report::{Breach, Report};
use crate::draw::mix;

/// How far a run has come, for whoever waits for it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Sequences that were tried.
    pub sequences: AtomicU64,
    /// Of so many.
    pub of: AtomicU64,
    /// States in them.
    pub states: AtomicU64,
}

/// Tries everything that a plan says. The result does not depend on the number of threads, but for
/// which violations are told.
#[must_use]
pub fn run(plan: &Plan, progress: &Progress) -> Report {
    let bases = match Base::all() {
        Ok(bases) => bases,
        Err(why) => return stuck(&format!("no base can be built: {why:?}")),
    };
    let all: Vec<Turn<'_>> = turns(plan, &bases).collect();
    progress.of.store(all.len() as u64, Ordering::Relaxed);
    let threads = plan.threads.max(1);
    let all = &all;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let turns = all.iter().skip(worker).step_by(threads);
                scope.spawn(move || part(plan, turns, progress))
            })
            .collect();
        let mut report = Report::default();
        for worker in workers {
            match worker.join() {
                Ok(part) => report.merge(part, plan.told_max),
                Err(_) => report.merge(stuck("the suite itself panicked"), plan.told_max),
            }
        }
        report
    })
}

/// One sequence from one beginning.
struct Turn<'a> {
    base: &'a Base,
    alphabet: &'static [Operation],
    length: u32,
    n: u64,
}

/// All of the plan's share, in the same order each time.
fn turns<'a>(plan: &'a Plan, bases: &'a [Base]) -> impl Iterator<Item = Turn<'a>> {
    let lengths = (1..).zip(plan.one_in);
    let alphabets = [Operation::PLAIN, Operation::KEEPING];
    let sequences = lengths.flat_map(move |(length, one_in)| {
        alphabets.into_iter().flat_map(move |alphabet| {
            let count = (alphabet.len() as u64).pow(length);
            let tried = move |n: &u64| chosen(plan.seed, length, *n, one_in);
            (0..count).filter(tried).map(move |n| (alphabet, length, n))
        })
    });
    let all = sequences.flat_map(move |(alphabet, length, n)| {
        let is_tried = move |base: &&Base| {
            base.alphabet() == alphabet && plan.base.is_none_or(|only| only == base.name)
        };
        bases.iter().filter(is_tried).map(move |base| Turn {
            base,
            alphabet,
            length,
            n,
        })
    });
    let (share, shares) = plan.share;
    // Beginnings follow each other in turn: counted out, a share could be of one beginning alone.
    (0..)
        .zip(all)
        .filter(move |(turn, _): &(u64, _)| mix(*turn) % shares.max(1) + 1 == share)
        .map(|(_, turn)| turn)
}

/// What one thread tries.
fn part<'a>(plan: &Plan, turns: impl Iterator<Item = &'a Turn<'a>>, progress: &Progress) -> Report {
    let mut explorer = Explorer::new(plan, None);
    let mut states = 0;
    for turn in turns {
        let sequence = Operation::sequence(turn.alphabet, turn.length as usize, turn.n);
        explorer.sequence(turn.base, &sequence);
        progress.sequences.fetch_add(1, Ordering::Relaxed);
        let more = explorer.report.states - states;
        progress.states.fetch_add(more, Ordering::Relaxed);
        states += more;
        if explorer.is_enough() {
            break;
        }
    }
    explorer.report
}

fn chosen(seed: u64, length: u32, n: u64, one_in: u64) -> bool {
    one_in > 0 && mix(seed ^ mix(n ^ u64::from(length) << 32)).is_multiple_of(one_in)
}

/// Repeats one state; `None` if the address names none.
#[must_use]
pub fn replay(plan: &Plan, address: &str) -> Option<Report> {
    let address = Address::parse(address)?;
    let bases = Base::all().ok()?;
    let base = bases.iter().find(|base| address.is_in(base))?;
    let sequence = address.sequence.clone();
    let mut explorer = Explorer::new(plan, Some(address));
    explorer.sequence(base, &sequence);
    Some(explorer.report)
}

fn stuck(why: &str) -> Report {
    let mut report = Report::default();
    report.add(Breach::Stuck, 1, || why.to_owned());
    report
}
