//! A line whose supply falls: meters beyond a place on it go out together, and come back one behind the other.

use crate::clock::after;
use std::time::Duration;

/// How far the supply reaches, and how meters come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Droop {
    /// The word in plan and log: a droop, or an overload, for which the converter cuts the whole bus off.
    pub(crate) name: &'static str,
    /// Meters that keep their supply, from the near end.
    pub(crate) beyond: usize,
    /// From the return of the supply until the first of the others answers.
    pub(crate) power_up: Duration,
    /// Each further one comes so much later.
    pub(crate) step: Duration,
}

/// A meter goes out or comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turnaround {
    pub(super) at_ns: u64,
    /// Index into the site's meters.
    pub(super) meter: usize,
    pub(super) down: bool,
}

impl Droop {
    /// What becomes of the meters of the line, each with its place, in order of time.
    pub(super) fn turns(
        &self,
        from_ns: u64,
        until_ns: u64,
        meters: impl Iterator<Item = (usize, usize)>,
    ) -> Vec<Turnaround> {
        let mut turns = Vec::new();
        for (meter, place) in meters.filter(|(_, place)| *place > self.beyond) {
            turns.push(Turnaround {
                at_ns: from_ns,
                meter,
                down: true,
            });
            let further = u32::try_from(place - self.beyond - 1).unwrap_or(u32::MAX);
            let wait = self.step.saturating_mul(further);
            if until_ns < u64::MAX {
                turns.push(Turnaround {
                    at_ns: after(until_ns, self.power_up.saturating_add(wait)),
                    meter,
                    down: false,
                });
            }
        }
        turns.sort_by_key(|turn| turn.at_ns);
        turns
    }
}

/// Whether a meter is out at an instant.
pub(super) fn is_down(turns: &[Turnaround], meter: usize, at_ns: u64) -> bool {
    let own = turns.iter().filter(|turn| turn.meter == meter);
    let last = own.take_while(|turn| turn.at_ns <= at_ns).last();
    last.is_some_and(|turn| turn.down)
}
