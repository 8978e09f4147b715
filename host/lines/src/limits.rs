//! Every bound of the drivers, with the reason for its size.

/// Edges read at once: what the kernel gives in one call.
pub(crate) const EDGES_PER_READ: usize = 64;
/// Edges taken at one look: four times what the kernel holds at most, so that all that waited are read, and an
/// input that never rests does not hold up the look for ever.
pub(crate) const EDGES_TAKEN_MAX: usize = 4_096;
/// Bytes of a modem's answer that are read at once.
pub(crate) const MODEM_READ_BYTES: usize = 4_096;
/// How often a modem's program that has closed its output is looked at for its end.
pub(crate) const MODEM_END_LOOK_UP: std::time::Duration = std::time::Duration::from_millis(2);
/// Longest text of a channel: a number of the kernel is far shorter.
pub(crate) const CHANNEL_BYTES_MAX: u64 = 256;
/// Bytes of a recording that are read at once; the rest follows at the next look.
pub(crate) const RECORDING_READ_BYTES: u64 = 256 * 1_024;
/// Longest line of a recording.
pub(crate) const RECORDING_LINE_BYTES_MAX: usize = 512;
/// How often a recording is looked at for more.
pub(crate) const RECORDING_LOOK_NS: u64 = 10_000_000;
/// Samples of a recording that are held for each channel.
pub(crate) const RECORDING_SAMPLES_MAX: usize = 65_536;
/// How long a request to a remote card may wait behind its first turn until it may leave: as late as a reply may be by its
/// contract on a serial line, and a second. Others are asked meanwhile.
pub(crate) const REMOTE_READY_NS_MAX: u64 =
    contract::limits::REMOTE_LATE_REPLY_MS_MAX * 1_000_000 + 1_000_000_000;
/// How long a register of a remote card that did not answer, or a device that was not reached, is not asked again.
pub(crate) const REMOTE_REST_NS: u64 = 1_000_000_000;
/// How often bytes that nobody waits for are read from the wire of remote cards before a request: what is there by then is
/// no answer to it, and a wire that never rests does not hold up the turn.
pub(crate) const REMOTE_STALE_READS_MAX: usize = 16;
/// Longest single wait for a remote card; and how often a late answer is looked for by who waits for it.
pub(crate) const REMOTE_LOOK_NS: u64 = 100_000_000;
