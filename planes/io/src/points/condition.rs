//! What may be believed of a digital input, as one declared table.

use contract::WireFault;
use evidence::Quality;
use evidence::reasons::QualityReason::{Chatter, Noise, OpenWire, ShortCircuit, SourceLost, Test};
use evidence::reasons::Validity;

/// What is known of an input beside its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Its card is open and its first state has settled.
    pub known: bool,
    /// What the supervising line says.
    pub fault: Option<WireFault>,
    /// It changes too often.
    pub chatters: bool,
    /// It has too many glitches.
    pub noisy: bool,
    /// Its card is a recording, or people work on it.
    pub test: bool,
}

/// One row: where the condition holds, the quality, and whether changes are told.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The condition.
    pub holds: fn(&Condition) -> bool,
    /// What may be believed.
    pub quality: Quality,
    /// Whether a change is an event.
    pub tells: bool,
}

const fn row(
    holds: fn(&Condition) -> bool,
    validity: Validity,
    reason: evidence::reasons::QualityReason,
) -> Row {
    Row {
        holds,
        quality: Quality { validity, reason },
        tells: !matches!(validity, Validity::Invalid),
    }
}

/// The first row that holds decides. From an invalid state no change is told (R3.1).
pub const CONDITIONS: [Row; 7] = [
    row(|one| !one.known, Validity::Invalid, SourceLost),
    row(
        |one| matches!(one.fault, Some(WireFault::OpenWire)),
        Validity::Invalid,
        OpenWire,
    ),
    row(
        |one| matches!(one.fault, Some(WireFault::Short)),
        Validity::Invalid,
        ShortCircuit,
    ),
    row(|one| one.chatters, Validity::Invalid, Chatter),
    row(|one| one.noisy, Validity::Questionable, Noise),
    row(|one| one.test, Validity::Questionable, Test),
    Row {
        holds: |_| true,
        quality: Quality::GOOD,
        tells: true,
    },
];

impl Condition {
    /// The row that decides.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        let [.., last] = &CONDITIONS;
        CONDITIONS
            .iter()
            .find(|row| (row.holds)(self))
            .unwrap_or(last)
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;
    use contract::WireFault;
    use evidence::reasons::Validity;
    use std::string::{String, ToString};

    /// Known, fault (- open short), chatters, noisy, test: the reason.
    const WHOLE: &str = "\
1 - 0 0 0 none
1 - 0 0 1 test
1 - 0 1 0 noise
1 - 0 1 1 noise
1 - 1 0 0 chatter!
1 - 1 0 1 chatter!
1 - 1 1 0 chatter!
1 - 1 1 1 chatter!
";

    //= R3.1
    //= R3.4
    #[test]
    fn every_condition_has_its_quality_and_none_that_is_invalid_tells_a_change() {
        let mut found = String::new();
        let faults = [None, Some(WireFault::OpenWire), Some(WireFault::Short)];
        for known in [false, true] {
            for fault in faults {
                for rest in 0..8u8 {
                    let (chatters, noisy, test) = (rest & 4 != 0, rest & 2 != 0, rest & 1 != 0);
                    let condition = Condition {
                        known,
                        fault,
                        chatters,
                        noisy,
                        test,
                    };
                    let row = condition.row();
                    assert_eq!(row.tells, row.quality.validity != Validity::Invalid);
                    let expected = match (known, fault) {
                        (false, _) => "source_lost",
                        (true, Some(WireFault::OpenWire)) => "open_wire",
                        (true, Some(WireFault::Short)) => "short_circuit",
                        (true, None) => {
                            let bits = [chatters, noisy, test].map(|bit| u8::from(bit).to_string());
                            let mark = if row.tells { "" } else { "!" };
                            found += &std::format!(
                                "1 - {} {}{mark}\n",
                                bits.join(" "),
                                row.quality.reason
                            );
                            continue;
                        }
                    };
                    assert_eq!(row.quality.reason.name(), expected, "{condition:?}");
                }
            }
        }
        assert_eq!(found, WHOLE);
    }
}
