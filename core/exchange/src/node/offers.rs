//! Sealed checkpoints on the way to the newest one, bounded.

use alloc::collections::BTreeMap;

use super::words::Sealed;
use crate::limits::OFFERS_MAX;

/// The sealed heads not yet cosigned, by size.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers(BTreeMap<u64, Sealed>);

impl Offers {
    /// Takes one. Past the bound the middle of the closest three neighbours is forgotten: a sealed
    /// size between two others is a convenience, never a necessity.
    pub(super) fn add(&mut self, sealed: Sealed) {
        self.0.insert(sealed.head.size, sealed);
        if self.0.len() <= OFFERS_MAX {
            return;
        }
        let sizes = self.0.keys().copied();
        let closest = sizes
            .clone()
            .zip(sizes.clone().skip(1))
            .zip(sizes.skip(2))
            .min_by_key(|((before, _), after)| after.saturating_sub(*before))
            .map(|((_, middle), _)| middle);
        if let Some(middle) = closest {
            self.0.remove(&middle);
        }
    }

    /// The newest.
    pub(super) fn newest(&self) -> Option<&Sealed> {
        self.0.last_key_value().map(|(_, sealed)| sealed)
    }

    /// Forgets all up to a size.
    pub(super) fn forget_up_to(&mut self, size: u64) {
        self.0 = self.0.split_off(&size.saturating_add(1));
    }

    /// The largest of at least `least` and at most `most`; failing that, the smallest above.
    pub(super) fn pick(&self, least: u64, most: u64) -> Option<&Sealed> {
        let inside = (least <= most).then(|| self.0.range(least..=most).next_back());
        inside
            .flatten()
            .or_else(|| self.0.range(least..).next())
            .map(|(_, sealed)| sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::Offers;
    use crate::limits::OFFERS_MAX;
    use crate::node::words::{Head, Sealed};
    use proof::Hash;
    use std::string::String;

    fn offers(sizes: impl Iterator<Item = u64>) -> Offers {
        let mut offers = Offers::default();
        for size in sizes {
            let head = Head {
                size,
                root: Hash([0; 32]),
            };
            offers.add(Sealed {
                head,
                note: String::new(),
            });
        }
        offers
    }

    #[test]
    fn picks_the_largest_step_within_bounds() {
        let offers = offers([10, 20, 30, 90].into_iter());
        let pick = |least, most| offers.pick(least, most).map(|sealed| sealed.head.size);
        assert_eq!(pick(1, 25), Some(20));
        assert_eq!(pick(1, 5), Some(10));
        assert_eq!(pick(31, 40), Some(90));
        assert_eq!(pick(31, 20), Some(90));
        assert_eq!(pick(91, 200), None);
    }

    //= A7.7
    #[test]
    fn forgets_the_closest_and_never_the_newest_or_oldest() {
        let offers = offers((0..20_000).map(|n| 100 + n * 50));
        assert_eq!(offers.0.len(), OFFERS_MAX);
        assert_eq!(offers.newest().unwrap().head.size, 100 + 19_999 * 50);
        assert_eq!(offers.0.keys().next(), Some(&100));
        let mut offers = offers;
        offers.forget_up_to(100 + 19_998 * 50);
        assert_eq!(offers.0.len(), 1);
    }
}
