//! The strict text forms shared by notes, checkpoints and bodies: decimals, base64, names.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Parses an ASCII decimal without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let strict = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if strict { text.parse().ok() } else { None }
}

/// Decodes standard padded base64 (RFC 4648 §4); only the canonical form is accepted.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Encodes standard padded base64.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Whether the text holds an ASCII control character other than newline (signed-note "Format").
pub(crate) fn has_forbidden_control(text: &str) -> bool {
    text.bytes().any(|b| b < 0x20 && b != b'\n')
}

#[cfg(test)]
mod tests {
    use super::{base64_decode, decimal};

    #[test]
    fn decimals_are_strict() {
        let table: [(&str, Option<u64>); 9] = [
            ("0", Some(0)),
            ("10", Some(10)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            (" 1", None),
        ];
        for (text, expected) in table {
            assert_eq!(decimal(text), expected, "{text:?}");
        }
    }

    #[test]
    fn base64_has_one_form() {
        assert_eq!(base64_decode("AA==").as_deref(), Some(&[0u8][..]));
        for bad in ["AA", "AA=", "AB==", "AA==\n", "A A=", "_-8="] {
            assert_eq!(base64_decode(bad), None, "{bad:?}");
        }
    }
}
