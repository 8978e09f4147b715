//! What commands, their outcomes and tags say, in words.

use super::Known;
use evidence::Decimal;
use evidence::kinds::{Command, Output, Tag};
use evidence::reasons::{CommandStep, OutputReason, TagChange};

/// `on` or `off` for a digital output, a number with its unit for an analog one.
fn shown(value: Decimal, digital: bool, unit: &str) -> String {
    match (digital, value.mantissa()) {
        (true, 0) => "off".to_owned(),
        (true, _) => "on".to_owned(),
        (false, _) => format!("{value}{unit}"),
    }
}

pub(super) fn command_words(command: &Command, known: &Known) -> String {
    let (point, actor) = (&command.point_id, &command.actor);
    let unit = known.point_unit(point);
    let value = command.value.map_or_else(String::new, |value| {
        format!(" {}", shown(value, known.is_digital(point), &unit))
    });
    let step = match command.step {
        CommandStep::Operate => "operate directly",
        step => step.name(),
    };
    format!("{point}: {step}{value}, {actor}: {}", command.reason)
}

pub(super) fn output_words(output: &Output, known: &Known) -> String {
    let point = &output.point_id;
    let unit = known.point_unit(point);
    let value = output.value.map_or_else(String::new, |value| {
        format!(" {}", shown(value, output.line.is_some(), &unit))
    });
    let reason = match output.reason {
        OutputReason::None => String::new(),
        reason => format!(" ({reason})"),
    };
    let command = output
        .command
        .map_or_else(String::new, |id| format!(", command {id}"));
    let feedback = match (&output.feedback, output.feedback_value) {
        (Some(point), Some(value)) => {
            format!(", {point} says {}", shown(value, output.line.is_some(), ""))
        }
        (Some(point), None) => format!(", {point} says nothing"),
        _ => String::new(),
    };
    let about = output.about.as_ref();
    let about = about.map_or_else(String::new, |about| format!(": {about}"));
    let place = match (output.line, &output.channel) {
        (Some(line), _) => format!("{} line {line}", output.source),
        (None, Some(channel)) => format!("{} {channel}", output.source),
        (None, None) => output.source.to_string(),
    };
    format!(
        "{point}{value}: {}{reason}{about}{command}{feedback}, {place}, seq {}",
        output.outcome, output.seq.0
    )
}

pub(super) fn tag_words(tag: &Tag) -> String {
    let (point, actor, reason) = (&tag.point_id, &tag.actor, &tag.reason);
    let whose = tag
        .owner
        .as_ref()
        .map_or_else(String::new, |owner| format!(" of {owner}"));
    match tag.change {
        TagChange::Set => format!("{point} tagged, {actor}: {reason}"),
        TagChange::Removed => format!("tag{whose} on {point} removed, {actor}: {reason}"),
    }
}
