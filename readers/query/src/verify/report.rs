//! What a verification says.

use super::alarmed::Alarmed;
use super::unkept::Told;
use evidence::kinds::{Boot, Firmware, KeyStore};
use evidence::reasons::EnrolmentProof;
use evidence::{Digest, UtcNs};
use proof::note::VerifierKey;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use trust_plane::{RevokedKeys, Rotation};

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// Committed entries cannot be read, and no LOSS entry names them.
    Lost,
    /// Committed entries are gone, and a LOSS entry in the tree names them: explained, not a failure.
    LossNamed,
    /// Bytes differ from what was committed, though the entries could be proven.
    Damaged,
    /// An entry is not well formed or stands in the wrong place.
    Entry,
    /// A record's CRC does not match its capture bytes.
    RecordCrc,
    /// Hashes do not lead to a root that was claimed.
    Root,
    /// A signature does not hold, or is missing.
    Signature,
    /// The log was sealed by other keys than those that were pinned: it is not the one that whoever asks knows.
    Anchor,
    /// A cosignature does not hold.
    Cosignature,
    /// A registrar's statement about the keys does not hold, or is about others.
    Enrolment,
    /// A timestamp authority's statement does not hold, or is about other bytes.
    Timestamp,
    /// A key that sealed entries was taken back, and nobody cosigned them before.
    Revoked,
    /// What binds a checkpoint to a counter does not hold: rolled back, another TPM, or a forgery.
    Binding,
    /// What is said of a boot contradicts itself, or what was signed or attested of it.
    Boot,
    /// The log itself says that it is not the one that went before, or that its counter is not.
    Rollback,
    /// The same of a generation that a newer one follows: explained, not a failure.
    RollbackFollowed,
    /// The log itself says that its end was not there at a start; LOSS entries name what is gone: explained, not a failure.
    LostEnd,
    /// The truth store contradicts the log or is damaged.
    Truth,
    /// A file of a collector is missing, wrong or unexpected.
    File,
    /// The database of rows differs from the entries.
    Rows,
    /// A generation does not follow the log that it names.
    Link,
    /// The log did not grow out of the checkpoint that was kept of it: rolled back, or a fork.
    Known,
    /// A whole journal cannot be opened.
    Unreadable,
    /// Something could not be looked at just now; nothing is said of it.
    NotCovered,
    /// A database was not closed orderly: its writer was ended, or it was copied while one ran.
    NotClosed,
    /// The log begins later than it once did; the older part was retired.
    Retired,
    /// Entries did not pass by a keep-ring when they left, and the log tells of it: explained, not a failure.
    KeepIncomplete,
    /// What is said of the firmware that ran contradicts what was said before, or what binds it to a counter does not hold.
    Firmware,
    /// One version of a calibration was another scaling before: each value names the configuration that decides.
    Calibration,
}

impl FindingKind {
    /// The word for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::LossNamed => "loss_named",
            Self::Damaged => "damaged",
            Self::Entry => "entry",
            Self::RecordCrc => "record_crc",
            Self::Root => "root",
            Self::Signature => "signature",
            Self::Anchor => "anchor",
            Self::Cosignature => "cosignature",
            Self::Enrolment => "enrolment",
            Self::Timestamp => "timestamp",
            Self::Revoked => "revoked",
            Self::Binding => "binding",
            Self::Boot => "boot",
            Self::Rollback => "rollback",
            Self::RollbackFollowed => "rollback_followed",
            Self::LostEnd => "lost_end",
            Self::Truth => "truth",
            Self::File => "file",
            Self::Rows => "rows",
            Self::Link => "link",
            Self::Known => "known",
            Self::Unreadable => "unreadable",
            Self::NotCovered => "not_covered",
            Self::NotClosed => "not_closed",
            Self::Retired => "retired",
            Self::KeepIncomplete => "keep_incomplete",
            Self::Calibration => "calibration",
            Self::Firmware => "firmware",
        }
    }

    /// Whether the log cannot be called sound with it.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(
            self,
            Self::LossNamed
                | Self::RollbackFollowed
                | Self::LostEnd
                | Self::NotCovered
                | Self::NotClosed
                | Self::Retired
                | Self::KeepIncomplete
                | Self::Calibration
        )
    }
}

/// One thing found, with the entries it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// First and last commit id concerned, where entries are concerned.
    pub entries: Option<(u64, u64)>,
    /// What was found, in words.
    pub words: String,
    /// What is done about it, where it costs no entry.
    pub harmless: Option<&'static str>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entries {
            Some((first, last)) if first == last => write!(f, "entry {first}: {}", self.words),
            Some((first, last)) => write!(f, "entries {first} to {last}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// What a keep-ring holds of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which keep-ring.
    pub store: &'static str,
    /// Entries kept.
    pub entries: u64,
    /// The first entry that it covers; `None` while nothing has left the ring.
    pub first: Option<u64>,
    /// Index after the last entry that it covers.
    pub end: u64,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.unwrap_or(self.end);
        let last = self.end.saturating_sub(1);
        write!(f, "{} {} of ", self.store, self.entries)?;
        match first == last {
            true => write!(f, "entry {first}"),
            false => write!(f, "entries {first} to {last}"),
        }
    }
}

