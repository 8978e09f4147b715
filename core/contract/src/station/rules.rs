//! What must hold of the station's own points.

use super::cards;
use super::model::{Analog, Debounce, DigitalInput, PulseMeter, StationPoints};
use super::remote::{self, bit_of};
use crate::limits::{
    CALIBRATION_BYTES_MAX, CARDS_MAX, CHATTER_COUNT_MAX, CHATTER_TIME_MS_MAX, CHATTER_TIME_MS_MIN,
    DAY_MS, LINES_MAX, NAME_BYTES_MAX, POLICIES_MAX, SAMPLE_MS_MAX, SAMPLE_MS_MIN,
    STATION_POINTS_MAX, UNIT_BYTES_MAX, WINDOW_US_MAX,
};
use crate::model::Contract;
use crate::modem;
use crate::rules::{Problem, Problems, shown_ms, shown_us};
use crate::sound::{Place, reference};
use crate::watch;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use evidence::{PointId, ScheduleId, SourceId};

/// Every broken rule of the station's own points.
pub(crate) fn problems(contract: &Contract) -> Vec<(Place, Problem)> {
    let points = &contract.points;
    let mut all: Vec<(Place, Problems)> = Vec::from([(Place::Root, counts(contract))]);
    let mut paths = BTreeMap::new();
    for (id, one) in &points.cards {
        let mut found = cards::problems(contract, one);
        if let Some(other) = paths.insert(one.place(), id) {
            let what = format!("card \"{other}\" has the same path");
            found.add(
                &["path", "unit"],
                what,
                "one card for each chip: put all its points on one card",
            );
        }
        all.push((Place::Card(id.clone()), found));
    }
    for (id, one) in &points.policies {
        all.push((Place::Debounce(id.clone()), policy(one)));
    }
    let mut lines = Lines::default();
    for (id, one) in &points.inputs {
        let mut found = Problems::default();
        lines.take(&mut found, &["line", "card"], (&one.card, one.line), id);
        if let Some(line) = one.fault_line {
            lines.take(&mut found, &["fault_line", "card"], (&one.card, line), id);
        }
        wired(contract, &mut found, &one.card, &one.policy);
        remote::has_line(
            contract,
            &mut found,
            &["line", "card"],
            (&one.card, one.line),
        );
        if let Some(line) = one.fault_line {
            remote::has_line(
                contract,
                &mut found,
                &["fault_line", "card"],
                (&one.card, line),
            );
        }
        remote::filters_nothing(contract, &mut found, (&one.card, one.bias, &one.policy));
        input(one, &mut found);
        all.push((Place::Di(id.clone()), found));
    }
    for (id, one) in &points.pulses {
        let mut found = Problems::default();
        lines.take(&mut found, &["line", "card"], (&one.card, one.line), id);
        wired(contract, &mut found, &one.card, &one.policy);
        remote::has_line(
            contract,
            &mut found,
            &["line", "card"],
            (&one.card, one.line),
        );
        remote::filters_nothing(contract, &mut found, (&one.card, one.bias, &one.policy));
        pulse(contract, one, &mut found);
        unique(&mut found, points.inputs.contains_key(id), id);
        all.push((Place::Pulse(id.clone()), found));
    }
    let mut channels = BTreeMap::new();
    for (id, one) in &points.analogs {
        let mut found = analog(contract, one);
        if let Some(other) = channels.insert((&one.card, one.channel.as_str()), id) {
            let what = format!("point \"{other}\" has the same channel");
            found.add(&["channel", "card"], what, "one point for each channel");
        }
        let taken = points.inputs.contains_key(id) || points.pulses.contains_key(id);
        unique(&mut found, taken, id);
        all.push((Place::Ai(id.clone()), found));
    }
    watched(contract, &mut all);
    all.extend(crate::outputs::problems(contract, &mut lines));
    let each = |(place, found): (Place, Problems)| {
        let placed = found
            .0
            .into_iter()
            .map(move |problem| (place.clone(), problem));
        placed.collect::<Vec<_>>()
    };
    all.into_iter().flat_map(each).collect()
}

/// Supplies, environments, reasons of resets and modems.
fn watched(contract: &Contract, all: &mut Vec<(Place, Problems)>) {
    let points = &contract.points;
    for (id, one) in &points.supplies {
        let mut found = watch::problems(contract, one);
        let taken = is_of_points(points, id);
        unique(&mut found, taken, id);
        all.push((Place::Power(id.clone()), found));
    }
    for (id, one) in &points.environments {
        let mut found = watch::problems(contract, one);
        let taken = is_of_points(points, id) || points.supplies.contains_key(id);
        unique(&mut found, taken, id);
        all.push((Place::Environment(id.clone()), found));
    }
    for (id, one) in &points.resets {
        let mut found = watch::reset_problems(contract, one);
        let watched = points.watched().any(|one| one.id == *id);
        unique(&mut found, is_of_points(points, id) || watched, id);
        all.push((Place::Reset(id.clone()), found));
    }
    for (id, one) in &points.modems {
        let mut found = modem::problems(contract, one);
        let watched = points.watched().any(|one| one.id == *id) || points.resets.contains_key(id);
        unique(&mut found, is_of_points(points, id) || watched, id);
        all.push((Place::Modem(id.clone()), found));
    }
}

