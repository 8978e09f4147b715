//! The kernel's structures of the GPIO character device, version 2 (`linux/gpio.h`), as they are there.

use rustix::ioctl::{Opcode, opcode};

/// Lines of one request.
pub(crate) const LINES_MAX: usize = 64;
/// Attributes of one request.
pub(crate) const ATTRIBUTES_MAX: usize = 10;

pub(crate) const FLAG_USED: u64 = 1;
pub(crate) const FLAG_INPUT: u64 = 1 << 2;
pub(crate) const FLAG_OUTPUT: u64 = 1 << 3;
pub(crate) const FLAG_EDGE_RISING: u64 = 1 << 4;
pub(crate) const FLAG_EDGE_FALLING: u64 = 1 << 5;
pub(crate) const FLAG_BIAS_PULL_UP: u64 = 1 << 8;
pub(crate) const FLAG_BIAS_PULL_DOWN: u64 = 1 << 9;
pub(crate) const FLAG_BIAS_DISABLED: u64 = 1 << 10;

pub(crate) const ATTRIBUTE_FLAGS: u32 = 1;
pub(crate) const ATTRIBUTE_VALUES: u32 = 2;
pub(crate) const ATTRIBUTE_DEBOUNCE: u32 = 3;

pub(crate) const EVENT_RISING: u32 = 1;
pub(crate) const EVENT_FALLING: u32 = 2;

/// `struct gpiochip_info`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ChipInfo {
    pub(crate) name: [u8; 32],
    pub(crate) label: [u8; 32],
    pub(crate) lines: u32,
}

/// `struct gpio_v2_line_attribute`: an id, and a union of 64 bits; flags and values take all of them, the debounce
/// period the first 32.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) id: u32,
    pub(crate) padding: u32,
    pub(crate) value: [u8; 8],
}

/// `struct gpio_v2_line_config_attribute`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ConfigAttribute {
    pub(crate) attribute: Attribute,
    /// Which of the request's lines.
    pub(crate) mask: u64,
}

/// `struct gpio_v2_line_config`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Config {
    pub(crate) flags: u64,
    pub(crate) attribute_count: u32,
    pub(crate) padding: [u32; 5],
    pub(crate) attributes: [ConfigAttribute; ATTRIBUTES_MAX],
}

/// `struct gpio_v2_line_request`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) offsets: [u32; LINES_MAX],
    pub(crate) consumer: [u8; 32],
    pub(crate) config: Config,
    pub(crate) line_count: u32,
    pub(crate) event_buffer_size: u32,
    pub(crate) padding: [u32; 5],
    pub(crate) fd: i32,
}

/// `struct gpio_v2_line_info`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct LineInfo {
    pub(crate) name: [u8; 32],
    pub(crate) consumer: [u8; 32],
    pub(crate) offset: u32,
    pub(crate) attribute_count: u32,
    pub(crate) flags: u64,
    pub(crate) attributes: [Attribute; ATTRIBUTES_MAX],
    pub(crate) padding: [u32; 4],
}

/// `struct gpio_v2_line_values`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Values {
    pub(crate) bits: u64,
    pub(crate) mask: u64,
}

/// Bytes of `struct gpio_v2_line_event`.
pub(crate) const EVENT_BYTES: usize = 48;

/// `struct gpio_v2_line_event`, without its padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) timestamp_ns: u64,
    pub(crate) id: u32,
    pub(crate) offset: u32,
    pub(crate) line_seqno: u32,
}

/// The events in what was read; bytes behind the last whole one are none.
#[expect(
    clippy::host_endian_bytes,
    reason = "the kernel writes its own structures in the byte order of the machine"
)]
pub(crate) fn events(bytes: &[u8]) -> impl Iterator<Item = Event> {
    bytes.chunks_exact(EVENT_BYTES).filter_map(|event| {
        let word = |at: usize| Some(u32::from_ne_bytes(event.get(at..at + 4)?.try_into().ok()?));
        Some(Event {
            timestamp_ns: u64::from_ne_bytes(event.get(..8)?.try_into().ok()?),
            id: word(8)?,
            offset: word(12)?,
            line_seqno: word(20)?,
        })
    })
}

