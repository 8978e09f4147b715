//! The segments of a ring as they lie: which lap each holds, and what stands in it.

use super::place::Place;
use journal::Location;
use journal::image::{self, FrameLook, Header, Identity, State};
use serde_json::{Map, Value, json};

/// What a frame is to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Part of the log, as far as its own checks tell.
    Committed,
    /// Behind the committed end: its write did not finish, or nobody was told of it.
    BehindEnd,
    /// Left by a write that failed; the log went on elsewhere.
    Void,
    /// Of a lap that has left the ring.
    EarlierLap,
    /// A frame of the log must begin here, and no sound header does.
    Unsound,
}

impl Standing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::BehindEnd => "behind_end",
            Self::Void => "void",
            Self::EarlierLap => "earlier_lap",
            Self::Unsound => "unsound",
        }
    }
}

/// One segment.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) segment: u32,
    pub(super) header: Header,
    /// The lap that it holds: by its header, else by its newest frame.
    pub(super) lap: Option<u64>,
    pub(super) frames: Vec<(Standing, FrameLook)>,
}

/// All segments, or the one that is asked for.
pub(super) fn survey(
    place: &Place,
    identity: Identity,
    end: Option<Location>,
    only: Option<u32>,
) -> Vec<Surveyed> {
    (0..place.measures.shape.segments)
        .filter(|segment| only.is_none_or(|only| only == *segment))
        .map(|segment| one(place, identity, end, segment))
        .collect()
}

fn one(place: &Place, identity: Identity, end: Option<Location>, segment: u32) -> Surveyed {
    let header = image::segment(&place.volume, identity, segment);
    let frames = image::frames(&place.volume, identity, segment);
    let newest = frames
        .iter()
        .filter_map(|look| look.header.number("lap"))
        .max();
    let lap = header.number("lap").or(newest);
    let limit = lap.map_or(u64::MAX, |lap| end_of_lap(place, identity, lap));
    let standing = |look: &FrameLook| {
        let of = look.header.number("lap").or(lap);
        let behind = end.is_some_and(|end| (of, look.offset) >= (Some(end.lap), end.offset));
        match look.header.is_sound() {
            true if of < lap => Standing::EarlierLap,
            _ if behind => Standing::BehindEnd,
            _ if look.offset >= limit => Standing::Void,
            true => Standing::Committed,
            false => Standing::Unsound,
        }
    };
    let frames = frames.into_iter().map(|look| (standing(&look), look));
    // Behind the end of a lap lies what was there before it: only what begins as a frame does once was one.
    let frames = frames.filter(|(standing, look)| {
        let outside = matches!(standing, Standing::Void | Standing::BehindEnd);
        !outside || look.header.state != State::Damaged || look.begins_as_frame()
    });
    Surveyed {
        segment,
        lap,
        frames: frames.collect(),
        header,
    }
}

/// Where the committed part of a lap ends, as the header of the next one says.
fn end_of_lap(place: &Place, identity: Identity, lap: u64) -> u64 {
    let next = lap.saturating_add(1);
    let segment = place.measures.shape.segment_of(next);
    let header = image::segment(&place.volume, identity, segment);
    if header.number("lap") != Some(next) {
        return u64::MAX;
    }
    match header.number("previous_lap") {
        Some(previous) if previous == lap => header.number("previous_end").unwrap_or(u64::MAX),
        // Nothing was committed in this lap.
        Some(_) => 0,
        None => u64::MAX,
    }
}

impl Surveyed {
    fn committed(&self) -> impl Iterator<Item = &FrameLook> {
        let committed = |(standing, _): &&(Standing, FrameLook)| *standing == Standing::Committed;
        self.frames.iter().filter(committed).map(|(_, look)| look)
    }

    pub(super) fn frame_count(&self) -> usize {
        self.committed().count()
    }

    pub(super) fn entries(&self) -> u64 {
        self.committed()
            .filter_map(|look| look.header.number("count"))
            .sum()
    }

    pub(super) fn first(&self) -> Option<u64> {
        let by_frame = self
            .committed()
            .find_map(|look| look.header.number("first_commit_id"));
        self.header.number("first_commit_id").or(by_frame)
    }

    /// Where the last committed frame ends.
    pub(super) fn used_bytes(&self) -> u64 {
        self.committed()
            .filter_map(|look| {
                Some(
                    look.offset
                        .saturating_add(look.header.number("frame_bytes")?),
                )
            })
            .max()
            .unwrap_or(0)
    }

    /// Bytes of entries, without headers and padding.
    fn payload_bytes(&self) -> u64 {
        self.committed()
            .filter_map(|look| look.header.number("payload_bytes"))
            .sum()
    }

    /// Places that are not part of the log, in words.
    pub(super) fn beside(&self) -> String {
        let kinds = [
            (Standing::BehindEnd, "behind the end"),
            (Standing::Void, "void"),
            (Standing::Unsound, "unsound"),
            (Standing::EarlierLap, "of an earlier lap"),
        ];
        let counts = kinds.iter().filter_map(|(kind, words)| {
            let count = self.frames.iter().filter(|(one, _)| one == kind).count();
            (count > 0).then(|| format!("{count} {words}"))
        });
        counts.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "segment": self.segment,
            "state": self.header.state.name(),
            "lap": self.lap,
            "header": fields(&self.header),
            "first": self.first(),
            "frames": self.frame_count(),
            "entries": self.entries(),
            "used_bytes": self.used_bytes(),
            "payload_bytes": self.payload_bytes(),
            "other_places": self.frames.len() - self.frame_count(),
        })
    }
}

/// The fields of a header by their names: numbers as numbers, all else in hexadecimal.
pub(super) fn fields(header: &Header) -> Value {
    let fields = header.fields.iter().map(|field| {
        let value = match field.number {
            Some(number) => json!(number),
            None => json!(crate::commands::backup_archive::hex(&field.bytes)),
        };
        (field.name.to_owned(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}
