//! Every bound of this crate, with the reason for its size.

/// How long one question to a daemon may stay unanswered. An answer takes a tenth of a millisecond; a
/// busy machine may take its time.
pub const QUESTION_WAIT_MS: u64 = 100;
/// A round of questions takes as many of these at most, however many it has: chronyd is asked 34 where it has 32 sources.
pub const ROUND_WAITS: u32 = 5;
/// Rounds of one look: ptp4l's socket, its read-only one, chronyd's.
const ROUNDS: u64 = 3;
const _: () = {
    #[expect(clippy::as_conversions, reason = "no wider conversion is const")]
    let look_ns = QUESTION_WAIT_MS * ROUND_WAITS as u64 * ROUNDS * 1_000_000;
    // A statement holds until the look behind it is over, with half of its time to spare.
    assert!(look_ns * 2 <= evidence::limits::STATEMENT_VALID_NS);
};
/// Longest answer of a daemon that is taken: ptp4l's longest is 320 bytes.
pub const ANSWER_BYTES_MAX: usize = 2_048;
/// Messages that are taken off the socket at once: more than a daemon's queue holds.
pub const DRAINED_MAX: usize = 1_024;
/// For how long ptp4l is asked to push, in seconds; who is gone is forgotten by then.
pub const PUSH_LEASE_S: u16 = 60;
/// The lease is renewed so often: a daemon that begins anew knows nothing of it.
pub const PUSH_RENEWED_NS: u64 = 15_000_000_000;
/// How often the clocks are compared, of which the tightest comparison counts.
pub const COMPARISONS: usize = 4;
/// How often a card's clock is compared in one call, of which the tightest counts; the kernel allows 25.
pub const CARD_SAMPLES: u32 = 5;
/// Longest content of a sensor's file.
pub const SENSOR_BYTES_MAX: u64 = 64;
/// Longest recording that is read.
pub const RECORDING_BYTES_MAX: usize = 64 << 20;
