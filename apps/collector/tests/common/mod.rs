//! A log that seals and loses, a collector's process, and a node's uplink over real HTTPS.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use evidence::kinds::{EpochStart, Loss, Predecessor, Reading};
use evidence::reasons::{
    EpochCause, HoldoverReason, LossCause, TimeQuality, TimeStatus, TruthClass,
};
use evidence::{
    Blob, BootId, Captured, CommitId, Digest, Entry, Epoch, Generation, Header, MeterId, MonoNs,
    Payload, PointId, Quality, SaltKey, Seq, SourceId, Stamp, TimeDetail, UtcNs, leaf_data,
};
use exchange::{
    Action, BATCH_HEADER, Failure, Head, Hole, Limits, Method, Need, Node, NodeConfig, Report,
    Request, Response, Run, Sealed, Supply, Tick,
};
use proof::note::{VerifierKey, p256_spki, sign_p256};
use proof::tree::leaf_hash;
use proof::{Checkpoint, CompactRange, Frontier};
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

pub(crate) const BASE: &str = "example.org/node7";

/// An index of a log as one of a slice.
pub(crate) fn ix(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

/// A log of one generation.
pub(crate) struct Log {
    key: p256::ecdsa::SigningKey,
    pub(crate) origin: String,
    generation: Generation,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) lost: Vec<(Hole, CommitId)>,
    pub(crate) branch: u64,
}

impl Log {
    pub(crate) fn new(generation: u64, predecessor: Option<Predecessor>) -> Self {
        let mut log = Self {
            key: p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap(),
            origin: format!("{BASE}/g{generation}"),
            generation: Generation(generation),
            leaves: Vec::new(),
            lost: Vec::new(),
            branch: 0,
        };
        log.push(
            &EpochStart {
                at: MonoNs(0),
                cause: EpochCause::FirstStart,
                boot_id: BootId([1; 16]),
                truth_class: TruthClass::SameDeviceSync,
                truth_degraded: false,
                rolled_forward: 0,
                dropped_bytes: 0,
                scan_bytes: 0,
                recovery_us: 0,
                predecessor,
            }
            .into(),
        );
        log
    }

