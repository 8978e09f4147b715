//! Whatever is wrong with what holds the keys: status says what and what to do, the node captures and commits on, and once it is
//! mended the checkpoints catch up and the stretch without any is an entry.

mod slow_stores;

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{about, done, number, program, text, wait_until};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use trial_stores::{Relay, SOFTHSM_MODULE, SoftHsm, Swtpm};

const ORIGIN: &str = "example.org/bad-keys";
/// Between two looks at a status, and how many are made; generous, for machines that do much at once.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOKS_MAX: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(60);
/// Nodes that run at once.
const AT_ONCE: usize = 4;
/// Longer than the signer waits for a TPM.
const TOO_SLOW: Duration = Duration::from_secs(5);
/// Shorter than that, and with all commands of a seal longer than the recorder waits.
const SLOW_EACH: Duration = Duration::from_millis(1_800);
/// Nothing that waited for a TPM would be durable within this.
const DURABLE_NS_MAX: u64 = 3_500_000_000;
/// Readings that show that a node captures on.
const FEW: u64 = 10;

/// What holds the keys of a node.
struct Stores {
    tpm: Swtpm,
    other: Swtpm,
    relay: Relay,
    token: SoftHsm,
}

/// How its keys are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Tpm,
    Token,
    /// By a module that can take its time.
    SlowToken,
}

/// One thing that goes wrong.
struct Case {
    what: &'static str,
    kept: Kept,
    /// Whether the node is stopped while it goes wrong, and while it is mended.
    stopped: [bool; 2],
    harm: fn(&mut Stores),
    mend: fn(&mut Stores),
    /// The state in `status`, its cause, and what the cure says.
    told: [&'static str; 3],
    /// What the newest `unsealed` entry may name as the cause; none where checkpoints come and are not bound.
    unsealed: &'static [&'static str],
    /// The alarm that stands in the log for it.
    alarm: Option<&'static str>,
    /// How the status stands once it is mended.
    at_last: &'static str,
}

const SLOW_WITH_EACH: &str = "TPM slow with each command";

const CASES: [Case; 9] = [
    Case {
        what: "wrong PIN",
        kept: Kept::Token,
        stopped: [true, true],
        harm: |stores| stores.token.write_pin("0000"),
        mend: |stores| stores.token.write_pin(trial_stores::PIN),
        told: ["missed", "wrong_pin", "restart the node"],
        unsealed: &["wrong_pin"],
        alarm: None,
        at_last: "sealing",
    },
    Case {
        what: "token missing",
        kept: Kept::Token,
        stopped: [true, false],
        harm: |stores| stores.token.draw(true),
        mend: |stores| stores.token.draw(false),
        told: ["missed", "token_missing", "put the token back"],
        unsealed: &["token_missing"],
        alarm: None,
        at_last: "sealing",
    },
    Case {
        what: "TPM slow",
        kept: Kept::Tpm,
        stopped: [false, false],
        harm: |stores| stores.relay.slow(TOO_SLOW),
        mend: |stores| stores.relay.slow(Duration::ZERO),
        told: ["missed", "slow", "look at the device"],
        unsealed: &["slow"],
        alarm: None,
        at_last: "sealing",
    },
    Case {
        what: SLOW_WITH_EACH,
        kept: Kept::Tpm,
        stopped: [false, false],
        harm: |stores| stores.relay.slow(SLOW_EACH),
        mend: |stores| stores.relay.slow(Duration::ZERO),
        told: ["missed", "no_answer", "look at the device"],
        unsealed: &["no_answer"],
        alarm: None,
        at_last: "sealing",
    },
    Case {
        what: "TPM gone",
        kept: Kept::Tpm,
        stopped: [false, false],
        harm: |stores| stores.tpm.cut(),
        mend: |stores| stores.tpm.on(),
        told: ["missed", "unavailable", "look at the device"],
        unsealed: &["unavailable"],
        alarm: None,
        at_last: "sealing",
    },
    Case {
        what: "counter undefined and defined again in one run",
        kept: Kept::Tpm,
        stopped: [false, false],
        harm: undefine,
        mend: define,
        told: ["unbound", "counter_undefined", "move it on once"],
        unsealed: &[],
        alarm: Some("running replaced_counter"),
        at_last: "sealing",
    },
    Case {
        what: "counter undefined in a run and defined again before the next",
        kept: Kept::Tpm,
        stopped: [false, true],
        harm: undefine,
        mend: define,
        told: ["unbound", "counter_undefined", "move it on once"],
        unsealed: &[],
        alarm: Some("start replaced_counter"),
        at_last: "sealing",
    },
    Case {
        what: "attestation key replaced in a run",
        kept: Kept::Tpm,
        stopped: [false, false],
        harm: |stores| stores.relay.lead_to(&stores.other.socket()),
        mend: |stores| stores.relay.lead_to(&stores.tpm.socket()),
        told: ["missed", "key_replaced", "put the store back"],
        // The wire to the one was cut before the other answered.
        unsealed: &["unavailable", "key_replaced"],
        alarm: Some("running replaced_counter"),
        at_last: "sealing",
    },
    // Another machine's TPM: by design nothing is sealed in this generation any more.
    Case {
        what: "attestation key replaced between two runs",
        kept: Kept::Tpm,
        stopped: [true, false],
        harm: |stores| stores.relay.lead_to(&stores.other.socket()),
        mend: |stores| stores.relay.lead_to(&stores.tpm.socket()),
        told: ["missed", "key_replaced", "put the store back"],
        unsealed: &[],
        alarm: Some("start cloned_image"),
        at_last: "ended",
    },
];

