//! Text that people read: aligned columns, bars, spans of time.

use std::time::Duration;

/// Characters of a line: what every terminal has.
pub(super) const WIDTH: usize = 80;

/// Cells in columns as wide as their widest cell, each line indented by two spaces.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            if is_number(cell) {
                format!("  {cell:>width$}")
            } else {
                format!("  {cell:<width$}")
            }
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Numbers stand at the right of their column.
fn is_number(cell: &str) -> bool {
    !cell.is_empty()
        && cell
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == '-')
}

/// A bar of `width` characters.
pub(super) fn bar(part: u64, whole: u64, width: usize) -> String {
    let most = u64::try_from(width).unwrap_or(u64::MAX);
    let filled = part
        .min(whole)
        .saturating_mul(most)
        .checked_div(whole)
        .unwrap_or_default();
    let filled = usize::try_from(filled).unwrap_or(width).min(width);
    format!("[{}{}]", "#".repeat(filled), ".".repeat(width - filled))
}

/// Seconds with one decimal.
pub(super) fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// A sentence in lines of at most `width` characters, indented by two spaces and by two more from the
/// second line on; words are never cut.
pub(super) fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("    {word}")),
            None => lines.push(format!("  {word}")),
        }
    }
    lines
}

/// A line in lines of at most `width` characters: between words, with what follows under the first
/// word, and a word that is longer (a path) keeps its end.
pub(super) fn fitted(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let margin = line.chars().take_while(|c| *c == ' ').count() + 2;
    let margin = " ".repeat(margin.min(width / 2));
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let fits = |line: &String| line.chars().count() + word.trim_end().chars().count() <= width;
        if let Some(last) = lines.last_mut().filter(|last| fits(last)) {
            last.push_str(word);
            continue;
        }
        let room = width.saturating_sub(margin.len());
        lines.push(format!("{margin}{}", shortened(word, room)));
    }
    let trimmed = lines.iter().map(|line| line.trim_end().to_owned());
    trimmed.filter(|line| !line.is_empty()).collect()
}

/// A word in `width` characters, which keeps its end: of a path that tells most.
fn shortened(word: &str, width: usize) -> String {
    let long = word.trim_end().chars().count();
    if long <= width {
        return word.to_owned();
    }
    let kept = width.saturating_sub(3);
    format!("...{}", word.chars().skip(long - kept).collect::<String>())
}

/// The first `width` characters.
pub(super) fn cut(line: &str, width: usize) -> &str {
    line.char_indices()
        .nth(width)
        .map_or(line, |(end, _)| line.get(..end).unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::{bar, columns, cut, fitted, wrapped};
    use trial::counted;

    #[test]
    fn columns_align_and_numbers_stand_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = columns(&[row(["meter", "read", "last"]), row(["m01", "7", "timeout"])]);
        assert_eq!(lines, ["  meter  read  last", "  m01       7  timeout"]);
    }

    #[test]
    fn bars_are_never_wider_than_they_may_be() {
        for (part, whole, expected) in [
            (0, 10, "[....]"),
            (5, 10, "[##..]"),
            (10, 10, "[####]"),
            (99, 10, "[####]"),
            (0, 0, "[....]"),
            (u64::MAX, u64::MAX, "[....]"),
        ] {
            let drawn = bar(part, whole, 4);
            assert_eq!(drawn.len(), 6);
            if whole != u64::MAX {
                assert_eq!(drawn, expected, "{part}/{whole}");
            }
        }
    }

    #[test]
    fn sentences_wrap_between_words() {
        assert_eq!(wrapped("one two three", 9), ["  one two", "    three"]);
        assert_eq!(
            wrapped("incomprehensibilities a", 4),
            ["  incomprehensibilities", "    a"]
        );
        assert!(wrapped("", 9).is_empty());
    }

    #[test]
    fn lines_fit_and_lose_no_word() {
        for (line, width, expected) in [
            ("  a bc", 6, &["  a bc"][..]),
            ("  up, was cut", 11, &["  up, was", "    cut"]),
            ("in /long/path/to/demo", 10, &["in", "  .../demo"]),
            ("in /long/path here", 12, &["in", "  /long/path", "  here"]),
        ] {
            assert_eq!(fitted(line, width), expected, "{line}");
        }
    }

    #[test]
    fn words_are_counted_and_lines_cut() {
        assert_eq!(
            (counted(1, "slot"), counted(0, "slot")),
            ("1 slot".into(), "0 slots".into())
        );
        assert_eq!(
            (cut("gr\u{f6}\u{df}e", 3), cut("ab", 3)),
            ("gr\u{f6}", "ab")
        );
    }
}
