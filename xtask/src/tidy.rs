//! `cargo xtask tidy`: rules about files, words and links that no compiler checks.

mod files;
mod links;
mod words;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// Endings of the files that are read.
const TEXT: [&str; 10] = [
    ".rs", ".md", ".toml", ".sh", ".py", ".txt", ".cddl", ".json", "ci/run", ".service",
];

/// What tests compare byte for byte is theirs to shape.
const LEFT_ALONE: &str = "/goldens/";

/// A file under check.
struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn is(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// A finding at a line (from 1).
    fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

fn is_checked(path: &str) -> bool {
    TEXT.iter().any(|ending| path.ends_with(ending)) && !path.contains(LEFT_ALONE)
}

/// Checks every text file that is or would be committed.
pub(crate) fn tidy(workspace: &Workspace) -> Outcome {
    let mut findings = Vec::new();
    let mut checked: usize = 0;
    let mut sizes = Vec::new();
    let paths = workspace.files()?;
    for path in paths.iter().filter(|path| is_checked(path)) {
        let text = workspace.read(path)?;
        let source = Source { path, text: &text };
        checked += 1;
        findings.extend(files::check(&source));
        findings.extend(words::check(&source));
        findings.extend(links::check(&source, &|target| {
            workspace.path(target).exists()
        }));
        if source.is(".rs") {
            sizes.push((path.as_str(), text.lines().count()));
        }
    }
    let (long, growing) = files::lengths(&sizes, files::LONG_FILES);
    findings.extend(long);
    for line in growing {
        println!("{line}");
    }
    Failure::unless_empty(&findings, "findings")?;
    Ok(format!("{checked} files in order"))
}
