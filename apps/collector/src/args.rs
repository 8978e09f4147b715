//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{Parser, Subcommand, value_parser};
use proof::note::VerifierKey;

use crate::limits::{CERTIFICATE_DAYS_DEFAULT, CERTIFICATE_DAYS_MAX};
use crate::registry::Pin;

/// How many days a certificate may hold.
fn days() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=i64::from(CERTIFICATE_DAYS_MAX))
}

/// Port that `run` takes by itself.
pub const PORT_DEFAULT: u16 = 7443;
/// The command line is wrong.
pub const EXIT_USAGE: u8 = 2;
/// The answer is no: what was asked is refused.
pub const EXIT_REFUSED: u8 = 1;
/// It could not be done.
pub const EXIT_FAILED: u8 = 3;
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
const INIT: &str = help!(
    "fieldnotary-collector init --dir collector --name collector.example.org \\
      --host collector.example.org"
);
const ISSUE: &str = help!(
    "fieldnotary-collector issue --dir collector --node station-1 \\
      --out station-1-tls --reason \"commissioning\""
);
const CHALLENGE: &str = help!(
    "fieldnotary-collector challenge --dir collector --request request.json \\
      --endorsement-ca maker.pem --out challenge.json"
);
/// In two lines: on one it is too long for a screen.
const REGISTER_USAGE: &str = "\
fieldnotary-collector register [OPTIONS] --reason <TEXT> --dir <DIR>
         --answer <FILE> --origin <ORIGIN> --node <NODE> --out <FILE>";
const REGISTER: &str = help!(
    "fieldnotary-collector register --dir collector --answer answer.json \\
      --origin example.org/station-1 --node station-1 --out receipt.json \\
      --reason \"commissioning\""
);
const REVOKE: &str = help!(
    "fieldnotary-collector revoke --dir collector --log-key VKEY --notice notice.json \\
      --reason \"the machine was stolen, ticket 4711\""
);
const RUN: &str = concat!(
    help!("fieldnotary-collector run --dir collector --listen 0.0.0.0:7443 --log-key VKEY"),
    "\n\nWhat is said when it is ready goes to standard output, one JSON line for each request to standard \
     error, or to the file of --log. A first delivery begins with status 409 and answer \"0\": the node asks \
     with the size that it believes cosigned, is told the size that the collector has, and goes on from there. \
     Nothing is wrong."
);
const PROGRAM: &str = "\
First steps:
  fieldnotary-collector init --dir collector --name collector.example.org \\
      --host collector.example.org
  fieldnotary-collector issue --dir collector --node station-1 \\
      --out station-1-tls --reason \"commissioning\"
  fieldnotary-collector run --dir collector --listen 0.0.0.0:7443 --log-key VKEY

`issue` prints the [uplink] of the node's configuration, ready to paste. VKEY is printed by
`fieldnotary run` on the node, and stands in its identity/keys.vkey.

Exit codes:
  0  done, and what was asked holds
  1  done, and the answer is no
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";

