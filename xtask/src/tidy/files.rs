//! Rules about the shape of a file.

use super::Source;

/// From here on a Rust file is named in the output, without failing.
const LINES_NOTED: usize = 400;
/// A Rust file may not have more lines.
const LINES_MAX: usize = 500;

/// Files that may be longer: path, how long, and why. A ratchet: numbers only ever go down.
pub(super) const LONG_FILES: &[(&str, usize, &str)] = &[];

/// Outside ASCII, these are the characters that sources and texts may hold.
fn allowed(c: char) -> bool {
    c.is_ascii()
        || matches!(
            c,
            '\u{a7}' | '\u{b0}' | '\u{b1}' | '\u{b2}' | '\u{b5}' | '\u{b7}' | '\u{d7}'
        )
        || matches!(c, '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{22ff}' | '\u{2500}'..='\u{25ff}')
}

pub(super) fn check(source: &Source<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    if source.is(".rs") && !source.text.starts_with("//! ") {
        findings.push(source.at(1, "open with a `//!` line: what this file owns"));
    }
    if !source.text.is_empty() && (!source.text.ends_with('\n') || source.text.ends_with("\n\n")) {
        let last = source.text.lines().count();
        findings.push(source.at(last, "end with exactly one line feed"));
    }
    for (number, line) in source
        .text
        .split('\n')
        .enumerate()
        .map(|(n, line)| (n + 1, line))
    {
        if line.contains('\t') {
            findings.push(source.at(number, "a tab; use spaces"));
        }
        if line.ends_with(char::is_whitespace) {
            findings.push(source.at(number, "white space at the end of the line"));
        }
        if let Some(c) = line.chars().find(|c| !allowed(*c)) {
            let what = format!("{c:?}; write it in ASCII or as an escape");
            findings.push(source.at(number, &what));
        }
    }
    if source.is(".md") {
        let heads = prose(source.text)
            .filter(|(_, line)| line.starts_with("# "))
            .count();
        if heads != 1 {
            findings.push(source.at(1, &format!("{heads} H1 headings; a page has one")));
        }
    }
    if source.is("Cargo.toml")
        && source.text.contains("[package]")
        && !source.path.starts_with("fuzz/")
    {
        let inherits = source.text.contains("[lints]\nworkspace = true");
        if !inherits {
            findings.push(source.at(1, "inherit the lints: [lints] workspace = true"));
        }
    }
    findings
}

/// The lines of a Markdown text outside fenced blocks, numbered from 1.
pub(super) fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fence && !fenced).then_some((number + 1, line))
    })
}

/// Files that are too long, and lines to print about those that are getting there.
pub(super) fn lengths(
    sizes: &[(&str, usize)],
    exceptions: &[(&str, usize, &str)],
) -> (Vec<String>, Vec<String>) {
    let (mut long, mut growing) = (Vec::new(), Vec::new());
    for (path, lines) in sizes {
        let max = exceptions
            .iter()
            .find(|(exception, _, _)| exception == path)
            .map_or(LINES_MAX, |(_, max, _)| *max);
        if *lines > max {
            long.push(format!(
                "{path}: {lines} lines, {max} are allowed; split it by subject"
            ));
        } else if *lines > LINES_NOTED {
            growing.push(format!("{path}: {lines} lines; aim for {LINES_NOTED}"));
        }
    }
    for (path, max, _) in exceptions {
        let now = sizes
            .iter()
            .find(|(file, _)| file == path)
            .map_or(0, |(_, lines)| *lines);
        if now <= LINES_MAX || now < *max {
            long.push(format!(
                "{path}: has {now} lines now; lower or drop its exception of {max}"
            ));
        }
    }
    (long, growing)
}

#[cfg(test)]
mod tests {
    use super::{Source, check, lengths};

    fn finds(path: &str, text: &str, expected: &[&str]) {
        let found = check(&Source { path, text });
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, part) in found.iter().zip(expected) {
            assert!(finding.contains(part), "{finding} should contain {part}");
        }
    }

    #[test]
    fn a_rust_file_opens_with_what_it_owns() {
        finds("a.rs", "//! Owns a.\n", &[]);
        finds("a.rs", "// Owns a.\n", &["a.rs:1: open with a `//!`"]);
        finds("a.rs", "fn a() {}\n", &["a.rs:1"]);
    }

    #[test]
    fn white_space_is_plain() {
        finds("a.toml", "a = 1\n\tb = 2\n", &["a.toml:2: a tab"]);
        finds("a.toml", "a = 1 \n", &["a.toml:1: white space"]);
        finds("a.toml", "a = 1\r\n", &["a.toml:1: white space"]);
        finds("a.toml", "a = 1", &["exactly one line feed"]);
        finds("a.toml", "a = 1\n\n", &["exactly one line feed"]);
    }

    #[test]
    fn letters_are_ascii_and_some_signs_are_not() {
        finds("a.md", "# A\n\na \u{2014} b \u{2192} c, 5 \u{b5}s\n", &[]);
        finds("a.md", "# A\n\nM\u{fc}ller\n", &["a.md:3"]);
        finds("a.rs", "//! A \u{200b}.\n", &["a.rs:1"]);
    }

    #[test]
    fn a_page_has_one_title() {
        finds("a.md", "# A\n\n## B\n\n```\n# a comment\n```\n", &[]);
        finds("a.md", "# A\n\n# B\n", &["2 H1"]);
        finds("a.md", "text\n", &["0 H1"]);
    }

    #[test]
    fn every_crate_inherits_the_lints() {
        finds(
            "x/Cargo.toml",
            "[package]\n\n[lints]\nworkspace = true\n",
            &[],
        );
        finds("x/Cargo.toml", "[package]\n", &["inherit the lints"]);
        finds("Cargo.toml", "[workspace]\n", &[]);
        finds("fuzz/Cargo.toml", "[package]\n", &[]);
    }

    #[test]
    fn lengths_are_a_ratchet() {
        let exceptions = [("old.rs", 600, "why")];
        let found = |sizes: &[(&str, usize)]| lengths(sizes, &exceptions);
        assert_eq!(
            found(&[("a.rs", 400), ("old.rs", 600)]),
            (vec![], vec!["old.rs: 600 lines; aim for 400".into()])
        );
        assert_eq!(found(&[("a.rs", 401), ("old.rs", 600)]).1.len(), 2);
        assert_eq!(found(&[("a.rs", 501), ("old.rs", 600)]).0.len(), 1);
        assert_eq!(found(&[("old.rs", 601)]).0.len(), 1, "it grew");
        assert_eq!(
            found(&[("old.rs", 599)]).0.len(),
            1,
            "it shrank: lower the number"
        );
        assert_eq!(found(&[]).0.len(), 1, "it is gone: drop the exception");
    }
}
