//! What must hold of the station's outputs.

use super::model::{
    AnalogOutput, DigitalOutput, Feedback, OnLoss, Output, OutputPlace, OutputRules,
};
use super::{Condition, Demand};
use crate::limits::{
    COMMAND_AGE_MS, FEEDBACK_SLACK_MS, FEEDBACK_WINDOW_MS, LOSS_MS, NAME_BYTES_MAX,
    OUTPUT_PULSE_MS, SELECT_MS, UNIT_BYTES_MAX,
};
use crate::model::{Contract, Table};
use crate::rules::{Problem, Problems, shown_ms};
use crate::sound::{Place, reference};
use crate::station::remote::{RegisterChannel, bit_of, has_channel, has_line};
use crate::station::{CardKind, Lines};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::RangeInclusive;
use evidence::{Decimal, PointId, SourceId};

/// Every broken rule of the station's outputs; `lines` are those that inputs have.
pub(crate) fn problems<'c>(
    contract: &'c Contract,
    lines: &mut Lines<'c>,
) -> Vec<(Place, Problems)> {
    let points = &contract.points;
    let mut all: Vec<(Place, Problems)> = Vec::new();
    let mut coils = Lines::default();
    for (id, one) in &points.digital_outputs {
        let mut found = common(contract, &one.output());
        // A coil may be read back by an input beside it.
        let taken = match bit_of(one.line) {
            Some(_) => &mut coils,
            None => &mut *lines,
        };
        taken.take(&mut found, &["line", "card"], (&one.card, one.line), id);
        has_line(
            contract,
            &mut found,
            &["line", "card"],
            (&one.card, one.line),
        );
        if let Some((Table::Discrete, number)) = bit_of(one.line) {
            found.add(
                &["line"],
                "a discrete input cannot be driven",
                format!("write \"coil:{number}\""),
            );
        }
        digital(one, &mut found);
        all.push((Place::Do(id.clone()), found));
    }
    let mut channels = BTreeMap::new();
    for (id, one) in &points.analog_outputs {
        let mut found = common(contract, &one.output());
        analog(contract, one, &mut found);
        if let Some(other) = channels.insert((&one.card, one.channel.as_str()), id) {
            let what = format!(
                "output \"{other}\" has channel {} of the card too",
                one.channel
            );
            found.add(&["channel", "card"], what, "one output for each channel");
        }
        all.push((Place::Ao(id.clone()), found));
    }
    all
}

/// What holds of both sorts.
fn common(contract: &Contract, output: &Output<'_>) -> Problems {
    let mut out = Problems::default();
    let (points, rules) = (&contract.points, output.rules);
    let cards = points.cards.keys().map(SourceId::as_str);
    reference(&mut out, &["card"], output.card.as_str(), cards);
    let kind = points.cards.get(output.card).map(|card| card.kind);
    let (fits, what, advice) = match output.place {
        OutputPlace::Line(_) => (
            kind.is_none_or(CardKind::has_lines),
            "has no lines",
            "name a card of kind \"gpio\", or write [[ao]]",
        ),
        OutputPlace::Channel(_) => (
            kind.is_none_or(CardKind::takes_values),
            "has no channels that take a value",
            "name a card of kind \"hwmon\" or \"iio\", or write [[do]]",
        ),
    };
    let card = output.card;
    out.unless(fits, &["card"], format!("card \"{card}\" {what}"), advice);
    let id = output.id;
    let digital = matches!(output.place, OutputPlace::Line(_));
    let elsewhere = points.inputs.contains_key(id)
        || points.pulses.contains_key(id)
        || points.analogs.contains_key(id)
        || points.watched().any(|one| one.id == *id)
        || points.resets.contains_key(id)
        || points.modems.contains_key(id)
        || (!digital && points.digital_outputs.contains_key(id));
    out.unless(
        !elsewhere,
        &["id"],
        format!("another point of the station is called \"{id}\""),
        "give each an id of its own",
    );
    times(rules, &mut out);
    let len = rules.name.len();
    out.unless(
        len <= NAME_BYTES_MAX,
        &["name"],
        format!("a name of {len} bytes"),
        format!("at most {NAME_BYTES_MAX} bytes"),
    );
    if let Some(feedback) = &rules.feedback {
        feeds_back(contract, feedback, digital, &mut out);
    }
    for interlock in &rules.interlocks {
        condition(contract, &["interlocks"], interlock, &mut out);
    }
    if let Some(switch) = &rules.remote_switch {
        is_input(contract, &["remote_switch"], switch, &mut out);
    }
    out
}

