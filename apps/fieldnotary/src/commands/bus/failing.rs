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
use evidence::reasons::{AttemptCause, EventCode};
use evidence::{Blob, Entry, MeterId, UtcNs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Shows them. Ends badly where the log does not know the meter, or its end is not certain.
pub(super) fn failing(args: &BusFailingArgs) -> Result<Ended, String> {
    let directory = Directory::open(&args.dir)?;
    let mut known = Known::default();
    let mut kept: VecDeque<Failing> = VecDeque::new();
    let mut changes: VecDeque<Change> = VecDeque::new();
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
        if let Some(change) = Change::of(entry, &payload, &args.meter) {
            changes.push_back(change);
            if changes.len() > CHANGES_MAX {
                changes.pop_front();
            }
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
    kept.iter_mut().for_each(|one| one.explain(&changes));
    let spoken = |one: &Failing| known.spoken_on(&one.source);
    if args.json {
        for one in &kept {
            sayln!("{}", one.json(spoken(one)));
        }
    } else {
        sayln!(
            "{}: {}; {} passed without a request\n",
            args.meter,
            told_and_kept(failed, kept.len()),
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

/// How many attempts gave no reading, and how many of them are shown.
fn told_and_kept(failed: u64, kept: usize) -> String {
    let failed_words = words::count(failed, "attempt", "attempts");
    let shown = match (failed, kept) {
        (0, _) => return "no attempt failed or came late".to_owned(),
        (_, 0) => "none is shown (--last)".to_owned(),
        (1, _) => "it follows".to_owned(),
        (_, 1) => "the last one follows".to_owned(),
        (_, kept) if u64::try_from(kept).is_ok_and(|kept| kept == failed) => {
            "all of them follow".to_owned()
        }
        (_, kept) => format!("the last {kept} of them follow"),
    };
    format!("{failed_words} failed or came late, {shown}")
}

/// The newest changes of a meter's records that are held while the log is read.
const CHANGES_MAX: usize = 256;

/// What was found of a point when its record was first not what the contract says: the attempts that fail for it repeat
/// neither the words nor the telegram.
#[derive(Clone)]
struct Change {
    entry: String,
    seq: u64,
    words: String,
    sample: Option<Blob>,
}

impl Change {
    fn of(entry: &Entry, payload: &Payload, meter: &MeterId) -> Option<Self> {
        let Payload::Event(event) = payload else {
            return None;
        };
        let is_one =
            event.code == EventCode::RecordChanged && event.meter_id.as_ref() == Some(meter);
        is_one.then(|| Self {
            entry: id_of(entry),
            seq: event.about_seq.map_or(0, |seq| seq.0),
            words: event.detail.clone().unwrap_or_default(),
            sample: event.sample.clone(),
        })
    }

    /// The point that its words begin with.
    fn point(&self) -> Option<&str> {
        let (head, _) = self.words.strip_prefix("point ")?.split_once(": ")?;
        Some(head)
    }
}

fn id_of(entry: &Entry) -> String {
    let header = &entry.header;
    format!("{}:{}", header.generation.0, header.commit_id.0)
}

/// Of a reply that came in parts.
const WENT_ON: &str = "it stopped within the frame, and the rest came too late to be taken: both parts follow as one frame. Where \
                       an adapter or a converter holds bytes back, the port's `latency` says for how long";

/// Whether a telegram came whole, and what it says is not what the contract asks for.
const fn is_of_records(cause: AttemptCause) -> bool {
    matches!(
        cause,
        AttemptCause::RecordMissing | AttemptCause::RecordAmbiguous | AttemptCause::RecordUnit
    )
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
    /// Of a telegram that came whole: the points it has no record for.
    of_records: Option<Vec<String>>,
    /// What the log says of those points, newest last.
    found: Vec<Change>,
}

impl Failing {
    fn of(entry: &Entry, payload: Payload, meter: &MeterId) -> Option<Self> {
        let id = id_of(entry);
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
            of_records: is_of_records(failed.cause)
                .then(|| failed.points.iter().map(ToString::to_string).collect()),
            found: Vec::new(),
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
            of_records: None,
            found: Vec::new(),
        }
    }

    /// Takes what was said of its points last, up to its session.
    fn explain(&mut self, changes: &VecDeque<Change>) {
        let (Some(points), Some(seq)) = (&self.of_records, self.seq) else {
            return;
        };
        let concerned = |change: &&Change| {
            let point = change.point();
            change.seq <= seq && (points.is_empty() || points.iter().any(|one| point == Some(one)))
        };
        let mut newest: BTreeMap<Option<&str>, &Change> = BTreeMap::new();
        for change in changes.iter().filter(concerned) {
            newest.insert(change.point(), change);
        }
        self.found = newest.into_values().cloned().collect();
    }

    /// The bytes that show it: its own, or those of the session in which it was first so.
    fn bytes(&self) -> Option<&Blob> {
        let mut found = self.found.iter().rev();
        let sample = self.sample.as_ref();
        sample.or_else(|| found.find_map(|change| change.sample.as_ref()))
    }

    fn screen(&self, spoken: Option<&PortKind>) -> String {
        let seq = self
            .seq
            .map_or_else(|| "-".to_owned(), |seq| seq.to_string());
        let attempt = self
            .attempt
            .map_or_else(|| "-".to_owned(), |attempt| attempt.to_string());
        let cause = ink(Ink::Bad, self.cause);
        let mut out = format!(
            "{:<24}  {:>8}  session {seq}, attempt {attempt}: {cause}, {}\n",
            words::time(self.at),
            self.entry,
            self.meaning
        );
        for change in &self.found {
            out += &format!("    {} (first said by {})\n", change.words, change.entry);
        }
        match self.bytes() {
            Some(sample) => {
                let (told, _) = read_as(spoken, &sample.0);
                if self.went_on(spoken) {
                    out += &format!("    {WENT_ON}\n");
                }
                out += &format!("    {}\n    {told}\n", hex(&sample.0));
            }
            None if self.of_records.is_some() => {
                out += "    its telegram came whole and is not in this log any more; read the meter now with: fieldnotary bus \
                        probe CONFIG METER\n";
            }
            None => out += "    nothing was on the wire\n",
        }
        out
    }

    /// A reply that is short and whole: it stopped, and its rest came later than a frame may pause.
    fn went_on(&self, spoken: Option<&PortKind>) -> bool {
        let whole = |sample: &Blob| mbus::link::decode(&sample.0).is_ok();
        self.cause == AttemptCause::ShortReply.name()
            && matches!(spoken, Some(PortKind::Mbus(_)))
            && self.sample.as_ref().is_some_and(whole)
    }

    fn json(&self, spoken: Option<&PortKind>) -> Value {
        let sample = self.bytes();
        let found = self.found.iter();
        let found = found.map(|one| json!({"entry": one.entry, "what": one.words}));
        json!({
            "at": query::rfc3339(self.at),
            "entry": self.entry,
            "source_id": self.source,
            "seq": self.seq,
            "attempt": self.attempt,
            "cause": self.cause,
            "meaning": self.meaning,
            "went_on": self.went_on(spoken),
            "found": found.collect::<Vec<_>>(),
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

#[cfg(test)]
mod tests {
    use super::{Failing, told_and_kept};
    use contract::PortKind;
    use evidence::reasons::AttemptCause;
    use evidence::{Blob, UtcNs};

    #[test]
    fn how_many_failed_and_how_many_are_shown_is_said_in_words() {
        for (failed, kept, due) in [
            (0, 0, "no attempt failed or came late"),
            (1, 1, "1 attempt failed or came late, it follows"),
            (3, 3, "3 attempts failed or came late, all of them follow"),
            (3, 1, "3 attempts failed or came late, the last one follows"),
            (
                9,
                3,
                "9 attempts failed or came late, the last 3 of them follow",
            ),
            (
                9,
                0,
                "9 attempts failed or came late, none is shown (--last)",
            ),
        ] {
            assert_eq!(told_and_kept(failed, kept), due);
        }
    }

    //= A3.2
    #[test]
    fn a_reply_that_is_short_and_whole_says_how_that_can_be() {
        let text = "[station]\norigin = \"a\"\n[[port]]\nid = \"bus\"\nkind = \"mbus\"\ndevice = \"/dev/ttyS1\"\n";
        let contract = contract::parse(text).unwrap();
        let spoken: Option<&PortKind> = contract.ports.values().next().map(|port| &port.kind);
        // A short frame stands for any: SND_NKE to address 5.
        let whole = [0x10, 0x40, 0x05, 0x45, 0x16];
        for (cause, bytes, due) in [
            (AttemptCause::ShortReply, &whole[..], true),
            (AttemptCause::ShortReply, &whole[..3], false),
            (AttemptCause::ForeignReply, &whole[..], false),
        ] {
            let one = Failing {
                at: UtcNs(0),
                entry: "1:2".to_owned(),
                source: "bus".to_owned(),
                seq: Some(7),
                attempt: Some(1),
                cause: cause.name(),
                meaning: cause.meaning(),
                sample: Some(Blob::from(bytes)),
                of_records: None,
                found: Vec::new(),
            };
            let screen = one.screen(spoken);
            assert_eq!(screen.contains("both parts follow"), due, "{screen}");
            assert_eq!(one.json(spoken)["went_on"], due);
            // The number of an attempt is the one that programs get.
            assert!(screen.contains("session 7, attempt 1: "), "{screen}");
            assert_eq!(one.json(spoken)["attempt"], 1);
        }
    }
}