/// What of the log is bound to counters that only move forward.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundTo {
    /// Entries below the newest bound checkpoint.
    pub entries: u64,
    /// Bindings that hold.
    pub bindings: u64,
    /// The newest value of the orderly counter.
    pub orderly: Option<u64>,
    /// The newest value of the plain counter.
    pub plain: Option<u64>,
    /// Entries below the checkpoint at its newest step.
    pub plain_entries: u64,
    /// Most entries between one of its steps and the second behind it (the next, where there is no second).
    pub widest_entries: u64,
    /// Longest time between them by the TPM's own clock, in milliseconds.
    pub widest_ms: u64,
}

/// What a log says of what was booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootTold {
    /// The entry.
    pub boot: Boot,
    /// Whether a quote of its PCRs holds, by the TPM key that the log stated and is signed with; `None` where nothing
    /// says any more which key that was.
    pub attested: Option<bool>,
}

/// What a log says of the firmware that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareTold {
    /// The newest entry.
    pub firmware: Firmware,
    /// The newest value of the counter that the highest version is bound to.
    pub value: Option<u64>,
    /// Whether that holds, by the TPM key that the log stated and is signed with; `None` where nothing says so.
    pub attested: Option<bool>,
}

/// A registrar took the keys in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledBy {
    /// The log that these keys signed, with its generation.
    pub log: String,
    /// Its key.
    pub registrar: VerifierKey,
    /// Whether whoever asks brought that key along; else the statement is worth what the log itself is.
    pub pinned: bool,
    /// When, by its clock, in seconds since 1970.
    pub at_s: u64,
    /// What was proved.
    pub proof: EnrolmentProof,
    /// The root of the endorsement certificate's chain, where one was needed.
    pub root: Option<String>,
    /// The one of the two keys it is about with which nobody here could compare it.
    pub unknown: Option<VerifierKey>,
    /// Whether other keys followed them: of those nothing was proved.
    pub followed: bool,
}

/// Other keys sign the log from an entry on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotatedTo {
    /// The entry that tells of them.
    pub id: u64,
    /// What the old keys and they state.
    pub stated: Rotation,
}

/// A registrar took keys back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedBy {
    /// The entry that says so.
    pub id: u64,
    /// The registrar's key.
    pub registrar: VerifierKey,
    /// Whether whoever asks brought that key along; else the statement is worth what the log itself is.
    pub pinned: bool,
    /// Whether a key that signed heads of this log is among them, or follows one of them by nothing but their word.
    pub own: bool,
    /// What it states.
    pub stated: RevokedKeys,
    /// Keys that follow them by nothing but their word, where the registrar's key is pinned.
    pub followed: Vec<NamedBy>,
}

/// Keys that revoked ones named, or those that these named; whoever asks pinned none of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBy {
    /// They, the authority first.
    pub keys: [VerifierKey; 2],
    /// Whether they are good to this verdict, as the entry of the change was cosigned before.
    pub good: bool,
}

/// A timestamp authority states that a checkpoint existed. Its token is over the checkpoint's bytes; whether it is
/// signed by somebody who is trusted is for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampedBy {
    /// The entry that has it.
    pub id: u64,
    /// The log, with its generation.
    pub log: String,
    /// Entries under the checkpoint.
    pub size: u64,
    /// When it existed at the latest, by the authority's clock.
    pub stated: UtcNs,
    /// How far that clock may be off, where the authority says so.
    pub accuracy_ns: Option<u64>,
    /// Its name, by the entry's word.
    pub authority: String,
    /// Whether the entries that are here lead to that checkpoint; else they have left.
    pub compared: bool,
    /// The checkpoint's text.
    pub over: String,
    /// The token, in DER.
    pub token: Vec<u8>,
}

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Origins of the logs covered.
    pub origins: Vec<String>,
    /// Entries read and checked.
    pub entries: u64,
    /// Index after the last entry of the newest generation covered.
    pub end: u64,
    /// Entries below the newest signed checkpoint that holds.
    pub sealed_entries: u64,
    /// Entries below the newest cosignature that holds.
    pub cosigned_entries: u64,
    /// The unsealed tail, first and last commit id: protected by CRCs and the truth store alone.
    pub unsealed: Option<(u64, u64)>,
    /// Whether a checkpoint claims some of that tail and does not hold.
    pub unsealed_claimed: bool,
    /// Whether the signatures were checked against keys pinned by the caller.
    pub anchored: bool,
    /// Class of the truth store; a collector has none.
    pub truth_class: Option<String>,
    /// Where the authority key lives.
    pub custody: Option<String>,
    /// What the log said last of its keys' store.
    pub key_store: Option<KeyStore>,
    /// What registrars state of the keys, one at most for each log and generation; none where no statement holds.
    pub enrolled: Vec<EnrolledBy>,
    /// Keys that followed others, as the log has it.
    pub rotated: Vec<RotatedTo>,
    /// Keys that registrars took back, as the log has it.
    pub revoked: Vec<RevokedBy>,
    /// Checkpoints that timestamp authorities stamped, in the order of the log.
    pub stamped: Vec<StampedBy>,
    /// What is bound to a counter; none where no binding holds.
    pub bound: Option<BoundTo>,
    /// What the log said last of what was booted.
    pub boot: Option<BootTold>,
    /// What it said last of the firmware and the programs.
    pub firmware: Option<FirmwareTold>,
    /// The newest statement that holds about the boot, or to whoever asked (`attestation_id`).
    pub attestation: Option<Digest>,
    /// What the keep-rings hold of entries that have left the ring.
    pub kept: Vec<Kept>,
    /// Alarms that a collector has on record.
    pub alarmed: Option<Alarmed>,
    /// What was covered.
    pub files: Vec<String>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What entries state of keys that followed others, whether anything leads to them or not: each carries its own proof.
    pub stated: Vec<Rotation>,
    /// Their texts.
    pub(super) stated_texts: BTreeSet<String>,
    /// What entries told of keep-rings, until that is a finding.
    pub(super) unkept: Told,
    /// The entries read so far, for whoever waits meanwhile.
    pub progress: Arc<AtomicU64>,
}

