//! The time role: samples the kernel's clocks and states how far they can be trusted.

use crate::clock;
use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use evidence::{Captured, Payload, SourceId};
use ipc::message::TimeStatement;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use time_plane::{ClockSample, Engine};

/// How often the clocks are compared.
const SAMPLE_EVERY_NS: u64 = 1_000_000_000;
/// How often the role looks whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Samples until it is told to stop.
pub(crate) fn run(data: &DataDir, stop: &Arc<AtomicBool>) -> Result<(), String> {
    let source = SourceId::new("time").map_err(|error| error.to_string())?;
    let mut engine = Engine::new(source);
    let mut link = RecorderLink::new(&data.recorder_socket(), "time", stop);
    let mut next_ns = 0;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        sandbox::pulse::alive();
        if clock::mono().0 < next_ns {
            std::thread::sleep(LOOK_UP);
            continue;
        }
        let sample = sample();
        next_ns = sample.mono.0 + SAMPLE_EVERY_NS;
        let Some(statement) = engine.observe(sample, false) else {
            continue;
        };
        number += 1;
        let events = statement.events.into_iter();
        let message = TimeStatement {
            submission_id: number,
            statement: Captured::new(&Payload::from(statement.map)),
            journal: statement.journal,
            events: events.map(|event| Captured::new(&event.into())).collect(),
        };
        if link.ask(&message.into()).is_none() {
            break;
        }
    }
    Ok(())
}

/// UTC between two readings of the monotonic clock.
fn sample() -> ClockSample {
    let before = clock::mono();
    let utc = clock::utc();
    let after = clock::mono();
    let half = after.since(before) / 2;
    ClockSample {
        mono: before.plus_ns(half),
        utc,
        read_uncertainty_ns: half,
        kernel: None,
    }
}
