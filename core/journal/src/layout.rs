//! The fixed parts of everything on the media, field by field; `spec/journal-v1.md` is the same
//! table for people, and a test compares the two.

use crate::bytes::Raw;
use alloc::vec::Vec;
use evidence::{BootId, CommitId, Epoch, Generation, LogId, SaltKey};
use proof::Hash;

/// Version of the format.
pub(crate) const VERSION: u16 = 1;
/// First bytes of a segment.
pub(crate) const SEGMENT_MAGIC: [u8; 8] = *b"FNSEGv1\0";
/// First bytes of a frame.
pub(crate) const FRAME_MAGIC: [u8; 4] = *b"FNFR";
/// First bytes of a truth slot.
pub(crate) const TRUTH_MAGIC: [u8; 8] = *b"FNTRUTH1";
/// First bytes of a lease table.
pub(crate) const TABLE_MAGIC: [u8; 8] = *b"FNLEASE1";
/// First bytes of a keep frame.
pub(crate) const KEEP_MAGIC: [u8; 4] = *b"FNKP";
/// Kind of a frame: a group commit of entries.
pub(crate) const KIND_ENTRIES: u8 = 1;
/// Bytes of every CRC-32C.
pub(crate) const CRC_BYTES: usize = 4;

/// One row of a byte map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldRow {
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    pub(crate) bytes: usize,
    pub(crate) number: bool,
}

/// Whether the rows follow one another without a gap and fill `bytes`.
const fn contiguous(rows: &[FieldRow], bytes: usize) -> bool {
    let mut at = 0;
    let mut rest = rows;
    while let [row, tail @ ..] = rest {
        if row.offset != at {
            return false;
        }
        at += row.bytes;
        rest = tail;
    }
    at == bytes
}

macro_rules! layout {
    (
        $(#[$meta:meta])* $name:ident, $size:literal {
            $( $offset:literal $field:ident : $type:ty; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name { $( pub(crate) $field: $type, )+ }

        impl $name {
            /// Bytes of the fixed part.
            pub(crate) const BYTES: usize = $size;
            /// Its byte map.
            pub(crate) const FIELDS: &'static [FieldRow] = &[ $( FieldRow {
                name: stringify!($field), offset: $offset, bytes: <$type as Raw>::BYTES,
                number: <$type as Raw>::NUMBER,
            } ),+ ];

            /// Appends the fixed part.
            pub(crate) fn write(&self, out: &mut Vec<u8>) {
                $( self.$field.put(out); )+
            }

            /// Takes the fixed part from the front.
            pub(crate) fn read(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $( $field: Raw::take(from)?, )+ })
            }
        }

        const _: () = assert!(contiguous($name::FIELDS, $name::BYTES));
    };
}

layout! {
    /// Fixed part of a segment header.
    SegmentFixed, 160 {
        0 magic: [u8; 8];
        8 version: u16;
        10 frontier_len: u8;
        11 reserved: [u8; 5];
        16 log_id: LogId;
        32 generation: Generation;
        40 epoch: Epoch;
        48 lap: u64;
        56 segment_no: u32;
        60 block_bytes: u32;
        64 segment_bytes: u64;
        72 first_commit_id: CommitId;
        80 epoch_first_commit_id: CommitId;
        88 previous_lap: u64;
        96 previous_end: u64;
        104 previous_frame_crc: u32;
        108 reserved_2: [u8; 4];
        112 salt_key: SaltKey;
        128 root_before: Hash;
    }
}

