//! Every bound of a contract, with the reason for its size.

/// Longest file in bytes: ten thousand meters with a few points of their own.
pub const FILE_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Most errors that are listed; whoever has more has a different file in hand.
pub const ERRORS_MAX: usize = 1_000;
/// Most mistakes in the notation itself that are listed; each costs a pass over the file.
pub const SYNTAX_ERRORS_MAX: usize = 20;
/// Longest excerpt of a line under an error, in characters.
pub const EXCERPT_CHARS_MAX: usize = 100;

/// Most meters and cards of one node: what a status report and a poll marker board are made for.
pub const METERS_MAX: usize = 2_000;
/// Bytes that the lease table of the truth store has for the names of meters, cards and ports, with what stands
/// beside each: 960 of the longest, 2,000 of 14 bytes.
pub const LEASES_BYTES: usize = 63 * 1_024;
/// Bytes of a row of it beside the name: `meter ` or `port `, a length and the number.
pub const LEASE_ROW_BYTES: usize = 16;
/// Most points of one meter, its profile's included.
pub const METER_POINTS_MAX: usize = 512;
/// Most points of all meters together: bounds what a node holds in memory.
pub const POINTS_MAX: usize = 100_000;
/// Most ports and cards of one node.
pub const PORTS_MAX: usize = 64;
/// Most schedules of one node.
pub const SCHEDULES_MAX: usize = 64;
/// Most profiles in one file.
pub const PROFILES_MAX: usize = 1_024;

/// Longest origin in bytes; the node appends `/gN` and keeps below the 255 of a note's name.
pub const ORIGIN_BYTES_MAX: usize = 200;
/// Longest name for people, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Longest unit of measure in bytes.
pub const UNIT_BYTES_MAX: usize = 32;
/// Longest path, URL, address or verifier key in bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// Smallest segment: below it the head of a segment outweighs what it holds.
pub const SEGMENT_BYTES_MIN: u64 = 64 * 1_024;
/// A segment begins with the station's state and is at least this many times as long.
pub const SEGMENT_STATES_MIN: u64 = 4;
/// Bytes of that state for a meter, at the most: its counters of sessions and slots.
pub const METER_STATE_BYTES: u64 = 512;
/// Bytes of that state for a schedule on a port, at the most.
pub const SCHEDULE_STATE_BYTES: u64 = 1_024;
/// Largest segment: recovery may have to read one of them whole.
pub const SEGMENT_BYTES_MAX: u64 = 1_024 * 1_024 * 1_024;
/// Size of a keep-ring where the file names none.
pub const KEEP_BYTES: u64 = 2 << 20;
/// Sizes of a keep-ring: its eight segments hold the largest frame at least.
pub const KEEP_BYTES_RANGE: core::ops::RangeInclusive<u64> = KEEP_BYTES..=1 << 30;
/// Fewest segments: one is written while the other is still wanted.
pub const SEGMENTS_MIN: u32 = 2;
/// Most segments: their names have four digits.
pub const SEGMENTS_MAX: u32 = 9_999;
/// The alignments that a frame can have.
pub const BLOCK_BYTES: [u32; 3] = [512, 4_096, 16_384];
/// Longest wait for company before a group is committed.
pub const GROUP_WAIT_MS_MAX: u64 = 1_000;

/// Narrowest limit of the clock's error, in microseconds.
pub const TIME_LIMIT_US_MIN: u64 = 1;
/// Widest; and the longest budget of a part of the way to a durable entry.
pub const TIME_LIMIT_US_MAX: u64 = 10_000_000;
/// The shortest such budget: below it the scheduler alone is over it.
pub const TIME_BUDGET_US_MIN: u64 = 1_000;
/// The name of the collector where it offers the time.
pub const HEAD_END: &str = "head-end";
/// Senders of the time that one node trusts.
pub const OFFERED_MAX: usize = 8;
/// Narrowest limit of an offered time's distance from the clock: reading and sending alone take as much.
pub const OFFERED_OFFSET_MS_MIN: u64 = 1;
/// Shortest interval of offered times.
pub const OFFERED_INTERVAL_MS_MIN: u64 = 1_000;
/// Longest path of a socket: what `sockaddr_un` holds, with the zero behind it.
pub const SOCKET_PATH_BYTES_MAX: usize = 107;
/// Most frequent seal.
pub const SEAL_EVERY_MS_MIN: u64 = 1_000;
/// Rarest seal.
pub const SEAL_EVERY_MS_MAX: u64 = DAY_MS;
/// Most entries between two seals.
pub const SEAL_ENTRIES_MAX: u64 = 1_000_000;

