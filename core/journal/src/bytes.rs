//! Numbers and identifiers as fixed big-endian bytes, and CRC-32C seeded with a place.

use alloc::vec::Vec;
use evidence::{BootId, CommitId, Epoch, Generation, LogId, SaltKey};
use proof::Hash;

/// A value of fixed size on the medium.
pub(crate) trait Raw: Sized {
    /// Its size.
    const BYTES: usize;
    /// Whether people read it as a number.
    const NUMBER: bool;

    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes it from the front of `from`.
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// Takes `N` bytes from the front.
pub(crate) fn take_array<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*head)
}

macro_rules! raw_numbers {
    ($($type:ty),+) => { $(
        impl Raw for $type {
            const BYTES: usize = size_of::<$type>();
            const NUMBER: bool = true;

            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                take_array(from).map(Self::from_be_bytes)
            }
        }
    )+ };
}

raw_numbers!(u8, u16, u32, u64);

impl<const N: usize> Raw for [u8; N] {
    const BYTES: usize = N;
    const NUMBER: bool = false;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        take_array(from)
    }
}

macro_rules! raw_wrapped {
    ($($type:ident: $inner:ty),+) => { $(
        impl Raw for $type {
            const BYTES: usize = <$inner as Raw>::BYTES;
            const NUMBER: bool = <$inner as Raw>::NUMBER;

            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                <$inner as Raw>::take(from).map($type)
            }
        }
    )+ };
}

raw_wrapped!(
    LogId: [u8; 16], BootId: [u8; 16], SaltKey: [u8; 16], Hash: [u8; 32],
    Generation: u64, Epoch: u64, CommitId: u64
);

/// Appends hashes.
pub(crate) fn put_hashes(out: &mut Vec<u8>, hashes: &[Hash]) {
    for hash in hashes {
        hash.put(out);
    }
}

/// Takes `count` hashes from the front.
pub(crate) fn take_hashes(from: &mut &[u8], count: usize) -> Option<Vec<Hash>> {
    (0..count).map(|_| Hash::take(from)).collect()
}

/// Where bytes belong. Hashed in front of them, so that a stale lap or a misdirected write never
/// passes for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) log_id: LogId,
    pub(crate) segment: u32,
    pub(crate) lap: u64,
    pub(crate) offset: u64,
}

impl Place {
    /// CRC-32C over log, segment, lap, offset, then `bytes`.
    pub(crate) fn crc(&self, bytes: &[u8]) -> u32 {
        let mut seed = Vec::with_capacity(36);
        self.log_id.put(&mut seed);
        self.segment.put(&mut seed);
        self.lap.put(&mut seed);
        self.offset.put(&mut seed);
        crc32c::crc32c_append(crc32c::crc32c(&seed), bytes)
    }
}

/// Whether nothing but zeros stands here. Bytes are taken in stretches, which a processor compares at
/// once; openings ask this of every header and slot.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    let is_zero = |stretch: &[u8]| stretch.iter().fold(0, |any, byte| any | *byte) == 0;
    bytes.chunks(64).all(is_zero)
}

/// Splits `bytes` into body and the CRC at its end; `None` if too short.
pub(crate) fn split_crc(bytes: &[u8]) -> Option<(&[u8], u32)> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    Some((body, u32::from_be_bytes(*crc)))
}

/// A `u64` as a length in memory; what does not fit is longer than any buffer.
pub(crate) fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