/// `GPIO_GET_CHIPINFO_IOCTL`.
pub(crate) const CHIP_INFO: Opcode = opcode::read::<ChipInfo>(0xB4, 0x01);
/// `GPIO_V2_GET_LINEINFO_IOCTL`.
pub(crate) const LINE_INFO: Opcode = opcode::read_write::<LineInfo>(0xB4, 0x05);
/// `GPIO_V2_GET_LINE_IOCTL`.
pub(crate) const GET_LINE: Opcode = opcode::read_write::<Request>(0xB4, 0x07);
/// `GPIO_V2_LINE_SET_CONFIG_IOCTL`.
pub(crate) const SET_CONFIG: Opcode = opcode::read_write::<Config>(0xB4, 0x0D);
/// `GPIO_V2_LINE_SET_VALUES_IOCTL`.
pub(crate) const SET_VALUES: Opcode = opcode::read_write::<Values>(0xB4, 0x0F);
/// `GPIO_V2_LINE_GET_VALUES_IOCTL`.
pub(crate) const GET_VALUES: Opcode = opcode::read_write::<Values>(0xB4, 0x0E);

// What a C compiler says of `linux/gpio.h`.
const _: () = assert!(size_of::<ChipInfo>() == 68);
const _: () = assert!(size_of::<Attribute>() == 16);
const _: () = assert!(size_of::<ConfigAttribute>() == 24);
const _: () = assert!(size_of::<Config>() == 272);
const _: () = assert!(size_of::<Request>() == 592);
const _: () = assert!(size_of::<LineInfo>() == 256);
const _: () = assert!(size_of::<Values>() == 16);
const _: () = assert!(core::mem::offset_of!(Request, config) == 288);
const _: () = assert!(core::mem::offset_of!(Request, line_count) == 560);
const _: () = assert!(core::mem::offset_of!(Request, event_buffer_size) == 564);
const _: () = assert!(core::mem::offset_of!(Request, fd) == 588);
const _: () = assert!(core::mem::offset_of!(LineInfo, flags) == 72);

#[cfg(test)]
mod tests {
    use super::{
        CHIP_INFO, EVENT_BYTES, Event, GET_LINE, GET_VALUES, LINE_INFO, SET_CONFIG, SET_VALUES,
        events,
    };
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn the_numbers_of_the_calls_are_those_of_the_kernels_header() {
        let numbers = [
            CHIP_INFO, LINE_INFO, GET_LINE, GET_VALUES, SET_CONFIG, SET_VALUES,
        ];
        assert_eq!(
            numbers.map(u64::from),
            [
                0x8044_B401,
                0xC100_B405,
                0xC250_B407,
                0xC010_B40E,
                0xC110_B40D,
                0xC010_B40F
            ]
        );
    }

    #[test]
    #[expect(clippy::host_endian_bytes, reason = "as the kernel writes it")]
    fn an_event_is_read_where_the_kernel_writes_it() {
        let mut bytes = [0u8; EVENT_BYTES + 7];
        bytes[..8].copy_from_slice(&123_456_789_000u64.to_ne_bytes());
        bytes[8..12].copy_from_slice(&2u32.to_ne_bytes());
        bytes[12..16].copy_from_slice(&17u32.to_ne_bytes());
        bytes[16..20].copy_from_slice(&900u32.to_ne_bytes());
        bytes[20..24].copy_from_slice(&41u32.to_ne_bytes());
        let event = Event {
            timestamp_ns: 123_456_789_000,
            id: 2,
            offset: 17,
            line_seqno: 41,
        };
        assert_eq!(events(&bytes).collect::<Vec<_>>(), [event]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(events(&bytes).count(), bytes.len() / EVENT_BYTES);
        }
    }
}
