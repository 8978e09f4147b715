//! Whether a command may have what it asks for.

use super::{MS, Output, Selection, Spec, of_switch};
use crate::outputs::gate::Facts;
use crate::outputs::group::{Around, Given, Points};
use crate::outputs::seen::{Held, Value};
use crate::outputs::state::State;
use alloc::format;
use alloc::string::{String, ToString};
use contract::{AnalogOutput, Operate};
use core::cmp::Ordering::{Equal, Greater, Less};
use evidence::kinds;
use evidence::reasons::{CommandStep, OutputReason, TimeQuality};
use evidence::{Decimal, MonoNs};

impl Output {
    pub(super) fn is_selected_by(&self, given: &Given) -> bool {
        let by = |one: &Selection| {
            (one.origin, &one.actor) == (given.command.origin, &given.command.actor)
        };
        self.selection.as_ref().is_some_and(by)
    }

    pub(super) fn facts(
        &self,
        now: MonoNs,
        given: &Given,
        points: &Points<'_>,
        around: Around,
    ) -> (Facts, Option<String>) {
        let (command, rules) = (&given.command, self.rules());
        let switch = rules.remote_switch.as_ref().map(|one| points.seen(one));
        let switch = switch.map(|seen| seen.believed());
        let doubtful = |seen: &Option<Value>| !matches!(seen, Some(Value::Switch(_)));
        let mut held = rules
            .interlocks
            .iter()
            .map(|one| (points.seen(&one.point).held(one), one));
        let first = held
            .clone()
            .find(|(held, _)| *held == Held::Unknown)
            .or_else(|| held.find(|(held, _)| *held == Held::Broken));
        let feedback = rules.feedback.as_ref();
        let (bad_value, out_of_range) = self.judge(command);
        let selected = self.selection.as_ref();
        let facts = Facts {
            step: command.step,
            stopping: around.stopping,
            too_old: self.is_too_old(now, given),
            age_unknown: command.issued.is_some() && given.stamp.quality == TimeQuality::RtcOnly,
            card_lost: !around.up,
            backlog: around.backlog,
            tagged: points.is_tagged(self.id()),
            switch_unknown: switch.as_ref().is_some_and(doubtful),
            local: switch == Some(Some(Value::Switch(false))),
            bad_value,
            out_of_range,
            select_required: rules.operate == Operate::Select,
            others: selected.is_some() && !self.is_selected_by(given),
            unselected: selected.is_none(),
            differs: selected
                .zip(command.value)
                .is_none_or(|(one, value)| one.value.cmp_value(value) != Equal),
            busy: !matches!(self.state, State::Idle | State::Selected)
                || self.pulse_until.is_some()
                || !self.is_settled(),
            interlock_unknown: matches!(first, Some((Held::Unknown, _))),
            interlocked: matches!(first, Some((Held::Broken, _))),
            unproved: feedback.is_some_and(|one| points.seen(&one.point).believed().is_none()),
        };
        let about = match facts.refusal() {
            Some(OutputReason::Interlock | OutputReason::InterlockUnknown) => {
                first.map(|(_, condition)| condition.to_string())
            }
            Some(OutputReason::Local | OutputReason::SwitchUnknown) => {
                rules.remote_switch.as_ref().map(ToString::to_string)
            }
            Some(OutputReason::OutOfRange) => self.rounded_out(command.value),
            Some(OutputReason::Unproved) => feedback.map(|one| one.point.to_string()),
            Some(OutputReason::SelectedByOther) => selected.map(|one| one.actor.to_string()),
            Some(OutputReason::Tagged) => points.tagged_by(self.id()),
            _ => None,
        };
        (facts, about)
    }

    /// What a value within the range would be rounded to, out of it.
    fn rounded_out(&self, value: Option<Decimal>) -> Option<String> {
        let Spec::Analog(output) = &self.spec else {
            return None;
        };
        let value = value.filter(|value| !is_beyond(output, *value))?;
        let held = output.held_of(value)?;
        Some(format!("it would be output as {held}"))
    }

    /// By the node's own clock, and by the time tag where it has one: then also one from the future.
    fn is_too_old(&self, now: MonoNs, given: &Given) -> bool {
        let age_max_ns = self.rules().age_ms.saturating_mul(MS);
        let tag_ns = given.command.issued.map_or(0, |issued| {
            let stamped = given.stamp.timestamp.0;
            stamped.abs_diff(issued.0)
        });
        now.since(given.command.at) > age_max_ns || tag_ns > age_max_ns
    }

    /// Whether the output cannot have the value, and whether it lies outside the range.
    fn judge(&self, command: &kinds::Command) -> (bool, bool) {
        let Some(value) = command.value else {
            return (command.step != CommandStep::Cancel, false);
        };
        match &self.spec {
            Spec::Digital(output) => {
                let is = |on: bool| value.cmp_value(of_switch(on)) == Equal;
                let rests = output.pulse_ms.is_some() && is(output.safe);
                ((!is(true) && !is(false)) || rests, false)
            }
            Spec::Analog(output) => {
                let held = output.held_of(value);
                // The range is of what the field gets: a value at its end may not be rounded over it.
                let outside =
                    is_beyond(output, value) || held.is_some_and(|held| is_beyond(output, held));
                (!outside && held.is_none(), outside)
            }
        }
    }
}

fn is_beyond(output: &AnalogOutput, value: Decimal) -> bool {
    let (min, max) = output.range;
    value.cmp_value(min) == Less || value.cmp_value(max) == Greater
}