fn is_of_points(points: &StationPoints, id: &PointId) -> bool {
    points.inputs.contains_key(id)
        || points.pulses.contains_key(id)
        || points.analogs.contains_key(id)
}

fn counts(contract: &Contract) -> Problems {
    let mut out = Problems::default();
    let points = &contract.points;
    let watched = points.watched().count() + points.resets.len() + points.modems.len();
    let outputs = points.digital_outputs.len() + points.analog_outputs.len();
    let inputs = points.inputs.len() + points.pulses.len() + points.analogs.len();
    let all = inputs + watched + outputs;
    for (keys, count, max, what) in [
        (&["card"][..], points.cards.len(), CARDS_MAX, "cards"),
        (
            &["debounce"],
            points.policies.len(),
            POLICIES_MAX,
            "debounce policies",
        ),
        (
            &[
                "di",
                "pulse",
                "ai",
                "power",
                "environment",
                "reset",
                "do",
                "ao",
                "modem",
            ],
            all,
            STATION_POINTS_MAX,
            "points of the station",
        ),
    ] {
        let advice = format!("at most {max} on one node: share the rest with another");
        out.unless(count <= max, keys, format!("{count} {what}"), advice);
    }
    out
}

fn policy(policy: &Debounce) -> Problems {
    let mut out = Problems::default();
    out.unless(
        policy.window_us <= WINDOW_US_MAX,
        &["window"],
        format!("a window of {}", shown_us(policy.window_us)),
        "at most 10s",
    );
    out.unless(
        policy.hardware_us == 0 || policy.hardware_us < policy.window_us,
        &["hardware", "window"],
        format!(
            "the kernel would filter {}, the window is {}",
            shown_us(policy.hardware_us),
            shown_us(policy.window_us)
        ),
        "write less than `window`, or 0us, so that glitches are still counted",
    );
    let (on, off) = (policy.chatter_on, policy.chatter_off);
    out.unless(
        on == 0 || (2..=CHATTER_COUNT_MAX).contains(&on),
        &["chatter_on"],
        format!("a point that freezes at {on} changes"),
        "write 2 to 1000, or 0 for never",
    );
    out.unless(
        on == 0 || off < on,
        &["chatter_off", "chatter_on"],
        format!("it freezes at {on} changes and would thaw at {off}"),
        "write less than `chatter_on`",
    );
    out.unless(
        (CHATTER_TIME_MS_MIN..=CHATTER_TIME_MS_MAX).contains(&policy.chatter_time_ms),
        &["chatter_time"],
        format!("changes within {}", shown_ms(policy.chatter_time_ms)),
        "write 10ms to 1h",
    );
    out.unless(
        policy.noise <= CHATTER_COUNT_MAX,
        &["noise"],
        format!("noise at {} glitches", policy.noise),
        "write 1 to 1000, or 0 for never",
    );
    out
}

/// Which point has which line of which card.
#[derive(Default)]
pub(crate) struct Lines<'c>(BTreeMap<(&'c SourceId, u32), &'c PointId>);

impl<'c> Lines<'c> {
    pub(crate) fn take(
        &mut self,
        out: &mut Problems,
        keys: &'static [&'static str],
        line: (&'c SourceId, u32),
        point: &'c PointId,
    ) {
        out.unless(
            line.1 < LINES_MAX || bit_of(line.1).is_some(),
            keys,
            format!("line {} of a card", line.1),
            format!("lines are 0 to {}", LINES_MAX - 1),
        );
        if let Some(other) = self.0.insert(line, point) {
            let what = format!("point \"{other}\" has line {} of the card too", line.1);
            out.add(keys, what, "one point for each line");
        }
    }
}

fn unique(out: &mut Problems, taken: bool, id: &PointId) {
    out.unless(
        !taken,
        &["id"],
        format!("another point of the station is called \"{id}\""),
        "give each an id of its own",
    );
}

fn wired(contract: &Contract, out: &mut Problems, card: &SourceId, policy: &PointId) {
    let points = &contract.points;
    let cards = points.cards.keys().map(SourceId::as_str);
    reference(out, &["card"], card.as_str(), cards);
    let policies = points.policies.keys().map(PointId::as_str);
    reference(out, &["debounce"], policy.as_str(), policies);
    let found = points.cards.get(card);
    out.unless(
        found.is_none_or(|card| card.kind.has_lines()),
        &["card"],
        format!("card \"{card}\" has no lines"),
        "name a card of kind \"gpio\"",
    );
}

fn input(input: &DigitalInput, out: &mut Problems) {
    let len = input.name.len();
    out.unless(
        len <= NAME_BYTES_MAX,
        &["name"],
        format!("a name of {len} bytes"),
        format!("at most {NAME_BYTES_MAX} bytes"),
    );
}

