//! What is handed in: captures that follow from the seed of a log and their number, so that bytes found
//! later can be told from bytes never handed in.

use evidence::kinds::{Event, Payload};
use evidence::reasons::{EventCode, HoldoverReason, TimeQuality, TimeStatus};
use evidence::{Blob, Captured, MonoNs, SourceId, Stamp, TimeDetail, UtcNs};
use trial::Random;

/// Most bytes of the sample that a capture carries.
const SAMPLE_BYTES_MAX: u64 = 200;

/// The capture of this number.
pub(crate) fn capture(seed: u64, number: u64) -> Captured {
    let mut random = Random::new(seed ^ number.rotate_left(32));
    let bytes = random.between(0, SAMPLE_BYTES_MAX);
    let sample = (0..bytes).map(|_| random.number().to_be_bytes()[0]);
    let payload: Payload = Event {
        count: Some(number),
        sample: Some(Blob(sample.collect())),
        ..Event::new(
            MonoNs(number),
            EventCode::LineNoise,
            SourceId::new("port-1").expect("an identifier of this program"),
        )
    }
    .into();
    Captured::new(&payload)
}

/// The number that a capture claims to have; `None` where it is none of ours.
pub(crate) fn number_of(captured: &Captured) -> Option<u64> {
    match captured.payload() {
        Ok(Payload::Event(event)) => event.count,
        _ => None,
    }
}

/// The stamp of every entry: nothing here is about time.
pub(crate) fn stamp() -> Stamp {
    Stamp {
        timestamp: UtcNs(0),
        quality: TimeQuality::RtcOnly,
        status: TimeStatus::FreeRun,
        bound_ns: None,
        detail: TimeDetail::Holdover(HoldoverReason::NeverSynchronised),
    }
}
