//! Bodies of the witness and mirror protocols: whatever decodes must encode to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::wire::{
    AddCheckpoint, AddEntriesHeader, MirrorInfo, Reader, decode_package, decode_size,
    encode_package, encode_size,
};

fuzz_target!(|data: &[u8]| {
    if let Ok(body) = AddCheckpoint::decode(data) {
        assert_eq!(body.encode().as_deref().map(str::as_bytes), Ok(data));
    }
    if let Ok(info) = MirrorInfo::decode(data) {
        assert_eq!(info.encode().as_deref().map(str::as_bytes), Ok(data));
    }
    if let Ok(size) = decode_size(data) {
        assert_eq!(encode_size(size).as_bytes(), data);
    }
    let mut reader = Reader::new(data);
    if let Ok(header) = AddEntriesHeader::decode(&mut reader) {
        let bytes = header.encode().expect("it was decoded");
        assert!(data.starts_with(&bytes));
    }
    let Some((count, body)) = data.split_first() else {
        return;
    };
    let mut reader = Reader::new(body);
    if let Ok(package) = decode_package(&mut reader, u16::from(*count) + 1) {
        let mut again = Vec::new();
        encode_package(&mut again, package.entries.iter().copied(), &package.proof)
            .expect("it was decoded");
        assert!(body.starts_with(&again));
    }
});
