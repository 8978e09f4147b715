//! Examples of the standard, refusals, round trips.

use super::{DecodeFault, Reader, Writer};
use alloc::vec::Vec;
use proptest::prelude::{any, proptest};

fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.into_bytes()
}

/// Examples of RFC 8949, appendix A.
#[test]
fn writes_the_examples_of_the_standard() {
    let cases: [(&[u8], Vec<u8>); 12] = [
        (&[0x00], written(|w| w.uint(0))),
        (&[0x17], written(|w| w.uint(23))),
        (&[0x18, 0x18], written(|w| w.uint(24))),
        (&[0x19, 0x03, 0xe8], written(|w| w.uint(1000))),
        (
            &[0x1a, 0x00, 0x0f, 0x42, 0x40],
            written(|w| w.uint(1_000_000)),
        ),
        (&[0x20], written(|w| w.int(-1))),
        (&[0x39, 0x03, 0xe7], written(|w| w.int(-1000))),
        (&[0xf5], written(|w| w.bool(true))),
        (&[0xf6], written(Writer::null)),
        (&[0x64, 0x49, 0x45, 0x54, 0x46], written(|w| w.text("IETF"))),
        (&[0x44, 1, 2, 3, 4], written(|w| w.bytes(&[1, 2, 3, 4]))),
        (&[0xc4, 0x82, 0x21, 0x19, 0x6a, 0xb3], {
            written(|w| {
                w.tag(4);
                w.array(2);
                w.int(-2);
                w.int(27315);
            })
        }),
    ];
    for (expected, actual) in cases {
        assert_eq!(expected, actual);
    }
}

#[test]
fn refuses_what_is_not_the_shortest_form() {
    for long in [
        &[0x18, 0x17][..],
        &[0x19, 0, 0xFF],
        &[0x1a, 0, 0, 0xFF, 0xFF],
        &[0x1f],
    ] {
        let error = Reader::new(long).uint().unwrap_err();
        assert_eq!(error.what, DecodeFault::NotDeterministic, "{long:x?}");
    }
}

#[test]
fn refuses_keys_out_of_order() {
    let bytes = written(|w| {
        w.map(2);
        w.uint(2);
        w.uint(0);
        w.uint(1);
        w.uint(0);
    });
    let mut reader = Reader::new(&bytes);
    let mut map = reader.map().unwrap();
    assert_eq!(map.value(2).unwrap().unwrap().uint().unwrap(), 0);
    assert_eq!(map.value(3).unwrap_err().what, DecodeFault::UnknownKey(1));
}

proptest! {
    #[test]
    fn integers_come_back(value in any::<i64>(), wide in -(1i128 << 64)..(1i128 << 64)) {
        let bytes = written(|w| { w.int(value); assert!(w.wide_int(wide)); });
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.int().unwrap(), value);
        assert_eq!(reader.wide_int().unwrap(), wide);
        reader.finish().unwrap();
    }
}

//= A4.1
#[test]
fn no_key_is_too_large_to_be_unknown() {
    for key in [1, 23, 24, u64::MAX] {
        let bytes = written(|w| {
            w.map(1);
            w.uint(key);
            w.uint(0);
        });
        let mut reader = Reader::new(&bytes);
        let fault = reader.map().unwrap().finish().unwrap_err();
        assert_eq!(fault.what, DecodeFault::UnknownKey(key));
    }
}
