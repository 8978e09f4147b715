//! The node's states, what can happen in them, and the one declared table of what follows.

use core::fmt;

/// Where the node stands with its collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The host has not yet read its own log to the end: nothing may be judged.
    Starting,
    /// Nothing is sealed beyond what is cosigned.
    Idle,
    /// Asks the collector where it stands.
    Probing,
    /// Reads leaves from the host.
    Gathering,
    /// A hole is named past every sealed size: waits for the next seal.
    AwaitingSeal,
    /// Sends `add-checkpoint`.
    Announcing,
    /// Sends `add-entries`.
    Uploading,
    /// Waits after a failure or refusal.
    BackingOff,
    /// Sends its own newest head to a collector that is ahead, so that both sides hold both.
    Contesting,
    /// Fetches the collector's signed checkpoint as evidence.
    Fetching,
    /// The trees contradict each other: delivery stops until a new generation is adopted.
    Conflict,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The host has read its log to the end.
    CaughtUp,
    /// A newer checkpoint is sealed, the collector's position is not known.
    Sealed,
    /// A newer checkpoint is sealed, the collector's position is known.
    SealedInStep,
    /// The collector stands at or behind the newest sealed size.
    Behind,
    /// The collector stands where the log does: there is nothing to send.
    Level,
    /// The collector stands past the newest sealed size.
    Ahead,
    /// All leaves of the batch are read and build the sealed root.
    Gathered,
    /// A hole of the batch is named by an entry past it.
    Unnamed,
    /// The leaves that the collector lacks are gone here, and no LOSS entry names them.
    Unavailable,
    /// The leaves do not build the root that was sealed.
    Mismatch,
    /// 200 to `add-checkpoint`.
    Taken,
    /// 202 with a further next entry.
    Progress,
    /// 200 to `add-entries` with a cosignature that verifies.
    Cosigned,
    /// The collector stands elsewhere than was believed.
    Moved,
    /// The collector holds another tree, or follows a newer generation.
    Contradicted,
    /// A status or body that says no.
    Refused,
    /// No usable response: connection, time, 5xx.
    Failed,
    /// The wait is over.
    Due,
    /// The collector answered the contest, or could not be asked.
    Contested,
    /// The evidence is here, or could not be had.
    Kept,
}

use Event as E;
use State as S;

