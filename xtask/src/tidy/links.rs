//! Relative links of Markdown files lead to something.

use super::Source;
use super::files::prose;
use std::path::{Component, Path};

pub(super) fn check(source: &Source<'_>, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    if !source.is(".md") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in prose(source.text) {
        for target in targets(&without_code(line)) {
            let missing = match resolve(source.path, &target) {
                Some(path) => !path.is_empty() && !exists(&path),
                None => true,
            };
            if missing {
                findings.push(source.at(number, &format!("the link to {target} leads nowhere")));
            }
        }
    }
    findings
}

/// The line with its inline code blanked.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let outside = |(place, part): (usize, &&str)| {
        if place % 2 == 0 {
            (*part).to_owned()
        } else {
            String::new()
        }
    };
    parts
        .iter()
        .enumerate()
        .map(outside)
        .collect::<Vec<_>>()
        .join("`")
}

/// Targets of `[text](target)` that are neither addresses nor anchors of the same page.
fn targets(line: &str) -> Vec<String> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .map(|target| target.split('#').next().unwrap_or_default().to_owned())
        .filter(|target| !target.is_empty())
        .collect()
}

/// The target as a path from the root; nothing if it leaves the repository.
fn resolve(page: &str, target: &str) -> Option<String> {
    let folder = Path::new(page).parent()?;
    let mut parts: Vec<String> = Vec::new();
    for component in folder.join(target).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{Source, check};

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Source { path, text }, &|target| {
            ["a.md", "docs/b.md", "docs"].contains(&target)
        })
    }

    #[test]
    fn links_that_resolve_pass() {
        let text =
            "# T\n[a](../a.md) [b](b.md#part) [d](../docs) [x](https://x.example/y) [h](#t)\n";
        assert_eq!(found("docs/c.md", text), [""; 0]);
    }

    #[test]
    fn links_that_lead_nowhere_are_named_with_their_line() {
        assert_eq!(
            found("docs/c.md", "# T\n\n[a](a.md)\n"),
            ["docs/c.md:3: the link to a.md leads nowhere"]
        );
        assert_eq!(found("a.md", "[out](../other/x.md)\n").len(), 1);
        assert_eq!(found("a.md", "[abs](/a.md)\n").len(), 1);
    }

    #[test]
    fn code_is_not_a_link() {
        assert_eq!(
            found("a.md", "`[a](none.md)`\n```\n[a](none.md)\n```\n"),
            [""; 0]
        );
    }

    #[test]
    fn other_files_are_not_read_for_links() {
        assert_eq!(found("a.rs", "//! [a](none.md)\n"), [""; 0]);
    }
}
