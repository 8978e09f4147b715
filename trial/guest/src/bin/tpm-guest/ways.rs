//! What befalls the machine, and what its log must say of it.

use crate::station::{Boot, Station};
use crate::{firmware, keys, other_user, rollback};
use serde_json::{Value, json};

pub(crate) type Verdict = Result<Value, String>;
/// A way by its name. Each begins with the machine off, and goes on from where the one before it ended.
type Way = fn(&mut Station) -> Verdict;

/// The way that makes the keys.
pub(crate) const FIRST: &str = "sealed by the chip";
pub(crate) const ALL: [(&str, Way); 14] = [
    (FIRST, sealed),
    ("measured by the firmware", measured),
    ("the tests of the keys", keys::tests),
    ("how long it takes", keys::bench),
    ("without power", without_power),
    ("without the chip", without_chip),
    ("other keys", keys::rotated),
    ("a firmware raised and lowered", firmware::judged),
    ("a signer of another user", other_user::signer),
    ("a cloned disk", rollback::cloned_disk),
    ("a log that was cut", rollback::log_that_was_cut),
    ("a counter made anew", rollback::counter_made_anew),
    ("an older disk", rollback::older_disk),
    ("an older chip", rollback::older_chip),
];
/// Bindings that show that seals come.
pub(crate) const FEW: usize = 3;
/// Readings that show that the node captures on.
pub(crate) const READINGS: u64 = 10;

pub(crate) fn demand(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    holds.then_some(()).ok_or_else(what)
}

pub(crate) fn number(status: &Value, key: &str) -> u64 {
    status.get(key).and_then(Value::as_u64).unwrap_or(0)
}

pub(crate) fn text<'v>(entry: &'v Value, key: &str) -> &'v str {
    entry.get(key).and_then(Value::as_str).unwrap_or("-")
}

/// The whole log verifies under the key that was printed when it was made.
pub(crate) fn verified(boot: &mut Boot) -> Result<Value, String> {
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
