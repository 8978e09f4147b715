//! IEC 60870-5-104: the IV bit of CP56Time2a.

use super::is_within;
use evidence::Stamp;

/// IV of CP56Time2a (IEC 60870-5-4, 6.8; IEC 60870-5-101, 7.2.6.18): whether the time is invalid.
///
/// It is valid where a source has confirmed it since boot and its bound is within the site's limit,
/// locked or in holdover.
///
/// Lost: everything but this one bit. How wrong the time may be, whether the clock is locked or alone
/// and why cannot be told; and the resolution is a millisecond, so a bound below that has no effect.
#[must_use]
pub fn iec104_iv(stamp: &Stamp, limit_ns: u64) -> bool {
    !is_within(stamp, limit_ns)
}
