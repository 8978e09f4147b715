//! Every bound of this crate, with the reason for its size.

/// Longest message in bytes: what a receiver should be able to take (RFC 5425, 4.3.1). Longer text is cut.
pub const MESSAGE_BYTES_MAX: usize = 8_192;
/// Longest HOSTNAME (RFC 5424, 6).
pub const HOSTNAME_CHARS_MAX: usize = 255;
/// Longest APP-NAME.
pub const APP_NAME_CHARS_MAX: usize = 48;
/// Longest PROCID.
pub const PROCID_CHARS_MAX: usize = 128;
/// Longest MSGID, and longest name in structured data.
pub const NAME_CHARS_MAX: usize = 32;
/// Longest value of a parameter in bytes, before what is escaped in it.
pub const VALUE_BYTES_MAX: usize = 512;
/// Most parameters of a message: with all of them escaped they still leave room for text.
pub const PARAMETERS_MAX: usize = 6;

const _: () = assert!(
    PARAMETERS_MAX * (2 * VALUE_BYTES_MAX + NAME_CHARS_MAX + 4) + 1_024 < MESSAGE_BYTES_MAX
);
