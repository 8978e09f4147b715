//! The collector: verifies, stores, then cosigns.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a reader that went away ends nothing: see say.rs"
)]

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use collector::args::{
    Args, Because, ChallengeArgs, Command, EXIT_FAILED, EXIT_REFUSED, EXIT_USAGE, RegisterArgs,
    RevokeArgs, RunArgs,
};
use collector::audit::{Refusals, Why};
use collector::enrolment::{self, Asked, Registered, Revocation, TakenBack};
use collector::error::Error;
use collector::files::{self, Access};
use collector::identity::{self, About, Issued, TlsFiles};
use collector::log::RequestLog;
use collector::ready::Ready;
use collector::registry::Registry;
use collector::say::{self, quoted};
use collector::server::{Server, server_side};
use evidence::foreign::shown;
use proof::note::VerifierKey;
use serde_json::json;

fn main() -> ExitCode {
    steps::begin();
    let done = match manual::parse::<Args>(&[]).command {
        Command::Init {
            dir,
            name,
            hosts,
            json,
        } => identity::init(&dir, &name, &hosts).map(|about| say_made(&dir, &about, json)),
        Command::Issue {
            dir,
            node,
            days,
            out,
            url,
            because,
            json,
        } => why(&because).and_then(|why| {
            let issued = identity::issue(&dir, &node, days, &out, url.as_deref())?;
            say_issued(&issued, json);
            why.done(&dir, "issue", &node)
        }),
        Command::Challenge(args) => challenge(args),
        Command::Register(args) => register(args),
        Command::Revoke(args) => revoke(args),
        Command::Run(args) => run(args),
        Command::Completions(args) => {
            say::raw(&manual::completions(Args::command(), args.shell));
            Ok(())
        }
        Command::Man(args) => man(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::err(format_args!("fieldnotary-collector: {error}"));
            ExitCode::from(match error {
                Error::Refused(_) => EXIT_REFUSED,
                Error::Usage(_) => EXIT_USAGE,
                _ => EXIT_FAILED,
            })
        }
    }
}

fn why(because: &Because) -> Result<Why, Error> {
    Why::new(&because.reason, because.by.as_deref())
}

fn challenge(args: ChallengeArgs) -> Result<(), Error> {
    let asked = Asked {
        request: args.request,
        roots: args.roots,
        revoked: args.revoked,
        self_asserted: args.self_asserted,
    };
    let words = enrolment::challenge(&args.dir, &asked, &args.out)?;
    say_wrote(&words, &args.out, args.json);
    Ok(())
}

fn register(args: RegisterArgs) -> Result<(), Error> {
    let asked = Registered {
        answer: args.answer,
        origin: args.origin,
        node: args.node,
        days: args.days,
        url: args.url,
        new_keys: args.new_keys,
    };
    let why = why(&args.because)?;
    let scope = format!("{} ({})", asked.origin, asked.node);
    let words = enrolment::register(&args.dir, &asked, &args.out)?;
    say_wrote(&words, &args.out, args.json);
    why.done(&args.dir, "register", &scope)
}

fn revoke(args: RevokeArgs) -> Result<(), Error> {
    let asked = TakenBack {
        keys: args.log_keys,
        why: why(&args.because)?,
        notice: args.notice,
    };
    let keys: Vec<String> = asked.keys.iter().map(ToString::to_string).collect();
    let revoked = enrolment::revoke(&args.dir, &asked)?;
    say_revoked(&revoked, args.json);
    asked.why.done(&args.dir, "revoke", &keys.join(" "))?;
    match revoked.unlisted {
        None => Ok(()),
        Some(error) => Err(Error::setup(format!(
            "the keys are revoked, and the list of their certificates is not written: {error}\n         revoke again when that is \
             mended; till then the list in tls/revoked.pem is as it was"
        ))),
    }
}

/// The key to standard output, for scripts; what to do next to standard error.
fn say_made(dir: &Path, about: &About, as_json: bool) {
    if as_json {
        return say::out(json!({"name": about.name, "vkey": about.vkey}));
    }
    say::out(&about.vkey);
    let dir = quoted(&dir.display().to_string());
    say::err(format_args!(
        "made a collector in {dir}; the line above is the key that nodes pin. For each node:\n  \
         fieldnotary-collector issue --dir {dir} --node NAME --out DIR --reason TEXT\nthen serve:\n  \
         fieldnotary-collector run --dir {dir} --log-key VKEY"
    ));
}

