//! How much of what a site allows is used up.

use evidence::reasons::DriftBudget;

/// The bucket of an error bound against the site's limit, both in nanoseconds. Without a bound, and
/// where the site allows nothing, the budget is spent.
#[must_use]
pub fn drift_budget(bound_ns: Option<u64>, limit_ns: u64) -> DriftBudget {
    let Some(bound_ns) = bound_ns else {
        return DriftBudget::Spent;
    };
    let below = |percent: u128| u128::from(bound_ns) * 100 < u128::from(limit_ns) * percent;
    match (below(10), below(50), below(80), below(100)) {
        (true, ..) => DriftBudget::Below10Percent,
        (_, true, ..) => DriftBudget::Below50Percent,
        (.., true, _) => DriftBudget::Below80Percent,
        (.., true) => DriftBudget::Below100Percent,
        (.., false) => DriftBudget::Spent,
    }
}

#[cfg(test)]
mod tests {
    use super::drift_budget;
    use evidence::reasons::DriftBudget;

    //= A8.3
    #[test]
    fn each_bucket_begins_where_the_one_before_ends() {
        let limit_ns = 1_000_000;
        for (bound_ns, budget) in [
            (0, DriftBudget::Below10Percent),
            (99_999, DriftBudget::Below10Percent),
            (100_000, DriftBudget::Below50Percent),
            (499_999, DriftBudget::Below50Percent),
            (500_000, DriftBudget::Below80Percent),
            (799_999, DriftBudget::Below80Percent),
            (800_000, DriftBudget::Below100Percent),
            (999_999, DriftBudget::Below100Percent),
            (1_000_000, DriftBudget::Spent),
            (u64::MAX, DriftBudget::Spent),
        ] {
            assert_eq!(drift_budget(Some(bound_ns), limit_ns), budget, "{bound_ns}");
        }
        assert_eq!(drift_budget(None, u64::MAX), DriftBudget::Spent);
        assert_eq!(drift_budget(Some(0), 0), DriftBudget::Spent);
        assert_eq!(
            drift_budget(Some(u64::MAX - 1), u64::MAX),
            DriftBudget::Below100Percent
        );
    }
}
