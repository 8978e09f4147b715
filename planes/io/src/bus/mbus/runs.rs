//! How meters drop out: runs of readouts in a row in which nothing was heard of one, by their length (A3.2).

/// Longest run of each bucket, and its name. A single one is a disturbance, a long one a meter that is gone.
const BUCKETS: [(u64, &str); 6] = [
    (1, "1"),
    (2, "2"),
    (4, "3-4"),
    (8, "5-8"),
    (16, "9-16"),
    (64, "17-64"),
];
const LONGEST: &str = ">64";

/// The runs of one meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    /// Readouts in which nothing was heard.
    pub(crate) drops: u64,
    /// Those of them since it was heard last.
    pub(crate) now: u64,
    over: [u64; BUCKETS.len() + 1],
}

impl Runs {
    /// A readout has ended. Where nothing was heard and nothing failed, nobody was asked.
    pub(super) fn ended(&mut self, heard: bool, failed: bool) {
        match (heard, failed) {
            (true, _) => self.heard(),
            (false, true) => self.dropped(),
            (false, false) => {}
        }
    }

    /// Nothing was heard in a readout.
    const fn dropped(&mut self) {
        self.drops += 1;
        self.now += 1;
    }

    /// The meter was heard: a run, if there was one, is over.
    fn heard(&mut self) {
        let length = core::mem::take(&mut self.now);
        if length == 0 {
            return;
        }
        let place = BUCKETS.iter().position(|(longest, _)| length <= *longest);
        if let Some(count) = self.over.get_mut(place.unwrap_or(BUCKETS.len())) {
            *count += 1;
        }
    }

    /// Runs that are over, by length.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = BUCKETS.iter().map(|(_, name)| *name).chain([LONGEST]);
        names.zip(self.over)
    }
}

#[cfg(test)]
mod tests {
    use super::Runs;
    use std::vec::Vec;

    //= A3.2
    #[test]
    fn every_length_has_its_bucket_and_a_run_that_goes_on_is_in_none() {
        let mut runs = Runs::default();
        for length in [1, 1, 2, 3, 4, 5, 8, 9, 16, 17, 64, 65, 200] {
            (0..length).for_each(|_| runs.ended(false, true));
            runs.ended(false, false);
            runs.ended(true, false);
            runs.ended(true, true);
        }
        (0..7).for_each(|_| runs.ended(false, true));
        let found: Vec<(&str, u64)> = runs.buckets().collect();
        let due = [
            ("1", 2),
            ("2", 1),
            ("3-4", 2),
            ("5-8", 2),
            ("9-16", 2),
            ("17-64", 2),
            (">64", 2),
        ];
        assert_eq!((found.as_slice(), runs.now), (&due[..], 7));
        assert_eq!(runs.drops, 395 + 7);
    }
}
