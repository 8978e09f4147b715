//! What holds a command back, as one declared table.

use evidence::reasons::{CommandStep, OutputReason};

/// What is known when a command is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one condition of the table"
)]
pub struct Facts {
    /// What it asks for.
    pub step: CommandStep,
    /// The node is being stopped.
    pub stopping: bool,
    /// It is older than the contract allows.
    pub too_old: bool,
    /// It has a time tag that nobody can judge.
    pub age_unknown: bool,
    /// The card is not open.
    pub card_lost: bool,
    /// The recorder takes nothing.
    pub backlog: bool,
    /// Somebody has locked the output.
    pub tagged: bool,
    /// The local/remote switch cannot be believed.
    pub switch_unknown: bool,
    /// It is at local.
    pub local: bool,
    /// The output cannot have such a value.
    pub bad_value: bool,
    /// The value lies outside the range.
    pub out_of_range: bool,
    /// The contract asks for a selection before.
    pub select_required: bool,
    /// Another originator has selected it.
    pub others: bool,
    /// Nothing is selected.
    pub unselected: bool,
    /// Another value was selected.
    pub differs: bool,
    /// A command before has not ended.
    pub busy: bool,
    /// A point of an interlock cannot be believed.
    pub interlock_unknown: bool,
    /// An interlock does not hold.
    pub interlocked: bool,
    /// The feedback cannot be believed.
    pub unproved: bool,
}

/// One row: where it holds, and the reason to refuse.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// The condition.
    pub holds: fn(&Facts) -> bool,
    /// Whether it also holds a cancel back, which moves nothing.
    pub cancels: bool,
    /// Why.
    pub reason: OutputReason,
}

const fn row(holds: fn(&Facts) -> bool, reason: OutputReason) -> Refusal {
    Refusal {
        holds,
        cancels: false,
        reason,
    }
}

const fn always(holds: fn(&Facts) -> bool, reason: OutputReason) -> Refusal {
    Refusal {
        holds,
        cancels: true,
        reason,
    }
}

/// The first row that holds refuses. What a person has decided comes before what points say, and both before
/// what only concerns this command.
pub const REFUSALS: [Refusal; 18] = [
    always(|one| one.stopping, OutputReason::Stopping),
    row(|one| one.card_lost, OutputReason::CardLost),
    row(|one| one.backlog, OutputReason::Backlog),
    row(|one| one.too_old, OutputReason::TooOld),
    row(|one| one.age_unknown, OutputReason::AgeUnknown),
    row(|one| one.tagged, OutputReason::Tagged),
    row(|one| one.switch_unknown, OutputReason::SwitchUnknown),
    row(|one| one.local, OutputReason::Local),
    row(|one| one.bad_value, OutputReason::BadValue),
    row(|one| one.out_of_range, OutputReason::OutOfRange),
    row(
        |one| one.select_required && matches!(one.step, CommandStep::Operate),
        OutputReason::SelectRequired,
    ),
    row(
        |one| one.busy && !matches!(one.step, CommandStep::Cancel),
        OutputReason::Busy,
    ),
    always(|one| one.others, OutputReason::SelectedByOther),
    always(
        |one| one.unselected && matches!(one.step, CommandStep::Execute | CommandStep::Cancel),
        OutputReason::NotSelected,
    ),
    row(
        |one| one.differs && matches!(one.step, CommandStep::Execute),
        OutputReason::ValueDiffers,
    ),
    row(|one| one.interlock_unknown, OutputReason::InterlockUnknown),
    row(|one| one.interlocked, OutputReason::Interlock),
    row(|one| one.unproved, OutputReason::Unproved),
];

impl Facts {
    /// Why the command is refused; `None` where nothing holds it back.
    #[must_use]
    pub fn refusal(&self) -> Option<OutputReason> {
        let cancels = self.step == CommandStep::Cancel;
        let fits = |row: &&Refusal| (row.cancels || !cancels) && (row.holds)(self);
        REFUSALS.iter().find(fits).map(|row| row.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, REFUSALS};
    use evidence::reasons::{CommandStep, OutputReason as Why};
    use std::vec::Vec;

    /// Each fact's bit, in the order of the table.
    const BITS: [Why; 18] = [
        Why::Stopping,
        Why::CardLost,
        Why::Backlog,
        Why::TooOld,
        Why::AgeUnknown,
        Why::Tagged,
        Why::SwitchUnknown,
        Why::Local,
        Why::BadValue,
        Why::OutOfRange,
        Why::SelectRequired,
        Why::Busy,
        Why::SelectedByOther,
        Why::NotSelected,
        Why::ValueDiffers,
        Why::InterlockUnknown,
        Why::Interlock,
        Why::Unproved,
    ];

    fn facts(step: CommandStep, bits: u32) -> Facts {
        let is = |why: Why| {
            let place = BITS.iter().position(|one| *one == why).unwrap();
            bits >> place & 1 == 1
        };
        Facts {
            step,
            stopping: is(Why::Stopping),
            too_old: is(Why::TooOld),
            age_unknown: is(Why::AgeUnknown),
            card_lost: is(Why::CardLost),
            backlog: is(Why::Backlog),
            tagged: is(Why::Tagged),
            switch_unknown: is(Why::SwitchUnknown),
            local: is(Why::Local),
            bad_value: is(Why::BadValue),
            out_of_range: is(Why::OutOfRange),
            select_required: is(Why::SelectRequired),
            others: is(Why::SelectedByOther),
            unselected: is(Why::NotSelected),
            differs: is(Why::ValueDiffers),
            busy: is(Why::Busy),
            interlock_unknown: is(Why::InterlockUnknown),
            interlocked: is(Why::Interlock),
            unproved: is(Why::Unproved),
        }
    }

    /// Which of the facts concern a step at all.
    fn concerns(step: CommandStep, why: Why) -> bool {
        match step {
            CommandStep::Select => {
                ![Why::SelectRequired, Why::NotSelected, Why::ValueDiffers].contains(&why)
            }
            CommandStep::Execute => why != Why::SelectRequired,
            CommandStep::Operate => ![Why::NotSelected, Why::ValueDiffers].contains(&why),
            CommandStep::Cancel => {
                [Why::Stopping, Why::SelectedByOther, Why::NotSelected].contains(&why)
            }
        }
    }

    //= R3.2
    //= R3.5
    #[test]
    fn of_all_that_holds_a_command_back_the_first_is_told_and_nothing_passes() {
        let rows: Vec<Why> = REFUSALS.iter().map(|row| row.reason).collect();
        assert_eq!(rows, BITS);
        for step in CommandStep::ALL {
            for bits in 0..1u32 << BITS.len() {
                let set = (0..BITS.len()).filter(|place| bits >> place & 1 == 1);
                let expected = set
                    .map(|place| BITS[place])
                    .find(|why| concerns(*step, *why));
                assert_eq!(facts(*step, bits).refusal(), expected, "{step} {bits:b}");
            }
        }
    }
}
