//! Which source is believed when there are several, and when none is.

use crate::fresh::Measurement;
use crate::limits::DISPUTE_MARGIN_NS;
use crate::reading::SourceKind;
use alloc::vec::Vec;

/// What the arbiter makes of the measurements that are fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// None is fresh.
    None,
    /// This one holds the clock; of those that agree it is the one with the smallest bound.
    Held(Measurement),
    /// Two exclude each other and no third decides: how far they are apart at the least, in nanoseconds.
    Disputed {
        /// The two that exclude each other.
        between: [SourceKind; 2],
        /// The gap between what the two allow.
        apart_ns: u64,
    },
}

/// What a measurement allows the node's clock to be off by: from, to.
fn allowed(of: &Measurement) -> (i128, i128) {
    let middle = i128::from(of.offset_ns);
    let reach =
        i128::from(of.uncertainty_ns) + i128::from(of.asymmetry_ns) + i128::from(DISPUTE_MARGIN_NS);
    (middle - reach, middle + reach)
}

/// Nanoseconds between what two measurements allow; zero where they overlap.
pub(crate) fn gap_ns(a: &Measurement, b: &Measurement) -> u64 {
    let ((a_from, a_to), (b_from, b_to)) = (allowed(a), allowed(b));
    let gap = (a_from - b_to).max(b_from - a_to).max(0);
    u64::try_from(gap).unwrap_or(u64::MAX)
}

/// Those that more than half of all agree with, themselves included, and that none other of these excludes:
/// who agrees with two says nothing about whether those agree with each other.
pub(crate) fn believed(all: &[Measurement]) -> Vec<Measurement> {
    let agree = |a: &Measurement, b: &Measurement| gap_ns(a, b) == 0;
    let supporters = |of: &Measurement| all.iter().filter(|other| agree(of, other)).count();
    let supported = || all.iter().filter(|of| supporters(of) * 2 > all.len());
    supported()
        .filter(|of| supported().all(|other| agree(of, other)))
        .copied()
        .collect()
}

/// Rules over the fresh measurements, at most one a source.
///
/// A majority of sources that agree outvotes the others; two against each other decide nothing, for no
/// source is believed by its name alone. An offered time has no vote where anything is measured: it may hold the
/// clock where it agrees with all that is believed, and decides nothing between those that disagree.
#[must_use]
pub fn rule(fresh: &[Measurement]) -> Ruling {
    let is_offered = |of: &&Measurement| of.source == SourceKind::Offered;
    let measured: Vec<Measurement> = fresh.iter().filter(|of| !is_offered(of)).copied().collect();
    let voters = if measured.is_empty() {
        fresh
    } else {
        &measured
    };
    let mut best = believed(voters);
    if !best.is_empty() && !measured.is_empty() {
        let fits = |of: &&Measurement| best.iter().all(|one| gap_ns(of, one) == 0);
        let offered: Vec<Measurement> = fresh
            .iter()
            .filter(is_offered)
            .filter(fits)
            .copied()
            .collect();
        best.extend(offered);
    }
    if let Some(held) = best.iter().min_by_key(|of| of.bound_ns()) {
        return Ruling::Held(*held);
    }
    let mut widest = Ruling::None;
    let mut apart_max_ns = 0;
    for (index, a) in voters.iter().enumerate() {
        for b in voters.iter().skip(index + 1) {
            let apart_ns = gap_ns(a, b);
            if apart_ns > apart_max_ns {
                apart_max_ns = apart_ns;
                widest = Ruling::Disputed {
                    between: [a.source, b.source],
                    apart_ns,
                };
            }
        }
    }
    widest
}

#[cfg(test)]
mod tests {
    use super::{Ruling, believed, rule};
    use crate::fresh::Measurement;
    use crate::reading::SourceKind;
    use crate::reading::SourceKind::{Chrony, Offered, Ptp};
    use evidence::MonoNs;

    fn measured(source: SourceKind, offset_ns: i64, uncertainty_ns: u64) -> Measurement {
        Measurement {
            source,
            taken: MonoNs(0),
            offset_ns,
            uncertainty_ns,
            asymmetry_ns: 0,
            interval_ns: 1_000_000_000,
        }
    }

    #[test]
    fn alone_a_source_is_believed() {
        let ptp = measured(Ptp, 400, 100);
        assert_eq!(rule(&[]), Ruling::None);
        assert_eq!(rule(&[ptp]), Ruling::Held(ptp));
    }

    #[test]
    fn of_two_that_agree_the_better_one_holds() {
        let (ptp, chrony) = (measured(Ptp, 400, 100), measured(Chrony, -20_000, 30_000));
        assert_eq!(rule(&[chrony, ptp]), Ruling::Held(ptp));
    }

    //= R6.8
    #[test]
    fn of_two_that_exclude_each_other_none_is_believed() {
        let (ptp, chrony) = (measured(Ptp, 0, 1_000), measured(Chrony, 2_000_000, 30_000));
        for order in [[ptp, chrony], [chrony, ptp]] {
            let Ruling::Disputed { apart_ns, .. } = rule(&order) else {
                panic!("{:?}", rule(&order));
            };
            assert!((1_900_000..2_000_000).contains(&apart_ns), "{apart_ns}");
        }
    }

    /// An offer that is wide enough to agree with both.
    //= R6.8
    #[test]
    fn an_offered_time_does_not_decide_between_two_that_are_measured() {
        let (ptp, chrony) = (measured(Ptp, 0, 1_000), measured(Chrony, 50_000_000, 1_000));
        let offered = measured(Offered, 25_000_000, 100_000_000);
        let Ruling::Disputed { between, .. } = rule(&[ptp, chrony, offered]) else {
            panic!("{:?}", rule(&[ptp, chrony, offered]));
        };
        assert_eq!(between, [Ptp, Chrony]);
        // Beside one that is measured it may hold the clock, where it says the same with less doubt.
        let coarse = measured(Chrony, 0, 100_000_000);
        let fine = measured(Offered, 0, 1_000_000);
        assert_eq!(rule(&[coarse, fine]), Ruling::Held(fine));
        assert_eq!(rule(&[ptp, offered]), Ruling::Held(ptp));
        let other = measured(Offered, 3_000_000_000, 1_000);
        assert_eq!(rule(&[ptp, other]), Ruling::Held(ptp));
    }

    /// Agreement is not transitive: the wide one makes both narrow ones a majority, and they exclude each other.
    //= R6.8
    #[test]
    fn of_a_majority_that_contradicts_itself_only_who_agrees_with_all_is_believed() {
        let (a, b) = (measured(Ptp, 0, 1_000), measured(Ptp, 50_000_000, 1_000));
        let wide = measured(Ptp, 25_000_000, 100_000_000);
        assert_eq!(believed(&[a, wide, b]), [wide]);
        assert_eq!(believed(&[a, b]), []);
        assert_eq!(believed(&[a, wide]), [a, wide]);
    }

    //= R6.8
    #[test]
    fn two_outvote_a_third() {
        let (ptp, chrony) = (measured(Ptp, 0, 1_000), measured(Chrony, 9_000, 30_000));
        let liar = measured(Offered, 3_600_000_000_000, 50_000_000);
        assert_eq!(rule(&[liar, ptp, chrony]), Ruling::Held(ptp));
        let three = [
            measured(Ptp, 0, 1),
            measured(Chrony, 1_000_000_000, 1),
            measured(Offered, -1_000_000_000, 1),
        ];
        assert!(matches!(rule(&three), Ruling::Disputed { .. }));
    }
}
