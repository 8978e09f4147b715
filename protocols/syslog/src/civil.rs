//! An instant as date and time of day.

use alloc::format;
use alloc::string::String;

const DAY_S: i64 = 86_400;

/// The TIMESTAMP of RFC 5424: UTC, to the microsecond. Nothing where the year has not four digits.
pub(crate) fn timestamp(utc_ns: i64) -> Option<String> {
    let (seconds, ns) = (
        utc_ns.div_euclid(1_000_000_000),
        utc_ns.rem_euclid(1_000_000_000),
    );
    let (days, second) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let (year, month, day) = date(days);
    if !(0..=9_999).contains(&year) {
        return None;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let us = ns / 1_000;
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}Z"
    ))
}

/// Year, month and day of a day since 1970-01-01, by years that begin with March: the leap day is then the last.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{DAY_S, date, timestamp};

    #[test]
    fn instants_are_dates() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000_999, "2000-02-29T00:00:00.000000Z"),
            (1_795_100_523_004_005_006, "2026-11-19T15:02:03.004005Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224Z"),
        ] {
            assert_eq!(timestamp(ns).as_deref(), Some(text));
        }
    }

    /// Every day of four centuries follows the one before.
    #[test]
    fn the_calendar_has_no_hole() {
        let (mut year, mut month, mut day) = date(-200 * 366);
        for days in -200 * 366 + 1..200 * 366 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
            assert_eq!(date(days), (year, month, day), "{}", days * DAY_S);
        }
    }
}
