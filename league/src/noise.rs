//! Numbers from a seed: the same on every machine, as `SplitMix64` gives them.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Noise {
    state: u64,
}

/// The generator's odd step.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for a label: what is drawn here does not move what is drawn there.
    pub(crate) fn apart(&self, label: u64) -> Self {
        let mut labelled = Self::new(self.state ^ mix(label.wrapping_add(STEP)));
        Self::new(labelled.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A number below `bound`, or nought.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let number = self.next();
        let bound = bound.max(1) as u64;
        usize::try_from(number % bound).unwrap_or(0)
    }
}

fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Noise;

    #[test]
    fn a_seed_repeats_and_labels_differ() {
        let drawn = |noise: &Noise| {
            let mut noise = noise.clone();
            [noise.next(), noise.next()]
        };
        let noise = Noise::new(1);
        assert_eq!(drawn(&noise), drawn(&Noise::new(1)));
        assert_ne!(drawn(&noise.apart(1)), drawn(&noise.apart(2)));
        // The generator's published first value for seed 1234567.
        assert_eq!(Noise::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
