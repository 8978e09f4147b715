//! What a fault does to the bytes of a reply.

use crate::noise::Noise;
use modbus::limits::{MBAP_BYTES, UNIT_MAX};

/// Bytes a truncated reply lacks.
const TRUNCATED_BYTES: usize = 3;
/// Unit and function of a serial frame, and the byte count of a read: left whole by a flipped bit, so
/// that the frame keeps its length and only its CRC tells.
const HEADER_BYTES: usize = 3;

/// One bit past the header flips.
pub(crate) fn flip_bit(mut frame: Vec<u8>, noise: &mut Noise) -> Vec<u8> {
    let body = u32::try_from(frame.len().saturating_sub(HEADER_BYTES)).unwrap_or_default();
    let bit = noise.below(body * 8);
    let at = HEADER_BYTES + usize::try_from(bit / 8).unwrap_or_default();
    if let Some(byte) = frame.get_mut(at) {
        *byte ^= 1 << (bit % 8);
    }
    frame
}

/// The last bytes are missing; at least one is left.
pub(crate) fn truncate(mut frame: Vec<u8>) -> Vec<u8> {
    frame.truncate(frame.len().saturating_sub(TRUNCATED_BYTES).max(1));
    frame
}

/// Another unit than `unit`: the next one there is on the port, else the next there could be.
pub(crate) fn other_unit(unit: u8, units: impl Iterator<Item = u8> + Clone) -> u8 {
    let others = units.filter(|other| *other != unit);
    let next = others.clone().filter(|other| *other > unit).min();
    next.or_else(|| others.min())
        .unwrap_or(if unit >= UNIT_MAX { 1 } else { unit + 1 })
}

/// A frame over TCP, for a PDU that has one.
pub(crate) fn tcp_frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    modbus::tcp::encode(transaction, unit, pdu).unwrap_or_else(|_| Vec::with_capacity(MBAP_BYTES))
}

#[cfg(test)]
mod tests {
    use super::{flip_bit, other_unit, truncate};
    use crate::noise::Noise;
    use modbus::rtu;

    //= A4.1
    #[test]
    fn one_bit_flips_and_the_length_stays() {
        let mut noise = Noise::new(1, 1);
        for pdu in [&[0x83, 2][..], &[3, 4, 0, 1, 0, 2]] {
            let whole = rtu::encode(1, pdu);
            for _ in 0..100 {
                let damaged = flip_bit(whole.clone(), &mut noise);
                let flipped: u32 = whole
                    .iter()
                    .zip(&damaged)
                    .map(|(a, b)| (a ^ b).count_ones())
                    .sum();
                assert_eq!((flipped, damaged.len()), (1, whole.len()));
                assert_eq!(damaged[..3], whole[..3]);
            }
        }
    }

    //= A3.1
    #[test]
    fn a_truncated_frame_keeps_a_byte() {
        assert_eq!(truncate(vec![1, 2, 3, 4, 5]), [1, 2]);
        assert_eq!(truncate(vec![1, 2, 3]), [1]);
    }

    //= A3.7
    #[test]
    fn the_other_unit_is_another() {
        assert_eq!(other_unit(1, [1, 2, 3].into_iter()), 2);
        assert_eq!(other_unit(3, [1, 2, 3].into_iter()), 1);
        assert_eq!(other_unit(1, [1].into_iter()), 2);
        assert_eq!(other_unit(247, [247].into_iter()), 1);
    }
}
