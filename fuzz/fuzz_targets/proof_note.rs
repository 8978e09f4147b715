//! A signed note: whatever parses comes back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::note::{Note, VerifierKey};

fuzz_target!(|data: &[u8]| {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_bytes(), data);
        assert!(note.verify(&[]).is_err(), "no key, no verdict");
    }
    if let Ok(text) = core::str::from_utf8(data)
        && let Ok(key) = text.parse::<VerifierKey>()
    {
        assert_eq!(key.to_string(), text);
    }
});
