//! `cargo xtask graph`: the import table of ARCHITECTURE.md against the real dependency graph.

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;
use serde_json::Value;
use std::path::Path;

const MAP: &str = "ARCHITECTURE.md";
const HEAD: &str = "| crate | folder | owns | may import |";

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    folder: String,
    imports: Vec<String>,
}

/// A crate as cargo sees it.
struct Package {
    folder: String,
    /// Folder of each dependency inside the repository, and its kind (normal, dev, build).
    imports: Vec<(String, String)>,
}

/// Compares table and graph, in both directions.
pub(crate) fn graph(workspace: &Workspace) -> Outcome {
    let rows = rows(&workspace.read(MAP)?)?;
    let packages = packages(&workspace.metadata(&["--no-deps"])?, workspace.root())?;
    Failure::unless_empty(&compare(&rows, &packages), "breaches of the import table")?;
    let imports: usize = packages.iter().map(|package| package.imports.len()).sum();
    Ok(format!(
        "{} crates, {imports} imports, all as {MAP} says",
        packages.len()
    ))
}

fn rows(markdown: &str) -> Result<Vec<Row>, Failure> {
    let table = markdown
        .lines()
        .skip_while(|line| line.trim() != HEAD)
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut rows = Vec::new();
    for line in table {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, folder, _, imports] = cells.as_slice() else {
            return Err(Failure::new(format!(
                "{MAP}: this row needs four cells: {line}"
            )));
        };
        rows.push(Row {
            name: (*name).to_owned(),
            folder: (*folder).to_owned(),
            imports: imports
                .split(',')
                .map(|import| import.trim().to_owned())
                .filter(|import| import != "-" && !import.is_empty())
                .collect(),
        });
    }
    if rows.is_empty() {
        return Err(Failure::new(format!(
            "{MAP}: the table `{HEAD}` is missing or empty"
        )));
    }
    Ok(rows)
}

fn packages(metadata: &Value, root: &Path) -> Result<Vec<Package>, Failure> {
    let malformed = || Failure::new("cargo metadata has an unknown shape");
    let relative = |path: &str| {
        let path = Path::new(path).strip_prefix(root).ok()?;
        path.to_str().map(str::to_owned)
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned();
    let mut found = Vec::new();
    for package in list(metadata, "packages").ok_or_else(malformed)? {
        let manifest = text(&package, "manifest_path").ok_or_else(malformed)?;
        let folder = manifest.strip_suffix("/Cargo.toml").and_then(relative);
        let dependencies = list(&package, "dependencies").ok_or_else(malformed)?;
        let imports = dependencies.iter().filter_map(|dependency| {
            let path = text(dependency, "path")?;
            let kind = text(dependency, "kind").unwrap_or_else(|| "normal".into());
            Some((relative(&path).unwrap_or(path), kind))
        });
        found.push(Package {
            folder: folder.ok_or_else(malformed)?,
            imports: imports.collect(),
        });
    }
    Ok(found)
}

fn compare(rows: &[Row], packages: &[Package]) -> Vec<String> {
    let row_at = |folder: &str| rows.iter().find(|row| row.folder == folder);
    let mut breaches = Vec::new();
    for package in packages {
        let Some(row) = row_at(&package.folder) else {
            breaches.push(format!(
                "{}: this crate has no row in the table",
                package.folder
            ));
            continue;
        };
        for (folder, kind) in &package.imports {
            let import = row_at(folder).map_or(folder.as_str(), |row| row.name.as_str());
            if import != row.name && !row.imports.iter().any(|allowed| allowed == import) {
                breaches.push(format!(
                    "{} may not import {import} ({kind} dependency)",
                    row.name
                ));
            }
        }
    }
    for row in rows {
        if !packages.iter().any(|package| package.folder == row.folder) {
            breaches.push(format!(
                "{}: the table has a row, but {} no crate",
                row.name, row.folder
            ));
        }
        for import in &row.imports {
            if !rows.iter().any(|row| row.name == *import) {
                breaches.push(format!(
                    "{} may import {import}, which is no row's crate",
                    row.name
                ));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::{Package, compare, packages, rows};
    use std::path::Path;

    const TABLE: &str = "text\n\n| crate | folder | owns | may import |\n| --- | --- | --- | --- |\n\
        | low | core/low | words | - |\n| mid | core/mid | rules | low |\n\
        | top | apps/top | program | low, mid |\n\nmore | text\n";

    fn package(folder: &str, imports: &[(&str, &str)]) -> Package {
        Package {
            folder: folder.into(),
            imports: imports
                .iter()
                .map(|(f, k)| ((*f).into(), (*k).into()))
                .collect(),
        }
    }

    fn check(found: &[Package], expected: &[&str]) {
        assert_eq!(compare(&rows(TABLE).unwrap(), found), expected);
    }

    #[test]
    fn the_graph_of_the_table_passes() {
        check(
            &[
                package("core/low", &[]),
                package("core/mid", &[("core/low", "normal")]),
                package("apps/top", &[("core/low", "dev"), ("core/mid", "normal")]),
            ],
            &[],
        );
    }

    //= R2.1
    #[test]
    fn a_forbidden_import_names_both_crates_and_the_kind() {
        check(
            &[
                package("core/low", &[("core/mid", "dev")]),
                package("core/mid", &[]),
                package("apps/top", &[("../elsewhere", "build")]),
            ],
            &[
                "low may not import mid (dev dependency)",
                "top may not import ../elsewhere (build dependency)",
            ],
        );
    }

    #[test]
    fn a_crate_without_row_and_a_row_without_crate_are_found() {
        check(
            &[
                package("core/low", &[]),
                package("core/new", &[]),
                package("apps/top", &[]),
            ],
            &[
                "core/new: this crate has no row in the table",
                "mid: the table has a row, but core/mid no crate",
            ],
        );
    }

    #[test]
    fn a_row_may_not_name_what_does_not_exist() {
        let table = TABLE.replace("| low, mid |", "| low, mide |");
        let found = [
            package("core/low", &[]),
            package("core/mid", &[]),
            package("apps/top", &[]),
        ];
        assert_eq!(
            compare(&rows(&table).unwrap(), &found),
            ["top may import mide, which is no row's crate"]
        );
    }

    #[test]
    fn a_missing_table_is_an_error() {
        assert!(rows("nothing here").is_err());
        assert!(rows(&TABLE.replace("| rules ", "")).is_err());
    }

    #[test]
    fn path_dependencies_of_every_kind_are_read_from_metadata() {
        let metadata = serde_json::json!({"packages": [{
            "manifest_path": "/r/apps/top/Cargo.toml",
            "dependencies": [
                {"name": "fieldnotary-low", "kind": null, "path": "/r/core/low"},
                {"name": "fieldnotary-mid", "kind": "dev", "path": "/r/core/mid"},
                {"name": "toml", "kind": null},
            ],
        }]});
        let found = packages(&metadata, Path::new("/r")).unwrap();
        let [top] = found.as_slice() else {
            panic!("one package")
        };
        assert_eq!(top.folder, "apps/top");
        let expected = [("core/low", "normal"), ("core/mid", "dev")];
        assert_eq!(
            top.imports,
            expected.map(|(f, k)| (f.to_owned(), k.to_owned()))
        );
    }
}
