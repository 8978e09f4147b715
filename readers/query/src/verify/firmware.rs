//! What a log says of the firmware that ran: nothing in it may fall, and what binds it to a counter must hold.

use super::booted::Beside;
use super::bound::is_authority;
use super::report::{FindingKind, FirmwareTold, Report};
use evidence::kinds::Firmware;
use evidence::reasons::{FirmwareCounter, FirmwareOutcome};
use trust_plane::StatedKey;
use trust_plane::firmware_bound;

/// What entries told so far.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// Whether no start before the next entry was left out here: what rises with it, rises by it.
    whole: bool,
    highest: u64,
    attempts: u64,
    blocks: u64,
    /// The counter's public area and its newest value.
    bound: Option<(Vec<u8>, u64)>,
}

impl Ran {
    /// The log is read from its very beginning, so that nothing ran before it.
    pub(super) const fn nothing_came_before(&mut self) {
        self.whole = true;
    }

    /// Entries are not here: there may have been starts among them.
    pub(super) const fn left_out(&mut self) {
        self.whole = false;
    }

    /// Takes an entry.
    pub(super) fn take(
        &mut self,
        id: u64,
        told: &Firmware,
        beside: &Beside<'_>,
        report: &mut Report,
    ) {
        let mut odd = self.fallen(told);
        if std::mem::replace(&mut self.whole, true) {
            odd.extend(self.unexplained(told));
        }
        let mut attested = None;
        if told.value.is_some() {
            match judge(told, beside) {
                Ok(holds) => attested = holds,
                Err(words) => {
                    attested = Some(false);
                    odd.push(words);
                }
            }
        }
        for words in odd {
            report.find(FindingKind::Firmware, Some((id, id)), words);
        }
        self.highest = self.highest.max(told.highest.unwrap_or(0));
        self.attempts = self.attempts.max(told.attempts);
        self.blocks = self.blocks.max(told.blocks);
        // What is bound stays bound: the next start says it again before its store is heard.
        let before = report.firmware.take().filter(|_| told.value.is_none());
        report.firmware = Some(FirmwareTold {
            attested: attested.or(before.as_ref().and_then(|before| before.attested)),
            value: told.value.or(before.and_then(|before| before.value)),
            firmware: told.clone(),
        });
    }

    /// What of it stands lower than before, or contradicts itself.
    fn fallen(&mut self, told: &Firmware) -> Vec<String> {
        let mut odd = Vec::new();
        for (what, before, now) in [
            (
                "the highest firmware version",
                self.highest,
                told.highest.unwrap_or(0),
            ),
            (
                "the count of attempts to go back",
                self.attempts,
                told.attempts,
            ),
            ("the count of blocked ones", self.blocks, told.blocks),
        ] {
            if now < before {
                odd.push(format!("{what} went from {before} to {now}"));
            }
        }
        if told.blocks > told.attempts {
            odd.push(format!(
                "{} attempts to go back were blocked, and {} were made",
                told.blocks, told.attempts
            ));
        }
        let older = told.installed.unwrap_or(0) < told.highest.unwrap_or(0);
        if older && told.installed.is_some() && !told.outcome.is_attempt() {
            odd.push(format!(
                "a firmware that is older than the highest is called {}",
                told.outcome
            ));
        }
        if let (Some(public), Some(value)) = (&told.public, told.value) {
            let fell = |(before, at): &(Vec<u8>, u64)| *before == public.0 && value < *at;
            let before = self.bound.take().filter(fell);
            if let Some((_, before)) = before.filter(|_| !told.accepted) {
                odd.push(format!(
                    "the counter of firmware versions went from {before} to {value}"
                ));
            }
            self.bound = Some((public.0.clone(), value));
        }
        odd
    }

    /// What of it stands higher than before, and not by what this entry says.
    fn unexplained(&self, told: &Firmware) -> Vec<String> {
        let highest = told.highest.unwrap_or(0);
        // What a counter showed, now or at a start before, is a version that ran too.
        let ahead = told.counter == FirmwareCounter::Ahead || told.shown.is_some();
        let raised = told.installed == told.highest
            && (ahead || told.outcome != FirmwareOutcome::Same)
            && (self.highest == 0 || told.outcome != FirmwareOutcome::First);
        let by = |outcome: bool, before: u64| before.saturating_add(u64::from(outcome));
        let (attempts, blocks) = (
            by(told.outcome.is_attempt(), self.attempts),
            by(told.outcome.is_block(), self.blocks),
        );
        let all = [
            (
                "the highest firmware version",
                self.highest,
                highest,
                highest > self.highest && !raised,
            ),
            (
                "the count of attempts to go back",
                self.attempts,
                told.attempts,
                told.attempts > attempts,
            ),
            (
                "the count of blocked ones",
                self.blocks,
                told.blocks,
                told.blocks > blocks,
            ),
        ];
        let odd = all.into_iter().filter(|(_, _, _, odd)| *odd);
        odd.map(|(what, before, now, _)| {
            format!("{what} went from {before} to {now}, and no start of the log explains it")
        })
        .collect()
    }

