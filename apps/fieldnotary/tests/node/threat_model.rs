//! `docs/threat-model.md`: what it claims that nobody can do, and what would be found, is shown by tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../../../docs/threat-model.md");
/// Folders of the workspace in which tests lie.
const FOLDERS: [&str; 8] = [
    "apps",
    "core",
    "host",
    "planes",
    "protocols",
    "readers",
    "sim",
    "trial",
];
/// Words in code marks that are no tests are shorter.
const NAME_CHARS_MIN: usize = 20;

/// Names of functions that follow `#[test]` in every source below a folder.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let behind = text.split("#[test]").skip(1);
            let name = |part: &str| {
                let (_, after) = part.split_once("fn ")?;
                after.split('(').next().map(str::to_owned)
            };
            found.extend(behind.filter_map(name));
        }
    }
}

fn named(line: &str) -> Vec<&str> {
    let code = line.split('`').skip(1).step_by(2);
    let name = |word: &&str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.len() >= NAME_CHARS_MIN && word.chars().all(plain)
    };
    code.filter(name).collect()
}

//= U9.2
#[test]
fn every_claim_of_the_threat_model_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut known = BTreeSet::new();
    for folder in FOLDERS {
        tests(&root.join(folder), &mut known);
    }
    let mut claims = 0;
    for claim in PAGE.split("\n- ").skip(1) {
        if !(claim.starts_with("**Cannot**") || claim.starts_with("**Found:**")) {
            continue;
        }
        claims += 1;
        let claim = claim.split("\n#").next().unwrap_or_default();
        assert!(!named(claim).is_empty(), "no test shows that: {claim}");
    }
    assert!(claims > 20, "{claims}");
    for row in PAGE.lines().filter(|line| {
        ["| CR ", "| EDR ", "| R"]
            .iter()
            .any(|item| line.starts_with(item))
    }) {
        assert!(!named(row).is_empty(), "no test shows that: {row}");
    }
    let unknown: Vec<&str> = named(PAGE)
        .into_iter()
        .filter(|name| !known.contains(*name))
        .collect();
    assert!(unknown.is_empty(), "no such tests: {unknown:?}");
}
