//! Fieldnotary: a meter data concentrator and RTU whose data nobody can doubt.

mod acts;
mod cli;
mod clock;
mod commands;
mod containment;
mod demo;
mod files;
mod installed;
mod lately;
mod operated;
mod papers;
mod paths;
mod programs;
mod roles;
mod supervisor;
#[cfg(test)]
mod test_keys;
mod when;

use cli::{Cli, Verb};
use commands::Ended;
use std::process::ExitCode;

/// What was asked does not hold (a log that does not verify, a configuration that is not sound).
const EXIT_BADLY: u8 = 1;
/// It could not be done.
const EXIT_FAILED: u8 = 3;

fn main() -> ExitCode {
    steps::begin();
    let outcome = match manual::parse::<Cli>(cli::SYNONYMS).verb {
        Verb::Demo(args) => match demo::run(args) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Verb::Init(args) => commands::init(&args),
        Verb::Run(args) => commands::run(&args),
        Verb::Check(args) => commands::check(&args),
        Verb::Status(args) => commands::status(&args),
        Verb::Log(args) => commands::log(&args),
        Verb::Verify(args) => commands::verify(&args),
        Verb::Gaps(args) => commands::gaps(&args),
        Verb::Time(verb) => commands::time(&verb),
        Verb::Journal(verb) => commands::journal(&verb),
        Verb::Bus(verb) => commands::bus(&verb),
        Verb::Decode(verb) => commands::decode(&verb),
        Verb::Wiring(args) => commands::wiring(&args),
        Verb::Annotate(args) => commands::annotate(&args),
        Verb::Maintenance(args) => commands::maintenance(&args),
        Verb::Signoff(args) => commands::signoff(&args),
        Verb::Attest(args) => commands::attest(&args),
        Verb::Operate(args) => commands::operate(&args),
        Verb::SetClock(args) => commands::set_clock(&args),
        Verb::Tag(args) => commands::tag(&args),
        Verb::Enrol(verb) => commands::enrol(&verb),
        Verb::Keys(verb) => commands::keys(&verb),
        Verb::Backup(args) => commands::backup(&args),
        Verb::Restore(args) => commands::restore(&args),
        Verb::Adopt(args) => commands::adopt(&args),
        Verb::Completions(args) => commands::completions(&args),
        Verb::Man(args) => commands::man(&args),
        Verb::Role(args) => commands::run_role(&args),
    };
    match outcome {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::from(EXIT_BADLY),
        Err(error) => {
            commands::complain!("fieldnotary: {error}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}
