//! Texts that others wrote, as people may be shown them: no text of an entry begins a line of its own, steers a terminal, or
//! turns the order of what stands around it.

use alloc::string::String;

/// A text of lines: what steers a terminal is shown as it is written in source texts.
#[must_use]
pub fn shown(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

/// A text within a line: the end of one is shown so too.
#[must_use]
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Whether a sign steers a terminal, or is seen by nobody and turns the order of those around it.
#[must_use]
pub const fn steers(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str, passes: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) && !passes(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{line, shown, steers};
    use alloc::string::ToString;

    //= R11.2
    #[test]
    fn what_steers_a_terminal_is_shown_and_not_done() {
        for (text, safe) in [
            ("a maker's root, 7", "a maker's root, 7"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{9b}2J\r\u{7}\t", "\\u{9b}2J\\u{d}\\u{7}\\u{9}"),
            ("a\u{202e}b\u{2028}", "a\\u{202e}b\\u{2028}"),
            ("M\u{fc}nster", "M\u{fc}nster"),
            ("a\u{ad}b\u{e0041}", "a\\u{ad}b\\u{e0041}"),
        ] {
            assert_eq!(shown(text), safe);
            assert_eq!(line(text), safe);
        }
        assert_eq!(shown("two\nlines"), "two\nlines");
        assert_eq!(line("two\nlines"), "two\\u{a}lines");
    }

    #[test]
    fn every_control_character_steers_and_no_letter_does() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            assert!(!c.is_control() || steers(c), "{c:?}");
            assert!(!c.is_alphanumeric() || !steers(c), "{}", c.to_string());
        }
    }
}
