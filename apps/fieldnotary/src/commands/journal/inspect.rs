//! `fieldnotary journal inspect`: a journal as it lies on its media.

use super::content::Content;
use super::detail;
use super::finding::Finding;
use super::fsck::health_name;
use super::look::{harm_words, look_at};
use super::place::{NOBODY, Place, no_log_words, places};
use super::survey::{Surveyed, fields, survey};
use crate::cli::InspectArgs;
use crate::commands::Ended;
use crate::commands::on_disk::closed_orderly;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use journal::image::{self, Identity, SlotLook, TableLook};
use journal::{ReadTruth, Salvage, TruthHealth};
use serde_json::{Value, json};

/// Streams of the lease table that are shown; the JSON has them all.
const STREAMS_SHOWN_MAX: usize = 8;

/// One journal, looked at.
pub(super) struct Inspected<'p> {
    pub(super) place: &'p Place,
    pub(super) identity: Identity,
    pub(super) log: Option<LogState>,
    segments: Vec<Surveyed>,
    slots: Vec<SlotLook>,
    tables: Vec<TableLook>,
    content: Content,
    /// What a first look finds wrong, as it is given to programs.
    harm: Value,
}

/// Where the log stands.
pub(super) struct LogState {
    health: TruthHealth,
    /// `None` where the truth store does not say.
    orderly: Option<bool>,
    epoch: u64,
    oldest: u64,
    size: u64,
    /// By the truth store; without one by the newest checkpoint and acknowledgement that can be read.
    sealed: Option<u64>,
    cosigned: Option<u64>,
    pub(super) end: journal::Location,
}

