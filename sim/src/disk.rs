//! A disk and truth store in memory that tear writes, lose power, fail and rot on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evidence::reasons::TruthClass;
use journal::limits::{TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use journal::{MediumError, MediumFault, ReadTruth, ReadVolume, Shape, TruthMedium, Volume};

/// What a medium persists at once.
pub const SECTOR_BYTES: usize = 512;

/// Which sectors of an interrupted write reach the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    /// None.
    Nothing,
    /// All, although nobody was told.
    Everything,
    /// The first n.
    Prefix(usize),
    /// All but the first n.
    Suffix(usize),
    /// All but the n-th.
    Hole(usize),
    /// A subset drawn from this seed.
    Random(u64),
}

impl Torn {
    pub(crate) fn persists(self, sector: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Prefix(n) => sector < n,
            Self::Suffix(n) => sector >= n,
            Self::Hole(n) => sector != n,
            Self::Random(seed) => mix(seed ^ mix(sector as u64)) & 1 == 1,
        }
    }
}

/// SplitMix64's finalizer: one well-mixed number from another.
#[must_use]
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What happens at a numbered device write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power fails during it: this much persists, and nothing works until [`SimDisk::power_on`].
    PowerCut(Torn),
    /// The device reports failure; this much persists all the same, and the device goes on.
    Refused(Torn),
}

/// What a write wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A segment of the ring.
    Segment(u32),
    /// A slot of the truth store.
    TruthSlot(u32),
    /// A copy of the lease table.
    Table(u32),
}

/// One device write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// What it wrote to.
    pub target: Target,
    /// Where in it, in bytes.
    pub offset: u64,
    /// How many bytes.
    pub bytes: usize,
}

/// Everything on the media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The ring's segments; an empty one is missing.
    pub segments: Vec<Vec<u8>>,
    /// Truth slots, copy by copy, then the lease tables.
    pub truth: Vec<u8>,
}

#[derive(Debug)]
struct State {
    image: Image,
    writes: Vec<Write>,
    faults: BTreeMap<usize, Fault>,
    bad_reads: Vec<(u32, u64)>,
    dead: bool,
}

/// The device: handles share it.
#[derive(Clone, Debug)]
pub struct SimDisk {
    shape: Shape,
    class: TruthClass,
    state: Arc<Mutex<State>>,
}

/// The device's ring.
#[derive(Clone, Debug)]
pub struct SimVolume(SimDisk);

/// The device's truth store.
#[derive(Clone, Debug)]
pub struct SimTruth(SimDisk);

impl SimDisk {
    /// A blank device.
    #[must_use]
    pub fn new(shape: Shape, class: TruthClass) -> Self {
        let segment = usize::try_from(shape.segment_bytes).unwrap_or(usize::MAX);
        let slots = (TRUTH_SLOTS * TRUTH_COPIES) as usize * TRUTH_SLOT_BYTES;
        let image = Image {
            segments: vec![vec![0; segment]; shape.segments as usize],
            truth: vec![0; slots + TABLE_COPIES as usize * TABLE_BYTES],
        };
        Self::with_image(shape, class, image)
    }

