//! What a log says of the firmware that ran: nothing in it may fall, and what binds it to a counter must hold.

use super::booted::Beside;
use super::bound::is_authority;
use super::report::{FindingKind, FirmwareTold, Report};
use evidence::kinds::Firmware;
use trust_plane::StatedKey;
use trust_plane::firmware_bound;

/// What entries told so far.
#[derive(Debug, Default)]
pub(super) struct Ran {
    highest: u64,
    attempts: u64,
    blocks: u64,
    /// The counter's public area and its newest value.
    bound: Option<(Vec<u8>, u64)>,
}

impl Ran {
    /// Takes an entry.
    pub(super) fn take(
        &mut self,
        id: u64,
        told: &Firmware,
        beside: &Beside<'_>,
        report: &mut Report,
    ) {
        let mut odd = self.fallen(told);
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
    use super::Ran;
    use evidence::MonoNs;
    use evidence::kinds::Firmware;
    use evidence::reasons::{FirmwareCounter, FirmwareKept, FirmwareOutcome as O};

    fn told(outcome: O, installed: u64, highest: u64, counts: (u64, u64)) -> Firmware {
        Firmware {
            at: MonoNs(1),
            outcome,
            installed: Some(installed),
            highest: Some(highest),
            kept: FirmwareKept::TruthStore,
            counter: FirmwareCounter::None,
            image: None,
            source: None,
            attempts: counts.0,
            blocks: counts.1,
            programs: Vec::new(),
            value: None,
            public: None,
            attest: None,
            signature: None,
            actor: None,
            reason: None,
            accepted: false,
            detail: String::new(),
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
}
