//! The memory of a Modbus meter: a load profile in registers, the newest record first.

use crate::meter::words;
use std::collections::VecDeque;

/// The first register of the first record.
pub(crate) const FIRST: u16 = 1_000;
/// Records that it keeps.
pub(crate) const RECORDS: u16 = 96;
/// Registers of a record: its time, and the energy.
pub(crate) const WIDTH: u16 = 4;

/// What a meter remembers.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    /// Time from record to record.
    every_s: u64,
    /// Number of the newest interval that ended, since 1970.
    newest: Option<u64>,
    /// Time and energy, the newest first.
    records: VecDeque<(u64, u32)>,
}

impl Memory {
    pub(crate) fn new(every_s: u64) -> Self {
        Self {
            every_s: every_s.max(1),
            newest: None,
            records: VecDeque::new(),
        }
    }

    /// Writes what is due by the meter's clock, with the energy as it stood `back` seconds ago.
    pub(crate) fn pass(&mut self, clock_s: u64, energy_wh: impl Fn(u64) -> u32) {
        let newest = clock_s / self.every_s;
        let first = match self.newest {
            Some(known) if known <= newest => known + 1,
            // It was just put in place, or its clock was set back: what it has is of another time.
            _ => {
                self.records.clear();
                newest
            }
        };
        self.newest = Some(newest);
        for number in first.max(newest.saturating_sub(u64::from(RECORDS)))..=newest {
            let time = number * self.every_s;
            self.records.push_front((time, energy_wh(clock_s - time)));
        }
        self.records.truncate(usize::from(RECORDS));
    }

    /// All its registers.
    pub(crate) fn registers(&self) -> Vec<u16> {
        let records = self.records.iter().flat_map(|(time, energy)| {
            let time = u32::try_from(*time).unwrap_or(0);
            [words(time), words(*energy)].concat()
        });
        let mut registers: Vec<u16> = records.collect();
        registers.resize(usize::from(RECORDS) * usize::from(WIDTH), 0);
        registers
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, RECORDS, WIDTH};

    //= U3
    #[test]
    fn a_record_is_written_when_its_time_is_over_and_the_newest_is_first() {
        let mut memory = Memory::new(10);
        let energy = |back: u64| 1_000 - u32::try_from(back).unwrap();
        memory.pass(1_005, energy);
        memory.pass(1_009, energy);
        assert_eq!(memory.registers()[..6], [0, 1_000, 0, 995, 0, 0]);
        memory.pass(1_025, energy);
        assert_eq!(
            memory.registers()[..8],
            [0, 1_020, 0, 995, 0, 1_010, 0, 985]
        );
        memory.pass(90_000, energy);
        let registers = memory.registers();
        assert_eq!(registers.len(), usize::from(RECORDS * WIDTH));
        assert!(registers.iter().skip(3).step_by(4).all(|low| *low > 0));
        memory.pass(500, energy);
        assert_eq!(
            memory.registers()[..6],
            [0, 500, 0, 1_000, 0, 0],
            "a clock set back"
        );
    }
}
