//! Where a meter is on its bus, and what it costs to ask it there.

use crate::bus::Cost;
use crate::limits::{MBUS_RECORD_BYTES, MBUS_TELEGRAM_BYTES};
use contract::{Address, MbusAddress, Secondary};
use mbus::limits::{REPEATS_MAX, SHORT_FRAME_BYTES};
use mbus::master::timing::{REPLY_BITS_MIN, Timing};
use mbus::master::{Meter, Pattern, Primary};

/// Bytes of a selection: frame, CI field, secondary address.
const SELECTION_BYTES: usize = 17;
/// Bits of a letter of a manufacturer's code; A is 1.
const LETTER_BITS: u32 = 5;
const BEFORE_A: u8 = 64;

/// Where a meter is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) meter: Meter,
    /// Its own speed, in bits a second.
    pub(super) baud: Option<u32>,
    /// Readouts that its battery allows in any 24 hours.
    pub(super) reads_per_day: Option<u32>,
}

impl Place {
    /// Of an address of the contract; `None` where it names no meter of an M-Bus.
    pub(super) fn new(address: &Address) -> Option<Self> {
        let Address::Mbus(address) = address else {
            return None;
        };
        Some(Self {
            meter: meter(address)?,
            baud: address.baud,
            reads_per_day: address.reads_per_day,
        })
    }

    /// What a readout costs, if it is one telegram with so many records; `opens`: also a meter with a primary address
    /// is initialised each time.
    pub(super) fn cost(&self, timing: Timing, opens: bool, records: usize) -> Cost {
        let exchange = |request: usize, reply: usize| {
            timing
                .transfer_ns(request)
                .saturating_add(timing.bits_ns(REPLY_BITS_MIN))
                .saturating_add(timing.transfer_ns(reply))
                .saturating_add(timing.idle_ns())
        };
        let wait = |request: usize| {
            timing
                .transfer_ns(request)
                .saturating_add(timing.window_ns())
                .saturating_add(timing.idle_ns())
        };
        let telegram =
            MBUS_TELEGRAM_BYTES.saturating_add(records.saturating_mul(MBUS_RECORD_BYTES));
        let data = exchange(SHORT_FRAME_BYTES, telegram);
        let attempts = u64::from(REPEATS_MAX) + 1;
        match self.meter {
            Meter::Secondary(_) => Cost {
                requests: 3,
                wire_ns: exchange(SELECTION_BYTES, 1)
                    .saturating_add(data)
                    .saturating_add(exchange(SHORT_FRAME_BYTES, 1)),
                silent_ns: wait(SELECTION_BYTES)
                    .saturating_mul(attempts)
                    .saturating_add(wait(SHORT_FRAME_BYTES)),
            },
            Meter::Primary { .. } | Meter::Only | Meter::All => Cost {
                requests: 1 + usize::from(opens),
                wire_ns: match opens {
                    true => exchange(SHORT_FRAME_BYTES, 1).saturating_add(data),
                    false => data,
                },
                silent_ns: wait(SHORT_FRAME_BYTES).saturating_mul(attempts),
            },
        }
    }
}

fn meter(address: &MbusAddress) -> Option<Meter> {
    let identity = match &address.secondary {
        Some(secondary) => Some(pattern(secondary)?),
        None => None,
    };
    match (address.primary, identity) {
        (Some(primary), identity) => Some(Meter::Primary {
            address: Primary::new(primary)?,
            identity,
        }),
        (None, Some(pattern)) => Some(Meter::Secondary(pattern)),
        (None, None) => None,
    }
}

/// Whom a secondary address means; what it leaves out is any.
fn pattern(secondary: &Secondary) -> Option<Pattern> {
    let id = u32::from_str_radix(&secondary.id, 16).ok()?;
    let letters = secondary.manufacturer.as_ref().map(|maker| {
        maker.bytes().fold(0, |code: u16, letter| {
            code << LETTER_BITS | u16::from(letter.saturating_sub(BEFORE_A))
        })
    });
    Some(Pattern {
        id: id.to_be_bytes(),
        manufacturer: letters.unwrap_or(Pattern::ANY.manufacturer),
        version: secondary.version.unwrap_or(Pattern::ANY.version),
        medium: secondary.medium.unwrap_or(Pattern::ANY.medium),
        fabrication: None,
    })
}

#[cfg(test)]
mod tests {
    use super::Place;
    use contract::{Address, MbusAddress, Secondary};
    use mbus::master::{Meter, Pattern};
    use std::string::String;

    //= A3.2
    #[test]
    fn an_address_of_the_contract_is_one_of_the_bus() {
        let secondary = Secondary {
            id: String::from("12345678"),
            manufacturer: Some(String::from("LUG")),
            version: Some(4),
            medium: None,
        };
        let of = |primary, secondary| {
            let (baud, reads_per_day) = (None, None);
            let address = MbusAddress {
                primary,
                secondary,
                baud,
                reads_per_day,
            };
            Place::new(&Address::Mbus(address)).map(|place| place.meter)
        };
        let pattern = Pattern {
            id: [0x12, 0x34, 0x56, 0x78],
            manufacturer: 0x32A7,
            version: 4,
            ..Pattern::ANY
        };
        let who = Some(secondary);
        assert_eq!(of(None, who.clone()), Some(Meter::Secondary(pattern)));
        let named = of(Some(5), who).unwrap();
        assert_eq!(named.identity(), Some(pattern));
        assert_eq!(of(Some(5), None).unwrap().identity(), None);
        assert_eq!(of(Some(251), None), None);
        assert_eq!(of(None, None), None);
        assert!(Place::new(&Address::Unit(1)).is_none());
    }
}
