//! What the records of the station's own points say, in words.

use super::{Known, quality_words};
use crate::commands::words;
use evidence::kinds::{Analog, Calibration, Excursion, ModemReport, PulseCount, ResetReason, Soe};
use evidence::reasons::{
    AnalogCause, BandChange, CountBasis, EdgeLossCause, ModemOutcome, SoeChange,
};
use evidence::{Digest, PointId};

/// What a card has counted of pulses that were too short to be any; nothing where there were none.
fn glitches(point: &PointId, known: &Known) -> String {
    match known.glitches.get(point) {
        None | Some(0) => String::new(),
        Some(count) => format!(", {} so far", words::count(*count, "glitch", "glitches")),
    }
}

pub(super) fn soe_words(soe: &Soe, known: &Known) -> String {
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
        SoeChange::Lost => match soe.loss {
            Some(EdgeLossCause::Chatter | EdgeLossCause::InvalidState) => {
                format!("{state} when its card was closed")
            }
            _ => format!("{state} after a loss"),
        },
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
    let marker = soe
        .marker
        .map_or_else(String::new, |marker| format!(" ({marker} marker)"));
    let glitches = glitches(point, known);
    format!(
        "{point}{marker} {what}, {quality}{loss}{bounced}{glitches}, {} line {}, seq {seq}",
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
        "{} {}{value}, {}{suspect}{}{basis}, {} line {}, seq {}",
        pulse.point_id,
        words::count(pulse.count, "pulse", "pulses"),
        quality_words(pulse.quality),
        glitches(&pulse.point_id, known),
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
    let calibration = match &analog.calibration {
        Some(version) => format!(", calibration {version}{}", known.calibrated(analog)),
        None => String::new(),
    };
    format!(
        "{} {value}, {}{cause}{calibration}, {} {}, seq {}",
        analog.point_id,
        quality_words(analog.quality),
        analog.source,
        analog.channel,
        analog.seq.0
    )
}

pub(super) fn calibration_words(said: &Calibration) -> String {
    let optional = |before: &str, text: Option<String>| {
        text.map_or_else(String::new, |text| format!("{before}{text}"))
    };
    let unit = match said.unit.as_str() {
        "" => String::new(),
        unit => format!(" {unit}"),
    };
    format!(
        "{} calibration {} ({}): raw x {} + {}{unit}{}{}{}, {} {}",
        said.point_id,
        said.version,
        short(said.digest),
        said.scale,
        said.offset,
        match (said.range_min, said.range_max) {
            (Some(min), Some(max)) => format!(", good from {min} to {max}"),
            _ => String::new(),
        },
        optional(", made ", said.calibrated.clone()),
        optional(" by ", said.calibrated_by.clone()),
        said.source,
        said.channel,
    )
}

/// As much of a digest as a line has room for.
pub(super) fn short(digest: Digest) -> String {
    digest.to_string().chars().take(8).collect()
}

pub(super) fn excursion_words(excursion: &Excursion, known: &Known) -> String {
    let unit = known.point_unit(&excursion.point_id);
    let value = |value: Option<evidence::Decimal>| {
        value.map_or_else(|| "no value".to_owned(), |value| format!("{value}{unit}"))
    };
    let band = excursion.band.map_or("", evidence::reasons::Band::name);
    let beyond = excursion
        .limit
        .map_or_else(String::new, |limit| format!(" (limit {limit}{unit})"));
    let meanwhile = excursion.lasted_ns.map_or_else(String::new, |ns| {
        let furthest = value(excursion.extreme);
        format!(
            " after {}, {furthest} at the furthest",
            words::nanoseconds(ns)
        )
    });
    let what = match (excursion.change, excursion.band) {
        (BandChange::Found, _) => format!("{} is watched", value(excursion.value)),
        (BandChange::Entered, _) => format!("{band}: {}{beyond}", value(excursion.value)),
        (BandChange::Left, _) => format!("{band} over: {}{meanwhile}", value(excursion.value)),
        (BandChange::Lost, None) => "no value any more".to_owned(),
        (BandChange::Lost, Some(_)) => format!("{band}: unknown whether over,{meanwhile}"),
    };
    format!(
        "{} {what}, {}, {} {}, seq {}",
        excursion.point_id,
        quality_words(excursion.quality),
        excursion.source,
        excursion.channel,
        excursion.seq.0
    )
}

pub(super) fn reset_words(reason: &ResetReason) -> String {
    let says = match &reason.says {
        Some(says) => format!("it says {says:?}"),
        None => "it says nothing".to_owned(),
    };
    format!(
        "{} last reset: {} ({says}), {}, {} {}, seq {}",
        reason.point_id,
        reason.cause,
        quality_words(reason.quality),
        reason.source,
        reason.channel,
        reason.seq.0
    )
}

pub(super) fn modem_words(report: &ModemReport) -> String {
    let mut said = match (report.outcome, report.link) {
        (ModemOutcome::Answered, Some(true)) => "link up".to_owned(),
        (ModemOutcome::Answered, Some(false)) => "link down".to_owned(),
        (ModemOutcome::Answered, None) => "answered".to_owned(),
        (outcome, _) => format!("no answer: {outcome}"),
    };
    if let Some(total) = report.retransmissions {
        let step = report
            .step
            .map_or_else(String::new, |step| format!(" (+{step})"));
        said += &format!(", {total} retransmissions{step}");
    }
    if let Some(quality) = report.quality_value {
        said += &format!(", quality {quality}");
    }
    for counter in &report.counters {
        said += &format!(", {} {}", counter.name, counter.total);
    }
    if report.restarted {
        said += ", it began to count anew";
    }
    if let Some(detail) = &report.detail {
        said += &format!(" ({detail})");
    }
    format!(
        "{} {said}, {} after {}, {}, seq {}",
        report.point_id,
        quality_words(report.quality),
        words::nanoseconds(report.took_us.saturating_mul(1_000)),
        report.source,
        report.seq.0
    )
}

#[cfg(test)]
mod tests {
    use super::soe_words;
    use crate::commands::log_words::Known;
    use evidence::kinds::{Counter, CounterSnapshot, Soe};
    use evidence::reasons::{CounterState, SoeChange};
    use evidence::{CommitId, MonoNs, Quality, Seq, SourceId};

    #[test]
    fn beside_a_point_stands_how_many_glitches_it_had() {
        let source = SourceId::new("dio").unwrap();
        let door = Soe {
            at: MonoNs(1),
            point_id: "door".parse().unwrap(),
            source: source.clone(),
            line: 1,
            seq: Seq(7),
            marker: None,
            change: SoeChange::Edge,
            value: Some(true),
            quality: Quality::GOOD,
            policy: "none".to_owned(),
            window_us: 0,
            confirmed_at: None,
            bounce_from: None,
            count: None,
            loss: None,
            contract: CommitId(1),
        };
        let mut known = Known::default();
        for (glitches, due) in [
            (0, ""),
            (1, ", 1 glitch so far"),
            (9, ", 9 glitches so far"),
        ] {
            let counter = Counter {
                name: "glitch_cnt".to_owned(),
                label: Some("door".to_owned()),
                state: CounterState::Value,
                value: Some(glitches),
                source: source.clone(),
            };
            let counters = vec![counter];
            known.observe(
                &CounterSnapshot {
                    at: MonoNs(0),
                    counters,
                }
                .into(),
            );
            let said = soe_words(&door, &known);
            assert_eq!(said, format!("door on, good{due}, dio line 1, seq 7"));
        }
    }
}
