//! What happens to a medium: edits of its bytes, and whether a stretch of it is still what it was.

use std::fmt;
use std::ops::Range;

use super::golden::{Golden, SHAPE};
use crate::disk::{Image, SECTOR_BYTES, SimDisk};

/// A part of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// A segment of the ring.
    Segment(usize),
    /// Truth slots and lease tables.
    Truth,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// These bits are turned.
    Flip(Area, usize, u8),
    /// These bytes stand there now.
    Put(Area, usize, Vec<u8>),
    /// The segment ends here.
    Cut(usize, usize),
    /// The segment is not there.
    Missing(usize),
    /// This sector of a segment cannot be read.
    Unreadable(usize, usize),
}

/// Everything that happened, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage(pub Vec<Edit>);

/// A damaged device, and where it may differ from the golden one.
#[derive(Clone, Debug)]
pub(super) struct Damaged {
    pub(super) image: Image,
    unreadable: Vec<(usize, usize)>,
    touched: Vec<(Area, Range<usize>)>,
}

impl Area {
    pub(super) fn bytes(self, image: &Image) -> &[u8] {
        match self {
            Self::Segment(segment) => &image.segments[segment],
            Self::Truth => &image.truth,
        }
    }

    fn bytes_mut(self, image: &mut Image) -> &mut Vec<u8> {
        match self {
            Self::Segment(segment) => &mut image.segments[segment],
            Self::Truth => &mut image.truth,
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(segment) => write!(f, "segment {segment}"),
            Self::Truth => write!(f, "truth store"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, edit) in self.0.iter().enumerate() {
            if n > 0 {
                write!(f, ", then ")?;
            }
            match edit {
                Edit::Flip(area, at, mask) => write!(f, "{area} byte {at} ^ {mask:#04x}")?,
                Edit::Put(area, at, bytes) => {
                    write!(f, "{area} bytes {at} to {} replaced", at + bytes.len())?;
                }
                Edit::Cut(segment, len) => write!(f, "segment {segment} ends at {len}")?,
                Edit::Missing(segment) => write!(f, "segment {segment} missing")?,
                Edit::Unreadable(segment, at) => {
                    write!(f, "segment {segment} sector at {at} unreadable")?;
                }
            }
        }
        Ok(())
    }
}

impl Damage {
    /// Bytes that are all the same.
    pub(super) fn fill(area: Area, bytes: Range<usize>, value: u8) -> Self {
        Self(vec![Edit::Put(area, bytes.start, vec![value; bytes.len()])])
    }

    pub(super) fn apply(&self, golden: &Golden) -> Damaged {
        let mut damaged = Damaged {
            image: golden.image.clone(),
            unreadable: Vec::new(),
            touched: Vec::new(),
        };
        for edit in &self.0 {
            damaged.suffer(edit);
        }
        damaged
    }
}

impl Damaged {
    fn suffer(&mut self, edit: &Edit) {
        let whole = usize::try_from(SHAPE.segment_bytes).unwrap_or(usize::MAX);
        let (area, range) = match edit {
            Edit::Flip(area, at, mask) => {
                // Behind an earlier cut there is nothing to turn.
                if let Some(byte) = area.bytes_mut(&mut self.image).get_mut(*at) {
                    *byte ^= mask;
                }
                (*area, *at..*at + 1)
            }
            Edit::Put(area, at, bytes) => {
                let room = area
                    .bytes_mut(&mut self.image)
                    .get_mut(*at..*at + bytes.len());
                if let Some(room) = room {
                    room.copy_from_slice(bytes);
                }
                (*area, *at..*at + bytes.len())
            }
            Edit::Cut(segment, len) => {
                self.image.segments[*segment].truncate(*len);
                (Area::Segment(*segment), *len..whole)
            }
            Edit::Missing(segment) => {
                self.image.segments[*segment].clear();
                (Area::Segment(*segment), 0..whole)
            }
            Edit::Unreadable(segment, at) => {
                self.unreadable.push((*segment, *at));
                (Area::Segment(*segment), *at..*at + SECTOR_BYTES)
            }
        };
        self.touched.push((area, range));
    }

    /// The device to read.
    pub(super) fn disk(&self, golden: &Golden) -> SimDisk {
        let disk = SimDisk::with_image(SHAPE, golden.class, self.image.clone());
        for (segment, at) in &self.unreadable {
            let segment = u32::try_from(*segment).unwrap_or(u32::MAX);
            disk.spoil_sector(segment, *at as u64);
        }
        disk
    }

    /// Whether writes to it must work.
    pub(super) fn takes_writes(&self) -> bool {
        let whole = |bytes: &Vec<u8>| bytes.len() as u64 == SHAPE.segment_bytes;
        self.image.segments.iter().all(whole)
    }

    /// Whether any segment is there at all.
    pub(super) fn has_ring(&self) -> bool {
        self.image.segments.iter().any(|bytes| !bytes.is_empty())
    }

    /// Whether a stretch can no longer be read as it was.
    pub(super) fn changed(&self, golden: &Golden, area: Area, range: &Range<usize>) -> bool {
        let meets = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        if !self
            .touched
            .iter()
            .any(|(touched, bytes)| *touched == area && meets(bytes))
        {
            return false;
        }
        let unreadable = self.unreadable.iter().any(|(segment, at)| {
            Area::Segment(*segment) == area && meets(&(*at..*at + SECTOR_BYTES))
        });
        let now = area.bytes(&self.image).get(range.clone());
        unreadable || now != area.bytes(&golden.image).get(range.clone())
    }
}
