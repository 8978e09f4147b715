//! What a report is about, and the times that people write.

use evidence::{MeterId, UtcNs};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What a report is about; by default, everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GapFilter {
    /// Only this meter.
    pub meter: Option<MeterId>,
    /// Only slots due at this time or later.
    pub from: Option<UtcNs>,
    /// Only slots due before this time.
    pub to: Option<UtcNs>,
}

impl GapFilter {
    /// Whether a slot due at this time is asked for; one whose time nobody knows is.
    pub(super) fn takes(&self, at: Option<UtcNs>) -> bool {
        at.is_none_or(|at| {
            self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
        })
    }

    /// Whether a stretch between two slots may be asked for; an end that nobody knows is open.
    pub(super) fn meets(&self, after: Option<UtcNs>, before: Option<UtcNs>) -> bool {
        let reaches = self
            .from
            .is_none_or(|from| before.is_none_or(|before| before >= from));
        let begins = self
            .to
            .is_none_or(|to| after.is_none_or(|after| after < to));
        reaches && begins
    }
}

/// A time as people write it: `2026-11-20T14:00:00Z`, with an offset, or without one in UTC; a date alone
/// is its midnight.
///
/// # Errors
/// A sentence that says what would be right.
pub fn utc(text: &str) -> Result<UtcNs, String> {
    let civil = || {
        let civil: DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    };
    text.parse::<Timestamp>()
        .ok()
        .or_else(civil)
        .and_then(|at| i64::try_from(at.as_nanosecond()).ok())
        .map(UtcNs)
        .ok_or_else(|| {
            "a time is written 2026-11-20T14:00:00Z, or 2026-11-20 for its midnight".into()
        })
}

#[cfg(test)]
mod tests {
    use super::utc;
    use crate::rfc3339;

    #[test]
    fn times_are_read_as_people_write_them() {
        let cases = [
            (
                "2026-11-20T14:00:00Z",
                Some("2026-11-20T14:00:00.000000000Z"),
            ),
            (
                "2026-11-20T15:00:00+01:00",
                Some("2026-11-20T14:00:00.000000000Z"),
            ),
            (
                "2026-11-20T14:00:00",
                Some("2026-11-20T14:00:00.000000000Z"),
            ),
            ("2026-11-20 14:00", Some("2026-11-20T14:00:00.000000000Z")),
            ("2026-11-20", Some("2026-11-20T00:00:00.000000000Z")),
            ("yesterday", None),
            ("9999-01-01", None),
            ("", None),
        ];
        for (text, read) in cases {
            assert_eq!(utc(text).ok().map(rfc3339).as_deref(), read, "{text}");
        }
    }
}
