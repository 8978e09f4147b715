//! Finds every mistake in the notation, not only the first: reports one, blanks its lines, reads on.

use crate::error::{Report, wrong};
use crate::limits::SYNTAX_ERRORS_MAX;
use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;
use toml::de::DeTable;

/// Reads the tables of `text` and hands them to `walk`; `None` if there are too many mistakes for that.
pub(crate) fn with_tables<T>(
    text: &str,
    report: &mut Report<'_>,
    walk: impl FnOnce(&DeTable<'_>, &mut Report<'_>) -> T,
) -> Option<T> {
    let mut readable = Cow::Borrowed(text);
    for _ in 0..SYNTAX_ERRORS_MAX {
        let (root, errors) = DeTable::parse_recoverable(&readable);
        // One mistake often entails others: only the first is certain.
        let first = errors
            .iter()
            .map(|error| (error.span().unwrap_or(0..0), error.message()))
            .min_by_key(|(span, _)| span.start);
        let Some((span, message)) = first else {
            return Some(walk(root.get_ref(), report));
        };
        report.partial = true;
        if message.starts_with("missing comma")
            && let Some(open) = open_list(&readable, report, span.start)
        {
            report.error(
                &open,
                "",
                wrong("this list is not closed", "write `]` after its last value"),
            );
            let (_, last) = report.line_at(span.start);
            readable = Cow::Owned(blanked(&readable, &(open.start..last.start)));
            continue;
        }
        let advice = match message {
            "duplicate key" => "each key stands once in its table, and each table once in the file",
            _ => "",
        };
        report.error(&span, "", wrong(message, advice));
        let cut = unreadable(&readable, report, span.start);
        readable = Cow::Owned(blanked(&readable, &cut));
    }
    None
}

/// Where a list was opened and never closed, if that is why a table's header seems to stand in a list.
fn open_list(text: &str, report: &Report<'_>, at: usize) -> Option<Range<usize>> {
    let (_, mut range) = report.line_at(at);
    if !text.get(range.clone())?.trim_start().starts_with('[') {
        return None;
    }
    while range.start > 0 {
        (_, range) = report.line_at(range.start - 1);
        let line = text.get(range.clone())?;
        let Some((_, value)) = line.split_once('=') else {
            continue;
        };
        let open = value.matches('[').count() > value.matches(']').count();
        if !open {
            return None;
        }
        let indent = line.len() - line.trim_start().len();
        return Some(range.start + indent..range.start + line.trim_end().len());
    }
    None
}

/// What to leave out around a mistake: its line, and for a table's header all of the table.
fn unreadable(text: &str, report: &Report<'_>, at: usize) -> Range<usize> {
    let (_, mut range) = report.line_at(at);
    let blank = |range: &Range<usize>| {
        text.get(range.clone())
            .is_none_or(|line| line.trim().is_empty())
    };
    // A mistake may show only after the line that it is in.
    while blank(&range) && range.start > 0 {
        (_, range) = report.line_at(range.start - 1);
    }
    let header = |range: &Range<usize>| {
        let line = text.get(range.clone());
        line.is_some_and(|line| line.trim_start().starts_with('['))
    };
    if header(&range) {
        while range.end < text.len() {
            let (_, next) = report.line_at(range.end + 1);
            if header(&next) || next.end <= range.end {
                break;
            }
            range.end = next.end;
        }
    }
    range
}

/// The text with the range as spaces, so that every other place stays where it is.
fn blanked(text: &str, cut: &Range<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if cut.contains(&at) && c != '\n' {
            out.extend(core::iter::repeat_n(' ', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}