layout! {
    /// Fixed part of a frame header.
    FrameFixed, 160 {
        0 magic: [u8; 4];
        4 version: u16;
        6 kind: u8;
        7 flags: u8;
        8 log_id: LogId;
        24 generation: Generation;
        32 epoch: Epoch;
        40 lap: u64;
        48 segment_no: u32;
        52 frontier_len: u8;
        53 previous_range_len: u8;
        54 reserved: [u8; 2];
        56 self_offset: u64;
        64 first_commit_id: CommitId;
        72 count: u32;
        76 header_bytes: u32;
        80 payload_bytes: u32;
        84 frame_bytes: u32;
        88 previous_frame_crc: u32;
        92 payload_crc: u32;
        96 salt_key: SaltKey;
        112 previous_first_commit_id: CommitId;
        120 epoch_first_commit_id: CommitId;
        128 root_after: Hash;
    }
}

layout! {
    /// Fixed part of an entry within a frame's payload.
    EntryFixed, 8 {
        0 entry_bytes: u32;
        4 entry_crc: u32;
    }
}

layout! {
    /// Fixed part of a truth slot.
    TruthFixed, 240 {
        0 magic: [u8; 8];
        8 version: u16;
        10 orderly: u8;
        11 frontier_len: u8;
        12 newest_range_len: u8;
        13 doubt: u8;
        14 reserved: [u8; 2];
        16 log_id: LogId;
        32 generation: Generation;
        40 epoch: Epoch;
        48 epoch_first_commit_id: CommitId;
        56 boot_id: BootId;
        72 counter: u64;
        80 lap: u64;
        88 segments: u32;
        92 block_bytes: u32;
        96 segment_bytes: u64;
        104 commit_offset: u64;
        112 newest_lap: u64;
        120 newest_end: u64;
        128 newest_first_commit_id: CommitId;
        136 size: u64;
        144 root: Hash;
        176 sealed_size: u64;
        184 cosigned_size: u64;
        192 pruned_size: u64;
        200 oldest_lap: u64;
        208 oldest_commit_id: CommitId;
        216 newest_frame_crc: u32;
        220 firmware: u32;
        224 salt_key: SaltKey;
    }
}

layout! {
    /// Fixed part of a lease table.
    TableFixed, 48 {
        0 magic: [u8; 8];
        8 version: u16;
        10 reserved: [u8; 2];
        12 table_bytes: u32;
        16 log_id: LogId;
        32 generation: Generation;
        40 counter: u64;
    }
}

layout! {
    /// Fixed part of a keep frame.
    KeepFixed, 104 {
        0 magic: [u8; 4];
        4 version: u16;
        6 store: u8;
        7 frontier_len: u8;
        8 log_id: LogId;
        24 generation: Generation;
        32 lap: u64;
        40 segment_no: u32;
        44 previous_range_len: u8;
        45 reserved: [u8; 3];
        48 self_offset: u64;
        56 first_commit_id: CommitId;
        64 end_commit_id: CommitId;
        72 previous_first_commit_id: CommitId;
        80 kept: u32;
        84 header_bytes: u32;
        88 payload_bytes: u32;
        92 frame_bytes: u32;
        96 payload_crc: u32;
        100 reserved_2: [u8; 4];
    }
}

layout! {
    /// Fixed part of a piece of a keep frame.
    PartFixed, 32 {
        0 kept: u8;
        1 hashes: u8;
        2 reserved: [u8; 2];
        4 entry_bytes: u32;
        8 count: u64;
        16 salt: [u8; 16];
    }
}

const _: () = {
    use crate::limits::{
        FRAME_HEADER_BYTES_MAX, FRONTIER_HASHES_MAX, RANGE_HASHES_MAX, SEGMENT_HEADER_BYTES,
        TRUTH_SLOT_BYTES,
    };
    let frontier = FRONTIER_HASHES_MAX * 32;
    let both = frontier + RANGE_HASHES_MAX * 32 + CRC_BYTES;
    assert!(SegmentFixed::BYTES + frontier + CRC_BYTES <= SEGMENT_HEADER_BYTES);
    assert!(FrameFixed::BYTES + both <= FRAME_HEADER_BYTES_MAX);
    assert!(TruthFixed::BYTES + both <= TRUTH_SLOT_BYTES);
};
