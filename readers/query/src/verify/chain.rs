//! The check that node and collector share: leaves in order, the tree over them, the claims in them.

use super::Anchors;
use super::booted::{Beside, Booted};
use super::bound::Bound;
use super::calibrated::{Calibrated, Odd};
use super::enrolled;
use super::firmware::Ran;
use super::judge::Judged;
use super::known::{self, Known};
use super::report::{FindingKind, Report, RevokedBy};
use super::revoked;
use super::signed_by::SignedBy;
use super::signers::Signers;
use super::stamped;
use contract::Contract;
use evidence::kinds::{Ack, Checkpoint, Configuration, Loss};
use evidence::reasons::LossCause;
use evidence::{Entry, EntryError, Header, Payload, split_leaf};
use proof::note::VerifierKey;
use proof::tree::KnownJoins;
use proof::{CompactRange, Frontier, Hash, RangeSource};
use std::sync::atomic::Ordering;

/// A range that a LOSS entry names.
struct Named {
    first: u64,
    end: u64,
    by: u64,
    cause: LossCause,
}

/// Follows one generation of a log from its first entry that is still there.
pub(super) struct Chain<'a> {
    pub(super) origin: String,
    /// The generation in the origin's name.
    generation: Option<u64>,
    keys: Signers,
    /// Those of them that signed a head that holds.
    signed: SignedBy,
    enrolled: Vec<enrolled::Told>,
    revoked: Vec<RevokedBy>,
    stamped: Vec<stamped::Told>,
    /// All keys that whoever asks brought along, whatever their names.
    pinned: Vec<VerifierKey>,
    collector: Option<VerifierKey>,
    /// Acks read before the contract that names the collector: the older one has left the ring.
    early_acks: Vec<(u64, Ack)>,
    /// Parts of a contract that is not whole yet.
    parts: Vec<Configuration>,
    /// Whether the log's own contracts say whose cosignatures count.
    trusts_contracts: bool,
    tree: RangeSource,
    next: u64,
    sealed: u64,
    /// The largest size that any checkpoint claims.
    claimed: u64,
    cosigned: u64,
    epoch: u64,
    named: Vec<Named>,
    known: Vec<Known>,
    bound: Bound,
    booted: Booted,
    ran: Ran,
    calibrated: Calibrated,
    /// Whether the log says itself that it is behind what its keys signed: it is sealed no more, and its keys may be later ones.
    behind: bool,
    /// Whether it was said that keys changed without an entry.
    untold: bool,
    /// Entries so far that tell of keys that follow others.
    rotations: usize,
    /// Whether a head was signed by a key that anchors the verification, and whether one was by none.
    by_anchors: bool,
    by_others: bool,
    /// Who signed the head beside the log, if it holds.
    head_by: Option<Vec<VerifierKey>>,
    pub(super) report: &'a mut Report,
}

impl<'a> Chain<'a> {
    /// Begins at a frontier: empty, or the claimed tree before the first entry still there, which the
    /// next checkpoint either confirms or refutes.
    pub(super) fn new(
        origin: String,
        anchors: &Anchors,
        before: &Frontier,
        report: &'a mut Report,
    ) -> Self {
        let keys = anchors.for_origin(&origin);
        if keys.is_empty() {
            report.find(FindingKind::Signature, None, anchors.none_for(&origin));
        }
        if keys.has_more() {
            report.find(FindingKind::Signature, None, more_beside_words());
        }
        report.origins.push(origin.clone());
        let (mut bound, mut ran) = (Bound::default(), Ran::default());
        let generation = generation_of(&origin);
        if before.size() > 0 {
            bound.left_out();
        } else if generation == Some(1) {
            ran.nothing_came_before();
        }
        Self {
            known: anchors.known_of(&origin),
            generation,
            origin,
            keys,
            signed: SignedBy::default(),
            enrolled: Vec::new(),
            revoked: Vec::new(),
            stamped: Vec::new(),
            pinned: anchors.pinned_keys(),
            collector: None,
            early_acks: Vec::new(),
            parts: Vec::new(),
            trusts_contracts: false,
            tree: RangeSource::new(before),
            next: before.size(),
            sealed: 0,
            claimed: 0,
            cosigned: 0,
            epoch: 0,
            named: Vec::new(),
            bound,
            booted: Booted::default(),
            ran,
            calibrated: Calibrated::default(),
            behind: false,
            untold: false,
            rotations: 0,
            by_anchors: false,
            by_others: false,
            head_by: None,
            report,
        }
    }

