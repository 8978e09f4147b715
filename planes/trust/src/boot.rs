//! What was booted: the firmware's event log, replayed and held against the PCRs of the TPM.

use crate::limits::{BOOT_PCRS, BOOT_STAGES_MAX};
use crate::statement::Purpose;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use evidence::kinds::{Boot, BootPcr, BootStage};
use evidence::limits::TEXT_BYTES_MAX;
use evidence::reasons::{BootStageKind, BootState, KeyFault, SecureBoot, StageResult};
use evidence::{BootId, Digest, MonoNs};
use sha2::{Digest as _, Sha256};
use tpm::eventlog::{self, BootEvent, EventLog};
use tpm::uefi::{self, Variable};

/// The variable that says whether Secure Boot is on.
const SECURE_BOOT: &str = "SecureBoot";
/// The PCR of what Secure Boot goes by.
const POLICY_PCR: u32 = 7;

/// The event log, as whoever looks for it found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFound {
    /// There is none, with where it should be.
    Missing(String),
    /// There is one that cannot be read, with why.
    Unreadable(String),
    /// Its bytes.
    Bytes(Vec<u8>),
}

/// When it is looked, and in which boot.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// When.
    pub at: MonoNs,
    /// In which boot.
    pub boot_id: BootId,
}

/// What the PCRs say beside the event log. The table of [`judged`] has a row for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pcrs {
    /// The store attests none.
    NoStore,
    /// The TPM has no bank.
    NoBank,
    /// PCR 0 is as a reset leaves it.
    Reset,
    /// It is not.
    Extended,
}

/// What the event log says beside the PCRs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    Missing,
    Unreadable,
    /// It leads to the PCRs that are there.
    Agrees,
    Differs,
}

/// What can be said of a boot.
const fn judged(pcrs: Pcrs, log: Log) -> BootState {
    match (pcrs, log) {
        (Pcrs::NoStore, _) => BootState::Unattested,
        (Pcrs::NoBank, _) => BootState::BankAbsent,
        (_, Log::Unreadable) => BootState::LogUnreadable,
        (_, Log::Differs) => BootState::LogDiffers,
        // PCR 0 is where everything begins: without it the others are anybody's.
        (Pcrs::Reset, Log::Missing | Log::Agrees) => BootState::Unmeasured,
        (Pcrs::Extended, Log::Missing) => BootState::LogMissing,
        (Pcrs::Extended, Log::Agrees) => BootState::Replayed,
    }
}

/// Whether a PCR is as a reset leaves it: zero, or the locality of the start in its last byte.
#[must_use]
pub fn is_reset(value: &[u8]) -> bool {
    let (last, rest) = value.split_last().unwrap_or((&0, &[]));
    rest.iter().all(|byte| *byte == 0) && *last <= 4
}

