//! What timestamp authorities say of the log's heads.

use super::rfc3339;
use evidence::Payload;
use evidence::kinds::{Timestamp, TimestampFailed};
use serde_json::{Value, json};

/// The fields of an entry about timestamps; false for any other.
pub(super) fn fields(payload: &Payload, put: &mut impl FnMut(&str, Value)) -> bool {
    match payload {
        Payload::Timestamp(told) => stamped(told, put),
        Payload::TimestampFailed(told) => failed(told, put),
        _ => return false,
    }
    true
}

fn stamped(told: &Timestamp, put: &mut impl FnMut(&str, Value)) {
    put("size", json!(told.size));
    put("root", json!(told.root.to_string()));
    put("stated", json!(rfc3339(told.stated)));
    put("accuracy_ns", json!(told.accuracy_ns));
    put("offset_ns", json!(told.offset_ns));
    put("authority", json!(told.authority));
    put("authority_root", json!(told.root_name));
    put("token", json!(super::hex(&told.token.0)));
}

fn failed(told: &TimestampFailed, put: &mut impl FnMut(&str, Value)) {
    put("size", json!(told.size));
    put("fault", json!(told.fault.name()));
    put("count", json!(told.count));
    put("retry_ms", json!(told.retry_ms));
    put("detail", json!(told.detail));
}
