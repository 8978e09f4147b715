//! A device's bytes part by part: taken, put back, and changed behind everybody's back.

use evidence::reasons::TruthClass;
use journal::Shape;

use super::{Device, Map, Target};

/// Everything on the media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The ring's segments; a short one ends early, an empty one is missing.
    pub segments: Vec<Vec<u8>>,
    /// Truth slots, copy by copy, then the lease tables.
    pub truth: Vec<u8>,
}

impl Device {
    /// A device that holds an image.
    #[must_use]
    pub fn with_image(shape: Shape, class: TruthClass, image: &Image) -> Self {
        let map = Map::new(shape);
        let mut bytes = vec![0; map.bytes()];
        let parts = (0..).zip(&image.segments);
        let segments = parts.map(|(segment, part)| (map.segment(segment, 0), part));
        for (at, part) in segments.chain([(map.truth(), &image.truth)]) {
            let room = bytes.get_mut(at..at + part.len());
            room.map_or_else(
                || unreachable!("an image has the measures of its device"),
                |room| room.copy_from_slice(part),
            );
        }
        let device = Self::holding(shape, class, bytes);
        for (segment, part) in (0..).zip(&image.segments) {
            device.cut(Target::Segment(segment), part.len());
        }
        device
    }

    /// What readers see, the cache included.
    #[must_use]
    pub fn image(&self) -> Image {
        let shape = self.map.shape();
        let whole = usize::try_from(shape.segment_bytes).unwrap_or(usize::MAX);
        let bytes = self.seen();
        let part = |at: usize, len: usize| bytes.get(at..at + len).unwrap_or_default().to_vec();
        Image {
            segments: (0..shape.segments)
                .map(|segment| {
                    let len = self.bytes_there(Target::Segment(segment)).min(whole);
                    part(self.map.segment(segment, 0), len)
                })
                .collect(),
            truth: part(self.map.truth(), self.map.keep(0, 0) - self.map.truth()),
        }
    }

    /// Changes the media behind everybody's back; what the cache held is written before.
    pub fn change(&self, change: impl FnOnce(&mut Image)) {
        let mut image = self.image();
        change(&mut image);
        self.set_unflushed(Vec::new());
        for (segment, part) in (0..).zip(&image.segments) {
            self.cut(Target::Segment(segment), part.len());
            let at = self.map.segment(segment, 0);
            self.platter(|platter| platter.write(at, part));
        }
        self.platter(|platter| platter.write(self.map.truth(), &image.truth));
    }
}
