//! What befalls the machine, and what its log must say of it.

use crate::station::{Boot, Station};
use serde_json::{Value, json};

type Verdict = Result<Value, String>;
/// A way by its name. Each begins with the machine off, and goes on from where the one before it ended.
type Way = fn(&mut Station) -> Verdict;

pub(crate) const ALL: [(&str, Way); 6] = [
    ("sealed by the chip", sealed),
    ("measured by the firmware", measured),
    ("without power", without_power),
    ("without the chip", without_chip),
    ("an older disk", older_disk),
    ("an older chip", older_chip),
];
/// Bindings that show that seals come.
const FEW: usize = 3;
/// Readings that show that the node captures on.
const READINGS: u64 = 10;

fn demand(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    holds.then_some(()).ok_or_else(what)
}

fn number(status: &Value, key: &str) -> u64 {
    status.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'v>(entry: &'v Value, key: &str) -> &'v str {
    entry.get(key).and_then(Value::as_str).unwrap_or("-")
}

/// The node signs no more, and says why as it begins.
fn alarm(boot: &mut Boot, due: &str) -> Result<(), String> {
    let alarms = boot.more_than(0, "rollback")?;
    let found = alarms.iter().find(|one| text(one, "alarm") == due);
    demand(
        found.is_some_and(|one| text(one, "witness") == "start"),
        || format!("{due} was due, told was {alarms:?}"),
    )
}

/// The whole log verifies under the key that was printed when it was made.
fn verified(boot: &mut Boot) -> Result<Value, String> {
    let (code, said) =
        boot.run("fieldnotary verify /ext4/node --anchor \"$(head -n 1 /ext4/keys)\" --json")?;
    demand(code == 0, || format!("verify ended with {code}: {said}"))?;
    serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))
}

/// Keys are made in the chip, checkpoints bound to its counter, and the log says what kind of chip it is.
fn sealed(station: &mut Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.do_it("test -c /dev/tpmrm0")?;
    boot.make_keys()?;
    boot.start_node()?;
    let bindings = boot.more_than(FEW, "binding")?.len();
    let store = boot.entries("key_store")?;
    // A program behind a real driver is still a program.
    let custody = store.first().map_or("-", |one| text(one, "custody"));
    demand(custody == "tpm-emulated", || format!("custody {custody}"))?;
    let verdict = verified(&mut boot)?;
    boot.stop_node()?;
    Ok(json!({"custody": custody, "bindings": bindings, "sealed": verdict.get("sealed_entries")}))
}

/// The firmware has measured into the chip before any system ran: the log of a node says what, as the chip has it.
fn measured(station: &mut Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.do_it("mount -t securityfs securityfs /sys/kernel/security")?;
    let first = boot.do_it("cat /sys/class/tpm/tpm0/pcr-sha256/0")?;
    let first = first.trim().to_lowercase();
    demand(first.len() == 64 && first.chars().any(|c| c != '0'), || {
        format!("PCR 0 is {first}")
    })?;
    let told = boot.entries("boot")?.len();
    let attested = boot.entries("attestation")?.len();
    boot.start_node()?;
    let entries = boot.more_than(told, "boot")?;
    let entry = entries.last().cloned().unwrap_or_default();
    let state = text(&entry, "state");
    demand(state == "replayed", || format!("{state}: {entry}"))?;
    let pcrs = entry.get("pcrs").and_then(Value::as_array);
    let zero = pcrs
        .and_then(|pcrs| pcrs.first())
        .cloned()
        .unwrap_or_default();
    demand(text(&zero, "value") == first, || {
        format!("PCR 0 is {first} to the kernel and {zero} to the node")
    })?;
    boot.more_than(attested, "attestation")?;
    verified(&mut boot)?;
    boot.stop_node()?;
    let stages = entry.get("stages").and_then(Value::as_array);
    Ok(json!({
        "state": state,
        "log_bytes": entry.get("log_bytes"),
        "stages": stages.map(Vec::len),
        "measurement_id": entry.get("measurement_id"),
    }))
}

