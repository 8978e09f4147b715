//! What the station's outputs did last, what is asked of them, and who has locked them.

use super::{Mark, mark_json, put};
use crate::operated::Operated;
use contract::{Contract, OutputPlace};
use evidence::reasons::OutputOutcome;
use evidence::{CommitId, Decimal, Payload, PointId, UtcNs, kinds};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Outputs that a report lists.
const OUTPUTS_LISTED_MAX: usize = 200;

#[derive(Clone, Debug)]
struct Seen {
    mark: Mark,
    outcome: OutputOutcome,
    reason: &'static str,
    command: Option<CommitId>,
    /// What it was driven to; refusals and selections leave it.
    value: Option<Decimal>,
}

/// Every output that was heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct Outputs {
    operated: Operated,
    seen: BTreeMap<PointId, Seen>,
}

impl Outputs {
    pub(super) const fn operated(&self) -> &Operated {
        &self.operated
    }

    pub(super) fn observe(&mut self, mark: Mark, payload: &Payload) {
        self.operated.observe(mark.id, payload);
        if let Payload::Output(output) = payload {
            let before = self.seen.get(&output.point_id);
            let value = match driven(output) {
                Some(value) => value,
                None => before.and_then(|seen| seen.value),
            };
            let seen = Seen {
                mark,
                outcome: output.outcome,
                reason: output.reason.name(),
                command: output.command,
                value,
            };
            self.seen.insert(output.point_id.clone(), seen);
        }
    }

    /// The outputs of the contract, also those that said nothing yet.
    pub(super) fn json(&self, contract: &Contract, now: UtcNs) -> Value {
        let listed = contract.points.outputs().take(OUTPUTS_LISTED_MAX);
        let rows = listed.map(|output| {
            let tags: Vec<&str> = self.operated.tagged_by(output.id).collect();
            let open: Vec<u64> = self.operated.open_at(output.id).map(|id| id.0).collect();
            let seen = self.seen.get(output.id);
            let value = seen.and_then(|seen| seen.value);
            let mut row = json!({
                "id": output.id.as_str(),
                "card": output.card.as_str(),
                "value": value.map(|value| shown(value, &output.place)),
                "unit": contract.points.unit_of(output.id),
                "outcome": seen.map(|seen| seen.outcome.name()),
                "reason": seen.map(|seen| seen.reason),
                "command": seen.and_then(|seen| seen.command).map(|id| id.0),
                "open": open,
                "tags": tags,
            });
            let last = seen.map_or(Value::Null, |seen| mark_json(seen.mark, now));
            put(&mut row, "last", last);
            row
        });
        Value::Array(rows.collect())
    }
}

/// What the record says of where the output stands; `None` where it says nothing of it.
fn driven(output: &kinds::Output) -> Option<Option<Decimal>> {
    match output.outcome {
        OutputOutcome::Failed | OutputOutcome::Unknown => Some(None),
        _ => output.driven_at.map(|_| output.value),
    }
}

fn shown(value: Decimal, place: &OutputPlace<'_>) -> String {
    match (place, value.mantissa()) {
        (OutputPlace::Line(_), 0) => "off".to_owned(),
        (OutputPlace::Line(_), _) => "on".to_owned(),
        (OutputPlace::Channel(_), _) => value.to_string(),
    }
}
