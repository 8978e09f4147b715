//! Stretches of slot numbers that something explains. Never slot by slot: a damaged or hostile entry may
//! name any count, and must cost no more than its own bytes.

/// Disjoint stretches `first..end` in order, each with what explains it.
#[derive(Debug)]
pub(super) struct Cover<T>(Vec<(u64, u64, T)>);

/// Part of a stretch: covered by something, or by nothing.
pub(super) type Piece<T> = (u64, u64, Option<T>);

impl<T: Copy> Cover<T> {
    /// Where stretches overlap, the one that begins first counts.
    pub(super) fn of(stretches: impl Iterator<Item = (u64, u64, T)>) -> Self {
        let mut all: Vec<_> = stretches.collect();
        all.sort_by_key(|(first, end, _)| (*first, *end));
        let mut reached = 0;
        all.retain_mut(|(first, end, _)| {
            *first = reached.max(*first);
            reached = reached.max(*end);
            first < end
        });
        Self(all)
    }

    /// Cuts `first..end` into what is covered and what is not.
    pub(super) fn cut(&self, first: u64, end: u64) -> Vec<Piece<T>> {
        let mut pieces = Vec::new();
        let mut next = first;
        let from = self.0.partition_point(|(_, end, _)| *end <= first);
        for (a, b, what) in self.0.iter().skip(from).take_while(|(a, ..)| *a < end) {
            let (a, b) = ((*a).max(next), (*b).min(end));
            if next < a {
                pieces.push((next, a, None));
            }
            pieces.push((a, b, Some(*what)));
            next = b;
        }
        if next < end {
            pieces.push((next, end, None));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::Cover;

    #[test]
    fn what_is_cut_is_whole_and_in_order() {
        let cover =
            Cover::of([(10, 20, 'a'), (15, 30, 'b'), (12, 14, 'c'), (40, 41, 'd')].into_iter());
        let cases: [(u64, u64, &[_]); 5] = [
            (0, 10, &[(0, 10, None)]),
            (5, 12, &[(5, 10, None), (10, 12, Some('a'))]),
            (18, 22, &[(18, 20, Some('a')), (20, 22, Some('b'))]),
            (
                29,
                50,
                &[
                    (29, 30, Some('b')),
                    (30, 40, None),
                    (40, 41, Some('d')),
                    (41, 50, None),
                ],
            ),
            (7, 7, &[]),
        ];
        for (first, end, pieces) in cases {
            assert_eq!(cover.cut(first, end), pieces, "{first}..{end}");
        }
    }
}
