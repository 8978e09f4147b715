//! Samples of events: wire bytes that came when nobody waited for them, kept as evidence.

use serde_json::Value;
use std::collections::BTreeSet;

/// Events that are about bytes from the wire.
const WIRE_EVENTS: [&str; 4] = ["late_reply", "foreign_reply", "line_noise", "idle_chatter"];
/// Those of them whose bytes are no frame.
const NOISE_EVENTS: [&str; 2] = ["line_noise", "idle_chatter"];
/// Events that say that a port carried something that was no answer.
const STRAY_EVENTS: [&str; 5] = [
    "line_noise",
    "idle_chatter",
    "foreign_reply",
    "bus_stuck",
    "own_echo",
];
/// Hex digits below which a part of a frame says nothing about the whole.
const PART_DIGITS_MIN: usize = 8;

#[derive(Debug)]
struct Sample {
    meter: Option<String>,
    /// The port that the event is about.
    source: Option<String>,
    hex: String,
    /// Replies that it stands for; 0 when all of them are found.
    left: u64,
    /// It stands for several, and shows the bytes of the first alone.
    several: bool,
    /// They were no frames, so that none need look like the first; on that port alone.
    noise: bool,
}

/// The samples of a log.
#[derive(Debug, Default)]
pub(super) struct Samples {
    all: Vec<Sample>,
    /// Ports of which an event says that they carried what was no answer.
    spoken_of: BTreeSet<String>,
}

impl Samples {
    /// Takes an event's row.
    pub(super) fn event(&mut self, row: &Value) {
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        if let (Some(code), Some(source)) = (text("code"), text("source"))
            && STRAY_EVENTS.contains(&code)
        {
            self.spoken_of.insert(source.to_owned());
        }
        let (Some(code), Some(hex)) = (text("code"), text("sample")) else {
            return;
        };
        if WIRE_EVENTS.contains(&code) {
            let count = row.get("count").and_then(Value::as_u64).unwrap_or(1);
            self.all.push(Sample {
                meter: text("meter_id").map(str::to_owned),
                source: text("source").map(str::to_owned),
                hex: hex.to_owned(),
                left: count,
                several: count > 1,
                noise: NOISE_EVENTS.contains(&code),
            });
        }
    }

    /// Whether an event says of a port that it carried what was no answer.
    pub(super) fn speak_of(&self, port: &str) -> bool {
        self.spoken_of.contains(port)
    }

    /// Uses up the sample that shows these bytes of this meter, which is on this port; `false` if there is none.
    pub(super) fn take(&mut self, meter: &str, port: &str, hex: &str) -> bool {
        let fits = |sample: &Sample| {
            let noise = sample.noise && sample.source.as_deref() == Some(port);
            let of_meter = sample.meter.as_deref().is_none_or(|of| of == meter);
            let shown = related(&sample.hex, hex)
                || (sample.several && (noise || same_head(&sample.hex, hex)));
            sample.left > 0 && of_meter && shown
        };
        let exact = |sample: &Sample| sample.left > 0 && sample.hex == hex;
        let place = self
            .all
            .iter()
            .position(exact)
            .or_else(|| self.all.iter().position(fits));
        match place.and_then(|place| self.all.get_mut(place)) {
            Some(sample) => {
                sample.left -= 1;
                true
            }
            None => false,
        }
    }
}

/// One is the other, or a part of it that says something.
pub(super) fn related(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    one == other || (short.len() >= PART_DIGITS_MIN && long.contains(short))
}

/// Same unit and function.
fn same_head(one: &str, other: &str) -> bool {
    one.get(..4)
        .is_some_and(|head| other.get(..4) == Some(head))
}
