//! Who changes something, and why.

use clap::Args;

/// For the log, of what changes something.
#[derive(Args, Debug)]
pub(crate) struct Why {
    /// Why, for the log
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    /// Who it is by, for the log; otherwise the local user. The user id is added in either case
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

/// The longest reason; that of a change of keys has no more room in what the keys sign.
const REASON_BYTES_MAX: usize = trust_plane::limits::ROTATION_REASON_BYTES_MAX;

/// A reason in words, on one line; blanks are none.
pub(super) fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("say why, in words: it goes into the log".to_owned());
    }
    if let Some(found) = text.chars().find(|c| evidence::foreign::steers(*c)) {
        return Err(format!(
            "it has a sign that steers a screen ({}), such as the end of a line: it is kept as one line of plain words",
            found.escape_unicode()
        ));
    }
    match text.len() <= REASON_BYTES_MAX {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "it has {} bytes: say it in 1 to {REASON_BYTES_MAX}",
            text.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{REASON_BYTES_MAX, reason};

    //= R11.2
    #[test]
    fn a_reason_is_one_line_of_plain_words() {
        for good in ["commissioning", "Z\u{e4}hler 7 getauscht, Ticket 4711"] {
            assert_eq!(reason(good).as_deref(), Ok(good));
        }
        assert!(reason(&"x".repeat(REASON_BYTES_MAX)).is_ok());
        for (bad, why) in [
            ("", "say why"),
            (" \u{a0}", "say why"),
            ("ok\nVERIFIED", "\\u{a}"),
            ("ok\u{1b}[2J", "\\u{1b}"),
            ("a\u{202e}b", "\\u{202e}"),
            (&"x".repeat(REASON_BYTES_MAX + 1), "513 bytes"),
        ] {
            let said = reason(bad).unwrap_err();
            assert!(said.contains(why), "{bad:?}: {said}");
        }
    }
}
