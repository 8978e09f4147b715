//! What is done to the chip and on the line, and what the adapter must say of it.

use crate::bench::{Bench, LINES, line, open, open_channels};
use crate::{outputs, uart};
use lines::{Fault, Source};
use serde_json::{Value, json};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use trial_guest::SHELL;

/// Edges of the burst.
const BURST: u32 = 10_000;
/// Edges that nobody reads, and what the kernel holds of them.
const UNREAD: u32 = 1_000;
const HELD: u32 = 64;
/// How long what was done may take to be seen.
const SETTLE: Duration = Duration::from_millis(200);
/// The kernel's debounce of the line that is tried with it, and a glitch below it.
const DEBOUNCE_US: u32 = 50_000;
const GLITCH: Duration = Duration::from_millis(5);

pub(crate) type Verdict = Result<Value, String>;
/// A way by its name.
type Way = (&'static str, fn(&Bench) -> Verdict);

/// Every way, each as a line of JSON; the last line says that this is the end.
pub(crate) fn all() {
    let ways: [Way; 14] = [
        ("levels", levels),
        ("burst", burst),
        ("nobody reads", unread),
        ("debounce", debounce),
        ("line in use", in_use),
        ("outputs", outputs::driven),
        ("outputs refused", outputs::refused),
        ("what is not there", not_there),
        ("unplugged while open", unplugged),
        ("hwmon", sensor),
        ("iio", converter),
        ("uart", uart::exchanges),
        ("uart unread", uart::flood),
        ("uart without transceiver", uart::no_transceiver),
    ];
    match Bench::plug() {
        Ok(bench) => ways.iter().for_each(|(name, way)| tell(name, way(&bench))),
        Err(error) => tell("plug", Err(error)),
    }
    println!("{}", json!({"end": true}));
}

fn tell(name: &str, verdict: Verdict) {
    println!(
        "{}",
        match verdict {
            Ok(figures) => json!({"way": name, "ok": true, "figures": figures}),
            Err(error) => json!({"way": name, "ok": false, "why": error}),
        }
    );
}

fn opened(bench: &Bench, lines: &[(u32, u32)], buffer: u32) -> Result<Box<dyn Source>, String> {
    let wanted: Vec<_> = lines
        .iter()
        .map(|(one, debounce)| line(*one, *debounce))
        .collect();
    bench
        .open(&wanted, buffer)?
        .map_err(|fault| fault.to_string())
}

pub(crate) fn demand(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    holds.then_some(()).ok_or_else(what)
}

/// The level of each line is what it is pulled to.
fn levels(bench: &Bench) -> Verdict {
    let mut card = opened(bench, &[(0, 0), (3, 0), (7, 0)], HELD)?;
    for up in [[false, true, false], [true, false, true]] {
        for (line, up) in [0, 3, 7].into_iter().zip(up) {
            bench.pull(line, up)?;
        }
        let seen = card.levels().map_err(|fault| fault.to_string())?;
        let seen: Vec<(u32, bool)> = seen.iter().map(|level| (level.line, level.high)).collect();
        let due: Vec<(u32, bool)> = [0, 3, 7].into_iter().zip(up).collect();
        demand(seen == due, || format!("{seen:?}, not {due:?}"))?;
    }
    for line in [0, 3, 7] {
        bench.pull(line, false)?;
    }
    Ok(json!({"lines": 3}))
}

/// What came: how many, in whose order, and which numbers are missing.
#[derive(Debug, Default)]
struct Taken {
    edges: u32,
    lost: u32,
    last: Option<(u64, u32, bool)>,
    disorder: Option<String>,
}

impl Taken {
    fn take(&mut self, card: &mut dyn Source) -> Result<usize, String> {
        let edges = card
            .edges(clocks::mono())
            .map_err(|fault| fault.to_string())?;
        for edge in &edges {
            let (at, number, before) = (edge.at.0, edge.line_seqno, self.last);
            let (then, last, rising) = before.unwrap_or((0, 0, !edge.rising));
            self.lost += number.wrapping_sub(last).wrapping_sub(1);
            let follows = number.wrapping_sub(last) == 1;
            if at < then || number <= last || (follows && rising == edge.rising) {
                let seen = format!("{edge:?} behind {before:?}");
                self.disorder.get_or_insert(seen);
            }
            self.last = Some((at, number, edge.rising));
            self.edges += 1;
        }
        Ok(edges.len())
    }

    fn in_order(&self) -> Result<(), String> {
        self.disorder.clone().map_or(Ok(()), Err)
    }
}

/// As fast as one processor gives them: all are there, or a number says which are not.
fn burst(bench: &Bench) -> Verdict {
    let mut card = opened(bench, &[(1, 0)], 1_024)?;
    let mut taken = Taken::default();
    let began = clocks::mono();
    std::thread::scope(|scope| {
        let pulls =
            scope.spawn(|| (0..BURST).try_for_each(|edge| bench.pull(1, edge.is_multiple_of(2))));
        while !pulls.is_finished() {
            if taken.take(card.as_mut())? == 0 {
                sleep(Duration::from_micros(200));
            }
        }
        pulls
            .join()
            .map_err(|_| "the hand on the line failed".to_owned())?
    })?;
    let took_ns = clocks::mono().since(began).max(1);
    sleep(SETTLE);
    while taken.take(card.as_mut())? > 0 {}
    taken.in_order()?;
    let all = taken.edges + taken.lost;
    demand(all == BURST, || format!("{taken:?}: {all} of {BURST}"))?;
    let per_s = u64::from(BURST) * 1_000_000_000 / took_ns;
    Ok(json!({"edges": taken.edges, "lost": taken.lost, "per_s": per_s}))
}

/// The kernel drops what it cannot hold, and its numbers tell how many.
fn unread(bench: &Bench) -> Verdict {
    let mut card = opened(bench, &[(2, 0)], HELD)?;
    (0..UNREAD).try_for_each(|edge| bench.pull(2, edge.is_multiple_of(2)))?;
    sleep(SETTLE);
    let mut taken = Taken::default();
    while taken.take(card.as_mut())? > 0 {}
    // One more tells what was lost behind the last that was held.
    bench.pull(2, true)?;
    sleep(SETTLE);
    while taken.take(card.as_mut())? > 0 {}
    bench.pull(2, false)?;
    taken.in_order()?;
    let all = taken.edges + taken.lost;
    demand(all == UNREAD + 1, || {
        format!("{taken:?}: {all} of {}", UNREAD + 1)
    })?;
    demand(taken.lost > 0 && taken.edges >= HELD, || {
        format!("{taken:?}")
    })?;
    Ok(json!({"edges": taken.edges, "lost": taken.lost, "held": HELD}))
}

/// A glitch shorter than the debounce is no edge; what lasts is one.
fn debounce(bench: &Bench) -> Verdict {
    let mut card = opened(bench, &[(4, DEBOUNCE_US)], HELD)?;
    let mut taken = Taken::default();
    bench.pull(4, true)?;
    sleep(GLITCH);
    bench.pull(4, false)?;
    sleep(SETTLE);
    taken.take(card.as_mut())?;
    demand(taken.edges == 0, || {
        format!("a glitch came through: {taken:?}")
    })?;
    bench.pull(4, true)?;
    sleep(SETTLE);
    taken.take(card.as_mut())?;
    bench.pull(4, false)?;
    demand(taken.edges == 1, || {
        format!("a level that lasted: {taken:?}")
    })?;
    Ok(json!({"debounce_us": DEBOUNCE_US}))
}

/// Who has a line is named.
fn in_use(bench: &Bench) -> Verdict {
    let first = opened(bench, &[(5, 0)], HELD)?;
    let again = bench.open(&[line(5, 0)], HELD)?;
    drop(first);
    match again {
        Err(Fault::Busy { line: 5, by, .. }) if by == "line-guest" => Ok(json!({"by": by})),
        Err(other) => Err(other.to_string()),
        Ok(_) => Err("the line was given twice".to_owned()),
    }
}

fn not_there(bench: &Bench) -> Verdict {
    let missing = open("/dev/gpiochip99", &[line(0, 0)], HELD)?.err();
    demand(matches!(missing, Some(Fault::Missing(_))), || {
        format!("{missing:?}")
    })?;
    let other = open("/dev/null", &[line(0, 0)], HELD)?.err();
    demand(matches!(other, Some(Fault::NotAChip(_))), || {
        format!("{other:?}")
    })?;
    let beyond = open(bench.chip(), &[line(LINES, 0)], HELD)?.err();
    demand(
        matches!(beyond, Some(Fault::NoSuchLine { lines: LINES, .. })),
        || format!("{beyond:?}"),
    )?;
    Ok(json!({}))
}

/// A chip that goes is told as gone, not as a line at rest.
fn unplugged(bench: &Bench) -> Verdict {
    let mut card = opened(bench, &[(6, 0)], HELD)?;
    bench.unplug()?;
    sleep(SETTLE);
    let edges = card.edges(clocks::mono()).err();
    demand(matches!(edges, Some(Fault::Gone(_))), || {
        format!("edges: {edges:?}")
    })?;
    let levels = card.levels().err();
    demand(matches!(levels, Some(Fault::Gone(_))), || {
        format!("levels: {levels:?}")
    })?;
    let again = open(bench.chip(), &[line(6, 0)], HELD)?.err();
    demand(matches!(again, Some(Fault::Missing(_))), || {
        format!("again: {again:?}")
    })?;
    Ok(json!({}))
}

/// A driver of hardware monitoring and a chip on a bus: what the chip says is what the channel says.
fn sensor(_bench: &Bench) -> Verdict {
    plug_sensor("new", "lm75 0x48")?;
    let mut card = channels("/sys/class/hwmon/hwmon0")?;
    // 25.5 and -10 degrees as the chip's data sheet has them, the more significant byte first.
    for (word, due) in [("0x8019", "25500"), ("0x00f6", "-10000")] {
        chip_says(word)?;
        // The driver asks the chip at most every 1.5 seconds.
        sleep(Duration::from_secs(2));
        expect(card.as_mut(), "temp1_input", due)?;
    }
    let none = card.sample("in0_input", clocks::mono()).err();
    demand(matches!(none, Some(Fault::NoSuchChannel { .. })), || {
        format!("{none:?}")
    })?;
    plug_sensor("delete", "0x48")?;
    let gone = card.sample("temp1_input", clocks::mono()).err();
    demand(matches!(gone, Some(Fault::Gone(_))), || format!("{gone:?}"))?;
    Ok(json!({"driver": "lm75"}))
}

/// A driver of industrial I/O: raw numbers and their scales.
fn converter(_bench: &Bench) -> Verdict {
    let device = "/config/iio/devices/dummy/bench";
    std::fs::create_dir(device).map_err(|error| format!("{device}: {error}"))?;
    let mut card = channels("/sys/bus/iio/devices/iio:device0")?;
    for (channel, due) in [
        ("in_voltage0_raw", "73"),
        ("in_voltage0_scale", "0.001333"),
        ("in_accel_x_raw", "34"),
    ] {
        expect(card.as_mut(), channel, due)?;
    }
    Ok(json!({"driver": "iio_dummy"}))
}

fn channels(path: &str) -> Result<Box<dyn Source>, String> {
    open_channels(path)?.map_err(|fault| fault.to_string())
}

fn expect(card: &mut dyn Source, channel: &str, due: &str) -> Result<(), String> {
    let seen = card.sample(channel, clocks::mono());
    let seen = seen.map_err(|fault| fault.to_string())?.to_string();
    demand(seen == due, || format!("{channel} is {seen}, not {due}"))
}

/// Binds the driver to the chip, or takes it away.
fn plug_sensor(what: &str, word: &str) -> Result<(), String> {
    let file = format!("/sys/bus/i2c/devices/i2c-0/{what}_device");
    std::fs::write(&file, word).map_err(|error| format!("{file}: {error}"))
}

/// Sets the chip's register of the temperature.
fn chip_says(word: &str) -> Result<(), String> {
    let mut set = Command::new(SHELL);
    set.args(["i2cset", "-f", "-y", "0", "0x48", "0", word, "w"]);
    trial_guest::said_by(&mut set).map(drop)
}
