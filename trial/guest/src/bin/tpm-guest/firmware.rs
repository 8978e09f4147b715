//! The firmware's version, kept by a counter of the chip: raised, lower, and lower with the disk of that time.

use crate::rollback::alarm;
use crate::station::{Boot, Station};
use crate::ways::{READINGS, Verdict, demand, number, text, verified};
use serde_json::{Value, json};

/// The version of the image at first, and the one that follows it.
const OLDER: u32 = 7;
const NEWER: u32 = 8;

/// Runs the node on an image of this version until its log says this of it; gives that entry.
fn run(boot: &mut Boot, version: u32, rule: &str, due: &str) -> Result<Value, String> {
    boot.do_it(&format!(
        "test -e /etc/base.toml || cp /etc/station.toml /etc/base.toml; echo SECURITY_VERSION={version} >/etc/os-release; \
         {{ cat /etc/base.toml; echo '[firmware]'; echo 'file = \"/etc/os-release\"'; echo 'rollback = \"{rule}\"'; }} \
         >/etc/station.toml"
    ))?;
    let before = boot.entries("firmware")?.len();
    boot.start_node_with("--reason trial")?;
    // The chip is heard a little later than the disk.
    let entry = boot.seen("the firmware, by the chip", |boot| {
        let entries = boot.entries("firmware")?;
        let new = entries.get(before..).unwrap_or_default();
        let heard = |one: &&Value| {
            let bound = one.get("value").is_some_and(Value::is_u64);
            bound || text(one, "counter") == "ahead"
        };
        Ok(new.iter().rfind(heard).cloned())
    })?;
    let outcome = text(&entry, "outcome");
    demand(outcome == due, || format!("{due} was due: {entry}"))?;
    Ok(entry)
}

/// The node captures.
fn captures(boot: &mut Boot) -> Result<(), String> {
    boot.seen("readings", |boot| {
        let readings = number(&boot.status()?, "readings");
        Ok((readings >= READINGS).then_some(()))
    })
}

/// It does not.
fn captures_nothing(boot: &mut Boot) -> Result<(), String> {
    let status = boot.status()?;
    let running = status.get("processes").map(Value::to_string);
    let io = running.is_some_and(|all| all.contains("\"io"));
    let readings = number(&status, "readings");
    demand(readings == 0 && !io, || {
        format!("{readings} readings: {status}")
    })
}

/// The value of the chip's counter that an entry is bound to, kept by it.
fn value(entry: &Value) -> Result<u64, String> {
    demand(text(entry, "kept") == "counter", || format!("{entry}"))?;
    let value = entry.get("value").and_then(Value::as_u64);
    value.ok_or_else(|| format!("bound to no value: {entry}"))
}

/// A version is bound to the chip's counter; a higher one moves it by one, a lower one is observed or blocked.
pub(crate) fn judged(station: &mut Station) -> Verdict {
    station.and_back(raised_and_lowered)
}

fn raised_and_lowered(station: &Station) -> Verdict {
    let mut boot = station.boot(true)?;
    let first = value(&run(&mut boot, OLDER, "block", "first")?)?;
    captures(&mut boot)?;
    boot.stop_node()?;
    let of_older = station.copy(&station.disk(), "of-older")?;

    let mut boot = station.boot(true)?;
    let raised = value(&run(&mut boot, NEWER, "block", "raised")?)?;
    demand(raised == first + 1, || format!("{first}, then {raised}"))?;
    boot.rest()?;
    run(&mut boot, OLDER, "observe", "observed")?;
    captures(&mut boot)?;
    boot.rest()?;
    let bindings = boot.entries("binding")?.len();
    run(&mut boot, OLDER, "block", "blocked")?;
    // The log goes on, and is sealed.
    boot.more_than(bindings, "binding")?;
    captures_nothing(&mut boot)?;
    boot.rest()?;
    let verdict = verified(&mut boot)?;
    drop(boot);

    // Image and disk of before the update: nothing on them knows of it, and the chip does. That the disk is an older one is found too.
    of_older.put_back()?;
    let mut boot = station.boot(true)?;
    let found = run(&mut boot, OLDER, "block", "blocked")?;
    demand(text(&found, "counter") == "ahead", || format!("{found}"))?;
    captures_nothing(&mut boot)?;
    alarm(&mut boot, "older_image", "start")?;
    boot.stop_node()?;
    Ok(
        json!({"values": [first, raised], "verdict": verdict.get("firmware"), "exchanged": found.get("detail")}),
    )
}
