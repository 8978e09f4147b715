//! What happens to a medium: edits of its bytes, and whether a stretch of it is still what it was.

use std::fmt;
use std::ops::Range;

use super::golden::{Golden, SHAPE};
use crate::media::{Device, Image, Mark, Platter, SECTOR_BYTES};

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

/// A device that holds a golden image and is damaged in one way after the other.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) device: Device,
    whole: Mark,
}

/// A damaged device, and where it may differ from the golden one.
#[derive(Debug)]
pub(super) struct Damaged<'a> {
    pub(super) device: &'a Device,
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

    /// Where it begins on the device.
    fn begins(self, device: &Device) -> usize {
        match self {
            Self::Segment(segment) => device.map().segment(number(segment), 0),
            Self::Truth => device.map().truth(),
        }
    }

    /// A stretch of it, unless it ends before.
    fn there(self, device: &Device, range: &Range<usize>) -> Option<Range<usize>> {
        if let Self::Segment(segment) = self
            && range.end > device.segment_bytes(number(segment))
        {
            return None;
        }
        let at = self.begins(device);
        Some(at + range.start..at + range.end)
    }
}

/// A segment's number as the engine has it.
fn number(segment: usize) -> u32 {
    u32::try_from(segment).unwrap_or(u32::MAX)
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

    /// Does it to a whole device.
    pub(super) fn apply<'a>(&self, bench: &'a Bench) -> Damaged<'a> {
        let mut damaged = Damaged {
            device: &bench.device,
            unreadable: Vec::new(),
            touched: Vec::new(),
        };
        for edit in &self.0 {
            damaged.suffer(edit);
        }
        damaged
    }
}

impl Bench {
    pub(super) fn new(golden: &Golden) -> Self {
        let device = Device::with_image(SHAPE, golden.class, &golden.image);
        let whole = device.platter(|platter| platter.mark());
        Self { device, whole }
    }

    /// Undoes the damage, and whatever was written since.
    pub(super) fn restore(&self) {
        self.device.heal();
        self.device.platter(|platter| platter.rewind(self.whole));
    }
}

impl Damaged<'_> {
    fn suffer(&mut self, edit: &Edit) {
        let whole = usize::try_from(SHAPE.segment_bytes).unwrap_or(usize::MAX);
        let device = self.device;
        let (area, range) = match edit {
            Edit::Flip(area, at, mask) => {
                // Behind an earlier cut there is nothing to turn.
                if let Some(place) = area.there(device, &(*at..*at + 1)) {
                    device.rot(place.start, *mask);
                }
                (*area, *at..*at + 1)
            }
            Edit::Put(area, at, bytes) => {
                let range = *at..*at + bytes.len();
                if let Some(place) = area.there(device, &range) {
                    device.platter(|platter| platter.write(place.start, bytes));
                }
                (*area, range)
            }
            Edit::Cut(segment, len) => {
                let number = number(*segment);
                device.cut_segment(number, device.segment_bytes(number).min(*len));
                (Area::Segment(*segment), *len..whole)
            }
            Edit::Missing(segment) => {
                device.cut_segment(number(*segment), 0);
                (Area::Segment(*segment), 0..whole)
            }
            Edit::Unreadable(segment, at) => {
                self.unreadable.push((*segment, *at));
                device.wear_out(Area::Segment(*segment).begins(device) + at);
                (Area::Segment(*segment), *at..*at + SECTOR_BYTES)
            }
        };
        self.touched.push((area, range));
    }

    /// Whether writes to it must work.
    pub(super) fn takes_writes(&self) -> bool {
        (0..SHAPE.segments)
            .all(|segment| self.device.segment_bytes(segment) as u64 == SHAPE.segment_bytes)
    }

    /// Whether any segment is there at all.
    pub(super) fn has_ring(&self) -> bool {
        (0..SHAPE.segments).any(|segment| self.device.segment_bytes(segment) > 0)
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
        unreadable || !self.holds(area, range, &area.bytes(&golden.image)[range.clone()])
    }

    /// Whether a stretch has these bytes.
    pub(super) fn holds(&self, area: Area, range: &Range<usize>, bytes: &[u8]) -> bool {
        area.there(self.device, range).is_some_and(|place| {
            let same = |platter: &mut Platter| platter.get(place.start, place.len()) == Some(bytes);
            self.device.platter(same)
        })
    }
}
