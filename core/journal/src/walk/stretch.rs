//! Frames are read in stretches: a walk goes on from frame to frame, and a device gives a long piece in
//! little more time than a short one.
//!
//! A stretch never reaches behind the committed end that the walk knows: what lies before it does not
//! change any more. It lives as long as the walk: whoever wants to hear from the medium again walks anew.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::bytes::to_usize;
use crate::frame::FrameHead;
use crate::limits::{FRAME_HEADER_BYTES_MAX, STRETCH_BYTES};
use crate::medium::{MediumError, ReadVolume};
use crate::ring::{HeadAt, Location, Ring};

/// The last stretch read.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    segment: u32,
    offset: u64,
    bytes: Vec<u8>,
    /// How long the next one becomes if it follows this one.
    next_bytes: usize,
}

impl Stretch {
    /// The header of the frame at a place, in a lap that ends at `end`.
    pub(super) fn head<V: ReadVolume>(
        &mut self,
        ring: &Ring<V>,
        at: Location,
        end: u64,
    ) -> Result<FrameHead, HeadAt> {
        let len = FRAME_HEADER_BYTES_MAX.min(to_usize(end.saturating_sub(at.offset)));
        match self.reach(ring, (at.segment, at.offset), len, end) {
            Some(bytes) => ring.parse_head(bytes, at.segment, at.offset),
            None => ring.head_at(at.segment, at.offset),
        }
    }

    /// The frame that a header describes, as far as it can be read.
    pub(super) fn frame<V: ReadVolume>(
        &mut self,
        ring: &Ring<V>,
        head: &FrameHead,
        end: u64,
    ) -> Result<Arc<Vec<u8>>, MediumError> {
        let at = (head.fixed.segment_no, head.fixed.self_offset);
        let len = head.fixed.frame_bytes as usize;
        let found = self.reach(ring, at, len, end);
        match found.and_then(|bytes| bytes.get(..len)) {
            Some(bytes) => Ok(Arc::new(bytes.to_vec())),
            None => ring.frame(head),
        }
    }

    /// At least `len` bytes from a place on. `None` where the medium fails anywhere in them, or further on in the
    /// stretch: then whoever asks reads what can be read, piece by piece.
    fn reach<V: ReadVolume>(
        &mut self,
        ring: &Ring<V>,
        at: (u32, u64),
        len: usize,
        end: u64,
    ) -> Option<&[u8]> {
        let (segment, offset) = at;
        let follows = self.segment == segment && self.position(offset).is_some();
        let held = self.position(offset).filter(|_| follows);
        let held = held.filter(|from| self.bytes.len().saturating_sub(*from) >= len);
        let from = match held {
            Some(from) => from,
            None => {
                // A lone frame costs no more than itself; each stretch that follows another is twice as long.
                let ahead = if follows { self.next_bytes } else { 0 };
                let wanted = ahead.max(len);
                let stretch = wanted.min(to_usize(end.saturating_sub(offset)));
                let read = ring.read(segment, offset, stretch);
                // Near a bad place they begin short again.
                let next = read.as_ref().map_or(0, |_| wanted.saturating_mul(2));
                (self.segment, self.offset) = (segment, offset);
                self.next_bytes = next.min(STRETCH_BYTES);
                self.bytes = read.unwrap_or_default();
                0
            }
        };
        self.bytes.get(from..).filter(|bytes| bytes.len() >= len)
    }

    /// Where in the stretch a place lies; right behind it counts too.
    fn position(&self, offset: u64) -> Option<usize> {
        let from = to_usize(offset.checked_sub(self.offset)?);
        (from <= self.bytes.len()).then_some(from)
    }
}