    /// The collector's key, for acks that the contract alone cannot check.
    pub(super) fn trust_collector(&mut self, key: VerifierKey) {
        self.collector = Some(key);
        for (id, ack) in std::mem::take(&mut self.early_acks) {
            self.ack(id, &ack);
        }
    }

    /// The contracts in the log name the collector whose cosignatures the acks are.
    pub(super) fn trust_contracts(&mut self) {
        self.trusts_contracts = true;
    }

    /// Index of the next leaf.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Whose signatures are due.
    pub(super) const fn signers(&self) -> &Signers {
        &self.keys
    }

    /// The tree so far.
    pub(super) fn tree(&self) -> &RangeSource {
        &self.tree
    }

    /// Takes the next leaf; gives back its entry if it is one.
    pub(super) fn leaf(&mut self, leaf: &[u8]) -> Option<(Entry, Option<Payload>)> {
        let hash = proof::tree::leaf_hash(leaf);
        match split_leaf(leaf) {
            Some((_, bytes)) => self.entry(hash, bytes),
            None => {
                let here = Some((self.next, self.next));
                self.count(hash, &mut KnownJoins::default());
                let words = "the leaf is too short for a salt";
                self.report.find(FindingKind::Entry, here, words);
                None
            }
        }
    }

    fn count(&mut self, leaf: Hash, known: &mut KnownJoins<'_>) {
        self.tree.push_leaf_known(leaf, known);
        self.next += 1;
        self.report.entries += 1;
        let so_far = &self.report.progress;
        so_far.store(self.report.entries, Ordering::Relaxed);
    }

    /// Takes the next entry, whose leaf was hashed when it was read; gives it back if it is one.
    pub(super) fn entry(&mut self, leaf: Hash, bytes: &[u8]) -> Option<(Entry, Option<Payload>)> {
        let id = self.next;
        self.count(leaf, &mut KnownJoins::default());
        let entry = self.sound(id, Entry::decode(bytes))?;
        self.check_place(&entry.header, id);
        let payload = self.sound(id, entry.payload());
        if let Some(payload) = &payload {
            self.follow(id, payload);
        }
        Some((entry, payload))
    }

    /// Takes the next entry, which was judged when it was read; gives back its payload where something
    /// follows from it. `known` are the joins made when its leaf was proven.
    pub(super) fn judged(
        &mut self,
        leaf: Hash,
        judged: Result<Judged, EntryError>,
        known: &mut KnownJoins<'_>,
    ) -> Option<Payload> {
        let id = self.next;
        self.count(leaf, known);
        let judged = self.sound(id, judged)?;
        self.check_place(&judged.header, id);
        let payload = self.sound(id, judged.payload).flatten()?;
        self.follow(id, &payload);
        Some(payload)
    }

    /// What was read of an entry, or a finding.
    fn sound<T>(&mut self, id: u64, read: Result<T, EntryError>) -> Option<T> {
        let kind = match &read {
            Err(EntryError::RecordCrc { .. }) => FindingKind::RecordCrc,
            _ => FindingKind::Entry,
        };
        read.map_err(|error| self.report.find(kind, Some((id, id)), error.to_string()))
            .ok()
    }

