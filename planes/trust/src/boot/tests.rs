//! What is said of a boot, for every log and every TPM.

#![expect(
    clippy::little_endian_bytes,
    reason = "event logs of firmware are little-endian"
)]

use super::{Log, LogFound, Look, Pcrs, booted, is_reset, judged, measurement_id, not_looked};
use crate::limits::{BOOT_PCRS, BOOT_STAGES_MAX};
use evidence::kinds::Boot;
use evidence::reasons::{BootStageKind, BootState, KeyFault, SecureBoot, StageResult};
use evidence::{BootId, Digest, MonoNs, Payload};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::vec::Vec;
use tpm::{eventlog, uefi};

const LOOK: Look = Look {
    at: MonoNs(7),
    boot_id: BootId([1; 16]),
};

/// A log as firmware writes it, and the PCRs that it leads to.
struct Firmware {
    bytes: Vec<u8>,
    pcrs: BTreeMap<u8, [u8; 32]>,
}

fn words(numbers: &[u32]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.collect()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn variable(name: &str, data: &[u8]) -> Vec<u8> {
    variable_of(uefi::GLOBAL, name, data)
}

fn variable_of(owner: [u8; 16], name: &str, data: &[u8]) -> Vec<u8> {
    let lengths = [name.len(), data.len()].map(|one| u64::try_from(one).unwrap().to_le_bytes());
    [&owner[..], &lengths.concat(), &wide(name), data].concat()
}

fn image(path: &str) -> Vec<u8> {
    image_of(&[path])
}

fn image_of(path: &[&str]) -> Vec<u8> {
    let node = |path: &&str| {
        let file = [wide(path), std::vec![0, 0]].concat();
        let length = u16::try_from(file.len() + 4).unwrap().to_le_bytes();
        [&[4, 4][..], &length, &file].concat()
    };
    let mut nodes: Vec<u8> = path.iter().flat_map(node).collect();
    nodes.extend([0x7f, 0xff, 4, 0]);
    let length = u64::try_from(nodes.len()).unwrap().to_le_bytes();
    [&[0; 24][..], &length, &nodes].concat()
}

impl Firmware {
    fn new() -> Self {
        let id = [
            b"Spec ID Event03\0".as_slice(),
            &words(&[0]),
            &[0, 2, 105, 2],
            &words(&[1]),
        ];
        let id = [&id.concat()[..], &[0xb, 0, 32, 0, 0]].concat();
        let length = u32::try_from(id.len()).unwrap();
        let bytes = [
            words(&[0, eventlog::NO_ACTION]),
            [0; 20].to_vec(),
            words(&[length]),
            id,
        ];
        Self {
            bytes: bytes.concat(),
            pcrs: BOOT_PCRS.map(|pcr| (pcr, [0; 32])).into(),
        }
    }

    fn with(self, pcr: u8, kind: u32, data: &[u8]) -> Self {
        self.noted(pcr, kind, data, data)
    }

    /// An event whose data is not what was hashed.
    fn noted(mut self, pcr: u8, kind: u32, hashed: &[u8], data: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(hashed).into();
        self.bytes.extend(words(&[pcr.into(), kind, 1]));
        self.bytes.extend([0xb, 0]);
        self.bytes.extend(digest);
        self.bytes
            .extend(words(&[u32::try_from(data.len()).unwrap()]));
        self.bytes.extend(data);
        // What nobody compares is not followed.
        if let Some(value) = self.pcrs.get_mut(&pcr) {
            *value = Sha256::digest([*value, digest].concat()).into();
        }
        self
    }

    fn separated(self) -> Self {
        self.with(7, eventlog::SEPARATOR, &eventlog::SEPARATOR_DATA)
    }

    fn secure_boot(&self) -> SecureBoot {
        let boot = booted(LOOK, Some(&self.pcrs()), &self.log());
        assert_eq!(boot.state, BootState::Replayed);
        boot.secure_boot
    }

    /// A machine that starts with or without Secure Boot.
    fn started(secure: Option<u8>) -> Self {
        let mut new = Self::new().with(0, eventlog::CRTM_VERSION, &wide("1.42"));
        new = new.with(0, eventlog::FIRMWARE_BLOB, &[0; 16]);
        if let Some(secure) = secure {
            new = new.with(7, eventlog::VARIABLE, &variable("SecureBoot", &[secure]));
        }
        new.separated()
            .with(2, eventlog::BOOT_DRIVER, &image(""))
            .with(7, eventlog::AUTHORITY, &variable("db", &[9; 40]))
            .with(
                4,
                eventlog::BOOT_APPLICATION,
                &image("\\EFI\\boot\\shim.efi"),
            )
            .with(
                4,
                eventlog::BOOT_APPLICATION,
                &image("\\EFI\\boot\\grub.efi"),
            )
            .with(9, eventlog::IPL, b"/boot/vmlinuz\0")
            .with(8, eventlog::IPL, b"kernel_cmdline: quiet\0")
    }

    fn pcrs(&self) -> Vec<(u8, Digest)> {
        let pcrs = self.pcrs.iter();
        pcrs.map(|(pcr, value)| (*pcr, Digest(*value))).collect()
    }

    fn log(&self) -> LogFound {
        LogFound::Bytes(self.bytes.clone())
    }
}

fn missing() -> LogFound {
    LogFound::Missing("in its place".into())
}

/// Every row of the table: only a log that leads to PCRs that begin with the firmware's proves anything.
//= A6.5
#[test]
fn a_boot_is_proven_in_one_case_alone_and_nothing_is_claimed_without_a_measurement() {
    let pcrs = [Pcrs::NoStore, Pcrs::NoBank, Pcrs::Reset, Pcrs::Extended];
    let logs = [Log::Missing, Log::Unreadable, Log::Agrees, Log::Differs];
    let mut proven = 0;
    for (pcrs, log) in pcrs.into_iter().flat_map(|one| logs.map(|log| (one, log))) {
        let state = judged(pcrs, log);
        proven += usize::from(state.is_proven());
        let of_pcrs = matches!(pcrs, Pcrs::NoStore | Pcrs::NoBank);
        assert_eq!(
            state.is_contradicted(),
            log == Log::Differs && !of_pcrs,
            "{pcrs:?} {log:?}"
        );
        let nothing = matches!(
            state,
            BootState::Unattested | BootState::BankAbsent | BootState::Unmeasured
        );
        let unmeasured = pcrs == Pcrs::Reset && matches!(log, Log::Missing | Log::Agrees);
        assert_eq!(nothing, of_pcrs || unmeasured, "{pcrs:?} {log:?}");
    }
    assert_eq!(judged(Pcrs::Extended, Log::Agrees), BootState::Replayed);
    assert_eq!(proven, 1);
}

//= A6.5
//= R8.1
#[test]
fn the_stages_of_a_boot_are_told_with_what_vouched_for_each() {
    for (secure, result, said) in [
        (Some(1), StageResult::Verified, SecureBoot::On),
        (Some(0), StageResult::Measured, SecureBoot::Off),
        (None, StageResult::Measured, SecureBoot::Unknown),
    ] {
        let machine = Firmware::started(secure);
        let boot = booted(LOOK, Some(&machine.pcrs()), &machine.log());
        assert_eq!((boot.state, boot.secure_boot), (BootState::Replayed, said));
        assert_eq!(boot.measurement_id, Some(measurement_id(&boot.pcrs)));
        let stages: Vec<(BootStageKind, &str)> = boot
            .stages
            .iter()
            .map(|one| (one.stage, one.target.as_str()))
            .collect();
        assert_eq!(
            stages,
            [
                (BootStageKind::Rom, "version of the first code"),
                (BootStageKind::Firmware, "code of the firmware"),
                (BootStageKind::Firmware, "driver of a card"),
                (BootStageKind::Loader, "\\EFI\\boot\\shim.efi"),
                (BootStageKind::Loader, "\\EFI\\boot\\grub.efi"),
                (BootStageKind::System, "/boot/vmlinuz"),
                (BootStageKind::System, "kernel_cmdline: quiet"),
            ]
        );
        assert_eq!(boot.stages[0].version.as_deref(), Some("1.42"));
        assert_eq!(boot.stages[0].hash.0, *Sha256::digest(wide("1.42")));
        let loaders = &boot.stages[3..5];
        assert!(
            loaders.iter().all(|one| one.result == result),
            "{loaders:?}"
        );
        // The variable stands before the first of them alone.
        assert_eq!(loaders[0].root.as_deref(), Some("db"));
        assert_eq!(loaders[1].root, None);
        for one in &boot.stages {
            assert!(!one.reason.is_empty());
            let may_be_verified = one.stage == BootStageKind::Loader;
            assert!(may_be_verified || one.result == StageResult::Measured);
        }
        let again = Payload::from(boot.clone());
        let read = Payload::decode(again.kind(), &again.encode()).unwrap();
        assert_eq!(read, again);
    }
}

/// The PCRs have digests alone: whoever writes the log can note other data, and an event where nobody compares. A program
/// that was started can measure what it likes, and call what the firmware measured something else.
//= A6.5
#[test]
fn what_no_pcr_covers_says_nothing_of_secure_boot() {
    let (on, off) = (variable("SecureBoot", &[1]), variable("SecureBoot", &[0]));
    let kind = eventlog::VARIABLE;
    let begun = || Firmware::new().with(0, eventlog::CRTM_VERSION, &wide("1.42"));
    let foreign = variable_of([7; 16], "SecureBoot", &[1]);
    for (machine, said) in [
        (begun().with(7, kind, &on).separated(), SecureBoot::On),
        (begun().with(7, kind, &off).separated(), SecureBoot::Off),
        // Other data beside the digest; in a PCR that is not compared, or another one; of another owner.
        (
            begun().noted(7, kind, &off, &on).separated(),
            SecureBoot::Unknown,
        ),
        (
            begun().with(16, kind, &on).with(7, kind, &off).separated(),
            SecureBoot::Off,
        ),
        (begun().with(16, kind, &on).separated(), SecureBoot::Unknown),
        (begun().with(5, kind, &on).separated(), SecureBoot::Unknown),
        (
            begun().with(7, kind, &foreign).separated(),
            SecureBoot::Unknown,
        ),
        // Measured by what was started, the firmware's own word under another type.
        (
            begun()
                .with(7, eventlog::EVENT_TAG, &off)
                .separated()
                .with(7, kind, &on),
            SecureBoot::Unknown,
        ),
        // The separator of another PCR ends nothing here.
        (
            begun()
                .with(7, kind, &on)
                .with(16, eventlog::SEPARATOR, &eventlog::SEPARATOR_DATA),
            SecureBoot::Unknown,
        ),
    ] {
        assert_eq!(machine.secure_boot(), said);
    }
    let machine = Firmware::new()
        .noted(0, eventlog::CRTM_VERSION, &wide("1.41"), &wide("1.42"))
        .noted(
            7,
            eventlog::AUTHORITY,
            &variable("MokList", &[1]),
            &variable("db", &[1]),
        )
        .with(4, eventlog::BOOT_APPLICATION, &image("\\a.efi"));
    let boot = booted(LOOK, Some(&machine.pcrs()), &machine.log());
    assert_eq!(boot.state, BootState::Replayed);
    assert_eq!((boot.stages.len(), &boot.stages[0].version), (2, &None));
    assert_eq!(boot.stages[1].root, None);
}

/// What a wrong log, a missing one, no bank, no store, a TPM that was reset say.
//= A6.5
#[test]
fn what_does_not_agree_is_told_and_no_stage_is_believed() {
    let machine = Firmware::started(Some(1));
    let good = machine.pcrs();
    let mut forged = machine.bytes.clone();
    *forged.iter_mut().rev().nth(60).unwrap() ^= 1;
    let longer = Firmware::started(Some(1)).with(5, eventlog::POST_CODE, b"more");
    let reset: Vec<(u8, Digest)> = BOOT_PCRS.map(|pcr| (pcr, Digest([0; 32]))).into();
    let at = |boot: &Boot| boot.detail.clone();
    for (pcrs, log, state, words) in [
        (
            Some(&good),
            missing(),
            BootState::LogMissing,
            "in its place",
        ),
        (Some(&good), longer.log(), BootState::LogDiffers, "PCR 5."),
        (
            Some(&reset),
            machine.log(),
            BootState::LogDiffers,
            "PCR 0, 2, 4, 7, 8, 9.",
        ),
        (
            Some(&reset),
            missing(),
            BootState::Unmeasured,
            "nothing is claimed",
        ),
        (
            Some(&reset),
            Firmware::new().log(),
            BootState::Unmeasured,
            "nothing is claimed",
        ),
        (
            Some(&good),
            LogFound::Bytes(std::vec![0; 90]),
            BootState::LogUnreadable,
            "TCG event log",
        ),
        (
            Some(&good),
            LogFound::Unreadable("denied".into()),
            BootState::LogUnreadable,
            "denied",
        ),
        (
            Some(&Vec::new()),
            machine.log(),
            BootState::BankAbsent,
            "SHA-256 bank",
        ),
        (
            None,
            machine.log(),
            BootState::Unattested,
            "nothing is claimed",
        ),
    ] {
        let boot = booted(LOOK, pcrs.map(Vec::as_slice), &log);
        assert_eq!(boot.state, state, "{}", at(&boot));
        assert!(boot.detail.contains(words), "{}", at(&boot));
        assert_eq!(boot.secure_boot, SecureBoot::Unknown);
        let believed = |one: &evidence::kinds::BootStage| one.result != StageResult::Unproven;
        assert!(!boot.stages.iter().any(believed), "{state}");
    }
    let boot = booted(LOOK, Some(&good), &LogFound::Bytes(forged));
    assert!(matches!(
        boot.state,
        BootState::LogDiffers | BootState::LogUnreadable
    ));
    let boot = not_looked(LOOK, KeyFault::Slow, "no answer");
    assert_eq!(
        (boot.state, boot.fault),
        (BootState::Unavailable, Some(KeyFault::Slow))
    );
}

#[test]
fn a_boot_loader_that_measures_each_command_does_not_fill_the_entry() {
    let mut machine = Firmware::started(Some(1));
    for _ in 0..400 {
        machine = machine.with(8, eventlog::IPL, "x".repeat(900).as_bytes());
    }
    let boot = booted(LOOK, Some(&machine.pcrs()), &machine.log());
    assert_eq!(boot.state, BootState::Replayed);
    assert_eq!(boot.stages.len(), 5 + BOOT_STAGES_MAX);
    assert_eq!(boot.stages_left_out, 402 - 12);
    let bytes = Payload::from(boot).encode().len();
    assert!(bytes < evidence::limits::BLOB_BYTES_MAX, "{bytes}");
}

/// The longest of everything that firmware and an administrator can name.
#[test]
fn the_longest_of_everything_is_an_entry_that_is_read_again() {
    let long = "\u{e9}".repeat(900);
    let mut machine = Firmware::started(Some(1));
    for _ in 0..BOOT_STAGES_MAX {
        machine = machine
            .with(0, eventlog::CRTM_VERSION, &wide(&long))
            .with(0, eventlog::POST_CODE, long.as_bytes())
            .with(7, eventlog::AUTHORITY, &variable(&long, &[1]))
            .with(
                4,
                eventlog::BOOT_APPLICATION,
                &image_of(&[long.as_str(); 30]),
            )
            .with(8, eventlog::IPL, long.as_bytes());
    }
    let place = long.repeat(9);
    let pcrs = machine.pcrs();
    let proven = booted(LOOK, Some(&pcrs), &machine.log());
    assert_eq!(proven.state, BootState::Replayed);
    for boot in [
        proven,
        booted(LOOK, Some(&pcrs), &LogFound::Missing(place.clone())),
        booted(LOOK, Some(&pcrs), &LogFound::Unreadable(place.clone())),
        not_looked(LOOK, KeyFault::Slow, &place),
    ] {
        let payload = Payload::from(boot);
        let bytes = payload.encode();
        assert!(bytes.len() < evidence::limits::BLOB_BYTES_MAX);
        assert_eq!(Payload::decode(payload.kind(), &bytes), Ok(payload));
    }
}

#[test]
fn a_reset_pcr_has_at_most_the_locality_of_the_start() {
    let last = |last: u8| [&[0; 31][..], &[last]].concat();
    assert!(is_reset(&last(0)) && is_reset(&last(3)));
    assert!(!is_reset(&last(5)) && !is_reset(&[1; 32]));
}
