//! The declared decision: what that which was heard is to the request.

use super::request::Due;

/// What was heard, as a frame or as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// E5h and nothing else.
    Ack,
    /// A whole long frame from a meter.
    Telegram,
    /// A whole frame that is a request.
    Request,
    /// The beginning of a frame.
    Cut,
    /// A frame whose checksum does not fit.
    BadSum,
    /// More bytes than any reply has.
    Long,
    /// None of these.
    Noise,
}

impl Found {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Nothing,
        Self::Ack,
        Self::Telegram,
        Self::Request,
        Self::Cut,
        Self::BadSum,
        Self::Long,
        Self::Noise,
    ];
}

/// Whose a telegram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The header names the meter that is meant, or any is meant.
    Meant,
    /// The header names nobody, and the address tells who it is.
    ByAddress,
    /// The header names nobody, and nothing else tells.
    Nobodys,
    /// The header names another.
    Others,
}

impl Whose {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Meant, Self::ByAddress, Self::Nobodys, Self::Others];
}

/// All that the decision looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What was heard.
    pub found: Found,
    /// It began before the request had left.
    pub early: bool,
    /// Characters in it had wrong parity or no stop bit.
    pub characters: bool,
    /// The receiver lost characters, as nobody fetched them in time.
    pub lost: bool,
    /// What is due.
    pub due: Due,
    /// The address in the frame is the one asked, or is no matter.
    pub address: bool,
    /// Whose the telegram is.
    pub whose: Whose,
    /// Its records are those of the telegram before.
    pub again: bool,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers.
    Answer,
    /// It answers: nothing was due, or nothing is an answer too.
    Silence,
    /// See [`Failure`](super::Failure), for this and all that follow.
    NoReply,
    /// It began before the request had left.
    BeforeRequest,
    /// Parity or stop bits are wrong.
    Characters,
    /// Characters were lost on this side.
    Lost,
    /// More bytes than a reply has.
    TooLong,
    /// A frame that ends too early.
    Truncated,
    /// The checksum does not fit.
    Checksum,
    /// No frame.
    Garbage,
    /// A request.
    NotAReply,
    /// The other kind of frame.
    WrongForm,
    /// Another address.
    ForeignAddress,
    /// Another meter.
    ForeignMeter,
    /// Nobody knows whose.
    Nameless,
    /// The telegram before.
    WrongFcb,
}

/// One row: what it asks of the facts (`None` asks nothing), and the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Asked of [`Facts::found`].
    pub found: Option<Found>,
    /// Asked of [`Facts::early`].
    pub early: Option<bool>,
    /// Asked of [`Facts::characters`].
    pub characters: Option<bool>,
    /// Asked of [`Facts::lost`].
    pub lost: Option<bool>,
    /// Asked of [`Facts::due`].
    pub due: Option<Due>,
    /// Asked of [`Facts::address`].
    pub address: Option<bool>,
    /// Asked of [`Facts::whose`].
    pub whose: Option<Whose>,
    /// Asked of [`Facts::again`].
    pub again: Option<bool>,
    /// The verdict.
    pub verdict: Verdict,
}

const fn row(verdict: Verdict) -> Row {
    Row {
        found: None,
        early: None,
        characters: None,
        lost: None,
        due: None,
        address: None,
        whose: None,
        again: None,
        verdict,
    }
}

const fn found(found: Found, verdict: Verdict) -> Row {
    Row {
        found: Some(found),
        ..row(verdict)
    }
}

/// The decision. Damage comes first: nothing that a damaged frame says of itself is believed. The last
/// row takes whatever is left.
pub const TABLE: [Row; 23] = [
    // A driver may keep back the characters that it counts as wrong: that is no silence.
    Row {
        characters: Some(true),
        ..found(Found::Nothing, Verdict::Characters)
    },
    Row {
        lost: Some(true),
        ..found(Found::Nothing, Verdict::Lost)
    },
    Row {
        due: Some(Due::Nothing),
        ..found(Found::Nothing, Verdict::Silence)
    },
    Row {
        due: Some(Due::AckOrNothing),
        ..found(Found::Nothing, Verdict::Silence)
    },
    found(Found::Nothing, Verdict::NoReply),
    Row {
        early: Some(true),
        ..row(Verdict::BeforeRequest)
    },
    Row {
        characters: Some(true),
        ..row(Verdict::Characters)
    },
    Row {
        lost: Some(true),
        ..row(Verdict::Lost)
    },
    found(Found::Long, Verdict::TooLong),
    found(Found::Cut, Verdict::Truncated),
    found(Found::BadSum, Verdict::Checksum),
    found(Found::Noise, Verdict::Garbage),
    found(Found::Request, Verdict::NotAReply),
    Row {
        due: Some(Due::Nothing),
        ..row(Verdict::WrongForm)
    },
    Row {
        due: Some(Due::Ack),
        ..found(Found::Ack, Verdict::Answer)
    },
    Row {
        due: Some(Due::AckOrNothing),
        ..found(Found::Ack, Verdict::Answer)
    },
    found(Found::Ack, Verdict::WrongForm),
    // From here on it is a telegram.
    Row {
        address: Some(false),
        ..row(Verdict::ForeignAddress)
    },
    Row {
        whose: Some(Whose::Others),
        ..row(Verdict::ForeignMeter)
    },
    Row {
        due: Some(Due::Data),
        whose: Some(Whose::Nobodys),
        ..row(Verdict::Nameless)
    },
    Row {
        due: Some(Due::Data),
        again: Some(true),
        ..row(Verdict::WrongFcb)
    },
    Row {
        due: Some(Due::Data),
        ..row(Verdict::Answer)
    },
    row(Verdict::WrongForm),
];

