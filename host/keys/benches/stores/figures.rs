//! How long things took, and how that is told.

use std::collections::BTreeMap;
use std::time::Instant;

/// Microseconds, by what was done.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<&'static str, Vec<u128>>);

impl Figures {
    /// Does something, and keeps how long it took.
    #[expect(
        clippy::disallowed_methods,
        reason = "the bench measures how long a call takes"
    )]
    pub(crate) fn time<T>(&mut self, what: &'static str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        let took = began.elapsed().as_micros();
        self.0.entry(what).or_default().push(took);
        done
    }

    /// A line for each.
    pub(crate) fn tell(mut self, store: &str) {
        for (what, took) in &mut self.0 {
            took.sort_unstable();
            let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or(0);
            let shares = format!("{:>9} {:>9} {:>9}", at(50), at(95), at(99));
            println!("{store:<18} {what:<36} {:>6} {shares}", took.len());
        }
    }
}
