//! `fieldnotary bus failing`: the last attempts of a meter that gave no reading, with the bytes that were kept of each.

use crate::cli::BusFailingArgs;
use crate::commands::Ended;
use crate::commands::decode::{hex, mbus_told, modbus_told};
use crate::commands::directory::Directory;
use crate::commands::entries::End;
use crate::commands::ink::{Ink, ink};
use crate::commands::log_words::Known;
use crate::commands::progress::Progress;
use crate::commands::words;
use contract::PortKind;
use evidence::kinds::{AttemptFailed, Event, Payload};
use evidence::reasons::EventCode;
use evidence::{Blob, Entry, MeterId, UtcNs};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Shows them. Ends badly where the log does not know the meter, or its end is not certain.
pub(super) fn failing(args: &BusFailingArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    let mut known = Known::default();
    let mut kept: VecDeque<Failing> = VecDeque::new();
    let (mut failed, mut passed) = (0_u64, 0_u64);
    let progress = Progress::of("reading entry");
    let end = directory.each_entry(0, true, |entry| {
        progress.step();
        let Ok(payload) = entry.payload() else { return };
        known.observe(&payload);
        if let Payload::AttemptFailed(one) = &payload
            && one.meter_id == args.meter
            && !one.cause.was_asked()
        {
            passed += 1;
            return;
        }
        let Some(one) = Failing::of(entry, payload, &args.meter) else {
            return;
        };
        failed += 1;
        kept.push_back(one);
        if kept.len() > args.last {
            kept.pop_front();
        }
    })?;
    drop(progress);
    if !known.meters().any(|meter| meter == args.meter.as_str()) {
        let meters: Vec<&str> = known.meters().collect();
        return Err(format!(
            "the log knows no meter \"{}\"; its meters are: {}",
            args.meter,
            meters.join(", ")
        ));
    }
    let spoken = |one: &Failing| known.spoken_on(&one.source);
    if args.json {
        for one in &kept {
            sayln!("{}", one.json(spoken(one)));
        }
    } else {
        sayln!(
            "{}: {} failed or came late, the last {} of them follow; {} passed without a request\n",
            args.meter,
            words::count(failed, "attempt", "attempts"),
            kept.len(),
            words::count(passed, "slot", "slots"),
        );
        for one in &kept {
            say!("{}", one.screen(spoken(one)));
        }
    }
    Ok(match end {
        End::Certain => Ended::Well,
        End::Uncertain => Ended::Badly,
    })
}

/// One attempt without a reading, or a reply that came too late for one.
struct Failing {
    at: UtcNs,
    entry: String,
    source: String,
    seq: Option<u64>,
    attempt: Option<u64>,
    cause: &'static str,
    meaning: &'static str,
    sample: Option<Blob>,
}

impl Failing {
    fn of(entry: &Entry, payload: Payload, meter: &MeterId) -> Option<Self> {
        let header = &entry.header;
        let id = format!("{}:{}", header.generation.0, header.commit_id.0);
        let at = entry.stamp.timestamp;
        match payload {
            Payload::AttemptFailed(failed) if failed.meter_id == *meter => {
                Some(Self::attempt(at, id, failed))
            }
            Payload::Event(event)
                if event.code == EventCode::LateReply && event.meter_id.as_ref() == Some(meter) =>
            {
                Some(Self::event(at, id, event))
            }
            _ => None,
        }
    }

    fn attempt(at: UtcNs, entry: String, failed: AttemptFailed) -> Self {
        Self {
            at,
            entry,
            source: failed.source.to_string(),
            seq: Some(failed.seq.0),
            attempt: Some(failed.attempt),
            cause: failed.cause.name(),
            meaning: failed.cause.meaning(),
            sample: failed.sample,
        }
    }

    fn event(at: UtcNs, entry: String, event: Event) -> Self {
        Self {
            at,
            entry,
            source: event.source.to_string(),
            seq: event.about_seq.map(|seq| seq.0),
            attempt: None,
            cause: event.code.name(),
            meaning: event.code.meaning(),
            sample: event.sample,
        }
    }

    fn screen(&self, spoken: Option<&PortKind>) -> String {
        let seq = self
            .seq
            .map_or_else(|| "-".to_owned(), |seq| seq.to_string());
        let attempt = self
            .attempt
            .map_or_else(|| "-".to_owned(), |attempt| (attempt + 1).to_string());
        let cause = ink(Ink::Bad, self.cause);
        let mut out = format!(
            "{:<24}  {:>8}  session {seq}, attempt {attempt}: {cause}, {}\n",
            words::time(self.at),
            self.entry,
            self.meaning
        );
        match &self.sample {
            Some(sample) => {
                let (told, _) = read_as(spoken, &sample.0);
                out += &format!("    {}\n    {told}\n", hex(&sample.0));
            }
            None => out += "    nothing was on the wire\n",
        }
        out
    }

    fn json(&self, spoken: Option<&PortKind>) -> Value {
        let sample = self.sample.as_ref();
        json!({
            "at": query::rfc3339(self.at),
            "entry": self.entry,
            "source_id": self.source,
            "seq": self.seq,
            "attempt": self.attempt,
            "cause": self.cause,
            "meaning": self.meaning,
            "bytes": sample.map(|sample| hex(&sample.0)),
            "decoded": sample.map(|sample| read_as(spoken, &sample.0).1),
        })
    }
}

/// The bytes as what is spoken on their port; where the log does not know the port, as Modbus on a serial line.
fn read_as(spoken: Option<&PortKind>, bytes: &[u8]) -> (String, Value) {
    match spoken {
        Some(PortKind::Mbus(_)) => mbus_told(bytes),
        Some(PortKind::ModbusTcp { .. }) => modbus_told(bytes, true, false),
        Some(PortKind::ModbusRtu(_)) | None => modbus_told(bytes, false, false),
    }
}
