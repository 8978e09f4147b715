//! What a verdict says of the firmware that runs and of the programs.

use super::words;
use evidence::foreign::line;
use evidence::reasons::{Custody, FirmwareOutcome};
use query::{FirmwareTold, Report};
use serde_json::{Value, json};

/// The lines of the screen; none where the log says nothing of it.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let Some(told) = &report.firmware else {
        return Vec::new();
    };
    let firmware = &told.firmware;
    let mut lines = Vec::new();
    if firmware.outcome != FirmwareOutcome::Undeclared {
        lines.push(format!(
            "firmware   {}: {}",
            firmware.outcome,
            line(&firmware.detail)
        ));
        let attempts = words::count(firmware.attempts, "attempt", "attempts");
        lines.push(format!(
            "           {}; {attempts} to go back, {} blocked",
            kept_words(told, report),
            firmware.blocks
        ));
        lines.extend(shown_words(firmware.shown).map(|words| format!("           {words}")));
    }
    // One line, so that a verdict stays on one screen.
    let programs = firmware.programs.iter().map(|one| {
        let digest = one
            .digest
            .map_or_else(|| "unknown".to_owned(), |digest| digest.to_string());
        format!(
            "{} {} SHA-256 {digest}",
            line(&one.name),
            line(&one.version)
        )
    });
    let programs: Vec<String> = programs.collect();
    if !programs.is_empty() {
        lines.push(format!("programs   {}", programs.join(", ")));
    }
    lines
}

/// Where the highest version is kept, and what that proves.
fn kept_words(told: &FirmwareTold, report: &Report) -> String {
    let custody = report.key_store.as_ref().map(|store| store.custody);
    let highest = told.firmware.highest.unwrap_or(0);
    match (told.attested, told.value, custody) {
        (Some(true), Some(value), Some(Custody::Tpm)) => format!(
            "{highest} is the highest that ran, bound to the TPM's counter at {value}, which cannot go back"
        ),
        (Some(true), Some(value), custody) => format!(
            "{highest} is the highest that ran, bound to a counter at {value} of a store ({}) whose files can be put back",
            custody.map_or("not stated", Custody::name)
        ),
        (None, Some(value), _) => format!(
            "{highest} is the highest that ran; what the log said of its key has left the ring, so whether the counter at {value} \
             holds it is NOT JUDGED"
        ),
        (Some(false), _, _) => format!(
            "{highest} is the highest that ran by the log's own word: its binding does not hold"
        ),
        (_, None, _) => format!(
            "{highest} is the highest that ran, kept in log and truth store: whoever puts both back lowers it"
        ),
    }
}

/// What the store's counter showed of images that this log does not know, where no version is bound to it since.
fn shown_words(shown: Option<u64>) -> Option<String> {
    Some(match shown? {
        0 => "the store's counter showed that others ran, which this log does not know, and not how high: that stands until a version \
              is bound to it"
            .to_owned(),
        version => format!(
            "the store's counter showed that version {version} ran, or a higher one, which this log does not know: that stands until \
             a version is bound to it"
        ),
    })
}

/// The same for programs.
pub(super) fn json(report: &Report) -> Value {
    json!(report.firmware.as_ref().map(|told| {
        let firmware = &told.firmware;
        let programs = firmware.programs.iter().map(|one| {
            json!({
                "name": one.name,
                "version": one.version,
                "digest": one.digest.map(|digest| digest.to_string()),
            })
        });
        json!({
            "outcome": firmware.outcome.name(),
            "installed": firmware.installed,
            "highest": firmware.highest,
            "image": firmware.image,
            "kept": firmware.kept.name(),
            "counter": firmware.counter.name(),
            "shown": firmware.shown,
            "value": told.value,
            "attested": told.attested,
            "attempts": firmware.attempts,
            "blocks": firmware.blocks,
            "accepted": firmware.accepted,
            "programs": programs.collect::<Value>(),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::{FirmwareTold, Report, json, lines};
    use evidence::MonoNs;
    use evidence::kinds::Firmware;
    use evidence::reasons::{FirmwareCounter, FirmwareOutcome};

    //= A6.4
    #[test]
    fn what_the_counter_showed_is_in_a_verdict_until_it_is_settled() {
        for (shown, says) in [
            (None, None),
            (
                Some(0),
                Some("others ran, which this log does not know, and not how high"),
            ),
            (Some(9), Some("version 9 ran, or a higher one")),
        ] {
            let firmware = Firmware {
                installed: Some(8),
                highest: Some(8),
                counter: FirmwareCounter::Unheard,
                shown,
                ..Firmware::new(MonoNs(1), FirmwareOutcome::Observed)
            };
            let mut report = Report::default();
            report.firmware = Some(FirmwareTold {
                firmware,
                value: None,
                attested: None,
            });
            assert_eq!(json(&report)["shown"], serde_json::json!(shown));
            let words = lines(&report).join("\n");
            assert_eq!(
                words.contains("the store's counter showed"),
                says.is_some(),
                "{words}"
            );
            assert!(words.contains(says.unwrap_or("")), "{words}");
        }
    }
}
