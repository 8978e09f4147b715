//! Reading the ring place by place: headers, frames, and the search for the next sound frame.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use evidence::{Generation, LogId};

use crate::bytes::to_usize;
use crate::frame::{Expected, FrameHead, HeadFault};
use crate::layout::FRAME_MAGIC;
use crate::limits::{FRAME_HEADER_BYTES_MAX, HEADERS_KEPT, STRETCH_BYTES};
use crate::medium::{MediumError, MediumFault, ReadVolume, Shape};
use crate::segment::{SegmentFault, SegmentHead};

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Which lap: segments opened since the log began, from 1.
    pub lap: u64,
    /// The segment that holds it.
    pub segment: u32,
    /// Where in it, in bytes.
    pub offset: u64,
}

/// A volume seen as the ring of one log.
#[derive(Debug)]
pub(crate) struct Ring<V> {
    pub(crate) volume: V,
    pub(crate) shape: Shape,
    pub(crate) log_id: LogId,
    pub(crate) generation: Generation,
    /// By segment, the place that it is read from, if that is not its own; `None` where it lies nowhere.
    moves: BTreeMap<u32, Option<u32>>,
    scanned_bytes: Cell<u64>,
    /// The last stretch read for a frame header: small frames lie within it whole.
    last: RefCell<(u32, u64, Vec<u8>)>,
    /// Headers as last read, with what they said, each in the place of its number's remainder.
    heads: RefCell<[Option<KnownHead>; HEADERS_KEPT]>,
}

/// The bytes of a segment's header, and what they say there.
#[derive(Debug)]
struct KnownHead {
    segment: u32,
    bytes: Vec<u8>,
    head: Result<SegmentHead, SegmentFault>,
}

/// Where frames are looked for, and of which segment they must be.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    place: u32,
    segment: u32,
}

impl Lookup {
    const fn own(segment: u32) -> Self {
        Self {
            place: segment,
            segment,
        }
    }
}

/// Why a segment's header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentAt {
    Fault(SegmentFault),
    Medium(MediumError),
}

/// Why no frame header can be read at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadAt {
    Fault(HeadFault),
    Medium(MediumError),
}

impl<V: ReadVolume> Ring<V> {
    pub(crate) fn new(volume: V, log_id: LogId, generation: Generation) -> Self {
        let shape = volume.shape();
        Self {
            volume,
            shape,
            log_id,
            generation,
            moves: BTreeMap::new(),
            scanned_bytes: Cell::new(0),
            last: RefCell::default(),
            heads: RefCell::default(),
        }
    }

    /// The same ring for another reader, with nothing read yet.
    pub(crate) fn another(&self) -> Ring<&V> {
        let mut ring = Ring::new(&self.volume, self.log_id, self.generation);
        ring.moves.clone_from(&self.moves);
        ring
    }

    /// Segments are read from these places from now on.
    pub(crate) fn read_elsewhere(&mut self, moves: BTreeMap<u32, Option<u32>>) {
        self.moves = moves;
        self.last.take();
    }

    /// Bytes read so far.
    pub(crate) fn scanned_bytes(&self) -> u64 {
        self.scanned_bytes.get()
    }

    /// A place in the segment of a lap.
    pub(crate) fn location(&self, lap: u64, offset: u64) -> Location {
        Location {
            lap,
            segment: self.shape.segment_of(lap),
            offset,
        }
    }

    /// Where the first frame of a lap begins.
    pub(crate) fn lap_start(&self, lap: u64) -> Location {
        self.location(lap, self.shape.first_frame_offset())
    }

