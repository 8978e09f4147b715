//! A file of an image that says its security version: any bytes are read or refused, and what is read is in bounds.
#![no_main]

use evidence::frozen::names::{FIRMWARE, FIRMWARE_ACCEPTED};
use libfuzzer_sys::fuzz_target;
use trust_plane::limits::IMAGE_CHARS_MAX;
use trust_plane::{FirmwareMemory, Release};

fuzz_target!(|data: &[u8]| {
    if let Ok(release) = Release::parse(data, "SECURITY_VERSION") {
        assert!(release.version > 0);
        let image = release.image.unwrap_or_default();
        assert!(image.chars().count() <= IMAGE_CHARS_MAX && !image.chars().any(char::is_control));
    }
    // What a segment says of firmware that ran, and of who accepted it, lies on a disk too.
    if let Ok(text) = core::str::from_utf8(data) {
        let (ran, accepted) = text.split_once('\n').unwrap_or((text, ""));
        let mut memory = FirmwareMemory::default();
        memory.recall(FIRMWARE, ran, 7);
        memory.recall(FIRMWARE_ACCEPTED, accepted, 7);
        let frozen = memory.frozen();
        let mut again = FirmwareMemory::default();
        for (name, label, value) in &frozen {
            again.recall(name, label, *value);
        }
        assert_eq!(again.frozen(), frozen);
    }
});
