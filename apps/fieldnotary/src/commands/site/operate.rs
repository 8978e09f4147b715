//! `fieldnotary operate`: a command, and what became of it.

use super::recorder::{Site, actor};
use crate::cli::OperateArgs;
use crate::clock;
use crate::commands::Ended;
use contract::{Output, OutputPlace};
use evidence::kinds::{self, Command};
use evidence::reasons::{CommandOrigin, CommandStep, OutputOutcome, OutputReason};
use evidence::{CommitId, Decimal, Kind, Payload};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a command may be on its way beside its feedback's window.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// Commits a command, and waits for its outcome.
pub(crate) fn operate(args: &OperateArgs) -> Result<Ended, String> {
    let on = &args.on;
    let step = match (args.select, args.execute, args.direct) {
        (true, ..) => CommandStep::Select,
        (_, true, _) => CommandStep::Execute,
        (.., true) => CommandStep::Operate,
        _ => CommandStep::Cancel,
    };
    let site = Site::open(&on.dir)?;
    let output = site.output(&on.point)?;
    let value = args.value.as_deref().map(|text| value(&output, text));
    let window_ms = output
        .rules
        .feedback
        .as_ref()
        .map_or(0, |one| one.window_ms);
    let recorder = site.recorder()?;
    let committed = recorder.commit(Command {
        at: clock::mono(),
        point_id: on.point.clone(),
        step,
        value: value.transpose()?,
        origin: CommandOrigin::Person,
        actor: actor(on.actor.as_deref())?,
        reason: args.reason.clone(),
        issued: None,
    })?;
    let id = committed.at.commit_id;
    // A proof may have to hold for a part of the window beyond its end.
    let patience = ON_ITS_WAY + Duration::from_millis(window_ms.saturating_mul(2));
    let mut told: Vec<(CommitId, kinds::Output)> = Vec::new();
    recorder.follow(id, &[Kind::Output], patience, |at, payload| {
        let Payload::Output(outcome) = payload else {
            return false;
        };
        if outcome.command != Some(id) {
            return false;
        }
        if !on.json {
            sayln!("{}", words(at, &outcome));
        }
        let ends = outcome.outcome.is_final();
        told.push((at, outcome));
        ends
    })?;
    if on.json {
        let outcomes: Vec<Value> = told.iter().map(|(at, one)| as_json(*at, one)).collect();
        let event_id = committed.at.to_string();
        sayln!(
            "{}",
            json!({"event_id": event_id, "commit_id": id.0, "outcomes": outcomes})
        );
    }
    let last = told.last().map(|(_, one)| one.outcome);
    if last.is_none_or(|last| !last.is_final()) && !on.json {
        let shown = on.dir.display();
        sayln!(
            "command {id} has no outcome yet: is the process that drives outputs held back? fieldnotary status {shown}\n\
             the log will tell it: fieldnotary log {shown} --from {id}"
        );
    }
    Ok(match last {
        Some(
            OutputOutcome::Selected
            | OutputOutcome::Cancelled
            | OutputOutcome::Operated
            | OutputOutcome::Proved,
        ) => Ended::Well,
        _ => Ended::Badly,
    })
}

/// The value that is meant.
fn value(output: &Output<'_>, text: &str) -> Result<Decimal, String> {
    let (id, switch) = (output.id, Decimal::new);
    let read = match (&output.place, text) {
        (OutputPlace::Line(_), "on") => switch(1, 0),
        (OutputPlace::Line(_), "off") => switch(0, 0),
        (OutputPlace::Line(_), other) => {
            return Err(format!(
                "--value {other}: {id} is a digital output; write on or off"
            ));
        }
        (OutputPlace::Channel(_), text) => text.parse(),
    };
    read.map_err(|error| format!("--value {text}: {error}; write a number such as 42.5"))
}

fn words(at: CommitId, one: &kinds::Output) -> String {
    let reason = match one.reason {
        OutputReason::None => String::new(),
        reason => format!(" ({reason}): {}", reason.meaning()),
    };
    let about = one.about.as_ref();
    let about = about.map_or_else(String::new, |about| format!(": {about}"));
    format!(
        "{}: {}{reason}{about} [entry {at}]",
        one.point_id, one.outcome
    )
}

fn as_json(at: CommitId, one: &kinds::Output) -> Value {
    let number = |value: Option<Decimal>| value.map(|value| value.to_string());
    json!({
        "commit_id": at.0,
        "outcome": one.outcome.name(),
        "reason": one.reason.name(),
        "value": number(one.value),
        "feedback_value": number(one.feedback_value),
        "about": one.about,
    })
}
