//! The ledger as counters of a snapshot, at the start of every segment.

use super::Ledger;
use super::numbering::Numbering;
use contract::Pace;
use evidence::frozen::names::{
    PULSES, SEQ_FLOOR, SEQ_WINDOW, SLOT_EVERY, SLOT_FLOOR, SLOT_NEXT, SLOT_OFFSET, SLOT_SERVED,
    SLOT_VERSION, WORK,
};
use evidence::kinds::{Counter, CounterSnapshot};
use evidence::reasons::CounterState;
use evidence::{MeterId, ScheduleId, SourceId};

impl Ledger {
    /// Everything that recovery needs, as counters of a snapshot.
    pub(crate) fn freeze(&self, source: &SourceId) -> Vec<Counter> {
        let counter = |name: &str, label: String, value: u64| Counter {
            name: name.to_owned(),
            label: Some(label),
            state: CounterState::Value,
            value: Some(value),
            source: source.clone(),
        };
        let mut counters: Vec<Counter> = self
            .windows
            .iter()
            .map(|(stream, next)| counter(SEQ_WINDOW, stream.to_string(), *next))
            .collect();
        if self.floor > 0 {
            counters.push(counter(SEQ_FLOOR, source.to_string(), self.floor));
        }
        for (point, count) in &self.counts {
            counters.push(counter(PULSES, point.to_string(), *count));
        }
        counters.extend(self.freeze_work(counter));
        let contract = self.contract.iter();
        let life = contract.flat_map(|contract| self.life.freeze(contract));
        let frozen = life.chain(self.missed.freeze());
        counters.extend(frozen.map(|one| counter(one.name, one.label, one.value)));
        for ((port, schedule), numbering) in &self.numberings {
            let label = format!("{port} {schedule}");
            let mut put = |name, value| counters.push(counter(name, label.clone(), value));
            put(SLOT_VERSION, numbering.version);
            if let Some(pace) = numbering.pace {
                put(SLOT_EVERY, pace.every_ms);
                put(SLOT_OFFSET, pace.offset_ms);
            }
            put(SLOT_FLOOR, numbering.base);
            put(SLOT_NEXT, numbering.unused);
            for (meter, next) in &numbering.served {
                counters.push(counter(SLOT_SERVED, format!("{label} {meter}"), *next));
            }
        }
        counters
    }

    pub(super) fn observe_snapshot(&mut self, snapshot: &CounterSnapshot) {
        let Some(state) = self.frozen_parts.take(snapshot) else {
            return;
        };
        self.frozen = true;
        for counter in &state {
            let (Some(label), Some(value)) = (counter.label.as_deref(), counter.value) else {
                continue;
            };
            match counter.name.as_str() {
                SEQ_WINDOW => {
                    let Ok(stream) = label.parse() else { continue };
                    let window = self.windows.entry(stream).or_default();
                    *window = value.max(*window);
                }
                SEQ_FLOOR => self.floor = self.floor.max(value),
                PULSES => {
                    let Ok(point) = label.parse() else { continue };
                    self.counted(&point, value);
                }
                WORK => self.observe_work(label, value),
                name if name.starts_with("life_") => {
                    if let Some(contract) = &self.contract {
                        self.life.resume(contract, name, label, value);
                        self.missed.resume(contract, name, label, value);
                    }
                }
                name if name.starts_with("slot_") => self.observe_slots(name, label, value),
                _ => {}
            }
        }
        // Where the snapshot does not say, the contract before it does.
        let contract = self.contract.clone();
        for ((port, schedule), numbering) in &mut self.numberings {
            let plan = contract.as_ref().and_then(|c| c.schedules.get(schedule));
            if let (None, Some(contract), Some(plan)) = (numbering.pace, &contract, plan) {
                numbering.pace = Some(Pace::of(plan));
                for meter in super::meters_on(contract, port, schedule) {
                    numbering.served.entry(meter).or_insert(numbering.base);
                }
            }
        }
    }

    /// The version comes first, and what was known of the numbering before does not count.
    fn observe_slots(&mut self, name: &str, label: &str, value: u64) {
        let mut words = label.split(' ');
        let port = words.next().and_then(|word| SourceId::new(word).ok());
        let schedule = words.next().and_then(|word| ScheduleId::new(word).ok());
        let meter = words.next().and_then(|word| MeterId::new(word).ok());
        let (Some(port), Some(schedule)) = (port, schedule) else {
            return;
        };
        let numbering = self.numbering(&port, &schedule);
        match (name, meter) {
            (SLOT_VERSION, _) => {
                *numbering = Numbering {
                    version: value,
                    ..Numbering::default()
                }
            }
            (SLOT_EVERY, _) => numbering.pace.get_or_insert(Pace::NONE).every_ms = value,
            (SLOT_OFFSET, _) => numbering.pace.get_or_insert(Pace::NONE).offset_ms = value,
            (SLOT_FLOOR, _) => {
                numbering.base = value;
                numbering.unused = numbering.unused.max(value);
            }
            (SLOT_NEXT, _) => numbering.unused = numbering.unused.max(value),
            (SLOT_SERVED, Some(meter)) => {
                numbering.unused = numbering.unused.max(value);
                numbering.served.insert(meter, value);
            }
            _ => {}
        }
    }
}
