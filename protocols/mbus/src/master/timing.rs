//! How long things take on the bus: bit times of the standard as nanoseconds.

const NS_PER_S: u64 = 1_000_000_000;
/// A character on the line: start bit, eight data bits, even parity, stop bit (EN 13757-2, clause 5).
pub const CHARACTER_BITS: u64 = 11;
/// A slave begins its reply no sooner than this after the request (EN 13757-2, clause 5).
pub const REPLY_BITS_MIN: u64 = 11;
/// A slave begins its reply no later than this, and [`REPLY_EXTRA_NS`], after the request.
pub const REPLY_BITS_MAX: u64 = 330;
/// What a slave may take beyond [`REPLY_BITS_MAX`].
pub const REPLY_EXTRA_NS: u64 = 50_000_000;
/// Longest pause between two characters of a telegram that a receiver bears.
pub const GAP_BITS_MAX: u64 = 22;
/// Shortest silence between two telegrams.
pub const IDLE_BITS_MIN: u64 = 33;

/// The intervals of a line at one speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    baud: u32,
    latency_ns: u64,
}

impl Timing {
    /// The intervals at `baud` bits a second. A speed of 0 counts as 1.
    #[must_use]
    pub const fn new(baud: u32) -> Self {
        let baud = if baud == 0 { 1 } else { baud };
        Self {
            baud,
            latency_ns: 0,
        }
    }

    /// The same line behind something that hands bytes over up to `latency_ns` late, such as a USB adapter
    /// or a converter on TCP: replies may come that much later, and pauses seem that much longer.
    #[must_use]
    pub const fn with_latency(self, latency_ns: u64) -> Self {
        Self { latency_ns, ..self }
    }

    /// The speed, in bits a second.
    #[must_use]
    pub const fn baud(&self) -> u32 {
        self.baud
    }

    /// What `bits` bits take, in nanoseconds, rounded up once.
    #[must_use]
    pub const fn bits_ns(&self, bits: u64) -> u64 {
        let (bits, baud) = (bits as u128, self.baud as u128);
        let ns = (bits * NS_PER_S as u128).div_ceil(baud);
        let most = u64::MAX as u128;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "cut to what has room, one line before"
        )]
        let cut = if ns < most { ns as u64 } else { u64::MAX };
        cut
    }

    /// What `bytes` characters take without pauses.
    #[must_use]
    pub const fn transfer_ns(&self, bytes: usize) -> u64 {
        self.bits_ns(CHARACTER_BITS.saturating_mul(bytes as u64))
    }

    /// From the end of a request until the first character of a reply must have been read: it begins after
    /// 330 bit times and 50 ms at the latest, and takes a character.
    #[must_use]
    pub const fn window_ns(&self) -> u64 {
        self.bits_ns(REPLY_BITS_MAX + CHARACTER_BITS)
            .saturating_add(REPLY_EXTRA_NS)
            .saturating_add(self.latency_ns)
    }

    /// From one character read until the next must have been read, within a telegram: a pause of 22 bit
    /// times, and the character itself.
    #[must_use]
    pub const fn gap_ns(&self) -> u64 {
        self.bits_ns(GAP_BITS_MAX + CHARACTER_BITS)
            .saturating_add(self.latency_ns)
    }

    /// The silence that ends a telegram and must come before the next: 33 bit times.
    #[must_use]
    pub const fn idle_ns(&self) -> u64 {
        self.bits_ns(IDLE_BITS_MIN).saturating_add(self.latency_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::Timing;

    //= A3.2
    #[test]
    fn bit_times_are_exact_at_every_speed() {
        // Speed; 330 + 11 bits and 50 ms; 33 bits; five characters. Fractions are rounded up.
        for (baud, window_ns, idle_ns, short_ns) in [
            (300, 1_186_666_667, 110_000_000, 183_333_334),
            (600, 618_333_334, 55_000_000, 91_666_667),
            (1_200, 334_166_667, 27_500_000, 45_833_334),
            (2_400, 192_083_334, 13_750_000, 22_916_667),
            (4_800, 121_041_667, 6_875_000, 11_458_334),
            (9_600, 85_520_834, 3_437_500, 5_729_167),
            (19_200, 67_760_417, 1_718_750, 2_864_584),
            (38_400, 58_880_209, 859_375, 1_432_292),
        ] {
            let timing = Timing::new(baud);
            assert_eq!(timing.window_ns(), window_ns, "{baud}");
            assert_eq!(timing.idle_ns(), idle_ns, "{baud}");
            assert_eq!(timing.gap_ns(), idle_ns, "22 bits and a character, {baud}");
            assert_eq!(timing.transfer_ns(5), short_ns, "{baud}");
            let slow = timing.with_latency(16_000_000);
            assert_eq!(slow.window_ns(), window_ns + 16_000_000);
            assert_eq!(slow.idle_ns(), idle_ns + 16_000_000);
            assert_eq!(slow.transfer_ns(5), short_ns);
        }
        assert!(Timing::new(0).idle_ns() > 0);
        assert_eq!(Timing::new(1).bits_ns(u64::MAX), u64::MAX);
    }
}
