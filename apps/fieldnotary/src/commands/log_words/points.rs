//! What the records of the station's own points say, in words.

use super::{Known, quality_words};
use crate::commands::words;
use evidence::kinds::{Analog, PulseCount, Soe};
use evidence::reasons::{AnalogCause, CountBasis, SoeChange};

pub(super) fn soe_words(soe: &Soe) -> String {
    let state = match soe.value {
        Some(true) => "on",
        Some(false) => "off",
        None => "state unknown",
    };
    let (point, quality, seq) = (&soe.point_id, quality_words(soe.quality), soe.seq.0);
    let what = match soe.change {
        SoeChange::Edge => state.to_owned(),
        SoeChange::Initial => format!("{state} when opened"),
        SoeChange::Quality => format!("{state}, quality changed"),
        SoeChange::Lost => format!("{state} after a loss"),
    };
    let loss = match (soe.count, soe.loss) {
        (Some(count), Some(loss)) => format!(
            ", {} without a record of their own ({loss})",
            words::count(count, "edge", "edges")
        ),
        _ => String::new(),
    };
    let bounced = soe.bounce_from.map_or_else(String::new, |from| {
        format!(", bounced for {} us before", soe.at.since(from) / 1_000)
    });
    format!(
        "{point} {what}, {quality}{loss}{bounced}, {} line {}, seq {seq}",
        soe.source, soe.line
    )
}

pub(super) fn pulse_words(pulse: &PulseCount, known: &Known) -> String {
    let unit = known.point_unit(&pulse.point_id);
    let value = pulse
        .value
        .map_or_else(String::new, |value| format!(" = {value}{unit}"));
    let suspect = match pulse.suspect {
        0 => String::new(),
        count => format!(", {count} or more may be missing"),
    };
    let basis = match pulse.basis {
        CountBasis::Live => "",
        CountBasis::Fresh => ", counted from 0",
        CountBasis::Log => ", taken up from the log",
        CountBasis::Board => ", taken up from the count board",
    };
    format!(
        "{} {}{value}, {}{suspect}{basis}, {} line {}, seq {}",
        pulse.point_id,
        words::count(pulse.count, "pulse", "pulses"),
        quality_words(pulse.quality),
        pulse.source,
        pulse.line,
        pulse.seq.0
    )
}

pub(super) fn analog_words(analog: &Analog, known: &Known) -> String {
    let unit = known.point_unit(&analog.point_id);
    let value = analog
        .value
        .map_or_else(|| "no value".to_owned(), |value| format!("{value}{unit}"));
    let cause = match analog.cause {
        AnalogCause::Cyclic => "",
        AnalogCause::Spontaneous => ", moved",
        AnalogCause::Quality => ", quality changed",
    };
    format!(
        "{} {value}, {}{cause}, {} {}, seq {}",
        analog.point_id,
        quality_words(analog.quality),
        analog.source,
        analog.channel,
        analog.seq.0
    )
}
