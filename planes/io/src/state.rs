//! The course of a read session, as one declared table.

use State::{Closing, Due, DueHeld, Ended, Held, InFlight, Ready};
use evidence::reasons::AttemptCause;

/// Where a read session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Its slot is due; nothing has been sent and it has no number yet.
    Due,
    /// Due, and its first request could be answered by a late reply to an earlier one.
    DueHeld,
    /// Its next request waits for the bus.
    Ready,
    /// Its next request could be answered by a late reply to an earlier one.
    Held,
    /// A request is on the wire.
    InFlight,
    /// A request is on the wire, and it is the last: the node stops.
    Closing,
    /// It has its outcome.
    Ended,
}

/// What happens to a read session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A request leaves.
    Send,
    /// A late reply could be mistaken for the answer to its next request.
    HoldBack,
    /// No late reply can come any more.
    Release,
    /// The request was answered, and another follows.
    AnsweredMore,
    /// The last request was answered.
    AnsweredLast,
    /// The attempt failed; a retry or another request follows.
    FailedMore,
    /// The attempt failed, and none follows.
    FailedLast,
    /// There is no port or connection to send on.
    Refused,
    /// A later slot of the meter fell due.
    SlotPassed,
    /// The node stops.
    Stop,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [Due, DueHeld, Ready, Held, InFlight, Closing, Ended];
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::Send,
        Self::HoldBack,
        Self::Release,
        Self::AnsweredMore,
        Self::AnsweredLast,
        Self::FailedMore,
        Self::FailedLast,
        Self::Refused,
        Self::SlotPassed,
        Self::Stop,
    ];
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// In this state
    pub from: State,
    /// this event
    pub on: Event,
    /// leads here.
    pub to: State,
    /// And gives a failed attempt with this cause, without anything having been sent.
    pub cause: Option<AttemptCause>,
}

const fn go(from: State, on: Event, to: State) -> Transition {
    Transition {
        from,
        on,
        to,
        cause: None,
    }
}

const fn end(from: State, on: Event, cause: AttemptCause) -> Transition {
    Transition {
        from,
        on,
        to: Ended,
        cause: Some(cause),
    }
}

/// The whole course. A pair that is not here changes nothing.
pub const TRANSITIONS: [Transition; 26] = [
    go(Due, Event::Send, InFlight),
    go(Due, Event::HoldBack, DueHeld),
    go(Due, Event::Refused, Ended),
    end(Due, Event::SlotPassed, AttemptCause::SlotOverrun),
    end(Due, Event::Stop, AttemptCause::Stopped),
    go(DueHeld, Event::Release, Due),
    go(DueHeld, Event::Refused, Ended),
    end(DueHeld, Event::SlotPassed, AttemptCause::LateReplyWindow),
    end(DueHeld, Event::Stop, AttemptCause::Stopped),
    go(Ready, Event::Send, InFlight),
    go(Ready, Event::HoldBack, Held),
    go(Ready, Event::Refused, Ended),
    end(Ready, Event::Stop, AttemptCause::Stopped),
    go(Held, Event::Release, Ready),
    go(Held, Event::Refused, Ended),
    end(Held, Event::SlotPassed, AttemptCause::LateReplyWindow),
    end(Held, Event::Stop, AttemptCause::Stopped),
    go(InFlight, Event::AnsweredMore, Ready),
    go(InFlight, Event::AnsweredLast, Ended),
    go(InFlight, Event::FailedMore, Ready),
    go(InFlight, Event::FailedLast, Ended),
    go(InFlight, Event::Stop, Closing),
    end(Closing, Event::AnsweredMore, AttemptCause::Stopped),
    go(Closing, Event::AnsweredLast, Ended),
    end(Closing, Event::FailedMore, AttemptCause::Stopped),
    go(Closing, Event::FailedLast, Ended),
];

impl State {
    /// The row for an event; `None` changes nothing.
    #[must_use]
    pub fn on(self, event: Event) -> Option<Transition> {
        let fits = |row: &&Transition| row.from == self && row.on == event;
        TRANSITIONS.iter().find(fits).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, State, TRANSITIONS};
    use evidence::reasons::AttemptCause;
    use std::format;
    use std::string::String;

    /// Every state (rows) and event (columns, in the order of `Event::ALL`).
    const WHOLE: &str = "\
Due      InFlight  DueHeld   .         .         .         .         .         Ended     Ended!    Ended!
DueHeld  .         .         Due       .         .         .         .         Ended     Ended!    Ended!
Ready    InFlight  Held      .         .         .         .         .         Ended     .         Ended!
Held     .         .         Ready     .         .         .         .         Ended     Ended!    Ended!
InFlight .         .         .         Ready     Ended     Ready     Ended     .         .         Closing
Closing  .         .         .         Ended!    Ended     Ended!    Ended     .         .         .
Ended    .         .         .         .         .         .         .         .         .         .
";

    //= A4.6
    #[test]
    fn every_state_and_event_has_its_place() {
        let mut found = String::new();
        for state in State::ALL {
            let mut line = format!("{:<9}", format!("{state:?}"));
            for event in Event::ALL {
                let cell = match state.on(event) {
                    None => String::from("."),
                    Some(row) if row.cause.is_some() => format!("{:?}!", row.to),
                    Some(row) => format!("{:?}", row.to),
                };
                line += &format!("{cell:<10}");
            }
            found += line.trim_end();
            found.push('\n');
        }
        assert_eq!(found, WHOLE);
    }

    //= A4.6
    #[test]
    fn an_end_without_a_request_has_a_cause_that_says_why() {
        for (at, row) in TRANSITIONS.iter().enumerate() {
            let twin = |other: &&super::Transition| (other.from, other.on) == (row.from, row.on);
            assert_eq!(TRANSITIONS.iter().filter(twin).count(), 1, "row {at}");
            let expected = match (row.from, row.on) {
                (State::Due, Event::SlotPassed) => Some(AttemptCause::SlotOverrun),
                (State::DueHeld | State::Held, Event::SlotPassed) => {
                    Some(AttemptCause::LateReplyWindow)
                }
                (State::InFlight, Event::Stop) => None,
                (_, Event::Stop) | (State::Closing, Event::AnsweredMore | Event::FailedMore) => {
                    Some(AttemptCause::Stopped)
                }
                _ => None,
            };
            assert_eq!(row.cause, expected, "row {at}");
        }
    }

    //= A4.6
    #[test]
    fn every_state_can_end() {
        let mut ends = std::vec![State::Ended];
        for _ in State::ALL {
            for row in TRANSITIONS {
                if ends.contains(&row.to) && !ends.contains(&row.from) {
                    ends.push(row.from);
                }
            }
        }
        assert_eq!(ends.len(), State::ALL.len());
    }
}
