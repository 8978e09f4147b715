//! The signer: keys in a process of their own.
//!
//! It has no network and no files but its own, and answers typed requests of processes of the same
//! user over one local socket. What it signed last is durable before a signature leaves.

mod confine;
mod desk;
mod rate;
mod serve;

use clap::{Args, Parser, Subcommand};
use keys::{IdentityDir, KeysError, PublicIdentity, read_vkeys};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use trust_plane::{BaseOrigin, OriginError};

/// Keeps a node's keys and signs its tree heads.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create keys in files, for development; prints the verifier keys
    Init(Init),
    /// Serve the node's socket until told to stop
    Run(Run),
    /// Print the verifier keys, the authority first
    Vkey(Vkey),
    /// Load the keys as `run` would, say what is wrong with them, and end
    Check(Check),
}

#[derive(Debug, Args)]
struct Init {
    /// Directory of the keys; created if it is not there
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// The log's base origin, without a generation, such as meters.example/site-7
    #[arg(long)]
    origin: String,
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
}

#[derive(Debug, Args)]
struct Check {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
}

#[derive(Debug, Args)]
struct Vkey {
    /// Directory of the keys
    #[arg(long, value_name = "DIR")]
    identity: PathBuf,
    /// Print them under the name of this origin, with its generation, instead of the base origin
    #[arg(long)]
    origin: Option<String>,
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

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(error) => error.fmt(f),
            Self::Origin(error) => error.fmt(f),
            Self::OtherOrigin { asked, of_keys } => write!(
                f,
                "--origin {asked} is not the origin {of_keys} that the keys were created for"
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
    let done = match Cli::parse().command {
        Command::Init(args) => init(&args),
        Command::Run(args) => run(&args),
        Command::Vkey(args) => vkey(&args),
        Command::Check(args) => check(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("fieldnotary-signer: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn check(args: &Check) -> Result<(), Failure> {
    IdentityDir::open(&args.identity)?.load()?;
    Ok(())
}

fn init(args: &Init) -> Result<(), Failure> {
    let origin = BaseOrigin::new(&args.origin)?;
    let made = IdentityDir::open_or_create(&args.identity)?.create(origin)?;
    print_keys(&made.public);
    eprintln!("custody: software; these keys are files and prove no custody");
    Ok(())
}

fn print_keys(public: &PublicIdentity) {
    for vkey in &public.vkeys {
        println!("{vkey}");
    }
}

fn vkey(args: &Vkey) -> Result<(), Failure> {
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
    print_keys(&public);
    Ok(())
}

fn run(args: &Run) -> Result<(), Failure> {
    confine::apply(args.die_with_parent)?;
    let origin = BaseOrigin::new(&args.origin)?;
    let dir = IdentityDir::open(&args.identity)?;
    let identity = dir.load()?;
    if identity.public.origin != origin {
        return Err(Failure::OtherOrigin {
            asked: origin.to_string(),
            of_keys: identity.public.origin.to_string(),
        });
    }
    serve::serve(&args.socket, desk::Desk::new(dir, identity))
}
