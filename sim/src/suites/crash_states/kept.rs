//! The keep-ring beside a log: what passes by before a segment is reused, as a recorder does it.

use evidence::CommitId;
use journal::Shape;
use journal::keep::{KeepRing, Store, Stretch};
use journal::limits::KEEP_ATTEMPTS_MAX;

use super::actor::DeviceJournal;
use crate::media::{Device, DeviceKeep, Target};

/// Small segments: the ring goes round within a few operations.
pub(super) const KEEP_SHAPE: Shape = Shape {
    segment_bytes: 8_192,
    segments: 3,
    block_bytes: 512,
};
/// Bytes of pieces after which a stretch becomes a frame.
const STRETCH_BYTES: usize = 1_500;

pub(super) type DeviceKeepRing = KeepRing<DeviceKeep>;

/// A stretch that was acknowledged as kept, and the segment of the keep-ring that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptStretch {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) segment: u32,
}

/// What a step of carrying did.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carried {
    /// Command number `.0` wrote over what a segment held of an earlier lap.
    Turned(usize, u32),
    /// A stretch is durable, as of command number `.1`.
    Kept(KeptStretch, usize),
    /// Every attempt was refused: entries below have passed by, and nobody has kept them.
    PassedOver,
}

/// The keep-ring on a device.
pub(super) fn ring(device: &Device, journal: &DeviceJournal) -> DeviceKeepRing {
    KeepRing::open(
        device.keep(),
        journal.log_id(),
        journal.generation(),
        Store::Soe,
    )
}

/// Whether an entry is kept: of three, two.
pub(super) const fn keeps(id: u64) -> bool {
    id % 3 != 2
}

/// Lets entries below `to` pass by that have not; what happened, in order. A keep-ring that fails
/// keeps nobody waiting.
pub(super) fn carry(
    device: &Device,
    journal: &DeviceJournal,
    ring: &mut DeviceKeepRing,
    to: u64,
) -> Result<Vec<Carried>, String> {
    let mut done = Vec::new();
    let reader = journal.reader().map_err(|error| error.to_string())?;
    let begin = ring.end().unwrap_or(0).max(reader.oldest().0);
    if begin >= to {
        return Ok(done);
    }
    let tree = reader
        .frontier_at(begin)
        .map_err(|error| error.to_string())?;
    let mut stretch = Stretch::behind(tree);
    for item in reader.entries(CommitId(begin)) {
        let entry = item.map_err(|finding| finding.to_string())?;
        let id = entry.commit_id.0;
        if id >= to {
            break;
        }
        stretch.push(entry, keeps(id));
        if stretch.bytes() >= STRETCH_BYTES {
            append(device, ring, &stretch, &mut done);
            stretch = Stretch::behind(stretch.after().clone());
        }
    }
    append(device, ring, &stretch, &mut done);
    Ok(done)
}

fn append(device: &Device, ring: &mut DeviceKeepRing, stretch: &Stretch, done: &mut Vec<Carried>) {
    if stretch.is_empty() {
        return;
    }
    let before = device.commands();
    let written = ring.append(stretch);
    let mut segment = 0;
    for (number, (target, place)) in (before..).zip(device.targets(before)) {
        let Target::Keep(into) = target else { continue };
        segment = into;
        if place == device.map().keep(into, 0) {
            done.push(Carried::Turned(number, into));
        }
    }
    done.push(match written {
        Ok(()) => {
            let kept = KeptStretch {
                begin: stretch.begin(),
                end: stretch.end(),
                segment,
            };
            Carried::Kept(kept, device.commands())
        }
        Err(_) => Carried::PassedOver,
    });
}

/// Commands that must fail before a stretch is passed over.
pub(super) const fn attempts() -> usize {
    KEEP_ATTEMPTS_MAX as usize
}
