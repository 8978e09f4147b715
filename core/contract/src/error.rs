//! What is wrong with a file: where, what, and what would be right; rendered with the line itself.

use crate::limits::{ERRORS_MAX, EXCERPT_CHARS_MAX};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// One thing that is wrong with a contract file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key at fault, such as `meter.m07.unit`; empty where the notation itself is at fault.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What would be right; may be empty.
    pub advice: String,
    /// The line, cut around the place.
    excerpt: String,
    /// Characters of the excerpt before the caret.
    indent: usize,
    /// Characters that the caret marks.
    marked: usize,
}

impl ContractError {
    fn render(&self, file: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = (self.line, self.column);
        write!(f, "{file}:{line}:{column}: ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        writeln!(f, "{}", self.what)?;
        let gutter = format!("{line}").len();
        writeln!(f, "{:gutter$} |", "")?;
        let bar = format!("{line} | {}", self.excerpt);
        writeln!(f, "{}", bar.trim_end())?;
        let (indent, marked) = (self.indent, self.marked);
        writeln!(f, "{:gutter$} | {:indent$}{:^<marked$}", "", "", "")?;
        if !self.advice.is_empty() {
            writeln!(f, "{:gutter$} = {}", "", self.advice)?;
        }
        Ok(())
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.render("contract", f)
    }
}

impl core::error::Error for ContractError {}

/// All that is wrong with a file, rendered for a person.
#[derive(Clone, Copy, Debug)]
pub struct ContractErrors<'e> {
    file: &'e str,
    errors: &'e [ContractError],
    brief: bool,
}

/// Errors that fit on one screen with their lines.
const WITH_LINES_MAX: usize = 4;

impl<'e> ContractErrors<'e> {
    /// The errors of the file of this name.
    #[must_use]
    pub fn new(file: &'e str, errors: &'e [ContractError]) -> Self {
        Self {
            file,
            errors,
            brief: false,
        }
    }

    /// On one screen: many errors are shown without the lines that they are in.
    #[must_use]
    pub fn on_one_screen(self) -> Self {
        let brief = self.errors.len() > WITH_LINES_MAX;
        Self { brief, ..self }
    }
}

impl fmt::Display for ContractErrors<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in self.errors.iter().filter(|_| self.brief) {
            let (line, column) = (error.line, error.column);
            let (key, what, advice) = (&error.key, &error.what, &error.advice);
            writeln!(
                f,
                "{}:{line}:{column}: {key}: {what}\n    {advice}",
                self.file
            )?;
        }
        for error in self.errors.iter().filter(|_| !self.brief) {
            error.render(self.file, f)?;
            writeln!(f)?;
        }
        match self.errors.len() {
            1 => write!(f, "{}: 1 error", self.file),
            count => write!(f, "{}: {count} errors", self.file),
        }
    }
}

/// What is wrong with a value, before it has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) what: String,
    pub(crate) advice: String,
}

/// A fault and what would be right.
pub(crate) fn wrong(what: impl Into<String>, advice: impl Into<String>) -> Wrong {
    Wrong {
        what: what.into(),
        advice: advice.into(),
    }
}

/// Collects errors and gives each its place.
#[derive(Debug)]
pub(crate) struct Report<'t> {
    text: &'t str,
    /// Offset of the start of every line.
    starts: Vec<usize>,
    errors: Vec<ContractError>,
    dropped: usize,
    /// The notation is broken somewhere: what seems to be missing may only be unreadable.
    pub(crate) partial: bool,
}

impl<'t> Report<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            text,
            starts: core::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect(),
            errors: Vec::new(),
            dropped: 0,
            partial: false,
        }
    }

    /// Number of the line that holds this offset, from 0, and the line's own range.
    pub(crate) fn line_at(&self, offset: usize) -> (usize, Range<usize>) {
        let line = self
            .starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let end = self
            .starts
            .get(line + 1)
            .map_or(self.text.len(), |next| next - 1);
        (line, start..end)
    }

    /// Adds an error at `span`.
    pub(crate) fn error(&mut self, span: &Range<usize>, key: &str, wrong: Wrong) {
        if self.errors.len() >= ERRORS_MAX {
            self.dropped += 1;
            return;
        }
        let at = span.start.min(self.text.len());
        let (line, range) = self.line_at(at);
        let text = self.text.get(range.clone()).unwrap_or("");
        let text = text.strip_suffix('\r').unwrap_or(text);
        let chars = |part: Option<&str>| part.map_or(0, |part| part.chars().count());
        let before = chars(self.text.get(range.start..at));
        let stop = span.end.min(range.start + text.len()).max(at);
        let marked = chars(self.text.get(at..stop)).max(1);
        // A long line is cut so that its place stays in sight.
        let skip = before.saturating_sub(EXCERPT_CHARS_MAX / 2);
        let excerpt: String = text
            .chars()
            .skip(skip)
            .take(EXCERPT_CHARS_MAX)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let indent = before - skip;
        let room = EXCERPT_CHARS_MAX.saturating_sub(indent).max(1);
        self.errors.push(ContractError {
            line: line + 1,
            column: before + 1,
            key: key.into(),
            what: wrong.what,
            advice: wrong.advice,
            excerpt: String::from(excerpt.trim_end()),
            indent,
            marked: marked.min(room),
        });
    }

    /// Whether nothing was wrong so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The errors in the order of the file.
    pub(crate) fn into_errors(mut self) -> Vec<ContractError> {
        self.errors.sort_by_key(|error| (error.line, error.column));
        if self.dropped > 0
            && let Some(last) = self.errors.last_mut()
        {
            last.what = format!("{} (and {} errors more)", last.what, self.dropped);
        }
        self.errors
    }
}
