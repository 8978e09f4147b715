//! Dates and times of a meter's clock: types F, G, I and J of EN 13757-3, annex A.
//!
//! They name no time zone, so none is claimed. What is marked invalid, or is no date, is none here.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// With the century.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to the month's last.
    pub day: u8,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59; type F has none, it is minutes that count there.
    pub second: u8,
}

/// A point on a meter's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Type G.
    Day(Date),
    /// Types F and I.
    Instant {
        /// The day.
        date: Date,
        /// The time of day.
        clock: Clock,
        /// The meter says that it is summer time.
        summer: bool,
    },
    /// Type J.
    OfDay(Clock),
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

impl Moment {
    /// Seconds from 1970-01-01 to it as the meter's clock counts without summer time: of a day when it begins, of a
    /// time of day none.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        const S_PER_MIN: i64 = 60;
        const MIN_PER_H: i64 = 60;
        const S_PER_DAY: i64 = 86_400;
        match self {
            Self::Day(date) => Some(date.days() * S_PER_DAY),
            Self::Instant {
                date,
                clock,
                summer,
            } => {
                let hour = i64::from(clock.hour) - i64::from(*summer);
                let minutes = hour * MIN_PER_H + i64::from(clock.minute);
                let of_day = minutes * S_PER_MIN + i64::from(clock.second);
                Some(date.days() * S_PER_DAY + of_day)
            }
            Self::OfDay(_) => None,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => date.fmt(f),
            Self::Instant { date, clock, .. } => write!(f, "{date}T{clock}"),
            Self::OfDay(clock) => clock.fmt(f),
        }
    }
}

/// Year fields up to this mean this century, later ones the last.
const YEAR_OF_THIS_CENTURY_MAX: u8 = 80;
/// The year field that stands for every year.
const EVERY_YEAR: u8 = 127;
const MINUTE: u8 = 0x3F;
const HOUR: u8 = 0x1F;
const INVALID: u8 = 0x80;
/// Of the first byte of type I: summer time; and that the year is a leap year.
const SUMMER_OF_I: u8 = 0x40;
const LEAP_OF_I: u8 = 0x80;