fn say_issued(issued: &Issued, as_json: bool) {
    if as_json {
        say::out(json!(issued));
    } else {
        say::out(issued.uplink());
    }
}

fn say_wrote(words: &str, out: &Path, as_json: bool) {
    if as_json {
        return say::out(json!({"done": words, "file": out}));
    }
    say::out(words);
    say::err(format_args!("for the node: {}", out.display()));
}

fn say_revoked(done: &Revocation, as_json: bool) {
    if as_json {
        let lines = |keys: &[VerifierKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        return say::out(json!({
            "revoked": done.all,
            "already": done.already,
            "partner_unknown": lines(&done.alone),
            "unknown": lines(&done.unknown),
            "followers": lines(&done.followers),
            "unread": done.unread.iter().map(|one| one.words.as_str()).collect::<Vec<_>>(),
            "unlisted": done.unlisted,
        }));
    }
    for one in &done.all {
        say::out(shown(&format!("revoked {}: {}", one.vkey, one.reason)));
    }
    for one in &done.already {
        say::err(shown(&format!(
            "already revoked {}: {}; that time and reason stay",
            one.how(),
            one.vkey
        )));
    }
    for key in &done.alone {
        let key = shown(&key.to_string());
        say::err(format_args!(
            "its partner is not known here: {key} is one of the two keys of a node; give the other line of its \
             identity/keys.vkey to revoke as well"
        ));
    }
    for key in &done.unknown {
        let key = shown(&key.to_string());
        say::err(format_args!(
            "revoked, but known to nothing here that can be read: {key}; look whether it is a line of that node's \
             identity/keys.vkey, whole, and give the other line to revoke as well"
        ));
    }
    for key in &done.followers {
        let key = shown(&key.to_string());
        say::err(format_args!(
            "it goes with the key that named it to follow, unless `run` is given it with --log-key, as it may be now: {key}"
        ));
    }
    for one in &done.unread {
        say::err(format_args!(
            "not read: {}\n         what was asked for is revoked; {}",
            shown(&one.words),
            one.file.then()
        ));
    }
    say::err("a collector that runs has to be started anew to know of it");
}

fn man(args: &manual::Man) -> Result<(), Error> {
    let pages = manual::pages(Args::command(), &args.to);
    for page in pages.map_err(|error| Error::setup(format!("cannot write the manual: {error}")))? {
        say::out(page.display());
    }
    Ok(())
}

fn run(args: RunArgs) -> Result<(), Error> {
    if args.die_with_parent {
        let kill = Some(rustix::process::Signal::KILL);
        rustix::process::set_parent_process_death_signal(kill)
            .map_err(|error| Error::setup(format!("cannot follow the parent: {error}")))?;
    }
    // Whether there is a collector at all is said before what is wrong with it.
    identity::about(&args.dir)?;
    let dir = std::path::absolute(&args.dir).map_err(Error::io("resolve", &args.dir))?;
    let pins = enrolment::pins(&dir, args.log_keys)?;
    if pins.is_empty() {
        return Err(Error::usage(
            "--log-key is missing: without a node's verifier keys nothing can be taken; give each of the \
             two lines of the node's identity/keys.vkey its own --log-key\n\
             on the node they are shown by: fieldnotary-signer vkey --identity NODE/identity; a node that was registered \
             needs none",
        ));
    }
    let of_init = TlsFiles::of(&dir);
    let tls_files = TlsFiles {
        cert: args.tls_cert.unwrap_or(of_init.cert),
        key: args.tls_key.unwrap_or(of_init.key),
        client_ca: args.client_ca.unwrap_or(of_init.client_ca),
        client_crl: of_init.client_crl,
    };
    let tls = server_side(&tls_files, enrolment::turned_away(&dir)?)?;
    let registry = Registry::open(&dir, pins)?;
    let log = RequestLog::open(args.log.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::setup)?;
    runtime.block_on(async {
        let server = Server::bind(args.listen, tls, registry, log, Refusals::new(&dir)).await?;
        let ready = Ready::of(server.addr()?, &dir, &tls_files, server.registry())?;
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(Error::setup)?;
        if args.json {
            say::out(ready.json());
        } else {
            say::out(ready.page());
        }
        if let Some(path) = &args.ready_file {
            let text = format!("{}\n", ready.json());
            files::write(path, text.as_bytes(), Access::Public)?;
        }
        // Every answer was durable before it left: there is nothing to wind down.
        tokio::select! {
            () = server.serve() => {}
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(())
    })
}