/// Every transition. What is not listed is no transition: the event is ignored in that state.
pub const TABLE: &[(State, Event, State)] = &[
    (S::Starting, E::CaughtUp, S::Idle),
    (S::Idle, E::Sealed, S::Probing),
    (S::Idle, E::SealedInStep, S::Gathering),
    (S::Probing, E::Behind, S::Gathering),
    (S::Probing, E::Level, S::Idle),
    (S::Probing, E::Ahead, S::Contesting),
    (S::Probing, E::Refused, S::BackingOff),
    (S::Probing, E::Failed, S::BackingOff),
    (S::Gathering, E::Gathered, S::Announcing),
    (S::Gathering, E::Unnamed, S::AwaitingSeal),
    (S::Gathering, E::Unavailable, S::Fetching),
    (S::Gathering, E::Mismatch, S::BackingOff),
    (S::AwaitingSeal, E::SealedInStep, S::Gathering),
    (S::Announcing, E::Taken, S::Uploading),
    (S::Announcing, E::Moved, S::Probing),
    (S::Announcing, E::Contradicted, S::Fetching),
    (S::Announcing, E::Refused, S::BackingOff),
    (S::Announcing, E::Failed, S::BackingOff),
    (S::Uploading, E::Progress, S::Uploading),
    (S::Uploading, E::Cosigned, S::Idle),
    (S::Uploading, E::Moved, S::Probing),
    (S::Uploading, E::Unavailable, S::Fetching),
    (S::Uploading, E::Refused, S::BackingOff),
    (S::Uploading, E::Failed, S::BackingOff),
    (S::BackingOff, E::Due, S::Probing),
    (S::Contesting, E::Contested, S::Fetching),
    (S::Fetching, E::Kept, S::Conflict),
];

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        S::Starting,
        S::Idle,
        S::Probing,
        S::Gathering,
        S::AwaitingSeal,
        S::Announcing,
        S::Uploading,
        S::BackingOff,
        S::Contesting,
        S::Fetching,
        S::Conflict,
    ];

    /// The state that follows; `None` where the event means nothing.
    #[must_use]
    pub fn after(self, event: Event) -> Option<Self> {
        TABLE
            .iter()
            .find(|(from, on, _)| *from == self && *on == event)
            .map(|(_, _, to)| *to)
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 20] = [
        E::CaughtUp,
        E::Sealed,
        E::SealedInStep,
        E::Behind,
        E::Level,
        E::Ahead,
        E::Gathered,
        E::Unnamed,
        E::Unavailable,
        E::Mismatch,
        E::Taken,
        E::Progress,
        E::Cosigned,
        E::Moved,
        E::Contradicted,
        E::Refused,
        E::Failed,
        E::Due,
        E::Contested,
        E::Kept,
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, State, TABLE};
    use std::collections::BTreeSet;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    //= A5.1
    #[test]
    fn no_state_has_two_answers_to_one_event() {
        for state in State::ALL {
            for event in Event::ALL {
                let rows = TABLE
                    .iter()
                    .filter(|(from, on, _)| (*from, *on) == (state, event));
                let next: Vec<State> = rows.map(|(_, _, to)| *to).collect();
                assert!(next.len() <= 1, "{state} {event:?} leads to {next:?}");
                assert_eq!(state.after(event), next.first().copied());
            }
        }
        for event in Event::ALL {
            assert!(
                TABLE.iter().any(|(_, on, _)| *on == event),
                "{event:?} is never used"
            );
        }
    }

    fn reachable(from: State) -> BTreeSet<State> {
        let mut seen = BTreeSet::from([from]);
        let mut open = Vec::from([from]);
        while let Some(state) = open.pop() {
            for to in Event::ALL
                .into_iter()
                .filter_map(|event| state.after(event))
            {
                if seen.insert(to) {
                    open.push(to);
                }
            }
        }
        seen
    }

    //= A5.1
    #[test]
    fn every_state_is_reached_and_only_conflict_is_an_end() {
        assert_eq!(reachable(State::Starting).len(), State::ALL.len());
        for state in State::ALL {
            let ends = reachable(state);
            assert!(ends.contains(&State::Conflict) || state == State::Conflict);
            let towards_conflict =
                matches!(state, State::Contesting | State::Fetching | State::Conflict);
            assert_eq!(ends.contains(&State::Idle), !towards_conflict, "{state}");
        }
        assert!(
            Event::ALL
                .into_iter()
                .all(|event| State::Conflict.after(event).is_none())
        );
    }

    //= A5.1
    #[test]
    fn a_state_that_waits_for_the_wire_has_an_answer_to_silence() {
        for state in [State::Probing, State::Announcing, State::Uploading] {
            assert_eq!(state.after(Event::Failed), Some(State::BackingOff));
            assert_eq!(state.after(Event::Refused), Some(State::BackingOff));
        }
        assert_eq!(
            State::Contesting.after(Event::Contested),
            Some(State::Fetching)
        );
        assert_eq!(State::Fetching.after(Event::Kept), Some(State::Conflict));
    }

    #[test]
    fn the_published_table_is_this_one() {
        let spec = include_str!("../../../../spec/exchange-v1.md");
        let mut rows = String::new();
        for (from, event, to) in TABLE {
            rows.push_str(&format!("| {from} | {event:?} | {to} |\n"));
        }
        assert!(
            spec.contains(&rows),
            "spec/exchange-v1.md lacks these rows:\n{rows}"
        );
    }
}
