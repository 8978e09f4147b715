//! What an M-Bus meter of the street measures, and its telegram.

use crate::noise::Noise;
use crate::turns::{Face, Turns, ahead};
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
pub(crate) const RECORDS: [Shown; 6] = [
    shown("Energy", 0, "Wh", "1", &[0x04, 0x03]),
    shown("Volume", 0, "m^3", "0.001", &[0x04, 0x13]),
    shown("Power", 0, "W", "1", &[0x04, 0x2B]),
    shown("Flow temperature", 0, "\u{b0}C", "0.1", &[0x04, 0x5A]),
    shown("Energy", 1, "Wh", "1", &[0x44, 0x03]),
    shown("Time point (date & time)", 0, "-", "", &[0x06, 0x6D]),
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
    face: Face,
    /// Its number, and that of the meter that was there when the street began.
    first: u32,
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
            face: Face::default(),
            first: digits,
        }
    }

    /// Its telegram as a readout finds it. Energy grows with every readout, so that no two are alike.
    pub(crate) fn telegram(
        &mut self,
        primary: u8,
        running_ns: u64,
        turns: &Turns,
        utc_s: u64,
    ) -> Vec<u8> {
        self.reads = self.reads.wrapping_add(1);
        let used_wh =
            u64::from(self.mean_power_w).saturating_mul(running_ns / NS_PER_MS) / MS_PER_H;
        let since_ready = u32::try_from(used_wh)
            .unwrap_or(u32::MAX)
            .saturating_add(self.reads);
        let in_all = self.energy_start_wh.saturating_add(since_ready);
        let energy_wh = self.face.energy_wh(in_all, since_ready, turns);
        self.secondary.id = bcd(Face::serial(self.first, turns));
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
        if let Some(clock) = RECORDS.last() {
            payload.extend(clock.head);
            payload.extend(type_i(ahead(utc_s, turns)));
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

/// Seconds since 1970 as a date and time of type I (EN 13757-3, annex A), lowest byte first.
fn type_i(utc_s: u64) -> [u8; 6] {
    let (days, of_day) = (utc_s / 86_400, utc_s % 86_400);
    // H. Hinnant, civil from days.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = (year + era * 400 + u64::from(month <= 2)) % 100;
    let low = |number: u64| u8::try_from(number).unwrap_or(0);
    [
        low(of_day % 60),
        low(of_day / 60 % 60),
        low(of_day / 3_600),
        low(day | (year & 7) << 5),
        low(month | (year >> 3) << 4),
        0,
    ]
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
    use crate::turns::Turns;
    use mbus::record::Value;
    use mbus::telegram::Telegram;

    //= A1.1
    //= A3.2
    #[test]
    fn a_telegram_says_what_the_list_of_records_says() {
        let mut meter = Meter::new(5, 1);
        let now = Turns::default();
        let frame = meter.telegram(7, 0, &now, 1_795_964_697);
        let telegram = Telegram::read(&frame);
        assert!(telegram.is_valid(), "{telegram:?}");
        assert_eq!(telegram.records.len(), RECORDS.len());
        for (record, due) in telegram.records.iter().zip(RECORDS) {
            assert_eq!(record.quantity.as_deref(), Some(due.quantity));
            assert_eq!(record.unit.as_deref(), Some(due.unit));
            assert_eq!(record.storage, u64::from(due.storage));
            let moment = due.scale.is_empty();
            let number = matches!(record.value, Value::Number(_));
            assert_eq!(number, !moment, "{record:?}");
            if let Value::Moment(moment) = &record.value {
                assert_eq!(moment.to_string(), "2026-11-29T15:04:57");
            }
        }
        // From the seed alone, and never alike.
        let again = |mut meter: Meter| meter.telegram(7, 0, &now, 1_795_964_697);
        assert_eq!(again(Meter::new(5, 1)), frame);
        assert_ne!(again(meter.clone()), frame);
        assert_ne!(Meter::new(6, 1).secondary, meter.secondary);
    }
}
