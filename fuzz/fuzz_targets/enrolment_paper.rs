//! Papers of an enrolment: any bytes are read or refused, and what is read is written as it was.
#![no_main]

use certificates::papers::{PAPER_BYTES_MAX, Paper};
use evidence::foreign::shown;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| match Paper::read(data) {
    Ok(paper) => {
        let text = paper.text();
        // Spread over lines it may be longer than a paper is.
        if text.len() <= PAPER_BYTES_MAX {
            let again = Paper::read(text.as_bytes()).expect("it was written here");
            assert_eq!(again.text(), text);
        }
    }
    Err(fault) => assert!(!shown(&fault.to_string()).chars().any(|c| c.is_control() && c != '\n')),
});
