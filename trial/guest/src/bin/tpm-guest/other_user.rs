//! Keys with a user of their own, as docs/keys.md gives them away: the chip's device belongs to a group that this user alone is in.

use crate::station::{Boot, Station};
use crate::ways::{FEW, Verdict, demand, text, verified};
use serde_json::{Value, json};

/// Users and groups, which this guest forgets with its power.
const USERS: &str = "\
    echo 'fieldnotary:x:900:900::/:/bin/sh' >>/etc/passwd; \
    echo 'fieldnotary-keys:x:901:900::/:/bin/sh' >>/etc/passwd; \
    echo 'fieldnotary:x:900:' >>/etc/group; echo 'tss:x:59:' >>/etc/group";
/// The keys move where they are their user's.
const GIVEN: &str = "\
    cd /ext4/node/identity && mkdir -m 0700 /ext4/keeper && mkdir -m 0700 /ext4/keeper/identity && \
    for file in store.toml ed25519.pem last-signed plain-counter; do test ! -e $file || mv $file /ext4/keeper/identity; done && \
    cp keys.vkey /ext4/keeper/identity && \
    { test ! -e rotation-001.note || cp rotation-*.note /ext4/keeper/identity; }; \
    cd / && chown -R fieldnotary-keys:fieldnotary /ext4/keeper && \
    mkdir -m 0750 /run/keeper && chown fieldnotary-keys:fieldnotary /run/keeper";
/// Looks at the keys as their user.
const CHECK: &str = "su -s /bin/sh fieldnotary-keys -c 'fieldnotary-signer check --identity /ext4/keeper/identity' 2>&1";
const SERVE: &str = "\
    su -s /bin/sh fieldnotary-keys -c 'fieldnotary-signer run --identity /ext4/keeper/identity \
    --socket /run/keeper/signer.sock --origin example.org/guest --for fieldnotary' >/run/signer.log 2>&1 &";

/// The entries of the signer that are new, once there is one.
fn store(boot: &mut Boot, before: usize) -> Result<Value, String> {
    let all = boot.more_than(before, "key_store")?;
    all.last().cloned().ok_or_else(|| "no entry".to_owned())
}

/// Whoever runs the node has neither the keys nor the chip, and the log is sealed and bound; what protects the signer stands in it.
pub(crate) fn signer(station: &mut Station) -> Verdict {
    station.and_back(given)
}

fn given(station: &Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.do_it(USERS)?;
    boot.do_it(GIVEN)?;
    boot.do_it("chgrp tss /dev/tpmrm0 && chmod 0660 /dev/tpmrm0")?;
    let (code, said) = boot.run(CHECK)?;
    demand(code != 0 && said.contains("usually tss"), || {
        format!("outside of the group: {code}: {said}")
    })?;
    boot.do_it("sed -i 's/^tss:.*/tss:x:59:fieldnotary-keys/' /etc/group")?;
    boot.do_it(CHECK)?;
    boot.do_it(SERVE)?;
    let stores = boot.entries("key_store")?.len();
    let bindings = boot.entries("binding")?.len();
    boot.start_node_with("--user fieldnotary --signer /run/keeper/signer.sock --reason trial")?;
    let store = store(&mut boot, stores)?;
    let bindings = boot.more_than(bindings + FEW, "binding")?.len();
    let alarms = boot.entries("rollback")?;
    demand(alarms.is_empty(), || format!("{alarms:?}"))?;
    demand(text(&store, "custody") == "tpm-emulated", || {
        format!("{store}")
    })?;
    let lacks = store.get("not_applied").cloned().unwrap_or_default();
    demand(!lacks.to_string().contains("a user of its own"), || {
        format!("not applied: {lacks}")
    })?;
    let (code, said) = boot
        .run("su -s /bin/sh fieldnotary -c 'cat /dev/tpmrm0 /ext4/keeper/identity/store.toml'")?;
    demand(code != 0, || format!("the node's user reads {said}"))?;
    let who = "for pid in $(pidof fieldnotary-signer); do \
         grep -E '^(Uid|Gid|Groups|NoNewPrivs|Seccomp):' /proc/$pid/status; done";
    let who = boot.do_it(who)?;
    verified(&mut boot)?;
    boot.rest()?;
    boot.do_it("killall fieldnotary-signer")?;
    let who: Vec<&str> = who.lines().collect();
    Ok(json!({"bindings": bindings, "not_applied": lacks, "signer": who}))
}