/// Shortest first wait after an upload failed.
pub const BACKOFF_MS_MIN: u64 = 100;
/// Longest wait after uploads failed.
pub const BACKOFF_MS_MAX: u64 = DAY_MS;
/// Shortest deadline of an upload request.
pub const UPLINK_TIMEOUT_MS_MIN: u64 = 1_000;
/// Shortest deadline of a connection to a receiver of syslog.
pub const SYSLOG_TIMEOUT_MS_MIN: u64 = 1_000;
/// Longest: a connection that hangs is found within it.
pub const SYSLOG_TIMEOUT_MS_MAX: u64 = 60_000;
/// Shortest time from one timestamp to the next.
pub const TIMESTAMP_EVERY_MS_MIN: u64 = 60_000;
/// Longest one.
pub const TIMESTAMP_EVERY_MS_MAX: u64 = 31 * 86_400_000;
/// Shortest deadline of a question to a timestamp authority.
pub const TIMESTAMP_TIMEOUT_MS_MIN: u64 = 1_000;
/// Longest one.
pub const TIMESTAMP_TIMEOUT_MS_MAX: u64 = 60_000;
/// Smallest bound of its answers.
pub const TIMESTAMP_ANSWER_BYTES_MIN: u64 = 1_024;
/// Largest one: what comes back fits into an entry.
pub const TIMESTAMP_ANSWER_BYTES_MAX: u64 = 34 * 1_024;
/// Longest deadline of an upload request.
pub const UPLINK_TIMEOUT_MS_MAX: u64 = 600_000;

/// Rates that serial lines know.
pub const BAUDS: [u32; 13] = [
    300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800,
    921_600,
];
/// Longest wait for a reply.
pub const PORT_TIMEOUT_MS_MAX: u64 = 60_000;
/// Most attempts after the first.
pub const RETRIES_MAX: u32 = 10;
/// How long a reply may be late, where nothing else is said.
pub const LATE_REPLY_MS_DEFAULT: u64 = 2_000;
/// Longest late-reply window.
pub const LATE_REPLY_MS_MAX: u64 = 600_000;
/// Longest delay between RTS and a request, or behind it: the kernel takes no longer one.
pub const RS485_DELAY_MS_MAX: u64 = 100;
/// Longest extra silence between a reply and the next request.
pub const TURNAROUND_MS_MAX: u64 = 10_000;

/// Shortest slot of a schedule.
pub const SCHEDULE_EVERY_MS_MIN: u64 = 100;
/// One day; the longest slot of a schedule.
pub const DAY_MS: u64 = 86_400_000;

/// Lowest address of a unit on a serial line; 0 is the broadcast.
pub const RTU_UNIT_MIN: u8 = 1;
/// Highest address of a unit on a serial line; 248 to 255 are reserved.
pub const RTU_UNIT_MAX: u8 = 247;
/// Speeds of an M-Bus: those that a meter can be told (CI B8h to BFh).
pub const MBUS_BAUDS: [u32; 8] = [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400];
/// The speed of an M-Bus where nothing else is said.
pub const MBUS_BAUD: u32 = 2_400;
/// What an adapter and a level converter on a serial device may hold bytes back, where nothing is said.
pub const MBUS_SERIAL_LATENCY_MS: u64 = 20;
/// What a network and the converter behind it may, where nothing is said.
pub const MBUS_TCP_LATENCY_MS: u64 = 200;
/// Longest that a converter may hold bytes back.
pub const MBUS_LATENCY_MS_MAX: u64 = 2_000;
/// Longest wait behind the opening of an M-Bus.
pub const MBUS_POWER_UP_MS_MAX: u64 = 60_000;
/// Highest primary address of a meter; 251 to 255 have meanings of their own.
pub const MBUS_PRIMARY_MAX: u8 = 250;
/// Most readouts a day that a budget allows: one every quarter of an hour.
pub const MBUS_READS_MAX: u32 = 96;
/// Records of one readout: 16 telegrams, as many as a node reads, of records of two bytes.
pub const MBUS_RECORDS_MAX: u16 = 2_000;

/// Registers (or bits) of one table of a meter.
pub const REGISTERS: u32 = 65_536;
/// Most registers in one read.
pub const READ_REGISTERS_MAX: u32 = 125;
/// Most bits in one read.
pub const READ_BITS_MAX: u32 = 2_000;

