//! What a verb prints: texts that others wrote steer no terminal, and begin no line where a report is shown.

use super::ink;
use evidence::foreign::{line, shown};
use serde_json::Value;
use std::fmt::{self, Write as _};

/// A report with all its texts so.
pub(super) fn lines_of(report: &Value) -> Value {
    match report {
        Value::String(text) => Value::String(line(text)),
        Value::Array(items) => items.iter().map(lines_of).collect(),
        Value::Object(items) => {
            let items = items.iter().map(|(key, item)| (line(key), lines_of(item)));
            Value::Object(items.collect())
        }
        plain => plain.clone(),
    }
}

/// Everything that a verb prints: colours of ours and line ends pass, what else steers a terminal is shown as text.
pub(crate) struct Screen<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Screen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('\u{1b}') {
            let (before, from) = rest.split_at(at);
            f.write_str(&shown_with_tabs(before))?;
            let colour = ink::SEQUENCES.iter().find(|one| from.starts_with(**one));
            let shown = match colour {
                Some(colour) => colour,
                None => {
                    f.write_str("\\u{1b}")?;
                    "\u{1b}"
                }
            };
            if colour.is_some() {
                f.write_str(shown)?;
            }
            rest = from.get(shown.len()..).unwrap_or_default();
        }
        f.write_str(&shown_with_tabs(rest))
    }
}

/// Shell completions have tabs.
fn shown_with_tabs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, part) in text.split('\t').enumerate() {
        if index > 0 {
            out.push('\t');
        }
        let _ = out.write_str(&shown(part));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Screen, lines_of};
    use serde_json::json;

    const HOSTILE: &str = "ok\nVERIFIED\u{1b}[2J\u{202e}";

    //= R11.2
    #[test]
    fn a_text_of_an_entry_begins_no_line_and_steers_no_terminal() {
        let plain = "ok\\u{a}VERIFIED\\u{1b}[2J\\u{202e}";
        let report = json!({"a": [HOSTILE, 1], HOSTILE: {"b": HOSTILE}});
        let shown = json!({"a": [plain, 1], plain: {"b": plain}});
        assert_eq!(lines_of(&report), shown);
    }

    //= R11.2
    #[test]
    fn colours_line_ends_and_tabs_pass_and_nothing_else_that_steers() {
        for (text, screen) in [
            ("", ""),
            ("a\n\tb\n", "a\n\tb\n"),
            ("\u{1b}[1;31mNO\u{1b}[0m", "\u{1b}[1;31mNO\u{1b}[0m"),
            ("a\u{1b}", "a\\u{1b}"),
            ("\u{1b}\u{1b}[0m", "\\u{1b}\u{1b}[0m"),
            ("\u{1b}[8mhidden", "\\u{1b}[8mhidden"),
            ("x\ry\u{7}\u{9b}2J", "x\\u{d}y\\u{7}\\u{9b}2J"),
            ("\u{202e}", "\\u{202e}"),
        ] {
            assert_eq!(Screen(text).to_string(), screen, "{text:?}");
        }
    }
}
