//! `fieldnotary status`: one screen about a node, running or not.

use super::Ended;
use super::directory::{is_node, what_it_is};
use super::foreign;
use super::journal::look::harm_words;
use super::on_disk::OnDisk;
use super::processes;
use super::restore_mark;
use super::status_certificates;
use super::status_screen::screen;
use crate::cli::DirArgs;
use crate::paths::DataDir;
use ipc::Channel;
use ipc::message::{Message, Status};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

/// How long to wait for the recorder.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the recorder; without one the files are all there is.
pub(crate) fn status(args: &DirArgs) -> Result<Ended, String> {
    super::preflight::readable(&args.dir)?;
    if !is_node(&args.dir) {
        let shown = args.dir.display();
        if query::CollectorDir::is_one(&args.dir) {
            return Err(format!(
                "no node runs on {shown}: it is a collector's directory\n\
                 look at what it holds with: fieldnotary verify {shown}, or log, or gaps"
            ));
        }
        let is = what_it_is(&args.dir);
        // Only where one could begin: not in a file, nor among what is something else already.
        let free = std::fs::read_dir(&args.dir)
            .map_or(!args.dir.exists(), |mut inside| inside.next().is_none());
        let next = match free {
            false => String::new(),
            true => format!("\nstart one with: fieldnotary run CONFIG --data {shown}"),
        };
        return Err(format!("no node runs on {shown}: {is}{next}"));
    }
    let data = DataDir::new(&args.dir);
    let (report, ended) = match running(&data)? {
        Some(report) => (report, Ended::Well),
        None => (OnDisk::open(&data)?.report()?, Ended::Badly),
    };
    let mut report = report;
    let mark = restore_mark::read(&data)?;
    report.insert(
        "restored".to_owned(),
        mark.as_ref().map_or(Value::Null, restore_mark::Mark::json),
    );
    report.insert("older_generations".to_owned(), super::on_disk::older(&data));
    status_certificates::add(&data, &mut report);
    let report = Value::Object(report);
    if args.json {
        sayln!("{report}");
    } else {
        if let Some(mark) = &mark {
            sayln!("{}\n", mark.words());
        }
        say!("{}", screen(&foreign::lines_of(&report)));
        let found = report.pointer("/journal/findings").unwrap_or(&Value::Null);
        say!("{}", harm_words(found, &args.dir));
        if let Some(mark) = &mark {
            sayln!("\n{}", mark.refusal(&args.dir));
        } else if ended == Ended::Badly {
            let shown = args.dir.display();
            sayln!("\nno node runs here; start it with: fieldnotary run CONFIG --data {shown}");
        }
    }
    Ok(ended)
}

/// Whether a node runs here.
pub(super) fn is_running(data: &DataDir) -> bool {
    matches!(ask(&data.recorder_socket()), Ok(Some(_)))
}

/// The report of a running node; `None` if none runs.
pub(super) fn running(data: &DataDir) -> Result<Option<Map<String, Value>>, String> {
    let Some(mut report) = ask(&data.recorder_socket())? else {
        return Ok(None);
    };
    report.insert("running".to_owned(), json!(true));
    processes::add(data, &mut report);
    let cosigned = report.get("cosigned_size").and_then(Value::as_u64);
    // A ring that cannot be looked at just now is no reason to say nothing.
    if let Ok(files) = OnDisk::open(data) {
        report.insert("ring".to_owned(), files.ring(cosigned));
    }
    Ok(Some(report))
}

/// What the recorder says; `None` if nobody listens.
pub(super) fn ask(socket: &Path) -> Result<Option<Map<String, Value>>, String> {
    let Ok(channel) = Channel::connect(socket, PATIENCE) else {
        return Ok(None);
    };
    let failed = |error: ipc::IpcError| format!("the recorder does not answer: {error}");
    channel
        .ask(&super::site::hello().into(), PATIENCE)
        .map_err(failed)?;
    match channel.ask(&Status {}.into(), PATIENCE).map_err(failed)? {
        Message::StatusReport(report) => serde_json::from_str(&report.json.0)
            .map(Some)
            .map_err(|error| format!("the recorder's status is not JSON: {error}")),
        other => Err(format!("the recorder answered with {}", other.name())),
    }
}
