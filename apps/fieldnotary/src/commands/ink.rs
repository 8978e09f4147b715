//! Colour where it carries meaning, on a terminal only, and the width of words on a screen.

use std::io::IsTerminal;
use std::sync::OnceLock;
use unicode_width::UnicodeWidthChar;

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// It holds.
    Good,
    /// It does not.
    Bad,
    /// Look at it.
    Odd,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Odd => "33",
        }
    }
}

/// All that colours write to a terminal.
pub(super) const SEQUENCES: [&str; 4] = ["\u{1b}[32m", "\u{1b}[1;31m", "\u{1b}[33m", "\u{1b}[0m"];

/// Words in a colour, if standard output shows colours.
pub(super) fn ink(ink: Ink, words: &str) -> String {
    match shows_colours() {
        true => format!("\u{1b}[{}m{words}\u{1b}[0m", ink.code()),
        false => words.to_owned(),
    }
}

/// A terminal that is not asked to be plain (<https://no-color.org>).
fn shows_colours() -> bool {
    static SHOWS: OnceLock<bool> = OnceLock::new();
    *SHOWS.get_or_init(|| {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        std::io::stdout().is_terminal() && !plain && !dumb
    })
}

/// Columns that words take on a screen; colours take none, wide characters two.
pub(super) fn width(words: &str) -> usize {
    let mut columns = 0;
    let mut escape = false;
    for c in words.chars() {
        match (escape, c) {
            (false, '\u{1b}') => escape = true,
            (false, _) => columns += c.width().unwrap_or(0),
            (true, 'm') => escape = false,
            (true, _) => {}
        }
    }
    columns
}

/// Words with spaces behind them, up to so many columns.
pub(super) fn padded(words: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(words));
    format!("{words}{:missing$}", "")
}

#[cfg(test)]
mod tests {
    use super::{Ink, ink, padded, width};

    #[test]
    fn width_is_what_the_screen_shows() {
        for (words, columns) in [
            ("", 0),
            ("abc", 3),
            ("m\u{b3}", 2),
            ("\u{6c34}\u{8868}", 4),
            ("e\u{301}", 1),
            ("\u{1b}[1;31mNO\u{1b}[0m", 2),
        ] {
            assert_eq!(width(words), columns, "{words:?}");
        }
        assert_eq!(padded("\u{6c34}", 4), "\u{6c34}  ");
    }

    #[test]
    fn without_a_terminal_there_is_no_colour() {
        if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            assert_eq!(ink(Ink::Bad, "NO"), "NO");
        }
    }
}
