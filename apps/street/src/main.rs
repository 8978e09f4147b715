//! A simulated street of meters with faults to order.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a reader that went away ends nothing: see say.rs"
)]

mod args;
mod clock;
mod damage;
mod lines;
mod lock;
mod log;
mod manifest;
mod mbus;
mod memory;
mod meter;
mod noise;
mod plan;
mod points;
mod pty;
mod say;
mod serve;
mod site;
mod street;
mod turns;
mod wrong;

use args::Args;
use clap::CommandFactory;
use std::fmt;
use std::process::ExitCode;

/// The command line is wrong.
const EXIT_USAGE: u8 = 2;
/// It could not be done.
const EXIT_FAILED: u8 = 3;

/// Why the street does not start, or stops: words on the command line that make no sense, or anything
/// beside them.
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
    let args = manual::parse::<Args>(&[]);
    if let Some(shell) = args.completions {
        say::raw(&manual::completions(Args::command(), shell));
        return ExitCode::SUCCESS;
    }
    match args.man.as_ref().map_or_else(|| run(&args), |to| man(to)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Usage(message)) => {
            say::err(message);
            ExitCode::from(EXIT_USAGE)
        }
        Err(Stop::Host(message)) => {
            say::err(message);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn man(to: &std::path::Path) -> Result<(), Stop> {
    for page in manual::pages(Args::command(), to).map_err(Stop::host("cannot write the manual"))? {
        say::out(page.display());
    }
    Ok(())
}

fn run(args: &Args) -> Result<(), Stop> {
    let signals = serve::Signals::register().map_err(Stop::host("cannot register signals"))?;
    if args.die_with_parent {
        serve::die_with_parent().map_err(Stop::host("cannot follow the parent's death"))?;
    }
    let telegrams = match &args.mbus_telegrams {
        Some(folder) => mbus::read_telegrams(folder)?,
        None => Vec::new(),
    };
    let points = ordered(args.points.as_deref(), "points", points::parse)?;
    let site = site::Site::lay_out(args, telegrams, points).map_err(Stop::Usage)?;
    let plan = ordered(args.plan.as_deref(), "fault plan", |text| {
        plan::parse(text, &site)
    })?;
    let faults = plan.len();
    let _only_street = lock::Lock::take(&args.dir)?;
    manifest::withdraw(&args.dir)?;
    let log = log::Log::create(&args.dir.join(manifest::LOG_FILE))?;
    let server = serve::Server::open(args, &site, signals)?;
    let ready_ns = clock::mono_ns();
    let points = points::Points::open(&args.dir, &site.points, &plan.points, args.seed, ready_ns)?;
    let tcp = server.tcp_address();
    let modems = points.addresses();
    let manifest = manifest::publish(args, &site, &server, &modems, ready_ns)?;
    if args.json {
        say::out(manifest.trim_end());
    } else {
        let ordered = args.plan.as_deref().map(|file| (file, faults));
        say::out(manifest::words(&args.dir, &site, tcp, &modems, ordered));
    }
    let end_ns = args.run_for.map(|run_for| clock::after(ready_ns, run_for));
    let street = street::Street::new(site, args, plan, points, log, ready_ns);
    server.run(street, end_ns)
}

/// What a file orders; nothing where there is none.
fn ordered<T: Default>(
    path: Option<&std::path::Path>,
    what: &str,
    parse: impl Fn(&str) -> Result<T, plan::PlanError>,
) -> Result<T, Stop> {
    let Some(path) = path else {
        return Ok(T::default());
    };
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(Stop::host(format_args!("cannot read the {what} {shown}")))?;
    parse(&text).map_err(|error| Stop::Host(format!("{shown}, {error}")))
}
