//! An entry and a payload of every kind: whatever decodes must encode to the same bytes.
#![no_main]

use evidence::{Entry, Kind, Payload, split_leaf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode(), data);
        if let Ok(payload) = entry.payload() {
            assert_eq!(payload.encode(), entry.captured.capture);
        }
    }
    let Some((number, capture)) = data.split_first() else {
        return;
    };
    let kinds = Kind::ALL;
    let kind = kinds[usize::from(*number) % kinds.len()];
    if let Ok(payload) = Payload::decode(kind, capture) {
        assert_eq!(payload.kind(), kind);
        assert_eq!(payload.encode(), capture);
    }
    if let Some((salt, entry)) = split_leaf(data) {
        assert_eq!(evidence::leaf_data(salt, entry), data);
    }
});