    /// A device that holds an image.
    #[must_use]
    pub fn with_image(shape: Shape, class: TruthClass, image: Image) -> Self {
        Self {
            shape,
            class,
            state: Arc::new(Mutex::new(State {
                image,
                writes: Vec::new(),
                faults: BTreeMap::new(),
                bad_reads: Vec::new(),
                dead: false,
            })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its ring.
    #[must_use]
    pub fn volume(&self) -> SimVolume {
        SimVolume(self.clone())
    }

    /// Its truth store.
    #[must_use]
    pub fn truth(&self) -> SimTruth {
        SimTruth(self.clone())
    }

    /// The writes so far, in order.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.state().writes.clone()
    }

    /// Lets something happen at the n-th write from now on (0 is the next).
    pub fn at_write(&self, n: usize, fault: Fault) {
        let mut state = self.state();
        let index = state.writes.len() + n;
        state.faults.insert(index, fault);
    }

    /// Whether power is off.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Power comes back; faults that did not happen are forgotten.
    pub fn power_on(&self) {
        let mut state = self.state();
        state.dead = false;
        state.faults.clear();
    }

    /// A copy of everything on the media.
    #[must_use]
    pub fn image(&self) -> Image {
        self.state().image.clone()
    }

    /// Changes the media behind everybody's back.
    pub fn rot(&self, change: impl FnOnce(&mut Image)) {
        change(&mut self.state().image);
    }

    /// Reads that touch this sector of a segment fail from now on.
    pub fn spoil_sector(&self, segment: u32, offset: u64) {
        let sector = offset - offset % SECTOR_BYTES as u64;
        self.state().bad_reads.push((segment, sector));
    }

    fn write(&self, target: Target, offset: u64, parts: &[(usize, &[u8])]) -> Result<(), Fault> {
        let mut state = self.state();
        if state.dead {
            return Err(Fault::PowerCut(Torn::Nothing));
        }
        let index = state.writes.len();
        let bytes = parts.iter().map(|(_, bytes)| bytes.len()).sum();
        state.writes.push(Write {
            target,
            offset,
            bytes,
        });
        let fault = state.faults.remove(&index);
        let torn = match fault {
            None => Torn::Everything,
            Some(Fault::PowerCut(torn) | Fault::Refused(torn)) => torn,
        };
        let mut sector = 0;
        for (at, bytes) in parts {
            let medium = match target {
                Target::Segment(segment) => state.image.segments.get_mut(segment as usize),
                Target::TruthSlot(_) | Target::Table(_) => Some(&mut state.image.truth),
            };
            let room = medium.and_then(|medium| medium.get_mut(*at..*at + bytes.len()));
            let Some(room) = room else {
                return Err(Fault::Refused(Torn::Nothing));
            };
            for (to, from) in room
                .chunks_mut(SECTOR_BYTES)
                .zip(bytes.chunks(SECTOR_BYTES))
            {
                if torn.persists(sector) {
                    to.copy_from_slice(from);
                }
                sector += 1;
            }
        }
        match fault {
            None => Ok(()),
            Some(fault) => {
                state.dead = matches!(fault, Fault::PowerCut(_));
                Err(fault)
            }
        }
    }

    fn read_truth(&self, at: usize, into: &mut [u8]) -> Result<(), MediumError> {
        let state = self.state();
        let from = state.image.truth.get(at..at + into.len());
        match from {
            Some(from) if !state.dead => {
                into.copy_from_slice(from);
                Ok(())
            }
            _ => Err(failed(MediumFault::Io, 0, at as u64)),
        }
    }
}

fn failed(fault: MediumFault, segment: u32, offset: u64) -> MediumError {
    MediumError {
        fault,
        segment,
        offset,
        os_error: None,
    }
}

/// Where a copy of a truth slot begins in the image.
#[must_use]
pub fn slot_at(slot: u32, copy: u32) -> usize {
    (slot * TRUTH_COPIES + copy) as usize * TRUTH_SLOT_BYTES
}

/// Where a copy of the lease table begins in the image.
#[must_use]
pub fn table_at(copy: u32) -> usize {
    (TRUTH_SLOTS * TRUTH_COPIES) as usize * TRUTH_SLOT_BYTES + copy as usize * TABLE_BYTES
}

impl ReadVolume for SimVolume {
    fn shape(&self) -> Shape {
        self.0.shape
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let state = self.0.state();
        let end = offset + into.len() as u64;
        let spoiled = state.bad_reads.iter().any(|(bad, sector)| {
            *bad == segment && *sector < end && offset < *sector + SECTOR_BYTES as u64
        });
        if state.dead || spoiled {
            return Err(failed(MediumFault::Io, segment, offset));
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        match state.image.segments.get(segment as usize) {
            Some(bytes) if bytes.is_empty() => Err(failed(MediumFault::Missing, segment, offset)),
            Some(bytes) => match bytes.get(from..from.saturating_add(into.len())) {
                Some(bytes) => {
                    into.copy_from_slice(bytes);
                    Ok(())
                }
                None => Err(failed(MediumFault::OutOfRange, segment, offset)),
            },
            None => Err(failed(MediumFault::OutOfRange, segment, offset)),
        }
    }
}

impl Volume for SimVolume {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let block = u64::from(self.0.shape.block_bytes);
        let aligned = offset.is_multiple_of(block) && (bytes.len() as u64).is_multiple_of(block);
        if !aligned || offset + bytes.len() as u64 > self.0.shape.segment_bytes {
            return Err(failed(MediumFault::OutOfRange, segment, offset));
        }
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        self.0
            .write(Target::Segment(segment), offset, &[(at, bytes)])
            .map_err(|_| failed(MediumFault::Io, segment, offset))
    }
}

impl ReadTruth for SimTruth {
    fn class(&self) -> TruthClass {
        self.0.class
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.0.read_truth(slot_at(slot, copy), into)
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        self.0.read_truth(table_at(copy), into)
    }
}

impl TruthMedium for SimTruth {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let parts = [(slot_at(slot, 0), bytes), (slot_at(slot, 1), bytes)];
        self.0
            .write(Target::TruthSlot(slot), 0, &parts)
            .map_err(|_| failed(MediumFault::Io, slot, 0))
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let offset = u64::from(copy) * TRUTH_SLOT_BYTES as u64;
        self.0
            .write(
                Target::TruthSlot(slot),
                offset,
                &[(slot_at(slot, copy), bytes)],
            )
            .map_err(|_| failed(MediumFault::Io, slot, offset))
    }

    /// As a durable write: what a cache does is the matter of the media.
    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.write_durable(slot, bytes)
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.0
            .write(Target::Table(copy), 0, &[(table_at(copy), bytes)])
            .map_err(|_| failed(MediumFault::Io, copy, 0))
    }
}
