//! A condition over a point, as an interlock states it: `door off`, `pressure < 8.5`, `door off good`.

use crate::item::Item;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};
use evidence::{Decimal, PointId};

/// What a point has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A digital input is active (`true`), or is not.
    Is(bool),
    /// A value below this.
    Below(Decimal),
    /// At most this.
    AtMost(Decimal),
    /// Above this.
    Above(Decimal),
    /// At least this.
    AtLeast(Decimal),
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The point.
    pub point: PointId,
    /// What it has to say.
    pub demand: Demand,
    /// Whether its quality has to be good; otherwise it only must not be invalid.
    pub good: bool,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let good = if self.good { " good" } else { "" };
        let point = &self.point;
        match self.demand {
            Demand::Is(true) => write!(f, "{point} on{good}"),
            Demand::Is(false) => write!(f, "{point} off{good}"),
            Demand::Below(limit) => write!(f, "{point} < {limit}{good}"),
            Demand::AtMost(limit) => write!(f, "{point} <= {limit}{good}"),
            Demand::Above(limit) => write!(f, "{point} > {limit}{good}"),
            Demand::AtLeast(limit) => write!(f, "{point} >= {limit}{good}"),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    /// Reads `POINT on|off [good]` or `POINT <|<=|>|>= NUMBER [good]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let mut word = || words.next().unwrap_or_default();
        let point = word();
        let point = PointId::new(point).map_err(|error| format!("\"{point}\": {error}"))?;
        let sign = word();
        let demand = match sign {
            "on" => Demand::Is(true),
            "off" => Demand::Is(false),
            "<" | "<=" | ">" | ">=" => {
                let limit = word();
                let limit: Decimal = limit
                    .parse()
                    .map_err(|error| format!("\"{limit}\" is {error}"))?;
                match sign {
                    "<" => Demand::Below(limit),
                    "<=" => Demand::AtMost(limit),
                    ">" => Demand::Above(limit),
                    _ => Demand::AtLeast(limit),
                }
            }
            other => return Err(format!("\"{other}\" is no on, off, <, <=, > or >=")),
        };
        let good = match word() {
            "" => false,
            "good" => true,
            other => {
                return Err(format!(
                    "\"{other}\" behind it; only \"good\" may stand there"
                ));
            }
        };
        match words.next() {
            Some(more) => Err(format!("\"{more}\" behind it")),
            None => Ok(Self {
                point,
                demand,
                good,
            }),
        }
    }
}

impl Item for Condition {
    fn write(&self, writer: &mut Writer) {
        writer.text(&self.to_string());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let text = <String as Item>::read(reader)?;
        match text.parse::<Self>() {
            Ok(condition) if condition.to_string() == text => Ok(condition),
            Ok(_) => Err(reader.fault(at, DecodeFault::NotDeterministic)),
            Err(_) => Err(reader.fault(at, DecodeFault::OutOfRange("a condition"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;
    use std::string::ToString;

    //= R3.2
    #[test]
    fn a_condition_is_read_as_it_is_written_and_says_what_is_wrong_with_it() {
        for text in [
            "door on",
            "door off good",
            "oil < 8.50",
            "oil <= -3 good",
            "oil > 0",
            "oil >= 0.1",
        ] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!(condition.to_string(), text);
        }
        assert_eq!(
            "  door   on ".parse::<Condition>().unwrap().to_string(),
            "door on"
        );
        for (text, said) in [
            ("", "\"\": an identifier cannot be empty"),
            ("door", "\"\" is no on, off"),
            ("door open", "\"open\" is no on, off"),
            ("oil < warm", "\"warm\" is not a decimal number"),
            ("door on perhaps", "\"perhaps\" behind it; only \"good\""),
            ("door on good or so", "\"or\" behind it"),
        ] {
            let wrong = text.parse::<Condition>().unwrap_err();
            assert!(wrong.starts_with(said), "{text}: {wrong}");
        }
    }
}