/// The index of the plain counter of a TPM that nothing else was made in.
const PLAIN: &str = "0x1800101";

fn undefine(stores: &mut Stores) {
    let said = stores.tpm.tool("tpm2_nvundefine", &["-C", "o", PLAIN]);
    assert!(said.status.success(), "{said:?}");
}

/// As docs/keys.md says.
fn define(stores: &mut Stores) {
    let attributes = "nt=counter|authwrite|authread|no_da";
    let define = ["-C", "o", "-s", "8", "-a", attributes, PLAIN];
    let said = stores.tpm.tool("tpm2_nvdefine", &define);
    assert!(said.status.success(), "{said:?}");
    let moved = stores.tpm.tool("tpm2_nvincrement", &["-C", PLAIN, PLAIN]);
    assert!(moved.status.success(), "{moved:?}");
}

impl Stores {
    fn new() -> Self {
        let (tpm, other) = (Swtpm::new(), Swtpm::new());
        let relay = Relay::to(&tpm.socket());
        let token = SoftHsm::new("station");
        Self {
            tpm,
            other,
            relay,
            token,
        }
    }

    fn keys(&self, kept: Kept, data: &Path) -> String {
        let module = match kept {
            Kept::SlowToken => self.token.slow_module(),
            Kept::Tpm | Kept::Token => SOFTHSM_MODULE.into(),
        };
        let mut init = Command::new(program("fieldnotary-signer"));
        init.arg("init").arg("--identity");
        init.arg(data.join("identity")).args(["--origin", ORIGIN]);
        match kept {
            Kept::Tpm => init
                .args(["--backend", "tpm", "--socket"])
                .arg(self.relay.socket()),
            Kept::Token | Kept::SlowToken => init
                .args(["--backend", "pkcs11", "--token", "station", "--module"])
                .arg(module)
                .arg("--pin-file")
                .arg(self.token.pin_file())
                .arg("--allow")
                .arg(self.token.folder()),
        };
        init.env("SOFTHSM2_CONF", self.token.configuration());
        let said = done(&mut init).out;
        said.lines().next().unwrap().to_owned()
    }
}

fn entries(data: &Path, kind: &str) -> Vec<Value> {
    about("log", data, &["--kind", kind]).entries()
}