/// The collector: verifies what nodes deliver, stores it durably, then cosigns.
#[derive(Debug, Parser)]
#[command(
    name = "fieldnotary-collector",
    version,
    about,
    max_term_width = 100,
    after_help = PROGRAM
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the cosigner key, a certificate authority and a server certificate; prints the
    /// cosigner's verifier key.
    #[command(after_help = INIT)]
    Init {
        /// Directory of the collector.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Name of the cosigner, usually a host name with a path.
        #[arg(long)]
        name: String,
        /// Host name or address for the server certificate, beside localhost; may be repeated.
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Issue a client certificate for a node; prints the [uplink] of its configuration.
    #[command(after_help = ISSUE)]
    Issue {
        /// Directory of the collector.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Name of the node.
        #[arg(long)]
        node: String,
        /// How long the certificate holds, in days.
        #[arg(long, default_value_t = CERTIFICATE_DAYS_DEFAULT, value_parser = days())]
        days: u32,
        /// Directory for the node's key and certificate; a node's key that lies there is never
        /// overwritten.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Base URL under which the node reaches the collector [default: the certificate's first
        /// name that is not local, and port 7443].
        #[arg(long)]
        url: Option<String>,
        /// Why, and who.
        #[command(flatten)]
        because: Because,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Judge a node's request for enrolment and challenge its keys.
    #[command(after_help = CHALLENGE)]
    Challenge(ChallengeArgs),
    /// Judge a node's answer, take its keys in, and write its certificate and the statement.
    #[command(after_help = REGISTER, override_usage = REGISTER_USAGE)]
    Register(RegisterArgs),
    /// Take nodes back by their keys: what these sign from the next start on counts for nothing here.
    #[command(after_help = REVOKE)]
    Revoke(RevokeArgs),
    /// Serve until told to stop (SIGTERM or Ctrl-C).
    #[command(after_help = RUN)]
    Run(RunArgs),
    /// Print the completion script for a shell.
    #[command(after_help = manual::COMPLETIONS_HELP)]
    Completions(manual::Completions),
    /// Write the manual pages of this program.
    #[command(after_help = manual::MAN_HELP)]
    Man(manual::Man),
}

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Directory of the collector.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR:PORT", default_value_t = (Ipv4Addr::LOCALHOST, PORT_DEFAULT).into())]
    pub listen: SocketAddr,
    /// Chain of the server, PEM [default: that of init].
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the server, PEM [default: that of init].
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Authority of the client certificates, PEM [default: that of init].
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// Verifier key of a log, a line of a node's identity/keys.vkey, and the prefix of the origins
    /// that it may sign, which is the key's name where none is given; may be repeated. Keys that were
    /// registered need none.
    #[arg(long = "log-key", value_name = "VKEY[=PREFIX]")]
    pub log_keys: Vec<Pin>,
    /// File for the request log, one JSON line each [default: standard error].
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Say on standard output as one JSON object what is said there once the collector listens.
    #[arg(long)]
    pub json: bool,
    /// File to write once the collector listens: the same JSON object.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// End when the process that started this one ends.
    #[arg(long)]
    pub die_with_parent: bool,
}

/// A request for enrolment, and whom it is held against.
#[derive(Debug, clap::Args)]
pub struct ChallengeArgs {
    /// Directory of the collector.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// What `fieldnotary enrol request` wrote.
    #[arg(long, value_name = "FILE")]
    pub request: PathBuf,
    /// Certificates of the TPM's maker, PEM: those that are their own issuers are trusted, others may
    /// stand between; may be repeated.
    #[arg(long = "endorsement-ca", value_name = "FILE")]
    pub roots: Vec<PathBuf>,
    /// Lists of certificates that makers took back, PEM; may be repeated.
    #[arg(long = "endorsement-crl", value_name = "FILE")]
    pub revoked: Vec<PathBuf>,
    /// Take the keys in by the node's own word of what holds them, which the log will say.
    #[arg(long, conflicts_with_all = ["roots", "revoked"])]
    pub self_asserted: bool,
    /// File for the challenge.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn reason(text: &str) -> Result<String, evidence::given::ReasonFault> {
    evidence::given::reason(text).map(|()| text.to_owned())
}

/// Why something is done, and by whom.
#[derive(Debug, clap::Args)]
pub struct Because {
    /// Why; the collector's audit keeps it.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// Who does it [default: the local user]; the user id is added in either case.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// An answer, and what the node is taken in as.
#[derive(Debug, clap::Args)]
pub struct RegisterArgs {
    /// Directory of the collector.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// What `fieldnotary enrol answer` wrote.
    #[arg(long, value_name = "FILE")]
    pub answer: PathBuf,
    /// The log that the node is taken in for, as its configuration names it.
    #[arg(long)]
    pub origin: String,
    /// The log had other keys here, which were revoked: this node goes on in their place.
    #[arg(long)]
    pub new_keys: bool,
    /// Name of the node, for its client certificate.
    #[arg(long)]
    pub node: String,
    /// How long the certificate holds, in days [default: 730]
    #[arg(long, value_parser = days())]
    pub days: Option<u32>,
    /// Base URL under which the node reaches the collector [default: the certificate's first
    /// name that is not local, and port 7443].
    #[arg(long)]
    pub url: Option<String>,
    /// File for the receipt.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Why, and who.
    #[command(flatten)]
    pub because: Because,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Keys, and why they are taken back.
#[derive(Debug, clap::Args)]
pub struct RevokeArgs {
    /// Directory of the collector.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Verifier key of a log; the other one of the same node is revoked with it.
    #[arg(long = "log-key", value_name = "VKEY", required = true)]
    pub log_keys: Vec<VerifierKey>,
    /// Why, and who.
    #[command(flatten)]
    pub because: Because,
    /// File for a notice, which nodes put into their logs (`fieldnotary enrol revoked`).
    #[arg(long, value_name = "FILE")]
    pub notice: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