    fn follow(&mut self, id: u64, payload: &Payload) {
        match payload {
            Payload::Checkpoint(checkpoint) => self.checkpoint(id, checkpoint),
            Payload::KeyStore(store) => self.bound.store(id, store, self.keys.known(), self.report),
            Payload::Binding(binding) => self.bound.binding(id, self.epoch, binding, self.report),
            Payload::EpochStart(begun) => self.booted.epoch(self.epoch, begun),
            Payload::Boot(boot) => self.booted.boot(id, self.epoch, boot, self.report),
            Payload::Attestation(told) => {
                let beside = Beside {
                    id,
                    origin: &self.origin,
                    keys: &self.keys,
                    bound: &self.bound,
                    epoch: self.epoch,
                };
                self.booted.attestation(id, told, &beside, self.report);
            }
            Payload::Firmware(told) => {
                let beside = Beside {
                    id,
                    origin: &self.origin,
                    keys: &self.keys,
                    bound: &self.bound,
                    epoch: self.epoch,
                };
                self.ran.take(id, told, &beside, self.report);
            }
            Payload::Enrolment(told) => {
                let told = enrolled::take(id, told, &self.origin, &self.pinned, self.report);
                self.enrolled.extend(told);
            }
            Payload::KeyRotation(told) => self.rotation(id, told),
            Payload::Revocation(told) => {
                let told = revoked::take(id, told, &self.pinned, self.report);
                self.revoked.extend(told);
            }
            Payload::Timestamp(told) => {
                let told = stamped::take(id, told, &self.origin, self.report);
                self.stamped.extend(told);
            }
            Payload::Rollback(found) => self.rollback(id, found),
            Payload::Ack(ack) => self.ack(id, ack),
            Payload::Loss(loss) => self.loss(id, loss),
            Payload::Configuration(part) => self.contract_part(id, part),
            Payload::Calibration(said) => {
                let odd = self.calibrated.entry(id, said);
                self.odd_calibrations(id, odd);
            }
            _ => {}
        }
    }

    /// Takes a range whose leaves are gone; without hashes the tree cannot be followed across it.
    pub(super) fn hole(&mut self, first: u64, end: u64, hashes: Option<&CompactRange>) {
        if let Some(range) = hashes {
            if let Err(error) = self.tree.push_range(range) {
                self.report
                    .find(FindingKind::Root, Some((first, end - 1)), error.to_string());
            }
        } else {
            let words = "the hashes of these entries are not known: the tree ends here";
            self.report
                .find(FindingKind::Root, Some((first, end - 1)), words);
        }
        self.next = end;
        self.bound.left_out();
        self.ran.left_out();
    }

    /// The LOSS entry read so far that names the whole range, and the cause that it gives.
    pub(super) fn naming(&self, first: u64, end: u64) -> Option<(u64, LossCause)> {
        let named = self
            .named
            .iter()
            .find(|named| named.first <= first && end <= named.end)?;
        Some((named.by, named.cause))
    }

    /// The root at a size, if the leaves read so far tell it.
    pub(super) fn root_at(&self, size: u64) -> Option<Hash> {
        if size > self.next {
            return None;
        }
        self.tree
            .frontier_at(size)
            .ok()
            .map(|frontier| frontier.root())
    }

    /// A signed checkpoint beside the log covers the entries below `size`.
    pub(super) fn covered_by_checkpoint(&mut self, size: u64, cosigned: bool) {
        self.claimed = self.claimed.max(size);
        let Some(keys) = self.head_by.take() else {
            return;
        };
        self.signed.take(keys, size);
        self.sealed = self.sealed.max(size);
        if cosigned {
            self.cosigned = self.cosigned.max(size);
        }
    }

    /// The truth store knows this highest firmware version; 0 where it knows none.
    pub(super) fn firmware_in_truth(&mut self, highest: u32) {
        self.ran.truth(highest, self.report);
    }

    /// What is sealed and cosigned, and the tail that is not.
    pub(super) fn finish(mut self) {
        self.tell_of_other_keys();
        let stamped = std::mem::take(&mut self.stamped);
        let tree = &self.tree;
        let root_at = |size| tree.frontier_at(size).ok().map(|before| before.root());
        stamped::finish(stamped, root_at, self.report);
        for (id, _) in &self.early_acks {
            let words = "a cosignature, but no configuration names the collector's key";
            self.report
                .find(FindingKind::Cosignature, Some((*id, *id)), words);
        }
        for known in &self.known {
            known::compare(known, self.keys.known(), &self.tree, self.report);
        }
        enrolled::finish(self.enrolled, &self.signed.keys(), &self.keys, self.report);
        let reach = (self.sealed, self.cosigned);
        revoked::finish(self.revoked, &self.signed, &self.keys, reach, self.report);
        self.report.end = self.next;
        self.report.sealed_entries += self.sealed;
        self.report.cosigned_entries += self.cosigned;
        if self.next > self.sealed {
            self.report.unsealed = Some((self.sealed, self.next - 1));
            self.report.unsealed_claimed = self.claimed > self.sealed;
        }
    }

