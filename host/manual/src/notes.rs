//! The notes below a help text: paragraphs that fill the width there is, and lines that stay as they are.

use clap::Command;

/// The program with the paragraphs of its notes as one line each, which help wraps at the width of the terminal; breaks
/// that stand in the text already would be a second set of them.
pub(crate) fn flowed(command: Command) -> Command {
    let notes = command
        .get_after_help()
        .map(|notes| flow(&notes.to_string()));
    let command = command.mut_subcommands(flowed);
    match notes {
        Some(notes) => command.after_help(notes),
        None => command,
    }
}

/// Joins lines without an indent, and what hangs below a numbered line; examples and tables are indented and stay.
fn flow(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut before = Line::Blank;
    for line in text.lines() {
        let kind = Line::of(line, before);
        match (kind, out.last_mut()) {
            (Line::Continues, Some(last)) => {
                last.push(' ');
                last.push_str(line.trim_start());
                // What follows may continue the same paragraph.
                continue;
            }
            _ => out.push(line.to_owned()),
        }
        before = kind;
    }
    out.join("\n")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Blank,
    /// The beginning of a paragraph.
    Words,
    /// A heading: what follows begins anew.
    Heading,
    /// `  1  what it means`.
    Numbered,
    /// Indented otherwise.
    AsItIs,
    Continues,
}

impl Line {
    fn of(line: &str, before: Self) -> Self {
        let indent = line.len() - line.trim_start().len();
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let hangs = "  1  ".len();
        match (indent, before) {
            _ if first.is_empty() => Self::Blank,
            (0, Self::Words) => Self::Continues,
            (0, _) if line.ends_with(':') => Self::Heading,
            (0, _) => Self::Words,
            (_, Self::Numbered) if indent == hangs => Self::Continues,
            (2, _) if first.bytes().all(|byte| byte.is_ascii_digit()) => Self::Numbered,
            _ => Self::AsItIs,
        }
    }
}

/// A section whose lines stay as they are.
pub(crate) fn as_it_is(words: &str) -> Vec<u8> {
    let mut page = String::from(".SH NOTES\n.nf\n");
    for line in words.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A line that begins with a dot or a quote would be a command.
        page.push_str("\\&");
        page.push_str(&line);
        page.push('\n');
    }
    page.push_str(".fi\n");
    page.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::flow;

    #[test]
    fn paragraphs_become_one_line_and_examples_stay() {
        let text = "Examples:\n  tool look \\\n      --far 3\n  tool box\n\nIt looks, and tells what\nit saw.\n\nExit \
                    codes:\n  0  seen\n  1  not seen, or\n     not far\n  2  no";
        let flowed = "Examples:\n  tool look \\\n      --far 3\n  tool box\n\nIt looks, and tells what it saw.\n\nExit \
                      codes:\n  0  seen\n  1  not seen, or not far\n  2  no";
        assert_eq!(flow(text), flowed);
    }
}