/// What was booted, by the values of [`BOOT_PCRS`] (none of them where the TPM has no SHA-256 bank; `None` where the
/// store of the keys attests none) and the event log.
#[must_use]
pub fn booted(look: Look, pcrs: Option<&[(u8, Digest)]>, log: &LogFound) -> Boot {
    let mut boot = nothing_known(look);
    let read = match log {
        LogFound::Bytes(bytes) => {
            boot.log_digest = Some(sha256(&[bytes]));
            boot.log_bytes = Some(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            replayed(bytes).map(Some)
        }
        LogFound::Unreadable(why) => Err(why.clone()),
        LogFound::Missing(_) => Ok(None),
    };
    for (pcr, value) in pcrs.unwrap_or_default() {
        let pcr = u32::from(*pcr);
        let reset = || Digest([0; 32]);
        let led = |log: &Replayed| log.pcrs.get(&pcr).copied().unwrap_or_else(reset);
        let log = read.as_ref().ok().and_then(Option::as_ref);
        boot.pcrs.push(BootPcr {
            pcr,
            value: *value,
            replayed: log.map(led),
        });
    }
    let found = match boot.pcrs.first() {
        _ if pcrs.is_none() => Pcrs::NoStore,
        None => Pcrs::NoBank,
        Some(first) if is_reset(&first.value.0) => Pcrs::Reset,
        Some(_) => Pcrs::Extended,
    };
    let other: Vec<u32> = boot
        .pcrs
        .iter()
        .filter(|one| differs(one))
        .map(|one| one.pcr)
        .collect();
    let said = match &read {
        Err(_) => Log::Unreadable,
        Ok(None) => Log::Missing,
        Ok(Some(_)) if other.is_empty() => Log::Agrees,
        Ok(Some(_)) => Log::Differs,
    };
    boot.state = judged(found, said);
    boot.detail = bounded(words(boot.state, log, read.as_ref().err(), &other));
    let claims = boot.state.is_measured();
    if claims {
        boot.measurement_id = Some(measurement_id(&boot.pcrs));
    }
    if let (Ok(Some(log)), true) = (read, claims) {
        let proven = boot.state.is_proven();
        if proven {
            boot.secure_boot = log.secure_boot;
        }
        let all = log.stages.len();
        boot.stages = stages(log, proven);
        boot.stages_left_out = u64::try_from(all.saturating_sub(boot.stages.len())).unwrap_or(0);
    }
    boot
}

/// What is said where the store of the keys did not answer.
#[must_use]
pub fn not_looked(look: Look, fault: KeyFault, words: &str) -> Boot {
    Boot {
        fault: Some(fault),
        detail: bounded(words.to_string()),
        ..nothing_known(look)
    }
}

/// A text that an entry can have: the path of a log may be as long.
fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

fn nothing_known(look: Look) -> Boot {
    Boot {
        at: look.at,
        boot_id: look.boot_id,
        state: BootState::Unavailable,
        detail: String::new(),
        measurement_id: None,
        secure_boot: SecureBoot::Unknown,
        stages: Vec::new(),
        stages_left_out: 0,
        pcrs: Vec::new(),
        log_digest: None,
        log_bytes: None,
        fault: None,
    }
}

fn differs(pcr: &BootPcr) -> bool {
    pcr.replayed.is_some_and(|led| led != pcr.value)
}

/// SHA-256 over PCRs, one behind the other: what a quote of them has too.
#[must_use]
pub fn measurement_id(pcrs: &[BootPcr]) -> Digest {
    let values: Vec<&[u8]> = pcrs.iter().map(|one| one.value.0.as_slice()).collect();
    sha256(&values)
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Digest(hash.finalize().into())
}

fn words(state: BootState, log: &LogFound, error: Option<&String>, other: &[u32]) -> String {
    match (state, log, error) {
        (BootState::LogMissing, LogFound::Missing(place), _) => format!(
            "{}; it should be {place}: does the kernel have the driver of this TPM built in, and is securityfs mounted?",
            state.meaning()
        ),
        (_, _, Some(error)) if state == BootState::LogUnreadable => {
            format!("{}: {error}", state.meaning())
        }
        _ if state.is_contradicted() => {
            let other: Vec<String> = other.iter().map(u32::to_string).collect();
            format!(
                "{}: PCR {}. Either the log was changed, or the TPM was reset or extended without it",
                state.meaning(),
                other.join(", ")
            )
        }
        _ => state.meaning().to_string(),
    }
}

/// A log that was read: where it leads, and the stages in it with what vouched for each.
struct Replayed {
    pcrs: BTreeMap<u32, Digest>,
    secure_boot: SecureBoot,
    stages: Vec<(BootStage, bool)>,
}

fn replayed(bytes: &[u8]) -> Result<Replayed, String> {
    let log = EventLog::parse(bytes).map_err(|error| error.to_string())?;
    let pcrs = log
        .replay(|pcr, digest| sha256(&[pcr, digest]).0)
        .ok_or("it has events without a SHA-256 digest")?;
    let secure_boot = secure_boot(&log);
    let mut stages = Vec::new();
    let mut root = None;
    for event in &log.events {
        if event.kind == eventlog::AUTHORITY {
            root = measured(event)
                .and_then(|data| Variable::parse(data).ok())
                .map(|variable| variable.name);
            continue;
        }
        let Some((stage, hash)) = stage(event).zip(event.sha256) else {
            continue;
        };
        let (stage, target, version) = stage;
        // The firmware measures what vouches for a program right before that.
        let own = match stage {
            BootStageKind::Loader => root.take(),
            BootStageKind::Rom | BootStageKind::Firmware | BootStageKind::System => None,
        };
        let verified = stage == BootStageKind::Loader && secure_boot == SecureBoot::On;
        let stage = BootStage {
            stage,
            target,
            hash: Digest(hash),
            pcr: event.pcr,
            result: StageResult::Measured,
            reason: String::new(),
            root: own,
            version,
        };
        stages.push((stage, verified));
    }
    let pcrs = pcrs.into_iter().map(|(pcr, value)| (pcr, Digest(value)));
    Ok(Replayed {
        pcrs: pcrs.collect(),
        secure_boot,
        stages,
    })
}

/// The data of an event whose type says that it is what was hashed, where that holds: the PCRs have the digest alone, so
/// that whoever writes the log could put other data beside it, or the event into a PCR that nobody compares.
fn measured(event: &BootEvent) -> Option<&[u8]> {
    let own = match event.kind {
        eventlog::VARIABLE | eventlog::AUTHORITY => POLICY_PCR,
        eventlog::CRTM_VERSION => 0,
        _ => return None,
    };
    let data = event.data.as_slice();
    (event.pcr == own && event.sha256 == Some(sha256(&[data]).0)).then_some(data)
}

/// What the firmware measured of Secure Boot. It does so before the separator of that PCR; what comes behind is of programs
/// that it started, which can measure what they like.
fn secure_boot(log: &EventLog) -> SecureBoot {
    let separator = Some(sha256(&[&eventlog::SEPARATOR_DATA]).0);
    let measured_there =
        |event: &&BootEvent| event.pcr == POLICY_PCR && event.kind != eventlog::NO_ACTION;
    let mut of_it = log.events.iter().filter(measured_there);
    let of = |event: &BootEvent| {
        let variable = Variable::parse(measured(event)?).ok()?;
        let is_it = event.kind == eventlog::VARIABLE
            && variable.owner == uefi::GLOBAL
            && variable.name == SECURE_BOOT;
        is_it.then_some(variable)
    };
    let found = of_it
        .by_ref()
        .take_while(|event| event.sha256 != separator)
        .find_map(of);
    // Without a separator nothing tells the one from the other.
    let ends = of_it.any(|event| event.sha256 == separator);
    match found {
        Some(variable) if ends && variable.data == [1] => SecureBoot::On,
        Some(_) if ends => SecureBoot::Off,
        _ => SecureBoot::Unknown,
    }
}

/// Which stage an event is of, what was run, and its version where that is what was measured.
fn stage(event: &BootEvent) -> Option<(BootStageKind, String, Option<String>)> {
    let data = &event.data;
    let named = |name: &str| Some((name.to_string(), None));
    let (kind, named) = match (event.pcr, event.kind) {
        (0, eventlog::CRTM_VERSION) => {
            let version = measured(event).map(uefi::utf16);
            (
                BootStageKind::Rom,
                Some(("version of the first code".to_string(), version)),
            )
        }
        (0, eventlog::CRTM_CONTENTS) => (BootStageKind::Rom, named("the first code")),
        (0, eventlog::POST_CODE) => (BootStageKind::Firmware, Some((uefi::text(data), None))),
        (0, eventlog::FIRMWARE_BLOB | eventlog::FIRMWARE_BLOB2) => {
            (BootStageKind::Firmware, named("code of the firmware"))
        }
        (0..=3, eventlog::BOOT_DRIVER | eventlog::RUNTIME_DRIVER) => {
            let path = uefi::image_path(data);
            let path = path.unwrap_or_else(|| "driver of a card".to_string());
            (BootStageKind::Firmware, Some((path, None)))
        }
        (4, eventlog::BOOT_APPLICATION) => {
            let path = uefi::image_path(data);
            let path = path.unwrap_or_else(|| "program of the firmware".to_string());
            (BootStageKind::Loader, Some((path, None)))
        }
        (8 | 9, eventlog::IPL) => (BootStageKind::System, Some((uefi::text(data), None))),
        (9, eventlog::EVENT_TAG) => (
            BootStageKind::System,
            named("handed to the kernel: its command line, or an initial file system"),
        ),
        _ => return None,
    };
    named.map(|(target, version)| (kind, target, version))
}

/// The stages of an entry: of each kind the first ones.
fn stages(log: Replayed, proven: bool) -> Vec<BootStage> {
    let mut left: BTreeMap<BootStageKind, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for (mut stage, verified) in log.stages {
        let had = left.entry(stage.stage).or_insert(0);
        *had = had.saturating_add(1);
        if *had > BOOT_STAGES_MAX {
            continue;
        }
        let (result, reason) = match (proven, verified) {
            (false, _) => (
                StageResult::Unproven,
                "the event log does not lead to the PCRs",
            ),
            (true, true) => (StageResult::Verified, "Secure Boot was on"),
            (true, false) if stage.stage == BootStageKind::Loader => match log.secure_boot {
                SecureBoot::Off => (
                    StageResult::Measured,
                    "Secure Boot was off: anything was started",
                ),
                SecureBoot::On | SecureBoot::Unknown => (
                    StageResult::Measured,
                    "the event log does not say whether Secure Boot was on",
                ),
            },
            (true, false) => (
                StageResult::Measured,
                "nothing in the event log says what vouched for it",
            ),
        };
        stage.result = result;
        stage.reason = reason.to_string();
        out.push(stage);
    }
    out
}

/// Whether statements of a purpose are quoted where the store can.
pub(crate) const fn is_quoted(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Boot | Purpose::Attestation)
}

const _: () = assert!(BOOT_PCRS[0] == 0);

#[cfg(test)]
mod tests;
