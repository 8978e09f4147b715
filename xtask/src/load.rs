//! `cargo xtask load`: a site of many meters, read by a node and then by an established gateway; what each costs.

mod contract;
mod gateway;
mod site;

use crate::failure::{Failure, Outcome};
use crate::node::Node;
use crate::usage::{TICKS_PER_S, Usage, usage};
use crate::workspace::Workspace;
use crate::{demo, run, setup, steps};
use site::Site;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Until everything is connected and each meter was asked.
const WARM_UP: Duration = Duration::from_secs(30);

/// Meters of the site, by what they speak.
const TCP_METERS: u32 = 1_000;
const RTU_METERS: u32 = 250;

/// How much is read, and for how long.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Load {
    /// Meters of Modbus TCP, each read every second; 125 behind one address
    #[arg(long, default_value_t = TCP_METERS)]
    tcp: u32,
    /// Meters of Modbus RTU on eight lines, each read every five seconds
    #[arg(long, default_value_t = RTU_METERS)]
    rtu: u32,
    /// Seconds of measuring, behind half a minute of warming up
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Leave out the gateway (thingsboard-gateway from PyPI, with mosquitto as its server)
    #[arg(long)]
    alone: bool,
}

/// Reads the site with both, one after the other, and prints a table.
pub(crate) fn load(workspace: &Workspace, load: &Load) -> Outcome {
    demo::build_release(workspace)?;
    let folder = workspace.path("target/load");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|error| Failure::new(format!("target/load: {error}")))?;
    }
    let programs = workspace.target().join("release");
    println!("| reader | process | CPU, % of one core | peak resident, MiB | requests/s |");
    println!("| --- | --- | ---: | ---: | ---: |");
    let missed = {
        let site = Site::start(&programs, &folder.join("site"), load.tcp, load.rtu)?;
        let node = Node::start(&programs, &folder, &contract::contract(&site))?;
        sleep(WARM_UP);
        let from = run::output(Command::new("date").args(["-u", "+%FT%TZ"]))?;
        measure("fieldnotary", &node.processes()?, &site, load.seconds)?;
        node.end(from.trim())?
    };
    println!("slots that passed before the node read them: {missed}");
    if !load.alone {
        setup::setup(workspace, &[gateway::MOSQUITTO])?;
        let python = gateway::environment(workspace)?;
        let site = Site::start(&programs, &folder.join("site-2"), load.tcp, load.rtu)?;
        let gateway = gateway::Gateway::start(&python, &folder, &site)?;
        sleep(WARM_UP);
        measure(gateway::NAME, &gateway.processes(), &site, load.seconds)?;
    }
    match missed {
        0 => Ok("the node read every slot behind its warming up, or said why not".to_owned()),
        slots => Err(Failure::new(format!(
            "{slots} slots behind the node's warming up have no reading"
        ))),
    }
}

/// The whole site for a minute, read by the node alone: no slot may pass behind its warming up.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    let whole = Load {
        tcp: TCP_METERS,
        rtu: RTU_METERS,
        seconds: 60,
        alone: true,
    };
    load(workspace, &whole)
}

/// Looks at the processes for so long, and prints a row for each and one for all.
fn measure(
    reader: &str,
    processes: &[(String, u64)],
    site: &Site,
    seconds: u32,
) -> Result<(), Failure> {
    let look = || -> Result<Vec<Usage>, Failure> {
        let all = processes.iter().map(|(name, pid)| {
            usage(*pid).ok_or_else(|| Failure::new(format!("{reader}: {name} has ended")))
        });
        all.collect()
    };
    let (began, before, asked) = (steps::now(), look()?, site.requests()?);
    sleep(Duration::from_secs(u64::from(seconds)));
    let (took, after) = (began.elapsed(), look()?);
    let asked = site.requests()?.saturating_sub(asked);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut sum = Usage::default();
    for (((name, _), before), after) in processes.iter().zip(&before).zip(&after) {
        let ticks = after.cpu_ticks.saturating_sub(before.cpu_ticks);
        sum.cpu_ticks += ticks;
        sum.resident_kib_max += after.resident_kib_max;
        row(reader, name, ticks, after.resident_kib_max, millis, None);
    }
    let per_s = asked * 1_000 / millis;
    row(
        reader,
        "all",
        sum.cpu_ticks,
        sum.resident_kib_max,
        millis,
        Some(per_s),
    );
    Ok(())
}

fn row(reader: &str, name: &str, ticks: u64, kib: u64, millis: u64, per_s: Option<u64>) {
    let permille = ticks * 1_000 * 1_000 / TICKS_PER_S / millis;
    let per_s = per_s.map_or_else(String::new, |per_s| per_s.to_string());
    println!(
        "| {reader} | {name} | {}.{} | {}.{} | {per_s} |",
        permille / 10,
        permille % 10,
        kib / 1_024,
        kib % 1_024 * 10 / 1_024
    );
}
