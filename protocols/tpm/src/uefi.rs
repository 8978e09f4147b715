//! What UEFI firmware notes beside its measurements (TCG PC Client Platform Firmware Profile, 10.2.3 and 10.4; UEFI 2.10,
//! chapter 10): images, variables, texts. It is not what was hashed, unless the type of the event says so.

use crate::limits::EVENT_TEXT_BYTES_MAX;
use crate::wire::{Malformed, Reader};
use alloc::string::String;
use alloc::vec::Vec;

/// A node of a device path with the path of a file: type and subtype.
const FILE_PATH: (u8, u8) = (4, 4);
/// Bytes of a node's head: type, subtype, length.
const NODE_HEAD_BYTES: usize = 4;
/// Place, length and linked address of an image, which stand before its path: 8 bytes each.
const IMAGE_HEAD_BYTES: usize = 24;

/// Whose the variables are that UEFI itself defines, Secure Boot's among them (`EFI_GLOBAL_VARIABLE`), as its bytes lie.
pub const GLOBAL: [u8; OWNER_BYTES] = [
    0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
];
const OWNER_BYTES: usize = 16;

/// A variable of the firmware (`UEFI_VARIABLE_DATA`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Whose it is: a GUID.
    pub owner: [u8; OWNER_BYTES],
    /// Its name.
    pub name: String,
    /// What is in it.
    pub data: Vec<u8>,
}

impl Variable {
    /// Reads one from the data of an event.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(data: &[u8]) -> Result<Self, Malformed> {
        let mut of = Reader::new("UEFI variable", data);
        let fault = of.fault();
        let owner = of.take(OWNER_BYTES)?;
        let mut length = || usize::try_from(of.u64_le()?).map_err(|_| fault);
        let (chars, bytes) = (length()?, length()?);
        let name = chars.checked_mul(2).ok_or(fault)?;
        Ok(Self {
            owner: owner.try_into().map_err(|_| fault)?,
            name: utf16(of.take(name)?),
            data: of.take(bytes)?.to_vec(),
        })
    }
}

/// The files that a started image came from (`UEFI_IMAGE_LOAD_EVENT`), all of them together up to [`EVENT_TEXT_BYTES_MAX`];
/// `None` where its path names none, as for what lies in the firmware or on a card.
#[must_use]
pub fn image_path(data: &[u8]) -> Option<String> {
    let mut of = Reader::new("UEFI image", data);
    of.take(IMAGE_HEAD_BYTES).ok()?;
    let length = usize::try_from(of.u64_le().ok()?).ok()?;
    let mut nodes = Reader::new("UEFI device path", of.take(length).ok()?);
    let mut path = String::new();
    while !nodes.is_empty() {
        let kind = (nodes.u8().ok()?, nodes.u8().ok()?);
        let length = usize::from(nodes.u16_le().ok()?);
        let body = nodes.take(length.checked_sub(NODE_HEAD_BYTES)?).ok()?;
        if kind == FILE_PATH {
            // A path has as many nodes as it likes: what is bounded is the whole of it.
            path = plain(path.chars().chain(utf16(body).chars()));
        }
    }
    (!path.is_empty()).then_some(path)
}

/// A text in UTF-16, up to its end or to [`EVENT_TEXT_BYTES_MAX`]; what is no letter or sign is a question mark.
#[must_use]
pub fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().copied();
    let units = units.map(u16::from_le_bytes).take_while(|unit| *unit != 0);
    plain(char::decode_utf16(units).map(|read| read.unwrap_or('?')))
}

/// The same of a text in bytes.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    plain(String::from_utf8_lossy(bytes).chars())
}

fn plain(of: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in of {
        let c = match c.is_control() || c == char::REPLACEMENT_CHARACTER {
            true => '?',
            false => c,
        };
        if out.len().saturating_add(c.len_utf8()) > EVENT_TEXT_BYTES_MAX {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
#[expect(clippy::little_endian_bytes, reason = "UEFI is little-endian")]
mod tests {
    use super::{GLOBAL, Variable, image_path, text, utf16};
    use proptest::prelude::{any, proptest};
    use std::string::String;
    use std::vec::Vec;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn image(path: &str) -> Vec<u8> {
        image_of(&[path])
    }

    fn image_of(path: &[&str]) -> Vec<u8> {
        let node = |path: &&str| {
            let file = [wide(path), [0, 0].to_vec()].concat();
            let length = u16::try_from(file.len() + 4).unwrap();
            [&[4, 4][..], &length.to_le_bytes(), &file].concat()
        };
        // A node of a controller before it, and the end behind it.
        let nodes = [
            [1u8, 1, 6, 0, 9, 9].to_vec(),
            path.iter().flat_map(node).collect(),
            [0x7f, 0xff, 4, 0].to_vec(),
        ]
        .concat();
        let length = u64::try_from(nodes.len()).unwrap();
        [&[0; 24][..], &length.to_le_bytes(), &nodes].concat()
    }

    //= R8.1
    #[test]
    fn paths_of_images_variables_and_texts_are_read_and_no_part_of_one_is() {
        let whole = image("\\EFI\\debian\\grubx64.efi");
        assert_eq!(image_path(&whole).unwrap(), "\\EFI\\debian\\grubx64.efi");
        for cut in 0..whole.len() {
            assert_eq!(image_path(&whole[..cut]), None, "{cut}");
        }
        // An image of a card has no file.
        assert_eq!(image_path(&image("")), None);
        let name = wide("SecureBoot");
        let lengths = [10u64, 1].map(u64::to_le_bytes).concat();
        let whole = [&GLOBAL[..], &lengths, &name, &[1]].concat();
        let read = Variable::parse(&whole).unwrap();
        assert_eq!(
            (read.owner, read.name.as_str(), read.data),
            (GLOBAL, "SecureBoot", [1].to_vec())
        );
        for cut in 0..whole.len() {
            assert!(Variable::parse(&whole[..cut]).is_err(), "{cut}");
        }
        assert_eq!(utf16(&[wide("1.4\n"), [0, 0, 1].to_vec()].concat()), "1.4?");
        assert_eq!(
            text(b"kernel_cmdline: a\x1b[2K\0rest"),
            "kernel_cmdline: a?[2K"
        );
        assert_eq!(utf16(&wide(&"x".repeat(999))).len(), 160);
        // Of a path in many nodes too.
        let directory = "\\d".repeat(50);
        let long = image_path(&image_of(&[directory.as_str(); 9])).unwrap();
        assert_eq!((long.len(), long.contains("d\\d\\d")), (160, true));
        assert_eq!(
            image_path(&image_of(&["\\EFI", "\\a"])).unwrap(),
            "\\EFI\\a"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let read = (Variable::parse(&data).is_ok(), image_path(&data));
            let texts: [String; 2] = [utf16(&data), text(&data)];
            drop((read, texts));
        }
    }
}
