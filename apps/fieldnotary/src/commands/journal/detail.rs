//! One segment or one frame, field by field.

use super::inspect::identity_and_log;
use super::place::Place;
use super::survey::{Standing, Surveyed, fields, survey};
use crate::commands::Ended;
use crate::commands::backup_archive::hex;
use crate::commands::table::{Align, Table};
use journal::image::{self, FrameLook, Header, Identity};
use journal::{ReadVolume, StoredEntry};
use serde_json::{Value, json};

/// Bytes of a row of hexadecimal.
const ROW_BYTES: usize = 16;
/// Bytes shown of a place whose header is not sound.
const DAMAGE_BYTES: usize = 512;

/// Shows a segment, or a frame in it.
pub(super) fn detail(
    place: &Place,
    segment: u32,
    frame: Option<u64>,
    as_json: bool,
) -> Result<Ended, String> {
    let segments = place.measures.shape.segments;
    if segment >= segments {
        return Err(format!(
            "the ring has segments 0 to {}, and no {segment}",
            segments - 1
        ));
    }
    let (identity, log, _) = identity_and_log(place);
    let end = log.map(|log| log.end);
    let surveyed = survey(place, identity, end, Some(segment));
    let one = surveyed.first().ok_or("no such segment")?;
    match (frame, as_json) {
        (None, true) => sayln!("{}", segment_json(one)),
        (None, false) => print_segment(place, one),
        (Some(offset), _) => return frame_at(place, identity, one, offset, as_json),
    }
    Ok(Ended::Well)
}

fn segment_json(one: &Surveyed) -> Value {
    let mut json = one.json();
    let places = one.frames.iter().map(|(standing, look)| {
        json!({
            "offset": look.offset,
            "standing": standing.name(),
            "state": look.header.state.name(),
            "payload": look.payload.map(image::Payload::name),
            "header": fields(&look.header),
        })
    });
    if let Some(object) = json.as_object_mut() {
        object.insert("places".to_owned(), places.collect());
    }
    json
}

fn print_segment(place: &Place, one: &Surveyed) {
    let file = place.ring.join(media::segment_file_name(one.segment));
    sayln!("segment    {} ({})", one.segment, file.display());
    sayln!("header     {}", one.header.state.name());
    print_fields(&one.header);
    if !one.header.is_sound() {
        print_bytes(place, one.segment, 0);
    }
    let mut table = Table::new(&[
        ("offset", Align::Right),
        ("standing", Align::Left),
        ("header", Align::Left),
        ("payload", Align::Left),
        ("lap", Align::Right),
        ("epoch", Align::Right),
        ("first", Align::Right),
        ("entries", Align::Right),
        ("bytes", Align::Right),
    ]);
    for (standing, look) in &one.frames {
        let number = |name| {
            look.header
                .number(name)
                .map_or("-".to_owned(), |n| n.to_string())
        };
        table.row([
            look.offset.to_string(),
            standing.name().to_owned(),
            look.header.state.name().to_owned(),
            look.payload.map_or("-", image::Payload::name).to_owned(),
            number("lap"),
            number("epoch"),
            number("first_commit_id"),
            number("count"),
            number("frame_bytes"),
        ]);
    }
    say!("\n{table}");
}

fn frame_at(
    place: &Place,
    identity: Identity,
    one: &Surveyed,
    offset: u64,
    as_json: bool,
) -> Result<Ended, String> {
    let shape = place.measures.shape;
    let block = u64::from(shape.block_bytes);
    let last = shape.segment_bytes.saturating_sub(block);
    let first = shape.first_frame_offset();
    if !offset.is_multiple_of(block) || offset < first || offset > last {
        return Err(format!(
            "a frame begins at a multiple of {block} from {first} to {last}, and not at {offset}; those of the \
             segment are listed without --frame"
        ));
    }
    let (look, entries) = image::frame(&place.volume, identity, one.segment, offset);
    let known = one.frames.iter().find(|(_, frame)| frame.offset == offset);
    let standing = known.map(|(standing, _)| *standing);
    if as_json {
        sayln!("{}", frame_json(one.segment, standing, &look, &entries));
    } else {
        print_frame(place, one.segment, standing, &look, &entries);
    }
    Ok(Ended::Well)
}

fn frame_json(
    segment: u32,
    standing: Option<Standing>,
    look: &FrameLook,
    entries: &[StoredEntry],
) -> Value {
    let rows = entries.iter().map(|stored| match stored.entry() {
        Ok(entry) => Value::Object(query::row(&entry)),
        Err(error) => json!({ "commit_id": stored.commit_id.0, "malformed": error.to_string() }),
    });
    json!({
        "segment": segment,
        "offset": look.offset,
        "standing": standing.map(Standing::name),
        "state": look.header.state.name(),
        "payload": look.payload.map(image::Payload::name),
        "header": fields(&look.header),
        "entries": rows.collect::<Vec<_>>(),
    })
}

fn print_frame(
    place: &Place,
    segment: u32,
    standing: Option<Standing>,
    look: &FrameLook,
    entries: &[StoredEntry],
) {
    let standing = standing.map_or("no frame begins here", Standing::name);
    sayln!(
        "frame      segment {segment} byte {}: {standing}",
        look.offset
    );
    sayln!("header     {}", look.header.state.name());
    print_fields(&look.header);
    let whole = look.payload.is_some_and(|one| one == image::Payload::Sound);
    if let Some(payload) = look.payload {
        sayln!("payload    {}", payload.name());
    }
    if !whole {
        print_bytes(place, segment, look.offset);
    }
    if entries.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("kind", Align::Left),
        ("bytes", Align::Right),
    ]);
    for stored in entries {
        let kind = stored.entry();
        let kind = kind.map_or("malformed", |entry| entry.header.kind.name());
        table.row([
            stored.commit_id.0.to_string(),
            kind.to_owned(),
            stored.bytes.len().to_string(),
        ]);
    }
    say!("\n{table}");
}

/// The fields of a header; of one that is not sound, as its bytes would have them.
fn print_fields(header: &Header) {
    let mut table = Table::new(&[
        ("offset", Align::Right),
        ("field", Align::Left),
        ("value", Align::Left),
    ]);
    for field in &header.fields {
        let value = match field.number {
            Some(number) => number.to_string(),
            None => hex(&field.bytes),
        };
        table.row([field.offset.to_string(), field.name.to_owned(), value]);
    }
    say!("{table}");
}

/// The bytes of a place that is damaged, in hexadecimal; rows of zeros are passed over.
fn print_bytes(place: &Place, segment: u32, offset: u64) {
    let mut bytes = vec![0; DAMAGE_BYTES];
    if let Err(error) = place.volume.read(segment, offset, &mut bytes) {
        sayln!("bytes      {error}");
        return;
    }
    sayln!("bytes      the first {DAMAGE_BYTES}, without rows of zeros");
    for (at, row) in (offset..).step_by(ROW_BYTES).zip(bytes.chunks(ROW_BYTES)) {
        if row.iter().any(|byte| *byte != 0) {
            let pairs: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            sayln!("{at:>10}  {}", pairs.join(" "));
        }
    }
}
