//! The table that decides what a received frame is; the first row that fits wins.

/// How the function code of a frame relates to the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The one asked for.
    Same,
    /// The one asked for, with the exception bit.
    Exception,
    /// Any other.
    Other,
}

/// How long a frame is against the reply its function code promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Fewer bytes.
    Shorter,
    /// Exactly as many.
    Exact,
    /// More bytes.
    Longer,
}

/// All that the decision looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The CRC fits; over TCP always.
    pub crc_ok: bool,
    /// The transaction identifier is the one asked under; on a serial line always.
    pub transaction_ok: bool,
    /// The unit is the one asked.
    pub unit_ok: bool,
    /// The function code.
    pub function: Relation,
    /// The length.
    pub fit: Fit,
    /// Byte count (of a read) or echo (of a write) are the ones the request calls for.
    pub content_ok: bool,
}

/// What a frame is to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ends too early.
    Truncated,
    /// It goes on too long.
    TooLong,
    /// It is damaged.
    BadCrc,
    /// It answers under another transaction identifier.
    OtherTransaction,
    /// It is whole, and speaks for another unit or function.
    Foreign,
    /// It refuses.
    Exception,
    /// It answers.
    Answer,
    /// Unit and function are right; what follows cannot answer the request.
    WrongShape,
}

/// One row: what it asks of the facts (`None` asks nothing), and the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Asked of [`Facts::crc_ok`].
    pub crc_ok: Option<bool>,
    /// Asked of [`Facts::transaction_ok`].
    pub transaction_ok: Option<bool>,
    /// Asked of [`Facts::unit_ok`].
    pub unit_ok: Option<bool>,
    /// Asked of [`Facts::function`].
    pub function: Option<Relation>,
    /// Asked of [`Facts::fit`].
    pub fit: Option<Fit>,
    /// Asked of [`Facts::content_ok`].
    pub content_ok: Option<bool>,
    /// The verdict.
    pub verdict: Verdict,
}

const fn row(verdict: Verdict) -> Row {
    Row {
        crc_ok: None,
        transaction_ok: None,
        unit_ok: None,
        function: None,
        fit: None,
        content_ok: None,
        verdict,
    }
}

/// The decision. Damage comes first: nothing a damaged frame says about itself is believed, not
/// even the unit it seems to come from. The last row takes whatever is left.
pub const TABLE: [Row; 9] = [
    Row {
        crc_ok: Some(false),
        fit: Some(Fit::Shorter),
        ..row(Verdict::Truncated)
    },
    Row {
        crc_ok: Some(false),
        fit: Some(Fit::Longer),
        ..row(Verdict::TooLong)
    },
    Row {
        crc_ok: Some(false),
        ..row(Verdict::BadCrc)
    },
    Row {
        transaction_ok: Some(false),
        ..row(Verdict::OtherTransaction)
    },
    Row {
        unit_ok: Some(false),
        ..row(Verdict::Foreign)
    },
    Row {
        function: Some(Relation::Other),
        ..row(Verdict::Foreign)
    },
    Row {
        function: Some(Relation::Exception),
        fit: Some(Fit::Exact),
        ..row(Verdict::Exception)
    },
    Row {
        function: Some(Relation::Same),
        fit: Some(Fit::Exact),
        content_ok: Some(true),
        ..row(Verdict::Answer)
    },
    row(Verdict::WrongShape),
];

impl Row {
    fn fits(&self, facts: &Facts) -> bool {
        fn asks<T: PartialEq>(asked: Option<T>, found: &T) -> bool {
            asked.is_none_or(|asked| asked == *found)
        }
        asks(self.crc_ok, &facts.crc_ok)
            && asks(self.transaction_ok, &facts.transaction_ok)
            && asks(self.unit_ok, &facts.unit_ok)
            && asks(self.function, &facts.function)
            && asks(self.fit, &facts.fit)
            && asks(self.content_ok, &facts.content_ok)
    }
}

impl Facts {
    /// The verdict of the first row that fits.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let row = TABLE.iter().find(|row| row.fits(self));
        row.map_or(Verdict::WrongShape, |row| row.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Fit, Relation, TABLE, Verdict};
    use alloc::vec::Vec;

    fn all_facts() -> Vec<Facts> {
        let mut all = Vec::new();
        for bits in 0..16_u8 {
            for function in [Relation::Same, Relation::Exception, Relation::Other] {
                for fit in [Fit::Shorter, Fit::Exact, Fit::Longer] {
                    all.push(Facts {
                        crc_ok: bits & 1 == 0,
                        transaction_ok: bits & 2 == 0,
                        unit_ok: bits & 4 == 0,
                        function,
                        fit,
                        content_ok: bits & 8 == 0,
                    });
                }
            }
        }
        all
    }

    /// The same decision in prose, to hold the table against.
    fn in_prose(facts: &Facts) -> Verdict {
        if !facts.crc_ok {
            return match facts.fit {
                Fit::Shorter => Verdict::Truncated,
                Fit::Exact => Verdict::BadCrc,
                Fit::Longer => Verdict::TooLong,
            };
        }
        if !facts.transaction_ok {
            return Verdict::OtherTransaction;
        }
        if !facts.unit_ok || facts.function == Relation::Other {
            return Verdict::Foreign;
        }
        match (facts.function, facts.fit, facts.content_ok) {
            (Relation::Exception, Fit::Exact, _) => Verdict::Exception,
            (Relation::Same, Fit::Exact, true) => Verdict::Answer,
            _ => Verdict::WrongShape,
        }
    }

    //= A3.1
    //= A3.7
    #[test]
    fn every_combination_has_the_verdict_it_should() {
        let all = all_facts();
        assert_eq!(all.len(), 144);
        for facts in &all {
            assert_eq!(facts.verdict(), in_prose(facts), "{facts:?}");
        }
    }

    //= A3.7
    #[test]
    fn only_a_whole_frame_of_the_unit_and_function_asked_is_an_answer() {
        for facts in all_facts() {
            if matches!(facts.verdict(), Verdict::Answer | Verdict::Exception) {
                assert!(
                    facts.crc_ok && facts.unit_ok && facts.transaction_ok,
                    "{facts:?}"
                );
            }
        }
    }

    //= A3.1
    #[test]
    fn every_row_decides_something() {
        let all = all_facts();
        for at in 0..TABLE.len() {
            let decides = |facts: &&Facts| TABLE.iter().position(|row| row.fits(facts)) == Some(at);
            assert!(
                all.iter().find(decides).is_some(),
                "row {at} is never the first to fit"
            );
        }
    }
}
