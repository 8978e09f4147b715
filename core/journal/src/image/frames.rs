//! The frames of a segment as they lie: of this lap, left from an earlier one, torn or damaged.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Header, Identity, State};
use crate::bytes::{is_blank, to_usize};
use crate::frame::{FrameHead, HeadFault, StoredEntry};
use crate::layout::{FRAME_MAGIC, FrameFixed};
use crate::limits::{FRAME_BYTES_MAX, FRAME_HEADER_BYTES_MAX, STRETCH_BYTES};
use crate::medium::ReadVolume;
use crate::ring::{HeadAt, Ring};

/// What the entries of a frame are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// All checks hold.
    Sound,
    /// A CRC fails, yet the entries lead to the frame's root: none is lost.
    Proven,
    /// They do not lead to its root.
    Damaged,
}

impl Payload {
    /// One word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Proven => "proven",
            Self::Damaged => "damaged",
        }
    }
}

/// A frame, or a place where one began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameLook {
    /// Where it begins in its segment.
    pub offset: u64,
    /// Its header.
    pub header: Header,
    /// What its entries are worth; nothing is known of them without a sound header.
    pub payload: Option<Payload>,
}

impl FrameLook {
    /// Whether the place begins as every frame does.
    #[must_use]
    pub fn begins_as_frame(&self) -> bool {
        let magic = self.header.fields.first();
        magic.is_some_and(|field| field.bytes == FRAME_MAGIC)
    }
}

/// All places of a segment where a frame begins, should begin or once began, in their order.
pub fn frames<V: ReadVolume>(volume: &V, identity: Identity, segment: u32) -> Vec<FrameLook> {
    let ring = Ring::new(volume, identity.log_id, identity.generation);
    let block = u64::from(ring.shape.block_bytes.max(1));
    let mut looks = Vec::new();
    let mut at = ring.shape.first_frame_offset();
    // Whether a frame has to begin at this place.
    let mut due = true;
    while at < ring.shape.segment_bytes {
        let found = match due {
            true if is_written(&ring, segment, at) => at,
            _ => match next_magic(&ring, segment, at) {
                Some(found) => found,
                None => {
                    at = at.saturating_add(STRETCH_BYTES as u64);
                    due = false;
                    continue;
                }
            },
        };
        let (look, _) = look(&ring, segment, found);
        // Behind a whole frame the next one begins; anything else may hide one in any block.
        due = look
            .payload
            .is_some_and(|payload| payload != Payload::Damaged);
        let bytes = look.header.number("frame_bytes").filter(|_| due);
        at = found.saturating_add(bytes.unwrap_or(block).max(block));
        looks.push(look);
    }
    looks
}

/// Whether anything but zeros stands where a header would.
fn is_written<V: ReadVolume>(ring: &Ring<V>, segment: u32, at: u64) -> bool {
    let len = ring.shape.block_bytes as usize;
    let bytes = ring.read(segment, at, len);
    bytes.map_or(true, |bytes| bytes.iter().any(|byte| *byte != 0))
}

/// The first block from `at` on, within one stretch, that begins as a frame does.
fn next_magic<V: ReadVolume>(ring: &Ring<V>, segment: u32, at: u64) -> Option<u64> {
    let block = u64::from(ring.shape.block_bytes.max(1));
    let starts = |bytes: &[u8]| {
        bytes
            .chunks(to_usize(block))
            .position(|chunk| chunk.starts_with(&FRAME_MAGIC))
            .map(|index| at.saturating_add(block.saturating_mul(index as u64)))
    };
    match ring.read(segment, at, STRETCH_BYTES) {
        Ok(bytes) => starts(&bytes),
        // Somewhere in this stretch the medium fails: block by block.
        Err(_) => (0..)
            .map(|index: u64| at.saturating_add(block.saturating_mul(index)))
            .take_while(|place| *place < at.saturating_add(STRETCH_BYTES as u64))
            .find(|place| {
                let bytes = ring.read(segment, *place, FRAME_MAGIC.len());
                bytes.is_ok_and(|bytes| bytes == FRAME_MAGIC)
            }),
    }
}

/// The frame at a place, and its entries where they are proven.
pub fn frame<V: ReadVolume>(
    volume: &V,
    identity: Identity,
    segment: u32,
    offset: u64,
) -> (FrameLook, Vec<StoredEntry>) {
    let ring = Ring::new(volume, identity.log_id, identity.generation);
    look(&ring, segment, offset)
}

fn look<V: ReadVolume>(ring: &Ring<V>, segment: u32, offset: u64) -> (FrameLook, Vec<StoredEntry>) {
    let bytes = ring.read(segment, offset, FRAME_HEADER_BYTES_MAX);
    let (state, head) = match ring.head_at(segment, offset) {
        Ok(head) => (State::Sound, Some(head)),
        Err(HeadAt::Medium(error)) => (State::Unreadable(error), None),
        Err(HeadAt::Fault(fault)) => (fault_state(fault, bytes.as_deref(), ring), None),
    };
    let (payload, entries) = match head {
        None => (None, Vec::new()),
        Some(head) => payload(ring, &head),
    };
    let header = Header::new(state, FrameFixed::FIELDS, &bytes.unwrap_or_default());
    let look = FrameLook {
        offset,
        header,
        payload,
    };
    (look, entries)
}

fn fault_state<V, E>(fault: HeadFault, bytes: Result<&[u8], E>, ring: &Ring<V>) -> State {
    let Ok(bytes) = bytes else {
        return State::Damaged;
    };
    let own = FrameFixed::read(&mut &*bytes)
        .is_some_and(|fixed| fixed.log_id == ring.log_id && fixed.generation == ring.generation);
    match fault {
        HeadFault::Elsewhere if own => State::Elsewhere,
        HeadFault::Elsewhere => State::Foreign,
        HeadFault::Damaged if is_blank(bytes) => State::Blank,
        HeadFault::Damaged => State::Damaged,
    }
}

fn payload<V: ReadVolume>(ring: &Ring<V>, head: &FrameHead) -> (Option<Payload>, Vec<StoredEntry>) {
    let len = (head.fixed.frame_bytes as usize).min(FRAME_BYTES_MAX);
    let place = (head.fixed.segment_no, head.fixed.self_offset);
    let bytes = Arc::new(ring.read(place.0, place.1, len).unwrap_or_default());
    match head.proven(&bytes) {
        Some(proven) if head.payload_holds(&bytes) => (Some(Payload::Sound), proven.entries),
        Some(proven) => (Some(Payload::Proven), proven.entries),
        None => (Some(Payload::Damaged), Vec::new()),
    }
}
