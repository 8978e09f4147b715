//! Exact decimals: a register value is a whole number and a power of ten, never a binary float.

use crate::cbor::{DecodeError, DecodeFault, Reader, Writer};
use crate::field::Field;
use alloc::string::String;
use core::fmt;

/// Largest magnitude of the exponent; wide enough for every SI prefix and both ends of a u64.
const EXPONENT_MAX: i8 = 30;

/// `mantissa * 10^exponent`, exactly as scaled; trailing zeros are kept, for they carry resolution.
///
/// Encoded as a decimal fraction (RFC 8949, section 3.4.4, tag 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    exponent: i8,
}

/// Why a number is not a [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// The mantissa does not fit -2^64 to 2^64-1.
    Mantissa,
    /// The exponent is outside -30 to 30.
    Exponent,
    /// The text is not digits with at most one point and a sign.
    Text,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mantissa => "more digits than fit between -2^64 and 2^64-1",
            Self::Exponent => "an exponent outside -30 to 30",
            Self::Text => "not a decimal number such as 12, -0.5 or 0.001",
        })
    }
}

impl core::error::Error for DecimalError {}

impl Decimal {
    /// `mantissa * 10^exponent`.
    pub fn new(mantissa: i128, exponent: i8) -> Result<Self, DecimalError> {
        if !(-(1i128 << 64)..(1i128 << 64)).contains(&mantissa) {
            return Err(DecimalError::Mantissa);
        }
        if exponent.unsigned_abs() > EXPONENT_MAX.unsigned_abs() {
            return Err(DecimalError::Exponent);
        }
        Ok(Self { mantissa, exponent })
    }

    /// The digits, as a whole number.
    #[must_use]
    pub fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// The power of ten.
    #[must_use]
    pub fn exponent(self) -> i8 {
        self.exponent
    }

    /// The exact product; its resolution is the sum of both resolutions.
    pub fn checked_mul(self, other: Self) -> Result<Self, DecimalError> {
        let mantissa = self
            .mantissa
            .checked_mul(other.mantissa)
            .ok_or(DecimalError::Mantissa)?;
        let exponent = self
            .exponent
            .checked_add(other.exponent)
            .ok_or(DecimalError::Exponent)?;
        Self::new(mantissa, exponent)
    }

    /// The exact sum, at the finer of the two resolutions.
    pub fn checked_add(self, other: Self) -> Result<Self, DecimalError> {
        let exponent = self.exponent.min(other.exponent);
        let at = |value: Self| {
            let shift = u32::from(value.exponent.abs_diff(exponent));
            10i128
                .checked_pow(shift)
                .and_then(|factor| value.mantissa.checked_mul(factor))
                .ok_or(DecimalError::Mantissa)
        };
        let sum = at(self)?
            .checked_add(at(other)?)
            .ok_or(DecimalError::Mantissa)?;
        Self::new(sum, exponent)
    }

    /// Whether two values differ by no more than `tolerance`, exactly; none do where that is negative.
    ///
    /// # Errors
    /// Numbers of so many digits cannot be compared.
    pub fn is_within(self, other: Self, tolerance: Self) -> Result<bool, DecimalError> {
        let reaches = |low: Self, high: Self| {
            let limit = low.checked_add(tolerance)?;
            Ok(high.cmp_value(limit) != core::cmp::Ordering::Greater)
        };
        Ok(reaches(self, other)? && reaches(other, self)?)
    }

    /// Compares by value: 1.0 and 1.00 are equal here.
    #[must_use]
    pub fn cmp_value(self, other: Self) -> core::cmp::Ordering {
        let fine = self.exponent.min(other.exponent);
        let at = |value: Self| {
            10i128
                .checked_pow(u32::from(value.exponent.abs_diff(fine)))
                .and_then(|factor| value.mantissa.checked_mul(factor))
        };
        match (at(self), at(other)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // Only a huge shift overflows: then the coarser, larger exponent decides by sign.
            (None, _) => self.mantissa.cmp(&0),
            (_, None) => 0.cmp(&other.mantissa),
        }
    }
}

impl core::str::FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let pointed = digits.contains('.');
        if whole.is_empty() || !plain(whole) || !plain(fraction) || (pointed && fraction.is_empty())
        {
            return Err(DecimalError::Text);
        }
        let mut all = String::from(whole);
        all.push_str(fraction);
        let mantissa: i128 = all.parse().map_err(|_| DecimalError::Mantissa)?;
        let places = i8::try_from(fraction.len()).map_err(|_| DecimalError::Exponent)?;
        Self::new(if negative { -mantissa } else { mantissa }, -places)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        if self.exponent >= 0 {
            let zeros = if digits == 0 {
                0
            } else {
                usize::from(self.exponent.unsigned_abs())
            };
            return write!(f, "{sign}{digits}{:0<zeros$}", "");
        }
        let places = usize::from(self.exponent.unsigned_abs());
        let padded = alloc::format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl Field for Decimal {
    const CDDL: &'static str = "decimal";

    fn write(&self, writer: &mut Writer) {
        writer.tag(4);
        writer.array(2);
        writer.int(i64::from(self.exponent));
        let fits = writer.wide_int(self.mantissa);
        debug_assert!(fits, "the constructor bounds the mantissa");
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        reader.tag(4)?;
        reader.array_of(2)?;
        let exponent = reader.int()?;
        let mantissa = reader.wide_int()?;
        i8::try_from(exponent)
            .ok()
            .and_then(|exponent| Self::new(mantissa, exponent).ok())
            .ok_or_else(|| reader.fault(at, DecodeFault::OutOfRange("a decimal")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, DecimalError};
    use core::cmp::Ordering;
    use proptest::prelude::{prop_assert_eq, proptest};
    use std::string::ToString;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    //= A2.1
    #[test]
    fn prints_exactly_what_was_scaled() {
        for (mantissa, exponent, text) in [
            (0, 0, "0"),
            (0, -2, "0.00"),
            (0, 3, "0"),
            (5, -3, "0.005"),
            (-5, -1, "-0.5"),
            (12_345, -2, "123.45"),
            (7, 3, "7000"),
            (u64::MAX.into(), 0, "18446744073709551615"),
        ] {
            assert_eq!(Decimal::new(mantissa, exponent).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_not_a_plain_decimal() {
        for text in ["", "-", ".5", "5.", "1e3", "1.2.3", "+1", " 1", "0x1"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Text), "{text:?}");
        }
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(
            decimal("0.1").checked_mul(decimal("3")).unwrap(),
            decimal("0.3")
        );
        assert_eq!(
            decimal("0.1").checked_add(decimal("0.20")).unwrap(),
            decimal("0.30")
        );
        assert_eq!(decimal("1.0").cmp_value(decimal("1.00")), Ordering::Equal);
        assert_eq!(decimal("-1").cmp_value(decimal("0.001")), Ordering::Less);
    }

    proptest! {
        #[test]
        fn text_comes_back(mantissa in -(1i128 << 64)..(1i128 << 64), exponent in -30i8..=0) {
            let value = Decimal::new(mantissa, exponent).unwrap();
            prop_assert_eq!(value.to_string().parse::<Decimal>().unwrap(), value);
        }
    }
}
