//! Whatever bytes stand in the place of a keep-ring: reading never panics, frames keep their order, and the
//! ring goes on behind what is left of it.
#![no_main]

use evidence::{CommitId, Generation, LogId};
use journal::keep::{KeepRing, Part, Store, Stretch};
use journal::{MediumError, MediumFault, ReadVolume, Shape, StoredEntry, Volume};
use libfuzzer_sys::fuzz_target;
use proof::Frontier;
use std::cell::RefCell;
use std::sync::LazyLock;

const LOG: LogId = LogId([7; 16]);
const GENERATION: Generation = Generation(1);
const SEGMENT_BYTES: usize = 16_384;
/// Bytes of one patch: where, what to do, with what.
const PATCH_BYTES: usize = 5;
/// Bytes of the fixed part of a keep frame, and where the fields lie that its check is seeded with.
const FIXED_BYTES: usize = 104;

struct Image(RefCell<Vec<u8>>);

impl ReadVolume for &Image {
    fn shape(&self) -> Shape {
        Shape {
            segment_bytes: SEGMENT_BYTES as u64,
            segments: 3,
            block_bytes: 512,
        }
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let at = segment as usize * SEGMENT_BYTES + offset as usize;
        into.copy_from_slice(&self.0.borrow()[at..at + into.len()]);
        Ok(())
    }
}

impl Volume for &Image {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let at = segment as usize * SEGMENT_BYTES + offset as usize;
        self.0.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

/// The next entries behind a tree; every third is kept.
fn stretch(tree: Frontier) -> Stretch {
    let mut stretch = Stretch::behind(tree);
    for _ in 0..11 {
        let id = stretch.end();
        let bytes = format!("entry {id}").into_bytes();
        let entry = StoredEntry {
            generation: GENERATION,
            commit_id: CommitId(id),
            salt: [5; 16],
            leaf_hash: proof::tree::leaf_hash_of(&[&[5; 16], &bytes]),
            bytes: bytes.into(),
        };
        stretch.push(entry, id % 3 == 0);
    }
    stretch
}

/// A ring that has turned once.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let image = Image(RefCell::new(vec![0; 3 * SEGMENT_BYTES]));
    let mut ring = KeepRing::open(&image, LOG, GENERATION, Store::Soe);
    let mut tree = Frontier::new();
    for _ in 0..50 {
        let next = stretch(tree);
        ring.append(&next).expect("sound media");
        tree = next.after().clone();
    }
    drop(ring);
    image.0.into_inner()
});

fn patch(image: &mut [u8], patches: &[u8]) {
    for chunk in patches.chunks_exact(PATCH_BYTES) {
        let &[high, middle, low, deed, with] = chunk else {
            continue;
        };
        let at = u32::from_be_bytes([0, high, middle, low]) as usize % image.len();
        let block = at - at % 512;
        match deed % 4 {
            0 => image[at] = with,
            1 => image[block..block + 512].fill(with),
            2 => image.copy_within(
                usize::from(with) * 128..usize::from(with) * 128 + 512,
                block,
            ),
            // Damage under sound checks.
            _ => {
                image[at] = with;
                reseal(image, block);
            }
        }
    }
}

/// Puts sound checks on the keep frame that begins at a block, as far as its own lengths go.
fn reseal(image: &mut [u8], block: usize) {
    let number =
        |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().expect("four bytes")) as usize;
    let (header, frame) = (number(block + 84), number(block + 92));
    if header < FIXED_BYTES + 4 || frame <= header || block + frame > image.len() {
        return;
    }
    let mut seed = image[block + 8..block + 24].to_vec();
    seed.extend_from_slice(&image[block + 40..block + 44]);
    seed.extend_from_slice(&image[block + 32..block + 40]);
    seed.extend_from_slice(&image[block + 48..block + 56]);
    let seed = crc32c::crc32c(&seed);
    let payload = crc32c::crc32c_append(seed, &image[block + header..block + frame]);
    image[block + 96..block + 100].copy_from_slice(&payload.to_be_bytes());
    let end = block + header - 4;
    let crc = crc32c::crc32c_append(seed, &image[block..end]);
    image[end..end + 4].copy_from_slice(&crc.to_be_bytes());
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = WHOLE.clone();
    patch(&mut bytes, data);
    let image = Image(RefCell::new(bytes));
    let mut ring = KeepRing::open(&image, LOG, GENERATION, Store::Soe);
    let mut last = None;
    for frame in ring.frames().flatten() {
        assert_eq!(frame.stretch.range().end(), frame.stretch.end());
        let kept = frame
            .stretch
            .parts()
            .iter()
            .filter(|part| matches!(part, Part::Kept(_)));
        assert_eq!(kept.count(), frame.stretch.kept() as usize);
        last = Some(frame.stretch.after().clone());
    }
    // Whatever laps lie between: a ring with a frame that can be read has an end.
    assert_eq!(ring.end().is_some(), last.is_some());
    // Only what continues the newest frame is asked of a ring.
    if let Some(tree) = last.filter(|tree| tree.size() < 1 << 40) {
        let next = stretch(tree);
        if let Err(error) = ring.append(&next) {
            // The medium takes every write; only a forged lap that is the last leaves no place for another.
            assert_eq!(error.fault, MediumFault::NoLapLeft);
            return;
        }
        let again = KeepRing::open(&image, LOG, GENERATION, Store::Soe);
        assert_eq!(again.end(), Some(next.end()));
    }
});
