//! What must hold of what is watched.

use super::{ResetSource, Watched};
use crate::limits::{
    RESET_WORDS_MAX, SAMPLE_MS_MAX, SAMPLE_MS_MIN, TEXT_BYTES_MAX, UNIT_BYTES_MAX,
};
use crate::model::Contract;
use crate::rules::{Problems, shown_ms};
use crate::sound::reference;
use crate::station::remote;
use alloc::format;
use core::cmp::Ordering;
use evidence::reasons::Band;
use evidence::{Decimal, SourceId};

/// Bands of which the first does not begin below the second, with the keys of both.
const ORDER: [(Band, Band, &[&str]); 5] = [
    (Band::Droop, Band::Brownout, &["brownout", "droop"]),
    (Band::Droop, Band::Uvlo, &["uvlo", "droop"]),
    (Band::Brownout, Band::Uvlo, &["uvlo", "brownout"]),
    (Band::Hot, Band::Cold, &["hot", "cold"]),
    (Band::Humid, Band::Dry, &["humid", "dry"]),
];

/// Every broken rule of a supply or an environment.
pub(crate) fn problems(contract: &Contract, watched: &Watched) -> Problems {
    let mut out = Problems::default();
    has_channel(contract, &mut out, &watched.card, &watched.channel);
    out.unless(
        (SAMPLE_MS_MIN..=SAMPLE_MS_MAX).contains(&watched.sample_ms),
        &["sample"],
        format!("a sample every {}", shown_ms(watched.sample_ms)),
        "write 10ms to 1h",
    );
    out.unless(
        watched.scale.mantissa() != 0,
        &["scale"],
        "a scale of 0 makes every value the same",
        "write 1 for the raw number",
    );
    let len = watched.unit.len();
    out.unless(
        len <= UNIT_BYTES_MAX,
        &["unit"],
        format!("a unit of {len} bytes"),
        format!("at most {UNIT_BYTES_MAX}, such as \"V\""),
    );
    out.unless(
        watched.hysteresis.mantissa() >= 0,
        &["hysteresis"],
        format!("{} is below 0", watched.hysteresis),
        "write by how much it has to come back, or 0",
    );
    let at = |band: Band| {
        let mut limits = watched.limits.iter();
        limits
            .find(|limit| limit.band == band)
            .map(|limit| limit.at)
    };
    for (upper, lower, keys) in ORDER {
        if let (Some(high), Some(low)) = (at(upper), at(lower)) {
            out.unless(
                Decimal::cmp_value(high, low) != Ordering::Less,
                keys,
                format!("{lower} below {low} and {upper} at {high} cross each other"),
                format!("write a limit of {lower} that is not above that of {upper}"),
            );
        }
    }
    out
}

/// Every broken rule of a source of reset reasons.
pub(crate) fn reset_problems(contract: &Contract, reset: &ResetSource) -> Problems {
    let mut out = Problems::default();
    has_channel(contract, &mut out, &reset.card, &reset.channel);
    out.unless(
        !contract.points.is_remote(&reset.card),
        &["card"],
        format!("card \"{}\" has numbers and no texts", reset.card),
        "name a card of kind \"hwmon\" or \"directory\"",
    );
    let count = reset.words.len();
    out.unless(
        count <= RESET_WORDS_MAX,
        &["channel"],
        format!("{count} words for reasons"),
        format!("at most {RESET_WORDS_MAX}"),
    );
    let long = reset
        .words
        .iter()
        .find(|word| word.text.len() > TEXT_BYTES_MAX);
    out.unless(
        long.is_none(),
        &["channel"],
        "a word that no file says",
        format!("at most {TEXT_BYTES_MAX} bytes"),
    );
    let mut twice = reset.words.iter().enumerate();
    let twice = twice.find(|(place, word)| {
        let before = reset.words.get(..*place).unwrap_or_default();
        before.iter().any(|other| other.text == word.text)
    });
    if let Some((_, word)) = twice {
        let what = format!("\"{}\" has two meanings", word.text);
        out.add(&["channel"], what, "write each text once");
    }
    out
}

fn has_channel(contract: &Contract, out: &mut Problems, card: &SourceId, channel: &str) {
    let cards = &contract.points.cards;
    let known = cards.keys().map(SourceId::as_str);
    reference(out, &["card"], card.as_str(), known);
    let found = cards.get(card);
    out.unless(
        found.is_none_or(|card| card.kind.has_channels()),
        &["card"],
        format!("card \"{card}\" has no channels"),
        "name a card of kind \"hwmon\", \"iio\" or \"directory\"",
    );
    remote::has_channel(
        contract,
        out,
        (card, channel),
        "write the file's name in the directory of the card, such as \"in1_input\"",
    );
}