    /// Reads up to `len` bytes, fewer at the segment's end.
    pub(crate) fn read(
        &self,
        segment: u32,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, MediumError> {
        let left = to_usize(self.shape.segment_bytes.saturating_sub(offset));
        let mut bytes = vec![0; len.min(left)];
        if segment >= self.shape.segments || bytes.is_empty() {
            return Err(MediumError {
                fault: MediumFault::OutOfRange,
                segment,
                offset,
                os_error: None,
            });
        }
        let place = match self.moves.get(&segment) {
            None => segment,
            Some(Some(place)) => *place,
            Some(None) => {
                return Err(MediumError {
                    fault: MediumFault::Missing,
                    segment,
                    offset,
                    os_error: None,
                });
            }
        };
        self.volume.read(place, offset, &mut bytes)?;
        let scanned = self.scanned_bytes.get();
        self.scanned_bytes
            .set(scanned.saturating_add(bytes.len() as u64));
        Ok(bytes)
    }

    /// Reads up to `len` bytes, fewer where the medium fails or ends behind a whole block: what lies
    /// before a bad place is not lost with it.
    pub(crate) fn read_leading(
        &self,
        segment: u32,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, MediumError> {
        let error = match self.read(segment, offset, len) {
            Ok(bytes) => return Ok(bytes),
            Err(error) => error,
        };
        let block = to_usize(u64::from(self.shape.block_bytes.max(1)));
        let mut leading = Vec::new();
        while leading.len() < len {
            let at = offset.saturating_add(leading.len() as u64);
            let Ok(mut bytes) =
                self.read(segment, at, block.min(len.saturating_sub(leading.len())))
            else {
                break;
            };
            leading.append(&mut bytes);
        }
        match leading.is_empty() {
            true => Err(error),
            false => Ok(leading),
        }
    }

    /// The header of a segment, whatever lap it is of.
    pub(crate) fn segment_head(&self, segment: u32) -> Result<SegmentHead, SegmentAt> {
        let len = to_usize(self.shape.first_frame_offset());
        let bytes = self.read(segment, 0, len).map_err(SegmentAt::Medium)?;
        let mut heads = self.heads.borrow_mut();
        let known = heads.get_mut(segment as usize % HEADERS_KEPT);
        // The same bytes say the same: they are read each time, and checked when they are others.
        if let Some(Some(known)) = &known
            && known.segment == segment
            && known.bytes == bytes
        {
            return known.head.clone().map_err(SegmentAt::Fault);
        }
        let head = SegmentHead::parse(&bytes, self.log_id, self.generation, segment, &self.shape);
        if let Some(known) = known {
            known.replace(KnownHead {
                segment,
                bytes,
                head: head.clone(),
            });
        }
        head.map_err(SegmentAt::Fault)
    }

    /// Whether more is here than a log leaves that was just begun: the header of its first lap.
    pub(crate) fn is_used(&self) -> bool {
        if self.shape.objection().is_some() {
            return false;
        }
        let later = (0..self.shape.segments).any(|segment| match self.segment_head(segment) {
            Ok(head) => head.fixed.lap > 1,
            Err(SegmentAt::Fault(SegmentFault::Elsewhere { lap, .. })) => lap > 1,
            Err(SegmentAt::Fault(_) | SegmentAt::Medium(_)) => false,
        });
        let (first, end) = (self.lap_start(1), self.shape.segment_bytes);
        let frame = || self.search(first.segment, first.offset, end, &|_| true);
        later || frame().is_some()
    }

    /// The header of the frame at a place, whatever lap it is of.
    pub(crate) fn head_at(&self, segment: u32, offset: u64) -> Result<FrameHead, HeadAt> {
        self.head_for(Lookup::own(segment), offset)
    }

    fn head_for(&self, look: Lookup, offset: u64) -> Result<FrameHead, HeadAt> {
        let bytes = self
            .read_leading(look.place, offset, FRAME_HEADER_BYTES_MAX)
            .map_err(HeadAt::Medium)?;
        let head = self.parse_head(&bytes, look.segment, offset);
        self.last.replace((look.place, offset, bytes));
        head
    }

    /// The frame header that stands at a place, in bytes that were read from there.
    pub(crate) fn parse_head(
        &self,
        bytes: &[u8],
        segment: u32,
        offset: u64,
    ) -> Result<FrameHead, HeadAt> {
        FrameHead::parse(bytes, &self.expected(segment, offset)).map_err(HeadAt::Fault)
    }

    fn expected(&self, segment: u32, offset: u64) -> Expected {
        Expected {
            log_id: self.log_id,
            generation: self.generation,
            segment,
            offset,
        }
    }

    /// The frame that a header describes, as far as it can be read; the header has just been read.
    pub(crate) fn frame(&self, head: &FrameHead) -> Result<Arc<Vec<u8>>, MediumError> {
        let (segment, offset) = (head.fixed.segment_no, head.fixed.self_offset);
        let len = head.fixed.frame_bytes as usize;
        let last = self.last.take();
        if (last.0, last.1) == (segment, offset)
            && let Some(bytes) = last.2.get(..len)
        {
            return Ok(Arc::new(bytes.to_vec()));
        }
        self.read_leading(segment, offset, len).map(Arc::new)
    }

    /// The next frame header from `from` on, before `end`, that `accept` takes; block by block.
    pub(crate) fn search(
        &self,
        segment: u32,
        from: u64,
        end: u64,
        accept: &dyn Fn(&FrameHead) -> bool,
    ) -> Option<FrameHead> {
        self.search_for(Lookup::own(segment), from, end, accept)
    }

    /// The newest lap of the frames that lie in a place and were written for a segment, which may be another.
    pub(crate) fn newest_lap_for(&self, place: u32, segment: u32) -> Option<u64> {
        let newest = Cell::new(None);
        let note = |head: &FrameHead| {
            if self.shape.segment_of(head.fixed.lap) == segment {
                newest.set(newest.get().max(Some(head.fixed.lap)));
            }
            false
        };
        let (from, end) = (self.shape.first_frame_offset(), self.shape.segment_bytes);
        let _none = self.search_for(Lookup { place, segment }, from, end, &note);
        newest.get()
    }

    fn search_for(
        &self,
        look: Lookup,
        from: u64,
        end: u64,
        accept: &dyn Fn(&FrameHead) -> bool,
    ) -> Option<FrameHead> {
        let block = u64::from(self.shape.block_bytes.max(1));
        // Mostly the next frame stands at the first place: what is read grows with the way to it, in whole blocks.
        let (mut at, mut stretch) = (from, FRAME_HEADER_BYTES_MAX.max(to_usize(block)));
        while at < end {
            let len = stretch.min(to_usize(end.saturating_sub(at)));
            stretch = stretch.saturating_mul(2).min(STRETCH_BYTES);
            let Ok(bytes) = self.read(look.place, at, len) else {
                // Somewhere in this stretch the medium fails: go on block by block.
                let stretch_end = at.saturating_add(len as u64).min(end);
                if let Some(head) = self.search_blocks(look, at, stretch_end, accept) {
                    return Some(head);
                }
                at = stretch_end;
                continue;
            };
            for (index, chunk) in bytes.chunks(to_usize(block)).enumerate() {
                let offset = at.saturating_add(block.saturating_mul(index as u64));
                if chunk.starts_with(&FRAME_MAGIC)
                    && let Ok(head) = self.head_within(look, offset, at, &bytes)
                    && accept(&head)
                {
                    return Some(head);
                }
            }
            at = at.saturating_add(len as u64);
        }
        None
    }

    /// The frame header at a place, from the stretch that was read there if it cannot reach beyond it.
    fn head_within(
        &self,
        look: Lookup,
        offset: u64,
        at: u64,
        stretch: &[u8],
    ) -> Result<FrameHead, HeadAt> {
        let from = to_usize(offset.saturating_sub(at));
        let to = from.saturating_add(FRAME_HEADER_BYTES_MAX);
        match stretch.get(from..to) {
            Some(bytes) => self.parse_head(bytes, look.segment, offset),
            None => self.head_for(look, offset),
        }
    }

    fn search_blocks(
        &self,
        look: Lookup,
        from: u64,
        end: u64,
        accept: &dyn Fn(&FrameHead) -> bool,
    ) -> Option<FrameHead> {
        let block = u64::from(self.shape.block_bytes.max(1));
        (0..)
            .map(|index: u64| from.saturating_add(block.saturating_mul(index)))
            .take_while(|at| *at < end)
            .find_map(|at| self.head_for(look, at).ok().filter(|head| accept(head)))
    }
}
