//! How often meters with a battery may be read: a bound for any 24 hours, refused beyond it and counted.

use crate::limits::{BUDGET_NS, BUDGET_READS_MAX, METERS_MAX};
use alloc::collections::{BTreeMap, VecDeque};
use core::fmt;

/// Why a readout is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Readouts allowed in 24 hours.
    pub reads_max: u32,
    /// When the next is free, in monotonic nanoseconds.
    pub free_ns: u64,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the meter's budget of {} readouts in 24 hours is spent",
            self.reads_max
        )
    }
}

impl core::error::Error for Spent {}

/// Why a meter can have no budget: there are too many that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyMeters;

impl fmt::Display for TooManyMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{METERS_MAX} meters have a budget; no more can")
    }
}

impl core::error::Error for TooManyMeters {}

#[derive(Clone, Debug, Default)]
struct Account {
    reads_max: u32,
    /// When each readout stops to count, the oldest first.
    ends_ns: VecDeque<u64>,
    refused: u64,
}

/// The budgets of all meters that have one, by the caller's number of the meter.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    accounts: BTreeMap<u64, Account>,
}

impl Budgets {
    /// Gives a meter a budget of so many readouts in any 24 hours; more than [`BUDGET_READS_MAX`] count as
    /// that. What it has spent stays spent.
    ///
    /// # Errors
    /// Where [`METERS_MAX`] meters have one.
    pub fn set(&mut self, meter: u64, reads_max: u32) -> Result<(), TooManyMeters> {
        if self.accounts.len() >= METERS_MAX && !self.accounts.contains_key(&meter) {
            return Err(TooManyMeters);
        }
        self.accounts.entry(meter).or_default().reads_max = reads_max.min(BUDGET_READS_MAX);
        Ok(())
    }

    /// Notes a readout that was made `age_ns` before `now_ns`, by a process that is no more.
    pub fn restore(&mut self, meter: u64, age_ns: u64, now_ns: u64) {
        let Some(account) = self.accounts.get_mut(&meter) else {
            return;
        };
        let left_ns = BUDGET_NS.saturating_sub(age_ns);
        let most = usize::try_from(BUDGET_READS_MAX).unwrap_or(usize::MAX);
        if left_ns > 0 && account.ends_ns.len() < most {
            account.ends_ns.push_back(now_ns.saturating_add(left_ns));
            account.ends_ns.make_contiguous().sort_unstable();
        }
    }

    /// Spends a readout of a meter; one without a budget has no bound.
    ///
    /// # Errors
    /// Where the budget is spent; that is counted.
    pub fn spend(&mut self, meter: u64, now_ns: u64) -> Result<(), Spent> {
        let Some(account) = self.accounts.get_mut(&meter) else {
            return Ok(());
        };
        account.ends_ns.retain(|end_ns| *end_ns > now_ns);
        let spent = u32::try_from(account.ends_ns.len()).unwrap_or(u32::MAX);
        if spent >= account.reads_max {
            account.refused = account.refused.saturating_add(1);
            // So many must end until there is room for one.
            let over = usize::try_from(spent.saturating_sub(account.reads_max)).unwrap_or_default();
            let free_ns = account.ends_ns.get(over).copied().unwrap_or(u64::MAX);
            return Err(Spent {
                reads_max: account.reads_max,
                free_ns,
            });
        }
        account.ends_ns.push_back(now_ns.saturating_add(BUDGET_NS));
        Ok(())
    }

    /// Readouts of a meter that were refused.
    #[must_use]
    pub fn refused(&self, meter: u64) -> u64 {
        self.accounts
            .get(&meter)
            .map_or(0, |account| account.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::{BUDGET_NS, Budgets, METERS_MAX, Spent, TooManyMeters};

    //= A3.2
    #[test]
    fn a_budget_is_for_any_24_hours_and_refusals_are_counted() {
        let mut budgets = Budgets::default();
        budgets.set(7, 2).unwrap();
        assert_eq!(budgets.spend(7, 1_000), Ok(()));
        assert_eq!(budgets.spend(7, 2_000), Ok(()));
        let spent = Spent {
            reads_max: 2,
            free_ns: BUDGET_NS + 1_000,
        };
        assert_eq!(budgets.spend(7, 3_000), Err(spent));
        assert_eq!(budgets.spend(7, BUDGET_NS + 999), Err(spent));
        assert_eq!(budgets.refused(7), 2);
        assert_eq!(budgets.spend(7, BUDGET_NS + 1_000), Ok(()));
        assert!(budgets.spend(7, BUDGET_NS + 1_001).is_err());
        assert_eq!(budgets.spend(8, 0), Ok(()), "no budget, no bound");
        assert_eq!(budgets.refused(8), 0);
    }

    //= A3.2
    #[test]
    fn what_was_spent_before_a_restart_is_spent() {
        let mut budgets = Budgets::default();
        budgets.set(7, 2).unwrap();
        for age_ns in [BUDGET_NS, 10, 20] {
            budgets.restore(7, age_ns, 5);
        }
        let spent = Spent {
            reads_max: 2,
            free_ns: BUDGET_NS - 15,
        };
        assert_eq!(budgets.spend(7, 6), Err(spent));
        assert_eq!(budgets.spend(7, BUDGET_NS - 15), Ok(()));
        budgets.set(7, 0).unwrap();
        assert!(budgets.spend(7, u64::MAX).is_err());
    }

    #[test]
    fn budgets_are_bounded() {
        let mut budgets = Budgets::default();
        for meter in 0..METERS_MAX as u64 {
            budgets.set(meter, 1).unwrap();
        }
        assert_eq!(budgets.set(u64::MAX, 1), Err(TooManyMeters));
        assert_eq!(budgets.set(0, 2), Ok(()));
    }
}
