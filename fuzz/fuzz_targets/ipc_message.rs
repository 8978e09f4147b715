//! A message on a local socket: whatever decodes must encode to the same bytes.
#![no_main]

use ipc::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = Message::decode(data) {
        assert_eq!(message.encode(), data);
    }
});
