//! Frames read before the walk comes to them, by whoever has the hands for it; what is made of them stays the walk's.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::frame::{FrameHead, Proven, StoredEntry};
use crate::medium::ReadVolume;
use crate::ring::{Location, Ring};

/// Who reads frames ahead of a walk.
pub trait ReadAhead {
    /// The frame at a place, if it was read; the walk reads it itself otherwise. Each is asked for once, in
    /// the order of the log.
    fn frame(&self, at: Location) -> Option<ReadFrame>;
}

/// The same, where a walk holds it.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'r>(pub(crate) &'r dyn ReadAhead);

impl fmt::Debug for Ahead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ahead(..)")
    }
}

/// A frame as it was read: what its bytes prove, and nothing of its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFrame {
    pub(crate) head: FrameHead,
    pub(crate) proven: Option<Proven>,
    /// Whether the check over payload and padding holds.
    pub(crate) holds: bool,
}

impl ReadFrame {
    /// What the bytes of a frame say under its header.
    pub(crate) fn of(bytes: &Arc<Vec<u8>>, head: FrameHead) -> Self {
        Self {
            proven: head.proven(bytes),
            holds: head.payload_holds(bytes),
            head,
        }
    }

    /// Its entries, where they lead to its root.
    #[must_use]
    pub fn entries(&self) -> &[StoredEntry] {
        let proven = self.proven.as_ref();
        proven.map_or(&[], |proven| &proven.entries)
    }
}

/// A frame whose header can be read.
#[derive(Clone, Debug)]
pub struct FrameAt(FrameHead);

impl FrameAt {
    /// Where it lies.
    #[must_use]
    pub fn location(&self) -> Location {
        Location {
            lap: self.0.fixed.lap,
            segment: self.0.fixed.segment_no,
            offset: self.0.fixed.self_offset,
        }
    }

    /// The place behind it.
    #[must_use]
    pub fn behind(&self) -> Location {
        let at = self.location();
        Location {
            offset: at.offset.saturating_add(self.0.frame_bytes()),
            ..at
        }
    }
}

/// Reads frames by their place alone. It knows nothing of what is committed: for [`ReadAhead`], not for
/// readers of the log.
#[derive(Debug)]
pub struct FrameReader<V> {
    ring: Ring<V>,
}

impl<V: ReadVolume> FrameReader<V> {
    pub(crate) fn new(ring: Ring<V>) -> Self {
        Self { ring }
    }

    /// The frame at a place or, where its lap has none there, the first of the next lap.
    pub fn find(&self, at: Location) -> Option<FrameAt> {
        self.look(at)
            .or_else(|| self.look(self.ring.lap_start(at.lap.checked_add(1)?)))
    }

    fn look(&self, at: Location) -> Option<FrameAt> {
        if at.offset >= self.ring.shape.segment_bytes {
            return None;
        }
        let head = self.ring.head_at(at.segment, at.offset).ok()?;
        (head.fixed.lap == at.lap).then_some(FrameAt(head))
    }

    /// Reads a frame whole and proves its entries: most of the work of a walk.
    #[must_use]
    pub fn read(&self, frame: FrameAt) -> ReadFrame {
        let bytes = self.ring.frame(&frame.0).unwrap_or_default();
        ReadFrame::of(&bytes, frame.0)
    }
}
