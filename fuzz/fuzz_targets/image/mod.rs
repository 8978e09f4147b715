//! An image of a ring and its truth store in memory, and ways to harm it; shared by the targets.

use evidence::kinds::{Payload, SeqSkip};
use evidence::reasons::{HoldoverReason, SkipCause, TimeQuality, TimeStatus, TruthClass};
use evidence::{
    BootId, Captured, Generation, LogId, MeterId, MonoNs, SaltKey, Seq, Stamp, TimeDetail, UtcNs,
};
use journal::limits::{TABLE_BYTES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use journal::{
    Journal, MediumError, MediumFault, OpenInput, Options, ReadTruth, ReadVolume, Shape,
    TruthMedium, Volume,
};
use std::cell::RefCell;
use std::sync::LazyLock;

pub const LOG: LogId = LogId([7; 16]);
pub const GENERATION: Generation = Generation(1);
const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 3,
    block_bytes: 512,
};
const RING_BYTES: usize = 3 * 16_384;
const SLOTS_BYTES: usize = (TRUTH_SLOTS * TRUTH_COPIES) as usize * TRUTH_SLOT_BYTES;
const IMAGE_BYTES: usize = RING_BYTES + SLOTS_BYTES + 2 * TABLE_BYTES;
/// Bytes of one patch: where, what to do, with what.
const PATCH_BYTES: usize = 5;

/// The ring, then the truth slots, then the lease tables.
pub struct Image(pub RefCell<Vec<u8>>);

impl Image {
    fn read_at(&self, at: usize, into: &mut [u8], place: (u32, u64)) -> Result<(), MediumError> {
        let bytes = self.0.borrow();
        let end = at.saturating_add(into.len());
        into.copy_from_slice(bytes.get(at..end).ok_or(outside(place))?);
        Ok(())
    }

    fn write_at(&self, at: usize, from: &[u8], place: (u32, u64)) -> Result<(), MediumError> {
        let mut bytes = self.0.borrow_mut();
        let end = at.saturating_add(from.len());
        let target = bytes.get_mut(at..end).ok_or(outside(place))?;
        target.copy_from_slice(from);
        Ok(())
    }
}

fn outside((segment, offset): (u32, u64)) -> MediumError {
    MediumError {
        fault: MediumFault::OutOfRange,
        segment,
        offset,
        os_error: None,
    }
}

fn ring_at(segment: u32, offset: u64) -> usize {
    segment as usize * 16_384 + usize::try_from(offset).unwrap_or(usize::MAX / 2)
}

fn slot_at(slot: u32, copy: u32) -> usize {
    RING_BYTES + (slot * TRUTH_COPIES + copy) as usize * TRUTH_SLOT_BYTES
}

fn table_at(copy: u32) -> usize {
    RING_BYTES + SLOTS_BYTES + copy as usize * TABLE_BYTES
}

impl ReadVolume for &Image {
    fn shape(&self) -> Shape {
        SHAPE
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        self.read_at(ring_at(segment, offset), into, (segment, offset))
    }
}

impl Volume for &Image {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        self.write_at(ring_at(segment, offset), bytes, (segment, offset))
    }
}

impl ReadTruth for &Image {
    fn class(&self) -> TruthClass {
        TruthClass::SameDeviceSync
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.read_at(slot_at(slot, copy), into, (slot, 0))
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.read_at(table_at(copy), into, (copy, 0))
    }
}

impl TruthMedium for &Image {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        (0..TRUTH_COPIES).try_for_each(|copy| self.write_at(slot_at(slot, copy), bytes, (slot, 0)))
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.write_at(slot_at(slot, copy), bytes, (slot, 0))
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        TruthMedium::write_durable(self, slot, bytes)
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.write_at(table_at(copy), bytes, (copy, 0))
    }
}

pub fn input() -> OpenInput {
    OpenInput {
        log_id: LOG,
        generation: GENERATION,
        boot_id: BootId([1; 16]),
        options: Options {
            retain_uncosigned: false,
            read_back_every: 0,
            ..Options::default()
        },
    }
}

