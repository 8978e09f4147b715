//! Times, spans and sizes as people read them.

use evidence::UtcNs;

/// UTC to the millisecond; whoever needs more asks for JSON.
pub(super) fn time(at: UtcNs) -> String {
    shortened(&query::rfc3339(at))
}

/// An RFC 3339 time with nine digits, to the millisecond.
pub(super) fn shortened(rfc3339: &str) -> String {
    match rfc3339.split_once('.') {
        Some((seconds, rest)) if rest.ends_with('Z') => {
            let millis: String = rest.chars().take(3).collect();
            format!("{seconds}.{millis}Z")
        }
        _ => rfc3339.to_owned(),
    }
}

/// A span of time with one unit, or two where the first is coarse.
pub(super) fn span(ms: u64) -> String {
    let (s, min, h, d) = (1_000, 60_000, 3_600_000, 86_400_000);
    match ms {
        _ if ms < s => format!("{ms} ms"),
        _ if ms < 10 * s && !ms.is_multiple_of(s) => format!("{}.{} s", ms / s, ms % s / 100),
        _ if ms < 2 * min => format!("{} s", ms / s),
        _ if ms < 2 * h => format!("{} min", ms / min),
        _ if ms < 2 * d => format!("{} h {} min", ms / h, ms % h / min),
        _ => format!("{} d {} h", ms / d, ms % d / h),
    }
}

/// Nanoseconds, rounded down to what matters.
pub(super) fn nanoseconds(ns: u64) -> String {
    match ns {
        _ if ns < 1_000 => format!("{ns} ns"),
        _ if ns < 1_000_000 => format!("{} us", ns / 1_000),
        _ if ns < 1_000_000_000 => format!("{}.{} ms", ns / 1_000_000, ns % 1_000_000 / 100_000),
        _ => span(ns / 1_000_000),
    }
}

/// A size in bytes with a binary unit.
pub(super) fn bytes(bytes: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

/// "1 entry", "2 entries".
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    let word = if count == 1 { one } else { many };
    format!("{count} {word}")
}

/// A stretch by its first and its last: "7", "7 to 9".
pub(super) fn stretch(first: u64, last: u64) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    }
}

/// "entry 7", "entries 7 to 9".
pub(super) fn entries(first: u64, last: u64) -> String {
    let what = if first == last { "entry" } else { "entries" };
    format!("{what} {}", stretch(first, last))
}

#[cfg(test)]
mod tests {
    use super::{bytes, entries, nanoseconds, shortened, span, stretch};

    #[test]
    fn a_stretch_of_one_is_one() {
        assert_eq!(
            (stretch(657, 657), stretch(7, 9)),
            ("657".into(), "7 to 9".into())
        );
        assert_eq!(entries(657, 657), "entry 657");
        assert_eq!(entries(7, 9), "entries 7 to 9");
    }

    #[test]
    fn spans_and_sizes_have_units() {
        for (ms, shown) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (1_250, "1.2 s"),
            (65_000, "65 s"),
            (125_000, "2 min"),
            (7_260_000, "2 h 1 min"),
            (176_400_000, "2 d 1 h"),
        ] {
            assert_eq!(span(ms), shown);
        }
        assert_eq!(nanoseconds(3_250_000), "3.2 ms");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(
            shortened("2023-11-14T22:13:20.123456789Z"),
            "2023-11-14T22:13:20.123Z"
        );
    }
}
