//! The alarm that a collector states in a header: what is read is what was written.
#![no_main]

use exchange::CollectorAlarm;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(alarm) = std::str::from_utf8(data).ok().and_then(CollectorAlarm::read) else {
        return;
    };
    assert_eq!(CollectorAlarm::read(&alarm.header()), Some(alarm));
});
