//! Segments of a log that lie in the place of another: files that were exchanged, moved or copied.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::medium::ReadVolume;
use crate::ring::Ring;

/// A segment of the log in the place of another: files were exchanged or copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The place in which it lies.
    pub lies: u32,
    /// The segment that its header names.
    pub belongs: u32,
    /// Whether it is read as that segment: nothing as new lies in that segment's own place.
    pub read: bool,
}

/// A sound header that names another segment than the one in whose place it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misplaced {
    pub(crate) lies: u32,
    pub(crate) belongs: u32,
    pub(crate) lap: u64,
}

/// Of such headers, those whose segment lies there with them. A header alone is a write that went astray: the
/// frames behind it are of their own place, and are read there.
pub(crate) fn displaced<V: ReadVolume>(ring: &Ring<V>, headers: &[Misplaced]) -> Vec<Displaced> {
    let moved = headers.iter().filter(|one| {
        ring.shape.segment_of(one.lap) == one.belongs
            && ring.newest_lap_for(one.lies, one.belongs).is_some()
            && ring.newest_lap_for(one.lies, one.lies).is_none()
    });
    let moved: Vec<&Misplaced> = moved.collect();
    // Of two for one place the newer is read.
    let mut newest: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    for one in &moved {
        let best = newest.entry(one.belongs).or_insert((one.lap, one.lies));
        *best = (*best).max((one.lap, one.lies));
    }
    let read = |one: &Misplaced| {
        newest
            .get(&one.belongs)
            .is_some_and(|best| best.1 == one.lies)
            && held(ring, one.belongs).is_none_or(|held| held < one.lap)
    };
    let all = moved.into_iter().map(|one| Displaced {
        lies: one.lies,
        belongs: one.belongs,
        read: read(one),
    });
    all.collect()
}

/// The newest lap of which a segment's own place holds anything.
fn held<V: ReadVolume>(ring: &Ring<V>, segment: u32) -> Option<u64> {
    let header = ring.segment_head(segment).ok().map(|head| head.fixed.lap);
    header.max(ring.newest_lap_for(segment, segment))
}

/// Where the segments are read whose place is another's, and which places are then nobody's.
pub(crate) fn moves(displaced: &[Displaced]) -> BTreeMap<u32, Option<u32>> {
    let read = || displaced.iter().filter(|one| one.read);
    let mut moves: BTreeMap<u32, Option<u32>> = read().map(|one| (one.lies, None)).collect();
    moves.extend(read().map(|one| (one.belongs, Some(one.lies))));
    moves
}
