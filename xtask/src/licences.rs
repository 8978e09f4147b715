//! `cargo xtask deny`: licences and barred crates, by the lists of deny.toml.
//!
//! cargo-deny reads the same file and runs too where it is installed; this check needs nothing.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::workspace::Workspace;
use serde_json::Value;

const LISTS: &str = "deny.toml";
const LOCKS: [&str; 3] = ["Cargo.lock", "fuzz/Cargo.lock", "league/Cargo.lock"];
/// Workspaces whose licences are looked at; the fuzz targets add libFuzzer alone.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "league/Cargo.toml"];

/// What deny.toml says.
struct Lists {
    allowed: Vec<String>,
    barred: Vec<String>,
}

/// Checks every dependency of the workspaces, and the lock of the fuzz targets.
pub(crate) fn deny(workspace: &Workspace) -> Outcome {
    let lists = lists(&workspace.read(LISTS)?)?;
    let mut findings = Vec::new();
    for lock in LOCKS {
        let text = workspace.read(lock)?;
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("name = \""));
        for name in names.map(|name| name.trim_end_matches('"')) {
            if lists.barred.iter().any(|barred| barred == name) {
                findings.push(format!("{lock}: {name} is barred by {LISTS}"));
            }
        }
    }
    let mut foreign = 0;
    for manifest in MANIFESTS {
        let metadata = workspace.metadata(&["--locked", "--manifest-path", manifest])?;
        let packages = metadata.get("packages").and_then(Value::as_array);
        let packages = packages.ok_or_else(|| Failure::new("cargo metadata names no packages"))?;
        for package in packages {
            if package.get("source").is_some_and(Value::is_string) {
                foreign += 1;
                findings.extend(refused(package, &lists.allowed));
            }
        }
    }
    Failure::unless_empty(&findings, "dependencies are refused")?;
    if run::succeeds(workspace.cargo().args(["deny", "--version"])) {
        for manifest in MANIFESTS {
            let mut cargo = workspace.cargo();
            cargo.args(["deny", "--manifest-path", manifest, "check"]);
            run::status(cargo.args(["--config", LISTS, "bans", "licenses", "sources"]))?;
        }
    }
    Ok(format!("{foreign} dependencies, all licences allowed"))
}

fn lists(text: &str) -> Result<Lists, Failure> {
    let table: toml::Table = toml::from_str(text)
        .map_err(|error| Failure::new(format!("{LISTS} does not parse: {error}")))?;
    let array = |section: &str, key: &str| {
        let value = table.get(section).and_then(|section| section.get(key));
        value
            .and_then(toml::Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let text_of = |value: &toml::Value| value.as_str().map(str::to_owned);
    let lists = Lists {
        allowed: array("licenses", "allow")
            .iter()
            .filter_map(text_of)
            .collect(),
        barred: array("bans", "deny")
            .iter()
            .filter_map(|entry| text_of(entry.get("crate").unwrap_or(entry)))
            .collect(),
    };
    if lists.allowed.is_empty() || lists.barred.is_empty() {
        return Err(Failure::new(format!(
            "{LISTS} needs [licenses] allow and [bans] deny"
        )));
    }
    Ok(lists)
}

fn refused(package: &Value, allowed: &[String]) -> Option<String> {
    let name = package.get("name").and_then(Value::as_str).unwrap_or("?");
    let Some(expression) = package.get("license").and_then(Value::as_str) else {
        return Some(format!("{name}: names no licence"));
    };
    match allows(expression, allowed) {
        Some(true) => None,
        Some(false) => Some(format!("{name}: {expression} is not allowed by {LISTS}")),
        None => Some(format!("{name}: {expression} is not an SPDX expression")),
    }
}

/// Whether an SPDX expression can be met with the allowed licences; nothing if it does not parse.
fn allows(expression: &str, allowed: &[String]) -> Option<bool> {
    // The old form of the manifest wrote "/" for OR.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let verdict = any_of(&mut words, allowed)?;
    words.next().is_none().then_some(verdict)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut verdict = all_of(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        verdict |= all_of(words, allowed)?;
    }
    Some(verdict)
}

fn all_of(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut verdict = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(words, allowed)?;
    }
    Some(verdict)
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let name = match words.next()? {
        "(" => {
            let verdict = any_of(words, allowed)?;
            return words.next_if_eq(&")").map(|_| verdict);
        }
        "OR" | "AND" | "WITH" | ")" => return None,
        name => name,
    };
    let full = match words.next_if_eq(&"WITH") {
        Some(_) => format!("{name} WITH {}", words.next()?),
        None => name.to_owned(),
    };
    Some(allowed.contains(&full))
}

#[cfg(test)]
mod tests {
    use super::{allows, lists, refused};

    fn allowed() -> Vec<String> {
        ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn expressions_are_met_only_by_allowed_licences() {
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("MIT/GPL-3.0-only", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("GPL-3.0-only OR MIT AND ISC", Some(true)),
            ("(GPL-3.0-only OR MIT) AND ISC", Some(true)),
            ("(GPL-3.0-only OR MIT) AND AGPL-3.0-only", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("Apache-2.0", Some(false)),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT ISC", None),
            ("", None),
        ] {
            assert_eq!(allows(expression, &allowed()), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_without_a_licence_is_refused() {
        let package = serde_json::json!({"name": "x", "license": null});
        assert_eq!(
            refused(&package, &allowed()),
            Some("x: names no licence".into())
        );
        let package = serde_json::json!({"name": "x", "license": "MIT"});
        assert_eq!(refused(&package, &allowed()), None);
    }

    #[test]
    fn both_lists_are_needed() {
        let both = "[licenses]\nallow = [\"MIT\"]\n[bans]\ndeny = [{ crate = \"a\" }, \"b\"]\n";
        let read = lists(both).unwrap();
        assert_eq!(
            (read.allowed, read.barred),
            (vec!["MIT".into()], vec!["a".into(), "b".into()])
        );
        assert!(lists("[licenses]\nallow = [\"MIT\"]\n").is_err());
        assert!(lists("not toml").is_err());
    }
}
