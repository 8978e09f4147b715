//! The status of a running node: five anchors, and where the log stands (A2.5).

use super::committer::Committer;
use super::stats::Spans;
use crate::clock;
use evidence::kinds::Counter;
use ipc::message::{Message, StatusReport, StatusText};
use serde_json::{Value, json};

/// The status as one JSON object.
pub(super) fn report(recorder: &Committer) -> Message {
    let counters = recorder.counters();
    let find = |name: &str| {
        counters
            .iter()
            .find(|counter| counter.name == name)
            .map(shown)
    };
    let anchor = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), find(name).unwrap_or(Value::Null)))
            .collect()
    };
    let mut status = json!({
        "origin": recorder.origin,
        "generation": recorder.journal.generation().0,
        "epoch": recorder.journal.epoch().0,
        "truth_class": recorder.journal.truth_class().name(),
        "truth_degraded": recorder.truth_degraded,
        "certificates": crate::papers::own_certificates(&recorder.contract),
        "log_size": recorder.journal.size(),
        "sealed_size": recorder.seal.sealed_size,
        "witnessed_size": recorder.seal.cosigned_size,
        "cosigned_size": recorder.seal.cosigned_size,
        "meters": recorder.meters().count(),
        "readings": recorder.stats.readings,
        "attempts_failed": recorder.stats.attempts_failed,
        "time_quality": recorder.time.newest().quality.name(),
        "time_status": recorder.time.newest().status.name(),
        "capture_to_durable_ns": spans(&recorder.stats.durable),
        "capture_to_cosigned_ns": spans(&recorder.stats.cosigned),
        "journal": journal(recorder),
        "lost": lost(recorder),
        "medium": recorder.media.json(),
        "maintenance": recorder.ledger.work_words(),
        "anchors": {
            "power": anchor(&["uvlo_cnt", "brownout_log_cnt", "vbat_droop_cnt", "vbat_min", "reset_reason"]),
            "clock": anchor(&["step_adjust_cnt", "drift_estimate", "last_sync_age"]),
            "interfaces": anchor(&["framing", "parity", "overrun"]),
            "commit": anchor(&[
                "commit_latency_p99", "write_fail_cnt", "write_stall_cnt", "seq_gap", "commit_id_gap",
            ]),
            "uplink": anchor(&["link_flap_cnt", "attach_fail_cnt", "rssi"]),
        },
        "counters": counters.iter().map(counter_json).collect::<Vec<_>>(),
    });
    let now = clock::utc();
    let lately = recorder.lately.report(&recorder.contract, now, now);
    if let Some(object) = status.as_object_mut() {
        object.extend(
            lately
                .into_iter()
                .chain(recorder.lately.trust())
                .map(|(name, part)| (name.to_owned(), part)),
        );
    }
    StatusReport {
        json: StatusText(status.to_string()),
    }
    .into()
}

/// What left the ring before a cosigner had it: still to be told, and what the cosigner knows by name.
fn lost(recorder: &Committer) -> Value {
    let told = recorder.given_up.lost().iter();
    let told = told.map(|(first, count)| json!({ "first": first, "count": count }));
    json!({
        "given_up_entries": recorder.given_up.count(),
        "given_up_end": recorder.given_up.end(),
        "told": told.collect::<Vec<_>>(),
    })
}

fn spans(spans: &Spans) -> Value {
    json!({ "p50": spans.percentile_ns(50), "p99": spans.percentile_ns(99) })
}

/// What the journal counted since it was opened: flushes of both media apart, bytes on them.
fn journal(recorder: &Committer) -> Value {
    let stats = recorder.journal.stats();
    json!({
        "commits": stats.commits,
        "entries": stats.entries,
        "frame_bytes": stats.frame_bytes,
        "payload_bytes": stats.payload_bytes,
        "volume_flushes": stats.volume_flushes,
        "truth_flushes": stats.truth_flushes,
        "write_ptr": stats.write_ptr,
        "commit_ptr": stats.commit_ptr,
    })
}

fn shown(counter: &Counter) -> Value {
    match counter.value {
        // A reason is a word.
        Some(_) if counter.name == "reset_reason" => json!(counter.label),
        Some(value) => json!(value),
        None => json!(counter.state.name()),
    }
}

fn counter_json(counter: &Counter) -> Value {
    json!({
        "name": counter.name,
        "label": counter.label,
        "state": counter.state.name(),
        "value": counter.value,
        "source": counter.source.as_str(),
    })
}
