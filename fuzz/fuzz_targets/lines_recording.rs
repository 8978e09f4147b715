//! A line of a recording of a station's own points.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lines::parse_line;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = core::str::from_utf8(data) {
        for line in text.lines() {
            if let Err(error) = parse_line(line) {
                assert!(error.to_string().contains("write"), "it says what would be right");
            }
        }
    }
});
