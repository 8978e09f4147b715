//! Noise that comes from the seed alone, so that a run can be had again.

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Noise(u64);

impl Noise {
    /// The stream of one part of the site.
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        let mut noise = Self(seed ^ part.wrapping_mul(STEP));
        noise.0 = noise.next();
        noise
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    /// A number below `end`; 0 if `end` is.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let number = self.next().checked_rem(u64::from(end)).unwrap_or_default();
        u32::try_from(number).unwrap_or_default()
    }

    /// A number below `end`, also of a long one; 0 if `end` is.
    pub(crate) fn within(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    /// A share, 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(self.below(u32::MAX)) / f64::from(u32::MAX)
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }
}
