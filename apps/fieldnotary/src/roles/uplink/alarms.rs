//! What the collector finds wrong with this log by its entries: each becomes an entry once in a run.

use crate::clock;
use evidence::kinds::Rollback;
use evidence::reasons::RollbackWitness;
use exchange::CollectorAlarm;

/// Alarms that are told in a run: one that stands is one, and a collector that says another with each answer fills no ring.
const ALARMS_TOLD_MAX: usize = 16;

/// Those told in this run.
#[derive(Debug, Default)]
pub(super) struct Alarms(Vec<CollectorAlarm>);

impl Alarms {
    /// The entry that an alarm becomes, unless it was told.
    pub(super) fn heard(&mut self, said: CollectorAlarm) -> Option<Rollback> {
        if self.0.len() >= ALARMS_TOLD_MAX || self.0.contains(&said) {
            return None;
        }
        self.0.push(said);
        let CollectorAlarm {
            alarm,
            entry,
            counter,
            bound,
            value,
        } = said;
        Some(Rollback {
            at: clock::mono(),
            alarm,
            witness: RollbackWitness::Collector,
            size: entry.saturating_add(1),
            known_size: None,
            counter,
            bound,
            value,
            detail: words(&said),
        })
    }
}

fn words(said: &CollectorAlarm) -> String {
    let entry = said.entry;
    let what = match (said.counter, said.bound, said.value) {
        (Some(counter), Some(bound), Some(value)) => {
            format!("the {counter} counter stands at {value} there, and at {bound} before")
        }
        (Some(counter), _, _) => format!("what it says of the {counter} counter does not hold"),
        (None, _, _) => "what it says of the key store and its counters does not hold".to_owned(),
    };
    format!(
        "the collector finds it by itself in entry {entry} of this log: {what}. It keeps and cosigns what comes, and goes on saying so \
         until a new generation begins. {}",
        said.alarm.cure()
    )
}

#[cfg(test)]
mod tests {
    use super::{ALARMS_TOLD_MAX, Alarms};
    use evidence::reasons::{CounterKind, RollbackAlarm, RollbackWitness};
    use exchange::CollectorAlarm;

    //= A6.4
    #[test]
    fn an_alarm_that_stands_is_one_entry_and_no_collector_fills_the_ring() {
        let said = |entry| CollectorAlarm {
            alarm: RollbackAlarm::ReplacedCounter,
            entry,
            counter: Some(CounterKind::Plain),
            bound: Some(98),
            value: Some(3),
        };
        let mut alarms = Alarms::default();
        let told = alarms.heard(said(7)).unwrap();
        assert_eq!(told.witness, RollbackWitness::Collector);
        assert_eq!((told.bound, told.value), (Some(98), Some(3)));
        for part in ["entry 7", "plain counter stands at 3", "98", "adopt"] {
            assert!(told.detail.contains(part), "{part}: {}", told.detail);
        }
        assert_eq!(alarms.heard(said(7)), None);
        let more = (8..1_000).filter_map(|entry| alarms.heard(said(entry)));
        assert_eq!(more.count(), ALARMS_TOLD_MAX - 1);
    }
}
