//! The time that a collector says in a header: what is read is within half a second of what was written.
#![no_main]

use exchange::CollectorTime;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(time) = std::str::from_utf8(data).ok().and_then(CollectorTime::read) else {
        return;
    };
    assert!(time.utc.0 >= 0 && time.resolution_ns <= 500_000_000);
    let exact = CollectorTime::read(&CollectorTime::header(time.utc));
    assert_eq!(exact.map(|exact| exact.utc), Some(time.utc));
});