/// A node under one case.
struct Site<'d> {
    dir: &'d Path,
    contract: Contract,
    stores: Stores,
}

impl Site<'_> {
    fn start(&self) -> Node {
        let mut command = Command::new(program("fieldnotary"));
        command.env("SOFTHSM2_CONF", self.stores.token.configuration());
        Node::start_by(command, self.dir, "node", &self.contract, &[])
    }

    /// Does something to the stores, with the node stopped meanwhile or not.
    fn meanwhile(&mut self, node: Node, stopped: bool, what: fn(&mut Stores)) -> Node {
        if !stopped {
            what(&mut self.stores);
            return node;
        }
        node.stop();
        what(&mut self.stores);
        self.start()
    }
}

/// Waits until the seals of a status stand so.
fn stands(node: &Node, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..LOOKS_MAX {
        let status = node.status();
        if is_so(&status["seals"]) {
            return status;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    panic!("{what}: {}\n{}", node.status()["seals"], node.words());
}

/// Readings are captured and committed while nothing, or nothing bound, comes of the keys; no answer waits for them.
fn captures_on(case: &Case, node: &Node) -> u64 {
    let before = node.status();
    node.wait_for("readings", number(&before, "readings") + FEW);
    let after = node.status();
    let of = |key| (number(&before, key), number(&after, key));
    let (was, is) = of("log_size");
    assert!(is >= was + FEW, "{}: {was} to {is}", case.what);
    let (was, is) = of("sealed_size");
    match case.told[0] {
        "unbound" => assert!(is >= was, "{}", case.what),
        _ => assert_eq!(was, is, "{}", case.what),
    }
    let durable = number(&after["capture_to_durable_ns"], "p99");
    assert!(durable < DURABLE_NS_MAX, "{}: {durable} ns", case.what);
    number(&after, "log_size")
}

/// What stands in the log of it.
fn is_told(case: &Case, data: &Path, size: u64) {
    let unsealed = entries(data, "unsealed");
    match (case.unsealed, unsealed.last()) {
        ([], found) => assert_eq!(found, None, "{}", case.what),
        (causes, Some(found)) => {
            assert!(causes.contains(&text(found, "cause")), "{found}");
            // A run that was stopped without seals has told of all that it missed, and not of the first alone.
            let least = if case.stopped[1] { 2 } else { 1 };
            assert!(number(found, "missed") >= least, "{found}");
            // A seal that was under way as it was mended is of a head from before.
            let least = match case.what {
                SLOW_WITH_EACH => number(found, "sealed_before") + 1,
                _ => size,
            };
            assert!(number(found, "sealed") >= least, "{found} {least}");
        }
        (_, None) => panic!("{}: no entry", case.what),
    }
    let alarms = entries(data, "rollback");
    let told = |one: &Value| format!("{} {}", text(one, "witness"), text(one, "alarm"));
    let told: Vec<String> = alarms.iter().map(told).collect();
    let due: Vec<&str> = case.alarm.into_iter().collect();
    assert_eq!(told, due, "{}: {alarms:?}", case.what);
}

fn lives_through(case: &Case) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::with(dir, &["--tcp", "127.0.0.1:0", "--meters", "1"], "");
    let contract = Contract::new(ORIGIN, "256KiB", 16);
    let contract = street.contract_every(contract, "200ms");
    let mut site = Site {
        dir,
        contract,
        stores: Stores::new(),
    };
    let anchor = site.stores.keys(case.kept, &dir.join("node"));
    let node = site.start();
    let sealing = |seals: &Value| text(seals, "state") == "sealing";
    let status = stands(&node, "seals at first", sealing);
    // What the signer said of its store stands by now, and it is not asked for it with each seal any more.
    node.wait_for("sealed_size", number(&status, "log_size") + FEW);

    let node = site.meanwhile(node, case.stopped[0], case.harm);
    let [state, cause, cure] = case.told;
    // A store that goes while it binds a head has signed that one: it is unbound first.
    let stand = |seals: &Value| seals["cause"] == cause && seals["state"] == state;
    let status = stands(&node, cause, stand);
    let says = text(&status["seals"], "cure");
    assert!(says.contains(cure), "{says}");
    let size = captures_on(case, &node);

    let node = site.meanwhile(node, case.stopped[1], case.mend);
    let last = stands(&node, case.at_last, |seals| {
        text(seals, "state") == case.at_last
    });
    match case.at_last {
        "sealing" => node.wait_for("sealed_size", size),
        _ => {
            let says = text(&last["seals"], "cure");
            assert!(says.contains("fieldnotary adopt"), "{says}");
            captures_on(case, &node);
        }
    }
    // What is another store or counter is told with the next head.
    let told = || case.alarm.is_none() || !entries(node.data(), "rollback").is_empty();
    wait_until(case.what, PATIENCE, || told().then_some(()));
    is_told(case, node.data(), size);
    let data = node.stop();
    let said = about("verify", &data, &["--anchor", &anchor]);
    let verdict = said.json();
    let findings = verdict["findings"].as_array().unwrap();
    let other = findings.iter().find(|one| text(one, "kind") != "rollback");
    assert_eq!(other, None, "{}", case.what);
    let code = i32::from(case.alarm.is_some());
    assert_eq!(said.code, Some(code), "{}: {said:?}", case.what);
}

//= A6.2
//= A6.4
//= A6.7
#[test]
fn a_node_says_what_is_wrong_with_its_keys_captures_on_and_catches_up() {
    let cases = Mutex::new(CASES.iter());
    let next = || cases.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = next() {
                    lives_through(case);
                }
            });
        }
    });
}

