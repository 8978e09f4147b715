//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::registry::Pin;

/// The collector: verifies what nodes deliver, stores it durably, then cosigns.
#[derive(Debug, Parser)]
#[command(name = "fieldnotary-collector", version, about)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the cosigner key, a certificate authority and a server certificate.
    Init {
        /// Directory of the collector.
        #[arg(long)]
        dir: PathBuf,
        /// Name of the cosigner, usually a host name with a path.
        #[arg(long)]
        name: String,
        /// Host name or address for the server certificate, beside localhost; may be repeated.
        #[arg(long = "host")]
        hosts: Vec<String>,
    },
    /// Issue a client certificate for a node.
    Issue {
        /// Directory of the collector.
        #[arg(long)]
        dir: PathBuf,
        /// Name of the node.
        #[arg(long)]
        node: String,
        /// Directory for the node's key and certificate.
        #[arg(long)]
        out: PathBuf,
    },
    /// Serve.
    Run(RunArgs),
}

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Directory of the collector.
    #[arg(long)]
    pub dir: PathBuf,
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:7443")]
    pub listen: SocketAddr,
    /// Chain of the server, PEM [default: that of init].
    #[arg(long)]
    pub tls_cert: Option<PathBuf>,
    /// Key of the server, PEM [default: that of init].
    #[arg(long)]
    pub tls_key: Option<PathBuf>,
    /// Authority of the client certificates, PEM [default: that of init].
    #[arg(long)]
    pub client_ca: Option<PathBuf>,
    /// Verifier key of a log and the prefix of its origins, `VKEY[=PREFIX]`; the prefix is the key's
    /// name where none is given. May be repeated, also for one prefix.
    #[arg(long = "log-key", required = true)]
    pub log_keys: Vec<Pin>,
    /// File for the request log, one JSON line each [default: standard error].
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// File to write once the collector listens: JSON with address, verifier key and process id.
    #[arg(long)]
    pub ready_file: Option<PathBuf>,
    /// End when the process that started this one ends.
    #[arg(long)]
    pub die_with_parent: bool,
}
