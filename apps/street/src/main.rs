//! A simulated street of meters with faults to order.

mod args;
mod clock;
mod damage;
mod log;
mod manifest;
mod meter;
mod noise;
mod plan;
mod pty;
mod serve;
mod site;
mod street;

use args::Args;
use clap::Parser;
use std::fmt;
use std::process::ExitCode;

/// Why the street does not start, or stops. `Usage` is for the caller to cure, `Host` for the machine.
#[derive(Debug)]
enum Stop {
    Usage(String),
    Host(String),
}

impl Stop {
    /// A host error with what was being done.
    fn host(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Host(format!("{what}: {error}"))
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Usage(message)) => {
            eprintln!("fieldnotary-street: {message}");
            ExitCode::from(2)
        }
        Err(Stop::Host(message)) => {
            eprintln!("fieldnotary-street: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Stop> {
    let signals = serve::Signals::register().map_err(Stop::host("cannot register signals"))?;
    if args.die_with_parent {
        serve::die_with_parent().map_err(Stop::host("cannot follow the parent's death"))?;
    }
    let site = site::Site::lay_out(args).map_err(Stop::Usage)?;
    let faults = match &args.plan {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Stop::Usage(format!("cannot read {}: {error}", path.display())))?;
            plan::parse(&text, &site)
                .map_err(|error| Stop::Usage(format!("{}, {error}", path.display())))?
        }
        None => Vec::new(),
    };
    manifest::withdraw(&args.dir)?;
    let log = log::Log::create(&args.dir.join(manifest::LOG_FILE))?;
    let server = serve::Server::open(&args.dir, args.tcp, &site, signals)?;
    let ready_ns = clock::mono_ns();
    manifest::publish(&args.dir, &site, args.seed, server.tcp_address(), ready_ns)?;
    let end_ns = args.run_for.map(|run_for| clock::after(ready_ns, run_for));
    server.run(
        street::Street::new(site, args.seed, faults, log, ready_ns),
        end_ns,
    )
}
