//! The collector as the second witness: each rollback of a log that says nothing of it, or knows nothing of it, has its
//! alarm here, in the record, the audit, the request log and the answer; what comes is kept all the same.

use std::path::Path;

use ed25519_dalek::ed25519::signature::Signer as _;
use evidence::kinds::{self, Binding, BindingCounter, KeyStore, Predecessor};
use evidence::reasons::{AdoptionCause, CounterKind, Custody, RollbackAlarm};
use evidence::{Blob, Digest, Generation, MonoNs};
use exchange::{CollectorAlarm, Limits, Node, NodeConfig};
use p256::ecdsa::DerSignature;
use proof::note::p256_spki;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tpm::{KeyPublic, NvPublic};

use crate::common::{Collector, Log, Uplink, ix};

const EVERY: usize = usize::MAX;
/// The bit of an index that was incremented.
const WRITTEN: u32 = 1 << 29;
/// The hierarchy of endorsement.
const ENDORSEMENT: u32 = 0x4000_000b;

/// A TPM as its attestations show it: counters, resets, clock.
#[derive(Clone)]
struct Chip {
    plain: u64,
    orderly: u64,
    resets: u32,
    clock_ms: u64,
}

fn name(public: &[u8]) -> Vec<u8> {
    [&[0, 0x0b][..], &Sha256::digest(public)].concat()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

fn index(counter: CounterKind) -> Vec<u8> {
    let orderly = counter == CounterKind::Orderly;
    let mut public = NvPublic::counter(if orderly { 2 } else { 1 }, orderly).bytes();
    let attributes = u32::from_be_bytes(public[6..10].try_into().unwrap()) ^ WRITTEN;
    public[6..10].copy_from_slice(&attributes.to_be_bytes());
    public
}

fn key_public(log: &Log) -> Vec<u8> {
    let spki = p256_spki(log.key.verifying_key());
    let (x, y) = spki[spki.len() - 64..].split_at(32);
    let mut public = KeyPublic::authority_template(x.try_into().unwrap());
    public.truncate(public.len() - 2);
    [&public[..], &[0, 32], y].concat()
}

impl Chip {
    const fn new() -> Self {
        Self {
            plain: 40,
            orderly: 900,
            resets: 3,
            clock_ms: 1_000,
        }
    }

    /// A run begins: the store is told of, then a seal with both counters.
    fn starts(&mut self, log: &mut Log) {
        log.epoch += 1;
        let counters = [CounterKind::Orderly, CounterKind::Plain].map(|counter| BindingCounter {
            counter,
            public: Blob(index(counter)),
        });
        let stated = KeyStore {
            at: MonoNs(1),
            custody: Custody::Tpm,
            maker: "IFX SLB9".into(),
            non_exportable: true,
            monotonic_counter: true,
            attestation: true,
            measured_boot: false,
            key_public: Some(Blob(key_public(log))),
            counters: counters.into(),
            window_ns: None,
            not_applied: Vec::new(),
        };
        log.push(&stated.into());
        self.seals(log, true);
    }

    fn seals(&mut self, log: &mut Log, plain: bool) {
        log.grow(3);
        let sealed = log.seal();
        log.push(
            &kinds::Checkpoint {
                at: MonoNs(1),
                size: sealed.head.size,
                root: Digest(sealed.head.root.0),
                note: sealed.note.clone(),
                custody: Custody::Tpm,
            }
            .into(),
        );
        let (text, _) = sealed.note.split_once("\n\n").unwrap();
        self.binds(log, CounterKind::Orderly, sealed.head.size, text);
        if plain {
            self.binds(log, CounterKind::Plain, sealed.head.size, text);
        }
    }

    fn binds(&mut self, log: &mut Log, counter: CounterKind, size: u64, text: &str) {
        self.clock_ms += 500;
        let value = match counter {
            CounterKind::Plain => &mut self.plain,
            CounterKind::Orderly => &mut self.orderly,
        };
        *value += 1;
        let of_key = name(&key_public(log));
        let signer = name(&[&ENDORSEMENT.to_be_bytes()[..], &of_key].concat());
        let attest = [
            &[0xff, 0x54, 0x43, 0x47, 0x80, 0x14][..],
            &sized(&signer),
            &sized(&Sha256::digest(format!("{text}\n"))),
            &self.clock_ms.to_be_bytes(),
            &self.resets.to_be_bytes(),
            &[0, 0, 0, 0, 1],
            &[0; 8],
            &sized(&name(&index(counter))),
            &[0, 0],
            &sized(&value.to_be_bytes()),
        ]
        .concat();
        let signature: DerSignature = log.key.sign(&attest);
        let binding = Binding {
            at: MonoNs(2),
            size,
            counter,
            value: *value,
            attest: Blob(attest),
            signature: Blob(signature.as_bytes().to_vec()),
        };
        log.push(&binding.into());
    }
}

/// A log that was delivered whole, and its collector.
struct Site {
    log: Log,
    chip: Chip,
    collector: Collector,
}

impl Site {
    fn delivered() -> Self {
        let (mut log, mut chip) = (Log::new(1, None), Chip::new());
        let collector = Collector::new(&log);
        chip.starts(&mut log);
        chip.seals(&mut log, false);
        chip.resets += 1;
        chip.starts(&mut log);
        let mut site = Self {
            log,
            chip,
            collector,
        };
        assert_eq!(site.delivers(), site.log.size());
        assert_eq!(site.alarms(), Vec::<Value>::new());
        site
    }

    /// Delivers what the log has as one that began anew, and gives what is cosigned then.
    fn delivers(&mut self) -> u64 {
        let mut uplink = Uplink::new(&self.collector, &self.log, None);
        uplink.deliver(&mut self.collector, &self.log, EVERY, |_, _| {});
        uplink.acked().unwrap_or(0)
    }

    fn alarms(&self) -> Vec<Value> {
        recorded(&self.collector, &self.log)["alarms"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// An alarm stands once, and everywhere where one looks.
    fn is_found(&self, case: &str, alarm: &str, shown_by: &str) -> Value {
        let alarms = self.alarms();
        assert_eq!(alarms.len(), 1, "{case}: {alarms:#?}");
        let found = alarms[0].clone();
        assert_eq!(found["alarm"], alarm, "{case}: {found}");
        assert_eq!(found["shown_by"], shown_by, "{case}: {found}");
        let told = self.collector.requests();
        let told = told.iter().filter_map(|one| one["alarms"].as_array());
        assert_eq!(told.flatten().collect::<Vec<_>>(), [&found], "{case}");
        let book = self.collector.book("alarms.jsonl");
        assert_eq!(book.len(), 1, "{case}: {book:?}");
        assert_eq!(book[0]["scope"], self.log.origin.as_str(), "{case}");
        assert!(book[0]["reason"].as_str().unwrap().starts_with(alarm));
        found
    }

    /// What the collector says of the log as it starts.
    fn ready(&self) -> Value {
        let text = std::fs::read_to_string(self.collector.dir.path().join("ready.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn record(collector: &Collector, log: &Log) -> std::path::PathBuf {
    collector.log_dir(log).join("state/witness.json")
}

fn recorded(collector: &Collector, log: &Log) -> Value {
    read(&record(collector, log))
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// How a log comes to be another than before, with no word of it in its entries.
type Case = (&'static str, fn(&mut Site), &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "an older image: what was sealed at two steps never came, and the run that follows says nothing",
        |site| {
            site.chip.plain += 2;
            site.chip.starts(&mut site.log);
        },
        "older_image",
        "counter",
    ),
    (
        "an older image, or a log that was cut: its newest head is one of long ago",
        |site| {
            let size = ix(site.log.size());
            site.log.leaves.truncate(size - 5);
        },
        "older_image",
        "head",
    ),
    (
        "a cut log that went on, and is behind all the same",
        |site| {
            let size = ix(site.log.size());
            site.log.leaves.truncate(size - 5);
            site.log.branch = 1;
            site.log.grow(2);
        },
        "older_image",
        "fork",
    ),
    (
        "a cut log that went on beyond",
        |site| {
            let size = ix(site.log.size());
            site.log.leaves.truncate(size - 5);
            site.log.branch = 1;
            site.log.grow(9);
        },
        "cloned_image",
        "fork",
    ),
    (
        "a clone: another has moved the counter while this one ran",
        |site| {
            site.chip.plain += 1;
            site.chip.seals(&mut site.log, true);
        },
        "cloned_image",
        "counter",
    ),
    (
        "a replaced counter",
        |site| {
            (site.chip.plain, site.chip.orderly) = (3, 70);
            site.chip.starts(&mut site.log);
        },
        "replaced_counter",
        "counter",
    ),
    (
        "an older copy of the TPM",
        |site| {
            site.chip.resets -= 1;
            site.chip.starts(&mut site.log);
        },
        "replaced_counter",
        "counter",
    ),
];

//= A6.4
#[test]
fn each_rollback_of_a_silent_log_has_its_alarm_here_and_entries_are_kept_all_the_same() {
    for (case, happens, alarm, shown_by) in CASES {
        let mut site = Site::delivered();
        let before = site.log.size();
        happens(&mut site);
        let cosigned = site.delivers();
        let found = site.is_found(case, alarm, shown_by);
        match *shown_by {
            // Kept and cosigned: the ack says that it is stored, the alarm what it shows.
            "counter" => {
                assert_eq!(cosigned, site.log.size(), "{case}");
                assert!(found["entry"].as_u64().unwrap() >= before, "{case}");
            }
            _ => assert!(cosigned < before, "{case}"),
        }
        // Who asks again, and a collector that was killed, find the same one.
        site.delivers();
        site.collector.kill();
        site.collector.start();
        site.delivers();
        site.is_found(case, alarm, shown_by);
        let ready = site.ready();
        assert_eq!(ready["logs"][0]["alarms"][0], found, "{case}");
        assert_eq!(ready["witness_begun"], Value::Array(Vec::new()), "{case}");
    }
}

//= A6.4
#[test]
fn the_answer_to_the_node_names_the_alarm_until_a_new_generation_follows_which_is_named() {
    let mut site = Site::delivered();
    let bound = site.chip.orderly;
    (site.chip.plain, site.chip.orderly) = (3, 70);
    site.chip.starts(&mut site.log);
    site.delivers();
    let said = probe(&site.collector, &site.log).unwrap();
    let said = CollectorAlarm::read(&said).unwrap();
    assert_eq!(said.alarm, RollbackAlarm::ReplacedCounter);
    assert_eq!((said.bound, said.value), (Some(bound), Some(71)));

    let head = site.log.seal().head;
    let named = Predecessor {
        generation: Generation(1),
        size: head.size,
        root: Digest(head.root.0),
        checkpoint: None,
        cause: Some(AdoptionCause::Conflict),
    };
    let old = std::mem::replace(&mut site.log, Log::new(2, Some(named)));
    site.chip.starts(&mut site.log);
    assert_eq!(site.delivers(), site.log.size());
    assert_eq!(
        site.alarms(),
        Vec::<Value>::new(),
        "the new counter is taken"
    );
    assert_eq!(probe(&site.collector, &site.log), None);
    assert_eq!(probe(&site.collector, &old), None);
    let followed = &recorded(&site.collector, &old)["followed_by"];
    assert_eq!(followed["origin"], site.log.origin.as_str());
    assert_eq!(followed["cause"], "conflict");
    // The one that was left goes on somewhere: that is another copy.
    let new = std::mem::replace(&mut site.log, old);
    site.log.grow(4);
    assert!(site.delivers() < site.log.size());
    let alarms = site.alarms();
    assert_eq!(
        alarms.last().unwrap()["alarm"],
        "cloned_image",
        "{alarms:?}"
    );
    assert_eq!(
        recorded(&site.collector, &new)["alarms"],
        Value::Array(Vec::new())
    );
}

/// The newest disk was put back, and the log goes on: it was no rollback that lasted, and the record says so.
//= A6.4
#[test]
fn an_older_image_that_gives_way_to_the_newest_stands_no_more() {
    let mut site = Site::delivered();
    let newest = site.log.leaves.clone();
    site.log.leaves.truncate(newest.len() - 5);
    site.delivers();
    site.is_found("behind", "older_image", "head");
    site.log.leaves = newest;
    site.chip.seals(&mut site.log, true);
    let size = site.delivers();
    let alarms = site.alarms();
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0]["went_on"], size);
    site.collector.kill();
    site.collector.start();
    assert_eq!(site.ready()["logs"][0]["alarms"], Value::Array(Vec::new()));
}

/// What a version without a witness left is judged as far as it reaches back, which is said once.
//= A6.4
#[test]
fn a_directory_of_before_is_judged_from_where_it_is_said_once() {
    let mut site = Site::delivered();
    (site.chip.plain, site.chip.orderly) = (3, 70);
    site.chip.starts(&mut site.log);
    site.delivers();
    site.collector.kill();
    std::fs::remove_file(record(&site.collector, &site.log)).unwrap();
    site.collector.start();
    let ready = site.ready();
    assert_eq!(ready["witness_begun"][0]["since"], 0, "{ready}");
    let found = &ready["logs"][0]["alarms"][0];
    assert_eq!(found["alarm"], "replaced_counter", "{ready}");
    site.collector.kill();
    site.collector.start();
    assert_eq!(site.ready()["witness_begun"], Value::Array(Vec::new()));
    assert_eq!(&site.ready()["logs"][0]["alarms"][0], found);
}

/// The alarm in the answer to a node that asks where the collector stands.
fn probe(collector: &Collector, log: &Log) -> Option<String> {
    let config = NodeConfig {
        origin: log.origin.clone(),
        cosigner: collector.cosigner.clone(),
        limits: Limits::default(),
    };
    let mut node = Node::new(config, None);
    node.ask();
    node.caught_up();
    let tick = exchange::Tick {
        now: MonoNs(0),
        random: 0,
    };
    let exchange::Action::Send(request) = node.poll(tick) else {
        panic!("no question");
    };
    let url = format!("https://{}/{}", collector.addr(), request.path);
    let post = collector.agent(true).post(&url);
    let answered = post
        .content_type(request.content_type)
        .send(&request.body[..])
        .unwrap();
    let alarm = answered.headers().get(exchange::ALARM_HEADER);
    alarm.map(|value| value.to_str().unwrap().to_owned())
}
