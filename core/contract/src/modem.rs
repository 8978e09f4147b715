//! The `[[modem]]` tables whole: PLC modems, what they are asked, and where in their answers the counters are.

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::item::{by_id, lists, records};
use crate::keys::{Key, Preset, Section, key};
use crate::limits::{
    MODEM_ASKS_MAX, MODEM_BUCKETS_MAX, MODEM_COUNTERS_MAX, MODEM_TIMEOUT_MS_MAX,
    MODEM_TIMEOUT_MS_MIN, STATION_POINTS_MAX,
};
use crate::model::Contract;
use crate::read::{Raw, Value, decimal, duration, id, text};
use crate::rules::{Problems, shown_ms};
use crate::sound::reference;
use crate::station::CardKind;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use evidence::{Decimal, PointId, ScheduleId, SourceId};

/// A PLC modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modem {
    /// Its id.
    pub id: PointId,
    /// The card that says how it is reached.
    pub card: SourceId,
    /// When it is asked.
    pub schedule: ScheduleId,
    /// How long its answer may take.
    pub timeout_ms: u64,
    /// What is said to it on a serial line, a line each.
    pub ask: Asks,
    /// Where its link is, in the answer.
    pub link: Option<String>,
    /// Where its retransmissions are.
    pub retransmissions: Option<String>,
    /// Where its quality is.
    pub quality: Option<String>,
    /// The quality is that number times this.
    pub scale: Decimal,
    /// Ends of the buckets of quality, ascending.
    pub buckets: Buckets,
    /// Other counters.
    pub counters: Vec<ModemCounter>,
}

/// Lines that are said to a modem, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks(pub Vec<String>);

/// Ends of buckets, ascending: a number is in the first whose end is above it, or behind the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets(pub Vec<Decimal>);

/// A counter of a modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemCounter {
    /// Its name in the log.
    pub name: String,
    /// Where it is in the answer.
    pub place: String,
}

impl Buckets {
    /// How many there are: one more than ends.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len() + 1
    }

    /// The place of the bucket that a number is in.
    #[must_use]
    pub fn of(&self, number: Decimal) -> usize {
        let below = |end: &Decimal| number.cmp_value(*end) == Ordering::Less;
        self.0.iter().position(below).unwrap_or(self.0.len())
    }

    /// The name of the bucket at a place: below its end, or what is above all.
    #[must_use]
    pub fn name(&self, place: usize) -> String {
        match (self.0.get(place), self.0.last()) {
            (Some(end), _) => format!("<{end}"),
            (None, Some(last)) => format!(">={last}"),
            (None, None) => "any".to_string(),
        }
    }
}

impl Modem {
    /// Every place in the answer that is wanted.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        let own = [&self.link, &self.retransmissions, &self.quality];
        let own = own.into_iter().flatten().map(String::as_str);
        own.chain(self.counters.iter().map(|counter| counter.place.as_str()))
    }

    /// Whether its answers are JSON: its places are pointers.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.places().any(|place| place.starts_with('/'))
    }
}

records! {
    Modem {
        0 id; 1 card; 2 schedule; 3 timeout_ms; 4 ask; 5 link; 6 retransmissions; 7 quality; 8 scale; 9 buckets;
        10 counters;
    }
    ModemCounter { 0 name; 1 place; }
}

lists! {
    Asks of String, MODEM_ASKS_MAX;
    Buckets of Decimal, MODEM_BUCKETS_MAX;
}

lists! {
    ModemCounter, MODEM_COUNTERS_MAX;
}

by_id! {
    where_any:
    PointId => Modem, STATION_POINTS_MAX;
}

const NONE: Preset = Preset::Stated("none");

const fn place(name: &'static str, doc: &'static str) -> Key {
    key(name, "text", NONE, doc)
}

