//! Every bound of this crate, with the reason for its size.

/// Longest command or response (`TPM_PT_MAX_COMMAND_SIZE` of common TPMs).
pub const MESSAGE_BYTES_MAX: usize = 4_096;
/// Bytes of the header of a response: tag, size, code.
pub const HEADER_BYTES: usize = 10;
/// Longest text that one `TPM2_Hash` takes (`MAX_DIGEST_BUFFER`); a checkpoint is at most 320 bytes.
pub const HASH_INPUT_BYTES_MAX: usize = 1_024;
/// Longest name: an algorithm and a digest of 64 bytes.
pub const NAME_BYTES_MAX: usize = 66;
/// Longest sized buffer that is accepted; nothing that is asked for here comes near.
pub const BUFFER_BYTES_MAX: usize = 2_048;
/// Most entries of a list: a TPM returns as many properties as fit a message.
pub const LIST_LEN_MAX: usize = 512;
/// Banks in one selection of PCRs.
pub const BANKS_MAX: usize = 16;
/// Bytes of the bit map of a selection: 24 PCRs, or a few more.
pub const SELECT_BYTES_MAX: usize = 4;
/// Digests that one `TPM2_PCR_Read` returns (`TPML_DIGEST`).
pub const PCRS_AT_ONCE_MAX: usize = 8;
/// Bytes of a counter's value.
pub const COUNTER_BYTES: u16 = 8;
/// Longest event log of firmware: what Linux keeps of one is some tens of KiB.
pub const EVENT_LOG_BYTES_MAX: usize = 1024 * 1_024;
/// Events of a log: a machine with many drivers has some hundreds.
pub const EVENTS_MAX: usize = 4_096;
/// Longest event: variables of Secure Boot (`db`, `dbx`) are the longest.
pub const EVENT_BYTES_MAX: usize = 128 * 1_024;
/// Bytes of a text of firmware that are kept: paths and versions are shorter.
pub const EVENT_TEXT_BYTES_MAX: usize = 160;
/// Hashes of one log.
pub const LOG_ALGORITHMS_MAX: usize = 8;
/// Bytes read of an NV index at once: every TPM has room for so many (`TPM_PT_NV_BUFFER_MAX` is 512 or more).
pub const NV_PART_BYTES_MAX: u16 = 512;
/// Longest endorsement certificate that is read.
pub const CERTIFICATE_BYTES_MAX: u16 = 4_096;
