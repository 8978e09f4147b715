//! A TCP stream in any slices: the frames do not depend on where it was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modbus::tcp::{Decoder, Frame, StreamError, encode};

fn frames(slices: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Frame>, Option<StreamError>) {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for mut slice in slices {
        loop {
            match decoder.feed(&mut slice) {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

fuzz_target!(|data: &[u8]| {
    let Some((size, stream)) = data.split_first() else {
        return;
    };
    let whole = frames(&mut std::iter::once(stream));
    let sliced = frames(&mut stream.chunks(usize::from(*size).max(1)));
    assert_eq!(whole, sliced);
    let mut again = Vec::new();
    for frame in whole.0 {
        again.extend(encode(frame.transaction, frame.unit, &frame.pdu).expect("it was decoded"));
    }
    assert!(stream.starts_with(&again));
});
