//! CRC-16 of serial frames (polynomial 8005 reflected, start FFFF).

const REFLECTED_POLYNOMIAL: u16 = 0xA001;
const START: u16 = 0xFFFF;

/// CRC of a run of bytes.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(START, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            let shifted = crc >> 1;
            if crc & 1 == 1 {
                shifted ^ REFLECTED_POLYNOMIAL
            } else {
                shifted
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::crc16;

    //= A4.1
    #[test]
    fn check_values() {
        // The catalogue's check value, and the worked example of the serial line guide (02 07).
        assert_eq!(crc16(b"123456789"), 0x4B37);
        assert_eq!(crc16(&[0x02, 0x07]), 0x1241);
        assert_eq!(crc16(&[]), 0xFFFF);
    }
}
