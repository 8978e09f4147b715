//! A log that grows, loses leaves, seals heads and supplies what an uplink needs.

use evidence::kinds::{EpochStart, Loss, Predecessor, Reading};
use evidence::reasons::{
    EpochCause, HoldoverReason, LossCause, TimeQuality, TimeStatus, TruthClass,
};
use evidence::{
    Blob, BootId, Captured, CommitId, Digest, Entry, Epoch, Generation, Header, MeterId, MonoNs,
    Payload, PointId, Quality, SaltKey, Seq, SourceId, Stamp, TimeDetail, UtcNs, leaf_data,
};
use exchange::{Head, Hole, Need, Run, Sealed, Supply};
use proof::note::{VerifierKey, p256_spki, sign_p256};
use proof::tree::leaf_hash;
use proof::{Checkpoint, CompactRange, Frontier};

pub(crate) const BASE: &str = "example.org/node7";

/// An index of a log as one of a slice.
pub(crate) fn ix(index: u64) -> usize {
    usize::try_from(index).unwrap()
}

/// A log of one generation.
pub(crate) struct Log {
    pub(crate) key: p256::ecdsa::SigningKey,
    pub(crate) origin: String,
    generation: Generation,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) lost: Vec<(Hole, CommitId)>,
    pub(crate) branch: u64,
    pub(crate) epoch: u64,
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
            epoch: 1,
        };
        log.push(
            &EpochStart {
                predecessor,
                ..EpochStart::new(
                    MonoNs(0),
                    EpochCause::FirstStart,
                    BootId([1; 16]),
                    TruthClass::SameDeviceSync,
                )
            }
            .into(),
        );
        log
    }

    /// The same, as a node with another key has it.
    pub(crate) fn signed_by(mut self, seed: u8) -> Self {
        self.key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
        self
    }

    pub(crate) fn vkey(&self) -> VerifierKey {
        VerifierKey::p256(BASE, &p256_spki(self.key.verifying_key())).unwrap()
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(crate) fn push(&mut self, payload: &Payload) {
        self.push_captured(Captured::new(payload));
    }

    pub(crate) fn push_captured(&mut self, captured: Captured) {
        let id = CommitId(self.size());
        let header = Header {
            kind: captured.kind,
            generation: self.generation,
            commit_id: id,
            epoch: Epoch(self.epoch),
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
                before: Vec::new(),
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

    pub(crate) fn supply(&self, need: Need) -> Supply {
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
