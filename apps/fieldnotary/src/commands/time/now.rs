//! `fieldnotary time now`: the clock as the newest entry was stamped by it. The log is read; a node that runs is not asked.

use super::{read, said};
use crate::cli::TimeNowArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::directory::Directory;
use crate::commands::status::is_running;
use crate::commands::table::{Align, Table};
use crate::commands::words;
use evidence::UtcNs;
use evidence::reasons::{CounterState, OffsetBucket, TimeQuality, TimeStatus};
use query::{TimeAccount, TimeNow};
use std::path::Path;
use time_plane::drift::drift_budget;

/// Shows it. Ends badly where the newest entry is not SYNCED.
pub(super) fn now(args: &TimeNowArgs) -> Result<Ended, String> {
    let mut account = TimeAccount::new();
    read(&args.dir, &mut account)?;
    let stopped = stopped(&args.dir);
    let now = account
        .now()
        .ok_or_else(|| format!("no entry of {} can be read", args.dir.display()))?;
    if args.json {
        let mut said = now.json();
        if let Some(object) = said.as_object_mut() {
            object.insert("running".to_owned(), stopped.map(|stopped| !stopped).into());
        }
        sayln!("{said}");
    } else {
        say!("{}", screen(&now, clock::utc(), stopped == Some(true)));
        if stopped == Some(true) {
            let dir = args.dir.display();
            sayln!("\nno node runs here; start it with: fieldnotary run CONFIG --data {dir}");
        }
    }
    Ok(match now.stamp.quality {
        TimeQuality::Synced if stopped != Some(true) => Ended::Well,
        TimeQuality::Synced | TimeQuality::RtcOnly | TimeQuality::Holdover => Ended::Badly,
    })
}

/// Whether the node whose directory this is does not run; a collector's says nothing of that.
pub(super) fn stopped(dir: &Path) -> Option<bool> {
    match Directory::open(dir) {
        Ok(Directory::Node(data)) => Some(!is_running(&data)),
        Ok(Directory::Collector(_)) | Err(_) => None,
    }
}

fn real_time_clock(now: &TimeNow, put: &mut impl FnMut(&str, String)) {
    let drift = counted(now, "drift_estimate", |ppb, way| {
        format!("{ppb} ppb {}", way.unwrap_or_default())
    });
    put("real-time clock drift", drift);
    let valid = counted(now, "rtc_valid_flag", |valid, _| {
        String::from(if valid == 0 {
            "no, it says so itself"
        } else {
            "yes"
        })
    });
    put("real-time clock valid", valid);
}

/// ptp4l at its last look, where a snapshot tells of it.
fn ptp(now: &TimeNow, put: &mut impl FnMut(&str, String)) {
    let one = |name: &str| {
        let found = now.counters.iter().find(|(_, one)| one.name == name);
        found.filter(|(_, one)| one.state != CounterState::Unsupported)
    };
    let Some((_, gm)) = one("gm_id") else {
        return;
    };
    let value = |name: &str| one(name).and_then(|(_, one)| one.value);
    let label = |name: &str| one(name).and_then(|(_, one)| one.label.as_deref());
    let late = if gm.state == CounterState::Stale {
        "; stale"
    } else {
        ""
    };
    let taken = now.counters_utc.map(words::time).unwrap_or_default();
    put(
        "grandmaster",
        format!(
            "{}, class {}, domain {}, profile {}; port {}{late}; as of {taken}",
            gm.label.as_deref().unwrap_or("unknown"),
            gm.value.unwrap_or_default(),
            value("domain").unwrap_or_default(),
            label("profile").unwrap_or("unknown"),
            label("port_state").unwrap_or("unknown"),
        ),
    );
    let ns = |name: &str| value(name).map_or_else(|| "unknown".to_owned(), words::nanoseconds);
    put(
        "",
        format!(
            "offset {} {}, path delay {}, jitter {}",
            ns("offset"),
            label("offset").unwrap_or_default(),
            ns("path_delay"),
            ns("jitter"),
        ),
    );
    let timestamps = match value("hw_timestamping") {
        Some(0) => "by the kernel",
        Some(_) => "by the network card",
        None => "unknown how",
    };
    put(
        "",
        format!(
            "timestamps {timestamps}; {} missing in the last seconds",
            words::count(value("pkt_loss").unwrap_or_default(), "message", "messages"),
        ),
    );
}

/// When a source was measured last, as far as entries tell.
fn last_measured(now: &TimeNow, stopped: bool) -> String {
    match (now.sync_age_ns, now.stamp.status) {
        (Some(ns), _) => format!("{} before the newest entry", words::nanoseconds(ns)),
        (None, TimeStatus::Locked | TimeStatus::Acquiring) => {
            match stopped || !now.in_force.is_empty() {
                true => "before the newest entry; no entry tells when".to_owned(),
                false => "it is being measured".to_owned(),
            }
        }
        (None, TimeStatus::Holdover | TimeStatus::FreeRun) => "never in this run".to_owned(),
    }
}