impl Report {
    /// One to be filled; `anchored` tells whether the keys are pinned.
    #[must_use]
    pub fn begun(anchored: bool) -> Self {
        Self {
            anchored,
            ..Self::default()
        }
    }

    /// One for a part of the same work, to be taken in by this one.
    #[must_use]
    pub fn part(&self) -> Self {
        Self {
            progress: self.progress.clone(),
            ..Self::default()
        }
    }

    /// A newer generation follows: what was to be done about a rollback was done.
    pub fn followed(&mut self) {
        self.followed_from(0);
    }

    /// The same of what was found behind so many others.
    pub(super) fn followed_from(&mut self, before: usize) {
        let of = |one: &&mut Finding| one.kind == FindingKind::Rollback;
        let behind = self.findings.iter_mut().skip(before);
        for one in behind.filter(of) {
            one.kind = FindingKind::RollbackFollowed;
        }
    }

    /// Whether nothing was found that contradicts the log.
    #[must_use]
    pub fn ok(&self) -> bool {
        !self
            .findings
            .iter()
            .any(|finding| finding.kind.is_failure())
    }

    /// Takes what an entry states of keys that follow others.
    pub(super) fn state(&mut self, stated: &Rotation) {
        if self.stated_texts.insert(stated.text()) {
            self.stated.push(stated.clone());
        }
    }

    /// Statements in the log that may lead to keys of which a signature was missed, where these do not have them: with them
    /// it is to be verified once more.
    #[must_use]
    pub fn to_follow(&self, known: &[Rotation]) -> Vec<Rotation> {
        // Keys that follow others may attest before the log is told of them.
        let of_keys = |one: &Finding| {
            let kind = one.kind;
            let said = matches!(
                kind,
                FindingKind::Signature | FindingKind::Known | FindingKind::Boot
            );
            said && kind.is_failure()
        };
        let missed = self.findings.iter().any(of_keys);
        let new = self.stated.iter().filter(|one| !known.contains(one));
        new.filter(|_| missed).cloned().collect()
    }

    /// Whether nothing that fails costs an entry.
    #[must_use]
    pub fn costs_no_entry(&self) -> bool {
        let mut failures = self.findings.iter().filter(|one| one.kind.is_failure());
        failures.all(|one| one.harmless.is_some())
    }

    /// Whether the log names losses among the cosigned entries: nobody holds those.
    #[must_use]
    pub fn cosigned_has_holes(&self) -> bool {
        self.findings.iter().any(|finding| {
            finding.kind == FindingKind::LossNamed
                && finding
                    .entries
                    .is_some_and(|(first, _)| first < self.cosigned_entries)
        })
    }

    /// Failures found so far.
    pub(super) fn failures(&self) -> usize {
        let failures = self.findings.iter().filter(|one| one.kind.is_failure());
        failures.count()
    }

    /// Adds a finding.
    pub fn find(
        &mut self,
        kind: FindingKind,
        entries: Option<(u64, u64)>,
        words: impl Into<String>,
    ) {
        self.find_harmless(kind, entries, words, None);
    }

    /// The same of something that may cost no entry, and then with what is done about it.
    pub fn find_harmless(
        &mut self,
        kind: FindingKind,
        entries: Option<(u64, u64)>,
        words: impl Into<String>,
        harmless: Option<&'static str>,
    ) {
        self.findings.push(Finding {
            kind,
            entries,
            words: words.into(),
            harmless,
        });
    }
}
