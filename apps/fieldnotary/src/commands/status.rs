//! `fieldnotary status`: one screen about a running node.

use super::Ended;
use super::table::{Align, Table};
use crate::cli::DirArgs;
use crate::clock;
use crate::paths::DataDir;
use ipc::Channel;
use ipc::message::{Hello, Message, Status};
use serde_json::Value;
use std::time::Duration;

/// How long to wait for the recorder.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the recorder.
pub(crate) fn status(args: &DirArgs) -> Result<Ended, String> {
    let data = DataDir::new(&args.dir);
    let channel = Channel::connect(&data.recorder_socket(), PATIENCE).map_err(|error| {
        format!(
            "no node runs on {}: {error}\nstart one with: fieldnotary run CONFIG --data {}",
            args.dir.display(),
            args.dir.display()
        )
    })?;
    let hello = Hello {
        role: "cli".to_owned(),
        pid: u64::from(std::process::id()),
        incarnation: clock::mono().0,
    };
    channel
        .ask(&hello.into(), PATIENCE)
        .map_err(|error| error.to_string())?;
    let report = match channel
        .ask(&Status {}.into(), PATIENCE)
        .map_err(|e| e.to_string())?
    {
        Message::StatusReport(report) => report.json.0,
        other => return Err(format!("the recorder answered with {}", other.name())),
    };
    if args.json {
        sayln!("{report}");
        return Ok(Ended::Well);
    }
    let report: Value = serde_json::from_str(&report).map_err(|error| error.to_string())?;
    print_screen(&report);
    Ok(Ended::Well)
}

fn print_screen(report: &Value) {
    let word = |name: &str| match report.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    sayln!("{}", word("origin"));
    let mut table = Table::new(&[("where it stands", Align::Left), ("", Align::Right)]);
    for (label, name) in [
        ("entries committed", "log_size"),
        ("entries sealed", "sealed_size"),
        ("entries cosigned", "cosigned_size"),
        ("readings since start", "readings"),
        ("failed attempts since start", "attempts_failed"),
        ("epoch", "epoch"),
        ("truth store", "truth_class"),
        ("keys", "custody"),
        ("time", "time_quality"),
        ("clock", "time_status"),
    ] {
        table.row([label.to_owned(), word(name)]);
    }
    say!("{table}");
    say!(
        "
"
    );
    let mut anchors = Table::new(&[
        ("anchor", Align::Left),
        ("counter", Align::Left),
        ("value", Align::Right),
    ]);
    for (anchor, counters) in report
        .get("anchors")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        for (name, value) in counters.as_object().into_iter().flatten() {
            let shown = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            anchors.row([anchor.clone(), name.clone(), shown]);
        }
    }
    say!("{anchors}");
}
