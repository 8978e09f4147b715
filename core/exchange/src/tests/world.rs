//! The world of the tests: a log that seals and loses, its keys, and a server around the mirror.

use crate::body::Format;
use crate::collector::memory::{Crashed, MemoryStore};
use crate::collector::{
    Announcement, Cosigner, Flow, Mirror, MirrorStore as _, Reply, Standing, Upload,
};
use crate::node::{
    Acked, Action, Failure, Head, Limits, Need, Node, NodeConfig, Report, Request, Response,
    Sealed, Supply, Tick,
};
use crate::{Hole, Run};
use evidence::kinds::{Audit, Loss};
use evidence::reasons::{HoldoverReason, LossCause, Outcome, TimeQuality, TimeStatus};
use evidence::{
    Captured, CommitId, Digest, Entry, Epoch, Generation, Header, MonoNs, Payload, SaltKey, Stamp,
    TimeDetail, UtcNs, leaf_data,
};
use proof::cosignature::cosign;
use proof::note::{KeyError, SignatureLine, VerifierKey, p256_spki, sign_ed25519, sign_p256};
use proof::tree::leaf_hash;
use proof::{Checkpoint, CompactRange, Frontier, Hash};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::string::{String, ToString as _};
use std::vec::Vec;

pub(super) const ORIGIN: &str = "example.org/node7/g1";
const KEY_NAME: &str = "example.org/node7";
const COSIGNER: &str = "collector.example.org";