/// A machine that loses its power goes on sealing, and nothing is called a rollback.
fn without_power(station: &mut Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    let before = boot.entries("binding")?.len();
    boot.more_than(before + FEW, "binding")?;
    drop(boot);
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    let before = boot.entries("binding")?.len();
    let bindings = boot.more_than(before + FEW, "binding")?.len();
    let alarms = boot.entries("rollback")?;
    demand(alarms.is_empty(), || format!("{alarms:?}"))?;
    verified(&mut boot)?;
    boot.stop_node()?;
    Ok(json!({"bindings": bindings}))
}

/// Without its chip a node captures and commits; with it again the stretch is an entry, and seals go on.
fn without_chip(station: &mut Station) -> Verdict {
    let mut boot = station.boot(false)?;
    let (code, _) = boot.run("test -c /dev/tpmrm0")?;
    demand(code != 0, || "the chip is there".to_owned())?;
    let bindings = boot.entries("binding")?.len();
    boot.start_node()?;
    boot.seen("signer_unavailable", |boot| {
        let events = boot.entries("event")?;
        let told = events
            .iter()
            .any(|one| text(one, "code") == "signer_unavailable");
        Ok(told.then_some(()))
    })?;
    let before = boot.status()?;
    let after = boot.seen("readings without the chip", |boot| {
        let now = boot.status()?;
        let more = number(&now, "readings") >= number(&before, "readings") + READINGS;
        Ok(more.then_some(now))
    })?;
    let grown = number(&after, "log_size").saturating_sub(number(&before, "log_size"));
    demand(grown >= READINGS, || {
        format!("{grown} entries were committed")
    })?;
    let state = after.pointer("/seals/cause").and_then(Value::as_str);
    demand(state == Some("unavailable"), || format!("seals: {state:?}"))?;
    let sealed = |status: &Value| number(status, "sealed_size");
    let same = boot.entries("binding")?.len();
    demand(
        same == bindings && sealed(&before) == sealed(&after),
        || "something was sealed".to_owned(),
    )?;
    boot.stop_node()?;
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    let unsealed = boot.more_than(0, "unsealed")?;
    boot.more_than(bindings + FEW, "binding")?;
    verified(&mut boot)?;
    boot.stop_node()?;
    Ok(json!({"unsealed": unsealed.first(), "committed_without": grown}))
}

/// Seals until the chip's durable counter has moved, then stops.
fn counter_moves(station: &Station) -> Result<(), String> {
    let mut boot = station.boot(true)?;
    // It moves seldom, for its wear; without the mark of the last time at the first seal.
    boot.do_it("rm -f /ext4/node/identity/plain-counter")?;
    let plain = |boot: &mut Boot| {
        let bindings = boot.entries("binding")?;
        Ok::<_, String>(
            bindings
                .iter()
                .filter(|one| text(one, "counter") == "plain")
                .count(),
        )
    };
    let before = plain(&mut boot)?;
    boot.start_node()?;
    boot.seen("a step of the plain counter", |boot| {
        Ok((plain(boot)? > before).then_some(()))
    })?;
    let bindings = boot.entries("binding")?.len();
    boot.more_than(bindings + FEW, "binding")?;
    boot.stop_node()
}

/// The disk of some hours ago in front of the chip of today.
fn older_disk(station: &mut Station) -> Verdict {
    let older = station.copy(&station.disk(), "older")?;
    counter_moves(station)?;
    let newer = station.copy(&station.disk(), "newer")?;
    older.put_back()?;
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    alarm(&mut boot, "older_image")?;
    boot.stop_node()?;
    newer.put_back()?;
    Ok(json!({}))
}

/// The chip of some hours ago behind the disk of today.
fn older_chip(station: &mut Station) -> Verdict {
    let older = station.copy(&station.chip(), "older")?;
    counter_moves(station)?;
    older.put_back()?;
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    alarm(&mut boot, "replaced_counter")?;
    boot.stop_node()?;
    Ok(json!({}))
}
