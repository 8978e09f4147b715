//! Which events are of the time plane, and jumps as they are put together from stamps and events.

use super::model::{Jump, JumpKind, Mark};
use evidence::kinds::Event;
use evidence::reasons::EventCode;
use evidence::{EntryId, UtcNs};

/// A move of UTC against monotonic time below this is reading noise; the time plane's threshold.
pub(super) const STEP_NS_MIN: u64 = 1_000_000;
/// Below this a move says nothing, whatever an event says.
const SHIFT_NS_MIN: u64 = 10_000;
/// Comparing the clocks and committing the event that tells of a jump takes less than this.
const TOLD_WITHIN_NS: u64 = 10_000_000_000;

/// By how much UTC moved from a mark to a later one of the same boot, where reading noise does not explain it.
/// Slewing moves the monotonic clock alike and shows nowhere here, however long it takes.
pub(super) fn moved_ns(before: &Mark, after: &Mark) -> Option<i64> {
    let moved_ns = after.difference_ns() - before.difference_ns();
    let limit = if moved_ns < 0 { i64::MIN } else { i64::MAX };
    (moved_ns.unsigned_abs() > u128::from(STEP_NS_MIN))
        .then(|| i64::try_from(moved_ns).unwrap_or(limit))
}

/// Whether UTC moved at all between two marks, by more than comparing the clocks is wrong.
pub(super) fn shifted(before: &Mark, after: &Mark) -> bool {
    let moved_ns = after.difference_ns() - before.difference_ns();
    moved_ns.unsigned_abs() > u128::from(SHIFT_NS_MIN)
}

/// A time, so many nanoseconds later.
pub(super) fn plus(utc: UtcNs, ns: u64) -> UtcNs {
    UtcNs(utc.0.saturating_add_unsigned(ns))
}

/// The code by which a reader knows an event: old versions told of the return of lost messages by the code of the loss,
/// without a cause, and counted messages.
pub(super) fn told_as(event: &Event) -> (EventCode, Option<u64>) {
    match (event.code, event.time_cause) {
        (EventCode::PtpLoss, None) => (EventCode::PtpLossEnded, None),
        (code, _) => (code, event.count),
    }
}

/// Whether an event may be the one that tells of a move seen at a mark.
pub(super) fn is_told(seen: &Mark, told: &Mark) -> bool {
    told.at.since(seen.at).max(seen.at.since(told.at)) <= TOLD_WITHIN_NS
}

/// A jump that stamps show.
pub(super) fn seen(run: usize, before: Mark, after: Mark, moved_ns: i64) -> Jump {
    Jump {
        kind: JumpKind::Untold,
        run,
        before,
        after,
        magnitude_ns: moved_ns.unsigned_abs(),
        forward: Some(moved_ns > 0),
        cause: None,
        event: None,
        detail: None,
    }
}

/// The same, of any size.
pub(super) fn seen_between(run: usize, before: Mark, after: Mark) -> Jump {
    let moved_ns = after.difference_ns() - before.difference_ns();
    let limit = if moved_ns < 0 { i64::MIN } else { i64::MAX };
    seen(run, before, after, i64::try_from(moved_ns).unwrap_or(limit))
}

/// A jump that an event tells of: it is one that stamps showed just before, or one that they cannot show.
pub(super) fn told(jumps: &mut Vec<Jump>, run: usize, before: Mark, mark: Mark, event: Event) {
    let kind = match event.code {
        EventCode::TimeStep => JumpKind::Step,
        _ => JumpKind::Slew,
    };
    let shown = jumps.iter_mut().rev().find(|jump| {
        kind == JumpKind::Step
            && jump.run == run
            && jump.kind == JumpKind::Untold
            && is_told(&jump.after, &mark)
    });
    if let Some(jump) = shown {
        jump.kind = kind;
        jump.cause = event.time_cause;
        jump.event = Some(mark.entry);
        jump.detail = event.detail;
        return;
    }
    jumps.push(Jump {
        kind,
        run,
        before,
        after: mark,
        magnitude_ns: event.count.unwrap_or(0),
        // Stamps do not show it: the figure of the event does.
        forward: event.moved_ns.map(|moved_ns| moved_ns > 0),
        cause: event.time_cause,
        event: Some(mark.entry),
        detail: event.detail,
    });
}

/// A clock that came up behind the last stamp of the boot before; `told` is the event that says so.
pub(super) fn reset(run: usize, before: Mark, after: Mark, told: Option<EntryId>) -> Option<Jump> {
    let back_ns = before.utc.0.checked_sub(after.utc.0).filter(|ns| *ns > 0)?;
    Some(Jump {
        kind: JumpKind::ResetAtBoot,
        run,
        before,
        after,
        magnitude_ns: back_ns.unsigned_abs(),
        forward: Some(false),
        cause: None,
        event: told,
        detail: None,
    })
}
