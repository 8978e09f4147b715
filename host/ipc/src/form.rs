//! Whether bytes that are no message of this version have the form of one: `[number, fields]`, as every version writes it.

use crate::limits::FORM_DEPTH_MAX;

/// Whether they are such an array, whole, of a number and a map with rising numbers for keys, each item in its shortest form.
pub(crate) fn is_a_messages(bytes: &[u8]) -> bool {
    let Some((4, 2, rest)) = head(bytes) else {
        return false;
    };
    let Some((0, _, rest)) = head(rest) else {
        return false;
    };
    let Some((5, fields, mut rest)) = head(rest) else {
        return false;
    };
    let mut last = None;
    // Each takes a byte at the least, so that bytes end it whatever number they claim.
    for _ in 0..fields {
        let Some((0, key, value)) = head(rest) else {
            return false;
        };
        let Some(behind) = item(value, FORM_DEPTH_MAX) else {
            return false;
        };
        if last.replace(key).is_some_and(|last| last >= key) {
            return false;
        }
        rest = behind;
    }
    rest.is_empty()
}

/// What stands behind one item of CBOR.
fn item(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let (major, argument, mut rest) = head(bytes)?;
    let items = match major {
        0 | 1 => 0,
        2 | 3 => {
            let (text, behind) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
            if major == 3 {
                std::str::from_utf8(text).ok()?;
            }
            rest = behind;
            0
        }
        4 => argument,
        5 => argument.checked_mul(2)?,
        6 => 1,
        // False, true and nothing.
        _ => match argument {
            20..=22 => 0,
            _ => return None,
        },
    };
    for _ in 0..items {
        rest = item(rest, depth)?;
    }
    Some(rest)
}

/// Major type, argument in its shortest form, and what stands behind.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (initial, rest) = bytes.split_first()?;
    let (major, short) = (initial >> 5, initial & 0x1F);
    let (length, floor) = match short {
        0..=23 => return Some((major, short.into(), rest)),
        24 => (1, 24),
        25 => (2, 0x100),
        26 => (4, 0x1_0000),
        27 => (8, 0x1_0000_0000),
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(length)?;
    let number = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    let argument = argument.iter().fold(0, number);
    (argument >= floor).then_some((major, argument, rest))
}

#[cfg(test)]
mod tests {
    use super::is_a_messages;
    use crate::message::tests::samples;
    use proptest::prelude::{any, prop_assert, proptest};

    //= A6.3
    #[test]
    fn another_versions_message_has_the_form_and_what_is_none_has_not() {
        for sample in samples() {
            assert!(is_a_messages(&sample.encode()), "{}", sample.name());
        }
        for other in [
            // A number, a field and a value that this version does not know.
            &[0x82, 0x18, 0xFF, 0xA0][..],
            &[0x82, 0x00, 0xA2, 0x00, 0x17, 0x01, 0x60],
            &[0x82, 0x00, 0xA1, 0x18, 0x63, 0x81, 0xA1, 0x61, b'a', 0xF6],
        ] {
            assert!(is_a_messages(other), "{other:x?}");
        }
        let deep: Vec<u8> = [0x82, 0x00, 0xA1, 0x00]
            .into_iter()
            .chain(std::iter::repeat_n(0x81, 5_000))
            .chain([0x00])
            .collect();
        for none in [
            &b""[..],
            b"HTTP/1.1 400 Bad Request\r\n",
            b"\x82",
            b"\x82\x00",
            // Begins as a message does, and goes on as none.
            b"\x82\x01 and so on",
            &[0x82, 0x01, 0xA1, 0x00],
            &[0x82, 0x01, 0xA0, 0x00],
            &[0x82, 0x01, 0xA1, 0x61, b'a', 0x00],
            &[0x82, 0x01, 0xA2, 0x01, 0x00, 0x00, 0x00],
            &[0x82, 0x18, 0x01, 0xA0],
            &[0x82, 0x01, 0xA1, 0x00, 0x61, 0xFF],
            &[0x82, 0x01, 0xA1, 0x00, 0x9F, 0xFF],
            &[
                0x82, 0x01, 0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            ],
            &[0x83, 0x01, 0xA0, 0x00],
            &deep,
        ] {
            assert!(!is_a_messages(none), "{none:x?}");
        }
    }

    proptest! {
        /// Whatever is cut is none; nothing stops who looks.
        #[test]
        fn what_is_cut_has_not_the_form_and_no_bytes_stop_who_looks(
            bytes in any::<Vec<u8>>(),
            sample in any::<proptest::sample::Index>(),
            at in any::<proptest::sample::Index>(),
        ) {
            let _ = is_a_messages(&bytes);
            let samples = samples();
            let whole = sample.get(&samples).encode();
            let cut = whole.get(..at.index(whole.len())).unwrap();
            prop_assert!(!is_a_messages(cut));
        }
    }
}