    /// The truth store of the log knows this highest version; 0 where it knows none.
    pub(super) fn truth(&self, highest: u32, report: &mut Report) {
        let highest = u64::from(highest);
        if self.highest > 0 && highest > self.highest {
            let words = format!(
                "the truth store knows that firmware version {highest} ran, and {} is the highest that the log has: an older log \
                 was put here",
                self.highest
            );
            report.find(FindingKind::Firmware, None, words);
        }
    }
}

/// Whether the highest version is bound to the counter by the key that the log stated, `None` where that cannot be judged.
fn judge(told: &Firmware, beside: &Beside<'_>) -> Result<Option<bool>, String> {
    let authorities = beside.keys.known().iter().filter(is_authority);
    let mut last = None;
    for authority in authorities {
        match firmware_bound(told, beside.origin, authority) {
            None => return Err("a counter's value without what attests it".to_owned()),
            Some(Ok(signer)) => {
                return match beside.bound.key() {
                    StatedKey::Restricted(name) if name == signer.as_slice() => Ok(Some(true)),
                    StatedKey::Gone => Ok(None),
                    StatedKey::Restricted(_) | StatedKey::Nothing => Err(
                        "the counter is attested by another key than the log states of its store"
                            .to_owned(),
                    ),
                };
            }
            Some(Err(fault)) => last = Some(fault),
        }
    }
    match last {
        Some(fault) => Err(format!(
            "the firmware's version is not bound to its counter: {fault}"
        )),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{FirmwareCounter, Ran};
    use evidence::MonoNs;
    use evidence::kinds::Firmware;
    use evidence::reasons::FirmwareOutcome as O;

    fn told(outcome: O, installed: u64, highest: u64, counts: (u64, u64)) -> Firmware {
        Firmware {
            installed: Some(installed),
            highest: Some(highest),
            attempts: counts.0,
            blocks: counts.1,
            ..Firmware::new(MonoNs(1), outcome)
        }
    }

    //= A6.4
    #[test]
    fn whatever_falls_or_contradicts_itself_is_told() {
        let good = || {
            let mut ran = Ran::default();
            let first = told(O::First, 7, 7, (0, 0));
            assert_eq!(ran.fallen(&first), Vec::<String>::new());
            (ran.highest, ran.attempts, ran.blocks) = (7, 2, 1);
            ran
        };
        for (entry, says) in [
            (told(O::Same, 7, 7, (2, 1)), None),
            (told(O::Raised, 9, 9, (2, 1)), None),
            (told(O::Blocked, 6, 7, (3, 2)), None),
            (
                told(O::Same, 6, 6, (2, 1)),
                Some("highest firmware version went from 7 to 6"),
            ),
            (
                told(O::Same, 7, 7, (1, 1)),
                Some("attempts to go back went from 2 to 1"),
            ),
            (
                told(O::Same, 7, 7, (2, 0)),
                Some("blocked ones went from 1 to 0"),
            ),
            (
                told(O::Blocked, 6, 7, (2, 3)),
                Some("3 attempts to go back were blocked, and 2"),
            ),
            (
                told(O::Same, 6, 7, (2, 1)),
                Some("older than the highest is called same"),
            ),
        ] {
            let odd = good().fallen(&entry).join("; ");
            assert_eq!(odd.is_empty(), says.is_none(), "{odd}");
            assert!(odd.contains(says.unwrap_or("")), "{odd}");
        }
    }

    /// Where an entry of a start was taken away, the next one shows it.
    //= A6.4
    #[test]
    fn whatever_rises_without_a_start_that_raised_it_is_told() {
        let ran = Ran {
            highest: 7,
            attempts: 2,
            blocks: 1,
            ..Ran::default()
        };
        let check = |entry: Firmware, says: &[&str]| {
            let odd = ran.unexplained(&entry);
            assert_eq!(odd.len(), says.len(), "{entry:?}: {odd:?}");
            for (odd, says) in odd.iter().zip(says) {
                assert!(odd.starts_with(says), "{odd}");
            }
        };
        check(told(O::Same, 7, 7, (2, 1)), &[]);
        check(told(O::Raised, 9, 9, (2, 1)), &[]);
        check(told(O::Accepted, 9, 9, (3, 1)), &[]);
        check(told(O::Blocked, 6, 7, (3, 2)), &[]);
        check(told(O::Observed, 6, 7, (3, 1)), &[]);
        let highest = "the highest firmware version went from 7 to 9";
        let attempts = "the count of attempts to go back went from 2 to";
        let blocks = "the count of blocked ones went from 1 to";
        check(told(O::Same, 9, 9, (2, 1)), &[highest]);
        check(told(O::First, 9, 9, (2, 1)), &[highest]);
        check(told(O::Blocked, 8, 9, (3, 2)), &[highest]);
        check(told(O::Same, 7, 7, (3, 1)), &[attempts]);
        check(told(O::Observed, 6, 7, (4, 1)), &[attempts]);
        check(told(O::Observed, 6, 7, (3, 2)), &[blocks]);
        check(told(O::Blocked, 6, 7, (4, 3)), &[attempts, blocks]);
        // A counter that knows more than the disk explains it.
        let ahead = Firmware {
            counter: FirmwareCounter::Ahead,
            ..told(O::Same, 9, 9, (2, 1))
        };
        check(ahead, &[]);
        let before = Firmware {
            shown: Some(9),
            ..told(O::Same, 9, 9, (2, 1))
        };
        check(before, &[]);
    }
}