pub(crate) const MODEM: Section = Section {
    header: "[[modem]]",
    doc: "A PLC modem whose counters are read; its card says how it is reached. Each poll is an entry. Where a value is in \
        the answer is a JSON pointer (`/tx/retries`), or the key of a line `KEY: value` or `KEY=value` (`RETX`; \
        `RETX#2` is the second of several that commas part). All of one modem are pointers, or all are keys.",
    keys: &[
        key(
            "id",
            "id",
            Preset::Required,
            "Its name, which no other point of the station has.",
        ),
        key(
            "card",
            "id",
            Preset::Required,
            "Its card, of kind `modem-http`, `modem-serial` or `modem-command`; a card has one modem.",
        ),
        key(
            "schedule",
            "id",
            Preset::Required,
            "The [[schedule]] on whose slots it is asked.",
        ),
        key(
            "timeout",
            "duration",
            Preset::Text("2s"),
            "So long its whole answer may take: 100ms to 10s.",
        ),
        key(
            "ask",
            "list of texts",
            NONE,
            "What is said to it on a serial line, in order, such as `[\"AT+PLCSTAT?\"]`; each is answered up to a line \
            `OK` or `ERROR`.",
        ),
        place("link", "Where it says whether it has a link."),
        place(
            "retransmissions",
            "Where its count of retransmissions is (`plc_retx_cnt`).",
        ),
        place(
            "quality",
            "Where its quality is, such as a signal-to-noise ratio.",
        ),
        key(
            "quality_scale",
            "decimal",
            Preset::Number(1),
            "The quality is that number times this, exactly.",
        ),
        key(
            "quality_buckets",
            "list of decimals",
            NONE,
            "Ends of the buckets in which polls are counted by quality (`plc_quality`), ascending: `[\"10\", \"20\"]`.",
        ),
        key(
            "counters",
            "list of texts",
            NONE,
            "Other counters, `NAME=PLACE` each: `[\"crc=/rx/crc\"]`.",
        ),
    ],
};

/// A list of values.
fn list<T>(
    each: impl Fn(&Raw<'_, '_>) -> Value<T>,
    example: &'static str,
) -> impl Fn(&Raw<'_, '_>) -> Value<Vec<T>> {
    move |raw| match raw {
        Raw::List(list) => list
            .iter()
            .map(|one| each(&Raw::from(one.get_ref())))
            .collect(),
        _ => Err(raw.not("a list", format!("write it in brackets, such as {example}"))),
    }
}

fn counter(raw: &Raw<'_, '_>) -> Value<ModemCounter> {
    let said = text(raw)?;
    match said.split_once('=') {
        Some((name, place)) if !name.trim().is_empty() && !place.trim().is_empty() => {
            Ok(ModemCounter {
                name: name.trim().to_string(),
                place: place.trim().to_string(),
            })
        }
        _ => Err(wrong(
            format!("\"{said}\" names no counter and its place"),
            "write NAME=PLACE, such as \"crc=/rx/crc\"",
        )),
    }
}

