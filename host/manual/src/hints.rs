//! Reads a command line, and says what would be right where words are not understood.

use crate::notes::flowed;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, Parser};
use evidence::foreign::line;

/// The command line of this process; ends it where that is not understood. `synonyms`: options that people expect, and
/// those that are meant.
#[must_use]
pub fn parse<C: Parser>(synonyms: &[(&str, &str)]) -> C {
    let command = flowed(C::command());
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let read = command.clone().try_get_matches();
    let read = read.and_then(|matches| C::from_arg_matches(&matches));
    read.unwrap_or_else(|error| hinted(error, &command, &words, synonyms).exit())
}

fn hinted(
    mut error: Error,
    command: &Command,
    words: &[String],
    synonyms: &[(&str, &str)],
) -> Error {
    if let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidValue) {
        let shown = ContextValue::String(line(given));
        error.insert(ContextKind::InvalidValue, shown);
    }
    let verb = verb(command, words);
    match error.kind() {
        ErrorKind::UnknownArgument if error.get(ContextKind::SuggestedArg).is_none() => {
            let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else {
                return error;
            };
            let meant = synonyms.iter().find(|(word, meant)| {
                let mut known = verb.get_arguments().filter_map(clap::Arg::get_long);
                word == given && known.any(|name| meant.strip_prefix("--") == Some(name))
            });
            if let Some((_, meant)) = meant {
                let meant = ContextValue::String((*meant).to_owned());
                error.insert(ContextKind::SuggestedArg, meant);
            }
        }
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            let visible = verb.get_subcommands().filter(|one| !one.is_hide_set());
            let names: Vec<&str> = visible.map(Command::get_name).collect();
            let due = StyledStr::from(format!("write one of these first: {}", names.join(", ")));
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![due]));
        }
        _ => {}
    }
    error
}

/// The verb that the words name, as far as they name any.
fn verb<'c>(command: &'c Command, words: &[String]) -> &'c Command {
    let mut verb = command;
    for word in words {
        match verb.find_subcommand(word) {
            Some(inner) => verb = inner,
            None => break,
        }
    }
    verb
}

#[cfg(test)]
mod tests {
    use super::hinted;
    use clap::{Arg, Command};

    fn said(words: &[&str]) -> String {
        let command = Command::new("tool")
            .subcommand(Command::new("log").arg(Arg::new("from").long("from")))
            .subcommand(
                Command::new("decode")
                    .subcommand(Command::new("mbus"))
                    .subcommand(Command::new("modbus")),
            );
        let given: Vec<String> = words.iter().map(ToString::to_string).collect();
        let all = std::iter::once("tool".to_owned()).chain(given.clone());
        let error = command.clone().try_get_matches_from(all).unwrap_err();
        hinted(error, &command, &given, &[("--since", "--from")]).to_string()
    }

    //= R11.2
    #[test]
    fn what_is_repeated_of_a_command_line_steers_no_screen() {
        let kind = ["plain", "rich"];
        let command = || Command::new("tool").arg(Arg::new("kind").long("kind").value_parser(kind));
        let given = [
            "--kind".to_owned(),
            "a\u{1b}[2J\u{202e}\u{9b}\nb".to_owned(),
        ];
        let all = std::iter::once("tool".to_owned()).chain(given.clone());
        let error = command().try_get_matches_from(all).unwrap_err();
        let words = hinted(error, &command(), &given, &[]).to_string();
        assert!(
            words.contains("a\\u{1b}[2J\\u{202e}\\u{9b}\\u{a}b"),
            "{words}"
        );
    }

    #[test]
    fn what_people_write_leads_to_what_there_is() {
        let log = said(&["log", "--since", "15:17"]);
        assert!(log.contains("'--from'"), "{log}");
        let decode = said(&["decode", "f.hex"]);
        assert!(
            decode.contains("write one of these first: mbus, modbus"),
            "{decode}"
        );
    }
}
