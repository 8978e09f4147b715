//! Reads the tables of the station's outputs.

use super::model::{AnalogOutput, DigitalOutput, Feedback, OnLoss, Operate, OutputRules};
use super::{Condition, keys};
use crate::block::Block;
use crate::error::{Report, wrong};
use crate::limits::{
    COMMAND_AGE_MS, FEEDBACK_WINDOW_MS, INTERLOCKS_MAX, LOSS_MS, OUTPUT_PULSE_MS, SELECT_MS,
};
use crate::read::{Raw, Value, decimal, duration, id, pair, text, word};
use crate::station::Active;
use crate::station::remote::line;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::{Decimal, PointId, SourceId};

type Table<'t, 'i> = Block<'t, 'i>;

fn zero() -> Decimal {
    Decimal::new(0, 0).unwrap_or_else(|_| unreachable!("a digit is a decimal"))
}

fn one() -> Decimal {
    Decimal::new(1, 0).unwrap_or_else(|_| unreachable!("a digit is a decimal"))
}

/// `on` or `off`.
fn switch(raw: &Raw<'_, '_>) -> Value<bool> {
    match raw {
        Raw::Text("on") => Ok(true),
        Raw::Text("off") => Ok(false),
        _ => Err(wrong(
            "a state that is neither on nor off",
            "write \"on\" or \"off\", in quotes",
        )),
    }
}

fn conditions(raw: &Raw<'_, '_>) -> Value<Vec<Condition>> {
    let Raw::List(list) = raw else {
        return Err(raw.not("a list of conditions", keys::INTERLOCK_ADVICE));
    };
    if list.len() > INTERLOCKS_MAX {
        let what = format!("{} interlocks of one output", list.len());
        return Err(wrong(what, format!("at most {INTERLOCKS_MAX}")));
    }
    let all = list.iter();
    all.map(|item| one_condition(&Raw::from(item.get_ref()), keys::INTERLOCK_ADVICE))
        .collect()
}

/// One condition over a point of the station.
pub(crate) fn condition(raw: &Raw<'_, '_>) -> Value<Condition> {
    one_condition(raw, keys::CONDITION_ADVICE)
}

fn one_condition(raw: &Raw<'_, '_>, advice: &str) -> Value<Condition> {
    match raw {
        Raw::Text(text) => text
            .parse()
            .map_err(|error: String| wrong(format!("\"{text}\": {error}"), advice)),
        other => Err(other.not("a condition", advice)),
    }
}

fn rules(block: &mut Table<'_, '_>, report: &mut Report<'_>) -> OutputRules {
    let point = block.maybe(report, "feedback", id::<PointId>);
    let window_ms = block.get(
        report,
        "feedback_window",
        2_000,
        duration(FEEDBACK_WINDOW_MS),
    );
    let tolerance = block.maybe(report, "tolerance", decimal);
    OutputRules {
        operate: block.get(report, "operate", Operate::Select, word),
        select_ms: block.get(report, "select_timeout", 30_000, duration(SELECT_MS)),
        age_ms: block.get(report, "command_age", 5_000, duration(COMMAND_AGE_MS)),
        on_loss: block.get(report, "on_loss", OnLoss::Safe, word),
        loss_ms: block.get(report, "loss_after", 10_000, duration(LOSS_MS)),
        feedback: point.map(|point| Feedback {
            point,
            window_ms,
            tolerance,
        }),
        interlocks: block
            .maybe(report, "interlocks", conditions)
            .unwrap_or_default(),
        remote_switch: block.maybe(report, "remote_switch", id::<PointId>),
        name: block.get(report, "name", String::new(), text),
    }
}

fn card(block: &mut Table<'_, '_>, report: &mut Report<'_>, stand_in: &str) -> Option<SourceId> {
    block.refuse_unknown(report);
    let card = block.get(report, "card", None, |raw| id(raw).map(Some));
    card.or_else(|| stand_in.parse().ok())
}

pub(crate) fn digital(
    id: PointId,
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<DigitalOutput> {
    let card = card(block, report, stand_in)?;
    Some(DigitalOutput {
        id,
        card,
        line: block.get(report, "line", 0, line),
        active: block.get(report, "active", Active::High, word),
        safe: block.get(report, "safe", false, switch),
        pulse_ms: block.maybe(report, "pulse", duration(OUTPUT_PULSE_MS)),
        rules: rules(block, report),
    })
}

pub(crate) fn analog(
    id: PointId,
    block: &mut Table<'_, '_>,
    report: &mut Report<'_>,
    stand_in: &str,
) -> Option<AnalogOutput> {
    let card = card(block, report, stand_in)?;
    let range = pair(decimal, "[\"0\", \"100\"]");
    Some(AnalogOutput {
        id,
        card,
        channel: block.get(report, "channel", String::from("unreadable"), text),
        scale: block.get(report, "scale", one(), decimal),
        offset: block.get(report, "offset", zero(), decimal),
        unit: block.get(report, "unit", String::new(), text),
        range: block.get(report, "range", (zero(), zero()), range),
        safe: block.get(report, "safe", zero(), decimal),
        rules: rules(block, report),
    })
}