/// Reads one table.
pub(crate) fn read(
    point: PointId,
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<Modem> {
    block.refuse_unknown(report);
    let one = Decimal::new(1, 0).ok()?;
    let card = block.get(report, "card", None, |raw| id(raw).map(Some));
    let schedule = block.get(report, "schedule", None, |raw| id(raw).map(Some));
    let timeout = duration(MODEM_TIMEOUT_MS_MIN..=MODEM_TIMEOUT_MS_MAX);
    let asks = block.maybe(report, "ask", list(text, "[\"AT+PLCSTAT?\"]"));
    let buckets = block.maybe(report, "quality_buckets", list(decimal, "[\"10\", \"20\"]"));
    let counters = block.maybe(report, "counters", list(counter, "[\"crc=/rx/crc\"]"));
    Some(Modem {
        id: point,
        card: card.or_else(|| stand_in.parse().ok())?,
        schedule: schedule.or_else(|| stand_in.parse().ok())?,
        timeout_ms: block.get(report, "timeout", 2_000, timeout),
        ask: Asks(asks.unwrap_or_default()),
        link: block.maybe(report, "link", text),
        retransmissions: block.maybe(report, "retransmissions", text),
        quality: block.maybe(report, "quality", text),
        scale: block.get(report, "quality_scale", one, decimal),
        buckets: Buckets(buckets.unwrap_or_default()),
        counters: counters.unwrap_or_default(),
    })
}

/// Every broken rule of a modem.
pub(crate) fn problems(contract: &Contract, modem: &Modem) -> Problems {
    let mut out = Problems::default();
    let cards = &contract.points.cards;
    let known = cards.keys().map(SourceId::as_str);
    reference(&mut out, &["card"], modem.card.as_str(), known);
    let schedules = contract.schedules.keys().map(ScheduleId::as_str);
    reference(&mut out, &["schedule"], modem.schedule.as_str(), schedules);
    let kind = cards.get(&modem.card).map(|card| card.kind);
    out.unless(
        kind.is_none_or(CardKind::is_modem),
        &["card"],
        format!("card \"{}\" is no modem", modem.card),
        "name a card of kind \"modem-http\", \"modem-serial\" or \"modem-command\"",
    );
    let same = |other: &&Modem| other.card == modem.card && other.id < modem.id;
    let other = contract.points.modems.values().find(same);
    let what = other.map_or_else(String::new, |other| {
        format!("modem \"{}\" has it too", other.id)
    });
    out.unless(other.is_none(), &["card"], what, "one card for each modem");
    let serial = kind == Some(CardKind::ModemSerial);
    out.unless(
        kind.is_none() || serial != modem.ask.0.is_empty(),
        &["ask", "card"],
        match serial {
            true => "nothing is asked on the serial line",
            false => "there is nobody to say that to: the card is no serial line",
        },
        match serial {
            true => "write what is said to it, such as ask = [\"AT+PLCSTAT?\"]",
            false => "remove the line",
        },
    );
    out.unless(
        (MODEM_TIMEOUT_MS_MIN..=MODEM_TIMEOUT_MS_MAX).contains(&modem.timeout_ms),
        &["timeout"],
        format!("an answer within {}", shown_ms(modem.timeout_ms)),
        "write 100ms to 10s",
    );
    let every = contract.schedules.get(&modem.schedule);
    let every_ms = every.map_or(u64::MAX, |schedule| schedule.every_ms);
    out.unless(
        modem.timeout_ms < every_ms,
        &["timeout", "schedule"],
        format!(
            "an answer may take {} and it is asked every {}",
            shown_ms(modem.timeout_ms),
            shown_ms(every_ms)
        ),
        "write a shorter time, or ask less often",
    );
    answers(modem, &mut out);
    out
}

/// What is wanted of an answer.
fn answers(modem: &Modem, out: &mut Problems) {
    let mut places = modem.places();
    out.unless(
        places.next().is_some(),
        &["retransmissions", "quality", "link", "counters"],
        "nothing of its answer is wanted",
        "write at least one of them",
    );
    let pointers = modem
        .places()
        .filter(|place| place.starts_with('/'))
        .count();
    out.unless(
        pointers == 0 || pointers == modem.places().count(),
        &["retransmissions", "quality", "link", "counters"],
        "some places are JSON pointers and some are keys",
        "write all as pointers, which begin with a slash, or all as keys",
    );
    let rising = modem
        .buckets
        .0
        .is_sorted_by(|low, high| low.cmp_value(*high) == Ordering::Less);
    out.unless(
        rising,
        &["quality_buckets"],
        "the ends of the buckets do not rise",
        "write the smallest first, and none twice",
    );
    for (keys, count, max) in [
        (&["ask"], modem.ask.0.len(), MODEM_ASKS_MAX),
        (
            &["quality_buckets"],
            modem.buckets.0.len(),
            MODEM_BUCKETS_MAX,
        ),
        (&["counters"], modem.counters.len(), MODEM_COUNTERS_MAX),
    ] {
        out.unless(
            count <= max,
            keys,
            format!("{count} of them"),
            format!("at most {max}"),
        );
    }
    let mut names: Vec<&str> = modem.counters.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    out.unless(
        names.is_sorted_by(|one, next| one < next),
        &["counters"],
        "two counters of one name",
        "give each a name of its own",
    );
}
