//! `cargo xtask bus-time`: how much longer a cycle of a serial line takes than its bits do. An independent relay between two
//! pseudo terminals gives every character its time, pymodbus answers behind it, and a node reads.

mod cycles;

use crate::failure::{Failure, Outcome};
use crate::node::Node;
use crate::workspace::Workspace;
use crate::{demo, run, setup};
use cycles::{Cycles, Exchange};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Meters on the line.
const METERS: u32 = 32;
/// How often it is looked whether the line is there, and after how long.
const LOOKS_MAX: u32 = 100;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A cycle may take this much longer than its bits and silences, in thousandths.
const PERMILLE_MAX: u64 = 1_100;

/// The rates that lines have (R5.2).
const RATES: [u32; 5] = [9_600, 19_200, 38_400, 57_600, 115_200];
/// What CI reads: the slowest line, whose cycle says most of what the node adds, for four cycles or five.
const BOUNDED: (u32, u32) = (9_600, 10);

/// Which lines, and for how long.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BusTime {
    /// Rates of the line, in baud
    #[arg(long, value_delimiter = ',', default_values_t = RATES)]
    baud: Vec<u32>,
    /// Seconds of reading at each
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

/// Reads the line at each rate and prints a table.
pub(crate) fn bus_time(workspace: &Workspace, wanted: &BusTime) -> Outcome {
    setup::setup(workspace, setup::FOR_TESTS)?;
    demo::build_release(workspace)?;
    table(workspace, "release", wanted)
}

/// Some seconds of the slowest line, with the programs that the tests used.
pub(crate) fn bounded(workspace: &Workspace) -> Outcome {
    run::status(&mut workspace.programs())?;
    let (baud, seconds) = BOUNDED;
    let baud = vec![baud];
    table(workspace, "debug", &BusTime { baud, seconds })
}

/// Every rate, for some twenty cycles each.
pub(crate) fn full(workspace: &Workspace) -> Outcome {
    let (baud, seconds) = (RATES.to_vec(), 40);
    bus_time(workspace, &BusTime { baud, seconds })
}

fn table(workspace: &Workspace, profile: &str, wanted: &BusTime) -> Outcome {
    let folder = workspace.path("target/bus-time");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|error| Failure::new(format!("target/bus-time: {error}")))?;
    }
    let programs = workspace.target().join(profile);
    println!("| baud | cycles | requests | least | took, mean | ratio | too early |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut short = Vec::new();
    for baud in &wanted.baud {
        let place = folder.join(baud.to_string());
        let cycles = read(workspace, &programs, &place, (*baud, wanted.seconds))?;
        println!("| {baud} | {cycles} |");
        if cycles.permille() > PERMILLE_MAX || cycles.early > 0 || cycles.count < 2 {
            short.push(baud.to_string());
        }
    }
    Failure::unless_empty(
        &short,
        "rates at which a cycle takes more than 1.10 times its line time, or a request comes before the silence is over",
    )?;
    Ok("every cycle within 1.10 times the time of its line, no request too early".to_owned())
}

/// What a node does on a line of this rate.
fn read(
    workspace: &Workspace,
    programs: &Path,
    folder: &Path,
    (baud, seconds): (u32, u32),
) -> Result<Cycles, Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let line = SlowLine::start(workspace, folder, baud)?;
    let node = Node::start(programs, folder, &contract(&line.device, baud))?;
    sleep(Duration::from_secs(u64::from(seconds)));
    node.end("1970-01-01T00:00:00Z")?;
    Ok(Cycles::of(&line.exchanges()?, u64::from(baud)))
}

/// The relay and the meters behind it, which run until this is dropped.
struct SlowLine {
    child: Child,
    folder: PathBuf,
    device: String,
}

impl SlowLine {
    fn start(workspace: &Workspace, folder: &Path, baud: u32) -> Result<Self, Failure> {
        let units: Vec<String> = (1..=METERS).map(|unit| unit.to_string()).collect();
        let mut command = Command::new(setup::peers(workspace).join("bin/python"));
        command
            .arg(workspace.root().join("xtask/src/bus_time/slow_line.py"))
            .arg(folder)
            .args(["--baud", &baud.to_string(), "--units", &units.join(",")])
            .stdin(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| Failure::new(format!("`{}`: {error}", run::shown(&command))))?;
        let mut line = Self {
            child,
            folder: folder.to_owned(),
            device: String::new(),
        };
        let described = (0..LOOKS_MAX).find_map(|_| {
            sleep(LOOK_EVERY);
            let text = fs::read_to_string(folder.join("line.json")).ok()?;
            let described: Value = serde_json::from_str(&text).ok()?;
            Some(described.get("device")?.as_str()?.to_owned())
        });
        line.device = described.ok_or_else(|| Failure::new("the line is not there"))?;
        Ok(line)
    }

    fn exchanges(&self) -> Result<Vec<Exchange>, Failure> {
        let path = self.folder.join("line.jsonl");
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).map_err(|error| failed(&error))?;
            Exchange::of(&line).ok_or_else(|| failed(&"a line of another form"))
        });
        lines.collect()
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        // It takes the meters with it, where it is let end by itself.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn contract(device: &str, baud: u32) -> String {
    let mut text = format!(
        "[station]\norigin = \"example.org/bus-time\"\n[storage]\nsegment_size = \"8MiB\"\nsegments = 4\n\
         [[schedule]]\nid = \"cycle\"\nevery = \"2s\"\n\
         [[profile]]\nid = \"meter\"\n\
         [[profile.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\n\
         [[profile.point]]\nid = \"power\"\nregister = \"holding:2\"\ntype = \"i32\"\n\
         [[port]]\nid = \"line\"\nkind = \"modbus-rtu\"\ndevice = \"{device}\"\nbaud = {baud}\nparity = \"none\"\nstop_bits = 2\n"
    );
    for unit in 1..=METERS {
        let _ = writeln!(
            text,
            "[[meter]]\nid = \"m{unit:02}\"\nport = \"line\"\nunit = {unit}\nschedule = \"cycle\"\nprofile = \"meter\""
        );
    }
    text
}
