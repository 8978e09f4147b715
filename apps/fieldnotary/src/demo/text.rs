//! Text that people read: aligned columns, bars, spans of time.

use std::time::Duration;

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

/// "1 reading", "2 readings".
pub(super) fn counted(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
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

/// The first `width` characters.
pub(super) fn cut(line: &str, width: usize) -> &str {
    line.char_indices()
        .nth(width)
        .map_or(line, |(end, _)| line.get(..end).unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::{bar, columns, counted, cut, wrapped};

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
