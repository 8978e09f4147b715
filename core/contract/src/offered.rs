//! The `[[time.offered]]` tables whole: their keys, how they are read, what must hold of them.

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::item::{Item, read_list, write_list};
use crate::keys::{Key, Preset, Section, key};
use crate::limits::{
    DAY_MS, HEAD_END, OFFERED_INTERVAL_MS_MIN, OFFERED_MAX, OFFERED_OFFSET_MS_MIN,
    RESERVED_SOURCES, TIME_LIMIT_US_MAX, TIME_LIMIT_US_MIN,
};
use crate::model::OfferedSource;
use crate::read::{duration, id, integer};
use crate::rules::{Problem, Problems, shown_ms, shown_us};
use crate::time::microseconds;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use evidence::SourceId;
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};

/// The tables.
pub(crate) const OFFERED: Section = Section {
    header: "[[time.offered]]",
    doc: "Who may offer the time: the head-end, later masters. Without such a table every offered time is \
        refused, and told.",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    key(
        "id",
        "id",
        Preset::Required,
        "Who offers it: `head-end` is the collector of `[uplink]`.",
    ),
    key(
        "priority",
        "integer",
        Preset::Number(1),
        "Of several that agree the one with the lowest number is handed on: 1 to 255. Of several that do not, \
            a majority decides, or nobody.",
    ),
    key(
        "offset_max",
        "duration",
        Preset::Text("1s"),
        "A time that is further from the node's clock is refused: 1ms to 1d. It counts only while the clock is \
            not known to be wrong, as one in 1970 is.",
    ),
    key(
        "uncertainty_max",
        "duration",
        Preset::Text("100ms"),
        "A time that may be wrong by more is refused: 1us to 10s. What comes over a network may be wrong by \
            half of the time that question and answer took.",
    ),
    key(
        "interval",
        "duration",
        Preset::Text("1min"),
        "How often it comes; it is good for five times as long: 1s to 1d.",
    ),
    key(
        "pause_min",
        "duration",
        Preset::Text("5s"),
        "What comes sooner behind the one before is refused; at most `interval`.",
    ),
];

/// The tables of `[time]`.
pub(crate) fn read(
    parent: &mut Block<'_, '_>,
    report: &mut Report<'_>,
) -> BTreeMap<SourceId, OfferedSource> {
    let mut sources = BTreeMap::new();
    for (place, (table, span)) in parent.children(report, "offered").into_iter().enumerate() {
        let path = Block::path_of(table, "time.offered", place);
        let mut block = Block::new(&OFFERED, path, table, span);
        block.refuse_unknown(report);
        let name = block.get(report, "id", None, |raw| id::<SourceId>(raw).map(Some));
        let source = OfferedSource {
            id: match name.or_else(|| "unreadable".parse().ok()) {
                Some(id) => id,
                None => continue,
            },
            priority: block.get(report, "priority", 1, integer("1 to 255")),
            offset_max_ms: block.get(
                report,
                "offset_max",
                1_000,
                duration(OFFERED_OFFSET_MS_MIN..=DAY_MS),
            ),
            uncertainty_max_us: block.get(report, "uncertainty_max", 100_000, microseconds),
            interval_ms: block.get(
                report,
                "interval",
                60_000,
                duration(OFFERED_INTERVAL_MS_MIN..=DAY_MS),
            ),
            pause_min_ms: block.get(report, "pause_min", 5_000, duration(0..=DAY_MS)),
        };
        for problem in rules(&source).0 {
            block.problem(report, problem);
        }
        if !block.is_faulty("id") && sources.contains_key(&source.id) {
            let what = format!("\"{}\" is declared twice", source.id);
            let problem = Problem {
                keys: &["id"],
                wrong: wrong(what, "write one table for each sender"),
                absent: false,
            };
            block.problem(report, problem);
        }
        sources.insert(source.id.clone(), source);
    }
    sources
}

/// What must hold of one.
pub(crate) fn rules(source: &OfferedSource) -> Problems {
    let mut out = Problems::default();
    let name = source.id.as_str();
    out.unless(
        name == HEAD_END || !RESERVED_SOURCES.contains(&name),
        &["id"],
        format!("\"{name}\" names a part of the node"),
        format!("write who sends the time, such as \"{HEAD_END}\""),
    );
    out.unless(
        source.priority >= 1,
        &["priority"],
        "a priority of 0",
        "write 1 to 255",
    );
    out.unless(
        (OFFERED_OFFSET_MS_MIN..=DAY_MS).contains(&source.offset_max_ms),
        &["offset_max"],
        format!("an offset of {}", shown_ms(source.offset_max_ms)),
        "write \"1ms\" to \"1d\"",
    );
    out.unless(
        (TIME_LIMIT_US_MIN..=TIME_LIMIT_US_MAX).contains(&source.uncertainty_max_us),
        &["uncertainty_max"],
        format!("an uncertainty of {}", shown_us(source.uncertainty_max_us)),
        "write \"1us\" to \"10s\"",
    );
    let interval = OFFERED_INTERVAL_MS_MIN..=DAY_MS;
    out.unless(
        interval.contains(&source.interval_ms),
        &["interval"],
        format!("an interval of {}", shown_ms(source.interval_ms)),
        "write \"1s\" to \"1d\"",
    );
    out.unless(
        source.pause_min_ms <= source.interval_ms,
        &["pause_min", "interval"],
        format!(
            "a pause of {} is longer than the interval, {}",
            shown_ms(source.pause_min_ms),
            shown_ms(source.interval_ms)
        ),
        "nothing that comes in its interval would be taken: write at most the interval",
    );
    out
}

/// A list in the order of the ids; left out where it is empty, as before there were any.
impl Item for BTreeMap<SourceId, OfferedSource> {
    fn present(&self) -> bool {
        !self.is_empty()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn write(&self, writer: &mut Writer) {
        write_list(writer, self.values());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        let sources: Vec<OfferedSource> = read_list(reader, OFFERED_MAX)?;
        if !sources.iter().all(|source| rules(source).0.is_empty()) {
            return Err(reader.fault(at, DecodeFault::OutOfRange("sound senders of the time")));
        }
        let named = sources
            .into_iter()
            .map(|source| (source.id.clone(), source));
        Ok(named.collect())
    }
}
