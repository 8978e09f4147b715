//! PCRs of the SHA-256 bank in a file as `tpm2_checkquote` takes them: its own structures of C, each list filled up with zeros.

use alloc::vec::Vec;
use evidence::Digest;
use evidence::kinds::BootPcr;

/// Selections that the file has room for (`TPML_PCR_SELECTION`), and bytes of one of them.
const SELECTIONS: usize = 16;
const SELECTION_BYTES: usize = 8;
/// Digests that a list has room for (`TPML_DIGEST`), and bytes of one of them with its length.
const DIGESTS: usize = 8;
const DIGEST_BYTES: usize = 2 + 64;
/// Bytes of a number of elements.
const COUNT_BYTES: usize = 4;
/// Bytes of a value of the SHA-256 bank, and that bank's number.
const VALUE_BYTES: u8 = 32;
const SHA256: u8 = 0x0b;
/// PCRs that a TPM has, and the bytes of their bits.
const PCRS_MAX: usize = 24;
const BIT_BYTES: u8 = 3;

/// Bytes before the lists, and of one list.
const HEAD_BYTES: usize = COUNT_BYTES + SELECTIONS * SELECTION_BYTES + COUNT_BYTES;
const LIST_BYTES: usize = COUNT_BYTES + DIGESTS * DIGEST_BYTES;

/// The longest file: all PCRs of a bank.
pub const PCRS_FILE_BYTES_MAX: usize = HEAD_BYTES + PCRS_MAX.div_ceil(DIGESTS) * LIST_BYTES;

/// The file of these PCRs, which ascend. PCRs that no TPM has are left out.
#[must_use]
#[expect(clippy::little_endian_bytes, reason = "the file of that program is")]
pub fn pcrs_file(pcrs: &[BootPcr]) -> Vec<u8> {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
    let mut bits = [0u8; BIT_BYTES as usize];
    let mut values = Vec::new();
    for one in pcrs {
        let place = usize::try_from(one.pcr / 8).unwrap_or(usize::MAX);
        if let Some(byte) = bits.get_mut(place) {
            *byte |= 1 << (one.pcr % 8);
            values.push(one.value.0);
        }
    }
    let mut out = count(1).to_vec();
    // TPMS_PCR_SELECTION: hash, length of the bits, bits, one byte to fill up.
    out.extend([SHA256, 0, BIT_BYTES]);
    out.extend(bits);
    out.resize(HEAD_BYTES - COUNT_BYTES, 0);
    let lists = values.chunks(DIGESTS);
    out.extend(count(lists.len()));
    for list in lists {
        let end = out.len().saturating_add(LIST_BYTES);
        out.extend(count(list.len()));
        for value in list {
            let next = out.len().saturating_add(DIGEST_BYTES);
            out.extend([VALUE_BYTES, 0]);
            out.extend(value);
            out.resize(next, 0);
        }
        out.resize(end, 0);
    }
    out
}

/// The PCRs in such a file, byte for byte as [`pcrs_file`] writes it; `None` for any other: what one program reads in a file, no
/// other is to read otherwise.
#[must_use]
pub fn pcrs_in_file(bytes: &[u8]) -> Option<Vec<BootPcr>> {
    if bytes.len() > PCRS_FILE_BYTES_MAX {
        return None;
    }
    let (head, lists) = bytes.split_at_checked(HEAD_BYTES)?;
    let bits = head.get(COUNT_BYTES + 3..)?.get(..usize::from(BIT_BYTES))?;
    let selected = (0u32..).zip(bits).flat_map(|(place, byte)| {
        let set = (0..8u32).filter(move |bit| byte & (1 << bit) != 0);
        set.map(move |bit| place.saturating_mul(8).saturating_add(bit))
    });
    let values = lists.chunks(LIST_BYTES).flat_map(|list| {
        let digests = list.get(COUNT_BYTES..).unwrap_or_default();
        digests.chunks(DIGEST_BYTES)
    });
    let value = |digest: &[u8]| {
        let value = digest.get(2..)?.get(..usize::from(VALUE_BYTES))?;
        <[u8; VALUE_BYTES as usize]>::try_from(value).ok()
    };
    let mut pcrs = Vec::new();
    for (pcr, digest) in selected.zip(values) {
        pcrs.push(BootPcr {
            pcr,
            value: Digest(value(digest)?),
            replayed: None,
        });
    }
    (pcrs_file(&pcrs) == bytes).then_some(pcrs)
}

#[cfg(test)]
mod tests {
    use super::{HEAD_BYTES, LIST_BYTES, PCRS_FILE_BYTES_MAX, pcrs_file, pcrs_in_file};
    use crate::limits::BOOT_PCRS;
    use evidence::Digest;
    use evidence::kinds::BootPcr;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn pcr((pcr, value): (u32, u8)) -> BootPcr {
        BootPcr {
            pcr,
            value: Digest([value; 32]),
            replayed: None,
        }
    }

    fn of_a_boot() -> Vec<BootPcr> {
        BOOT_PCRS.map(|one| pcr((one.into(), one + 7))).to_vec()
    }

    //= A6.3
    #[test]
    fn a_file_of_pcrs_is_read_whole_and_no_part_and_no_other_of_it_is() {
        let all = of_a_boot();
        let file = pcrs_file(&all);
        assert_eq!(file.len(), HEAD_BYTES + 2 * LIST_BYTES);
        assert_eq!(pcrs_in_file(&file), Some(all));
        for cut in 0..file.len() {
            assert_eq!(pcrs_in_file(&file[..cut]), None, "{cut}");
        }
        assert_eq!(pcrs_in_file(&[&file[..], &[0]].concat()), None);
        assert_eq!(pcrs_in_file(&vec![0; PCRS_FILE_BYTES_MAX + 1]), None);
        // Each byte counts: what is changed is not read, or is read as other PCRs.
        for place in 0..file.len() {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert_ne!(pcrs_in_file(&changed), pcrs_in_file(&file), "{place}");
        }
        // A TPM without that bank quotes none.
        assert_eq!(pcrs_in_file(&pcrs_file(&[])), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn every_selection_has_one_file(
            chosen in proptest::collection::btree_map(0u32..24, any::<u8>(), 0..24),
            harm in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let all: Vec<BootPcr> = chosen.into_iter().map(pcr).collect();
            let mut file = pcrs_file(&all);
            prop_assert!(file.len() <= PCRS_FILE_BYTES_MAX);
            prop_assert_eq!(pcrs_in_file(&file), Some(all));
            for (place, byte) in harm {
                let place = place.index(file.len());
                file[place] = byte;
            }
            if let Some(read) = pcrs_in_file(&file) {
                prop_assert_eq!(pcrs_file(&read), file);
            }
        }
    }
}
