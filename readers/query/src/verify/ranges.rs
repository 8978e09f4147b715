//! Sets of entries as ranges of their ids.

/// Ranges apart from each other, in order: first id, and the one behind the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Takes in a range; what touches it becomes one with it.
    pub(super) fn add(&mut self, (mut first, mut end): (u64, u64)) {
        if first >= end {
            return;
        }
        let touches = |range: &(u64, u64)| range.0 <= end && first <= range.1;
        let (near, mut apart): (Vec<_>, Vec<_>) = self.0.drain(..).partition(touches);
        for range in near {
            first = first.min(range.0);
            end = end.max(range.1);
        }
        let place = apart.partition_point(|range| range.1 < first);
        apart.insert(place, (first, end));
        self.0 = apart;
    }

    /// Whether everything from `first` to the one before `end` is among them.
    pub(super) fn cover(&self, first: u64, end: u64) -> bool {
        self.0
            .iter()
            .any(|range| range.0 <= first && end <= range.1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn ranges_side_by_side_are_one_and_others_stay_apart() {
        let mut ranges = Ranges::default();
        for range in [(20, 24), (10, 12), (12, 15), (11, 13), (7, 7), (30, 31)] {
            ranges.add(range);
        }
        assert_eq!(
            ranges.iter().collect::<Vec<_>>(),
            [(10, 15), (20, 24), (30, 31)]
        );
        ranges.add((9, 26));
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(9, 26), (30, 31)]);
    }

    #[test]
    fn a_range_is_covered_by_one_that_reaches_as_far() {
        let mut ranges = Ranges::default();
        ranges.add((10, 15));
        ranges.add((20, 24));
        for (first, end, covered) in [
            (10, 15, true),
            (20, 22, true),
            (9, 11, false),
            (14, 21, false),
            (24, 25, false),
        ] {
            assert_eq!(ranges.cover(first, end), covered, "{first} to {end}");
        }
    }
}
