//! What an M-Bus meter of the street measures, and its telegram.

use crate::noise::Noise;
use mbus::application::{Manufacturer, SecondaryAddress};
use mbus::link::{Control, Frame, encode};
use mbus::master::Pattern;
use serde::Serialize;

/// CI field of a telegram with a long header, and of a report of an application error.
const CI_TELEGRAM: u8 = 0x72;
const CI_ERROR: u8 = 0x70;
/// Control field of a reply with data.
const RSP_UD: u8 = 0x08;
/// A heat meter's medium: heat, outlet.
const MEDIUM: u8 = 0x04;
const VERSION: u8 = 1;
/// The letters STR.
const MANUFACTURER: Manufacturer = Manufacturer(0x4E92);
const MS_PER_H: u64 = 3_600_000;
const NS_PER_MS: u64 = 1_000_000;

/// A data record of the telegram, in the words of the decoder.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Shown {
    pub(crate) quantity: &'static str,
    pub(crate) storage: u8,
    pub(crate) unit: &'static str,
    /// One step of its number, in `unit`.
    pub(crate) scale: &'static str,
    /// DIF and VIF, with a DIFE between them for a storage.
    #[serde(skip)]
    head: &'static [u8],
}

/// The records, in their order.
pub(crate) const RECORDS: [Shown; 5] = [
    shown("Energy", 0, "Wh", "1", &[0x04, 0x03]),
    shown("Volume", 0, "m^3", "0.001", &[0x04, 0x13]),
    shown("Power", 0, "W", "1", &[0x04, 0x2B]),
    shown("Flow temperature", 0, "\u{b0}C", "0.1", &[0x04, 0x5A]),
    shown("Energy", 1, "Wh", "1", &[0x44, 0x03]),
];

const fn shown(
    quantity: &'static str,
    storage: u8,
    unit: &'static str,
    scale: &'static str,
    head: &'static [u8],
) -> Shown {
    Shown {
        quantity,
        storage,
        unit,
        scale,
        head,
    }
}

/// A heat meter: constants from the seed, and the readouts it has answered.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    pub(crate) secondary: SecondaryAddress,
    energy_start_wh: u32,
    mean_power_w: u32,
    noise: Noise,
    reads: u32,
}

impl Meter {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut noise = Noise::new(seed, number);
        let digits = 10_000_000 + noise.below(90_000_000);
        Self {
            secondary: SecondaryAddress {
                id: bcd(digits),
                manufacturer: MANUFACTURER,
                version: VERSION,
                medium: MEDIUM,
            },
            energy_start_wh: 1_000_000 + noise.below(99_000_000),
            mean_power_w: 200 + noise.below(12_000),
            noise,
            reads: 0,
        }
    }

    /// Its telegram as a readout finds it. Energy grows with every readout, so that no two are alike.
    pub(crate) fn telegram(&mut self, primary: u8, running_ns: u64) -> Vec<u8> {
        self.reads = self.reads.wrapping_add(1);
        let used_wh =
            u64::from(self.mean_power_w).saturating_mul(running_ns / NS_PER_MS) / MS_PER_H;
        let energy_wh = self
            .energy_start_wh
            .saturating_add(u32::try_from(used_wh).unwrap_or(u32::MAX))
            .saturating_add(self.reads);
        let values = [
            energy_wh,
            energy_wh / 40,
            self.mean_power_w + self.noise.below(50),
            600 + self.noise.below(150),
            self.energy_start_wh,
        ];
        let mut payload = vec![CI_TELEGRAM];
        payload.extend(Pattern::exact(&self.secondary).bytes());
        // Access number, which the slave counts, status, configuration word.
        payload.extend([0; 4]);
        for (record, value) in RECORDS.iter().zip(values) {
            let [a, b, c, d] = value.to_be_bytes();
            payload.extend(record.head);
            payload.extend([d, c, b, a]);
        }
        frame(primary, &payload)
    }
}

/// A reply with data.
fn frame(primary: u8, payload: &[u8]) -> Vec<u8> {
    let frame = Frame::Long {
        control: Control::new(RSP_UD),
        address: primary,
        payload,
    };
    encode(&frame).unwrap_or_default()
}

/// A refusal of the application, with its code.
pub(super) fn refusal(primary: u8, code: u8) -> Vec<u8> {
    frame(primary, &[CI_ERROR, code])
}

fn bcd(number: u32) -> [u8; 4] {
    let digits = format!("{number:08}");
    u32::from_str_radix(&digits, 16)
        .unwrap_or_default()
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Meter, RECORDS};
    use mbus::record::Value;
    use mbus::telegram::Telegram;

    //= A1.1
    //= A3.2
    #[test]
    fn a_telegram_says_what_the_list_of_records_says() {
        let mut meter = Meter::new(5, 1);
        let frame = meter.telegram(7, 0);
        let telegram = Telegram::read(&frame);
        assert!(telegram.is_valid(), "{telegram:?}");
        assert_eq!(telegram.records.len(), RECORDS.len());
        for (record, due) in telegram.records.iter().zip(RECORDS) {
            assert_eq!(record.quantity.as_deref(), Some(due.quantity));
            assert_eq!(record.unit.as_deref(), Some(due.unit));
            assert_eq!(record.storage, u64::from(due.storage));
            assert!(matches!(record.value, Value::Number(_)));
        }
        // From the seed alone, and never alike.
        assert_eq!(Meter::new(5, 1).telegram(7, 0), frame);
        assert_ne!(meter.telegram(7, 0), frame);
        assert_ne!(Meter::new(6, 1).secondary, meter.secondary);
    }
}
