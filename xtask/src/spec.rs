//! `cargo xtask spec`: the files that are generated from declared tables, written or compared.

mod citations;
mod kinds;
mod requirements;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// The requirements in the project's words.
const REQUIREMENTS: &str = "spec/requirements.md";
/// The declared reason codes.
const REASONS: [&str; 3] = [
    "core/evidence/src/reasons.rs",
    "core/evidence/src/reasons/meter.rs",
    "core/evidence/src/reasons/output.rs",
];

/// Writes every generated file, or compares it with what it should be.
pub(crate) fn spec(workspace: &Workspace, check: bool) -> Outcome {
    for declared in REASONS {
        kinds::complete(&workspace.read(declared)?)?;
    }
    let listed = requirements::parse(&workspace.read(REQUIREMENTS)?)?;
    let mut cited = Vec::new();
    let mut findings = Vec::new();
    for path in workspace
        .files()?
        .iter()
        .filter(|path| path.ends_with(".rs"))
    {
        let (found, wrong) = citations::scan(path, &workspace.read(path)?);
        findings.extend(wrong);
        findings.extend(found.iter().filter_map(|citation| listed.unknown(citation)));
        cited.extend(found);
    }
    Failure::unless_empty(&findings, "citations are wrong")?;
    let table = requirements::table(&listed, &cited);
    let generated = [
        ("spec/entry.cddl", one_line_feed(&evidence::cddl())),
        ("docs/kinds.md", kinds::page()),
        ("docs/requirements.md", table.text),
    ];
    for (path, text) in &generated {
        if !check {
            workspace.write(path, text)?;
        } else if workspace.read(path)? != *text {
            return Err(Failure::new(format!(
                "{path} is out of date: run `cargo xtask spec`"
            )));
        }
    }
    let (proved, all) = (table.proved, listed.len());
    Ok(format!(
        "{} generated files; {proved} of {all} requirements have a test",
        generated.len()
    ))
}

fn one_line_feed(text: &str) -> String {
    format!("{}\n", text.trim_end())
}
