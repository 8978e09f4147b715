//! What an entry about the firmware says, in words.

use evidence::kinds::Firmware;
use evidence::reasons::FirmwareOutcome;

pub(super) fn firmware_words(told: &Firmware) -> String {
    let programs: Vec<String> = told
        .programs
        .iter()
        .map(|one| match one.digest {
            Some(digest) => {
                let digest: String = digest.to_string().chars().take(12).collect();
                format!("{} {} {digest}", one.name, one.version)
            }
            None => format!("{} {} of unknown digest", one.name, one.version),
        })
        .collect();
    let programs = programs.join(", ");
    if told.outcome == FirmwareOutcome::Undeclared {
        return format!("firmware undeclared; {programs}");
    }
    let image = told
        .image
        .as_ref()
        .map_or_else(String::new, |image| format!(" ({image})"));
    let bound = told.value.map_or_else(String::new, |value| {
        format!(
            "; {} bound to the counter at {value}",
            told.highest.unwrap_or(0)
        )
    });
    let by = match (&told.actor, &told.reason) {
        (Some(actor), Some(reason)) => format!("; {actor}: {reason}"),
        _ => String::new(),
    };
    format!(
        "firmware{image} {}: {}{bound}{by}; {programs}",
        told.outcome, told.detail
    )
}
