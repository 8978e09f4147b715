//! When bursts strike.

use crate::clock::{after, nanos};
use std::time::Duration;

/// Bursts of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moments {
    /// The first as the fault begins, then one each period.
    Every { period: Duration, length: Duration },
    /// At these instants behind the fault's beginning, in order.
    At {
        moments: Vec<Duration>,
        length: Duration,
    },
}

impl Moments {
    /// The end of the burst that lasts at an instant.
    pub(crate) fn end(&self, from_ns: u64, at_ns: u64) -> Option<u64> {
        let since_ns = at_ns.checked_sub(from_ns)?;
        match self {
            Self::Every { period, length } => {
                let period_ns = nanos(*period).max(1);
                let begun_ns = at_ns - since_ns % period_ns;
                Some(after(begun_ns, *length)).filter(|end_ns| at_ns < *end_ns)
            }
            Self::At { moments, length } => {
                let ends = moments.iter().map(|moment| {
                    let begun_ns = after(from_ns, *moment);
                    (begun_ns, after(begun_ns, *length))
                });
                let mut lasting = ends.filter(|(begun, end)| (*begun..*end).contains(&at_ns));
                lasting.next().map(|(_, end_ns)| end_ns)
            }
        }
    }

    /// When the next one begins behind an instant.
    pub(crate) fn next(&self, from_ns: u64, behind_ns: u64) -> Option<u64> {
        match self {
            Self::Every { period, .. } => {
                let period_ns = nanos(*period).max(1);
                let Some(since_ns) = behind_ns.checked_sub(from_ns) else {
                    return Some(from_ns);
                };
                let passed = since_ns / period_ns + 1;
                Some(from_ns.saturating_add(passed.saturating_mul(period_ns)))
            }
            Self::At { moments, .. } => {
                let mut begins = moments.iter().map(|moment| after(from_ns, *moment));
                begins.find(|begun_ns| *begun_ns > behind_ns)
            }
        }
    }
}