impl Row {
    fn fits(&self, facts: &Facts) -> bool {
        fn asks<T: PartialEq>(asked: Option<T>, found: &T) -> bool {
            asked.is_none_or(|asked| asked == *found)
        }
        asks(self.found, &facts.found)
            && asks(self.early, &facts.early)
            && asks(self.characters, &facts.characters)
            && asks(self.lost, &facts.lost)
            && asks(self.due, &facts.due)
            && asks(self.address, &facts.address)
            && asks(self.whose, &facts.whose)
            && asks(self.again, &facts.again)
    }
}

impl Facts {
    /// The verdict of the first row that fits.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let row = TABLE.iter().find(|row| row.fits(self));
        row.map_or(Verdict::Garbage, |row| row.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, Facts, Found, TABLE, Verdict, Whose};
    use alloc::vec::Vec;

    fn all_facts() -> Vec<Facts> {
        let mut all = Vec::new();
        for bits in 0..32_u8 {
            for found in Found::ALL {
                for due in Due::ALL {
                    for whose in Whose::ALL {
                        all.push(Facts {
                            found: *found,
                            early: bits & 1 != 0,
                            characters: bits & 2 != 0,
                            due: *due,
                            address: bits & 4 != 0,
                            whose: *whose,
                            again: bits & 8 != 0,
                            lost: bits & 16 != 0,
                        });
                    }
                }
            }
        }
        all
    }

    /// The same decision in prose, to hold the table against.
    fn in_prose(facts: &Facts) -> Verdict {
        if facts.found == Found::Nothing && !facts.characters && !facts.lost {
            return match facts.due {
                Due::Nothing | Due::AckOrNothing => Verdict::Silence,
                Due::Ack | Due::Data => Verdict::NoReply,
            };
        }
        if facts.early && facts.found != Found::Nothing {
            return Verdict::BeforeRequest;
        }
        if facts.characters {
            return Verdict::Characters;
        }
        if facts.lost {
            return Verdict::Lost;
        }
        match facts.found {
            Found::Long => return Verdict::TooLong,
            Found::Cut => return Verdict::Truncated,
            Found::BadSum => return Verdict::Checksum,
            Found::Noise | Found::Nothing => return Verdict::Garbage,
            Found::Request => return Verdict::NotAReply,
            Found::Ack => {
                return match facts.due {
                    Due::Ack | Due::AckOrNothing => Verdict::Answer,
                    Due::Nothing | Due::Data => Verdict::WrongForm,
                };
            }
            Found::Telegram => {}
        }
        if facts.due == Due::Nothing {
            return Verdict::WrongForm;
        }
        if !facts.address {
            return Verdict::ForeignAddress;
        }
        match (facts.whose, facts.due) {
            (Whose::Others, _) => Verdict::ForeignMeter,
            (_, Due::Ack | Due::AckOrNothing | Due::Nothing) => Verdict::WrongForm,
            (Whose::Nobodys, Due::Data) => Verdict::Nameless,
            (Whose::Meant | Whose::ByAddress, Due::Data) if facts.again => Verdict::WrongFcb,
            (Whose::Meant | Whose::ByAddress, Due::Data) => Verdict::Answer,
        }
    }

    //= A3.2
    //= A3.7
    #[test]
    fn every_combination_has_the_verdict_it_should() {
        let all = all_facts();
        assert_eq!(all.len(), 4_096);
        for facts in &all {
            assert_eq!(facts.verdict(), in_prose(facts), "{facts:?}");
        }
    }

    //= A3.7
    #[test]
    fn no_telegram_of_another_and_nothing_damaged_is_an_answer() {
        for facts in all_facts() {
            if facts.verdict() == Verdict::Answer {
                assert!(
                    !facts.early && !facts.characters && !facts.lost,
                    "{facts:?}"
                );
                let ack = facts.found == Found::Ack;
                let own = facts.found == Found::Telegram
                    && facts.address
                    && matches!(facts.whose, Whose::Meant | Whose::ByAddress)
                    && !facts.again;
                assert!(ack || own, "{facts:?}");
            }
        }
    }

    //= A3.2
    #[test]
    fn every_row_decides_something() {
        let all = all_facts();
        for at in 0..TABLE.len() {
            let decides = |facts: &&Facts| TABLE.iter().position(|row| row.fits(facts)) == Some(at);
            assert!(all.iter().find(decides).is_some(), "row {at} never decides");
        }
    }
}
