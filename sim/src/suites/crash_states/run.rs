//! A whole run: all sequences of a plan, shared out among threads; or one state again.

use std::thread;

use super::base::Base;
use super::explore::Explorer;
use super::operation::Operation;
use super::plan::Plan;
use super::replay::Address;
use super::report::{Breach, Report};
use crate::draw::mix;

/// Tries everything that a plan says. The result does not depend on the number of threads, but for
/// which violations are told.
#[must_use]
pub fn run(plan: &Plan) -> Report {
    let bases = match Base::all() {
        Ok(bases) => bases,
        Err(why) => return stuck(&format!("no base can be built: {why:?}")),
    };
    let threads = plan.threads.max(1);
    let bases = &bases;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| scope.spawn(move || share(plan, bases, worker, threads)))
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

/// Every `threads`-th sequence of the plan.
fn share(plan: &Plan, bases: &[Base], worker: usize, threads: usize) -> Report {
    let mut explorer = Explorer::new(plan, None);
    let is_tried = |base: &Base, alphabet: &[Operation]| {
        base.alphabet() == alphabet && plan.base.is_none_or(|only| only == base.name)
    };
    let mut turn = 0;
    for (length, one_in) in (1..).zip(plan.one_in) {
        for alphabet in [Operation::PLAIN, Operation::KEEPING] {
            let count = (alphabet.len() as u64).pow(length);
            for n in (0..count).filter(|n| chosen(plan.seed, length, *n, one_in)) {
                let sequence = Operation::sequence(alphabet, length as usize, n);
                for base in bases.iter().filter(|base| is_tried(base, alphabet)) {
                    if turn % threads == worker {
                        explorer.sequence(base, &sequence);
                    }
                    turn += 1;
                    if explorer.is_enough() {
                        return explorer.report;
                    }
                }
            }
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
