//! Entries that an account of gaps could not read, and that no LOSS entry names: what was due in them is not
//! in the account.

use super::entries::{Absent, Seen};
use super::log::losses::{Missing, NamedLosses};
use super::words;
use evidence::UtcNs;
use serde_json::Value;
use std::path::Path;

/// Stretches that could not be read, in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Unread {
    lost: Vec<Missing>,
    named: NamedLosses,
    /// Whether no entry follows the last of them, and when the newest entry was that does not.
    newest: Option<UtcNs>,
    is_tail: bool,
}

impl Unread {
    /// Takes what comes next in the log.
    pub(super) fn see(&mut self, seen: &Seen<'_>) {
        match seen {
            Seen::Entry(entry) => {
                self.named.observe(entry, entry.payload().ok().as_ref());
                self.newest = Some(entry.stamp.timestamp);
                self.is_tail = false;
            }
            Seen::Lost(absent) if absent.retired => {}
            Seen::Lost(absent) => {
                self.lost.push(Missing(absent.clone()));
                self.is_tail = true;
            }
        }
    }

    /// Leaves out what LOSS entries name, once all of the log was seen.
    pub(super) fn leave_named(&mut self) {
        let named = &self.named;
        self.lost
            .retain(|one| named.unnamed(std::slice::from_ref(one)) > 0);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lost.is_empty()
    }

    /// The stretches for programs.
    pub(super) fn json(&self) -> Value {
        self.lost.iter().map(Missing::json).collect()
    }

    /// Says which they are, and from when on the account is silent.
    pub(super) fn print(&self, dir: &Path) {
        for one in &self.lost {
            sayln!("NOT IN THIS ACCOUNT: {}", one.words());
        }
        if self.is_empty() {
            return;
        }
        let until = self.newest.filter(|_| self.is_tail).map(words::time);
        if let Some(until) = until {
            sayln!("The account ends at {until}: what was due after that is not counted above.");
        }
        let many = self
            .lost
            .iter()
            .map(|Missing(absent)| Absent::count(absent))
            .fold(0, u64::saturating_add);
        let (what, what_told) = match many {
            1 => ("1 entry", "of which only it told"),
            _ => ("Entries", "of which only they told"),
        };
        sayln!(
            "{what} that no LOSS entry names cannot be read: slots {what_told} are not counted above; what is damaged is \
             said by: fieldnotary verify {}",
            dir.display()
        );
    }
}
