//! A file of an image that says its security version: any bytes are read or refused, and what is read is in bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust_plane::limits::IMAGE_CHARS_MAX;
use trust_plane::{FirmwareMemory, Release};

fuzz_target!(|data: &[u8]| {
    if let Ok(release) = Release::parse(data, "SECURITY_VERSION") {
        assert!(release.version > 0);
        let image = release.image.unwrap_or_default();
        assert!(image.chars().count() <= IMAGE_CHARS_MAX && !image.chars().any(char::is_control));
    }
    // What a segment says of firmware that ran lies on a disk too.
    if let Ok(label) = core::str::from_utf8(data) {
        let mut memory = FirmwareMemory::default();
        memory.recall(label, 7);
        if let Some((label, highest)) = memory.frozen() {
            let mut again = FirmwareMemory::default();
            again.recall(&label, highest);
            assert_eq!(again, memory);
        }
    }
});
