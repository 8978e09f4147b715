//! What the contract says of the station's outputs.

use super::Condition;
use crate::station::Active;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::{Decimal, PointId, SourceId};

/// Whether a selection comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operate {
    /// It has to.
    Select,
    /// A command may also operate directly.
    Direct,
}

/// Where an output goes when the recorder is away, and at an orderly stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLoss {
    /// To its safe default.
    Safe,
    /// It stays as it is.
    Hold,
}

/// What proves an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// A digital input for a digital output, an analog one for an analog one.
    pub point: PointId,
    /// So long it may take to say what was commanded.
    pub window_ms: u64,
    /// By how much an analog one may differ.
    pub tolerance: Option<Decimal>,
}

/// What digital and analog outputs have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputRules {
    /// Whether a selection comes first.
    pub operate: Operate,
    /// So long a selection holds.
    pub select_ms: u64,
    /// A command that is older is refused.
    pub age_ms: u64,
    /// Where it goes when nobody records.
    pub on_loss: OnLoss,
    /// So long the recorder may be away before.
    pub loss_ms: u64,
    /// What proves it.
    pub feedback: Option<Feedback>,
    /// What must hold when it is selected and when it is operated.
    pub interlocks: Vec<Condition>,
    /// The digital input that is active while the station may be operated from afar.
    pub remote_switch: Option<PointId>,
    /// A name for people.
    pub name: String,
}

/// A digital output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitalOutput {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// Its line on the card.
    pub line: u32,
    /// The level that is on.
    pub active: Active,
    /// Where it is safe: on or off.
    pub safe: bool,
    /// It goes back by itself after so long; absent where it stays.
    pub pulse_ms: Option<u64>,
    /// The rest.
    pub rules: OutputRules,
}

/// An analog output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalogOutput {
    /// Its id.
    pub id: PointId,
    /// Its card.
    pub card: SourceId,
    /// Its channel on the card.
    pub channel: String,
    /// The value is the number on the channel times this ...
    pub scale: Decimal,
    /// ... plus this.
    pub offset: Decimal,
    /// In this unit.
    pub unit: String,
    /// Smallest and largest value that may be commanded.
    pub range: (Decimal, Decimal),
    /// The value at which it is safe.
    pub safe: Decimal,
    /// The rest.
    pub rules: OutputRules,
}

/// Where an output is wired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputPlace<'c> {
    /// A line.
    Line(&'c DigitalOutput),
    /// A channel.
    Channel(&'c AnalogOutput),
}

/// One output of either sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output<'c> {
    /// Its id.
    pub id: &'c PointId,
    /// Its card.
    pub card: &'c SourceId,
    /// Where it is wired.
    pub place: OutputPlace<'c>,
    /// What must hold.
    pub rules: &'c OutputRules,
}

impl DigitalOutput {
    /// It, as one output.
    #[must_use]
    pub const fn output(&self) -> Output<'_> {
        Output {
            id: &self.id,
            card: &self.card,
            place: OutputPlace::Line(self),
            rules: &self.rules,
        }
    }
}

impl AnalogOutput {
    /// The whole number on the channel that is nearest to a value, halves away from 0; `None` where it has more
    /// digits than can be kept.
    #[must_use]
    pub fn raw_of(&self, value: Decimal) -> Option<i64> {
        let offset = Decimal::new(-self.offset.mantissa(), self.offset.exponent()).ok()?;
        let above = value.checked_add(offset).ok()?;
        let fine = above.exponent().min(self.scale.exponent());
        let at = |one: Decimal| {
            let shift = u32::from(one.exponent().abs_diff(fine));
            one.mantissa().checked_mul(10i128.checked_pow(shift)?)
        };
        let (above, scale) = (at(above)?, at(self.scale)?);
        let whole = above.checked_div(scale)?;
        let rest = above.checked_rem(scale)?;
        let half = rest.checked_abs()?.checked_mul(2)? >= scale.checked_abs()?;
        let away = if (above < 0) == (scale < 0) { 1 } else { -1 };
        let nearest = if half {
            whole.checked_add(away)?
        } else {
            whole
        };
        i64::try_from(nearest).ok()
    }

    /// What is output for a value: what the number on the channel that is nearest to it stands for. It is the value
    /// itself, digits and all, where the channel has it; `None` where it has more digits than can be kept.
    #[must_use]
    pub fn held_of(&self, value: Decimal) -> Option<Decimal> {
        let raw = Decimal::new(i128::from(self.raw_of(value)?), 0).ok()?;
        let scaled = raw.checked_mul(self.scale).ok()?;
        let held = scaled.checked_add(self.offset).ok()?;
        let is_same = held.cmp_value(value) == core::cmp::Ordering::Equal;
        Some(if is_same { value } else { held })
    }

    /// It, as one output.
    #[must_use]
    pub const fn output(&self) -> Output<'_> {
        Output {
            id: &self.id,
            card: &self.card,
            place: OutputPlace::Channel(self),
            rules: &self.rules,
        }
    }
}

impl OutputRules {
    /// Every point that has a say in it.
    pub fn watched(&self) -> impl Iterator<Item = &PointId> {
        let feedback = self.feedback.iter().map(|feedback| &feedback.point);
        let interlocks = self.interlocks.iter().map(|one| &one.point);
        interlocks.chain(feedback).chain(&self.remote_switch)
    }
}

#[cfg(test)]
mod tests {
    use super::AnalogOutput;
    use alloc::format;
    use alloc::string::ToString;
    use evidence::Decimal;

    //= R3.3
    #[test]
    fn a_value_is_the_nearest_number_on_the_channel() {
        let text = "[station]\norigin = \"example.org/s\"\n[[card]]\nid = \"dac\"\nkind = \"iio\"\npath = \"/dac\"\n\
            [[ao]]\nid = \"valve\"\ncard = \"dac\"\nchannel = \"out_voltage0_raw\"\nrange = [\"-10\", \"10\"]\nsafe = 0\n";
        let contract = crate::parse(text).unwrap();
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        let valve = contract.points.analog_outputs.values().next().unwrap();
        let check = |scale: &str, offset: &str, value: &str, due: Option<(i64, &str)>| {
            let output = AnalogOutput {
                scale: decimal(scale),
                offset: decimal(offset),
                ..valve.clone()
            };
            let about = format!("{value} by {scale} + {offset}");
            let (raw, held) = due.unzip();
            assert_eq!(output.raw_of(decimal(value)), raw, "{about}");
            let said = output.held_of(decimal(value)).map(|held| held.to_string());
            assert_eq!(said.as_deref(), held, "{about}");
        };
        check("0.001", "0", "1.2345", Some((1_235, "1.235")));
        check("0.001", "0", "1.2344", Some((1_234, "1.234")));
        check("0.001", "0", "-1.2345", Some((-1_235, "-1.235")));
        check("-0.001", "0", "1.2345", Some((-1_235, "1.235")));
        check("-0.001", "5", "1.2345", Some((3_766, "1.234")));
        check("0.01", "0", "33.336", Some((3_334, "33.34")));
        check("0.01", "0", "42.5", Some((4_250, "42.5")));
        check("3", "1", "2.4", Some((0, "1")));
        check("3", "1", "2.5", Some((1, "4")));
        check("0.000000000000000000000000000001", "0", "1", None);
        check("0", "0", "1", None);
    }
}
