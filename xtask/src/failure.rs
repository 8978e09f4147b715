//! Why a command failed: lines for a person, each naming what, where, and what would be right.

use std::fmt;

/// What a command says when it ends well: one line.
pub(crate) type Outcome = Result<String, Failure>;

/// One or more findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// `Ok` when nothing was found; otherwise all findings and how many.
    pub(crate) fn unless_empty(findings: &[String], what: &str) -> Result<(), Self> {
        if findings.is_empty() {
            return Ok(());
        }
        Err(Self(format!(
            "{}\n{} {what}",
            findings.join("\n"),
            findings.len()
        )))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