/// An index of a log as one of a slice.
pub(super) fn ix(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

pub(super) struct Keys {
    p256: p256::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
}

impl Keys {
    pub(super) fn new(seed: u8) -> Self {
        Self {
            p256: p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
            ed25519: ed25519_dalek::SigningKey::from_bytes(&[seed; 32]),
        }
    }

    pub(super) fn authority(&self) -> VerifierKey {
        VerifierKey::p256(KEY_NAME, &p256_spki(self.p256.verifying_key())).unwrap()
    }

    pub(super) fn fallback(&self) -> VerifierKey {
        let public = self.ed25519.verifying_key();
        let algorithm = proof::note::Algorithm::Ed25519;
        VerifierKey::ed25519(KEY_NAME, public.as_bytes(), algorithm).unwrap()
    }

    pub(super) fn seal(&self, origin: &str, size: u64, root: Hash) -> Sealed {
        let mut note = Checkpoint::new(origin, size, root)
            .unwrap()
            .to_note()
            .unwrap();
        note.add(sign_p256(KEY_NAME, &self.p256, note.text()).unwrap())
            .unwrap();
        note.add(sign_ed25519(KEY_NAME, &self.ed25519, note.text()).unwrap())
            .unwrap();
        Sealed {
            head: Head { size, root },
            note: note.to_string(),
        }
    }

    pub(super) fn seal_without_authority(&self, size: u64, root: Hash) -> Sealed {
        let mut note = Checkpoint::new(ORIGIN, size, root)
            .unwrap()
            .to_note()
            .unwrap();
        note.add(sign_ed25519(KEY_NAME, &self.ed25519, note.text()).unwrap())
            .unwrap();
        Sealed {
            head: Head { size, root },
            note: note.to_string(),
        }
    }
}

/// A cosigner whose time moves, so that a second cosignature would differ from the first.
pub(super) struct TickingCosigner {
    key: ed25519_dalek::SigningKey,
    time_s: Cell<u64>,
}

impl TickingCosigner {
    pub(super) fn new() -> Self {
        Self {
            key: ed25519_dalek::SigningKey::from_bytes(&[77; 32]),
            time_s: Cell::new(1_700_000_000),
        }
    }

    pub(super) fn public(&self) -> VerifierKey {
        VerifierKey::cosigner(COSIGNER, self.key.verifying_key().as_bytes()).unwrap()
    }
}

impl Cosigner for TickingCosigner {
    fn cosign(&self, text: &str) -> Result<SignatureLine, KeyError> {
        self.time_s.set(self.time_s.get() + 1);
        cosign(COSIGNER, &self.key, self.time_s.get(), text)
    }
}

pub(super) fn leaf_of(index: u64, payload: &Payload) -> Vec<u8> {
    let header = Header {
        kind: payload.kind(),
        generation: Generation(1),
        commit_id: CommitId(index),
        epoch: Epoch(1),
    };
    let stamp = Stamp {
        timestamp: UtcNs(0),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    let entry = Entry {
        header,
        stamp,
        captured: Captured::new(payload),
    };
    let salt = SaltKey([3; 16]).salt(Generation(1), CommitId(index));
    leaf_data(&salt, &entry.encode())
}

/// A log: what it committed, what it lost of it, and where the losses are named.
pub(super) struct Log {
    pub(super) keys: Keys,
    pub(super) leaves: Vec<Vec<u8>>,
    pub(super) lost: Vec<(Hole, CommitId)>,
    pub(super) branch: &'static str,
}

impl Log {
    pub(super) fn new(seed: u8) -> Self {
        Self {
            keys: Keys::new(seed),
            leaves: Vec::new(),
            lost: Vec::new(),
            branch: "main",
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(super) fn grow(&mut self, count: u64) {
        for _ in 0..count {
            let index = self.size();
            let payload = Audit {
                at: MonoNs(index),
                actor: evidence::Actor::node("test"),
                action: std::format!("entry {index}"),
                reason: "x".repeat(ix(index % 50)),
                scope: self.branch.into(),
                outcome: Outcome::Done,
                diff: None,
            };
            self.leaves.push(leaf_of(index, &payload.into()));
        }
    }

    /// Loses a range and commits the LOSS entry that names it.
    pub(super) fn lose(&mut self, first: u64, end: u64) {
        let mut range = CompactRange::empty(first);
        for leaf in &self.leaves[ix(first)..ix(end)] {
            range.push(leaf_hash(leaf));
        }
        let hole = Hole::new(
            first,
            end - first,
            LossCause::FrameDamaged,
            range.hashes().to_vec(),
        )
        .unwrap();
        let index = self.size();
        let payload = Loss {
            at: MonoNs(index),
            first: CommitId(first),
            count: end - first,
            cause: LossCause::FrameDamaged,
            hashes: range.hashes().iter().map(|hash| Digest(hash.0)).collect(),
            segment: 0,
            offset_bytes: 0,
            before: Vec::new(),
        };
        self.leaves.push(leaf_of(index, &payload.into()));
        self.lost.push((hole, CommitId(index)));
    }

    pub(super) fn frontier(&self, size: u64) -> Frontier {
        let mut frontier = Frontier::new();
        self.leaves[..ix(size)]
            .iter()
            .for_each(|leaf| frontier.push(leaf_hash(leaf)));
        frontier
    }

    pub(super) fn seal(&self, size: u64) -> Sealed {
        self.keys.seal(ORIGIN, size, self.frontier(size).root())
    }

    /// Leaves as a journal would read them, at most `runs_max` runs.
    pub(super) fn supply(&self, need: Need, runs_max: usize) -> Supply {
        let mut runs = Vec::new();
        let mut at = need.from;
        while at < need.to && runs.len() < runs_max {
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

/// The mirror behind its two endpoints.
pub(super) struct Server {
    pub(super) mirror: Mirror<MemoryStore>,
    pub(super) cosigner: TickingCosigner,
    pub(super) standing: Standing,
}

impl Server {
    pub(super) fn new(keys: Vec<VerifierKey>) -> Self {
        Self {
            mirror: Mirror::new(ORIGIN, keys, MemoryStore::new()),
            cosigner: TickingCosigner::new(),
            standing: Standing::Open,
        }
    }

    pub(super) fn add_checkpoint(&mut self, body: &[u8]) -> Result<Reply, Crashed> {
        match Announcement::read(body) {
            Ok(announcement) => self.mirror.add_checkpoint(&announcement, self.standing),
            Err(reply) => Ok(reply),
        }
    }

    /// Takes a body in pieces of `piece` bytes.
    pub(super) fn add_entries(
        &mut self,
        format: Format,
        body: &[u8],
        piece: usize,
    ) -> Result<Reply, Crashed> {
        let mut upload = Upload::new(format);
        for piece in body.chunks(piece) {
            assert!(upload.push(piece));
            if let Flow::Answer(reply) = self.mirror.advance(&mut upload)? {
                return Ok(reply);
            }
        }
        self.mirror.finish(&upload, &self.cosigner)
    }

    pub(super) fn serve(&mut self, request: &Request) -> Result<Reply, Crashed> {
        match request.path.as_str() {
            "add-checkpoint" => self.add_checkpoint(&request.body),
            "add-entries" => {
                let format = Format::from_content_type(request.content_type).unwrap();
                self.add_entries(format, &request.body, 1_000)
            }
            _ => Ok(match self.mirror.store().mirrored() {
                Some(mirrored) => {
                    let lines = mirrored.cosignature.clone().unwrap_or_default();
                    Reply::lines(&(mirrored.sealed.note.clone() + &lines))
                }
                None => Reply::text(404, &"no checkpoint"),
            }),
        }
    }
}

pub(super) fn response(reply: Reply) -> Response {
    Response {
        status: reply.status,
        body: reply.body.into_bytes(),
        retry_after_s: None,
    }
}

/// Small bounds, so that small logs meet all of them.
pub(super) fn small_limits() -> Limits {
    Limits {
        batch_entries_max: 1_500,
        request_entries_max: 512,
        request_bytes_max: 40_000,
        held_bytes_max: 60_000,
        ..Limits::default()
    }
}

/// A node with its journal's memory: what survives its crash.
pub(super) struct Site {
    pub(super) log: Log,
    pub(super) node: Node,
    pub(super) sealed: Vec<u64>,
    pub(super) acked: Option<Head>,
    pub(super) lines: BTreeMap<u64, String>,
    pub(super) reports: Vec<Report>,
    pub(super) now: MonoNs,
    cosigner: VerifierKey,
}

impl Site {
    pub(super) fn new(log: Log, cosigner: VerifierKey) -> Self {
        let config = NodeConfig {
            origin: ORIGIN.into(),
            cosigner: cosigner.clone(),
            limits: small_limits(),
        };
        let mut node = Node::new(config, None);
        node.caught_up();
        Self {
            log,
            node,
            sealed: Vec::new(),
            acked: None,
            lines: BTreeMap::new(),
            reports: Vec::new(),
            now: MonoNs(0),
            cosigner,
        }
    }

    pub(super) fn seal(&mut self) {
        let size = self.log.size();
        self.sealed.push(size);
        self.node.offer(self.log.seal(size));
    }

    /// Forgets all but the journal and starts again.
    pub(super) fn restart(&mut self) {
        let config = NodeConfig {
            origin: ORIGIN.into(),
            cosigner: self.cosigner.clone(),
            limits: small_limits(),
        };
        self.node = Node::new(config, self.acked);
        for size in &self.sealed {
            self.node.offer(self.log.seal(*size));
        }
        self.node.caught_up();
    }

    pub(super) fn tick(&self, random: u64) -> Tick {
        Tick {
            now: self.now,
            random,
        }
    }

    pub(super) fn hear(&mut self, report: Report) {
        if let Report::Acked(Acked { head, line, .. }) = &report {
            self.acked = Some(*head);
            let known = self.lines.entry(head.size).or_insert_with(|| line.clone());
            assert_eq!(known, line, "a second cosignature for size {}", head.size);
        }
        self.reports.push(report);
    }

    /// Runs until there is nothing to do, over a channel that works; returns what was sent.
    pub(super) fn settle(&mut self, server: &mut Server) -> Vec<Request> {
        let mut sent = Vec::new();
        for _ in 0..10_000 {
            match self.node.poll(self.tick(0)) {
                Action::Nothing => return sent,
                Action::WaitUntil(then) => self.now = then,
                Action::NeedLeaves(need) => {
                    let supply = self.log.supply(need, usize::MAX);
                    self.node.supply(supply).unwrap();
                }
                Action::Report(report) => {
                    let refused = matches!(report, Report::Refused(_));
                    self.hear(report);
                    if refused {
                        return sent;
                    }
                }
                Action::Send(request) => {
                    let tick = self.tick(0);
                    match server.serve(&request) {
                        Ok(reply) => self.node.answered(tick, request.id, response(reply)),
                        Err(Crashed) => {
                            server.mirror.store_mut().restart();
                            self.node.failed(tick, request.id, Failure::Lost);
                        }
                    }
                    sent.push(request);
                }
            }
        }
        panic!("no rest in state {}", self.node.state());
    }
}

/// What must hold when both sides are at rest.
pub(super) fn check_converged(site: &Site, server: &Server) {
    let size = *site.sealed.last().unwrap();
    assert_eq!(site.acked.map(|head| head.size), Some(size));
    let store = server.mirror.store();
    assert_eq!(store.mirrored().unwrap().sealed.head.size, size);
    assert_eq!(store.next_entry(), size);
    assert_eq!(
        store.root_at(size),
        Ok(Some(site.log.frontier(size).root()))
    );
    for index in 0..size {
        let lost = site
            .log
            .lost
            .iter()
            .any(|(hole, _)| hole.first() <= index && index < hole.end());
        let expected = site
            .log
            .leaves
            .get(ix(index))
            .map(Vec::as_slice)
            .filter(|_| !lost);
        if let Some(stored) = store.leaf(index) {
            assert_eq!(Some(stored), expected, "leaf {index}");
        } else {
            assert!(lost, "leaf {index} is missing");
        }
    }
    assert!(store.holes().iter().all(|(_, named)| named.is_some()));
    assert!(store.forks().is_empty() && store.samples().is_empty());
}