pub fn group(number: u64) -> Vec<(Stamp, Captured)> {
    let payload: Payload = SeqSkip {
        at: MonoNs(number),
        meter_id: MeterId::new("m1").expect("a sound name"),
        first: Seq(number),
        count: 1,
        cause: SkipCause::LeaseAbandoned,
    }
    .into();
    let stamp = Stamp {
        timestamp: UtcNs(0),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    };
    vec![(stamp, Captured::new(&payload)); 1 + (number % 5) as usize]
}

/// A whole log that has gone round its ring once and was opened a second time.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let image = Image(RefCell::new(vec![0; IMAGE_BYTES]));
    let salt = SaltKey([3; 16]);
    let mut journal = Journal::create(&image, &image, &input(), salt).expect("blank media");
    for number in 0..90 {
        if number == 40 {
            drop(journal);
            (journal, _) = Journal::open(&image, &image, &input()).expect("a sound log");
        }
        journal.commit(&group(number), salt).expect("sound media");
    }
    assert!(journal.stats().segments_opened > 1 && journal.oldest().0 > 0);
    drop(journal);
    image.0.into_inner()
});

/// Changes bytes of the image: position (3 bytes), what to do, with what byte.
fn patch(image: &mut [u8], patches: &[u8]) {
    for chunk in patches.chunks_exact(PATCH_BYTES) {
        let &[high, middle, low, deed, with] = chunk else {
            continue;
        };
        let at = u32::from_be_bytes([0, high, middle, low]) as usize % (RING_BYTES + SLOTS_BYTES);
        let block = at - at % 512;
        match deed % 6 {
            0 => image[at] = with,
            1 => image[at] ^= with,
            2 => image[block..block + 512].fill(with),
            // A write that went astray.
            3 => image.copy_within(
                usize::from(with) * 512..usize::from(with) * 512 + 512,
                block,
            ),
            // Damage under a sound check: of a truth slot, or of a frame or segment.
            4 => {
                image[at] = with;
                reseal(image, at);
            }
            _ => reseal(image, at),
        }
    }
}

/// Puts a sound check on the truth slot, segment header or frame header around a place.
fn reseal(image: &mut [u8], at: usize) {
    if at >= RING_BYTES {
        let start = at - (at - RING_BYTES) % TRUTH_SLOT_BYTES;
        let end = start + TRUTH_SLOT_BYTES - 4;
        let crc = crc32c::crc32c(&image[start..end]);
        image[end..end + 4].copy_from_slice(&crc.to_be_bytes());
        return;
    }
    let in_segment = at % 16_384;
    // Where the check ends, and where the fields of its seed lie.
    let (start, len, segment_no, lap, self_offset) = if in_segment < 4_096 {
        (at - in_segment, 4_096, 56, 48, None)
    } else {
        let start = at - at % 512;
        let len = image[start + 76..start + 80].try_into();
        let len = len.map_or(0, u32::from_be_bytes) as usize;
        (start, len, 48, 40, Some(start + 56))
    };
    let log_id = if in_segment < 4_096 { 16 } else { 8 };
    if len < 164 || start + len > RING_BYTES {
        return;
    }
    let mut seed = image[start + log_id..start + log_id + 16].to_vec();
    seed.extend_from_slice(&image[start + segment_no..start + segment_no + 4]);
    seed.extend_from_slice(&image[start + lap..start + lap + 8]);
    seed.extend_from_slice(&self_offset.map_or([0; 8], |at| {
        image[at..at + 8].try_into().unwrap_or_default()
    }));
    let end = start + len - 4;
    let crc = crc32c::crc32c_append(crc32c::crc32c(&seed), &image[start..end]);
    image[end..end + 4].copy_from_slice(&crc.to_be_bytes());
}

/// An image: bytes as they come, or a whole log that is harmed by them.
pub fn image_of(data: &[u8]) -> Option<Image> {
    let (kind, rest) = data.split_first()?;
    let mut bytes;
    if kind % 2 == 0 {
        bytes = vec![0; IMAGE_BYTES];
        let len = rest.len().min(IMAGE_BYTES);
        bytes[..len].copy_from_slice(&rest[..len]);
    } else {
        bytes = WHOLE.clone();
        patch(&mut bytes, rest);
    }
    Some(Image(RefCell::new(bytes)))
}
