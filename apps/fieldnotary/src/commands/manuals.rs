//! `fieldnotary completions` and `fieldnotary man`.

use super::Ended;
use crate::cli::Cli;
use crate::programs;
use clap::CommandFactory;
use std::io::Write;
use std::process::Command;

/// The other programs, which know their own command lines.
const OTHERS: [&str; 3] = [
    "fieldnotary-signer",
    "fieldnotary-collector",
    "fieldnotary-street",
];

/// Prints the completion script for a shell.
pub(crate) fn completions(args: &manual::Completions) -> Result<Ended, String> {
    let script = manual::completions(Cli::command(), args.shell);
    // A reader that went away is no error of ours.
    let _ = std::io::stdout().write_all(&script);
    Ok(Ended::Well)
}

/// Writes the manual pages of this program, and has the others write theirs.
pub(crate) fn man(args: &manual::Man) -> Result<Ended, String> {
    let written = manual::pages(Cli::command(), &args.to).map_err(|error| error.to_string())?;
    for page in written {
        sayln!("{}", page.display());
    }
    for other in OTHERS {
        let Ok(program) = programs::sibling(other) else {
            complain!("fieldnotary: {other} is not beside this program, so it gets no page");
            continue;
        };
        let mut command = Command::new(program);
        match other {
            "fieldnotary-street" => command.arg("--man"),
            _ => command.args(["man", "--to"]),
        };
        let done = command
            .arg(&args.to)
            .output()
            .map_err(|error| format!("cannot start {other}: {error}"))?;
        say!("{}", String::from_utf8_lossy(&done.stdout));
        if !done.status.success() {
            let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            return Err(format!("{other}: {words}"));
        }
    }
    Ok(Ended::Well)
}
