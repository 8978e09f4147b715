//! The keys in the chip: their tests against the device itself, how long it takes, and other keys.

use crate::station::{Boot, Station};
use crate::ways::{FEW, Verdict, demand};
use serde_json::{Value, json};

/// Makes the tools callable by the names that tests and people use, and shows what the firmware wrote down.
pub(crate) const TOOLS: &str = "mount -t securityfs securityfs /sys/kernel/security; \
     export TPM2TOOLS_TCTI=device:/dev/tpmrm0 OPENSSL_CONF=/etc/openssl.cnf; ln -sf /usr/bin/openssl /programs/openssl; \
     for tool in checkquote createek eventlog flushcontext getcap nvdefine nvincrement nvundefine nvwrite; \
     do ln -sf /usr/bin/tpm2 /programs/tpm2_$tool; done";
/// The tests of the keys that need no power over the TPM; the machine has one chip, so one at a time.
const TESTS: &str = "FIELDNOTARY_TPM=/dev/tpmrm0 FIELDNOTARY_TPM_AUTHORITIES=/etc/authorities.pem \
     keys-tests tpm:: --skip programs:: --test-threads 1";
/// So many there are at least.
const TESTS_MIN: u64 = 17;
/// On the disk, as a node's identity is.
const BENCH: &str = "TMPDIR=/ext4 FIELDNOTARY_TPM=/dev/tpmrm0 keys-bench";

/// What the tests of the keys ask of a program behind a socket, asked of the chip behind the kernel's driver.
pub(crate) fn tests(station: &mut Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.do_it(TOOLS)?;
    let said = boot.slowly(TESTS)?;
    let passed = said.split(" passed;").next().unwrap_or_default();
    let passed = passed.rsplit(' ').next().unwrap_or_default();
    let passed: u64 = passed.parse().map_err(|_| said.clone())?;
    demand(passed >= TESTS_MIN, || format!("{passed} tests: {said}"))?;
    let names = said.lines().filter_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... ok")?;
        name.rsplit("::").next()
    });
    Ok(json!({"passed": passed, "tests": names.collect::<Vec<_>>()}))
}

/// How long each thing takes that the signer asks the chip for, and a seal.
pub(crate) fn bench(station: &mut Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.do_it(TOOLS)?;
    let said = boot.slowly(BENCH)?;
    let lines: Vec<&str> = said.lines().collect();
    demand(lines.len() > 1, || said.clone())?;
    Ok(json!({"lines": lines}))
}

/// The log verifies with these keys alone, the verdict naming one rotation.
fn verified_by(boot: &mut Boot, keys: &str) -> Result<(), String> {
    let line = format!("fieldnotary verify /ext4/node --anchor \"$(head -n 1 {keys})\" --json");
    let (code, said) = boot.run(&line)?;
    demand(code == 0, || format!("{keys}: {code}: {said}"))?;
    let verdict: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
    let rotated = verdict.pointer("/keys/rotated").and_then(Value::as_array);
    demand(rotated.is_some_and(|all| all.len() == 1), || {
        format!("{keys}: rotated {rotated:?}")
    })
}

/// The keys are followed by others of the same chip and the same counters, also over a reset of the machine.
pub(crate) fn rotated(station: &mut Station) -> Verdict {
    let mut boot = station.boot(true)?;
    boot.start_node()?;
    let before = boot.entries("binding")?.len();
    boot.more_than(before, "binding")?;
    boot.do_it("fieldnotary keys rotate /ext4/node --reason yearly --actor ada --json")?;
    boot.more_than(0, "key_rotation")?;
    let before = boot.entries("binding")?.len();
    boot.more_than(before + FEW, "binding")?;
    boot.stop_node()?;
    let mut boot = station.boot(true)?;
    let before = boot.entries("binding")?.len();
    boot.start_node()?;
    let bindings = boot.more_than(before + FEW, "binding")?.len();
    let rotations = boot.entries("key_rotation")?.len();
    demand(rotations == 1, || format!("{rotations} rotations"))?;
    let alarms = boot.entries("rollback")?;
    demand(alarms.is_empty(), || format!("{alarms:?}"))?;
    boot.rest()?;
    for keys in ["/ext4/keys", "/ext4/node/identity/keys.vkey"] {
        verified_by(&mut boot, keys)?;
    }
    Ok(json!({"bindings": bindings}))
}