    fn contract_part(&mut self, id: u64, part: &Configuration) {
        if part.part == 0 {
            self.parts.clear();
        }
        self.parts.push(part.clone());
        let Ok(contract) = Contract::from_parts(&self.parts) else {
            return;
        };
        let odd = self.calibrated.contract(id, &contract);
        self.odd_calibrations(id, odd);
        if self.trusts_contracts
            && let Some(uplink) = contract.uplink
            && let Ok(key) = uplink.collector_vkey.parse()
        {
            self.trust_collector(key);
        }
    }

    fn odd_calibrations(&mut self, id: u64, all: Vec<Odd>) {
        for odd in all {
            let (kind, words) = match odd {
                Odd::Digest(words) => (FindingKind::Entry, words),
                Odd::Reused(words) => (FindingKind::Calibration, words),
            };
            self.report.find(kind, Some((id, id)), words);
        }
    }

    fn check_place(&mut self, header: &Header, id: u64) {
        if header.commit_id.0 != id {
            let words = format!("stands at {id} and says that it is {}", header.commit_id);
            self.report.find(FindingKind::Entry, Some((id, id)), words);
        }
        if self.generation != Some(header.generation.0) {
            let words = format!(
                "is of generation {}, the log of {}",
                header.generation, self.origin
            );
            self.report.find(FindingKind::Entry, Some((id, id)), words);
        }
        if header.epoch.0 < self.epoch {
            let words = format!("is of epoch {} behind epoch {}", header.epoch, self.epoch);
            self.report.find(FindingKind::Entry, Some((id, id)), words);
        }
        self.epoch = header.epoch.0;
    }

    fn checkpoint(&mut self, id: u64, checkpoint: &Checkpoint) {
        let here = Some((id, id));
        if checkpoint.size > id {
            let words = format!(
                "a checkpoint of {} entries before they exist",
                checkpoint.size
            );
            self.report.find(FindingKind::Root, here, words);
            return;
        }
        self.claimed = self.claimed.max(checkpoint.size);
        self.report.custody = Some(checkpoint.custody.name().to_owned());
        if self.keys.is_empty() {
            return;
        }
        let Some(opened) = self.signature_holds(id, checkpoint) else {
            return;
        };
        match self.root_at(checkpoint.size) {
            Some(root) if root.0 == checkpoint.root.0 => {
                self.sealed = checkpoint.size;
                let by = self.signers_of(opened.verified());
                self.signed.take(by, checkpoint.size);
                self.bound
                    .checkpoint(checkpoint.size, &opened, self.keys.known());
            }
            Some(root) => {
                let words = format!(
                    "the entries below {} lead to root {root}, signed is another: one of them was \
                     changed after it was sealed",
                    checkpoint.size
                );
                let span = Some((self.sealed, checkpoint.size.saturating_sub(1)));
                self.report.find(FindingKind::Root, span, words);
            }
            // Sealed before the oldest entry that is still here, or across a hole.
            None => {}
        }
    }

    fn loss(&mut self, id: u64, loss: &Loss) {
        let (first, end) = (loss.first.0, loss.first.0.saturating_add(loss.count));
        if end > id || loss.count == 0 {
            let words = "a LOSS entry that does not name earlier entries";
            self.report.find(FindingKind::Entry, Some((id, id)), words);
            return;
        }
        self.ran.left_out();
        self.named.push(Named {
            first,
            end,
            by: id,
            cause: loss.cause,
        });
    }
}

/// The generation that an origin names, if it is written as a node writes it.
pub(super) fn generation_of(origin: &str) -> Option<u64> {
    let (_, number) = origin.rsplit_once("/g")?;
    let generation: u64 = number.parse().ok()?;
    (generation.to_string() == number).then_some(generation)
}

mod rollback;
mod signatures;

pub(super) use signatures::more_beside_words;
#[cfg(test)]
pub(super) mod tests;