/// The cure of docs/keys.md with the node stopped: one counter is told once, and what comes in its place is bound to at once, also
/// within the interval in which the counter itself is not moved.
//= A6.4
#[test]
fn a_counter_that_was_defined_anew_is_told_once_over_starts_and_bound_to_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let street = Street::with(dir, &["--tcp", "127.0.0.1:0", "--meters", "1"], "");
    let contract = Contract::new(ORIGIN, "256KiB", 16);
    let mut site = Site {
        dir,
        contract: street.contract_every(contract, "200ms"),
        stores: Stores::new(),
    };
    let anchor = site.stores.keys(Kept::Tpm, &dir.join("node"));
    let node = site.start();
    let sealing = |seals: &Value| text(seals, "state") == "sealing";
    stands(&node, "seals at first", sealing);
    let plain = |data: &Path| {
        let bindings = entries(data, "binding");
        let plain = |one: &&Value| text(one, "counter") == "plain";
        let values = bindings.iter().filter(plain);
        values.map(|one| number(one, "value")).collect::<Vec<u64>>()
    };
    let first = plain(node.data());
    assert_eq!(first.len(), 1, "{first:?}");
    let mut node = site.meanwhile(node, false, undefine);
    stands(&node, "no counter", |seals| {
        seals["cause"] == "counter_undefined"
    });
    node = site.meanwhile(node, true, define);
    for start in 0..3 {
        let status = node.status();
        node.wait_for("sealed_size", number(&status, "log_size") + FEW);
        let told = entries(node.data(), "rollback");
        assert_eq!(told.len(), 1, "start {start}: {told:?}");
        let words = text(&told[0], "detail");
        assert!(!words.contains("nothing"), "{words}");
        // It stands where the increment left it: to bind to it costs no step.
        let bound = plain(node.data());
        assert_eq!(bound.len(), 2, "start {start}: {bound:?}");
        assert!(bound[1] > first[0], "{bound:?}");
        node = site.meanwhile(node, true, |_| {});
    }
    let data = node.stop();
    let verdict = about("verify", &data, &["--anchor", &anchor]).json();
    assert_eq!(
        verdict["keys"]["bound"]["plain"],
        plain(&data)[1],
        "{verdict}"
    );
}
