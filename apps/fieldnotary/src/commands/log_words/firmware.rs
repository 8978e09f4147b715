//! What an entry about the firmware says, in words.

use evidence::kinds::Firmware;
use evidence::reasons::{FirmwareCounter, FirmwareOutcome};

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
    // Where the keys are in a TPM, a start is told again when the store was heard: in what it differs is the news. What contradicts is in
    // the words of the entry.
    let counter = match told.counter {
        FirmwareCounter::Unheard | FirmwareCounter::New | FirmwareCounter::Level
            if told.value.is_none() =>
        {
            format!("; counter {}: {}", told.counter, told.counter.meaning())
        }
        _ => String::new(),
    };
    let by = match (&told.actor, &told.reason) {
        (Some(actor), Some(reason)) => format!("; {actor}: {reason}"),
        _ => String::new(),
    };
    format!(
        "firmware{image} {}: {}{counter}{bound}{by}; {programs}",
        told.outcome, told.detail
    )
}

#[cfg(test)]
mod tests {
    use super::{Firmware, FirmwareCounter, FirmwareOutcome, firmware_words};
    use evidence::MonoNs;

    /// The first start beside a TPM is three entries: before the store was heard, that it has no counter, and what is bound to the one
    /// that was made.
    //= A6.4
    #[test]
    fn entries_of_one_start_differ_in_their_words_by_what_is_known_of_the_counter() {
        let told = |counter, value| {
            firmware_words(&Firmware {
                counter,
                value,
                highest: Some(7),
                detail: "version 7".to_owned(),
                ..Firmware::new(MonoNs(1), FirmwareOutcome::First)
            })
        };
        let unheard = told(FirmwareCounter::Unheard, None);
        let new = told(FirmwareCounter::New, None);
        let bound = told(FirmwareCounter::New, Some(12));
        assert!(
            unheard.contains("counter unheard: the store was not heard yet"),
            "{unheard}"
        );
        assert!(new.contains("counter new: "), "{new}");
        assert!(bound.contains("7 bound to the counter at 12"), "{bound}");
        assert!(!bound.contains("counter new"), "{bound}");
        // Files have no counter to speak of.
        assert!(!told(FirmwareCounter::None, None).contains("counter"));
    }
}
