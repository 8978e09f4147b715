//! The table of bugs.

use serde::Deserialize;

/// A bug: text of one file that is replaced by other text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bug {
    pub(crate) name: String,
    /// Where, from the root of the repository.
    pub(crate) file: String,
    /// Text that stands there exactly once.
    pub(crate) find: String,
    pub(crate) replace: String,
    /// What it breaks, for whoever reads that it was missed.
    pub(crate) breaks: String,
}

#[derive(Deserialize)]
struct Table {
    bug: Vec<Bug>,
}

/// All bugs.
pub(crate) fn bugs() -> Result<Vec<Bug>, String> {
    let table: Table = toml::from_str(include_str!("../bugs.toml"))
        .map_err(|error| format!("bugs.toml: {error}"))?;
    Ok(table.bug)
}

impl Bug {
    /// The text of its file with the bug in it.
    pub(crate) fn planted(&self, text: &str) -> Result<String, String> {
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.replace, 1)),
            count => Err(format!(
                "{}: its text stands {count} times in {}; it must stand there once",
                self.name, self.file
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bugs;
    use crate::tree::root;
    use std::collections::BTreeSet;
    use std::fs;

    /// Bugs that the table holds at least.
    const BUGS_MIN: usize = 30;

    #[test]
    fn every_bug_fits_the_sources_and_has_a_name_of_its_own() {
        let bugs = bugs().unwrap();
        assert!(bugs.len() >= BUGS_MIN, "{}", bugs.len());
        let mut names = BTreeSet::new();
        for bug in bugs {
            let text = fs::read_to_string(root().join(&bug.file)).unwrap();
            let planted = bug.planted(&text).unwrap();
            assert_ne!(planted, text, "{}", bug.name);
            assert!(!bug.breaks.is_empty());
            assert!(names.insert(bug.name.clone()), "{} twice", bug.name);
        }
    }
}
