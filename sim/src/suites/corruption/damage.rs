//! What happens to a medium: edits of its bytes, and whether a stretch of it is still what it was.

use std::fmt;
use std::ops::Range;

use super::golden::{Golden, SHAPE};
use super::kept::KEEP_SHAPE;
use crate::media::{Device, Map, Mark, Platter, SECTOR_BYTES, Target};

/// A part of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// A segment of the ring.
    Segment(usize),
    /// Truth slots and lease tables.
    Truth,
    /// A segment of the keep-ring.
    Keep(usize),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// These bits are turned.
    Flip(Area, usize, u8),
    /// These bytes stand there now.
    Put(Area, usize, Vec<u8>),
    /// The segment ends here.
    Cut(Area, usize),
    /// The segment is not there.
    Missing(usize),
    /// This sector of a segment cannot be read.
    Unreadable(Area, usize),
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
    unreadable: Vec<(Area, usize)>,
    touched: Vec<(Area, Range<usize>)>,
}

impl Area {
    pub(super) fn bytes(self, golden: &Golden) -> &[u8] {
        match self {
            Self::Segment(segment) => &golden.image.segments[segment],
            Self::Truth => &golden.image.truth,
            Self::Keep(segment) => golden
                .keep
                .as_ref()
                .map_or(&[], |keep| &keep.segments[segment]),
        }
    }

    /// Where it lies on the device, as far as it is there.
    fn place(self, device: &Device) -> Range<usize> {
        let target = match self {
            Self::Segment(segment) => Target::Segment(number(segment)),
            Self::Keep(segment) => Target::Keep(number(segment)),
            Self::Truth => return device.map().truth()..device.map().keep(0, 0),
        };
        let begin = device.map().place(target).start;
        begin..begin + device.bytes_there(target)
    }

    /// A stretch of it, unless it ends before.
    fn there(self, device: &Device, range: &Range<usize>) -> Option<Range<usize>> {
        let place = self.place(device);
        (range.end <= place.len()).then(|| place.start + range.start..place.start + range.end)
    }

    /// Ends it here, if it does not end before.
    fn cut(self, device: &Device, bytes: usize) {
        let bytes = self.place(device).len().min(bytes);
        match self {
            Self::Segment(segment) => device.cut(Target::Segment(number(segment)), bytes),
            Self::Keep(segment) => device.cut(Target::Keep(number(segment)), bytes),
            Self::Truth => {}
        }
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
            Self::Keep(segment) => write!(f, "keep-ring segment {segment}"),
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
                Edit::Cut(area, len) => write!(f, "{area} ends at {len}")?,
                Edit::Missing(segment) => write!(f, "segment {segment} missing")?,
                Edit::Unreadable(area, at) => write!(f, "{area} sector at {at} unreadable")?,
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
        let map = Map::new(SHAPE);
        let (map, keep) = match &golden.keep {
            Some(keep) => (map.with_keep(KEEP_SHAPE), keep.segments.concat()),
            None => (map, Vec::new()),
        };
        let parts = golden
            .image
            .segments
            .iter()
            .chain([&golden.image.truth, &keep]);
        let bytes: Vec<u8> = parts.flatten().copied().collect();
        let device = Device::mapped(map, golden.class, bytes);
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
            Edit::Cut(area, len) => {
                area.cut(device, *len);
                (*area, *len..whole)
            }
            Edit::Missing(segment) => {
                Area::Segment(*segment).cut(device, 0);
                (Area::Segment(*segment), 0..whole)
            }
            Edit::Unreadable(area, at) => {
                self.unreadable.push((*area, *at));
                device.wear_out(area.place(device).start + at);
                (*area, *at..*at + SECTOR_BYTES)
            }
        };
        self.touched.push((area, range));
    }

    /// Whether writes to it must work.
    pub(super) fn takes_writes(&self) -> bool {
        self.lens().all(|len| len as u64 == SHAPE.segment_bytes)
    }

    /// Whether any segment is there at all.
    pub(super) fn has_ring(&self) -> bool {
        self.lens().any(|len| len > 0)
    }

    /// Bytes of each segment that are there.
    fn lens(&self) -> impl Iterator<Item = usize> {
        (0..SHAPE.segments).map(|segment| self.device.bytes_there(Target::Segment(segment)))
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
        let bad = self.unreadable.iter();
        let mut bad = bad.filter(|(other, _)| *other == area);
        let unreadable = bad.any(|(_, at)| meets(&(*at..*at + SECTOR_BYTES)));
        unreadable || !self.holds(area, range, &area.bytes(golden)[range.clone()])
    }

    /// Whether a stretch has these bytes.
    pub(super) fn holds(&self, area: Area, range: &Range<usize>, bytes: &[u8]) -> bool {
        area.there(self.device, range).is_some_and(|place| {
            let same = |platter: &mut Platter| platter.get(place.start, place.len()) == Some(bytes);
            self.device.platter(same)
        })
    }
}
