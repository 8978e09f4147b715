//! Help, completions and manual pages of a program, from its own command line.

mod hints;
mod notes;

pub use hints::parse;
use notes::as_it_is;

use clap::{Args, Command};
pub use clap_complete::Shell;
use std::io;
use std::path::{Path, PathBuf};

/// Section of the manual: programs that users run.
const SECTION: &str = "1";

/// Arguments of a `completions` verb.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Arguments of a `man` verb.
#[derive(Args, Debug)]
pub struct Man {
    /// Directory for the pages; made if it does not exist. Pages that lie there are replaced
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// What to do with the output of `completions`.
pub const COMPLETIONS_HELP: &str = "\
Where it goes:
  bash   eval \"$(PROGRAM completions bash)\", or into
         /usr/share/bash-completion/completions/PROGRAM
  zsh    into a file _PROGRAM in a directory of $fpath
  fish   into ~/.config/fish/completions/PROGRAM.fish

Example:
  eval \"$(fieldnotary completions bash)\"

Exit codes:
  0  the script was printed
  2  the command line was not understood";

/// What to do with the pages of `man`.
pub const MAN_HELP: &str = "\
Example:
  fieldnotary man --to ~/.local/share/man/man1
  man fieldnotary-log

Exit codes:
  0  the pages were written; their names are printed
  2  the command line was not understood
  3  they could not be written";

/// The completion script for a shell.
#[must_use]
pub fn completions(command: Command, shell: Shell) -> Vec<u8> {
    let name = command.get_name().to_owned();
    let mut command = command;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// Writes a page for the program and one for each of its verbs; their paths.
///
/// # Errors
/// What the file system says, with the path.
pub fn pages(command: Command, to: &Path) -> io::Result<Vec<PathBuf>> {
    let at = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    std::fs::create_dir_all(to).map_err(|error| at(to, error))?;
    let mut written = Vec::new();
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let program = command.get_name().to_owned();
    let version = command.get_version().unwrap_or_default().to_owned();
    let named = verbs(&command, &program, &program, &version);
    for one in std::iter::once(command.clone()).chain(named) {
        let path = to.join(format!("{}.{SECTION}", one.get_name()));
        // Examples and tables stand as they are; filled lines would tear them.
        let notes = one.get_after_help().map(ToString::to_string);
        let mut page = Vec::new();
        let one = one.after_help(None::<&str>);
        clap_mangen::Man::new(one)
            .section(SECTION)
            .render(&mut page)?;
        page.extend(notes.map(|notes| as_it_is(&notes)).unwrap_or_default());
        std::fs::write(&path, page).map_err(|error| at(&path, error))?;
        written.push(path);
    }
    Ok(written)
}

/// The visible verbs of a program, each followed by its own: `man fieldnotary-log`, and above it how it
/// is typed, `fieldnotary log`. Their version is the program's.
fn verbs(command: &Command, page: &str, typed: &str, version: &str) -> Vec<Command> {
    let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let pages = visible.flat_map(|verb| {
        let page = format!("{page}-{}", verb.get_name());
        let typed = format!("{typed} {}", verb.get_name());
        let inner = verbs(verb, &page, &typed, version);
        let version = version.to_owned();
        let named = verb.clone().name(page).bin_name(typed).version(version);
        std::iter::once(named).chain(inner)
    });
    pages.collect()
}

#[cfg(test)]
mod tests {
    use super::{Shell, completions, pages};
    use clap::{Arg, Command};

    fn program() -> Command {
        Command::new("tool")
            .version("4.5.6")
            .about("A tool")
            .after_help("Example:\n  tool look \\\n      --far 3")
            .subcommand(
                Command::new("look")
                    .about("Looks")
                    .arg(Arg::new("far").long("far").help("How far")),
            )
            .subcommand(Command::new("box").subcommand(Command::new("open").about("Opens")))
            .subcommand(Command::new("inner").hide(true))
    }

    #[test]
    fn a_program_has_a_page_and_each_of_its_verbs_but_the_hidden() {
        let dir = std::env::temp_dir().join(format!("fieldnotary-manual-{}", std::process::id()));
        let written = pages(program(), &dir).expect("a directory to write in");
        let names: Vec<_> = written.iter().filter_map(|page| page.file_name()).collect();
        assert_eq!(
            names,
            ["tool.1", "tool-look.1", "tool-box.1", "tool-box-open.1"]
        );
        let page = std::fs::read_to_string(dir.join("tool-look.1")).expect("written just now");
        assert!(
            page.contains("tool look") && page.contains("How far"),
            "{page}"
        );
        assert!(page.contains(".SH VERSION\nv4.5.6\n"), "{page}");
        let page = std::fs::read_to_string(dir.join("tool.1")).expect("written just now");
        let notes = "\\&Example:\n\\&  tool look \\e\n\\&      \\-\\-far 3\n";
        assert!(page.contains(notes), "{page}");
        let _ = std::fs::remove_dir_all(&dir);
    }

    #[test]
    fn every_shell_gets_a_script_that_knows_the_verbs() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(completions(program(), shell)).expect("text");
            assert!(
                script.contains("look") && script.contains("far"),
                "{shell}: {script}"
            );
        }
    }
}
