//! What is counted of firmware: attempts and blocks of starts, and the counters of a snapshot.

use super::FirmwareWatch;
use super::StartKind;
use evidence::SourceId;
use evidence::kinds::Counter;
use evidence::reasons::{CounterState, FirmwareKept, FirmwareOutcome};
use trust_plane::Installed;

/// Whether attempt and block of a start were counted before this run. What ended in this boot without a stop, alone or with the
/// whole node, goes on with the start that it was in; a stop, another boot and another version are a new one.
pub(super) fn counted(
    said: Option<(FirmwareOutcome, Option<u32>)>,
    installed: Installed,
    start: StartKind,
) -> (bool, bool) {
    let goes_on = match start {
        StartKind::Alone | StartKind::Crash => true,
        StartKind::Orderly | StartKind::Reboot | StartKind::Adopted => false,
    };
    let said = said.filter(|(_, version)| goes_on && *version == installed.version());
    said.map_or((false, false), |(outcome, _)| {
        (outcome.is_attempt(), outcome.is_block())
    })
}

impl FirmwareWatch {
    /// As counters of a snapshot; the highest version has the place where it is kept as its label.
    pub(in crate::roles::recorder) fn counters(&self, source: &SourceId) -> Vec<Counter> {
        let declared = self.memory.highest().is_some() || self.found.rule.block;
        let (attempts, blocks) = self.memory.counts();
        let kept = match self.memory.is_bound() {
            true => FirmwareKept::Counter,
            false => FirmwareKept::TruthStore,
        };
        let highest = self.memory.highest().map(u64::from);
        counters(
            source,
            highest.map(|highest| (kept, highest)),
            declared.then_some((attempts, blocks)),
        )
    }
}

/// The counters of firmware that there are, with what is known.
pub(in crate::roles::recorder) fn counters(
    source: &SourceId,
    highest: Option<(FirmwareKept, u64)>,
    counts: Option<(u64, u64)>,
) -> Vec<Counter> {
    let counter = |name: &str, label: Option<&str>, value: Option<u64>| Counter {
        name: name.to_owned(),
        label: label.map(str::to_owned),
        state: match value {
            Some(_) => CounterState::Value,
            None => CounterState::Unsupported,
        },
        value,
        source: source.clone(),
    };
    let kept = highest.map(|(kept, _)| kept.name());
    vec![
        counter("fw_version_counter", kept, highest.map(|(_, value)| value)),
        counter(
            "rollback_attempt_cnt",
            Some("firmware"),
            counts.map(|counts| counts.0),
        ),
        counter(
            "rollback_block_cnt",
            Some("firmware"),
            counts.map(|counts| counts.1),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{FirmwareOutcome, Installed, StartKind, counted};

    /// Every way to begin, behind every word of the run before.
    //= A6.4
    //= R8.3
    #[test]
    fn one_start_of_the_firmware_is_one_attempt_however_often_its_processes_end() {
        for (start, goes_on) in [
            (StartKind::Alone, true),
            (StartKind::Crash, true),
            (StartKind::Orderly, false),
            (StartKind::Reboot, false),
            (StartKind::Adopted, false),
        ] {
            for outcome in FirmwareOutcome::ALL {
                for (version, same) in [(Some(6), true), (Some(7), false), (None, false)] {
                    let said = Some((*outcome, version));
                    let found = counted(said, Installed::Version(6), start);
                    let of_it = goes_on && same;
                    let due = (of_it && outcome.is_attempt(), of_it && outcome.is_block());
                    assert_eq!(found, due, "{start:?} {outcome} {version:?}");
                }
            }
            assert_eq!(counted(None, Installed::Version(6), start), (false, false));
        }
    }
}
