//! A small device, and what its sectors hold.

use evidence::reasons::TruthClass;
use fieldnotary_sim::media::Device;
use fieldnotary_sim::media::SECTOR_BYTES;
use journal::{MediumError, ReadVolume, Shape, Volume};

pub(crate) const SHAPE: Shape = Shape {
    segment_bytes: 16_384,
    segments: 2,
    block_bytes: 512,
};

pub(crate) fn device() -> Device {
    Device::new(SHAPE, TruthClass::SameDeviceDeferred)
}

/// Writes sectors full of `byte` at a sector of segment 0.
pub(crate) fn write(
    device: &Device,
    sector: usize,
    count: usize,
    byte: u8,
) -> Result<(), MediumError> {
    let bytes = vec![byte; count * SECTOR_BYTES];
    let offset = (sector * SECTOR_BYTES) as u64;
    device.volume().write_durable(0, offset, &bytes)
}

/// The byte that fills each of the first sectors of segment 0, as a reader sees it.
pub(crate) fn sectors(device: &Device, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count * SECTOR_BYTES];
    device.volume().read(0, 0, &mut bytes).unwrap();
    bytes
        .chunks(SECTOR_BYTES)
        .map(|sector| {
            assert!(
                sector.iter().all(|byte| *byte == sector[0]),
                "a torn sector"
            );
            sector[0]
        })
        .collect()
}

pub(crate) fn restart(device: &Device) {
    device.cut_power(|_| false);
    device.power_on();
}
