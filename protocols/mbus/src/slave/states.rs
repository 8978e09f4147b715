//! The declared table of a slave: whether it is selected, what it hears, what it answers.

/// Whether it is the one behind address 253.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not.
    Deselected,
    /// It is.
    Selected,
}

/// What a frame is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// SND_NKE to its own address, or to 254.
    Initialise,
    /// SND_NKE to 253.
    Deselect,
    /// SND_NKE to 255.
    InitialiseAll,
    /// A selection that means it.
    SelectThis,
    /// A selection that does not.
    SelectOther,
    /// REQ_UD2 to its own address, or to 254.
    Request,
    /// REQ_UD2 to 253.
    RequestSelected,
    /// SND_UD to its own address, or to 254.
    Command,
    /// SND_UD to 253 that selects nobody.
    CommandSelected,
    /// SND_UD to 255.
    CommandAll,
    /// Anything else: damaged, of another, from another.
    Other,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Ignore,
    /// Its link begins anew, without a word.
    BeginSilently,
    /// Its link begins anew; E5h.
    Begin,
    /// E5h, with the link of 253 begun anew.
    Selected,
    /// A telegram.
    Telegram,
    /// It obeys; E5h.
    Obey,
    /// It obeys without a word.
    ObeySilently,
}

impl State {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Deselected, Self::Selected];
}

impl Heard {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Initialise,
        Self::Deselect,
        Self::InitialiseAll,
        Self::SelectThis,
        Self::SelectOther,
        Self::Request,
        Self::RequestSelected,
        Self::Command,
        Self::CommandSelected,
        Self::CommandAll,
        Self::Other,
    ];
}

/// What a frame does. Total: the whole table stands in `states.txt`.
#[must_use]
pub const fn next(state: State, heard: Heard) -> (Answer, State) {
    use State::{Deselected, Selected};
    match (state, heard) {
        (_, Heard::Initialise) => (Answer::Begin, state),
        (Selected, Heard::Deselect) => (Answer::Begin, Deselected),
        (_, Heard::InitialiseAll) => (Answer::BeginSilently, state),
        (_, Heard::SelectThis) => (Answer::Selected, Selected),
        (_, Heard::SelectOther) => (Answer::Ignore, Deselected),
        (_, Heard::Request) | (Selected, Heard::RequestSelected) => (Answer::Telegram, state),
        (_, Heard::Command) | (Selected, Heard::CommandSelected) => (Answer::Obey, state),
        (_, Heard::CommandAll) => (Answer::ObeySilently, state),
        (Deselected, Heard::Deselect | Heard::RequestSelected | Heard::CommandSelected)
        | (_, Heard::Other) => (Answer::Ignore, state),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Heard, State, next};
    use alloc::format;
    use alloc::string::String;
    use core::fmt::Write;

    /// The whole table as it stands in `states.txt`, which a person reads and reviews.
    //= A3.2
    #[test]
    fn the_whole_table_is_what_was_reviewed() {
        let mut table = String::new();
        for state in State::ALL {
            for heard in Heard::ALL {
                let (answer, to) = next(*state, *heard);
                let row = format!(
                    "{:<11} {:<16} {:<14} {to:?}",
                    format!("{state:?}"),
                    format!("{heard:?}"),
                    format!("{answer:?}"),
                );
                let _ = writeln!(table, "{row}");
            }
        }
        assert_eq!(table, include_str!("states.txt"), "\n{table}");
    }

    //= A3.2
    #[test]
    fn who_is_not_selected_is_silent_behind_253() {
        for heard in [
            Heard::Deselect,
            Heard::RequestSelected,
            Heard::CommandSelected,
        ] {
            assert_eq!(next(State::Deselected, heard).0, Answer::Ignore);
        }
    }
}
