//! Decimal numbers as meters send them: digits and a power of ten, never rounded.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

/// `mantissa` times ten to the power of `exponent`. The exponent tells the meter's resolution, so
/// 0.300 and 0.3 are the same number and different decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The digits, signed.
    pub mantissa: i128,
    /// The power of ten.
    pub exponent: i32,
}

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn whole(mantissa: i128) -> Self {
        Self {
            mantissa,
            exponent: 0,
        }
    }

    /// The shortest decimal that is this number as a double, into which each single fits without loss;
    /// `None` for what is no number.
    #[must_use]
    pub fn from_single(single: f32) -> Option<Self> {
        if !single.is_finite() {
            return None;
        }
        let text = format!("{:e}", f64::from(single));
        let (digits, power) = text.split_once('e')?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let places = i32::try_from(fraction.len()).ok()?;
        let mantissa = format!("{whole}{fraction}").parse().ok()?;
        Some(Self {
            mantissa,
            exponent: power.parse::<i32>().ok()?.checked_sub(places)?,
        })
    }

    /// The number times `factor` times ten to the power of `exponent`; `None` where it has no room.
    #[must_use]
    pub fn scaled(self, factor: u32, exponent: i32) -> Option<Self> {
        Some(Self {
            mantissa: self.mantissa.checked_mul(i128::from(factor))?,
            exponent: self.exponent.checked_add(exponent)?,
        })
    }

    /// The same number with no zero at the end of its digits.
    #[must_use]
    pub fn shortest(self) -> Self {
        let Self {
            mut mantissa,
            mut exponent,
        } = self;
        if mantissa == 0 {
            return Self::whole(0);
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
        Self { mantissa, exponent }
    }
}

/// Most zeros that are written out; beyond, a power of ten is.
const ZEROS_MAX: usize = 60;

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let places = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
        let plain: String = if places > ZEROS_MAX {
            format!("{digits}e{}", self.exponent)
        } else if self.mantissa == 0 && self.exponent > 0 {
            digits
        } else if self.exponent >= 0 {
            format!("{digits}{:0<places$}", "")
        } else {
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            format!("{whole}.{fraction}")
        };
        f.pad_integral(self.mantissa >= 0, "", &plain)
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use alloc::string::ToString;

    fn check(mantissa: i128, exponent: i32, shown: &str) {
        assert_eq!(Decimal { mantissa, exponent }.to_string(), shown);
    }

    #[test]
    fn a_decimal_is_written_with_its_resolution() {
        check(54_321, -3, "54.321");
        check(300, -3, "0.300");
        check(-2, -1, "-0.2");
        check(0, -6, "0.000000");
        check(0, 3, "0");
        check(28_014, 3, "28014000");
        check(-18, 1, "-180");
        check(1, -70, "1e-70");
        check(i128::MAX, 0, "170141183460469231731687303715884105727");
    }

    #[test]
    fn singles_keep_every_digit_that_they_have() {
        for (bits, shown) in [
            (0x41AC_4B2B_u32, "21.53670310974121"),
            (0x4690_9FD3, "18511.912109375"),
            (0xC2B8_0000, "-92"),
            (0x0000_0000, "0"),
            (0x3F80_0000, "1"),
        ] {
            let decimal = Decimal::from_single(f32::from_bits(bits)).unwrap();
            assert_eq!(decimal.to_string(), shown);
        }
        for bits in [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000] {
            assert_eq!(Decimal::from_single(f32::from_bits(bits)), None);
        }
    }

    #[test]
    fn scaling_moves_the_point_and_never_rounds() {
        let decimal = Decimal::whole(9_223_372_036_854_775_807);
        let scaled = decimal.scaled(1, -3).unwrap();
        assert_eq!(scaled.to_string(), "9223372036854775.807");
        let days = Decimal::whole(1_191).scaled(86_400, 0).unwrap();
        assert_eq!(days.to_string(), "102902400");
        assert_eq!(Decimal::whole(i128::MAX).scaled(60, 0), None);
        let shortest = Decimal {
            mantissa: 1_200,
            exponent: -3,
        };
        assert_eq!(shortest.shortest().to_string(), "1.2");
    }
}
