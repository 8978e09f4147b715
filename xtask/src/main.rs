//! Development commands: `cargo xtask <command>`. CI calls the same ones as the desk.

mod ahead;
mod bus_time;
mod ci;
mod clock_guest;
mod corruption;
mod crash_states;
mod demo;
mod failure;
mod fuzz;
mod graph;
mod guest;
mod guest_kernel;
mod holdover;
mod kill_storm;
mod league;
mod licences;
mod line_guest;
mod load;
mod measure;
mod nightly;
mod node;
mod planted;
mod run;
mod setup;
mod spec;
mod steps;
mod storm;
mod suite;
mod tamper;
mod test;
mod tidy;
mod tpm_guest;
mod usage;
mod workspace;

use clap::{Parser, Subcommand};
use failure::Outcome;
use std::process::ExitCode;
use workspace::Workspace;

/// Development commands of Fieldnotary.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need (checked first, so a second run is free)
    Setup,
    /// Set up, build every program, run every test
    Test,
    /// Everything that guards a change, in the order of what fails fastest
    Ci {
        /// Run these steps only (comma-separated)
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// The long suites: soak, full polls, long fuzzing
    Nightly {
        /// Run this suite only
        suite: Option<String>,
        /// Say what there is and run nothing
        #[arg(long)]
        list: bool,
    },
    /// Compare the import table of ARCHITECTURE.md with the real dependencies
    Graph,
    /// Check files, words and links
    Tidy,
    /// Write what is generated: spec/entry.cddl, docs/kinds.md, docs/requirements.md
    Spec {
        /// Compare instead of writing
        #[arg(long)]
        check: bool,
    },
    /// Check licences and barred crates of all dependencies
    Deny,
    /// Run the fuzz targets, each for some seconds
    Fuzz {
        /// Seconds per target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Run this target only
        target: Option<String>,
    },
    /// Run the demonstration and print what each process used and how long entries took
    Measure {
        /// Seconds of capture
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Read a site of many meters with a node and with an established gateway, and print what each costs
    Load(load::Load),
    /// Read meters on a serial line that takes its time, and print what the host adds to it
    BusTime(bus_time::BusTime),
    /// Build the programs with the hook of the named steps and run a storm of kills and faults
    #[command(disable_help_flag = true)]
    Storm {
        /// Passed on to the storm: --seed N, --bounded, --for DURATION, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Forge logs in every way that is known, and see who finds it: our verifiers and strangers'
    #[command(disable_help_flag = true)]
    Tamper {
        /// Passed on to the suite: --seed N, --bounded, --rounds N, --list, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill and cut the power under the journal on this kernel; every promise must hold
    #[command(disable_help_flag = true)]
    KillStorm {
        /// Passed on to the suite: --seed N, --bounded, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// GPIO lines, hwmon and IIO channels through real drivers, in a guest with a kernel of its own
    #[command(disable_help_flag = true)]
    LineGuest {
        /// Passed on to the suite: --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a node in a guest whose keys are in the machine's TPM, through what befalls machines
    #[command(disable_help_flag = true)]
    TpmGuest {
        /// Passed on to the suite: --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Move the clocks of a guest machine in every way; the node in it must name each cause
    #[command(disable_help_flag = true)]
    ClockGuest {
        /// Passed on to the suite: --seed N, --bounded, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build for speed and let power fail in every way in short sequences of journal operations
    #[command(disable_help_flag = true)]
    CrashStates {
        /// Passed on to the suite: --seed N, --bounded, --replay STATE, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the league and run it: other engines under the same commits and the same faults
    #[command(disable_help_flag = true)]
    League {
        /// Passed on to the league: --json, --seed N, --bounded, --engines LIST, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Damage whole logs in every way and demand that each loss is named and nothing is made up
    #[command(disable_help_flag = true)]
    Corruption {
        /// Passed on to the suite: --seed N, --bounded, --case CASE, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Leave simulated oscillators alone and hold the error bound against the truth
    #[command(disable_help_flag = true)]
    Holdover {
        /// Passed on to the suite: --seed N, --runs N, --class LIST, --bounded, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Plant bugs in a copy of the sources and demand that the suites find each
    #[command(disable_help_flag = true)]
    Planted {
        /// Passed on: --seed N, --bounded, --only NAME, --json, --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the programs and run the demonstration
    #[command(disable_help_flag = true)]
    Demo {
        /// Passed on to `fieldnotary demo`; without `--for` it runs for a minute
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match Workspace::find().and_then(|workspace| dispatch(&workspace, arguments.command)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(workspace: &Workspace, command: Command) -> Outcome {
    match command {
        Command::Setup => setup::setup(workspace, setup::FOR_TESTS),
        Command::Test => test::test(workspace),
        Command::Ci { only } => ci::ci(workspace, &only),
        Command::Nightly { suite, list } => nightly::nightly(workspace, suite.as_deref(), list),
        Command::Graph => graph::graph(workspace),
        Command::Tidy => tidy::tidy(workspace),
        Command::Spec { check } => spec::spec(workspace, check),
        Command::Deny => licences::deny(workspace),
        Command::Fuzz { seconds, target } => fuzz::fuzz(workspace, seconds, target.as_deref()),
        Command::Measure { seconds } => measure::measure(workspace, seconds),
        Command::BusTime(arguments) => bus_time::bus_time(workspace, &arguments),
        Command::Load(arguments) => load::load(workspace, &arguments),
        Command::Storm { arguments } => storm::storm(workspace, &arguments),
        Command::Tamper { arguments } => tamper::tamper(workspace, &arguments),
        Command::KillStorm { arguments } => kill_storm::kill_storm(workspace, &arguments),
        Command::LineGuest { arguments } => line_guest::line_guest(workspace, &arguments),
        Command::TpmGuest { arguments } => tpm_guest::tpm_guest(workspace, &arguments),
        Command::ClockGuest { arguments } => clock_guest::clock_guest(workspace, &arguments),
        Command::CrashStates { arguments } => crash_states::crash_states(workspace, &arguments),
        Command::League { arguments } => league::league(workspace, &arguments),
        Command::Corruption { arguments } => corruption::corruption(workspace, &arguments),
        Command::Holdover { arguments } => holdover::holdover(workspace, &arguments),
        Command::Planted { arguments } => planted::planted(workspace, &arguments),
        Command::Demo { arguments } => demo::demo(workspace, &arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Command};
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_demo_gets_its_arguments_as_they_are() {
        for words in [
            &["--for", "5min"][..],
            &["--help"],
            &["--json", "--for=1s"],
            &[],
        ] {
            let line = ["cargo xtask", "demo"].iter().chain(words);
            let parsed = Arguments::try_parse_from(line).unwrap();
            let Command::Demo { arguments } = parsed.command else {
                panic!("not a demo: {words:?}");
            };
            assert_eq!(arguments, words);
        }
    }
}