    pub(crate) fn vkey(&self) -> VerifierKey {
        VerifierKey::p256(BASE, &p256_spki(self.key.verifying_key())).unwrap()
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn push(&mut self, payload: &Payload) {
        self.push_captured(Captured::new(payload));
    }

    pub(crate) fn push_captured(&mut self, captured: Captured) {
        let id = CommitId(self.size());
        let header = Header {
            kind: captured.kind,
            generation: self.generation,
            commit_id: id,
            epoch: Epoch(1),
        };
        let stamp = Stamp {
            timestamp: UtcNs(1_700_000_000_000_000_000),
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
        };
        let entry = Entry {
            header,
            stamp,
            captured,
        };
        let salt = SaltKey([4; 16]).salt(self.generation, id);
        self.leaves.push(leaf_data(&salt, &entry.encode()));
    }

    pub(crate) fn reading(&self) -> Payload {
        let seq = self.size();
        Reading {
            at: MonoNs(seq),
            meter_id: MeterId::new("m07").unwrap(),
            point_id: PointId::new("energy").unwrap(),
            source: SourceId::new("rs485-1").unwrap(),
            seq: Seq(seq),
            slot: None,
            attempt: self.branch,
            raw: Blob(seq.to_be_bytes().to_vec()),
            value: Some(format!("{seq}.5").parse().unwrap()),
            quality: Quality::GOOD,
            contract: CommitId(0),
        }
        .into()
    }

    pub(crate) fn grow(&mut self, count: u64) {
        for _ in 0..count {
            let reading = self.reading();
            self.push(&reading);
        }
    }

    pub(crate) fn lose(&mut self, first: u64, end: u64) {
        let mut range = CompactRange::empty(first);
        self.leaves[ix(first)..ix(end)]
            .iter()
            .for_each(|leaf| range.push(leaf_hash(leaf)));
        let hashes = range.hashes().to_vec();
        let id = CommitId(self.size());
        self.push(
            &Loss {
                at: MonoNs(0),
                first: CommitId(first),
                count: end - first,
                cause: LossCause::FrameDamaged,
                hashes: hashes.iter().map(|hash| Digest(hash.0)).collect(),
                segment: 0,
                offset_bytes: 0,
            }
            .into(),
        );
        let hole = Hole::new(first, end - first, LossCause::FrameDamaged, hashes).unwrap();
        self.lost.push((hole, id));
    }

    pub(crate) fn is_lost(&self, index: u64) -> bool {
        self.lost
            .iter()
            .any(|(hole, _)| hole.first() <= index && index < hole.end())
    }

    pub(crate) fn frontier(&self, size: u64) -> Frontier {
        let mut frontier = Frontier::new();
        self.leaves[..ix(size)]
            .iter()
            .for_each(|leaf| frontier.push(leaf_hash(leaf)));
        frontier
    }

    pub(crate) fn seal(&self) -> Sealed {
        let head = Head {
            size: self.size(),
            root: self.frontier(self.size()).root(),
        };
        let mut note = Checkpoint::new(&self.origin, head.size, head.root)
            .unwrap()
            .to_note()
            .unwrap();
        note.add(sign_p256(BASE, &self.key, note.text()).unwrap())
            .unwrap();
        Sealed {
            head,
            note: note.to_string(),
        }
    }

    fn supply(&self, need: Need) -> Supply {
        let mut runs = Vec::new();
        let mut at = need.from;
        while at < need.to {
            let lost = self
                .lost
                .iter()
                .find(|(hole, _)| hole.first() <= at && at < hole.end());
            if let Some((hole, named_by)) = lost {
                let rest = hole.part(at, hole.end()).unwrap();
                at = rest.end();
                runs.push(Run::Hole {
                    hole: rest,
                    named_by: *named_by,
                });
            } else {
                runs.push(Run::Leaf(self.leaves[ix(at)].clone()));
                at += 1;
            }
        }
        let frontier = need.frontier.then(|| self.frontier(need.from));
        Supply {
            from: need.from,
            frontier,
            runs,
        }
    }
}

/// A collector's directory and, while it runs, its process.
pub(crate) struct Collector {
    pub(crate) dir: TempDir,
    child: Option<Child>,
    addr: String,
    pub(crate) cosigner: VerifierKey,
    log_keys: Vec<String>,
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_fieldnotary-collector"))
}

impl Collector {
    pub(crate) fn new(log: &Log) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("c");
        let init = program()
            .args(["init", "--name", "collector.example.org", "--dir"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(init.status.success(), "{init:?}");
        let issue = program()
            .args(["issue", "--node", "node7", "--dir"])
            .arg(&path)
            .arg("--out")
            .arg(dir.path().join("node"))
            .status()
            .unwrap();
        assert!(issue.success());
        let vkey = String::from_utf8(init.stdout).unwrap();
        let mut collector = Self {
            dir,
            child: None,
            addr: String::new(),
            cosigner: vkey.trim().parse().unwrap(),
            log_keys: vec![log.vkey().to_string()],
        };
        collector.start();
        collector
    }

    pub(crate) fn start(&mut self) {
        let ready = self.dir.path().join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let mut command = program();
        command.args([
            "run",
            "--listen",
            "127.0.0.1:0",
            "--die-with-parent",
            "--dir",
        ]);
        command.arg(self.path()).arg("--ready-file").arg(&ready);
        command
            .arg("--log")
            .arg(self.dir.path().join("requests.jsonl"));
        for key in &self.log_keys {
            command.args(["--log-key", key]);
        }
        self.child = Some(command.stdin(Stdio::null()).spawn().unwrap());
        for _ in 0..1_000 {
            if let Ok(text) = std::fs::read_to_string(&ready)
                && let Ok(value) = serde_json::from_str::<Value>(&text)
            {
                self.addr = value["addr"].as_str().unwrap().to_owned();
                assert_eq!(value["vkey"].as_str().unwrap(), self.cosigner.to_string());
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the collector did not become ready");
    }

    /// Ends the process as a power cut would, as far as a process can be ended so.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.as_ref().unwrap().id()).unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("c")
    }

    pub(crate) fn log_dir(&self, log: &Log) -> PathBuf {
        self.path()
            .join("logs")
            .join(proof::tile::origin_directory(&log.origin))
    }

    pub(crate) fn addr(&self) -> &str {
        &self.addr
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("requests.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn agent(&self, with_certificate: bool) -> Agent {
        let node = self.dir.path().join("node");
        let read = |name: &str| std::fs::read(node.join(name)).unwrap();
        let ca = Certificate::from_pem(&read("ca.pem")).unwrap().to_owned();
        let client = with_certificate.then(|| {
            let chain: Vec<_> = parse_pem(&read("node.pem"))
                .filter_map(|item| match item.unwrap() {
                    PemItem::Certificate(certificate) => Some(certificate.to_owned()),
                    _ => None,
                })
                .collect();
            ClientCert::new_with_certs(&chain, PrivateKey::from_pem(&read("node.key")).unwrap())
        });
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[ca]))
            .client_cert(client)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .into()
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let url = format!("https://{}/{path}", self.addr);
        let mut response = self.agent(true).get(&url).call().unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_to_vec().unwrap(),
        )
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, String) {
        let url = format!("https://{}/{path}", self.addr);
        let post = self.agent(true).post(&url).content_type(content_type);
        let mut response = post.send(body).unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_to_string().unwrap(),
        )
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A node's uplink.
pub(crate) struct Uplink {
    pub(crate) node: Node,
    pub(crate) now: MonoNs,
    pub(crate) reports: Vec<Report>,
    agent: Agent,
}

impl Uplink {
    pub(crate) fn new(collector: &Collector, log: &Log, acked: Option<Head>) -> Self {
        let limits = Limits {
            request_entries_max: 256,
            ..Limits::default()
        };
        let cosigner = collector.cosigner.clone();
        let config = NodeConfig {
            origin: log.origin.clone(),
            cosigner,
            limits,
        };
        Self {
            node: Node::new(config, acked),
            now: MonoNs(0),
            reports: Vec::new(),
            agent: collector.agent(true),
        }
    }

