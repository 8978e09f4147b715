//! Which request belongs to which failed attempt: both in order, and a lost session takes its retries along.

use super::attempts::{Attempt, Outcome};
use super::requests::Asked;

/// A request that left the node reaches the street within this; the next slot is far later.
const ON_THE_WIRE_NS: u64 = 200_000_000;

/// Requests and failed attempts between two readings, laid side by side.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a> {
    pub(super) paired: Vec<(&'a Asked, &'a Attempt)>,
    /// Requests of sessions whose numbers were lost: a marker speaks for them.
    pub(super) gone: Vec<&'a Asked>,
    /// Requests that are left without an attempt.
    pub(super) left: Vec<&'a Asked>,
    /// Attempts without a request that would have to have one.
    pub(super) unasked: Vec<&'a Attempt>,
}

/// Lays them side by side.
pub(super) fn pairs<'a>(asked: &[&'a Asked], failed: &[&'a Attempt]) -> Pairs<'a> {
    let mut pairs = Pairs::default();
    let mut asked = asked.iter().copied().peekable();
    for attempt in failed.iter().copied() {
        match &attempt.outcome {
            Outcome::Failed { .. } => match asked.next() {
                Some(asked) => pairs.paired.push((asked, attempt)),
                None if attempt.may_lack_request() => {}
                None => pairs.unasked.push(attempt),
            },
            Outcome::Gap { count, last_ns } => {
                // A session sends one request at least; a retry is no later than the last attempt.
                let mut sessions = *count;
                let until_ns = last_ns.saturating_add(ON_THE_WIRE_NS);
                while let Some(gone) =
                    asked.next_if(|asked| sessions > 0 || asked.at_ns <= until_ns)
                {
                    sessions = sessions.saturating_sub(1);
                    pairs.gone.push(gone);
                }
            }
            Outcome::Read(_) => {}
        }
    }
    pairs.left.extend(asked);
    pairs
}
