//! How long a character, a gap and a silence last on a serial line.

const NS_PER_S: u64 = 1_000_000_000;
/// Above this rate the guide fixes the two intervals.
const FIXED_ABOVE_BAUD: u32 = 19_200;
const T15_FIXED_NS: u64 = 750_000;
const T35_FIXED_NS: u64 = 1_750_000;
/// Start bit, eight data bits, parity or second stop bit, stop bit.
const CHARACTER_BITS: u8 = 11;

/// The intervals of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// One character.
    pub character_ns: u64,
    /// Longest gap inside a frame.
    pub t15_ns: u64,
    /// Shortest silence between frames.
    pub t35_ns: u64,
}

impl Timing {
    /// Intervals of a line with the usual 11 bits a character.
    #[must_use]
    pub const fn from_baud(baud: u32) -> Self {
        Self::from_baud_and_bits(baud, CHARACTER_BITS)
    }

    /// Intervals of a line with `bits` a character (8N1 has 10). A rate of 0 counts as 1.
    #[must_use]
    pub const fn from_baud_and_bits(baud: u32, bits: u8) -> Self {
        let rate = if baud == 0 { 1 } else { baud as u64 };
        let character_ns = (bits as u64 * NS_PER_S).div_ceil(rate);
        if baud > FIXED_ABOVE_BAUD {
            return Self {
                character_ns,
                t15_ns: T15_FIXED_NS,
                t35_ns: T35_FIXED_NS,
            };
        }
        let t15_ns = (character_ns * 3).div_ceil(2);
        let t35_ns = (character_ns * 7).div_ceil(2);
        Self {
            character_ns,
            t15_ns,
            t35_ns,
        }
    }

    /// Time `bytes` characters take on the wire, without gaps.
    #[must_use]
    pub const fn transfer_ns(&self, bytes: usize) -> u64 {
        self.character_ns.saturating_mul(bytes as u64)
    }

    /// The same line seen through a driver that hands bytes over up to `latency_ns` late (USB
    /// adapters: a millisecond or more): both intervals grow, or frames would be cut in two.
    #[must_use]
    pub const fn with_read_latency(self, latency_ns: u64) -> Self {
        Self {
            character_ns: self.character_ns,
            t15_ns: self.t15_ns.saturating_add(latency_ns),
            t35_ns: self.t35_ns.saturating_add(latency_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timing;

    //= R5.1
    #[test]
    fn intervals_follow_the_rate_up_to_19200() {
        for (baud, character_ns, t15_ns, t35_ns) in [
            (1_200, 9_166_667, 13_750_001, 32_083_335),
            (9_600, 1_145_834, 1_718_751, 4_010_419),
            (19_200, 572_917, 859_376, 2_005_210),
            (38_400, 286_459, 750_000, 1_750_000),
            (115_200, 95_487, 750_000, 1_750_000),
        ] {
            assert_eq!(
                Timing::from_baud(baud),
                Timing {
                    character_ns,
                    t15_ns,
                    t35_ns
                }
            );
        }
        assert_eq!(
            Timing::from_baud_and_bits(9_600, 10).character_ns,
            1_041_667
        );
        assert_eq!(Timing::from_baud(9_600).transfer_ns(8), 8 * 1_145_834);
        assert!(Timing::from_baud(0).t35_ns > 0);
        let seen = Timing::from_baud(115_200).with_read_latency(1_000_000);
        assert_eq!(seen.t35_ns, 2_750_000);
    }
}
