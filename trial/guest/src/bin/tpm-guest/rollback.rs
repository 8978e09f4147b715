//! The log is not the one that went before, or its counter is not: each is told apart as the node begins.

use crate::keys::TOOLS;
use crate::station::{Boot, Station};
use crate::ways::{FEW, Verdict, demand, text};
use serde_json::{Value, json};

/// The node says that alarm and no other, as it begins or while it runs.
pub(crate) fn alarm(boot: &mut Boot, due: &str, witness: &str) -> Result<(), String> {
    let alarms = boot.more_than(0, "rollback")?;
    let told = |one: &Value| text(one, "alarm") == due && text(one, "witness") == witness;
    let same = |one: &Value| text(one, "alarm") == due;
    let holds = alarms.iter().any(told) && alarms.iter().all(same);
    demand(holds, || {
        format!("{due} was due ({witness}), told was {alarms:?}")
    })
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
pub(crate) fn older_disk(station: &mut Station) -> Verdict {
    let older = station.copy(&station.disk(), "older")?;
    counter_moves(station)?;
    let newer = station.copy(&station.disk(), "newer")?;
    older.put_back()?;
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    alarm(&mut boot, "older_image", "start")?;
    boot.stop_node()?;
    newer.put_back()?;
    Ok(json!({}))
}

/// The chip of some hours ago behind the disk of today.
pub(crate) fn older_chip(station: &mut Station) -> Verdict {
    let older = station.copy(&station.chip(), "older")?;
    counter_moves(station)?;
    older.put_back()?;
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    alarm(&mut boot, "replaced_counter", "start")?;
    boot.stop_node()?;
    Ok(json!({}))
}

/// The disk of today in another machine of the same maker.
pub(crate) fn cloned_disk(station: &mut Station) -> Verdict {
    station.and_back(|station| {
        station.other_chip()?;
        let mut boot = station.boot(true)?;
        boot.start_node()?;
        alarm(&mut boot, "cloned_image", "start")?;
        boot.stop_node()?;
        Ok(json!({}))
    })
}

/// The journal of some time ago, beside all else of today.
pub(crate) fn log_that_was_cut(station: &mut Station) -> Verdict {
    station.and_back(|station| {
        let mut boot = station.boot(true)?;
        boot.do_it("cp -a /ext4/node/journal /ext4/journal-before")?;
        let before = boot.entries("binding")?.len();
        boot.start_node()?;
        boot.more_than(before + FEW, "binding")?;
        boot.rest()?;
        boot.do_it("rm -rf /ext4/node/journal && mv /ext4/journal-before /ext4/node/journal")?;
        boot.start_node()?;
        alarm(&mut boot, "truncated_log", "start")?;
        boot.stop_node()?;
        Ok(json!({}))
    })
}

/// The chip's owner undefines the plain counter while the node runs, and defines it again.
pub(crate) fn counter_made_anew(station: &mut Station) -> Verdict {
    station.and_back(|station| {
        let mut boot = station.boot(true)?;
        boot.do_it(TOOLS)?;
        let line = "sed -n 's/^plain = //p' /ext4/node/identity/store.toml";
        let plain = boot.do_it(line)?.trim().to_owned();
        let before = boot.entries("binding")?.len();
        boot.start_node()?;
        boot.more_than(before + FEW, "binding")?;
        boot.do_it(&format!("tpm2_nvundefine -C o {plain}"))?;
        boot.seen("counter_undefined", |boot| {
            let status = boot.status()?;
            let cause = status.pointer("/seals/cause").and_then(Value::as_str);
            Ok((cause == Some("counter_undefined")).then_some(()))
        })?;
        let attributes = "nt=counter|authwrite|authread|no_da";
        boot.do_it(&format!(
            "tpm2_nvdefine {plain} -C o -s 8 -a '{attributes}'; tpm2_nvincrement {plain} -C {plain}"
        ))?;
        alarm(&mut boot, "replaced_counter", "running")?;
        let bindings = boot.entries("binding")?.len();
        boot.more_than(bindings + FEW, "binding")?;
        boot.stop_node()?;
        Ok(json!({"plain": plain}))
    })
}