/// Shows a journal, or one part of it.
pub(crate) fn inspect(args: &InspectArgs) -> Result<Ended, String> {
    let mut places = places(&args.dir, args.generation)?;
    if let Some(segment) = args.segment {
        // Of several generations, the one that is written now.
        let place = places.pop().ok_or("no journal")?;
        return detail::detail(&place, segment, args.frame, args.json);
    }
    let inspected: Vec<Inspected<'_>> = places.iter().map(Inspected::of).collect();
    if args.json {
        let journals: Vec<Value> = inspected.iter().map(Inspected::json).collect();
        sayln!("{}", json!({ "journals": journals }));
    } else {
        for (number, one) in inspected.iter().enumerate() {
            if number > 0 {
                sayln!("");
            }
            one.print();
        }
    }
    let destroyed: Vec<_> = inspected.iter().filter(|one| one.is_destroyed()).collect();
    for one in &destroyed {
        complain!("{}", no_log_words(&one.place.ring));
    }
    Ok(match destroyed.is_empty() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

/// The log of a place: as salvage finds it, else as its surroundings name it.
pub(super) fn identity_and_log(place: &Place) -> (Identity, Option<LogState>, Content) {
    let Ok(salvage) = Salvage::open(&place.volume, &place.truth, place.wanted) else {
        return (place.wanted.unwrap_or(NOBODY), None, Content::default());
    };
    let reader = salvage.reader();
    // A frame behind the end that a crash left is none of the log yet; behind an older truth store it is.
    let (size, end) = match reader.claimed().filter(|claimed| !claimed.old) {
        Some(claimed) => (claimed.size, claimed.end),
        None => (reader.size(), reader.committed_end()),
    };
    let content = Content::of(&salvage);
    let (health, _) = reader.truth_health();
    let told = |by_truth: u64, by_log: Option<u64>| match health {
        TruthHealth::Lost => by_log,
        TruthHealth::Sound | TruthHealth::Degraded | TruthHealth::SlotLost => Some(by_truth),
    };
    let log = LogState {
        health,
        orderly: closed_orderly(reader),
        epoch: reader.epoch().0,
        oldest: reader.oldest().0,
        size,
        sealed: told(reader.sealed_size(), content.sealed_size()),
        cosigned: told(reader.cosigned_size(), content.cosigned_size()),
        end,
    };
    (salvage.identity(), Some(log), content)
}

impl<'p> Inspected<'p> {
    fn of(place: &'p Place) -> Self {
        let (identity, log, content) = identity_and_log(place);
        let end = log.as_ref().map(|log| log.end);
        Self {
            segments: survey(place, identity, end, None),
            slots: image::slots(place.store(), identity),
            tables: image::tables(place.store(), identity),
            harm: look_at(place).iter().map(Finding::json).collect(),
            place,
            identity,
            log,
            content,
        }
    }

    /// Whether something was written here and nothing of a log is left of it.
    fn is_destroyed(&self) -> bool {
        self.log.is_none() && !self.place.is_unbegun()
    }

    /// Which log this is; `None` where neither a part of it nor what lies beside it says so.
    fn named(&self) -> Option<Identity> {
        (self.identity != NOBODY).then_some(self.identity)
    }

    fn json(&self) -> Value {
        let shape = self.place.measures.shape;
        let copies = self.slots.iter().map(|one| {
            json!({ "slot": one.slot, "copy": one.copy, "state": one.header.state.name(),
                    "header": fields(&one.header) })
        });
        let tables = self.tables.iter().map(|one| {
            json!({ "copy": one.copy, "state": one.header.state.name(), "header": fields(&one.header) })
        });
        let streams = self.newest_leases().into_iter();
        json!({
            "journal": self.place.ring.display().to_string(),
            "log_id": self.named().map(|log| log.log_id.to_string()),
            "generation": self.named().map(|log| log.generation.0),
            "ring": {
                "segments": shape.segments,
                "segment_bytes": shape.segment_bytes,
                "block_bytes": shape.block_bytes,
                "source": self.place.measures.source.name(),
            },
            "log": self.log.as_ref().map(LogState::json),
            "room": self.room_json(),
            "segments": self.segments.iter().map(Surveyed::json).collect::<Vec<_>>(),
            "truth": {
                "path": self.place.truth.path().display().to_string(),
                "class": self.place.truth.class().name(),
                "copies": copies.collect::<Vec<_>>(),
            },
            "leases": {
                "copies": tables.collect::<Vec<_>>(),
                "streams": streams.map(|(name, end)| (name, json!(end))).collect::<serde_json::Map<_, _>>(),
            },
            "kinds": self.content.kinds_json(),
            "checkpoints": self.content.checkpoints_json(),
            "unreadable_entries": self.content.unreadable,
            "findings": self.harm,
        })
    }

    /// Streams and the first number that nobody has leased, from the newest sound table.
    fn newest_leases(&self) -> Vec<(String, u64)> {
        let newest = self
            .tables
            .iter()
            .max_by_key(|table| table.header.number("counter"));
        let leases = newest.and_then(|table| table.leases.as_ref());
        let rows = leases.map(|leases| leases.seqs.iter());
        let rows = rows.into_iter().flatten();
        rows.map(|(stream, seq)| (stream.to_string(), seq.0))
            .collect()
    }

    /// Bytes left in the newest segment, and what opening the next one writes over.
    fn room(&self) -> Option<(u64, Option<&Surveyed>)> {
        let end = self.log.as_ref()?.end;
        let shape = self.place.measures.shape;
        let left = shape.segment_bytes.saturating_sub(end.offset);
        let next = shape.segment_of(end.lap.saturating_add(1));
        let next = self.segments.iter().find(|one| one.segment == next);
        Some((left, next.filter(|one| one.lap.is_some())))
    }

    fn room_json(&self) -> Value {
        let Some((left, next)) = self.room() else {
            return Value::Null;
        };
        json!({
            "segment_bytes_left": left,
            "next_segment": next.map(|one| one.segment),
            "next_holds_first": next.and_then(Surveyed::first),
            "next_holds_entries": next.map(Surveyed::entries),
        })
    }

    fn print(&self) {
        let place = self.place;
        let shape = place.measures.shape;
        sayln!("journal    {}", place.ring.display());
        match self.named() {
            Some(log) => sayln!("log        {log}"),
            None => sayln!("log        nothing here says which"),
        }
        let (segments, bytes) = (shape.segments, words::bytes(shape.segment_bytes));
        let block = words::bytes(u64::from(shape.block_bytes));
        let source = place.measures.source.name();
        sayln!("ring       {segments} segments of {bytes}, blocks of {block} ({source})");
        match &self.log {
            Some(log) => log.print(),
            None => sayln!("entries    none can be read"),
        }
        let class = place.truth.class().name();
        sayln!("truth      {class}, {}", place.truth.path().display());
        say!("{}", harm_words(&self.harm, &place.ring));
        self.print_room();
        if self.content.unreadable > 0 {
            let (count, first) = (self.content.unreadable, self.content.first_unreadable);
            let entries = words::count(count, "entry", "entries");
            sayln!("unreadable {entries}, the first is {first}; journal fsck says why");
        }
        self.print_segments();
        self.content.print();
        self.print_truth();
    }

    fn print_room(&self) {
        let Some((left, next)) = self.room() else {
            return;
        };
        let left = words::bytes(left);
        let over = match next.and_then(|one| Some((one.first()?, one.entries()))) {
            Some((first, count)) if count > 0 => {
                format!(
                    "the next writes over entries {first} to {}",
                    first + count - 1
                )
            }
            _ => "the next is free".to_owned(),
        };
        sayln!("room       {left} left in this segment; {over}");
    }

    fn print_segments(&self) {
        let mut table = Table::new(&[
            ("segment", Align::Right),
            ("header", Align::Left),
            ("lap", Align::Right),
            ("epoch", Align::Right),
            ("first", Align::Right),
            ("entries", Align::Right),
            ("frames", Align::Right),
            ("used", Align::Right),
            ("beside the log", Align::Left),
        ]);
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |one| one.to_string());
        for one in &self.segments {
            table.row([
                one.segment.to_string(),
                one.header.state.name().to_owned(),
                number(one.lap),
                number(one.header.number("epoch")),
                number(one.first()),
                one.entries().to_string(),
                one.frame_count().to_string(),
                words::bytes(one.used_bytes()),
                one.beside(),
            ]);
        }
        say!("\n{table}");
    }

    fn print_truth(&self) {
        let mut table = Table::new(&[
            ("truth", Align::Left),
            ("state", Align::Left),
            ("counter", Align::Right),
            ("size", Align::Right),
            ("sealed", Align::Right),
            ("cosigned", Align::Right),
            ("lap", Align::Right),
            ("commit_offset", Align::Right),
        ]);
        for one in &self.slots {
            let number = |name| {
                one.header
                    .number(name)
                    .map_or("-".to_owned(), |n| n.to_string())
            };
            table.row([
                format!("slot {} copy {}", one.slot, one.copy),
                one.header.state.name().to_owned(),
                number("counter"),
                number("size"),
                number("sealed_size"),
                number("cosigned_size"),
                number("lap"),
                number("commit_offset"),
            ]);
        }
        for one in &self.tables {
            let counter = one.header.number("counter");
            let mut row = <[String; 8]>::default();
            let cells = [
                format!("leases copy {}", one.copy),
                one.header.state.name().to_owned(),
                counter.map_or("-".to_owned(), |n| n.to_string()),
            ];
            for (cell, words) in row.iter_mut().zip(cells) {
                *cell = words;
            }
            table.row(row);
        }
        say!("\n{table}");
        let streams = self.newest_leases();
        if streams.is_empty() {
            return;
        }
        let shown = streams.iter().take(STREAMS_SHOWN_MAX);
        let shown: Vec<String> = shown
            .map(|(name, end)| format!("{name} below {end}"))
            .collect();
        let more = streams.len().saturating_sub(STREAMS_SHOWN_MAX);
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        sayln!("leased     {}{more}", shown.join(", "));
    }
}

impl LogState {
    fn json(&self) -> Value {
        json!({
            "truth_health": health_name(self.health),
            "closed_orderly": self.orderly,
            "epoch": self.epoch,
            "oldest": self.oldest,
            "size": self.size,
            "sealed_size": self.sealed,
            "cosigned_size": self.cosigned,
            "lap": self.end.lap,
            "segment": self.end.segment,
            "commit_offset": self.end.offset,
        })
    }

    fn print(&self) {
        let held = match self.size > self.oldest {
            true => words::stretch(self.oldest, self.size - 1),
            false => "none".to_owned(),
        };
        let below = |what: &str, size: Option<u64>| match size {
            Some(size) => format!("{what} below {size}"),
            None => format!("how many are {what} is not known"),
        };
        let (sealed, cosigned) = (
            below("sealed", self.sealed),
            below("cosigned", self.cosigned),
        );
        sayln!("entries    {held}; {sealed}, {cosigned}");
        let closed = match self.orderly {
            Some(true) => "closed orderly",
            Some(false) => "not closed: it runs, or it crashed",
            None => "whether it was closed is not known",
        };
        let end = self.end;
        let (epoch, health) = (self.epoch, health_name(self.health));
        sayln!(
            "end        lap {}, segment {}, byte {}; epoch {epoch}; {closed}; truth store {health}",
            end.lap,
            end.segment,
            end.offset
        );
    }
}
