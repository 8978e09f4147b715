//! What is known of a point that has a say in an output, and whether a condition over it holds.

use contract::{Condition, Demand};
use core::cmp::Ordering::{Equal, Greater, Less};
use evidence::reasons::{QualityReason, Validity};
use evidence::{Decimal, MonoNs, Quality};

/// What a point says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Active or not.
    Switch(bool),
    /// A number.
    Number(Decimal),
}

/// What is known of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it says; `None` where nothing is known.
    pub value: Option<Value>,
    /// What may be believed of it.
    pub quality: Quality,
    /// Since when it says so, or when it was sampled.
    pub at: MonoNs,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It does.
    Holds,
    /// It does not.
    Broken,
    /// The point cannot be believed.
    Unknown,
}

impl Seen {
    /// Nothing is known.
    pub const NOTHING: Self = Self {
        value: None,
        quality: Quality {
            validity: Validity::Invalid,
            reason: QualityReason::SourceLost,
        },
        at: MonoNs(0),
    };

    /// What it says, where that may be used.
    #[must_use]
    pub fn believed(&self) -> Option<Value> {
        self.value
            .filter(|_| self.quality.validity != Validity::Invalid)
    }

    /// What it says as a number: 1 and 0 for active and not.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        match self.value? {
            Value::Switch(on) => Decimal::new(i128::from(on), 0).ok(),
            Value::Number(number) => Some(number),
        }
    }

    /// Whether a condition over it holds.
    #[must_use]
    pub fn held(&self, condition: &Condition) -> Held {
        let doubtful = condition.good && self.quality.validity != Validity::Good;
        let Some(value) = self.believed().filter(|_| !doubtful) else {
            return Held::Unknown;
        };
        let beside = |limit| match value {
            Value::Number(number) => Some(number.cmp_value(limit)),
            Value::Switch(_) => None,
        };
        let holds = match condition.demand {
            Demand::Is(wanted) => match value {
                Value::Switch(on) => Some(on == wanted),
                Value::Number(_) => None,
            },
            Demand::Below(limit) => beside(limit).map(|side| side == Less),
            Demand::AtMost(limit) => beside(limit).map(|side| side != Greater),
            Demand::Above(limit) => beside(limit).map(|side| side == Greater),
            Demand::AtLeast(limit) => beside(limit).map(|side| matches!(side, Greater | Equal)),
        };
        match holds {
            Some(true) => Held::Holds,
            Some(false) => Held::Broken,
            None => Held::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Seen, Value};
    use evidence::reasons::QualityReason;
    use evidence::{MonoNs, Quality};

    fn seen(value: Value, quality: Quality) -> Seen {
        Seen {
            value: Some(value),
            quality,
            at: MonoNs(1),
        }
    }

    //= R3.2
    #[test]
    fn a_condition_holds_by_a_value_that_may_be_believed_and_by_no_other() {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let (on, off) = (Value::Switch(true), Value::Switch(false));
        let good = Quality::GOOD;
        let doubtful = Quality::questionable(QualityReason::Noise);
        let wrong = Quality::invalid(QualityReason::OpenWire);
        let check = |condition: &str, value, quality, expected| {
            let held = seen(value, quality).held(&condition.parse().unwrap());
            assert_eq!(held, expected, "{condition} {value:?} {quality}");
        };
        check("p on", on, good, Held::Holds);
        check("p on", off, good, Held::Broken);
        check("p off", off, doubtful, Held::Holds);
        check("p off good", off, doubtful, Held::Unknown);
        check("p off good", off, good, Held::Holds);
        check("p off", off, wrong, Held::Unknown);
        for (sign, [below, equal, above]) in [
            ("<", [Held::Holds, Held::Broken, Held::Broken]),
            ("<=", [Held::Holds, Held::Holds, Held::Broken]),
            (">", [Held::Broken, Held::Broken, Held::Holds]),
            (">=", [Held::Broken, Held::Holds, Held::Holds]),
        ] {
            let condition = std::format!("p {sign} 8.50");
            check(&condition, number("8.4"), good, below);
            check(&condition, number("8.5"), good, equal);
            check(&condition, number("8.6"), good, above);
            check(&condition, number("8.4"), wrong, Held::Unknown);
            check(&condition, on, good, Held::Unknown);
        }
        check("p on", number("1"), good, Held::Unknown);
        let nothing = Seen::NOTHING.held(&"p off".parse().unwrap());
        assert_eq!(nothing, Held::Unknown);
    }
}
