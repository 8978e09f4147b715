//! `fieldnotary demo`: a whole site at work, blows and all, and the proof at the end.
//!
//! A street of simulated meters, a node and a collector run as they would in the field; an injector
//! kills and cuts by plan. Then the same commands that anyone may use check what is left, and the
//! street's own log says what should be there.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a reader that went away ends nothing: see live::print"
)]

mod check;
mod closing;
mod injector;
mod layout;
mod live;
mod plan;
mod site;
mod storm;
mod text;
mod watch;

use crate::paths::DataDir;
use clap::Args;
use closing::Closing;
use injector::{Blow, Injector};
use layout::Layout;
use live::{Live, Sight};
use plan::Plan;
use signal_hook::consts::{SIGINT, SIGTERM};
use site::Site;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use watch::Watch;

/// How often the injector looks at the time.
const LOOK_UP: Duration = Duration::from_millis(20);

const EXIT_CODES: &str = "\
Examples:
  fieldnotary demo
  fieldnotary demo --for 5min --json

Exit codes:
  0  VERIFIED: everything that was captured is there, or accounted for
  1  NOT VERIFIED: something does not hold; it is named
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";

/// Options of `fieldnotary demo`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DemoArgs {
    /// How long to capture: 8s to 1h
    #[arg(long = "for", value_name = "DURATION", default_value = "60s", value_parser = plan::duration)]
    run_for: Duration,
    /// Where everything goes; a folder in use is left alone, and DIR-2, DIR-3 ... taken
    #[arg(long, value_name = "DIR", default_value = "fieldnotary-demo")]
    dir: PathBuf,
    /// No live view; one JSON object at the end
    #[arg(long)]
    json: bool,
    /// Number from which meters, faults and the moment of the kill are drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Kill every process of the node at random besides, as the seed draws
    #[arg(long)]
    storm: bool,
}

/// Runs the demonstration; succeeds only if everything is verified.
pub(crate) fn run(args: DemoArgs) -> Result<ExitCode, String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let mut plan = Plan::new(args.run_for, args.seed);
    plan.storm = args.storm;
    let layout = Layout::choose(&args.dir)?;
    let mut live = Live::new(args.json);
    live.say(&format!(
        "starting street, collector and node in {}",
        layout.root().display()
    ));
    let mut site = Site::start(&layout, &plan)?;
    let blows = capture(&layout, &plan, &mut site, &mut live, &stop)?;
    let (keys, description) = (site.keys.clone(), site.description.clone());
    live.say("stopping: last sessions, last seal, last delivery");
    site.stop()?;
    live.say("checking every entry against keys, collector and the street's own log");
    let verdict = check::check(&layout, &keys, &description)?;
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "fieldnotary".to_owned());
    let closing = Closing {
        layout: &layout,
        plan: &plan,
        keys: &keys,
        blows: &blows,
        verdict: &verdict,
        program: &program,
    };
    if args.json {
        live::print(&format!("{}\n", closing.json()));
    } else {
        live.say(&closing.page());
    }
    Ok(if verdict.verified() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Lets the site run for its time, or until told to stop; the blows that fell.
fn capture(
    layout: &Layout,
    plan: &Plan,
    site: &mut Site,
    live: &mut Live,
    stop: &AtomicBool,
) -> Result<Vec<Blow>, String> {
    let data = DataDir::new(&layout.node());
    let mut watch = Watch::new(data.recorder_socket());
    let mut injector = Injector::new(&layout.injector_log(), data, plan.clone())?;
    let folder = layout.root().display().to_string();
    while injector.elapsed() < plan.run_for && !stop.load(Ordering::Relaxed) {
        injector.tick(&site.relay)?;
        site.require()?;
        let elapsed = injector.elapsed();
        if live.is_due(elapsed) {
            watch.look();
            live.show(&Sight {
                plan,
                folder: &folder,
                elapsed,
                watch: &watch,
                blows: &injector.blows,
                uplink_bytes: site.relay.carried_bytes(),
            });
        }
        std::thread::sleep(LOOK_UP);
    }
    injector.finish(&site.relay)?;
    Ok(injector.blows)
}
