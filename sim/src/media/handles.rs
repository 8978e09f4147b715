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

fn failed(fault: MediumFault, segment: u32, offset: u64) -> MediumError {
    MediumError {
        fault,
        segment,
        offset,
        os_error: None,
    }
}

impl ReadVolume for DeviceVolume {
    fn shape(&self) -> Shape {
        self.0.map.shape()
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        let shape = self.shape();
        let outside = offset + into.len() as u64 > shape.segment_bytes;
        if outside || segment >= shape.segments {
            return Err(failed(MediumFault::OutOfRange, segment, offset));
        }
        let there = self.0.segment_bytes(segment);
        if there == 0 {
            return Err(failed(MediumFault::Missing, segment, offset));
        }
        if offset + into.len() as u64 > there as u64 {
            return Err(failed(MediumFault::OutOfRange, segment, offset));
        }
        let at = self.0.map.segment(segment, offset);
        let read = self.0.read(at, into);
        read.map_err(|fault| failed(fault, segment, offset))
    }
}

impl Volume for DeviceVolume {
    fn write_durable(
        &mut self,
        segment: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), MediumError> {
        let shape = self.shape();
        let block = u64::from(shape.block_bytes);
        let aligned = offset.is_multiple_of(block) && (bytes.len() as u64).is_multiple_of(block);
        let outside = offset + bytes.len() as u64 > shape.segment_bytes;
        if !aligned || outside || segment >= shape.segments {
            return Err(failed(MediumFault::OutOfRange, segment, offset));
        }
        let written = self.0.submit(Command {
            target: Target::Segment(segment),
            places: vec![self.0.map.segment(segment, offset)],
            bytes: Arc::from(bytes),
            durable: true,
        });
        written.map_err(|fault| failed(fault, segment, offset))
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
