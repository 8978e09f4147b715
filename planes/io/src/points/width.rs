//! The histogram of glitches by their width: what a window is to be chosen by.

/// Upper ends of the buckets, in nanoseconds, and their names.
const BUCKETS: [(u64, &str); 6] = [
    (10_000, "<10us"),
    (100_000, "<100us"),
    (1_000_000, "<1ms"),
    (10_000_000, "<10ms"),
    (100_000_000, "<100ms"),
    (1_000_000_000, "<1s"),
];
const WIDEST: &str = ">=1s";

/// Glitches by width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Widths([u64; BUCKETS.len() + 1]);

impl Widths {
    pub(super) fn note(&mut self, width_ns: u64) {
        let place = BUCKETS
            .iter()
            .position(|(below_ns, _)| width_ns < *below_ns);
        if let Some(count) = self.0.get_mut(place.unwrap_or(BUCKETS.len())) {
            *count += 1;
        }
    }

    /// Every bucket with its count.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = BUCKETS.iter().map(|(_, name)| *name).chain([WIDEST]);
        names.zip(self.0)
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Widths;
    use std::vec::Vec;

    //= A3.3
    #[test]
    fn every_width_has_its_bucket() {
        let mut widths = Widths::default();
        for width_ns in [
            0,
            9_999,
            10_000,
            99_999_999,
            999_999_999,
            1_000_000_000,
            u64::MAX,
        ] {
            widths.note(width_ns);
        }
        let found: Vec<_> = widths.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            found,
            [
                ("<10us", 2),
                ("<100us", 1),
                ("<100ms", 1),
                ("<1s", 1),
                (">=1s", 2)
            ]
        );
        assert_eq!(widths.total(), 7);
    }
}
