//! The instant of a timestamp: `YYYYMMDDhhmmss`, a fraction where there is one, `Z` (RFC 3161, 2.4.2).

const DAY_S: i64 = 86_400;
const NANOSECONDS: i64 = 1_000_000_000;
/// Digits of a fraction that are looked at.
const FRACTION_DIGITS_MAX: usize = 9;

/// Nanoseconds since 1970.
pub(crate) fn read(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"Z")?;
    let (whole, fraction) = text.split_at_checked(14)?;
    let fraction_ns = match fraction {
        [] => 0,
        // DER has no zeros at its end and no empty one.
        [b'.', .., b'0'] => return None,
        [b'.', digits @ ..] if digits.len() <= FRACTION_DIGITS_MAX => {
            let missing = u32::try_from(FRACTION_DIGITS_MAX - digits.len()).ok()?;
            number(digits)?.checked_mul(10_i64.checked_pow(missing)?)?
        }
        _ => return None,
    };
    let (year, rest) = whole.split_at_checked(4)?;
    let year = number(year)?;
    let mut parts = rest.chunks(2).map(number);
    let mut next = || parts.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let sound = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    let whole_s = days(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second;
    sound.then_some(())?;
    whole_s.checked_mul(NANOSECONDS)?.checked_add(fraction_ns)
}

fn number(digits: &[u8]) -> Option<i64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(digits).ok()?;
    plain.then(|| text.parse().ok())?
}

/// Days since 1970-01-01, by years that begin with March: the leap day is then the last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn instants_are_read_and_nothing_else_is() {
        let s = |s: i64| Some(s * 1_000_000_000);
        for (text, due) in [
            (&b"19700101000000Z"[..], s(0)),
            (b"20000229120000Z", s(951_825_600)),
            (b"19700101000001.5Z", Some(1_500_000_000)),
            (b"19700101000000.123456789Z", Some(123_456_789)),
            // Beyond what nanoseconds can count.
            (b"99991231235959Z", None),
            (b"19700101000000.50Z", None),
            (b"19700101000000.Z", None),
            (b"19700101000000.1234567891Z", None),
            (b"19701301000000Z", None),
            (b"197001010000Z", None),
            (b"19700101000000", None),
            (b"19700101000000+0100", None),
            (b"+9700101000000Z", None),
            (b"", None),
        ] {
            assert_eq!(read(text), due, "{}", text.escape_ascii());
        }
    }
}