pub(super) fn screen(now: &TimeNow, at: UtcNs, stopped: bool) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut put = |name: &str, words: String| table.row([name.to_owned(), words]);
    let age_ns = at.0.saturating_sub(now.newest.utc.0);
    let ago = u64::try_from(age_ns / 1_000_000).map_or_else(
        |_| "ahead of this machine's clock".to_owned(),
        |ms| format!("{} ago", words::span(ms)),
    );
    put(
        "newest entry",
        format!("{}, {ago}", said::mark(&now.newest)),
    );
    if let (Some(label), Some(stretch)) = (now.label(), &now.stretch) {
        put("label", said::label(label));
        put("", said::reason(label));
        put("since", said::mark(&stretch.begin));
    }
    for (place, event) in now.in_force.iter().enumerate() {
        let name = if place == 0 { "what is wrong" } else { "" };
        put(name, said::in_force(event));
    }
    put(
        "error bound",
        format!("{}{}", said::bound(now.stamp.bound_ns), share(now)),
    );
    if let Some(limit_ns) = now.limit_ns {
        let budget = drift_budget(now.stamp.bound_ns, limit_ns);
        put("  budget", budget.meaning().to_owned());
    }
    if let Some((entry, map)) = &now.map {
        if let Some(parts) = said::parts(map) {
            let when = words::time(map.utc);
            put("  its parts", format!("{parts}, at {when}"));
        }
        put("rests on", format!("{} (entry {entry})", map.basis));
    }
    put("last measured", last_measured(now, stopped));
    let stable = now.boot_to_stable_ns;
    put(
        "first SYNCED",
        stable.map_or_else(
            || "not yet in this boot".to_owned(),
            |ns| format!("{} after the machine's boot", words::nanoseconds(ns)),
        ),
    );
    ptp(now, &mut put);
    real_time_clock(now, &mut put);
    put(
        "last jump",
        match &now.jump {
            Some(jump) => format!("{}, {}", words::time(jump.after.utc), said::jump(jump)),
            None => "none in the log".to_owned(),
        },
    );
    if let Some(jump) = &now.jump {
        put("", format!("{} ({})", said::cause(jump), said::proof(jump)));
    }
    for (place, one) in now.offered.iter().enumerate() {
        let name = if place == 0 { "offered times" } else { "" };
        put(name, said::offered(one));
    }
    if let Some(event) = &now.refclock {
        put("handed to chronyd", said::refclock(event));
    }
    put("in the whole log", totals(now));
    let title = now
        .origin
        .as_deref()
        .unwrap_or("a log without a configuration");
    let rows = table.to_string();
    let rows = rows.split_once('\n').map_or("", |(_, rows)| rows);
    // The node may have stopped long ago: nobody is asked but the log.
    format!("{title}, as its newest entry has it\n\n{rows}")
}

/// The bound's share of what the site allows.
fn share(now: &TimeNow) -> String {
    match (now.share_permille(), now.limit_ns) {
        (Some(permille), Some(limit_ns)) => format!(
            ", {}.{} % of the site's {}",
            permille / 10,
            permille % 10,
            words::nanoseconds(limit_ns)
        ),
        (None, Some(limit_ns)) => format!(", the site's limit is {}", words::nanoseconds(limit_ns)),
        (_, None) => ", and the site sets no limit: nothing is measured".to_owned(),
    }
}

/// The newest value of a counter, in words.
fn counted(now: &TimeNow, name: &str, words: impl FnOnce(u64, Option<&str>) -> String) -> String {
    let counter = now.counters.iter().find(|(_, one)| one.name == name);
    match counter {
        Some((_, one)) => match (one.state, one.value) {
            (CounterState::Value, Some(value)) => words(value, one.label.as_deref()),
            (state, _) => state.name().to_owned(),
        },
        None => "no snapshot in the log yet".to_owned(),
    }
}

fn totals(now: &TimeNow) -> String {
    let totals = &now.totals;
    let steps: u64 = totals.jumps.values().sum();
    let buckets: Vec<String> = totals
        .jumps
        .iter()
        .map(|(bucket, count): (&OffsetBucket, &u64)| format!("{count} {bucket}"))
        .collect();
    let buckets = match buckets.is_empty() {
        true => String::new(),
        false => format!(" ({})", buckets.join(", ")),
    };
    format!(
        "sync acquired {}, lost {}; {} in {}; {}{buckets}, {} unexplained",
        totals.sync_acquired,
        totals.sync_lost,
        words::count(totals.holdovers, "holdover", "holdovers"),
        words::nanoseconds(totals.holdover_ns.0),
        words::count(steps, "jump", "jumps"),
        totals.unexplained,
    )
}
