//! Any bytes as a frame of M-Bus, and as the payload of a sound one: what is read is written as it was, and
//! faults lie within the bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mbus::link::{self, Control, Frame};
use mbus::telegram::Telegram;

fuzz_target!(|data: &[u8]| {
    let telegram = Telegram::read(data);
    if let Ok(frame) = link::decode(data) {
        assert_eq!(link::encode(&frame).as_deref(), Some(data));
        assert_eq!(telegram.frame, Some(frame));
    } else {
        assert!(telegram.application.is_none() && telegram.records.is_empty());
    }
    faults_lie_within(&telegram, data);
    // No bytes by chance have a checksum that fits: the layers above need a frame that has.
    let [control, payload @ ..] = data else {
        return;
    };
    let frame = Frame::Long {
        control: Control::new(*control),
        address: 1,
        payload,
    };
    if let Some(bytes) = link::encode(&frame) {
        let telegram = Telegram::read(&bytes);
        assert_eq!(telegram.frame, Some(frame));
        faults_lie_within(&telegram, &bytes);
    }
});

fn faults_lie_within(telegram: &Telegram<'_>, bytes: &[u8]) {
    for fault in &telegram.faults {
        assert!(fault.at <= bytes.len());
        assert!(!fault.to_string().is_empty());
    }
}
