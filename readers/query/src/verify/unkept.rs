//! What the log itself tells of its keep-rings: that one of them took no more, or lost what it had.

use super::report::{FindingKind, Report};
use evidence::Payload;
use evidence::reasons::EventCode;

/// The event that tells of a keep-ring, if an entry is one.
pub(super) fn note(id: u64, payload: &Payload, report: &mut Report) {
    let Payload::Event(event) = payload else {
        return;
    };
    if event.code != EventCode::KeepFailed {
        return;
    }
    let why = event.detail.as_deref().unwrap_or("it does not say why");
    let words = format!(
        "a keep-ring is incomplete, and the log tells of it since this entry (keep_failed): {why}"
    );
    report.find(FindingKind::KeepIncomplete, Some((id, id)), words);
}
