//! What entries about what was booted say, in words.

use crate::commands::words;
use evidence::kinds::{Attestation, Boot};
use evidence::reasons::{AttestationOf, SecureBoot, StageResult};

pub(super) fn boot_words(boot: &Boot) -> String {
    if !boot.state.is_proven() {
        return format!("boot {}: {}", boot.state, boot.detail);
    }
    let all = u64::try_from(boot.stages.len()).unwrap_or(u64::MAX);
    let verified = |one: &&evidence::kinds::BootStage| one.result == StageResult::Verified;
    let verified = boot.stages.iter().filter(verified).count();
    let version = boot.stages.iter().find_map(|one| one.version.as_deref());
    let version = version.map_or_else(String::new, |version| format!(", firmware {version}"));
    let secure = match boot.secure_boot {
        SecureBoot::Unknown => String::new(),
        known => format!(", Secure Boot {known}"),
    };
    format!(
        "boot {}: {}, {verified} verified{version}{secure}",
        boot.state,
        words::count(all, "stage", "stages")
    )
}

pub(super) fn attestation_words(told: &Attestation) -> String {
    let about = match (told.of, &told.actor) {
        (AttestationOf::Boot, _) => "what was booted".to_owned(),
        (AttestationOf::Asked, Some(actor)) => format!("a number of {actor}"),
        (AttestationOf::Asked, None) => "a number of somebody".to_owned(),
    };
    let quote = match (&told.attest, &told.detail) {
        (Some(_), _) => "with the TPM's quote".to_owned(),
        (None, Some(why)) => format!("without a quote: {why}"),
        (None, None) => "without a quote: the store of the keys has none".to_owned(),
    };
    format!("statement about {about}, signed, {quote}")
}
