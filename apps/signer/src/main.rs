//! The signer: keys in a process of their own.
//!
//! It has no network and no files but its own, and answers typed requests of processes of the same
//! user over one local socket. What it signed last is durable before a signature leaves.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a reader that went away ends nothing: see say.rs"
)]

mod confine;
mod desk;
mod rate;
mod say;
mod serve;

use clap::{Args, CommandFactory, Parser, Subcommand};
use keys::{IdentityDir, KeysError, PublicIdentity, read_vkeys};
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use trust_plane::{BaseOrigin, OriginError};

/// Below the options of each verb: an example, and the exit codes, the same in every program.
macro_rules! help {
    ($example:literal) => {
        concat!(
            "Example:\n  ",
            $example,
            "\n\nExit codes:\n  \
             0  done, and what was asked holds\n  \
             1  done, and the answer is no\n  \
             2  the command line was not understood\n  \
             3  it could not be done; standard error says what, where and the cure"
        )
    };
}
/// The answer is no: keys that `check` finds unusable.
const EXIT_NO: u8 = 1;
/// The command line is wrong.
const EXIT_USAGE: u8 = 2;
/// It could not be done.
const EXIT_FAILED: u8 = 3;
/// What these keys prove of who holds them.
const CUSTODY: &str = "software";

/// Keeps a node's keys and signs its tree heads.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = help!("fieldnotary-signer vkey --identity node/identity"))]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create keys in files, for development; prints the verifier keys
    #[command(after_help = help!("fieldnotary-signer init --identity node/identity --origin example.org/station-1"))]
    Init(Init),
    /// Serve the node's socket until told to stop (`fieldnotary run` starts this)
    #[command(after_help = help!("fieldnotary-signer run --identity node/identity --socket node/run/signer.sock --origin example.org/station-1"))]
    Run(Run),
    /// Print the verifier keys, the authority first
    #[command(after_help = help!("fieldnotary-signer vkey --identity node/identity"))]
    Vkey(Vkey),
    /// Load the keys as `run` would, say what is wrong with them, and end
    #[command(after_help = help!("fieldnotary-signer check --identity node/identity"))]
    Check(Check),
    /// Print the completion script for a shell
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::Completions),
    /// Write the manual pages of this program
    #[command(after_help = manual::MAN_HELP)]
    Man(manual::Man),
}

