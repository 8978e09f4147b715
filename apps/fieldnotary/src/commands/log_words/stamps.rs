//! Lines about timestamps.

use super::super::words;
use evidence::kinds::{Timestamp, TimestampFailed};

pub(super) fn stamp_words(told: &Timestamp) -> String {
    let offset = told.offset_ns.map_or_else(
        || "this node's own time had no bound".to_owned(),
        |ns| {
            format!(
                "{} ms from this node's own time at the most",
                ns.div_ceil(1_000_000)
            )
        },
    );
    format!(
        "the checkpoint of {} entries existed at {} at the latest, by {} ({}); {offset}",
        told.size,
        words::time(told.stated),
        told.authority,
        told.root_name
    )
}

pub(super) fn failed_words(told: &TimestampFailed) -> String {
    format!(
        "no timestamp of the checkpoint of {} entries: {} ({}, {} in a row, next try in {} s)",
        told.size,
        told.detail,
        told.fault,
        told.count,
        told.retry_ms / 1_000
    )
}
