//! The declared table of one exchange: what the line does, what happens, what is done, where that leads.

/// What the line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The bus has no voltage, or its converter reports overload.
    Off,
    /// It has voltage again, and slaves may not answer yet.
    Starting,
    /// Nothing is asked.
    Idle,
    /// A request waits until the line has been silent long enough.
    Resting,
    /// A request is on its way.
    Sending,
    /// It is out, and nothing has come back.
    Waiting,
    /// Something comes.
    Receiving,
    /// A whole frame came; the line must stay silent behind it.
    Settling,
    /// What came is judged.
    Judging,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The bus has voltage.
    PowerOn,
    /// It has none.
    PowerOff,
    /// A request is given.
    Ask,
    /// The time of the state is up.
    Timer,
    /// All that is heard is the own frame, or the beginning of it.
    Echo,
    /// Bytes that are no whole frame, or more than one.
    Part,
    /// A whole frame and nothing else.
    Whole,
    /// More bytes than a reply has, or for longer than a request may wait, without a silence.
    Flood,
    /// Judged: it answers.
    Answered,
    /// Judged: it does not, and the request may be repeated.
    Again,
    /// Judged: it does not, and that was the last repeat.
    GaveUp,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Let slaves start.
    Start,
    /// Report that the request failed for want of power, if there is one.
    Fail,
    /// Keep the request until slaves have started.
    Hold,
    /// Take up the request that was kept, if there is one.
    Release,
    /// Wait for silence.
    Rest,
    /// Refuse a second request beside the first.
    Refuse,
    /// Report what was heard without a request, then send.
    Send,
    /// Wait for the reply.
    Open,
    /// Keep the bytes, and wait for the silence behind them.
    Collect,
    /// Report what was heard without a request, if anything was.
    Stray,
    /// Report that the line does not fall silent.
    Busy,
    /// Judge what was heard.
    Judge,
    /// Report the outcome.
    Report,
}

impl State {
    /// Every state.
    pub const ALL: &'static [Self] = &[
        Self::Off,
        Self::Starting,
        Self::Idle,
        Self::Resting,
        Self::Sending,
        Self::Waiting,
        Self::Receiving,
        Self::Settling,
        Self::Judging,
    ];
}

impl Event {
    /// Every event.
    pub const ALL: &'static [Self] = &[
        Self::PowerOn,
        Self::PowerOff,
        Self::Ask,
        Self::Timer,
        Self::Echo,
        Self::Part,
        Self::Whole,
        Self::Flood,
        Self::Answered,
        Self::Again,
        Self::GaveUp,
    ];
}

/// What an event does in a state. Total: each pair has one answer, and the whole table stands in
/// `states.txt`.
#[must_use]
pub const fn next(state: State, event: Event) -> (Action, State) {
    use State::{Idle, Judging, Off, Receiving, Resting, Sending, Settling, Starting, Waiting};
    match (state, event) {
        (Off, Event::PowerOn) => (Action::Start, Starting),
        (Off, Event::Ask) => (Action::Fail, Off),
        (Off, _) => (Action::Nothing, Off),
        (_, Event::PowerOff) => (Action::Fail, Off),
        (_, Event::PowerOn) => (Action::Nothing, state),

        (Starting, Event::Ask) => (Action::Hold, Starting),
        (Starting, Event::Timer) => (Action::Release, Idle),
        // What slaves do to the line while they start is no telegram.
        (Starting, _) => (Action::Nothing, Starting),

        (Idle, Event::Ask) => (Action::Rest, Resting),
        (_, Event::Ask) => (Action::Refuse, state),
        (Idle | Resting, Event::Echo | Event::Part | Event::Whole) => (Action::Collect, state),
        (Idle, Event::Timer | Event::Flood) => (Action::Stray, Idle),
        (Resting, Event::Timer) => (Action::Send, Sending),
        (Resting, Event::Flood) => (Action::Busy, Idle),

        (Sending, Event::Echo | Event::Part | Event::Whole | Event::Flood) => {
            (Action::Collect, Sending)
        }
        (Sending, Event::Timer) => (Action::Open, Waiting),
        // The request itself is heard: it has only now left, and the time for the reply begins.
        (Waiting, Event::Echo) => (Action::Open, Waiting),
        (Waiting | Receiving | Settling, Event::Part) => (Action::Collect, Receiving),
        (Waiting | Receiving | Settling, Event::Whole) => (Action::Collect, Settling),
        (Receiving | Settling, Event::Echo) => (Action::Collect, Receiving),
        (Waiting | Receiving | Settling, Event::Timer | Event::Flood) => (Action::Judge, Judging),

        (Judging, Event::Answered | Event::GaveUp) => (Action::Report, Idle),
        (Judging, Event::Again) => (Action::Rest, Resting),
        // Nothing comes between a judgement and its result.
        (Judging, Event::Timer | Event::Echo | Event::Part | Event::Whole | Event::Flood)
        | (
            Idle | Resting | Sending | Waiting | Receiving | Settling,
            Event::Answered | Event::Again | Event::GaveUp,
        ) => (Action::Nothing, state),
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Event, State, next};
    use alloc::format;
    use alloc::string::String;
    use core::fmt::Write;

    /// The whole table as it stands in `states.txt`, which a person reads and reviews.
    //= A3.2
    #[test]
    fn the_whole_table_is_what_was_reviewed() {
        let mut table = String::new();
        for state in State::ALL {
            for event in Event::ALL {
                let (action, to) = next(*state, *event);
                let row = format!(
                    "{:<10} {:<9} {:<8} {to:?}",
                    format!("{state:?}"),
                    format!("{event:?}"),
                    format!("{action:?}"),
                );
                let _ = writeln!(table, "{row}");
            }
        }
        assert_eq!(table, include_str!("states.txt"), "\n{table}");
    }

    //= A3.2
    #[test]
    fn a_request_leaves_only_after_a_rest_and_an_answer_comes_only_from_a_judgement() {
        for state in State::ALL {
            for event in Event::ALL {
                let (action, to) = next(*state, *event);
                assert_eq!(
                    action == Action::Send,
                    (*state, *event) == (State::Resting, Event::Timer)
                );
                assert_eq!(action == Action::Report, {
                    *state == State::Judging && matches!(event, Event::Answered | Event::GaveUp)
                });
                assert_eq!(
                    action == Action::Judge,
                    to == State::Judging && *state != to
                );
            }
        }
    }

    //= A3.2
    #[test]
    fn without_power_nothing_is_sent_and_every_state_ends_there() {
        for state in State::ALL {
            assert_eq!(next(*state, Event::PowerOff).1, State::Off);
        }
        for event in Event::ALL.iter().filter(|event| **event != Event::PowerOn) {
            assert_eq!(next(State::Off, *event).1, State::Off);
        }
    }
}
