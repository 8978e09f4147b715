//! Reasons that people give, as they are taken: one line of plain words.

use crate::foreign::steers;
use crate::limits::REASON_BYTES_MAX;
use core::fmt;

/// Why a reason is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonFault {
    /// It has nothing but white space.
    Nothing,
    /// It has a sign that steers a screen.
    Steers(char),
    /// It has so many bytes.
    TooLong(usize),
}

impl fmt::Display for ReasonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("say why, in words: it goes into the log"),
            Self::Steers(sign) => write!(
                f,
                "it has a sign that steers a screen ({}), such as the end of a line: it is kept as one line of plain words",
                sign.escape_unicode()
            ),
            Self::TooLong(bytes) => {
                write!(f, "it has {bytes} bytes: say it in 1 to {REASON_BYTES_MAX}")
            }
        }
    }
}

impl core::error::Error for ReasonFault {}

/// Whether a text is a reason: it goes into logs and books, onto screens, and under what keys sign.
///
/// # Errors
/// Why it is none.
pub fn reason(text: &str) -> Result<(), ReasonFault> {
    if text.trim().is_empty() {
        return Err(ReasonFault::Nothing);
    }
    match text.chars().find(|c| steers(*c)) {
        Some(sign) => Err(ReasonFault::Steers(sign)),
        None if text.len() > REASON_BYTES_MAX => Err(ReasonFault::TooLong(text.len())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::reason;
    use crate::limits::REASON_BYTES_MAX;
    use alloc::string::ToString;

    //= R11.2
    #[test]
    fn a_reason_is_one_line_of_plain_words() {
        for good in ["commissioning", "Z\u{e4}hler 7 getauscht, Ticket 4711"] {
            assert_eq!(reason(good), Ok(()));
        }
        assert_eq!(reason(&"x".repeat(REASON_BYTES_MAX)), Ok(()));
        for (bad, why) in [
            ("", "say why"),
            (" \u{a0}", "say why"),
            ("ok\nVERIFIED", "\\u{a}"),
            ("ok\u{1b}[2J", "\\u{1b}"),
            ("a\u{202e}b", "\\u{202e}"),
            (&"x".repeat(REASON_BYTES_MAX + 1), "513 bytes"),
        ] {
            let said = reason(bad).unwrap_err().to_string();
            assert!(said.contains(why), "{bad:?}: {said}");
        }
    }
}
