//! The course of an output, as one declared table.

use OutputOutcome::{Cancelled, Driven, Expired, Failed, Mismatch, Operated, Proved, Safe};
use State::{Driving, Idle, Proving, Retreating, Selected};
use evidence::reasons::OutputOutcome;

/// Where an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody has it.
    Idle,
    /// An originator has selected it.
    Selected,
    /// The card is asked to drive it for a command.
    Driving,
    /// It was driven, and its feedback is awaited.
    Proving,
    /// The card is asked to take it to its safe default.
    Retreating,
}

/// What happens to an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A select that nothing holds back.
    Select,
    /// An execute that nothing holds back.
    Execute,
    /// A direct operate that nothing holds back.
    Operate,
    /// A cancel by whom it is selected.
    Cancel,
    /// The selection's time is over.
    Expire,
    /// Its own originator's execute was refused: the selection is used up.
    Drop,
    /// The card has taken it, and a feedback will tell.
    Driven,
    /// The card has taken it, and there is no feedback.
    Bare,
    /// The card has not taken it.
    Failed,
    /// The feedback says so.
    Proved,
    /// The window is over.
    Missed,
    /// The card is gone.
    Gone,
    /// Nobody records, or the node stops.
    Retreat,
    /// The card has taken it to its safe default.
    Retreated,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Idle, Selected, Driving, Proving, Retreating];
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 14] = [
        Self::Select,
        Self::Execute,
        Self::Operate,
        Self::Cancel,
        Self::Expire,
        Self::Drop,
        Self::Driven,
        Self::Bare,
        Self::Failed,
        Self::Proved,
        Self::Missed,
        Self::Gone,
        Self::Retreat,
        Self::Retreated,
    ];
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// In this state
    pub from: State,
    /// this event
    pub on: Event,
    /// leads here
    pub to: State,
    /// and is told so; `None` where another record tells it, or the next one will.
    pub tells: Option<OutputOutcome>,
}

const fn go(from: State, on: Event, to: State) -> Turn {
    Turn {
        from,
        on,
        to,
        tells: None,
    }
}

const fn tell(from: State, on: Event, to: State, tells: OutputOutcome) -> Turn {
    Turn {
        from,
        on,
        to,
        tells: Some(tells),
    }
}

/// The whole course. A pair that is not here changes nothing.
pub const COURSE: [Turn; 23] = [
    tell(Idle, Event::Select, Selected, OutputOutcome::Selected),
    go(Idle, Event::Operate, Driving),
    go(Idle, Event::Retreat, Retreating),
    tell(Selected, Event::Select, Selected, OutputOutcome::Selected),
    go(Selected, Event::Execute, Driving),
    go(Selected, Event::Operate, Driving),
    tell(Selected, Event::Cancel, Idle, Cancelled),
    tell(Selected, Event::Expire, Idle, Expired),
    go(Selected, Event::Drop, Idle),
    tell(Selected, Event::Gone, Idle, Cancelled),
    tell(Selected, Event::Retreat, Retreating, Cancelled),
    tell(Driving, Event::Driven, Proving, Driven),
    tell(Driving, Event::Bare, Idle, Operated),
    tell(Driving, Event::Failed, Idle, Failed),
    tell(Driving, Event::Gone, Idle, Failed),
    tell(Driving, Event::Retreat, Retreating, Failed),
    tell(Proving, Event::Proved, Idle, Proved),
    tell(Proving, Event::Missed, Idle, Mismatch),
    tell(Proving, Event::Gone, Idle, Mismatch),
    tell(Proving, Event::Retreat, Retreating, Mismatch),
    tell(Retreating, Event::Retreated, Idle, Safe),
    tell(Retreating, Event::Failed, Idle, Failed),
    tell(Retreating, Event::Gone, Idle, Failed),
];

impl State {
    /// The row for an event; `None` changes nothing.
    #[must_use]
    pub fn on(self, event: Event) -> Option<Turn> {
        let fits = |row: &&Turn| row.from == self && row.on == event;
        COURSE.iter().find(fits).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{COURSE, Event, State};
    use std::format;
    use std::string::String;

    /// Every state (rows) and event (columns, in the order of `Event::ALL`); `!` where it is told.
    const WHOLE: &str = "\
Idle       Selected!  .          Driving    .          .          .          .          .          .          .          .          .          Retreating .
Selected   Selected!  Driving    Driving    Idle!      Idle!      Idle       .          .          .          .          .          Idle!      Retreating! .
Driving    .          .          .          .          .          .          Proving!   Idle!      Idle!      .          .          Idle!      Retreating! .
Proving    .          .          .          .          .          .          .          .          .          Idle!      Idle!      Idle!      Retreating! .
Retreating .          .          .          .          .          .          .          .          Idle!      .          .          Idle!      .          Idle!
";

    //= R3.2
    #[test]
    fn every_state_and_event_has_its_place() {
        let mut found = String::new();
        for state in State::ALL {
            let mut line = format!("{:<11}", format!("{state:?}"));
            for event in Event::ALL {
                let cell = match state.on(event) {
                    None => String::from("."),
                    Some(row) if row.tells.is_some() => format!("{:?}!", row.to),
                    Some(row) => format!("{:?}", row.to),
                };
                line += &format!("{cell:<10} ");
            }
            found += line.trim_end();
            found.push('\n');
        }
        assert_eq!(found, WHOLE);
    }

    /// Whoever leaves a state in which a command runs says what became of it.
    //= R6.7
    #[test]
    fn no_command_ends_without_an_outcome_and_every_state_comes_to_rest() {
        for row in COURSE {
            let runs = matches!(row.from, State::Driving | State::Proving);
            assert!(!runs || row.tells.is_some(), "{row:?}");
            let twins = COURSE
                .iter()
                .filter(|other| (other.from, other.on) == (row.from, row.on));
            assert_eq!(twins.count(), 1, "{row:?}");
        }
        for state in State::ALL.into_iter().skip(1) {
            let lost = state.on(Event::Gone);
            assert_eq!(lost.map(|row| row.to), Some(State::Idle), "{state:?}");
        }
    }
}
