//! What a start would make of the firmware that is installed now, before it is started.

use super::directory::{generations, open_found};
use crate::installed::{self, Found};
use crate::paths::DataDir;
use contract::{Contract, Misfit};
use evidence::reasons::FirmwareOutcome;
use evidence::{CommitId, Kind, Payload};
use journal::{ReadTruth, ReadVolume, Reader};
use trust_plane::{CounterSeen, FirmwareMemory, Installed, Judged};

/// Newest entries that are looked at before all of them are: every segment begins with what is known of the firmware.
const LOOKED_AT_MAX: u64 = 8_192;

/// One sentence with its line for whatever `run` would count, block or not be able to read. The store's counter is not
/// asked: nothing but a start does that.
pub(super) fn doubts(text: &str, contract: &Contract, data: Option<&DataDir>) -> Vec<String> {
    let Some(declared) = &contract.firmware else {
        return Vec::new();
    };
    let found = installed::look(contract, Vec::new());
    let memory = data.and_then(remembered).unwrap_or_default();
    let judged = memory.judge(found.installed, found.rule, false, &CounterSeen::Unheard);
    let key = match declared.version {
        Some(_) => "version",
        None => "file",
    };
    let misfit = |key: &'static str, (what, advice): (String, String)| Misfit {
        table: "firmware",
        id: None,
        point: None,
        key,
        what,
        advice,
    };
    let mut all: Vec<Misfit> = standing(&found, &judged)
        .map(|words| misfit(key, words))
        .into_iter()
        .collect();
    all.extend(window(&found).map(|words| misfit("allow_down_to", words)));
    let placed = contract::placed(text, &all).into_iter();
    placed
        .map(|one| {
            format!(
                "line {}: {}: {}; {}",
                one.line, one.key, one.what, one.advice
            )
        })
        .collect()
}

/// What is wrong with a version, and what would be right.
fn standing(found: &Found, judged: &Judged) -> Option<(String, String)> {
    let follows = match judged.outcome {
        FirmwareOutcome::Blocked => "`run` captures nothing",
        FirmwareOutcome::Observed | FirmwareOutcome::Allowed => {
            "`run` captures, and counts an attempt to go back"
        }
        FirmwareOutcome::Unreadable => "`run` captures, and nothing tells an older image",
        FirmwareOutcome::First
        | FirmwareOutcome::Same
        | FirmwareOutcome::Raised
        | FirmwareOutcome::Accepted
        | FirmwareOutcome::Undeclared => return None,
    };
    let unplaced = judged.shown == Some(0);
    let floor = match judged.floor {
        _ if unplaced => {
            Some("others ran here by the store's counter, nothing says how high".to_owned())
        }
        floor => floor.map(|floor| format!("{floor} is the highest that ran here")),
    };
    let accept = "accept what is installed: fieldnotary run ... --accept-firmware --reason TEXT";
    match (&found.fault, found.installed) {
        (Some(fault), _) => {
            let floor = floor.map_or_else(String::new, |floor| format!(" ({floor})"));
            let (what, right) = fault.split_once("; ").unwrap_or((fault, ""));
            Some((
                format!("the version cannot be read{floor}: {follows}: {what}"),
                right.to_owned(),
            ))
        }
        (None, Installed::Version(version)) => Some((
            format!(
                "version {version} is installed, and {}: {follows}",
                floor.unwrap_or_default()
            ),
            match unplaced {
                true => accept.to_owned(),
                false => format!(
                    "start an image of version {} or a newer one, or {accept}",
                    judged.floor.unwrap_or_default()
                ),
            },
        )),
        _ => None,
    }
}

/// A window that begins above what is installed lets nothing through.
fn window(found: &Found) -> Option<(String, String)> {
    let version = found.installed.version()?;
    let oldest = found
        .rule
        .allow_down_to
        .filter(|oldest| *oldest > version)?;
    Some((
        format!("a window down to {oldest} lets the installed version {version} not run"),
        format!("write {version} or less, the version of the other slot, or remove the line"),
    ))
}

