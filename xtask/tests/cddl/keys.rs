//! What the signer says of its store, and what it binds.

use super::AT;
use evidence::kinds::{Binding, BindingCounter, KeyStore, KeyUse, PurposeUse, Rollback, Unsealed};
use evidence::reasons::{CounterKind, Custody, KeyFault, RollbackAlarm, RollbackWitness};
use evidence::{Blob, Kind, MonoNs, Payload, UtcNs};

pub(super) fn sample(kind: Kind, full: bool) -> Option<Payload> {
    Some(match kind {
        Kind::KeyStore => KeyStore {
            at: AT,
            custody: Custody::TpmEmulated,
            maker: "IBM SW TPM".into(),
            non_exportable: true,
            monotonic_counter: true,
            attestation: true,
            measured_boot: false,
            key_public: full.then(|| Blob(vec![0, 0x23])),
            counters: match full {
                true => vec![BindingCounter {
                    counter: CounterKind::Plain,
                    public: Blob(vec![1, 0x50]),
                }],
                false => Vec::new(),
            },
            window_ns: full.then_some(1_860_000_000_000),
            not_applied: match full {
                true => vec!["the system has no filter".into()],
                false => Vec::new(),
            },
        }
        .into(),
        Kind::Binding => Binding {
            at: AT,
            size: 70_000,
            counter: CounterKind::Orderly,
            value: 255,
            attest: Blob(vec![0xff, 0x54, 0x43, 0x47]),
            signature: Blob(vec![0x30]),
        }
        .into(),
        Kind::Unsealed => Unsealed {
            at: AT,
            since: MonoNs(5),
            sealed_before: 60_000,
            sealed: 70_000,
            missed: 3,
            cause: KeyFault::Slow,
            sealed_utc: full.then_some(UtcNs(1_800_000_000_000_000_000)),
        }
        .into(),
        Kind::Rollback => Rollback {
            at: AT,
            alarm: RollbackAlarm::OlderImage,
            witness: RollbackWitness::Start,
            size: 70_000,
            known_size: full.then_some(80_000),
            counter: full.then_some(CounterKind::Plain),
            bound: full.then_some(7),
            value: full.then_some(9),
            detail: "an older image".into(),
        }
        .into(),
        Kind::KeyUse => KeyUse {
            at: AT,
            since: MonoNs(5),
            uses: match full {
                true => vec![PurposeUse {
                    purpose: "checkpoint".into(),
                    count: 30,
                }],
                false => Vec::new(),
            },
            rollback_attempts: 0,
            signature_failures: 1,
        }
        .into(),
        _ => return None,
    })
}
