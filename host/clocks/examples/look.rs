//! Looks at the sources of time that it is given and prints a recording; remarks say when the clock was set.
//!
//! `cargo run -p fieldnotary-clocks --example look -- 10 rtc=/dev/rtc0 ptp=/var/run/ptp4l ...`

use fieldnotary_clocks::{
    CardClock, Chronyd, ClockSetSignal, Daemon, Probe, Ptp4l, Rtc, Thermal, compare, mono,
    recording,
};
use std::path::Path;
use std::time::Duration;

const LOOK_EVERY_NS: u64 = 1_000_000_000;
const USAGE: &str =
    "look SECONDS [rtc=PATH] [thermal=PATH] [ptp=SOCKET] [chrony=SOCKET] [card=N] ...";

fn probe(word: &str, directory: &Path) -> Result<Box<dyn Probe>, String> {
    let (kind, value) = word.split_once('=').ok_or(USAGE)?;
    let daemon = || Daemon::new(Path::new(value), directory);
    Ok(match kind {
        "rtc" => Box::new(Rtc::new(value.into())),
        "thermal" => Box::new(Thermal::new(value.into())),
        "ptp" => Box::new(Ptp4l::new(&daemon(), None, 0, 0).map_err(|error| error.to_string())?),
        "chrony" => Box::new(Chronyd::new(&daemon()).map_err(|error| error.to_string())?),
        "card" => Box::new(CardClock::new(value.parse().map_err(|_| USAGE)?)),
        _ => return Err(USAGE.into()),
    })
}

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (seconds, words) = words.split_first().ok_or(USAGE)?;
    let seconds: u64 = seconds.parse().map_err(|_| USAGE)?;
    let directory = std::env::current_dir().map_err(|error| error.to_string())?;
    let probes: Result<Vec<_>, _> = words.iter().map(|word| probe(word, &directory)).collect();
    let mut probes = probes?;
    let mut signal = ClockSetSignal::new().map_err(|error| error.to_string())?;
    let end = mono().plus_ns(seconds * 1_000_000_000);
    print!("{}", recording::write(&[]));
    while mono() < end {
        let compared = compare();
        println!("# {compared:?}");
        if signal.take().map_err(|error| error.to_string())? {
            println!("# the clock was set");
        }
        for probe in &mut probes {
            let mut line = String::new();
            recording::append(&mut line, &probe.look(mono()));
            print!("{line}");
        }
        let now = mono();
        let best = probes.iter().find_map(|probe| probe.best_look(now));
        let next = best.unwrap_or(now.plus_ns(LOOK_EVERY_NS));
        std::thread::sleep(Duration::from_nanos(next.since(now)));
    }
    Ok(())
}