fn times(rules: &OutputRules, out: &mut Problems) {
    let window_ms = rules.feedback.as_ref().map(|feedback| feedback.window_ms);
    let times: [(&[_], Option<u64>, RangeInclusive<u64>); 4] = [
        (&["select_timeout"], Some(rules.select_ms), SELECT_MS),
        (&["command_age"], Some(rules.age_ms), COMMAND_AGE_MS),
        (&["loss_after"], Some(rules.loss_ms), LOSS_MS),
        (&["feedback_window"], window_ms, FEEDBACK_WINDOW_MS),
    ];
    for (keys, ms, allowed) in times {
        let Some(ms) = ms else { continue };
        out.unless(
            allowed.contains(&ms),
            keys,
            format!("a time of {}", shown_ms(ms)),
            format!(
                "write {} to {}",
                shown_ms(*allowed.start()),
                shown_ms(*allowed.end())
            ),
        );
    }
}

/// The input that a key names is a digital one.
fn is_input(
    contract: &Contract,
    keys: &'static [&'static str],
    point: &PointId,
    out: &mut Problems,
) {
    let points = &contract.points;
    if points.analogs.contains_key(point) {
        let what = format!("\"{point}\" is an analog input");
        out.add(keys, what, "name a [[di]], which is active or is not");
        return;
    }
    let known = points.inputs.keys().map(PointId::as_str);
    named(out, keys, "di", point, known);
}

/// A point that a key names is there.
fn named<'c>(
    out: &mut Problems,
    keys: &'static [&'static str],
    kind: &'static str,
    point: &PointId,
    known: impl Iterator<Item = &'c str> + Clone,
) {
    if known.clone().any(|id| id == point.as_str()) {
        return;
    }
    out.0.push(Problem {
        keys,
        wrong: crate::error::wrong(
            format!("there is no input \"{point}\""),
            crate::sound::instead(kind, point.as_str(), known),
        ),
        absent: true,
    });
}

fn feeds_back(contract: &Contract, feedback: &Feedback, digital: bool, out: &mut Problems) {
    let (points, point) = (&contract.points, &feedback.point);
    if digital {
        is_input(contract, &["feedback"], point, out);
    } else {
        let known = points.analogs.keys().map(PointId::as_str);
        named(out, &["feedback"], "ai", point, known);
        out.unless(
            feedback
                .tolerance
                .is_some_and(|limit| limit.mantissa() >= 0),
            &["tolerance", "feedback"],
            "a feedback without a tolerance of 0 or more",
            "write by how much it may differ from what was commanded, such as \"0.5\"",
        );
    }
    // Records of a card wait for its longest window, and its points are known when they are told.
    let on = points.inputs.get(point).map(|input| &input.card);
    let on = on.or_else(|| points.analogs.get(point).map(|analog| &analog.card));
    let Some(card) = on else { return };
    let inputs = points.inputs.values().map(|one| (&one.card, &one.policy));
    let pulses = points.pulses.values().map(|one| (&one.card, &one.policy));
    let windows = inputs.chain(pulses).filter(|(on, _)| *on == card);
    let windows = windows.filter_map(|(_, policy)| points.policies.get(policy));
    let longest_ms = windows
        .map(|policy| policy.window_us.div_ceil(1_000))
        .max()
        .unwrap_or(0);
    let sample_ms = points
        .analogs
        .get(point)
        .map_or(0, |analog| analog.sample_ms);
    let least_ms = longest_ms
        .saturating_add(sample_ms)
        .saturating_add(FEEDBACK_SLACK_MS);
    out.unless(
        feedback.window_ms >= least_ms,
        &["feedback_window", "feedback"],
        format!(
            "a feedback is awaited for {}, and \"{point}\" may take {} to say anything",
            shown_ms(feedback.window_ms),
            shown_ms(least_ms)
        ),
        format!("write \"{}\" or more", shown_ms(least_ms)),
    );
}