    /// Delivers the log's newest head; calls `before` ahead of every request. Stops after `requests`.
    pub(crate) fn deliver(
        &mut self,
        collector: &mut Collector,
        log: &Log,
        requests: usize,
        mut before: impl FnMut(&mut Collector, usize),
    ) {
        self.node.offer(log.seal());
        self.node.caught_up();
        let mut sent = 0;
        for _ in 0..10_000 {
            match self.node.poll(Tick {
                now: self.now,
                random: 0,
            }) {
                Action::Nothing => return,
                Action::WaitUntil(then) => self.now = then,
                Action::NeedLeaves(need) => self.node.supply(log.supply(need)).unwrap(),
                Action::Report(report) => self.reports.push(report),
                Action::Send(_) if sent >= requests => return,
                Action::Send(request) => {
                    before(collector, sent);
                    sent += 1;
                    let tick = Tick {
                        now: self.now,
                        random: 0,
                    };
                    match self.call(collector, &request) {
                        Some(response) => self.node.answered(tick, request.id, response),
                        None => self.node.failed(tick, request.id, Failure::Lost),
                    }
                }
            }
        }
        panic!("no rest in state {}", self.node.state());
    }

    fn call(&self, collector: &Collector, request: &Request) -> Option<Response> {
        let url = format!("https://{}/{}", collector.addr(), request.path);
        let batch = request
            .batch
            .map_or_else(String::new, |batch| batch.to_string());
        let called = match request.method {
            Method::Get => self.agent.get(&url).call(),
            Method::Post => self
                .agent
                .post(&url)
                .content_type(request.content_type)
                .header(BATCH_HEADER, batch)
                .send(&request.body[..]),
        };
        let mut response = called.ok()?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_vec().ok()?;
        Some(Response {
            status,
            body,
            retry_after_s: None,
        })
    }

    pub(crate) fn acked(&self) -> Option<u64> {
        self.node.acked().map(|head| head.size)
    }
}

/// Rebuilds the log from its published files as any reader of tiles does.
pub(crate) fn check_directory(dir: &Path, log: &Log, cosigner: &VerifierKey) {
    use proof::limits::TILE_WIDTH_U64;
    use proof::tile::{Tile, TileKind, decode_bundle, tiles_between};
    let note = std::fs::read(dir.join("checkpoint")).unwrap();
    let keys = [log.vkey(), cosigner.clone()];
    let signed = proof::SignedCheckpoint::open(&note, &keys).unwrap();
    assert!(signed.verified().has_key(0) && signed.verified().has_key(1));
    let size = log.size();
    assert_eq!(signed.checkpoint().size, size);
    assert_eq!(signed.checkpoint().root, log.frontier(size).root());
    let mut source = proof::RangeSource::new(&Frontier::new());
    log.leaves
        .iter()
        .for_each(|leaf| source.push_leaf(leaf_hash(leaf)));
    for tile in tiles_between(0, size) {
        let (begin, end) = tile.leaves().unwrap();
        let path = dir.join(tile.to_string());
        let touched = (begin..end).any(|index| log.is_lost(index));
        match std::fs::read(&path) {
            Ok(bytes) => assert_eq!(bytes, proof::tile::tile_bytes(&source, &tile).unwrap()),
            Err(_) => assert!(touched, "{tile} is missing"),
        }
    }
    for index in 0..size.div_ceil(TILE_WIDTH_U64) {
        let begin = index * TILE_WIDTH_U64;
        let width = u16::try_from((size - begin).min(TILE_WIDTH_U64)).unwrap();
        let tile = Tile::new(TileKind::Entries, index, width)
            .unwrap()
            .to_string();
        let sidecar = format!("holes/{}", tile.trim_start_matches("tile/"));
        let bytes = std::fs::read(dir.join(&tile)).or_else(|_| std::fs::read(dir.join(sidecar)));
        let Ok(bytes) = bytes else {
            assert!(
                (begin..begin + u64::from(width)).all(|at| log.is_lost(at)),
                "{tile}"
            );
            continue;
        };
        for (at, entry) in (begin..).zip(decode_bundle(&bytes, width).unwrap()) {
            let expected = if log.is_lost(at) {
                &[][..]
            } else {
                &log.leaves[ix(at)]
            };
            assert_eq!(entry, expected, "entry {at}");
        }
    }
}
