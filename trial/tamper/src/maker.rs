//! Makes a log with the journal's own engine: what a node does, without the node.

use crate::files::Files;
use crate::keys::{Keys, Succession};
use crate::memory::Media;
use evidence::kinds::{Ack, Checkpoint, Firmware, KeyRotation};
use evidence::reasons::{Custody, HoldoverReason, TimeQuality, TimeStatus};
use evidence::{
    Actor, BootId, Captured, Digest, Generation, LogId, MonoNs, Payload, SaltKey, Stamp,
    TimeDetail, UtcNs,
};
use journal::{Journal, Location, OpenInput, Options, Shape};
use proof::note::VerifierKey;
use proof::{Hash, SignedCheckpoint};
use query::publish;
use std::sync::atomic::AtomicU64;
use trial::Random;
use trust_plane::{BaseOrigin, Rotation};

/// The one generation of the logs made here.
pub(crate) const GENERATION: Generation = Generation(1);
/// Where its ring lies in a node's directory.
pub(crate) const RING: &str = "journal/g000001";
/// When the first entry was stamped.
const BEGAN_UTC_NS: i64 = 1_700_000_000_000_000_000;
const STEP_NS: i64 = 1_000_000_000;

/// One group of entries as it was handed to the journal.
pub(crate) type Group = Vec<(Stamp, Captured)>;

/// A signed head, and where its entry stands.
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) note: String,
}

/// A frame: where it lies, and which entries it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) location: Location,
    pub(crate) bytes: u64,
    pub(crate) first: u64,
}

/// A log under construction.
pub(crate) struct Maker {
    /// The keys that sign now.
    pub(crate) keys: Keys,
    /// And those that signed before them.
    pub(crate) succession: Succession,
    /// What keys stated of those that followed them: the files beside the log.
    pub(crate) statements: Vec<String>,
    /// Identity and salts of the log follow from it.
    pub(crate) seed: u64,
    pub(crate) log_id: LogId,
    pub(crate) media: Media,
    journal: Journal<Media, Media>,
    random: Random,
    /// What puts the contract in force; every segment begins with it.
    pub(crate) contract: Vec<Payload>,
    /// Every group in the order of commit.
    pub(crate) history: Vec<Group>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) seals: Vec<Seal>,
    /// Every leaf ever committed.
    pub(crate) leaves: Vec<Vec<u8>>,
    /// First entry of the frame that was wiped.
    wiped: Option<u64>,
    /// Whether the truth store hears of firmware.
    pub(crate) tells_truth_store: bool,
}

