//! What a meter measures, and how it shows it in registers.

use crate::memory::{self, Memory};
use crate::noise::Noise;
use crate::turns::{Face, Turns, ahead};
use modbus::pdu::ExceptionCode;
use modbus::server::{Bank, RegisterTable};
use serde::Serialize;

/// One quantity in the register map; 32-bit quantities have their high word first.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Quantity {
    pub(crate) name: &'static str,
    pub(crate) first: u16,
    pub(crate) count: u16,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) unit: &'static str,
    /// One step of the register, in `unit`.
    pub(crate) scale: &'static str,
}

const fn quantity(
    name: &'static str,
    first: u16,
    kind: &'static str,
    unit: &'static str,
    scale: &'static str,
) -> Quantity {
    let count = match kind.as_bytes() {
        [_, b'3', b'2'] => 2,
        _ => 1,
    };
    Quantity {
        name,
        first,
        count,
        kind,
        unit,
        scale,
    }
}

/// The register map, the same in holding and in input registers.
pub(crate) const REGISTERS: [Quantity; 7] = [
    quantity("energy", 0, "u32", "Wh", "1"),
    quantity("voltage", 2, "u16", "V", "0.1"),
    quantity("current", 3, "u16", "A", "0.001"),
    quantity("power", 4, "i32", "W", "1"),
    quantity("serial", 6, "u32", "", "1"),
    quantity("replies", 8, "u16", "", "1"),
    quantity("clock", 9, "u32", "s", "1"),
];

/// Registers of the map.
const LENGTH: u16 = {
    let [.., last] = REGISTERS;
    last.first + last.count
};

const S_PER_H: u64 = 3_600;
const MS_PER_H: u64 = 3_600_000;
const NS_PER_MS: u64 = 1_000_000;

/// A meter: constants from the seed, and the reads it has answered.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    serial: u32,
    energy_start_wh: u32,
    mean_power_w: u32,
    /// Power flows back into the grid.
    exports: bool,
    noise: Noise,
    reads: u32,
    face: Face,
    memory: Memory,
}

impl Meter {
    /// One that writes a record to its memory so often.
    pub(crate) fn new(seed: u64, number: u64, every_s: u64) -> Self {
        let mut noise = Noise::new(seed, number);
        Self {
            serial: 10_000_000 + noise.below(90_000_000),
            energy_start_wh: 1_000_000 + noise.below(99_000_000),
            mean_power_w: 200 + noise.below(12_000),
            exports: noise.below(4) == 0,
            noise,
            reads: 0,
            face: Face::default(),
            memory: Memory::new(every_s),
        }
    }

    /// The registers as a read finds them. Energy and the reply counter grow with every read, so
    /// that no two answers are alike.
    fn sample(&mut self, running_ns: u64, turns: &Turns, utc_s: u64) -> Vec<u16> {
        self.reads = self.reads.wrapping_add(1);
        let running_ms = running_ns / NS_PER_MS;
        let used_wh = u64::from(self.mean_power_w).saturating_mul(running_ms) / MS_PER_H;
        let used_wh = u32::try_from(used_wh).unwrap_or(u32::MAX);
        let since_ready = used_wh.saturating_add(self.reads);
        let in_all = self.energy_start_wh.saturating_add(since_ready);
        let energy_wh = self.face.energy_wh(in_all, since_ready, turns);
        let power_w = u64::from(self.mean_power_w);
        self.memory.pass(ahead(utc_s, turns), |back_s| {
            let used_wh = power_w.saturating_mul(back_s) / S_PER_H;
            energy_wh.saturating_sub(u32::try_from(used_wh).unwrap_or(u32::MAX))
        });
        let voltage_dv = 2_270 + self.noise.below(61);
        let mean_ma = self.mean_power_w.saturating_mul(10_000) / voltage_dv;
        let current_ma = (mean_ma + self.noise.below(200)).min(u32::from(u16::MAX));
        let power_w = (voltage_dv * current_ma / 10_000).cast_signed();
        let power_w = if self.exports { -power_w } else { power_w };
        let mut registers = Vec::new();
        registers.extend(words(energy_wh));
        registers.extend(low_word(voltage_dv));
        registers.extend(low_word(current_ma));
        registers.extend(words(power_w.cast_unsigned()));
        registers.extend(words(Face::serial(self.serial, turns)));
        registers.extend(low_word(self.reads));
        let clock = u32::try_from(ahead(utc_s, turns));
        registers.extend(words(clock.unwrap_or(u32::MAX)));
        registers
    }
}

