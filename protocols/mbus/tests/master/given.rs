//! Addresses and telegrams that tests are given.

use fieldnotary_mbus::application::{Manufacturer, SecondaryAddress};
use fieldnotary_mbus::link::{self, Control, Frame};
use fieldnotary_mbus::master::Pattern;

/// The speed of the bus.
pub(crate) const BAUD: u32 = 2_400;

/// A secondary address.
pub(crate) fn address(id: u32, maker: u16, version: u8, medium: u8) -> SecondaryAddress {
    SecondaryAddress {
        id: id.to_be_bytes(),
        manufacturer: Manufacturer(maker),
        version,
        medium,
    }
}

/// A telegram with a long header, whose records are these bytes.
pub(crate) fn telegram(primary: u8, of: &SecondaryAddress, access: u8, records: &[u8]) -> Vec<u8> {
    let mut payload = vec![0x72];
    payload.extend(Pattern::exact(of).bytes());
    payload.extend([access, 0, 0, 0]);
    payload.extend(records);
    long(8, primary, &payload)
}

/// A long frame.
pub(crate) fn long(control: u8, address: u8, payload: &[u8]) -> Vec<u8> {
    link::encode(&Frame::Long {
        control: Control::new(control),
        address,
        payload,
    })
    .unwrap()
}

/// A volume of so many litres.
pub(crate) fn volume(litres: u8) -> Vec<u8> {
    vec![0x01, 0x13, litres]
}