#[derive(Debug, Args)]
struct Init {
    /// Directory of the keys; created if it is not there
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// The log's base origin, without a generation, such as meters.example/site-7
    #[arg(long)]
    origin: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Run {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// Path of the socket to serve
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// The log's base origin; must be the one the keys were created for
    #[arg(long)]
    origin: String,
    /// End when the process that started this one ends
    #[arg(long)]
    die_with_parent: bool,
    /// Give signs of life on standard output, for a supervisor
    #[arg(long, hide = true)]
    pulse: bool,
}

#[derive(Debug, Args)]
struct Check {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Vkey {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// Print them under the name of this origin, with its generation, instead of the base origin
    #[arg(long)]
    origin: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Why the signer ends without having done its work.
#[derive(Debug)]
enum Failure {
    Keys(KeysError),
    Origin(OriginError),
    OtherOrigin { asked: String, of_keys: String },
    Ipc(ipc::IpcError),
    System(&'static str, std::io::Error),
}

impl Failure {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Origin(_) | Self::OtherOrigin { .. } => EXIT_USAGE,
            Self::Keys(_) | Self::Ipc(_) | Self::System(..) => EXIT_FAILED,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(error) => error.fmt(f),
            Self::Origin(error) => error.fmt(f),
            Self::OtherOrigin { asked, of_keys } => write!(
                f,
                "--origin {asked} is not the origin {of_keys} that the keys were created for; a new log needs \
                 an --identity of its own"
            ),
            Self::Ipc(error) => error.fmt(f),
            Self::System(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}

impl From<OriginError> for Failure {
    fn from(error: OriginError) -> Self {
        Self::Origin(error)
    }
}

impl From<ipc::IpcError> for Failure {
    fn from(error: ipc::IpcError) -> Self {
        Self::Ipc(error)
    }
}

fn main() -> ExitCode {
    steps::begin();
    let done = match Cli::parse().command {
        Command::Init(args) => init(&args),
        Command::Run(args) => run(&args),
        Command::Vkey(args) => vkey(&args),
        Command::Check(args) => check(&args),
        Command::Completions(args) => {
            say::raw(&manual::completions(Cli::command(), args.shell));
            Ok(ExitCode::SUCCESS)
        }
        Command::Man(args) => man(&args),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            say::err(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn man(args: &manual::Man) -> Result<ExitCode, Failure> {
    let pages = manual::pages(Cli::command(), &args.to);
    for page in pages.map_err(|error| Failure::System("cannot write the manual", error))? {
        say::out(page.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &Check) -> Result<ExitCode, Failure> {
    let loaded = IdentityDir::open(&args.identity).and_then(|dir| dir.load());
    match loaded {
        Ok(identity) if args.json => {
            let mut facts = facts(&identity.public);
            if let Value::Object(map) = &mut facts {
                map.insert("ok".to_owned(), json!(true));
            }
            say::out(facts);
        }
        Ok(identity) => {
            let origin = &identity.public.origin;
            say::out(format_args!(
                "the keys of {origin} are sound; custody: {CUSTODY}"
            ));
        }
        // What keeps the keys from being looked at says nothing of them.
        Err(error @ (KeysError::Io { .. } | KeysError::InUse(_) | KeysError::Random(_))) => {
            return Err(error.into());
        }
        Err(error) => {
            if args.json {
                say::out(json!({"ok": false, "problem": error.to_string()}));
            } else {
                say::err(&error);
            }
            return Ok(ExitCode::from(EXIT_NO));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn init(args: &Init) -> Result<ExitCode, Failure> {
    let origin = BaseOrigin::new(&args.origin)?;
    let made = IdentityDir::open_or_create(&args.identity)?.create(origin)?;
    print_keys(&made.public, args.json);
    say::err("custody: software; these keys are files and prove no custody");
    Ok(ExitCode::SUCCESS)
}

fn facts(public: &PublicIdentity) -> Value {
    let vkeys: Vec<String> = public.vkeys.iter().map(ToString::to_string).collect();
    json!({"origin": public.origin.as_str(), "custody": CUSTODY, "vkeys": vkeys})
}

fn print_keys(public: &PublicIdentity, as_json: bool) {
    if as_json {
        return say::out(facts(public));
    }
    for vkey in &public.vkeys {
        say::out(vkey);
    }
}

fn vkey(args: &Vkey) -> Result<ExitCode, Failure> {
    let mut public = read_vkeys(&args.identity)?;
    if let Some(origin) = &args.origin {
        public.origin.generation(origin)?;
        for vkey in &mut public.vkeys {
            // An origin of this log is a key name.
            if let Ok(named) = vkey.under_name(origin) {
                *vkey = named;
            }
        }
    }
    print_keys(&public, args.json);
    Ok(ExitCode::SUCCESS)
}

fn run(args: &Run) -> Result<ExitCode, Failure> {
    if args.pulse {
        sandbox::pulse::begin();
    }
    let confined = confine::apply(args.die_with_parent, &args.identity, &args.socket)?;
    sandbox::pulse::confined(&confined);
    // A supervisor puts it into the log; by hand it is said here.
    if !args.pulse && confined.missing().next().is_some() {
        say::err(&confined);
    }
    let origin = BaseOrigin::new(&args.origin)?;
    let dir = IdentityDir::open(&args.identity)?;
    let identity = dir.load()?;
    if identity.public.origin != origin {
        return Err(Failure::OtherOrigin {
            asked: origin.to_string(),
            of_keys: identity.public.origin.to_string(),
        });
    }
    serve::serve(&args.socket, desk::Desk::new(dir, identity))?;
    Ok(ExitCode::SUCCESS)
}