/// Most cards of one node: each is a stream of numbers as a meter is, and one of events as a port is.
pub const CARDS_MAX: usize = 16;
/// Most debounce policies.
pub const POLICIES_MAX: usize = 64;
/// Longest version, date and maker of a calibration: a version is remembered with its point and its digest.
pub const CALIBRATION_BYTES_MAX: usize = 96;
/// Most points of the station itself.
pub const STATION_POINTS_MAX: usize = 1_024;
/// How often the bits of remote I/O may be read, in milliseconds.
pub const REMOTE_POLL_MS: core::ops::RangeInclusive<u64> = 10..=10_000;
/// Longest late-reply window of a serial line with remote I/O: what a port has where nothing is said. The driver waits
/// a second longer for such a line, and no more.
pub const REMOTE_LATE_REPLY_MS_MAX: u64 = LATE_REPLY_MS_DEFAULT;
/// Lines of one card: as many as the kernel gives to one request.
pub const LINES_MAX: u32 = 64;
/// Edges that the kernel holds for a card; more than 16 for each of 64 lines it refuses.
pub const CARD_BUFFER: core::ops::RangeInclusive<u32> = 16..=1_024;
/// Longest debounce window, in microseconds: all points of a card wait for it.
pub const WINDOW_US_MAX: u64 = 10_000_000;
/// Most changes or glitches that are counted within the chatter time.
pub const CHATTER_COUNT_MAX: u32 = 1_000;
/// Shortest chatter time.
pub const CHATTER_TIME_MS_MIN: u64 = 10;
/// Longest chatter time.
pub const CHATTER_TIME_MS_MAX: u64 = 3_600_000;
/// Shortest distance of samples.
pub const SAMPLE_MS_MIN: u64 = 10;
/// Longest.
pub const SAMPLE_MS_MAX: u64 = 3_600_000;
/// Bytes of a segment's state for a serial number, a counter or a clock of a meter, at the most.
pub const LIFE_STATE_BYTES: u64 = 480;
/// Bytes of a segment's state for a point that a meter's memory holds, at the most: the stretches that it may fill.
pub const MEMORY_STATE_BYTES: u64 = 8_192;
/// Most limits of one watched quantity: one for each band.
pub const BANDS_MAX: usize = 8;
/// Most words of a platform for reasons of a reset.
pub const RESET_WORDS_MAX: usize = 64;
/// Most interlocks of one output.
pub const INTERLOCKS_MAX: usize = 32;
/// How long a selection may hold, in milliseconds.
pub const SELECT_MS: core::ops::RangeInclusive<u64> = 1_000..=600_000;
/// How old a command may be.
pub const COMMAND_AGE_MS: core::ops::RangeInclusive<u64> = 100..=600_000;
/// How long the recorder may be away before outputs go to their safe default.
pub const LOSS_MS: core::ops::RangeInclusive<u64> = 1_000..=3_600_000;
/// How long a pulse of an output may last.
pub const OUTPUT_PULSE_MS: core::ops::RangeInclusive<u64> = 10..=600_000;
/// How long a feedback may be awaited.
pub const FEEDBACK_WINDOW_MS: core::ops::RangeInclusive<u64> = 10..=600_000;
/// What a feedback takes beside windows and samples until it is known: edges settle, cards are looked at.
pub const FEEDBACK_SLACK_MS: u64 = 20;
/// Commands without an outcome that a log may have at once: more are refused.
pub const COMMANDS_OPEN_MAX: usize = 64;
/// Tags that a log may have at once: more are refused.
pub const TAGS_MAX: usize = 256;
/// Bytes of the name of whoever commands or tags an output: so many stand in each tag.
pub const OPERATOR_BYTES_MAX: usize = 96;
/// Bytes of a segment's state for the outputs of a node, at the most: its open commands and its tags.
pub const OUTPUT_STATE_BYTES: u64 = 280 * (COMMANDS_OPEN_MAX + TAGS_MAX) as u64;
/// Orders to set a meter's clock that may be without an outcome at a time.
pub const CLOCK_ORDERS_OPEN_MAX: usize = 64;
/// Bytes of a segment's state for them, at the most.
pub const CLOCK_ORDER_STATE_BYTES: u64 = 280 * CLOCK_ORDERS_OPEN_MAX as u64;
/// Shortest time that a modem's answer may take.
pub const MODEM_TIMEOUT_MS_MIN: u64 = 100;
/// Longest: its card does nothing else meanwhile, and a stop waits for it.
pub const MODEM_TIMEOUT_MS_MAX: u64 = 10_000;
/// The speed of a modem's line where nothing else is said.
pub const MODEM_BAUD: u32 = 115_200;
/// Most lines that are said to a modem in one poll.
pub const MODEM_ASKS_MAX: usize = 8;
/// Most buckets of a modem's quality.
pub const MODEM_BUCKETS_MAX: usize = 16;
/// Most counters of a modem beside its retransmissions: a report of all of them is far below an entry's bound.
pub const MODEM_COUNTERS_MAX: usize = 32;
/// Bytes of a segment's state for a pulse meter, at the most: its count.
pub const PULSE_STATE_BYTES: u64 = 160;

/// Versions of calibrations that a recorder remembers for each input that has one, on average.
pub const CALIBRATIONS_EACH: usize = 8;
/// Bytes of a segment's state for an input with a calibration, at the most: the versions that are remembered.
pub const CALIBRATION_STATE_BYTES: u64 = 288 * CALIBRATIONS_EACH as u64;

/// Sources that name a part of the node itself; no port or card may take such a name.
pub const RESERVED_SOURCES: [&str; 11] = [
    "supervisor",
    "recorder",
    "time",
    "io",
    "uplink",
    "syslog",
    "timestamp",
    "signer",
    "console",
    "collector",
    HEAD_END,
];
