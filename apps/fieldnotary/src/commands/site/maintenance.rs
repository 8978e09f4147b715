//! `fieldnotary maintenance`: people begin or end work.

use super::recorder::{Site, actor};
use super::wiring::account;
use super::words::on;
use crate::cli::{MaintenanceArgs, Phase};
use crate::clock;
use crate::commands::{Ended, words};
use evidence::UtcNs;
use evidence::kinds::Maintenance;
use evidence::reasons::MaintenancePhase;
use query::Work;

/// Says that work begins or has ended.
pub(crate) fn maintenance(args: &MaintenanceArgs) -> Result<Ended, String> {
    let by = &args.by;
    let ends = args.phase == Phase::End;
    is_to_come(args.until, ends, clock::utc())?;
    let site = Site::open(&by.dir)?;
    site.has(by.meter.as_ref(), by.port.as_ref())?;
    let recorder = site.recorder()?;
    let is_whole = fits_what_is_open(args)?;
    let committed = recorder.commit(Maintenance {
        at: clock::mono(),
        phase: match ends {
            true => MaintenancePhase::End,
            false => MaintenancePhase::Begin,
        },
        actor: actor(by.actor.as_deref())?,
        reason: args.reason.clone(),
        source: by.port.clone(),
        meter_id: by.meter.clone(),
        until: args.until,
    })?;
    let what = match (ends, is_whole) {
        (false, _) => "work begins",
        (true, true) => "work has ended",
        (true, false) => "work has ended (its beginning is no longer in this log)",
    };
    committed.tell(&by.dir, by.json, what);
    Ok(Ended::Well)
}

fn is_to_come(until: Option<UtcNs>, ends: bool, now: UtcNs) -> Result<(), String> {
    match until {
        Some(_) if ends => Err("work that has ended has no --until".to_owned()),
        Some(until) if until <= now => Err(format!(
            "--until is {}, and it is {} already; nothing was written\n\
             write a time to come; one of another day with its date: 2026-11-21T10:00:00Z (times are UTC)",
            words::time(until),
            words::time(now)
        )),
        _ => Ok(()),
    }
}

/// Whether what the log has open there can begin or end now; `false` where the beginning of what is ended has left the log.
fn fits_what_is_open(args: &MaintenanceArgs) -> Result<bool, String> {
    let by = &args.by;
    let mut reaches_back = None;
    let report = account(&by.dir, |entry| {
        reaches_back.get_or_insert(entry.header.commit_id.0 == 0);
    })?;
    let is_open = |work: &&Work| work.from.is_some() && work.to.is_none();
    let here = |work: &&Work| (&work.source, &work.meter) == (&by.port, &by.meter);
    let place = on(by.port.as_ref(), by.meter.as_ref());
    let end = |work: &Work| {
        let option = match (&work.meter, &work.source) {
            (Some(meter), _) => format!(" --meter {meter}"),
            (None, Some(port)) => format!(" --port {port}"),
            (None, None) => String::new(),
        };
        let dir = by.dir.display();
        format!("fieldnotary maintenance {dir} end{option} --reason TEXT")
    };
    let mut open = report.work.iter().filter(is_open);
    match (args.phase, open.clone().find(here)) {
        (Phase::Begin, None) => Ok(true),
        (Phase::Begin, Some(work)) => Err(format!(
            "work on {place} goes on already: {}; nothing was written\nend that first: {}",
            begun(work),
            end(work)
        )),
        (Phase::End, Some(_)) => Ok(true),
        (Phase::End, None) if reaches_back == Some(false) => Ok(false),
        (Phase::End, None) => {
            let others = match open.next() {
                None => "no work goes on in this log".to_owned(),
                Some(work) => format!(
                    "work goes on on {}: {}; end it with: {}",
                    on(work.source.as_ref(), work.meter.as_ref()),
                    begun(work),
                    end(work)
                ),
            };
            Err(format!(
                "no work on {place} was begun that could end; nothing was written\n{others}"
            ))
        }
    }
}

/// Since when, by whom, and why.
fn begun(work: &Work) -> String {
    let from = work.from.map_or_else(|| "?".to_owned(), words::time);
    format!("since {from}, {}: {}", work.actor, work.reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::is_to_come;
    use evidence::UtcNs;

    //= A3.8
    #[test]
    fn work_is_meant_to_end_in_the_time_to_come() {
        let now = UtcNs(100);
        for (until, ends, due) in [
            (None, false, None),
            (None, true, None),
            (Some(101), false, None),
            (Some(100), false, Some("write a time to come")),
            (Some(99), false, Some("write a time to come")),
            (Some(101), true, Some("has no --until")),
        ] {
            let said = is_to_come(until.map(UtcNs), ends, now).err();
            let fits = match (&said, due) {
                (Some(said), Some(due)) => said.contains(due),
                (None, None) => true,
                _ => false,
            };
            assert!(fits, "{until:?} {ends}: {said:?}");
        }
    }
}
