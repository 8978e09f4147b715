//! Every bound of the journal, with the reason for its size.

use evidence::limits::ENTRY_BYTES_MAX;

/// Most entries in one frame; bounds the compact range that the next frame and the truth slot carry.
pub const FRAME_ENTRIES_MAX: usize = 4_096;
/// Most bytes of one frame with header and padding: what a reader must hold to check it.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Most hashes of a frontier: one for each bit of a 63-bit tree size.
pub const FRONTIER_HASHES_MAX: usize = 63;
/// Most hashes of the compact range of one frame's entries: two for each bit of their number.
pub const RANGE_HASHES_MAX: usize = 24;
/// Bytes in front of the first frame of a segment (one block where blocks are larger).
pub const SEGMENT_HEADER_BYTES: usize = 4_096;
/// Bytes within which the header part of any frame ends.
pub const FRAME_HEADER_BYTES_MAX: usize = 4_096;
/// Bytes of one copy of a truth slot.
pub const TRUTH_SLOT_BYTES: usize = 4_096;
/// Slots of the truth store, written in turn.
pub const TRUTH_SLOTS: u32 = 2;
/// Most commits that a deferred truth store takes between two flushes: how old its durable slot may
/// be, and how many frames recovery then rolls forward.
pub const DEFERRED_COMMITS_MAX: u32 = 64;
/// Copies of each truth slot, written together.
pub const TRUTH_COPIES: u32 = 2;
/// Bytes of one copy of the lease table.
pub const TABLE_BYTES: usize = 65_536;
/// Copies of the lease table, written one after the other.
pub const TABLE_COPIES: u32 = 2;
/// Smallest block: what media write atomically at best.
pub const BLOCK_BYTES_MIN: u32 = 512;
/// Largest block: more would be padding.
pub const BLOCK_BYTES_MAX: u32 = 65_536;
/// Fewest segments of a ring: one to write and one to keep.
pub const SEGMENTS_MIN: u32 = 2;
/// Most segments of a ring: their headers are read when it is opened.
pub const SEGMENTS_MAX: u32 = 65_536;
/// Smallest segment: its header and a few frames.
pub const SEGMENT_BYTES_MIN: u64 = 16_384;
/// Largest segment: recovery reads one.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;
/// Bytes an entry has at most beside its capture bytes (header, stamp, lengths, CRC).
pub const ENTRY_ENVELOPE_BYTES_MAX: usize = 128;
/// Most frames in a row with damaged headers that are looked for behind one another.
pub const RESTORED_FRAMES_MAX: usize = 64;
/// Fresh segments that one write failure may consume before an attempt is repeated on the last.
pub const FAILURE_SEGMENTS_MAX: u32 = 3;
/// Most bytes of one keep frame: a damaged one takes no more with it. The largest entry fits.
pub const KEEP_FRAME_BYTES_MAX: usize = 192 << 10;
/// Bytes of pieces after which a stretch becomes a frame.
pub const KEEP_STRETCH_BYTES: usize = 32 << 10;
/// Bytes within which the header of any keep frame ends: a frontier, and the hashes of a stretch.
pub const KEEP_HEADER_BYTES_MAX: usize = 8_192;
/// Laps of a keep-ring: one a second lasts for longer than the earth. A frame that says a later one was written by nobody.
pub const KEEP_LAPS_MAX: u64 = 1 << 62;
/// Fresh segments that one failed write of a keep frame may consume.
pub const KEEP_ATTEMPTS_MAX: u32 = 2;
/// Segment headers that a ring remembers as last read: an opening asks for those of the newest laps
/// again and again. One has as many bytes as stand before the first frame.
pub const HEADERS_KEPT: usize = 4;
/// Where a new frame begins in memory, so that a device can take it from there: a page.
pub const FRAME_ALIGN_BYTES: usize = 4_096;
/// Most bytes read at once while walking from frame to frame, or searching for the next frame behind damage or
/// behind the end: past the page cache a device takes little longer for them than for one block.
pub const STRETCH_BYTES: usize = 256 << 10;

const _: () = {
    let pieces = KEEP_STRETCH_BYTES + ENTRY_BYTES_MAX + 64;
    assert!(pieces + KEEP_HEADER_BYTES_MAX + BLOCK_BYTES_MAX as usize <= KEEP_FRAME_BYTES_MAX);
};
const _: () = assert!(ENTRY_BYTES_MAX + 8 + FRAME_HEADER_BYTES_MAX < FRAME_BYTES_MAX);
