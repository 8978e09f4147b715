//! Reads the tables of supplies, environments and reset reasons.

use super::{Limit, ResetSource, ResetWord, Watched};
use crate::block::Block;
use crate::error::Report;
use crate::limits::{SAMPLE_MS_MAX, SAMPLE_MS_MIN};
use crate::read::{Raw, Value, decimal, duration, id, text};
use crate::words::Word;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::reasons::{Band, ResetCause};
use evidence::{Decimal, PointId, SourceId};

/// The bands of a supply, by their keys.
pub(crate) const OF_POWER: [(&str, Band); 3] = [
    ("droop", Band::Droop),
    ("brownout", Band::Brownout),
    ("uvlo", Band::Uvlo),
];
/// The bands of an environment.
pub(crate) const OF_ENVIRONMENT: [(&str, Band); 4] = [
    ("cold", Band::Cold),
    ("hot", Band::Hot),
    ("dry", Band::Dry),
    ("humid", Band::Humid),
];

type Table<'t, 'i> = Block<'t, 'i>;

fn whole(number: i128, exponent: i8) -> Decimal {
    Decimal::new(number, exponent).unwrap_or_else(|_| unreachable!("a digit is a decimal"))
}

fn card(block: &mut Table<'_, '_>, report: &mut Report<'_>, stand_in: &str) -> Option<SourceId> {
    block.refuse_unknown(report);
    let card = block.get(report, "card", None, |raw| id(raw).map(Some));
    card.or_else(|| stand_in.parse().ok())
}

fn channel(block: &mut Table<'_, '_>, report: &mut Report<'_>) -> String {
    block.get(report, "channel", String::from("unreadable"), text)
}

pub(crate) fn watched(
    point: PointId,
    bands: &[(&'static str, Band)],
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<Watched> {
    let card = card(block, report, stand_in)?;
    let mut limits = Vec::new();
    for (name, band) in bands {
        let at = block.maybe(report, name, decimal);
        limits.extend(at.map(|at| Limit { band: *band, at }));
    }
    Some(Watched {
        id: point,
        card,
        channel: channel(block, report),
        sample_ms: block.get(
            report,
            "sample",
            1_000,
            duration(SAMPLE_MS_MIN..=SAMPLE_MS_MAX),
        ),
        scale: block.get(report, "scale", whole(1, -3), decimal),
        offset: block.get(report, "offset", whole(0, 0), decimal),
        unit: block.get(report, "unit", String::new(), text),
        limits,
        hysteresis: block.get(report, "hysteresis", whole(0, 0), decimal),
    })
}

pub(crate) fn reset(
    point: PointId,
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<ResetSource> {
    let card = card(block, report, stand_in)?;
    let channel = channel(block, report);
    let mut words = Vec::new();
    for (name, cause) in <ResetCause as Word>::ALL {
        let texts = block.maybe(report, name, texts).unwrap_or_default();
        words.extend(texts.into_iter().map(|text| ResetWord {
            cause: *cause,
            text,
        }));
    }
    Some(ResetSource {
        id: point,
        card,
        channel,
        words,
    })
}

/// A list of texts.
fn texts(raw: &Raw<'_, '_>) -> Value<Vec<String>> {
    let Raw::List(list) = raw else {
        return Err(raw.not(
            "a list of texts",
            "write them in brackets, such as [\"32\"]",
        ));
    };
    list.iter()
        .map(|one| text(&Raw::from(one.get_ref())))
        .collect()
}

/// The keys of a reset's words.
impl Word for ResetCause {
    const ALL: &'static [(&'static str, Self)] = &[
        ("power_on", Self::PowerOn),
        ("brownout", Self::Brownout),
        ("watchdog", Self::Watchdog),
        ("software", Self::Software),
        ("external", Self::External),
        ("thermal_reset", Self::Thermal),
        ("fault", Self::Fault),
    ];
}