/// A condition is over an input that there is, and over what that input says.
pub(crate) fn condition(
    contract: &Contract,
    keys: &'static [&'static str],
    condition: &Condition,
    out: &mut Problems,
) {
    let (points, point) = (&contract.points, &condition.point);
    match condition.demand {
        Demand::Is(_) => is_input(contract, keys, point, out),
        _ if points.inputs.contains_key(point) => {
            let what = format!("\"{condition}\": a digital input has no value");
            out.add(
                keys,
                what,
                format!("write \"{point} on\" or \"{point} off\""),
            );
        }
        _ => {
            let known = points.analogs.keys().map(PointId::as_str);
            named(out, keys, "ai", point, known);
        }
    }
}

fn digital(output: &DigitalOutput, out: &mut Problems) {
    let Some(pulse_ms) = output.pulse_ms else {
        return;
    };
    out.unless(
        OUTPUT_PULSE_MS.contains(&pulse_ms),
        &["pulse"],
        format!("a pulse of {}", shown_ms(pulse_ms)),
        "write 10ms to 10min, or remove the line where it is to stay",
    );
    // What holds through a loss of its card would be taken over with nobody left to end its pulse.
    out.unless(
        output.rules.on_loss != OnLoss::Hold,
        &["on_loss", "pulse"],
        "an output that goes back by itself cannot hold",
        "write \"safe\", or remove `pulse` where it is to stay",
    );
}

/// What a remote card can hold.
fn registers(contract: &Contract, output: &AnalogOutput, out: &mut Problems) {
    let remote = contract.points.is_remote(&output.card);
    let Some(channel) = RegisterChannel::of(&output.channel).ok().filter(|_| remote) else {
        return;
    };
    out.unless(
        channel.table == Table::Holding,
        &["channel"],
        "an input register cannot be driven",
        "write \"holding:0\"",
    );
    let (min, max) = channel.span();
    let ends = [output.range.0, output.range.1].into_iter();
    let mut raws = ends.filter_map(|value| output.raw_of(value));
    let outside = raws.find(|raw| !(min..=max).contains(raw));
    if let Some(raw) = outside {
        let what = format!("`range` asks for {raw} in a register of {min} to {max}");
        out.add(
            &["range", "channel"],
            what,
            "give the channel another type, or `range` other ends",
        );
    }
}

fn analog(contract: &Contract, output: &AnalogOutput, out: &mut Problems) {
    has_channel(
        contract,
        out,
        (&output.card, &output.channel),
        "write the file's name in the directory of the card, such as \"out_voltage0_raw\"",
    );
    registers(contract, output, out);
    let len = output.unit.len();
    out.unless(
        len <= UNIT_BYTES_MAX,
        &["unit"],
        format!("a unit of {len} bytes"),
        format!("at most {UNIT_BYTES_MAX}, such as \"V\""),
    );
    out.unless(
        output.scale.mantissa() != 0,
        &["scale"],
        "a scale of 0 makes every value the same",
        "write 1 for the number on the channel",
    );
    let (min, max) = output.range;
    out.unless(
        min.cmp_value(max) == Ordering::Less,
        &["range"],
        format!("no value lies between {min} and {max}"),
        "write the smallest value first, then the largest",
    );
    let outside = |value: Decimal| {
        value.cmp_value(min) == Ordering::Less || value.cmp_value(max) == Ordering::Greater
    };
    out.unless(
        !outside(output.safe),
        &["safe", "range"],
        format!(
            "the safe default {} lies outside {min} to {max}",
            output.safe
        ),
        "write a value within `range`",
    );
    // No command judges it: what it is rounded to is where the output goes.
    let rounded = output.held_of(output.safe).filter(|held| outside(*held));
    if let Some(held) = rounded.filter(|_| !outside(output.safe)) {
        let what = format!(
            "the safe default {} would be output as {held}, outside {min} to {max}",
            output.safe
        );
        out.add(
            &["safe", "scale"],
            what,
            "write a value that the channel has, a multiple of `scale` beside `offset`",
        );
    }
    let ends = [min, max, output.safe].into_iter();
    let odd = ends
        .map(|value| output.held_of(value))
        .any(|held| held.is_none());
    out.unless(
        !odd || output.scale.mantissa() == 0,
        &["scale", "range"],
        "the numbers on the channel have more digits than can be kept",
        "use a coarser `scale`, or a smaller `range`",
    );
}