impl Maker {
    /// A log on blank media.
    pub(crate) fn create(keys: &Keys, shape: Shape, seed: u64) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let log_id = LogId(bytes16(&mut random));
        let media = Media::blank(shape);
        let salt = SaltKey(bytes16(&mut random));
        let journal = Journal::create(media.clone(), media.clone(), &input(log_id), salt)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            keys: keys.clone(),
            succession: Succession::of(keys.clone()),
            statements: Vec::new(),
            seed,
            log_id,
            media,
            journal,
            random,
            contract: Vec::new(),
            history: Vec::new(),
            frames: Vec::new(),
            seals: Vec::new(),
            leaves: Vec::new(),
            wiped: None,
            tells_truth_store: true,
        })
    }

    /// The same log on a copy of its media, which goes on by itself: a clone.
    pub(crate) fn cloned(&self) -> Result<Self, String> {
        let media = self.media.copy();
        let (journal, _) = Journal::open(media.clone(), media.clone(), &input(self.log_id))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            keys: self.keys.clone(),
            succession: self.succession.clone(),
            statements: self.statements.clone(),
            seed: self.seed,
            log_id: self.log_id,
            media,
            journal,
            random: self.random.clone(),
            contract: self.contract.clone(),
            history: self.history.clone(),
            frames: self.frames.clone(),
            seals: self.seals.clone(),
            leaves: self.leaves.clone(),
            wiped: self.wiped,
            tells_truth_store: self.tells_truth_store,
        })
    }

    pub(crate) fn origin(&self) -> String {
        format!("{}/g{GENERATION}", self.keys.base)
    }

    pub(crate) fn size(&self) -> u64 {
        self.journal.size()
    }

    pub(crate) fn oldest(&self) -> u64 {
        self.journal.oldest().0
    }

    /// The frames that are still in the ring.
    pub(crate) fn frames_in_ring(&self) -> Vec<Frame> {
        let oldest = self.oldest();
        let frames = self.frames.iter().copied();
        frames.filter(|frame| frame.first >= oldest).collect()
    }

    /// Stamps payloads one second apart.
    pub(crate) fn stamped(&self, payloads: Vec<Payload>) -> Group {
        let seconds = i64::try_from(self.leaves.len()).unwrap_or(0);
        let stamp = |place: usize| Stamp {
            timestamp: UtcNs(
                BEGAN_UTC_NS + (seconds + i64::try_from(place).unwrap_or(0)) * STEP_NS,
            ),
            quality: TimeQuality::RtcOnly,
            status: TimeStatus::FreeRun,
            bound_ns: None,
            detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
        };
        let stamped = payloads.iter().enumerate();
        stamped
            .map(|(place, payload)| (stamp(place), Captured::new(payload)))
            .collect()
    }

    /// Commits a group, and behind the frame that opened a segment the contract, as a node does.
    pub(crate) fn commit(&mut self, group: Group) -> Result<(), String> {
        if self.commit_frame(group)? && !self.contract.is_empty() {
            let contract = self.stamped(self.contract.clone());
            self.commit_frame(contract)?;
        }
        Ok(())
    }

    /// Commits a group as one frame; whether it opened a segment.
    fn commit_frame(&mut self, group: Group) -> Result<bool, String> {
        let salt = SaltKey(bytes16(&mut self.random));
        let committed = self
            .journal
            .commit(&group, salt)
            .map_err(|error| error.to_string())?;
        let stored = &committed.entries;
        self.leaves.extend(stored.iter().map(|one| one.leaf_data()));
        self.frames.push(Frame {
            location: committed.location,
            bytes: u64::from(committed.frame_bytes),
            first: committed.first.0,
        });
        self.history.push(group);
        Ok(committed.rolled)
    }

    /// Signs the head and commits the checkpoint.
    pub(crate) fn seal(&mut self) -> Result<(), String> {
        let keys = self.keys.clone();
        self.seal_by(&keys)
    }

    /// The same, signed by whoever has these keys.
    pub(crate) fn seal_by(&mut self, keys: &Keys) -> Result<(), String> {
        let (size, root) = (self.journal.size(), self.journal.root());
        let note = keys.note(&self.origin(), size, root)?;
        let checkpoint = Checkpoint {
            at: MonoNs(size),
            size,
            root: Digest(root.0),
            note: note.clone(),
            custody: Custody::Software,
        };
        let group = self.stamped(vec![checkpoint.into()]);
        self.journal.note_sealed(size);
        self.commit(group)?;
        self.seals.push(Seal { size, root, note });
        Ok(())
    }

    /// Other keys sign from here on: the old and the new ones state it, and the log says so.
    pub(crate) fn rotate(&mut self, random: &mut Random) -> Result<(), String> {
        let next = self.keys.next(random)?;
        let stated = self.rotation(&next)?;
        let note = Keys::stated(&stated, &[&self.keys, &next])?;
        let group = self.stamped(vec![rotation_entry(&stated, note.clone()).into()]);
        self.commit(group)?;
        self.go_on_with(next, stated.size, note);
        Ok(())
    }

    /// What the keys of now state of others behind their newest head.
    pub(crate) fn rotation(&self, next: &Keys) -> Result<Rotation, String> {
        let head = self.seals.last().ok_or("keys change behind a head")?;
        let base = self.keys.base.as_str();
        Ok(Rotation {
            base: BaseOrigin::new(base).map_err(|error| error.to_string())?,
            generation: GENERATION,
            size: head.size,
            root: head.root,
            old: self.keys.verifiers(base)?,
            new: next.verifiers(base)?,
            by: Actor::local("ada", 7),
            reason: "yearly".to_owned(),
        })
    }

    /// These keys sign the heads above a size.
    fn go_on_with(&mut self, next: Keys, above: u64, note: String) {
        self.succession.next.push((above, next.clone()));
        self.statements.push(note);
        self.keys = next;
    }

    /// A log on blank media that begins with the keys of another, and will have had those that followed.
    pub(crate) fn blank_as(other: &Self) -> Result<Self, String> {
        let mut made = Self::create(&other.succession.first, other.media.shape, other.seed)?;
        made.keys = other.keys.clone();
        made.succession = other.succession.clone();
        made.statements = other.statements.clone();
        Ok(made)
    }

    /// Has the collector cosign the newest head, and commits that.
    pub(crate) fn ack(&mut self) -> Result<(), String> {
        let Some(seal) = self.seals.last().cloned() else {
            return Ok(());
        };
        let collector = self.keys.collector()?;
        let ack = Ack {
            at: MonoNs(seal.size),
            collector: collector.name().to_owned(),
            size: seal.size,
            root: Digest(seal.root.0),
            cosignature: self
                .keys
                .cosignature(&self.origin(), seal.size, seal.root)?,
        };
        let group = self.stamped(vec![ack.into()]);
        self.journal.note_cosigned(seal.size);
        self.commit(group)
    }

    /// Wipes a frame from the medium.
    pub(crate) fn wipe(&mut self, frame: &Frame) {
        let place = frame.location;
        self.media.wipe(place.segment, place.offset, frame.bytes);
        self.wiped = Some(frame.first);
    }

    /// The frame that was wiped, and the place of its group in the history.
    pub(crate) fn lost_frame(&self) -> Option<(usize, Frame)> {
        let first = self.wiped?;
        let place = self.frames.iter().position(|frame| frame.first == first)?;
        Some((place, *self.frames.get(place)?))
    }

    /// Commits what a scrub finds lost and the log does not name yet.
    pub(crate) fn name_losses(&mut self) -> Result<usize, String> {
        let reader = self.journal.reader().map_err(|error| error.to_string())?;
        let unnamed = reader.scrub().unnamed;
        let named = unnamed.iter().map(|loss| loss.payload(MonoNs(0)).into());
        let group = self.stamped(named.collect());
        if group.is_empty() {
            return Ok(0);
        }
        let count = group.len();
        self.commit(group).map(|()| count)
    }

    /// Plays a history again, as a forger would who has the journal's engine: signatures are kept as they
    /// were, or made anew by whoever has these keys.
    pub(crate) fn replay(
        &mut self,
        history: &[Group],
        resign: Option<&Succession>,
    ) -> Result<(), String> {
        // The history holds every contract that was said again.
        let contract = std::mem::take(&mut self.contract);
        for group in history {
            let payload = match group.as_slice() {
                [(_, captured)] => captured.payload().ok(),
                _ => None,
            };
            match (payload, resign) {
                (Some(Payload::Checkpoint(_)), Some(keys)) => {
                    self.seal_by(keys.at(self.journal.size()))?;
                }
                (Some(Payload::Checkpoint(kept)), None) => {
                    self.journal.note_sealed(kept.size);
                    self.commit(group.clone())?;
                    let keys = self.succession.verifiers(&self.origin())?;
                    if let Ok(signed) = SignedCheckpoint::open(kept.note.as_bytes(), &keys) {
                        let head = signed.checkpoint();
                        self.seals.push(Seal {
                            size: head.size,
                            root: head.root,
                            note: kept.note,
                        });
                    }
                }
                (Some(Payload::Ack(ack)), _) => {
                    self.journal.note_cosigned(ack.size);
                    self.commit(group.clone())?;
                }
                (Some(Payload::Firmware(told)), _) => {
                    self.note_firmware(&told);
                    self.commit(group.clone())?;
                }
                _ => self.commit(group.clone())?,
            }
        }
        self.contract = contract;
        Ok(())
    }

    /// Tells the truth store of the firmware that an entry names.
    pub(crate) fn note_firmware(&mut self, told: &Firmware) {
        let highest = told.highest.and_then(|highest| u32::try_from(highest).ok());
        if self.tells_truth_store {
            self.journal.note_firmware(highest.unwrap_or(0));
        }
    }

    /// The node's directory, with these public keys in it.
    pub(crate) fn node(&self, beside: &Keys) -> Result<Files, String> {
        let mut files = self.media.files(RING);
        let lines = beside
            .verifiers(&beside.base)?
            .map(|key| format!("{key}\n"));
        files.put("identity/keys.vkey", lines.concat().into_bytes());
        let id = format!("{}\n", self.log_id);
        files.put("identity/log-id", id.into_bytes());
        self.put_statements("identity/", &mut files);
        Ok(files)
    }

    /// The log in its published form.
    pub(crate) fn tiles(&self) -> Result<Files, String> {
        let reader = self.journal.reader().map_err(|error| error.to_string())?;
        let mut files = Files::default();
        let mut put = |path: &str, bytes: &[u8]| {
            files.put(path, bytes.to_vec());
            Ok(())
        };
        publish(&reader, &AtomicU64::new(0), &mut put).map_err(|error| error.to_string())?;
        self.put_statements("", &mut files);
        Ok(files)
    }

    fn put_statements(&self, folder: &str, files: &mut Files) {
        for (number, note) in (1..).zip(&self.statements) {
            let path = format!("{folder}{}", Rotation::file(number));
            files.put(&path, note.clone().into_bytes());
        }
    }
}

/// The entry of a statement.
pub(crate) fn rotation_entry(stated: &Rotation, statement: String) -> KeyRotation {
    let all = |keys: &[VerifierKey]| keys.iter().map(ToString::to_string).collect();
    KeyRotation {
        at: MonoNs(stated.size),
        actor: stated.by.clone(),
        reason: stated.reason.clone(),
        old: all(&stated.old),
        new: all(&stated.new),
        size: stated.size,
        statement,
    }
}

fn input(log_id: LogId) -> OpenInput {
    OpenInput {
        log_id,
        generation: GENERATION,
        boot_id: BootId([1; 16]),
        options: Options::default(),
    }
}

fn bytes16(random: &mut Random) -> [u8; 16] {
    let number = u128::from(random.number()) << 64 | u128::from(random.number());
    number.to_be_bytes()
}