fn unit(out: &mut Problems, unit: &str) {
    let len = unit.len();
    out.unless(
        len <= UNIT_BYTES_MAX,
        &["unit"],
        format!("a unit of {len} bytes"),
        format!("at most {UNIT_BYTES_MAX}, such as \"kWh\""),
    );
}

fn pulse(contract: &Contract, pulse: &PulseMeter, out: &mut Problems) {
    let schedules = contract.schedules.keys().map(ScheduleId::as_str);
    reference(out, &["schedule"], pulse.schedule.as_str(), schedules);
    unit(out, &pulse.unit);
    out.unless(
        pulse.weight.mantissa() > 0,
        &["weight"],
        format!("a pulse of weight {}", pulse.weight),
        "write what one pulse stands for, more than 0",
    );
    out.unless(
        pulse.capacity != Some(0),
        &["capacity"],
        "a register of capacity 0",
        "write where it begins again, such as 65536, or remove the line",
    );
}

fn analog(contract: &Contract, analog: &Analog) -> Problems {
    let mut out = Problems::default();
    let cards = &contract.points.cards;
    reference(
        &mut out,
        &["card"],
        analog.card.as_str(),
        cards.keys().map(SourceId::as_str),
    );
    let schedules = contract.schedules.keys().map(ScheduleId::as_str);
    reference(&mut out, &["schedule"], analog.schedule.as_str(), schedules);
    let found = cards.get(&analog.card);
    out.unless(
        found.is_none_or(|card| card.kind.has_channels()),
        &["card"],
        format!("card \"{}\" has no channels", analog.card),
        "name a card of kind \"hwmon\" or \"iio\"",
    );
    remote::has_channel(
        contract,
        &mut out,
        (&analog.card, &analog.channel),
        "write the file's name in the directory of the card, such as \"temp1_input\"",
    );
    unit(&mut out, &analog.unit);
    out.unless(
        (SAMPLE_MS_MIN..=SAMPLE_MS_MAX).contains(&analog.sample_ms),
        &["sample"],
        format!("a sample every {}", shown_ms(analog.sample_ms)),
        "write 10ms to 1h",
    );
    out.unless(
        analog.scale.mantissa() != 0,
        &["scale"],
        "a scale of 0 makes every value the same",
        "write 1 for the raw number",
    );
    believable(analog, &mut out);
    out
}

/// What a value is judged by.
fn believable(analog: &Analog, out: &mut Problems) {
    if let Some((min, max)) = analog.range {
        out.unless(
            min.cmp_value(max) != Ordering::Greater,
            &["range"],
            format!("no value lies between {min} and {max}"),
            "write the smallest good value first, then the largest",
        );
    }
    let limits: [(&[_], _); 3] = [
        (&["deadband"], analog.deadband),
        (&["rate_max"], analog.rate_max),
        (&["noise"], analog.noise),
    ];
    for (keys, limit) in limits {
        let below = limit.filter(|limit| limit.mantissa() < 0);
        let what = below.map_or(String::new(), |below| format!("{below} is below 0"));
        out.unless(
            below.is_none(),
            keys,
            what,
            "write how far it may move, or remove the line",
        );
    }
    if let (Some(open), Some(short)) = (analog.open_below, analog.short_above) {
        out.unless(
            open.cmp_value(short) == Ordering::Less,
            &["open_below", "short_above"],
            format!("open below {open} and shorted above {short} leave no raw number"),
            "write the lower bound in `open_below`, the upper one in `short_above`",
        );
    }
    let stale = analog.stale_ms;
    out.unless(
        stale.is_none_or(|stale| (analog.sample_ms..=DAY_MS).contains(&stale)),
        &["stale", "sample"],
        format!("stale after {}", shown_ms(stale.unwrap_or(0))),
        "at least `sample`, at most 1d",
    );
    calibration_problems(analog, out);
}

/// A calibration has a name, and texts that fit where they are remembered.
fn calibration_problems(analog: &Analog, out: &mut Problems) {
    let named = analog.calibration.is_some();
    out.unless(
        analog.calibrated.is_none() || named,
        &["calibrated"],
        "a date of a calibration that has no version",
        "write `calibration` too",
    );
    out.unless(
        analog.calibrated_by.is_none() || named,
        &["calibrated_by"],
        "who made a calibration that has no version",
        "write `calibration` too",
    );
    let texts: [(&[_], _); 3] = [
        (&["calibration"], &analog.calibration),
        (&["calibrated"], &analog.calibrated),
        (&["calibrated_by"], &analog.calibrated_by),
    ];
    for (keys, text) in texts {
        let len = text.as_ref().map_or(1, String::len);
        out.unless(
            (1..=CALIBRATION_BYTES_MAX).contains(&len),
            keys,
            format!("a text of {len} bytes"),
            format!("write 1 to {CALIBRATION_BYTES_MAX}"),
        );
    }
}
