//! A checkpoint's text: the exact form comes back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proof::Checkpoint;

fuzz_target!(|text: &str| {
    let lenient = Checkpoint::parse(text);
    if let Ok(checkpoint) = Checkpoint::parse_exact(text) {
        assert_eq!(checkpoint.body().as_deref(), Ok(text));
        assert_eq!(lenient, Ok(checkpoint));
    }
});
