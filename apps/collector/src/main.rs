//! The collector: verifies, stores, then cosigns.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use collector::args::{Args, Command, RunArgs};
use collector::error::Error;
use collector::files::{self, Access};
use collector::identity::{self, TlsFiles};
use collector::log::RequestLog;
use collector::registry::Registry;
use collector::server::{Server, server_config};
use serde_json::json;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Init { dir, name, hosts } => identity::init(&dir, &name, &hosts).map(|about| {
            println!("{}", about.vkey);
        }),
        Command::Issue { dir, node, out } => identity::issue(&dir, &node, &out),
        Command::Run(args) => run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fieldnotary-collector: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: RunArgs) -> Result<(), Error> {
    if args.die_with_parent {
        let kill = Some(rustix::process::Signal::KILL);
        rustix::process::set_parent_process_death_signal(kill)
            .map_err(|error| Error::setup(format!("cannot follow the parent: {error}")))?;
    }
    let of_init = TlsFiles::of(&args.dir);
    let tls = server_config(&TlsFiles {
        cert: args.tls_cert.unwrap_or(of_init.cert),
        key: args.tls_key.unwrap_or(of_init.key),
        client_ca: args.client_ca.unwrap_or(of_init.client_ca),
    })?;
    let registry = Registry::open(&args.dir, args.log_keys)?;
    let vkey = registry.identity().vkey().to_string();
    let log = RequestLog::open(args.log.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::setup)?;
    runtime.block_on(async {
        let server = Server::bind(args.listen, Arc::clone(&tls), registry, log).await?;
        if let Some(path) = &args.ready_file {
            let ready = json!({
                "addr": server.addr()?.to_string(),
                "vkey": vkey,
                "pid": std::process::id(),
            });
            files::write(path, format!("{ready}\n").as_bytes(), Access::Public)?;
        }
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(Error::setup)?;
        // Every answer was durable before it left: there is nothing to wind down.
        tokio::select! {
            () = server.serve() => {}
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(())
    })
}
