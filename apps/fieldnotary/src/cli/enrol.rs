//! A registrar takes the node's keys in.

use super::Why;
use clap::{Args, Subcommand};
use proof::note::VerifierKey;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Example, with papers carried between the node and its collector:
  fieldnotary enrol request node --tls node-tls --to request.json
  fieldnotary-collector challenge --dir collector --request request.json \\
      --endorsement-ca maker.pem --out challenge.json
  fieldnotary enrol answer node challenge.json --tls node-tls --to answer.json
  fieldnotary-collector register --dir collector --answer answer.json \\
      --origin example.org/station-7 --node station-7 --out receipt.json \\
      --reason \"commissioning\"
  fieldnotary enrol accept node receipt.json --tls node-tls \\
      --registrar VKEY --reason \"commissioning\"

The node must run. Each step has --json, and can be done again until it is
done; a paper that is lost is made anew.

Exit codes:
  0  done
  2  the command line was not understood
  3  nothing was done; standard error says why";

/// Below the options of a step: an example and the exit codes.
macro_rules! step {
    ($example:literal) => {
        concat!(
            "Example:\n  ",
            $example,
            "\n\nExit codes:\n  \
             0  done\n  \
             2  the command line was not understood\n  \
             3  nothing was done; standard error says why"
        )
    };
}
const REQUEST: &str = step!("fieldnotary enrol request node --tls node-tls --to request.json");
const ANSWER: &str =
    step!("fieldnotary enrol answer node challenge.json --tls node-tls \\\n      --to answer.json");
/// In two lines: on one it is too long for a screen.
const ACCEPT_USAGE: &str = "\
fieldnotary enrol accept [OPTIONS] --reason <TEXT> --tls <DIR>
         --registrar <VKEY> <DIR> <RECEIPT>";
const ACCEPT: &str = step!(
    "fieldnotary enrol accept node receipt.json --tls node-tls \\\n      \
     --registrar VKEY --reason \"commissioning\""
);

/// In two lines: on one it is too long for a screen.
const REVOKED_USAGE: &str = "\
fieldnotary enrol revoked [OPTIONS] --reason <TEXT> --registrar <VKEY>
         <DIR> <NOTICE>";
const REVOKED: &str = step!(
    "fieldnotary enrol revoked node notice.json --registrar VKEY \\\n      \
     --reason \"the old machine was stolen\""
);

/// What is done about an enrolment.
#[derive(Debug, Subcommand)]
pub(crate) enum EnrolVerb {
    /// Make a key for TLS and a request for a registrar: keys, what their store says, PKCS#10
    #[command(after_help = REQUEST)]
    Request(EnrolRequestArgs),
    /// Answer a registrar's challenge, in the TPM that it was sealed to
    #[command(after_help = ANSWER)]
    Answer(EnrolAnswerArgs),
    /// Take a registrar's receipt: the certificate, and its statement into the log
    #[command(after_help = ACCEPT, override_usage = ACCEPT_USAGE)]
    Accept(Box<EnrolAcceptArgs>),
    /// Put a registrar's notice into the log: which keys it took back, when, by whom and why
    #[command(after_help = REVOKED, override_usage = REVOKED_USAGE)]
    Revoked(Box<EnrolRevokedArgs>),
}

/// A request.
#[derive(Args, Debug)]
pub(crate) struct EnrolRequestArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// Directory for the key and the certificate of TLS; a key that lies there already is the one asked for
    #[arg(long, value_name = "DIR")]
    pub(crate) tls: PathBuf,
    /// File for the request
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Make a new key for TLS, which takes the place of the old one when the receipt is accepted
    #[arg(long)]
    pub(crate) renew: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// An answer.
#[derive(Args, Debug)]
pub(crate) struct EnrolAnswerArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// What `fieldnotary-collector challenge` wrote
    pub(crate) challenge: PathBuf,
    /// Directory of the key that a certificate was asked for; the request lies beside it
    #[arg(long, value_name = "DIR")]
    pub(crate) tls: PathBuf,
    /// File for the answer
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A receipt.
#[derive(Args, Debug)]
pub(crate) struct EnrolAcceptArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// What `fieldnotary-collector register` wrote
    pub(crate) receipt: PathBuf,
    /// Directory of the key that the certificate was asked for
    #[arg(long, value_name = "DIR")]
    pub(crate) tls: PathBuf,
    /// The registrar's verifier key, from where you trust it: it stands in its collector.json
    #[arg(long, value_name = "VKEY")]
    pub(crate) registrar: VerifierKey,
    #[command(flatten)]
    pub(crate) why: Why,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A notice.
#[derive(Args, Debug)]
pub(crate) struct EnrolRevokedArgs {
    /// A running node's data directory
    pub(crate) dir: PathBuf,
    /// What `fieldnotary-collector revoke --notice` wrote
    pub(crate) notice: PathBuf,
    /// The registrar's verifier key, from where you trust it: it stands in its collector.json
    #[arg(long, value_name = "VKEY")]
    pub(crate) registrar: VerifierKey,
    #[command(flatten)]
    pub(crate) why: Why,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
