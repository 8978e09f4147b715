//! chronyd's numbers: 7 bits of exponent and 25 of coefficient, both signed, as whole numbers of a unit.

const COEFFICIENT_BITS: u32 = 25;

/// The number in `unit`ths: `scaled(bits, 1_000_000_000)` of seconds is nanoseconds. Rounded to the
/// nearest, saturating.
#[must_use]
pub fn scaled(bits: u32, unit: u32) -> i64 {
    let exponent = bits.cast_signed() >> COEFFICIENT_BITS;
    // Shifted up and down again, the sign fills the upper bits.
    let coefficient = (bits << (32 - COEFFICIENT_BITS)).cast_signed() >> (32 - COEFFICIENT_BITS);
    // At most 25 and 32 bits: there is room to shift by the largest exponent.
    let whole = i128::from(coefficient) * i128::from(unit);
    let shift = exponent - COEFFICIENT_BITS.cast_signed();
    let value = if shift >= 0 {
        whole << shift
    } else {
        let down = shift.unsigned_abs();
        (whole + (1 << (down - 1))) >> down
    };
    let bound = if value < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(value).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use super::scaled;

    /// As the format's description has it, in floating point.
    fn expected(bits: u32, unit: u32) -> f64 {
        let exponent = i32::try_from(bits >> 25).unwrap();
        let exponent = if exponent >= 64 {
            exponent - 128
        } else {
            exponent
        };
        let coefficient = f64::from(bits & 0x01FF_FFFF);
        let coefficient = if coefficient >= f64::from(1 << 24) {
            coefficient - f64::from(1 << 25)
        } else {
            coefficient
        };
        coefficient * 2_f64.powi(exponent - 25) * f64::from(unit)
    }

    #[test]
    fn numbers_are_what_their_description_says() {
        assert_eq!(scaled(0, 1_000_000_000), 0);
        // 0.5 x 2^1 and its negative.
        assert_eq!(scaled(1 << 25 | 1 << 24, 1_000), -1_000);
        assert_eq!(scaled(2 << 25 | 1 << 23, 1_000), 1_000);
        // The largest and the smallest saturate in nanoseconds.
        assert_eq!(scaled(0x7EFF_FFFF, 1_000_000_000), i64::MAX);
        assert_eq!(scaled(0x7F00_0000, 1_000_000_000), i64::MIN);
    }

    proptest::proptest! {
        #[test]
        fn every_number_is_within_its_rounding(bits: u32, unit in 1_u32..=1_000_000_000) {
            let expected = expected(bits, unit);
            #[expect(clippy::cast_precision_loss, reason = "compared to within a part of 2^50")]
            let found = scaled(bits, unit) as f64;
            let clamped = expected.clamp(-9.223_372_036_854_775e18, 9.223_372_036_854_775e18);
            let off = (found - clamped).abs();
            proptest::prop_assert!(off <= 0.5 + clamped.abs() * 1e-15, "{found} {expected}");
        }
    }
}
