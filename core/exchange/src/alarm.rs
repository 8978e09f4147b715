//! What the collector finds wrong with a log by its entries: a header of its answers, `spec/exchange-v1.md`.

use alloc::format;
use alloc::string::String;
use evidence::reasons::{CounterKind, RollbackAlarm};

use crate::limits::ALARM_BYTES_MAX;

/// Header of an answer to a log of which an alarm stands. It may be missing.
pub const ALARM_HEADER: &str = "Fieldnotary-Alarm";

/// An alarm of a log as its collector says it: what its checkpoints are bound to says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectorAlarm {
    /// In what way.
    pub alarm: RollbackAlarm,
    /// The entry that shows it.
    pub entry: u64,
    /// The counter that shows it, where one does.
    pub counter: Option<CounterKind>,
    /// Its newest value before.
    pub bound: Option<u64>,
    /// Its value as it is attested there.
    pub value: Option<u64>,
}

impl CollectorAlarm {
    /// The value of the header: the alarm's name, then `name=value` each.
    #[must_use]
    pub fn header(&self) -> String {
        let mut text = format!("{} entry={}", self.alarm, self.entry);
        if let Some(counter) = self.counter {
            text = format!("{text} counter={counter}");
        }
        for (name, number) in [("bound", self.bound), ("value", self.value)] {
            if let Some(number) = number {
                text = format!("{text} {name}={number}");
            }
        }
        text
    }

    /// Reads the header; `None` where it says nothing that this version understands. Names that it does not know are
    /// passed over.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > ALARM_BYTES_MAX {
            return None;
        }
        let mut words = text.split(' ');
        let alarm = RollbackAlarm::from_name(words.next()?)?;
        let (mut entry, mut counter, mut bound, mut value) = (None, None, None, None);
        for word in words {
            let (name, said) = word.split_once('=')?;
            let slot = match name {
                "entry" => &mut entry,
                "bound" => &mut bound,
                "value" => &mut value,
                "counter" => {
                    counter = Some(CounterKind::from_name(said)?);
                    continue;
                }
                _ => continue,
            };
            *slot = Some(number(said)?);
        }
        Some(Self {
            alarm,
            entry: entry?,
            counter,
            bound,
            value,
        })
    }
}

/// Digits alone.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{ALARM_BYTES_MAX, CollectorAlarm};
    use evidence::reasons::{CounterKind, RollbackAlarm};
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use std::string::String;

    //= A6.4
    #[test]
    fn what_is_no_alarm_is_none_and_what_a_later_version_adds_is_passed_over() {
        let plain = CollectorAlarm {
            alarm: RollbackAlarm::ReplacedCounter,
            entry: 123,
            counter: Some(CounterKind::Plain),
            bound: Some(98),
            value: Some(3),
        };
        for (text, read) in [
            (
                "replaced_counter entry=123 counter=plain bound=98 value=3",
                Some(plain),
            ),
            (
                "replaced_counter value=3 new=thing bound=98 counter=plain entry=123",
                Some(plain),
            ),
            ("replaced_counter", None),
            ("replaced_counter entry", None),
            ("replaced_counter entry=", None),
            ("replaced_counter entry=+1", None),
            ("replaced_counter entry=1 counter=round", None),
            ("replaced_counter  entry=1", None),
            ("another entry=1", None),
            ("", None),
        ] {
            assert_eq!(CollectorAlarm::read(text), read, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            alarm in 0..RollbackAlarm::ALL.len(),
            entry: u64,
            counter in proptest::option::of(any::<bool>()),
            bound: Option<u64>,
            value: Option<u64>,
        ) {
            let kind = |plain| if plain { CounterKind::Plain } else { CounterKind::Orderly };
            let said = CollectorAlarm {
                alarm: RollbackAlarm::ALL[alarm],
                entry,
                counter: counter.map(kind),
                bound,
                value,
            };
            prop_assert!(said.header().len() <= ALARM_BYTES_MAX);
            prop_assert_eq!(CollectorAlarm::read(&said.header()), Some(said));
        }

        #[test]
        fn no_text_does_harm(text: String) {
            let _ = CollectorAlarm::read(&text);
        }
    }
}
