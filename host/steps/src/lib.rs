//! Named steps of commit and exchange, at which a storm may end the process that passes them.
//!
//! Without the feature `hook`, which no default build has, all functions here are nothing. With it, the
//! variable [`BOARD`] names a file, opened once at the start, before a process gives rights up: one
//! record of [`RECORD_BYTES`] for every step, and one more. A step's record that says `armed N` ends the
//! process that passes the step for the n-th time (SIGKILL), after it wrote `struck PID` there. The last
//! record holds nanoseconds by which the wall clock is read wrong: a real one would be set for the whole
//! machine.

/// The variable that names the board.
#[cfg(feature = "hook")]
pub const BOARD: &str = "FIELDNOTARY_STEPS_BOARD";

/// Bytes of a record, padded with spaces.
pub const RECORD_BYTES: usize = 32;

/// Every step, with the process that passes it.
pub const STEPS: &[(&str, &str)] = &[
    ("commit.before_frame", "recorder"),
    ("commit.frame_durable", "recorder"),
    ("commit.truth_stored", "recorder"),
    ("segment.opened", "recorder"),
    ("lease.stored", "recorder"),
    ("seal.asked", "recorder"),
    ("seal.remembered", "signer"),
    ("seal.signed", "signer"),
    ("seal.committed", "recorder"),
    ("checkpoint.sending", "uplink"),
    ("checkpoint.answered", "uplink"),
    ("entries.sending", "uplink"),
    ("entries.answered", "uplink"),
    ("package.stored", "collector"),
    ("cosign.before", "collector"),
    ("cosign.durable", "collector"),
    ("ack.committed", "recorder"),
];

/// Place of a step's record on the board, in bytes; behind all of them stands the clock's.
#[must_use]
pub fn place_of(step: &str) -> u64 {
    let index = STEPS.iter().position(|(name, _)| *name == step);
    let bytes = index.unwrap_or(STEPS.len()).saturating_mul(RECORD_BYTES);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// A record with these words.
#[must_use]
pub fn record(words: &str) -> Vec<u8> {
    let mut bytes = words.as_bytes().to_vec();
    bytes.resize(RECORD_BYTES, b' ');
    bytes
}

/// Whether this build has the hook.
pub const HOOKED: bool = cfg!(feature = "hook");

/// Opens the board; to be called first of all.
#[cfg(not(feature = "hook"))]
#[inline]
pub const fn begin() {}

/// Passes a step of [`STEPS`].
#[cfg(not(feature = "hook"))]
#[inline]
pub const fn pass(_step: &str) {}

/// By how much the wall clock is to be read wrong.
#[cfg(not(feature = "hook"))]
#[inline]
#[must_use]
pub const fn utc_offset_ns() -> i64 {
    0
}

#[cfg(feature = "hook")]
mod hook;
#[cfg(feature = "hook")]
pub use hook::{begin, pass, utc_offset_ns};

#[cfg(test)]
mod tests {
    use super::{RECORD_BYTES, STEPS, place_of, record};
    use std::collections::BTreeSet;

    #[test]
    fn every_step_has_a_record_of_its_own() {
        let places: BTreeSet<_> = STEPS.iter().map(|(name, _)| place_of(name)).collect();
        assert_eq!(places.len(), STEPS.len());
        let clock = place_of("the clock, which is no step");
        assert!(places.iter().all(|place| *place < clock));
        assert_eq!(record("armed 3").len(), RECORD_BYTES);
    }

    //= R2.1
    #[cfg(not(feature = "hook"))]
    #[test]
    fn a_default_build_passes_every_step_without_a_look() {
        // Evaluated by the compiler: what it can evaluate reads no file, no variable and no clock.
        const {
            assert!(!super::HOOKED);
            super::begin();
            super::pass("commit.before_frame");
            assert!(super::utc_offset_ns() == 0);
        }
    }
}
