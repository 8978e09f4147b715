//! What recovery does with each place of the log: one table, every combination of inputs once.
//!
//! The inputs are facts about the truth store and about the bytes at one place. The checks of a
//! frame are made in the order header, identity, chain, payload; one that is not reached is `No`.

/// What is known when a place is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// A slot of the truth store is readable.
    pub readable: bool,
    /// No newer slot can have been lost: the committed end is certain.
    pub certain: bool,
    /// The place lies below the committed end.
    pub below: bool,
    /// The header of a frame stands here and its check holds.
    pub header: bool,
    /// It was written for this log, segment, lap and offset.
    pub identity: bool,
    /// It continues the log: next commit id, same tree, no newer epoch has passed it by.
    pub chain: bool,
    /// Its payload leads to its root.
    pub payload: bool,
    /// A sound frame of this log with greater commit ids lies behind it.
    pub later: bool,
}

/// What is done with the bytes of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Committed and whole.
    Keep,
    /// Durable but not acknowledged: it becomes part of the log.
    RollForward,
    /// Written but torn, never acknowledged: dropped.
    DropTornTail,
    /// Nothing of this log was written here.
    EndOfLog,
    /// Committed and damaged: left untouched, and named by a loss.
    Quarantine,
    /// Possibly committed: left untouched, the log goes on elsewhere and says so.
    Uncertain,
}

/// One row: a letter, what each input must be (`None`: either), the decision, and why.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its letter.
    pub letter: char,
    /// In the order of the fields of [`Inputs`].
    pub when: [Option<bool>; 8],
    /// What is done.
    pub decision: Decision,
    /// Why that is right.
    pub because: &'static str,
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);
const ANY: Option<bool> = None;

const fn row(
    letter: char,
    when: [Option<bool>; 8],
    decision: Decision,
    because: &'static str,
) -> Row {
    Row {
        letter,
        when,
        decision,
        because,
    }
}

/// The table. Columns: readable, certain, below, header, identity, chain, payload, later.
#[rustfmt::skip]
pub const ROWS: [Row; 13] = [
    row('A', [YES, ANY, YES, YES, YES, YES, YES, ANY], Decision::Keep,
        "committed and whole"),
    row('B', [YES, ANY, YES, YES, YES, YES, NO,  ANY], Decision::Quarantine,
        "committed; its own header names the entries lost"),
    row('C', [YES, ANY, YES, NO,  NO,  NO,  NO,  ANY], Decision::Quarantine,
        "committed; the next frame or the truth store names the entries lost"),
    row('D', [YES, ANY, YES, YES, NO,  NO,  NO,  ANY], Decision::Quarantine,
        "a misdirected or stale write covers a committed place"),
    row('E', [YES, ANY, YES, YES, YES, NO,  NO,  ANY], Decision::Quarantine,
        "a frame that does not continue the log covers a committed place"),
    row('F', [YES, ANY, NO,  YES, YES, YES, YES, ANY], Decision::RollForward,
        "durable before the truth store advanced"),
    row('G', [YES, ANY, NO,  ANY, ANY, ANY, NO,  YES], Decision::Quarantine,
        "a later frame is only written after this one was committed"),
    row('H', [YES, YES, NO,  YES, YES, YES, NO,  NO ], Decision::DropTornTail,
        "its write never finished, so nobody was told"),
    row('I', [YES, YES, NO,  ANY, ANY, NO,  NO,  NO ], Decision::EndOfLog,
        "zeros, a stale lap or an unrecognisable torn write: nobody was told"),
    row('J', [YES, NO,  NO,  ANY, ANY, ANY, NO,  NO ], Decision::Uncertain,
        "the slot that would tell torn from damaged is lost"),
    row('K', [NO,  NO,  NO,  YES, YES, YES, YES, ANY], Decision::Keep,
        "no committed end is known; whole frames are kept"),
    row('L', [NO,  NO,  NO,  ANY, ANY, ANY, NO,  YES], Decision::Quarantine,
        "a later frame is only written after this one was committed"),
    row('M', [NO,  NO,  NO,  ANY, ANY, ANY, NO,  NO ], Decision::Uncertain,
        "no committed end is known; what follows may have been acknowledged"),
];

impl Inputs {
    /// In the order of the columns.
    #[must_use]
    pub const fn columns(&self) -> [bool; 8] {
        [
            self.readable,
            self.certain,
            self.below,
            self.header,
            self.identity,
            self.chain,
            self.payload,
            self.later,
        ]
    }

    /// Whether the inputs contradict one another: a check passed that was not reached, or a
    /// committed end without a truth store.
    #[must_use]
    pub const fn impossible(&self) -> bool {
        (self.identity && !self.header)
            || (self.chain && !self.identity)
            || (self.payload && !self.chain)
            || (!self.readable && (self.certain || self.below))
    }

    /// The row that applies.
    #[must_use]
    pub fn row(&self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.applies(self))
    }

    /// The decision; contradictory inputs are treated with the most care.
    #[must_use]
    pub fn decide(&self) -> Decision {
        self.row().map_or(Decision::Uncertain, |row| row.decision)
    }
}

impl Row {
    /// Whether the inputs fit this row.
    #[must_use]
    pub fn applies(&self, inputs: &Inputs) -> bool {
        self.when
            .iter()
            .zip(inputs.columns())
            .all(|(want, is)| want.is_none_or(|want| want == is))
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Inputs, ROWS};

    fn all() -> impl Iterator<Item = Inputs> {
        (0u32..256).map(|bits| {
            let bit = |n: u32| bits >> n & 1 == 1;
            Inputs {
                readable: bit(0),
                certain: bit(1),
                below: bit(2),
                header: bit(3),
                identity: bit(4),
                chain: bit(5),
                payload: bit(6),
                later: bit(7),
            }
        })
    }

    //= A5.4
    #[test]
    fn every_possible_combination_has_exactly_one_row() {
        let mut used = std::collections::BTreeSet::new();
        for inputs in all() {
            let rows: std::vec::Vec<char> = ROWS
                .iter()
                .filter(|row| row.applies(&inputs))
                .map(|row| row.letter)
                .collect();
            if inputs.impossible() {
                continue;
            }
            assert_eq!(rows.len(), 1, "{inputs:?} fits rows {rows:?}");
            used.extend(rows);
        }
        assert_eq!(used.len(), ROWS.len(), "a row that nothing reaches");
    }

    //= A5.4
    #[test]
    fn nothing_that_may_have_been_acknowledged_is_dropped() {
        for inputs in all().filter(|inputs| !inputs.impossible()) {
            let dropped = matches!(inputs.decide(), Decision::DropTornTail | Decision::EndOfLog);
            let may_be_acked = inputs.below || !inputs.certain || inputs.later || inputs.payload;
            assert!(!(dropped && may_be_acked), "{inputs:?}");
        }
    }
}
