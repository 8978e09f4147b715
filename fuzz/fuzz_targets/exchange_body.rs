//! Bodies of add-entries, standard and with holes; both formats see every input.
#![no_main]

use exchange::body::{Format, read_package};
use libfuzzer_sys::fuzz_target;
use proof::wire::Reader;

fuzz_target!(|data: &[u8]| {
    let Some((place, body)) = data.split_first_chunk::<16>() else {
        return;
    };
    let (begin, count) = place.split_at(8);
    let begin = u64::from_be_bytes(begin.try_into().expect("half of sixteen")) >> 1;
    let count = u64::from_be_bytes(count.try_into().expect("half of sixteen"));
    let upload_end = begin.saturating_add(count >> 32).saturating_add(1);
    for format in [Format::Standard, Format::Runs] {
        let mut reader = Reader::new(body);
        let mut at = begin;
        while at < upload_end {
            match read_package(&mut reader, format, at, upload_end) {
                Ok(package) => {
                    assert!(package.extent.end > at, "a package moves on");
                    at = package.extent.end;
                }
                Err(_) => break,
            }
        }
    }
});
