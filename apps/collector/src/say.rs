//! What the program says to people; a reader that went away (`| head`) is no error of ours.

use std::fmt;
use std::io::Write as _;

/// A line to standard output.
pub fn out(line: impl fmt::Display) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A text to standard output, as it is.
pub fn raw(text: &[u8]) {
    let _ = std::io::stdout().write_all(text);
}

/// A line to standard error.
pub fn err(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A word as a shell takes it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        for (word, shown) in [
            ("/a/b-1", "/a/b-1"),
            ("c.example+0a+B/=", "c.example+0a+B/="),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
