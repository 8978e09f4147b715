//! What was booted, and what is attested of it.

use super::AT;
use evidence::kinds::{Attestation, Boot, BootPcr, BootStage, Firmware, Program};
use evidence::reasons::{
    AttestationOf, BootStageKind, BootState, Custody, FirmwareCounter, FirmwareKept,
    FirmwareOutcome, KeyFault, SecureBoot, StageResult,
};
use evidence::{Actor, Blob, BootId, Digest, Kind, Payload};

pub(super) fn sample(kind: Kind, full: bool) -> Option<Payload> {
    let pcrs = || match full {
        true => vec![BootPcr {
            pcr: 7,
            value: Digest([7; 32]),
            replayed: Some(Digest([7; 32])),
        }],
        false => Vec::new(),
    };
    Some(match kind {
        Kind::Boot => Boot {
            at: AT,
            boot_id: BootId([3; 16]),
            state: BootState::Replayed,
            detail: "as measured".into(),
            measurement_id: full.then_some(Digest([1; 32])),
            secure_boot: SecureBoot::On,
            stages: match full {
                true => vec![BootStage {
                    stage: BootStageKind::Loader,
                    target: "\\EFI\\BOOT\\BOOTX64.EFI".into(),
                    hash: Digest([2; 32]),
                    pcr: 4,
                    result: StageResult::Verified,
                    reason: "Secure Boot was on".into(),
                    root: Some("db".into()),
                    version: Some("1.42".into()),
                }],
                false => Vec::new(),
            },
            stages_left_out: 3,
            pcrs: pcrs(),
            log_digest: full.then_some(Digest([4; 32])),
            log_bytes: full.then_some(40_000),
            fault: full.then_some(KeyFault::Slow),
        }
        .into(),
        Kind::Firmware => firmware(full).into(),
        Kind::Attestation => Attestation {
            at: AT,
            id: Digest([5; 32]),
            of: AttestationOf::Asked,
            note: "fieldnotary attestation statement v1\n".into(),
            custody: Custody::TpmEmulated,
            nonce: full.then(|| Blob(vec![9; 32])),
            actor: full.then(|| Actor::local("ada", 7)),
            attest: full.then(|| Blob(vec![0xff, 0x54, 0x43, 0x47])),
            signature: full.then(|| Blob(vec![0x30])),
            pcrs: pcrs(),
            fault: full.then_some(KeyFault::Slow),
            detail: full.then(|| "no answer".into()),
        }
        .into(),
        _ => return None,
    })
}

fn firmware(full: bool) -> Firmware {
    Firmware {
        at: AT,
        outcome: FirmwareOutcome::Blocked,
        installed: full.then_some(6),
        highest: full.then_some(7),
        kept: FirmwareKept::Counter,
        counter: FirmwareCounter::Ahead,
        image: full.then(|| "2.4".into()),
        source: full.then(|| "SECURITY_VERSION in /etc/os-release".into()),
        attempts: 3,
        blocks: 2,
        programs: match full {
            true => vec![Program {
                name: "fieldnotary".into(),
                version: "0.1.0".into(),
                digest: Some(Digest([6; 32])),
            }],
            false => Vec::new(),
        },
        value: full.then_some(41),
        public: full.then(|| Blob(vec![1, 0x80])),
        attest: full.then(|| Blob(vec![0xff, 0x54, 0x43, 0x47])),
        signature: full.then(|| Blob(vec![0x30])),
        actor: full.then(|| Actor::local("ada", 7)),
        reason: full.then(|| "the newer one lost readings".into()),
        accepted: full,
        detail: "version 6, 7 is the highest".into(),
        shown: full.then_some(9),
    }
}
