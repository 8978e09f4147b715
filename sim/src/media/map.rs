//! Where the ring's segments, the truth slots and the lease tables lie on a device.

use std::ops::Range;

use journal::Shape;
use journal::limits::{TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};

use super::Target;

/// Where a copy of a truth slot begins in the truth store.
#[must_use]
pub const fn slot_at(slot: u32, copy: u32) -> usize {
    (slot * TRUTH_COPIES + copy) as usize * TRUTH_SLOT_BYTES
}

/// Where a copy of the lease table begins in the truth store.
#[must_use]
pub const fn table_at(copy: u32) -> usize {
    slot_at(TRUTH_SLOTS, 0) + copy as usize * TABLE_BYTES
}

/// Places on a device: first the segments, then slot by slot the copies, then the lease tables, then the
/// segments of a keep-ring.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    shape: Shape,
    keep: Option<Shape>,
}

impl Map {
    /// The places for a ring of this shape.
    #[must_use]
    pub const fn new(shape: Shape) -> Self {
        Self { shape, keep: None }
    }

    /// The same with a keep-ring.
    #[must_use]
    pub const fn with_keep(self, keep: Shape) -> Self {
        Self {
            keep: Some(keep),
            ..self
        }
    }

    /// The ring's measures.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// A place in a segment.
    #[must_use]
    pub fn segment(&self, segment: u32, offset: u64) -> usize {
        let at = u64::from(segment)
            .saturating_mul(self.shape.segment_bytes)
            .saturating_add(offset);
        usize::try_from(at).unwrap_or(usize::MAX)
    }

    /// Where the truth store begins.
    #[must_use]
    pub fn truth(&self) -> usize {
        self.segment(self.shape.segments, 0)
    }

    /// Where a copy of a truth slot begins; the truth store is all that lies behind slot 0.
    #[must_use]
    pub fn slot(&self, slot: u32, copy: u32) -> usize {
        self.truth() + slot_at(slot, copy)
    }

    /// Where a copy of the lease table begins.
    #[must_use]
    pub fn table(&self, copy: u32) -> usize {
        self.truth() + table_at(copy)
    }

    /// The keep-ring's measures; without one it has no segments.
    #[must_use]
    pub fn keep_shape(&self) -> Shape {
        self.keep.unwrap_or(Shape {
            segments: 0,
            ..self.shape
        })
    }

    /// A place in a segment of the keep-ring.
    #[must_use]
    pub fn keep(&self, segment: u32, offset: u64) -> usize {
        let before = u64::from(segment).saturating_mul(self.keep_shape().segment_bytes);
        let at = usize::try_from(before.saturating_add(offset)).unwrap_or(usize::MAX);
        self.table(TABLE_COPIES).saturating_add(at)
    }

    /// Where all of a target lies.
    #[must_use]
    pub fn place(&self, target: Target) -> Range<usize> {
        match target {
            Target::Segment(n) => self.segment(n, 0)..self.segment(n + 1, 0),
            Target::TruthSlot(n) => self.slot(n, 0)..self.slot(n + 1, 0),
            Target::Table(n) => self.table(n)..self.table(n + 1),
            Target::Keep(n) => self.keep(n, 0)..self.keep(n + 1, 0),
        }
    }

    /// Bytes of it all.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.keep(self.keep_shape().segments, 0)
    }
}