/// Day, month and year field of the two bytes that all types with a date share.
const fn fields(low: u8, high: u8) -> (u8, u8, u8) {
    (low & 0x1F, high & 0x0F, low >> 5 | (high >> 4) << 3)
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn date(low: u8, high: u8, hundreds: Option<u8>) -> Result<Date, String> {
    let (day, month, year) = fields(low, high);
    let full = match hundreds {
        // Clocks that know nothing of centuries send 0 there.
        Some(hundreds) if hundreds > 0 => 1900 + 100 * u16::from(hundreds) + u16::from(year),
        _ if year <= YEAR_OF_THIS_CENTURY_MAX => 2000 + u16::from(year),
        _ => 1900 + u16::from(year),
    };
    let days = match month {
        2 if is_leap(full) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let shown = || format!("day {day}, month {month}, year {year}");
    if year == EVERY_YEAR || day == 0 && (1..=12).contains(&month) || month == 15 {
        return Err(format!("a date that comes again and again ({})", shown()));
    }
    if day == 0 || day > days || year > 99 {
        return Err(format!("no date ({})", shown()));
    }
    Ok(Date {
        year: full,
        month,
        day,
    })
}

fn clock(hour: u8, minute: u8, second: u8) -> Result<Clock, String> {
    if hour > 23 || minute > 59 || second > 59 {
        return Err(format!("no time of day ({hour}:{minute}:{second})"));
    }
    Ok(Clock {
        hour,
        minute,
        second,
    })
}

fn marked() -> String {
    String::from("the meter marks this time as invalid")
}

/// The date of type G, two bytes, lowest first.
///
/// # Errors
/// Why it is no date: all bits set, out of range, or one that recurs.
pub fn type_g([low, high]: [u8; 2]) -> Result<Moment, String> {
    if [low, high] == [0xFF; 2] {
        return Err(marked());
    }
    date(low, high, None).map(Moment::Day)
}

/// The date and time of type F, four bytes, lowest first.
///
/// # Errors
/// Why it is none.
pub fn type_f([minute, hour, low, high]: [u8; 4]) -> Result<Moment, String> {
    if minute & INVALID != 0 {
        return Err(marked());
    }
    Ok(Moment::Instant {
        date: date(low, high, Some(hour >> 5 & 3))?,
        clock: clock(hour & HOUR, minute & MINUTE, 0)?,
        summer: hour & 0x80 != 0,
    })
}

/// The date and time of type I, six bytes, lowest first.
///
/// # Errors
/// Why it is none.
pub fn type_i([second, minute, hour, low, high, _week]: [u8; 6]) -> Result<Moment, String> {
    if minute & INVALID != 0 {
        return Err(marked());
    }
    Ok(Moment::Instant {
        date: date(low, high, None)?,
        clock: clock(hour & HOUR, minute & MINUTE, second & MINUTE)?,
        summer: second & SUMMER_OF_I != 0,
    })
}

/// The four bytes of an instant in type F, lowest first; it has no seconds. `None` before 2000 and from 2081 on, where
/// meters disagree about the century.
#[must_use]
pub fn as_type_f(date: Date, clock: Clock) -> Option<[u8; 4]> {
    let (hundreds, [low, high]) = (date.hundreds()?, date.bytes()?);
    Some([clock.minute, clock.hour | hundreds << 5, low, high])
}

/// The six bytes of an instant in type I, lowest first; the week and its day are not told. `None` as of [`as_type_f`].
#[must_use]
pub fn as_type_i(date: Date, clock: Clock) -> Option<[u8; 6]> {
    let [low, high] = date.bytes()?;
    let leap = if is_leap(date.year) { LEAP_OF_I } else { 0 };
    Some([clock.second | leap, clock.minute, clock.hour, low, high, 0])
}

impl Date {
    /// The day that is so many days after 1970-01-01 (H. Hinnant, civil from days); `None` of years that 16 bits do not hold.
    #[must_use]
    pub fn of_days(days: i64) -> Option<Self> {
        // Years begin in March, so that a leap day is the last of its year.
        let shifted = days.checked_add(719_468)?;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Some(Self {
            year: u16::try_from(year).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
        })
    }

    /// Days from 1970-01-01 to it (H. Hinnant, days from civil).
    #[must_use]
    pub const fn days(self) -> i64 {
        let (year, month, day) = (self.year as i64, self.month as i64, self.day as i64);
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let from_march = (month + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * 146_097 + of_era - 719_468
    }

    /// The hundreds of years since 1900, as type F has them.
    fn hundreds(self) -> Option<u8> {
        let hundreds = self.year.checked_sub(1900)? / 100;
        u8::try_from(hundreds)
            .ok()
            .filter(|hundreds| *hundreds <= 3)
    }

    /// The two bytes that all types with a date share; `None` of a year that they could not be read back from.
    fn bytes(self) -> Option<[u8; 2]> {
        let year = u8::try_from(self.year.checked_sub(2000)?).ok()?;
        let read_back = year <= YEAR_OF_THIS_CENTURY_MAX;
        read_back.then_some([self.day | (year & 7) << 5, self.month | (year >> 3) << 4])
    }
}

/// The time of day of type J, three bytes, lowest first.
///
/// # Errors
/// Why it is none.
pub fn type_j([second, minute, hour]: [u8; 3]) -> Result<Moment, String> {
    if [second, minute, hour] == [0xFF; 3] {
        return Err(marked());
    }
    clock(hour & HOUR, minute & MINUTE, second & MINUTE).map(Moment::OfDay)
}

#[cfg(test)]
mod tests {
    use super::{Date, Moment, type_f, type_g, type_i, type_j};
    use alloc::string::{String, ToString};

    fn check(read: Result<Moment, String>, shown: Result<&str, &str>) {
        match (read, shown) {
            (Ok(moment), Ok(shown)) => assert_eq!(moment.to_string(), shown),
            (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
            (read, shown) => panic!("{read:?} where {shown:?} is due"),
        }
    }

    #[test]
    fn dates_and_times_are_read_and_what_is_none_is_told() {
        check(type_g([0xBF, 0x1C]), Ok("2013-12-31"));
        check(type_g([0x9D, 0x12]), Ok("2012-02-29"));
        check(
            type_g([0xBD, 0x12]),
            Err("no date (day 29, month 2, year 13)"),
        );
        check(type_g([0x00, 0x00]), Err("no date"));
        check(type_g([0xFF, 0xFF]), Err("invalid"));
        check(type_g([0xE1, 0xF1]), Err("again and again"));
        check(type_g([0x3D, 0x1F]), Err("again and again"));
        check(type_f([0x0B, 0x0B, 0xCD, 0x13]), Ok("2014-03-13T11:11:00"));
        check(type_f([0xA1, 0x15, 0xE9, 0x17]), Err("invalid"));
        check(
            type_f([0x3B, 0x18, 0x1E, 0x16]),
            Err("no time of day (24:59"),
        );
        check(
            type_f([0x3C, 0x0B, 0xCD, 0x13]),
            Err("no time of day (11:60"),
        );
        check(
            type_i([0x1E, 0x0F, 0x8D, 0x9D, 0x32, 0x26]),
            Ok("2028-02-29T13:15:30"),
        );
        check(type_i([0x1E, 0x8F, 0x8D, 0x9D, 0x32, 0x26]), Err("invalid"));
        check(type_j([0x3B, 0x3B, 0x17]), Ok("23:59:59"));
        check(type_j([0xFF; 3]), Err("invalid"));
    }

    //= U3
    #[test]
    fn a_date_is_the_day_that_it_counts_to() {
        for days in [-719_162, -1, 0, 59, 10_957, 11_016, 19_723, 20_786, 47_541] {
            let date = Date::of_days(days).unwrap();
            assert_eq!(date.days(), days, "{date}");
        }
        assert_eq!(Date::of_days(20_786).unwrap().to_string(), "2026-11-29");
        let seconds = |bytes| type_f(bytes).unwrap().seconds();
        // 2014-03-13 11:11, and the same in summer time.
        assert_eq!(seconds([0x0B, 0x0B, 0xCD, 0x13]), Some(1_394_709_060));
        assert_eq!(seconds([0x0B, 0x8B, 0xCD, 0x13]), Some(1_394_705_460));
        assert_eq!(type_g([0xBF, 0x1C]).unwrap().seconds(), Some(1_388_448_000));
        assert_eq!(type_j([0x3B, 0x3B, 0x17]).unwrap().seconds(), None);
    }

    #[test]
    fn hundreds_and_summer_time_of_type_f() {
        // Hundreds 1: 2000; hundreds 0 and a year behind 80: the last century.
        check(type_f([0, 0x20, 0x41, 0xC1]), Ok("2098-01-01T00:00:00"));
        check(type_f([0, 0x00, 0x41, 0xC1]), Ok("1998-01-01T00:00:00"));
        let is_summer = |moment: Result<Moment, String>| {
            matches!(moment.unwrap(), Moment::Instant { summer: true, .. })
        };
        assert!(is_summer(type_f([0x0B, 0x8B, 0xCD, 0x13])));
        assert!(!is_summer(type_f([0x0B, 0x0B, 0xCD, 0x13])));
        // Type I has it in the bit before the last of its first byte, and the leap year in the last (EN 13757-3, table A.10).
        assert!(is_summer(type_i([0x5E, 0x0F, 0x8D, 0x9D, 0x32, 0x26])));
        assert!(!is_summer(type_i([0x9E, 0x0F, 0x8D, 0x9D, 0x32, 0x26])));
        check(
            type_i([0x9E, 0x0F, 0x8D, 0x9D, 0x32, 0x26]),
            Ok("2028-02-29T13:15:30"),
        );
    }
}