/// What the log and its truth store know, as far as they can be read.
fn remembered(data: &DataDir) -> Option<FirmwareMemory> {
    let newest = generations(data).ok()?.pop()?;
    let reader = open_found(data, newest).ok()?.reader;
    let oldest = reader.oldest();
    let late = CommitId(reader.size().saturating_sub(LOOKED_AT_MAX)).max(oldest);
    let mut memory = told_from(&reader, late);
    if memory.newest().is_none() && late > oldest {
        memory = told_from(&reader, oldest);
    }
    memory.truth(reader.firmware());
    Some(memory)
}

fn told_from<V: ReadVolume, T: ReadTruth>(reader: &Reader<V, T>, from: CommitId) -> FirmwareMemory {
    let mut memory = FirmwareMemory::default();
    let of_it = |kind| matches!(kind, Some(Kind::Firmware | Kind::CounterSnapshot));
    for stored in reader.entries(from).flatten() {
        if !of_it(stored.kind()) {
            continue;
        }
        match stored.entry().ok().and_then(|entry| entry.payload().ok()) {
            Some(Payload::Firmware(told)) => memory.observe(&told),
            Some(Payload::CounterSnapshot(said)) => {
                for counter in said.counters {
                    if let (Some(label), Some(value)) = (&counter.label, counter.value) {
                        memory.recall(&counter.name, label, value);
                    }
                }
            }
            _ => {}
        }
    }
    memory
}

#[cfg(test)]
mod tests {
    use super::{standing, window};
    use crate::installed::Found;
    use evidence::MonoNs;
    use evidence::kinds::Firmware;
    use evidence::reasons::FirmwareOutcome;
    use trust_plane::{CounterSeen, FirmwareMemory, FirmwareRule, Installed};

    /// What is said where this version is the highest that ran, of one that is installed, in a window.
    fn check(highest: u64, installed: u32, rule: (bool, Option<u32>), says: &[&str]) {
        let found = Found {
            installed: match installed {
                0 => Installed::Unreadable,
                version => Installed::Version(version),
            },
            image: None,
            source: None,
            fault: (installed == 0).then(|| "no such file; name one".to_owned()),
            rule: FirmwareRule {
                block: rule.0,
                allow_down_to: rule.1,
            },
            programs: Vec::new(),
        };
        let mut memory = FirmwareMemory::default();
        if highest > 0 {
            memory.observe(&Firmware {
                installed: Some(highest),
                highest: Some(highest),
                ..Firmware::new(MonoNs(1), FirmwareOutcome::First)
            });
        }
        let judged = memory.judge(found.installed, found.rule, false, &CounterSeen::Unheard);
        let told = [standing(&found, &judged), window(&found)];
        let words: Vec<String> = told
            .into_iter()
            .flatten()
            .map(|(what, right)| format!("{what}; {right}"))
            .collect();
        assert_eq!(words.len(), says.len(), "{words:?}");
        for (words, says) in words.iter().zip(says) {
            assert!(words.contains(says), "{words}");
        }
    }

    //= A6.5
    #[test]
    fn what_a_start_counts_blocks_or_cannot_read_is_said_before_it() {
        check(0, 7, (true, None), &[]);
        check(7, 7, (true, None), &[]);
        check(7, 8, (true, None), &[]);
        check(
            7,
            6,
            (true, None),
            &["captures nothing; start an image of version 7"],
        );
        check(7, 6, (false, None), &["counts an attempt to go back"]);
        check(7, 6, (true, Some(6)), &["counts an attempt to go back"]);
        check(
            7,
            5,
            (true, Some(6)),
            &["captures nothing", "write 5 or less"],
        );
        check(
            7,
            0,
            (true, None),
            &["(7 is the highest that ran here): `run` captures nothing: no such file; name one"],
        );
        check(7, 0, (false, None), &["counts an attempt"]);
        check(0, 0, (true, None), &["nothing tells an older image"]);
    }
}
