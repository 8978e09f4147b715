//! What the keys of this log state of those that follow them, brought to the collector before a head of theirs.

use super::feed;
use crate::roles::link::RecorderLink;
use evidence::MonoNs;
use std::collections::VecDeque;

/// A log that was refused is read for statements at most so often: the whole ring is.
const READ_AGAIN_NS: u64 = 600 * 1_000_000_000;

/// Statements that the collector was not asked to take yet, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Statements {
    waiting: VecDeque<String>,
    read: Option<MonoNs>,
}

impl Statements {
    /// Statements that the log tells of.
    pub(super) fn heard(&mut self, statements: Vec<String>) {
        self.waiting.extend(statements);
    }

    /// The next one to bring.
    pub(super) fn next(&self) -> Option<&str> {
        self.waiting.front().map(String::as_str)
    }

    /// It was answered: taken or refused, it stands in the way of no other.
    pub(super) fn answered(&mut self) {
        self.waiting.pop_front();
    }

    /// A head was refused for its keys. The collector may be one that lost what it was brought, or was brought nothing yet
    /// because it knew no key of a statement then: all that the log has are brought again. False when told to stop.
    pub(super) fn refused(&mut self, link: &mut RecorderLink, now: MonoNs) -> bool {
        if self
            .read
            .is_some_and(|read| now.since(read) < READ_AGAIN_NS)
        {
            return true;
        }
        self.read = Some(now);
        let Some(all) = feed::statements(link) else {
            return false;
        };
        self.waiting = all.into();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Statements;

    #[test]
    fn a_statement_that_was_refused_stands_in_the_way_of_none() {
        let mut statements = Statements::default();
        statements.heard(vec!["first".to_owned(), "second".to_owned()]);
        assert_eq!(statements.next(), Some("first"));
        statements.answered();
        assert_eq!(statements.next(), Some("second"));
        statements.answered();
        assert_eq!(statements.next(), None);
    }
}
