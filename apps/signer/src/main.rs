//! The signer: keys in a process of their own.
//!
//! It has no network and no files but its own, and answers typed requests of one user's processes, its own or that
//! of the node, over one local socket. What it signed last is durable before a signature leaves.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a reader that went away ends nothing: see say.rs"
)]

mod confine;
mod desk;
mod door;
mod keyring;
mod rate;
mod say;
mod seats;
mod serve;

use clap::{CommandFactory, Parser, Subcommand};
use keys::{IdentityDir, KeysError};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use trust_plane::{BackendError, BaseOrigin, KeyFault, OriginError};

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

/// Keeps a node's keys and signs its tree heads.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = help!("fieldnotary-signer vkey --identity node/identity"))]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create keys, in files, a TPM or a PKCS#11 token; prints the verifier keys
    #[command(after_help = help!("fieldnotary-signer init --identity node/identity --origin example.org/station-1"))]
    Init(keyring::Init),
    /// Serve the node's socket until told to stop (`fieldnotary run` starts this)
    #[command(after_help = help!("fieldnotary-signer run --identity node/identity --socket node/run/signer.sock --origin example.org/station-1"))]
    Run(Run),
    /// Print the verifier keys, the authority first
    #[command(after_help = help!("fieldnotary-signer vkey --identity node/identity"))]
    Vkey(keyring::Vkey),
    /// Load the keys as `run` would, inside its sandbox, look at what holds them, say what is wrong, and end
    #[command(after_help = help!("fieldnotary-signer check --identity node/identity"))]
    Check(keyring::Check),
    /// Print the completion script for a shell
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::Completions),
    /// Write the manual pages of this program
    #[command(after_help = manual::MAN_HELP)]
    Man(manual::Man),
}

#[derive(Debug, clap::Args)]
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
    /// Serve this user, who runs the node, and nobody else: so the keys have a user of their own
    #[arg(long = "for", value_name = "USER")]
    serves: Option<String>,
    /// End when the process that started this one ends
    #[arg(long)]
    die_with_parent: bool,
    /// Give signs of life on standard output, for a supervisor
    #[arg(long, hide = true)]
    pulse: bool,
}

/// Why the signer ends without having done its work.
#[derive(Debug)]
enum Failure {
    Keys(KeysError),
    Origin(OriginError),
    OtherOrigin { asked: String, of_keys: String },
    Backend(BackendError),
    Usage(&'static str),
    User(sandbox::user::UserError),
    Ipc(ipc::IpcError),
    StoreAppeared(PathBuf),
    TokenStuck,
    System(&'static str, std::io::Error),
}

impl Failure {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Origin(_) | Self::OtherOrigin { .. } | Self::Usage(_) | Self::User(_) => {
                EXIT_USAGE
            }
            Self::Keys(_)
            | Self::Backend(_)
            | Self::Ipc(_)
            | Self::StoreAppeared(_)
            | Self::TokenStuck
            | Self::System(..) => EXIT_FAILED,
        }
    }
}

/// Where the words say what is found alone, what is done about it comes behind them.
fn cured(error: &BackendError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    match error.fault {
        KeyFault::TokenMissing | KeyFault::KeyReplaced => write!(f, "; {}", error.fault.cure()),
        _ => Ok(()),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(KeysError::Backend(error)) | Self::Backend(error) => cured(error, f),
            Self::Keys(error) => error.fmt(f),
            Self::Origin(error) => error.fmt(f),
            Self::OtherOrigin { asked, of_keys } => write!(
                f,
                "--origin {asked} is not the origin {of_keys} that the keys were created for; a new log needs \
                 an --identity of its own"
            ),
            Self::Usage(words) => f.write_str(words),
            Self::User(error) => write!(f, "--for: {error}"),
            Self::Ipc(error) => error.fmt(f),
            Self::StoreAppeared(path) => write!(
                f,
                "{} is there now and was not when this process was confined: it has to be started anew",
                path.display()
            ),
            Self::TokenStuck => write!(
                f,
                "the token's module does not come back from a call, {} s after its time: this process ends, so that another can use the \
                 token; look at the token and its reader",
                keys::limits::TOKEN_STUCK_NS_MAX / rate::SECOND_NS
            ),
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

/// Stated with the keys where the node's user is the signer's too.
const NO_OWN_USER: &str =
    "a user of its own: it runs as the node does, and whoever is that user reaches the keys";
/// Always stated: whoever takes over another process of the node may ask for signatures as the recorder does.
const SHARED_CALLER: &str = "a caller of its own: the processes of a node share one user, and each of them may have a head of this log signed";

fn main() -> ExitCode {
    steps::begin();
    let done = match manual::parse::<Cli>(&[]).command {
        Command::Init(args) => keyring::init(&args),
        Command::Run(args) => run(&args),
        Command::Vkey(args) => keyring::vkey(&args),
        Command::Check(args) => keyring::check(&args),
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
            if matches!(failure, Failure::TokenStuck) {
                sandbox::end_at_once(failure.exit_code());
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The user that runs the node, where that is not the one that has the keys.
fn other_user(name: &str) -> Result<u32, Failure> {
    let user = sandbox::user::find(name).map_err(Failure::User)?;
    if user.uid == rustix::process::geteuid().as_raw() {
        return Err(Failure::Usage(
            "--for names the user that this signer runs as; start it as another one, whom nothing else of the node runs as",
        ));
    }
    let group = rustix::process::getegid().as_raw();
    match user.gid == group || user.groups.contains(&group) {
        true => Ok(user.uid),
        false => Err(Failure::Usage(
            "the user of --for is not in this signer's group, and could not reach its socket; start the signer with a group \
             of that user's (useradd --gid, or Group= of its unit)",
        )),
    }
}

fn man(args: &manual::Man) -> Result<ExitCode, Failure> {
    let pages = manual::pages(Cli::command(), &args.to);
    for page in pages.map_err(|error| Failure::System("cannot write the manual", error))? {
        say::out(page.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn run(args: &Run) -> Result<ExitCode, Failure> {
    if args.pulse {
        sandbox::pulse::begin();
    }
    let node = args.serves.as_deref().map(other_user).transpose()?;
    // Made before this process may make no files there any more.
    let lock = |uid| ipc::SocketLock::open(&args.socket).map(|lock| (uid, lock));
    let node = node.map(lock).transpose()?;
    // Which store there is must be known before anything is given up.
    let needs = keys::store_needs(&args.identity)?;
    let absent = needs.devices.iter().find(|path| !path.exists()).cloned();
    let confined = confine::apply(
        args.die_with_parent,
        &args.identity,
        Some(&args.socket),
        needs,
    )?;
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
    let not_applied = confined.missing();
    let not_applied = not_applied
        .map(|(measure, why)| format!("{measure}: {why}"))
        .chain(node.is_none().then(|| NO_OWN_USER.to_owned()))
        .chain([SHARED_CALLER.to_owned()]);
    let desk = desk::Desk::new(dir, identity, not_applied.collect());
    serve::serve(&args.socket, desk, node, absent.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
