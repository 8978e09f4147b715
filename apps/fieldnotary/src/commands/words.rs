//! Times, spans and sizes as people read them.

use evidence::UtcNs;

/// UTC to the millisecond; whoever needs more asks for JSON.
pub(super) fn time(at: UtcNs) -> String {
    shortened(&query::rfc3339(at))
}

/// A window that ends before it begins.
pub(super) fn reversed(from: UtcNs, to: UtcNs) -> String {
    format!(
        "--to {} is not behind --from {}: there is nothing between them",
        time(to),
        time(from)
    )
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

/// Nanoseconds, rounded to what matters.
pub(super) fn nanoseconds(ns: u64) -> String {
    let nearest = |unit: u64| ns.saturating_add(unit / 2) / unit;
    let (us, tenths) = (nearest(1_000), nearest(100_000));
    match ns {
        _ if ns < 1_000 => format!("{ns} ns"),
        _ if us < 1_000 => format!("{us} us"),
        _ if tenths < 10_000 => format!("{}.{} ms", tenths / 10, tenths % 10),
        _ if ns < 10_000_000_000 => span(nearest(100_000_000) * 100),
        _ if ns < 120_000_000_000 => span(nearest(1_000_000_000) * 1_000),
        _ => span(ns / 1_000_000),
    }
}

/// A bound in nanoseconds, to three digits and rounded up: it is never less than it says.
pub(super) fn bound(ns: u64) -> String {
    three_digits(ns, u64::div_ceil)
}

/// A part of a bound, to as many digits, so that parts and sum can be compared.
pub(super) fn part(ns: u64) -> String {
    three_digits(ns, |ns, unit| ns.saturating_add(unit / 2) / unit)
}

fn three_digits(ns: u64, round: impl Fn(u64, u64) -> u64) -> String {
    const STEPS: [(u64, u64, &str, usize); 9] = [
        (10, 1_000, "us", 2),
        (100, 1_000, "us", 1),
        (1_000, 1_000, "us", 0),
        (10_000, 1_000_000, "ms", 2),
        (100_000, 1_000_000, "ms", 1),
        (1_000_000, 1_000_000, "ms", 0),
        (10_000_000, 1_000_000_000, "s", 2),
        (100_000_000, 1_000_000_000, "s", 1),
        (1_000_000_000, 1_000_000_000, "s", 0),
    ];
    if ns < 1_000 {
        return format!("{ns} ns");
    }
    let fitting = STEPS.iter().find(|(step, ..)| round(ns, *step) < 1_000);
    let Some((step, unit, name, decimals)) = fitting else {
        return span(round(ns, 1_000_000));
    };
    let (digits, whole) = (round(ns, *step), unit / step);
    let number = format!("{}.{:0>decimals$}", digits / whole, digits % whole);
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {name}")
}

/// A text of at most so many characters: one that is longer ends behind a whole word, and shows that it went on.
pub(crate) fn up_to(text: &str, chars_max: usize) -> String {
    const ENDS: &str = " ...";
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let room = chars_max.saturating_sub(ENDS.len());
    let (head, next): (String, Option<char>) = {
        let mut chars = text.chars();
        let head = chars.by_ref().take(room).collect();
        (head, chars.next())
    };
    let whole = match next {
        Some(next) if !next.is_whitespace() => head.rsplit_once(char::is_whitespace),
        _ => None,
    };
    let kept = whole.map_or(head.as_str(), |(kept, _)| kept);
    format!("{}{ENDS}", kept.trim_end())
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
    use super::{bound, bytes, entries, nanoseconds, part, shortened, span, stretch, up_to};

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
    fn what_is_too_long_ends_behind_a_word_and_says_so() {
        for (text, chars_max, shown) in [
            ("the device is gone", 18, "the device is gone"),
            ("the device is gone", 17, "the device is ..."),
            ("the device is gone", 14, "the device ..."),
            ("the device is gone", 13, "the ..."),
            ("/dev/serial/by-id/x", 12, "/dev/ser ..."),
            (
                "\u{e9}\u{e9} \u{e9}\u{e9}\u{e9}\u{e9}",
                6,
                "\u{e9}\u{e9} ...",
            ),
        ] {
            assert_eq!(up_to(text, chars_max), shown);
        }
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
        for (ns, shown, as_bound) in [
            (0, "0 ns", "0 ns"),
            (999, "999 ns", "999 ns"),
            (1_000, "1 us", "1 us"),
            (1_491, "1 us", "1.5 us"),
            (1_501, "2 us", "1.51 us"),
            (31_000, "31 us", "31 us"),
            (31_010, "31 us", "31.1 us"),
            (999_600, "1.0 ms", "1 ms"),
            (3_250_000, "3.3 ms", "3.25 ms"),
            (5_005_000, "5.0 ms", "5.01 ms"),
            (105_000_001, "105.0 ms", "106 ms"),
            (999_960_000, "1 s", "1 s"),
            (4_995_000_000, "5 s", "5 s"),
            (57_600_000_000, "58 s", "57.6 s"),
            (57_410_000_000, "57 s", "57.5 s"),
            (125_000_000_000, "2 min", "125 s"),
            (1_000_000_000_000, "16 min", "16 min"),
            (u64::MAX, "213503 d 23 h", "213503 d 23 h"),
        ] {
            assert_eq!(
                (nanoseconds(ns).as_str(), bound(ns).as_str()),
                (shown, as_bound)
            );
        }
        assert_eq!(
            (part(2_502_500), part(1_004)),
            ("2.5 ms".into(), "1 us".into())
        );
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(
            shortened("2023-11-14T22:13:20.123456789Z"),
            "2023-11-14T22:13:20.123Z"
        );
    }
}
