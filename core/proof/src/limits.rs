//! Every bound of this crate, by name.

/// Largest tree size accepted anywhere: tools of the field keep sizes in a signed 64-bit integer.
pub const TREE_SIZE_MAX: u64 = (1 << 63) - 1;

/// Bytes of a SHA-256 hash.
pub const HASH_BYTES: usize = 32;

/// Most hashes in one proof on the wire (tlog-witness `add-checkpoint`, tlog-mirror `add-entries`).
pub const PROOF_HASHES_MAX: usize = 63;

/// Most bytes of a signed note (the bound the Go `note` package applies).
pub const NOTE_BYTES_MAX: usize = 1_000_000;

/// Most signature lines of a note; the specification wants at least 16 accepted.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Most bytes of a key name or of an origin; both travel behind a 16-bit or smaller length elsewhere.
pub const NAME_BYTES_MAX: usize = 255;

/// Largest cosignature time in seconds (tlog-cosignature, "Format").
pub const COSIGNATURE_TIME_MAX_S: u64 = (1 << 63) - 1;

/// Most bytes of a log entry: its length travels in 16 bits (tlog-tiles "Log entries").
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Hashes in a full tile and entries in a full bundle or package (tlog-tiles "Merkle Tree").
pub const TILE_WIDTH: u16 = 256;

/// [`TILE_WIDTH`] where indexes are counted.
pub const TILE_WIDTH_U64: u64 = 256;

/// Highest tile level a path may name (tlog-tiles "Merkle Tree").
pub const TILE_LEVEL_MAX: u8 = 63;

/// Most bytes of an opaque mirror ticket (tlog-mirror `add-entries`).
pub const TICKET_BYTES_MAX: usize = 65_535;

/// Packages a client should put in one `add-entries` request (tlog-mirror "Implementation Considerations").
pub const REQUEST_PACKAGES_MAX: u64 = 32;

/// Most bytes of one entry package: 256 entries with lengths, a proof count and the proof.
pub const PACKAGE_BYTES_MAX: usize =
    256 * (2 + ENTRY_BYTES_MAX) + 1 + PROOF_HASHES_MAX * HASH_BYTES;

/// Most bytes of an `add-checkpoint` body: the old size, the proof lines, a blank line and a note.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = 32 + PROOF_HASHES_MAX * 45 + 1 + NOTE_BYTES_MAX;

/// Most bytes of a mirror-info body: two decimals and a base64 ticket.
pub const MIRROR_INFO_BYTES_MAX: usize = 2 * 21 + TICKET_BYTES_MAX.div_ceil(3) * 4 + 1;

/// Most bytes of a proof file: a leaf in base64, the hashes of the proof one a line, a note, and the words between.
pub const OFFLINE_PROOF_BYTES_MAX: usize =
    128 + ENTRY_BYTES_MAX.div_ceil(3) * 4 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;
