//! Every bound of the I/O plane, with the reason for its size.

/// Registers nobody asked for that one read may carry, to save a second request.
pub const GAP_REGISTERS_MAX: u16 = 8;
/// Bits nobody asked for that one read may carry.
pub const GAP_BITS_MAX: u16 = 64;
/// A stream with no more numbers than this asks for another block.
pub const LEASE_LOW: u64 = 16;
/// A block that has not come after this long is asked for again.
pub const LEASE_RETRY_NS: u64 = 5_000_000_000;
/// Failed sessions in a row after which a meter gets a single attempt per session, and seldom one.
pub const QUARANTINE_AFTER: u32 = 5;
/// A meter in quarantine is asked so seldom that waiting for it takes one part of the time in this many ...
pub const COOL_SHARE: u64 = 25;
/// ... and at least this often: what comes back is read within a minute, and slots of a minute are each tried.
pub const COOL_NS_MAX: u64 = 45_000_000_000;
/// A line so full that a meter in quarantine found no turn behind all others until then asks it in its order.
pub const TURN_NS_MAX: u64 = 50_000_000_000;
/// More sessions in a row than this, and than there are meters, end without an answer before the line is called silent.
pub const UNANSWERED_MIN: u64 = 3;
/// Passed slots of one meter that wait for numbers; older ones become downtime.
pub const OWED_MAX: usize = 1_024;
/// Passed slots of one meter that are accounted in one step.
pub const OWED_PER_STEP_MAX: usize = 64;
/// Slots of one schedule that may fall due in one step; beyond it the host slept, and they are downtime.
pub const CATCH_UP_SLOTS_MAX: u64 = 64;
/// Shortest slot.
pub const SLOT_NS_MIN: u64 = 1_000_000;
/// Shortest time between two heartbeats of a schedule; longer slots beat once each.
pub const HEARTBEAT_NS: u64 = 10_000_000_000;
/// Counters become entries so long after the engine began ...
pub const COUNTERS_FIRST_NS: u64 = 10_000_000_000;
/// ... and then this often.
pub const COUNTERS_EVERY_NS: u64 = 3_600_000_000_000;
/// Window over which events of one code are bounded.
pub const EVENT_WINDOW_NS: u64 = 1_000_000_000;
/// Events of one code in a window that have an entry each; the rest share one with a count.
pub const EVENTS_PER_WINDOW_MAX: u64 = 4;
/// Window in which a line's errors are told together, for a burst ...
pub const BURST_NS_MIN: u64 = 10_000_000_000;
/// ... and for a line that goes on failing.
pub const BURST_NS_MAX: u64 = 640_000_000_000;
/// Longest window over which events of one code that goes on are told as one with a count.
pub const EVENT_WINDOW_NS_MAX: u64 = 64_000_000_000;
/// Events that wait for numbers or for space; what comes then is counted and reported later.
pub const EVENTS_PENDING_MAX: usize = 64;
/// First wait after a port or connection was refused.
pub const RECONNECT_NS_MIN: u64 = 500_000_000;
/// Longest wait between attempts to open.
pub const RECONNECT_NS_MAX: u64 = 30_000_000_000;
/// Attempts in a row without a single byte after which a TCP connection is taken for dead.
pub const SILENT_ATTEMPTS_MAX: u32 = 4;
/// A frame of a TCP stream that has begun ends within this, or the stream is no longer Modbus: the next request waits for it.
pub const TCP_FRAME_NS: u64 = 500_000_000;
/// How much later than they came a driver may hand over bytes: only frames that silence has to end
/// wait for it.
pub const READ_LATENCY_NS: u64 = 20_000_000;
/// How long a stop waits for numbers, so that passed slots and events are accounted.
pub const STOP_WAIT_NS: u64 = 2_000_000_000;
/// Between two requests to a meter's memory.
pub const MEMORY_REST_NS: u64 = 250_000_000;
/// A memory that did not answer is left alone so long.
pub const MEMORY_PAUSE_NS: u64 = 60_000_000_000;
/// The recorder is asked for missed slots that often at the most.
pub const MEMORY_ASK_NS: u64 = 10_000_000_000;
/// A record is of a slot when their times are not further apart, in seconds.
pub const MEMORY_APART_S: u64 = 2;
/// Requests for the record of one slot; what is not found then is not there.
pub const MEMORY_PROBES_MAX: u32 = 4;
/// Missed slots of a meter that are looked for at a time.
pub const MISSED_PER_ANSWER_MAX: usize = 32;
/// Stretches of missed slots of one point that are remembered; the oldest is forgotten beyond it.
pub const MISSED_STRETCHES_MAX: usize = 32;
/// An order to set a clock for which the line has no room so long is given up: two minutes may begin in it.
pub const CLOCK_ORDER_AGE_NS_MAX: u64 = 150_000_000_000;
/// A clock by which another is set is not further from UTC than this.
pub const CLOCK_BOUND_NS_MAX: u64 = 500_000_000;
/// Telegrams of one readout of an M-Bus meter; one that has more is cut there, and that is a failed attempt.
pub const MBUS_TELEGRAMS_MAX: u8 = 16;
/// Bytes of a telegram without records: frame, CI field, long header.
pub const MBUS_TELEGRAM_BYTES: usize = 21;
/// Bytes of a data record, as most count with.
pub const MBUS_RECORD_BYTES: usize = 6;
/// Counters in one snapshot, so that its entry stays within its bound.
pub const COUNTERS_PER_SNAPSHOT_MAX: usize = 256;
/// So long after its instant an edge of a card may be handed over and still find its place in the order.
pub const SETTLE_NS: u64 = 10_000_000;
/// So long a stop waits at the most for windows that are open; a change of a longer one is counted as rejected.
pub const STOP_WINDOWS_NS: u64 = 1_000_000_000;
/// Facts of a card that wait for their order; beyond it the oldest leave, and an earlier one may come late.
pub const FACTS_MAX: usize = 65_536;
/// Records of a card that wait for numbers or for space; changes beyond it have none of their own.
pub const RECORDS_WAITING_MAX: usize = 16_384;
/// A card with no more numbers than this asks for another block: what it may need until one comes.
pub const CARD_LEASE_LOW: u64 = 512;
/// Samples of a channel that are compared for noise: few, so that a value that moves is not taken for one that is
/// disturbed.
pub const NOISE_SAMPLES: usize = 8;
/// Samples that may be missing before a value is stale, where the contract says nothing.
pub const STALE_SAMPLES: u64 = 3;
/// Bytes of a PLC modem's answer; a longer one is none.
pub const MODEM_ANSWER_BYTES_MAX: usize = 65_536;
/// Bytes of what a platform says of its last reset that an entry keeps.
pub const RESET_TEXT_BYTES_MAX: usize = 256;
/// Records of a card in one batch.
pub const RECORDS_PER_BATCH: usize = 128;

// A record has two bytes at least, in a frame without a header.
const _: () = assert!(
    contract::limits::MBUS_RECORDS_MAX as usize
        <= MBUS_TELEGRAMS_MAX as usize * (mbus::limits::PAYLOAD_BYTES_MAX - 1) / 2
);
const _: () = assert!(COOL_NS_MAX <= TURN_NS_MAX);
const _: () = assert!(RECONNECT_NS_MIN <= RECONNECT_NS_MAX);
const _: () = assert!(
    COUNTERS_PER_SNAPSHOT_MAX * (64 + 3 * evidence::limits::ID_BYTES_MAX)
        < evidence::limits::ENTRY_BYTES_MAX
);
const _: () = assert!(COUNTERS_PER_SNAPSHOT_MAX <= evidence::limits::LIST_LEN_MAX);

/// How long an input that reported an overload of a bus may say nothing that can be believed until the bus is asked again:
/// longer than a card of remote I/O that misses a poll rests.
pub(crate) const OVERLOAD_UNKNOWN_NS_MAX: u64 = 10_000_000_000;
