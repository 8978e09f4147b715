//! A segment's header: which lap it holds, and the tree and the position before its first frame.

use alloc::vec::Vec;
use evidence::{Generation, LogId};
use proof::Frontier;

use crate::bytes::{Place, is_blank, put_hashes, split_crc, take_hashes};
use crate::layout::{SEGMENT_MAGIC, SegmentFixed, VERSION};
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::medium::Shape;

/// A header that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) fixed: SegmentFixed,
    pub(crate) frontier: Frontier,
}

/// Why bytes are not the header that belongs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentFault {
    /// All zeros: never opened.
    Blank,
    /// The check does not hold, or the fields contradict one another.
    Damaged,
    /// A sound header of another log or generation.
    Foreign(LogId, Generation),
    /// A sound header of this log that names another segment.
    Elsewhere { segment_no: u32, lap: u64 },
    /// Sound, but written by a newer version.
    Newer(u16),
    /// A sound header of a ring of other measures.
    OtherShape {
        segment_bytes: u64,
        block_bytes: u32,
    },
}

impl SegmentHead {
    /// Its bytes, up to the first frame.
    pub(crate) fn encode(&self, shape: &Shape) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        self.fixed.write(&mut out);
        put_hashes(&mut out, self.frontier.hashes());
        let end = crate::bytes::to_usize(shape.first_frame_offset());
        out.resize(end.saturating_sub(crate::layout::CRC_BYTES), 0);
        let crc = place(&self.fixed).crc(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// Reads the header of segment `segment_no`.
    pub(crate) fn parse(
        bytes: &[u8],
        log_id: LogId,
        generation: Generation,
        segment_no: u32,
        shape: &Shape,
    ) -> Result<Self, SegmentFault> {
        if is_blank(bytes) {
            return Err(SegmentFault::Blank);
        }
        let (body, crc) = split_crc(bytes).ok_or(SegmentFault::Damaged)?;
        let mut rest = body;
        let fixed = SegmentFixed::read(&mut rest).ok_or(SegmentFault::Damaged)?;
        if fixed.magic != SEGMENT_MAGIC || place(&fixed).crc(body) != crc {
            return Err(SegmentFault::Damaged);
        }
        if fixed.version != VERSION {
            return Err(SegmentFault::Newer(fixed.version));
        }
        if fixed.log_id != log_id || fixed.generation != generation {
            return Err(SegmentFault::Foreign(fixed.log_id, fixed.generation));
        }
        if fixed.segment_bytes != shape.segment_bytes || fixed.block_bytes != shape.block_bytes {
            return Err(SegmentFault::OtherShape {
                segment_bytes: fixed.segment_bytes,
                block_bytes: fixed.block_bytes,
            });
        }
        if fixed.segment_no != segment_no {
            return Err(SegmentFault::Elsewhere {
                segment_no: fixed.segment_no,
                lap: fixed.lap,
            });
        }
        if fixed.lap == 0
            || shape.segment_of(fixed.lap) != segment_no
            || fixed.previous_lap >= fixed.lap
            || fixed.previous_end > fixed.segment_bytes
        {
            return Err(SegmentFault::Damaged);
        }
        let hashes =
            take_hashes(&mut rest, usize::from(fixed.frontier_len)).ok_or(SegmentFault::Damaged)?;
        let frontier = Frontier::from_parts(fixed.first_commit_id.0, hashes)
            .map_err(|_| SegmentFault::Damaged)?;
        if frontier.root() != fixed.root_before {
            return Err(SegmentFault::Damaged);
        }
        Ok(Self { fixed, frontier })
    }
}

fn place(fixed: &SegmentFixed) -> Place {
    Place {
        log_id: fixed.log_id,
        segment: fixed.segment_no,
        lap: fixed.lap,
        offset: 0,
    }
}
