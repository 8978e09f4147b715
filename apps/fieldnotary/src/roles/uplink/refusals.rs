//! The same refusal again and again is one entry with a count, not a flood.

use evidence::MonoNs;

/// The same refusal is told again after this long, with how often it came.
const TELL_AGAIN_NS: u64 = 600_000_000_000;

/// What was refused last, and how often since it was told.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    last: Option<(String, MonoNs)>,
    untold: u64,
}

impl Refusals {
    /// Hears of a refusal; gives back what to tell, and how many refusals that stands for.
    pub(super) fn heard(&mut self, words: String, now: MonoNs) -> Option<(String, u64)> {
        if self.last.as_ref().is_some_and(|(last, _)| *last != words) {
            // Counts belong to their own words; the old ones were told at least once.
            self.untold = 0;
        }
        self.untold += 1;
        let news = self
            .last
            .as_ref()
            .is_none_or(|(last, told_at)| *last != words || now.since(*told_at) >= TELL_AGAIN_NS);
        if !news {
            return None;
        }
        self.last = Some((words.clone(), now));
        Some((words, std::mem::take(&mut self.untold)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusals, TELL_AGAIN_NS};
    use evidence::MonoNs;

    //= R10.4
    #[test]
    fn a_repeated_refusal_is_counted_and_told_at_intervals() {
        let mut refusals = Refusals::default();
        let mut heard = |words: &str, at| refusals.heard(words.to_owned(), MonoNs(at));
        assert_eq!(heard("403", 0), Some(("403".to_owned(), 1)));
        assert_eq!(heard("403", 1), None);
        assert_eq!(heard("403", 2), None);
        assert_eq!(heard("422", 3), Some(("422".to_owned(), 1)));
        assert_eq!(heard("422", 3 + TELL_AGAIN_NS), Some(("422".to_owned(), 1)));
    }
}
