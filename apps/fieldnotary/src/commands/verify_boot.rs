//! What a verdict says of what was booted.

use super::words;
use evidence::foreign::line;
use evidence::reasons::{Custody, SecureBoot, StageResult};
use query::{BootTold, Report};
use serde_json::{Value, json};

/// The lines of the screen; none where the log says nothing of it.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let Some(told) = &report.boot else {
        return Vec::new();
    };
    let boot = &told.boot;
    let mut lines = vec![format!("boot       {}: {}", boot.state, line(&boot.detail))];
    if boot.state.is_proven() {
        let all = u64::try_from(boot.stages.len()).unwrap_or(u64::MAX);
        let verified = |one: &&evidence::kinds::BootStage| one.result == StageResult::Verified;
        let verified = boot.stages.iter().filter(verified).count();
        let secure = match boot.secure_boot {
            SecureBoot::Unknown => "whether Secure Boot was on is not known".to_owned(),
            known => format!("Secure Boot {known}"),
        };
        let stages = words::count(all, "stage", "stages");
        lines.push(format!(
            "           {stages}, {verified} verified; {secure}"
        ));
    }
    if !boot.pcrs.is_empty() {
        lines.push(format!("           {}", attested_words(told, report)));
    }
    lines
}

fn attested_words(told: &BootTold, report: &Report) -> String {
    let custody = report.key_store.as_ref().map(|store| store.custody);
    match (told.attested, custody) {
        (Some(true), Some(Custody::Tpm)) => {
            "its PCRs are quoted by the TPM, under the key that signs the log".to_owned()
        }
        (Some(true), custody) => format!(
            "its PCRs are quoted under the key that signs the log, by a store ({}) that proves no TPM: whoever has its files \
             can say anything",
            custody.map_or("not stated", Custody::name)
        ),
        (None, _) => "NOT JUDGED: what the log said of its key has left the ring, so nothing here says whether a TPM \
                      quoted its PCRs"
            .to_owned(),
        (Some(false), _) => {
            "NOT ATTESTED: its PCRs are the node's own word, no quote of them holds".to_owned()
        }
    }
}

/// The same for programs.
pub(super) fn json(report: &Report) -> Value {
    let attestation = report.attestation.map(|id| id.to_string());
    let custody = report.key_store.as_ref().map(|store| store.custody.name());
    let boot = report.boot.as_ref().map(|told| {
        let secure_boot = match told.boot.state.is_proven() {
            true => told.boot.secure_boot,
            false => SecureBoot::Unknown,
        };
        json!({
            "state": told.boot.state.name(),
            "proven": told.boot.state.is_proven(),
            "attested": told.attested,
            "custody": custody,
            "measurement_id": told.boot.measurement_id.map(|id| id.to_string()),
            "secure_boot": secure_boot.name(),
            "stages": told.boot.stages.len(),
        })
    });
    json!({ "found": boot, "attestation_id": attestation })
}

#[cfg(test)]
mod tests {
    use super::{attested_words, json};
    use evidence::kinds::{Boot, KeyStore};
    use evidence::reasons::{BootState, Custody, SecureBoot};
    use evidence::{BootId, MonoNs};
    use query::{BootTold, Report};

    fn report(custody: Custody, attested: Option<bool>) -> Report {
        let boot = Boot {
            at: MonoNs(1),
            boot_id: BootId([1; 16]),
            state: BootState::LogMissing,
            detail: String::new(),
            measurement_id: None,
            secure_boot: SecureBoot::On,
            stages: Vec::new(),
            stages_left_out: 0,
            pcrs: Vec::new(),
            log_digest: None,
            log_bytes: None,
            fault: None,
        };
        let store = KeyStore {
            at: MonoNs(1),
            custody,
            maker: String::new(),
            non_exportable: true,
            monotonic_counter: false,
            attestation: true,
            measured_boot: true,
            key_public: None,
            counters: Vec::new(),
            window_ns: None,
            not_applied: Vec::new(),
        };
        let mut report = Report::begun(false);
        report.boot = Some(BootTold { boot, attested });
        report.key_store = Some(store);
        report
    }

    /// Hardware that is no TPM quotes nothing, and no word says that it does.
    //= A6.2
    //= A6.5
    #[test]
    fn a_tpm_is_named_where_custody_is_one_alone() {
        for custody in Custody::ALL {
            let report = report(*custody, Some(true));
            let words = attested_words(report.boot.as_ref().unwrap(), &report);
            let named = words.contains("by the TPM");
            assert_eq!(named, *custody == Custody::Tpm, "{custody}: {words}");
            let said = json(&report);
            assert_eq!(said["found"]["custody"], custody.name());
            // Of a boot that is not proven nobody is told that Secure Boot was on.
            assert_eq!(said["found"]["secure_boot"], "unknown");
        }
        for (attested, begins) in [(None, "NOT JUDGED"), (Some(false), "NOT ATTESTED")] {
            let report = report(Custody::Tpm, attested);
            let words = attested_words(report.boot.as_ref().unwrap(), &report);
            assert!(words.starts_with(begins), "{words}");
        }
    }
}
