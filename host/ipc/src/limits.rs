//! Every bound of the local sockets, with the reason for its size.

use std::time::Duration;

/// Longest message: two of the longest leaves and room for what stands around them.
pub const MESSAGE_BYTES_MAX: usize = 160 * 1_024;
/// Bytes that stand around one leaf of a feed batch, at most: array, id and length heads.
pub const FEED_ENTRY_OVERHEAD_BYTES: usize = 32;
/// Bytes of leaves and holes that a feed batch may carry; the rest is for its other fields.
pub const FEED_BYTES_MAX: usize = MESSAGE_BYTES_MAX - 1_024;
/// Bytes that a hole takes at most beside its hashes.
pub const HOLE_OVERHEAD_BYTES: usize = 52;
/// Bytes of one hash on the wire: 32 and its head.
pub const HASH_WIRE_BYTES: usize = 34;
/// Most hashes that name one range of leaves: two per level of a tree of 2^63 leaves.
pub const RANGE_HASHES_MAX: usize = 126;
/// Most elements of any other list in a message.
pub const LIST_LEN_MAX: usize = 4_096;
/// Longest text of a name, a reason or an origin.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// Longest signed note with its cosignatures.
pub const NOTE_BYTES_MAX: usize = 32 * 1_024;
/// Longest status report.
pub const STATUS_BYTES_MAX: usize = 128 * 1_024;
/// Longest leaf: its length travels in 16 bits elsewhere.
pub const LEAF_BYTES_MAX: usize = 0xFFFF;
/// Bytes that stand around one run of bytes on a wire, at most: number, instant, way and heads.
pub const WIRE_RUN_OVERHEAD_BYTES: usize = 40;
/// Bytes of runs that one message may carry, what stands around them included.
pub const WIRE_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of runs of one port that a process keeps for whoever watches it, what stands around them included: two
/// seconds of the fastest serial line. An older run gives way.
pub const WIRE_KEPT_BYTES_MAX: usize = 256 * 1_024;
/// Ports that may be watched at once.
pub const WIRE_PORTS_MAX: usize = 8;
/// How deep the fields of a message of any version may stand in each other.
pub const FORM_DEPTH_MAX: usize = 16;
/// Longest wait for a peer that does not read what is sent to it.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that may wait to be accepted.
pub const BACKLOG_MAX: i32 = 64;
/// Pause between two tries to connect while the deadline is not reached.
pub const CONNECT_PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for another process that binds in the same folder.
pub const BIND_LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// Mode of a socket's file: only processes of the same user may connect.
pub const SOCKET_MODE: u32 = 0o600;
/// Mode of one that its group may connect to as well: whoever serves it asks the kernel who they are.
pub const GROUP_SOCKET_MODE: u32 = 0o660;
/// Behind the name of such a socket: the file that lets one process at a time bind it.
pub const LOCK_ENDING: &str = ".lock";
/// Its mode: who may not open it cannot hold it.
pub const LOCK_MODE: u32 = 0o600;
/// And what it must not grant.
pub const LOCK_OTHERS: u32 = 0o077;
/// What the folder of such a socket grants to nobody but its owner: to put something else in its place.
pub const FOLDER_WRITERS: u32 = 0o022;

const _: () = assert!(2 * (LEAF_BYTES_MAX + FEED_ENTRY_OVERHEAD_BYTES) < FEED_BYTES_MAX);
const _: () = assert!(evidence::limits::ENTRY_BYTES_MAX < LEAF_BYTES_MAX);
const _: () = assert!(WIRE_BYTES_MAX + 1_024 < MESSAGE_BYTES_MAX);
const _: () = assert!(WIRE_BYTES_MAX / WIRE_RUN_OVERHEAD_BYTES < LIST_LEN_MAX);
const _: () = assert!(STATUS_BYTES_MAX + 1_024 < MESSAGE_BYTES_MAX);
