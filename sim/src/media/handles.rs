//! The journal's media on a device.

use std::sync::Arc;

use evidence::reasons::TruthClass;
use journal::limits::TRUTH_COPIES;
use journal::{MediumError, MediumFault, ReadTruth, ReadVolume, Shape, TruthMedium, Volume};

use super::{Command, Device, Target};

/// The device's ring.
#[derive(Clone, Debug)]
pub struct DeviceVolume(pub(super) Device);

/// The device's truth store.
#[derive(Clone, Debug)]
pub struct DeviceTruth(pub(super) Device);

/// The device's keep-ring.
#[derive(Clone, Debug)]
pub struct DeviceKeep(pub(super) Device);

/// Whether a segment of this ring has such a stretch.
fn is_within(shape: &Shape, segment: u32, offset: u64, len: usize) -> bool {
    segment < shape.segments && offset + len as u64 <= shape.segment_bytes
}

/// Whether such a stretch is whole blocks.
fn is_aligned(shape: &Shape, offset: u64, len: usize) -> bool {
    let block = u64::from(shape.block_bytes);
    offset.is_multiple_of(block) && (len as u64).is_multiple_of(block)
}

impl Device {
    /// Refuses a read of what is not there.
    fn reaches(&self, target: Target, offset: u64, len: usize) -> Result<(), MediumError> {
        let there = self.bytes_there(target);
        let fault = if there == 0 {
            MediumFault::Missing
        } else if offset + len as u64 > there as u64 {
            MediumFault::OutOfRange
        } else {
            return Ok(());
        };
        Err(failed(fault, target.number(), offset))
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

/// A place in a ring of segments: the log's or the keep-ring's.
struct Place {
    shape: Shape,
    target: Target,
    at: usize,
    segment: u32,
    offset: u64,
}

impl Device {
    fn read_segment(&self, place: &Place, into: &mut [u8]) -> Result<(), MediumError> {
        let Place {
            segment, offset, ..
        } = *place;
        if !is_within(&place.shape, segment, offset, into.len()) {
            return Err(failed(MediumFault::OutOfRange, segment, offset));
        }
        self.reaches(place.target, offset, into.len())?;
        let read = self.read(place.at, into);
        read.map_err(|fault| failed(fault, segment, offset))
    }

    fn write_segment(&self, place: &Place, bytes: &[u8]) -> Result<(), MediumError> {
        let Place {
            segment, offset, ..
        } = *place;
        let aligned = is_aligned(&place.shape, offset, bytes.len());
        if !aligned || !is_within(&place.shape, segment, offset, bytes.len()) {
            return Err(failed(MediumFault::OutOfRange, segment, offset));
        }
        let written = self.submit(Command {
            target: place.target,
            places: vec![place.at],
            bytes: Arc::from(bytes),
            durable: true,
        });
        written.map_err(|fault| failed(fault, segment, offset))
    }
}

impl DeviceVolume {
    fn place(&self, segment: u32, offset: u64) -> Place {
        Place {
            shape: self.shape(),
            target: Target::Segment(segment),
            at: self.0.map.segment(segment, offset),
            segment,
            offset,
        }
    }
}

impl ReadVolume for DeviceVolume {
    fn shape(&self) -> Shape {
        self.0.map.shape()
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        self.0.read_segment(&self.place(segment, offset), into)
    }
}

impl Volume for DeviceVolume {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        self.0.write_segment(&self.place(segment, offset), bytes)
    }
}

impl DeviceKeep {
    fn place(&self, segment: u32, offset: u64) -> Place {
        Place {
            shape: self.shape(),
            target: Target::Keep(segment),
            at: self.0.map.keep(segment, offset),
            segment,
            offset,
        }
    }
}

impl ReadVolume for DeviceKeep {
    fn shape(&self) -> Shape {
        self.0.map.keep_shape()
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        self.0.read_segment(&self.place(segment, offset), into)
    }
}

impl Volume for DeviceKeep {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        self.0.write_segment(&self.place(segment, offset), bytes)
    }
}

impl DeviceTruth {
    fn submit(
        &self,
        target: Target,
        places: Vec<usize>,
        bytes: &[u8],
        durable: bool,
    ) -> Result<(), MediumError> {
        let written = self.0.submit(Command {
            target,
            places,
            bytes: Arc::from(bytes),
            durable,
        });
        written.map_err(|fault| failed(fault, target.number(), 0))
    }

    fn copies(&self, slot: u32) -> Vec<usize> {
        let copies = 0..TRUTH_COPIES;
        copies.map(|copy| self.0.map.slot(slot, copy)).collect()
    }
}

impl ReadTruth for DeviceTruth {
    fn class(&self) -> TruthClass {
        self.0.class
    }

    fn read(&self, slot: u32, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let read = self.0.read(self.0.map.slot(slot, copy), into);
        read.map_err(|fault| failed(fault, slot, 0))
    }

    fn read_table(&self, copy: u32, into: &mut [u8]) -> Result<(), MediumError> {
        let read = self.0.read(self.0.map.table(copy), into);
        read.map_err(|fault| failed(fault, copy, 0))
    }
}

impl TruthMedium for DeviceTruth {
    fn write_durable(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.submit(Target::TruthSlot(slot), self.copies(slot), bytes, true)
    }

    fn write_copy(&mut self, slot: u32, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let place = self.0.map.slot(slot, copy);
        self.submit(Target::TruthSlot(slot), vec![place], bytes, true)
    }

    fn write_deferred(&mut self, slot: u32, bytes: &[u8]) -> Result<(), MediumError> {
        self.submit(Target::TruthSlot(slot), self.copies(slot), bytes, false)
    }

    fn write_table(&mut self, copy: u32, bytes: &[u8]) -> Result<(), MediumError> {
        let place = self.0.map.table(copy);
        self.submit(Target::Table(copy), vec![place], bytes, true)
    }
}