pub(crate) fn words(value: u32) -> [u16; 2] {
    let [a, b, c, d] = value.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

fn low_word(value: u32) -> [u16; 1] {
    let [_, low] = words(value);
    [low]
}

/// A meter at the instant of a request.
pub(crate) struct At<'a> {
    pub(crate) meter: &'a mut Meter,
    /// Time since the street was ready.
    pub(crate) running_ns: u64,
    /// What has become of the meter.
    pub(crate) turns: Turns,
    /// Seconds since 1970.
    pub(crate) utc_s: u64,
}

impl Bank for At<'_> {
    fn read_registers(
        &mut self,
        _: RegisterTable,
        first: u16,
        count: u16,
    ) -> Result<Vec<u16>, ExceptionCode> {
        let (base, length) = match first < memory::FIRST {
            true => (0, LENGTH),
            false => (memory::FIRST, memory::RECORDS * memory::WIDTH),
        };
        if u32::from(first - base) + u32::from(count) > u32::from(length) {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        let sample = self.meter.sample(self.running_ns, &self.turns, self.utc_s);
        let registers = match base {
            0 => sample,
            _ => self.meter.memory.registers(),
        };
        let asked = registers.into_iter().skip(usize::from(first - base));
        Ok(asked.take(usize::from(count)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{At, Meter, REGISTERS};
    use crate::turns::Turns;
    use modbus::pdu::ExceptionCode;
    use modbus::server::{Bank, RegisterTable};

    fn at(meter: &mut Meter, running_ns: u64) -> At<'_> {
        At {
            meter,
            running_ns,
            turns: Turns::default(),
            utc_s: 1_800_000_000,
        }
    }

    fn read(meter: &mut Meter, running_ns: u64) -> Vec<u16> {
        at(meter, running_ns)
            .read_registers(RegisterTable::Holding, 0, 9)
            .unwrap()
    }

    fn energy(registers: &[u16]) -> u32 {
        u32::from(registers[0]) << 16 | u32::from(registers[1])
    }

    //= A1.1
    #[test]
    fn readings_are_drawn_from_the_seed_and_never_alike() {
        let mut meters = [
            Meter::new(5, 1, 900),
            Meter::new(5, 1, 900),
            Meter::new(5, 2, 900),
            Meter::new(6, 1, 900),
        ];
        let [first, again, neighbour, elsewhere] = meters.each_mut().map(|meter| read(meter, 0));
        assert_eq!(first, again);
        assert_ne!(first[6..8], neighbour[6..8]);
        assert_ne!(first[6..8], elsewhere[6..8]);
        let later = read(&mut meters[0], 3_600_000_000_000);
        assert!(energy(&later) >= energy(&first) + 200);
        assert!(energy(&read(&mut meters[1], 0)) > energy(&first));
        assert_eq!((first[8], later[8]), (1, 2));
    }

    //= A1.1
    #[test]
    fn the_map_has_no_gap_and_ends_where_the_registers_do() {
        let mut next = 0;
        for quantity in REGISTERS {
            assert_eq!(quantity.first, next, "{}", quantity.name);
            next += quantity.count;
        }
        let mut meter = Meter::new(1, 1, 900);
        let mut at = at(&mut meter, 0);
        let whole = at.read_registers(RegisterTable::Holding, 0, next);
        assert_eq!(whole.map(|whole| whole.len()), Ok(usize::from(next)));
        let past_end = at.read_registers(RegisterTable::Input, next - 1, 2);
        assert_eq!(past_end, Err(ExceptionCode::IllegalDataAddress));
        assert_eq!(at.read_registers(RegisterTable::Input, 8, 1), Ok(vec![2]));
    }
}
