//! Entries that come seldom and are long: timestamps by their own pace, what each start says, and a change of keys.

use super::entries::{AT, SIZE, UTC, bytes_of};
use contract::Contract;
use evidence::kinds::{Calibration, Firmware, KeyRotation, Program, Timestamp};
use evidence::reasons::FirmwareOutcome;
use evidence::{Actor, Blob, CommitId, Digest, Kind, Payload};

const DAY_MS: u64 = 86_400_000;
/// A token of RFC 3161 with two certificates, as most authorities send it.
const TOKEN_BYTES: usize = 4_096;
/// Characters of a verifier key (P-256), and of the statement that names four keys and has their signatures.
const VKEY_CHARS: usize = 160;
const STATEMENT_CHARS: usize = 1_536;
/// Characters of a sentence for a person.
const SENTENCE_CHARS: usize = 120;
/// Programs of a node.
const PROGRAMS: [&str; 2] = ["fieldnotary", "fieldnotary-signer"];

/// Entries of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seldom {
    pub(super) kind: Kind,
    /// Bytes of one, the longest of them.
    pub(super) bytes: usize,
    pub(super) comes: Comes,
}

/// When they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// One after so many milliseconds.
    Every(u64),
    /// So many with each start of the node.
    AtStart(u64),
    /// When somebody orders it: none in a day.
    OnOrder,
}

impl Seldom {
    /// How many there are in a day that has one start.
    pub(super) fn a_day(&self) -> u64 {
        match self.comes {
            Comes::Every(ms) => DAY_MS.div_ceil(ms.max(1)),
            Comes::AtStart(count) => count,
            Comes::OnOrder => 0,
        }
    }

    /// When they come in a stretch, in milliseconds: in the middle of each of their spans. A stretch of less than a day stands
    /// for a part of one, and has no start.
    pub(super) fn within(&self, horizon_ms: u64) -> Vec<u64> {
        match self.comes {
            Comes::Every(ms) => {
                let due =
                    (0..).map(|number: u64| (ms / 2).saturating_add(number.saturating_mul(ms)));
                due.take_while(|at| *at < horizon_ms).collect()
            }
            Comes::AtStart(count) if horizon_ms >= DAY_MS => (0..count).map(|_| 0).collect(),
            Comes::AtStart(_) | Comes::OnOrder => Vec::new(),
        }
    }
}

/// Those of a configuration.
pub(super) fn seldom(contract: &Contract) -> Vec<Seldom> {
    let one = |payload: Payload, comes| Seldom {
        kind: payload.kind(),
        bytes: bytes_of(payload),
        comes,
    };
    let mut all = Vec::new();
    if let Some(asked) = &contract.timestamp {
        all.push(one(timestamp().into(), Comes::Every(asked.every_ms)));
    }
    let calibrated: Vec<Calibration> = contract.calibration_entries(AT, CommitId(3)).collect();
    let count = u64::try_from(calibrated.len()).unwrap_or(u64::MAX);
    let longest = calibrated
        .into_iter()
        .map(|said| one(said.into(), Comes::AtStart(count)));
    all.extend(longest.max_by_key(|one| one.bytes));
    all.push(one(firmware(contract).into(), Comes::AtStart(1)));
    all.push(one(rotation().into(), Comes::OnOrder));
    all
}

fn timestamp() -> Timestamp {
    Timestamp {
        at: AT,
        size: SIZE,
        root: Digest([0; 32]),
        stated: UTC,
        accuracy_ns: Some(1_000_000_000),
        offset_ns: Some(1_000_000_000),
        authority: text(40),
        root_name: text(40),
        token: Blob::from(vec![0; TOKEN_BYTES].as_slice()),
    }
}

fn firmware(contract: &Contract) -> Firmware {
    let declared = contract.firmware.is_some();
    let program = |name: &str| Program {
        name: name.to_owned(),
        version: text(12),
        digest: Some(Digest([0; 32])),
    };
    Firmware {
        installed: declared.then_some(100),
        highest: declared.then_some(100),
        image: declared.then(|| text(40)),
        source: declared.then(|| text(40)),
        programs: PROGRAMS.map(program).into(),
        detail: text(SENTENCE_CHARS),
        ..Firmware::new(AT, FirmwareOutcome::Same)
    }
}

fn rotation() -> KeyRotation {
    let keys = || vec![text(VKEY_CHARS), text(VKEY_CHARS)];
    KeyRotation {
        at: AT,
        actor: Actor::local("admin", 1_000),
        reason: text(40),
        old: keys(),
        new: keys(),
        size: SIZE,
        statement: text(STATEMENT_CHARS),
    }
}

fn text(chars: usize) -> String {
    "0".repeat(chars)
}
