//! Times and commit ids as people write them on the command line.

use crate::clock;
use evidence::UtcNs;

/// Nanoseconds of the units of a span.
const UNITS: [(&str, i64); 6] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];
const DUE: &str = "a time is written 2026-11-20T14:00:00Z, 2026-11-20, 14:00 for today (all UTC), or -1h for an hour ago";

/// Where a stretch of the log begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// A commit id.
    Id(u64),
    /// A time.
    Time(UtcNs),
}

/// A commit id or a time.
pub(crate) fn edge(text: &str) -> Result<Edge, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        let id = text.parse();
        return id
            .map(Edge::Id)
            .map_err(|_| "no log has so many entries".to_owned());
    }
    instant(text)
        .map(Edge::Time)
        .map_err(|due| format!("{due}; a commit id is an entry's number, such as 1234"))
}

/// A time; without a date it is one of today, and with a minus a span before now.
pub(crate) fn instant(text: &str) -> Result<UtcNs, String> {
    at(text, clock::utc())
}

fn at(text: &str, now: UtcNs) -> Result<UtcNs, String> {
    if let Some(span) = text.strip_prefix('-').and_then(span) {
        return Ok(UtcNs(now.0.saturating_sub(span)));
    }
    let today: String = query::rfc3339(now).chars().take(10).collect();
    let of_today = query::utc(&format!("{today}T{text}"));
    query::utc(text)
        .or_else(|_| match text.contains(':') {
            true => of_today,
            false => Err(String::new()),
        })
        .map_err(|_| DUE.to_owned())
}

/// A length of time in nanoseconds: more than none, with its unit.
pub(crate) fn length_ns(text: &str) -> Result<u64, String> {
    let ns = span(text).and_then(|ns| u64::try_from(ns).ok());
    ns.filter(|ns| *ns > 0).ok_or_else(|| {
        "a length of time is a whole number above 0 with ms, s, min, h or d, such as 15min"
            .to_owned()
    })
}

/// A whole number, such as how many entries.
pub(crate) fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| "write a whole number, such as 20".to_owned())
}

/// `90s` in nanoseconds.
fn span(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<i64>().ok()?.checked_mul(*ns)
}

#[cfg(test)]
mod tests {
    use super::{Edge, at, edge};

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = query::utc("2026-11-20T15:04:05Z").unwrap();
        for (text, read) in [
            ("2026-11-20T14:00:00Z", Some("2026-11-20T14:00:00")),
            ("2026-11-19", Some("2026-11-19T00:00:00")),
            ("14:00", Some("2026-11-20T14:00:00")),
            ("14:00:30", Some("2026-11-20T14:00:30")),
            ("-1h", Some("2026-11-20T14:04:05")),
            ("-90s", Some("2026-11-20T15:02:35")),
            ("-15min", Some("2026-11-20T14:49:05")),
            ("-2d", Some("2026-11-18T15:04:05")),
            ("-h", None),
            ("-1", None),
            ("25:00", None),
            ("soon", None),
            ("", None),
        ] {
            let said = at(text, now).ok().map(query::rfc3339);
            let said = said.as_deref().and_then(|said| said.get(..19));
            assert_eq!(said, read, "{text}");
        }
    }

    #[test]
    fn a_length_of_time_has_a_unit_and_is_more_than_none() {
        for (text, ns) in [
            ("15min", Some(900_000_000_000)),
            ("500ms", Some(500_000_000)),
            ("1d", Some(86_400_000_000_000)),
            ("0s", None),
            ("-1s", None),
            ("15", None),
            ("min", None),
            ("99999999999999d", None),
        ] {
            assert_eq!(super::length_ns(text).ok(), ns, "{text}");
        }
    }

    #[test]
    fn digits_alone_are_a_commit_id() {
        assert_eq!(edge("4711"), Ok(Edge::Id(4711)));
        assert!(matches!(edge("2026-11-20"), Ok(Edge::Time(_))));
        assert!(edge("99999999999999999999").is_err());
        assert!(edge("later").unwrap_err().contains("commit id"));
    }
}
