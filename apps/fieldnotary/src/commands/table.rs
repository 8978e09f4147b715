//! Tables that align.

use super::ink::{padded, width};
use std::fmt;

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows under headings; every column as wide as its widest cell.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    columns: [(&'static str, Align); N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(columns: &[(&'static str, Align); N]) -> Self {
        Self {
            columns: *columns,
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = self.columns.map(|(name, _)| width(name));
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        let line = |f: &mut fmt::Formatter<'_>, cells: [&str; N]| {
            let mut text = String::new();
            for ((cell, widest), (_, align)) in cells.iter().zip(widths).zip(self.columns) {
                let cell = match align {
                    Align::Left => padded(cell, widest),
                    Align::Right => {
                        let missing = widest.saturating_sub(width(cell));
                        format!("{:missing$}{cell}", "")
                    }
                };
                text.push_str(&cell);
                text.push_str("  ");
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(f, self.columns.map(|(name, _)| name))?;
        for row in &self.rows {
            line(f, row.each_ref().map(String::as_str))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Align, Table};

    #[test]
    fn columns_align_to_their_widest_cell() {
        let mut table = Table::new(&[("id", Align::Right), ("what", Align::Left)]);
        table.row(["7".into(), "reading".into()]);
        table.row(["1000".into(), "ack".into()]);
        assert_eq!(table.to_string(), "  id  what\n   7  reading\n1000  ack\n");
    }

    #[test]
    fn colours_and_wide_characters_do_not_disturb_the_columns() {
        let mut table = Table::new(&[("a", Align::Left), ("b", Align::Right), ("c", Align::Left)]);
        table.row([
            "\u{6c34}\u{8868}".into(),
            "\u{1b}[31m7\u{1b}[0m".into(),
            "x".into(),
        ]);
        table.row(["abcd".into(), "1000".into(), "y".into()]);
        let text = table
            .to_string()
            .replace("\u{1b}[31m", "")
            .replace("\u{1b}[0m", "");
        assert_eq!(
            text,
            "a        b  c\n\u{6c34}\u{8868}     7  x\nabcd  1000  y\n"
        );
    }
}
