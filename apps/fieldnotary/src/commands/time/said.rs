//! Labels, jumps and bounds in words, the same in every screen.

use crate::commands::ink::{Ink, ink};
use crate::commands::words;
use evidence::EntryId;
use evidence::foreign::line;
use evidence::kinds::TimeMap;
use evidence::reasons::{EventCode, HoldoverReason, TimeCause, TimeQuality};
use query::{Jump, JumpKind, Label, Mark, Offered, TimeEvent};

/// A quality in the colour of what it is worth.
pub(super) fn quality(quality: TimeQuality) -> String {
    let colour = match quality {
        TimeQuality::Synced => Ink::Good,
        TimeQuality::Holdover | TimeQuality::RtcOnly => Ink::Odd,
    };
    ink(colour, quality.name())
}

/// `HOLDOVER, holdover (source_lost)`.
pub(super) fn label(label: &Label) -> String {
    let reason = label
        .reason
        .map_or_else(String::new, |reason| format!(" ({})", reason.name()));
    format!(
        "{}, {}{reason}",
        quality(label.quality),
        label.status.name()
    )
}

/// Why the clock runs alone, as a sentence.
pub(super) fn reason(label: &Label) -> String {
    let meaning = label.reason.map(HoldoverReason::meaning);
    meaning.unwrap_or(label.quality.meaning()).to_owned()
}

/// A bound, or that there is none.
pub(super) fn bound(bound_ns: Option<u64>) -> String {
    bound_ns.map_or_else(|| "unknown".to_owned(), words::bound)
}

/// The parts of a map's bound: `initial 5 us + frequency 1 us = 6 us`; `None` where it states none.
pub(super) fn parts(map: &TimeMap) -> Option<String> {
    let parts = [
        ("initial", map.initial_ns),
        ("frequency", map.frequency_ns),
        ("temperature", map.temperature_ns),
        ("ageing", map.ageing_ns),
        ("asymmetry", map.asymmetry_ns),
    ];
    let known: Vec<String> = parts
        .iter()
        .filter_map(|(name, ns)| Some(format!("{name} {}", words::part((*ns)?))))
        .collect();
    let sum = map.bound_ns.filter(|_| !known.is_empty())?;
    Some(format!("{} = {}", known.join(" + "), words::bound(sum)))
}

/// `forward by 5.0 ms`.
pub(super) fn moved(jump: &Jump) -> String {
    let by = words::nanoseconds(jump.magnitude_ns);
    match jump.forward {
        Some(true) => format!("forward by {by}"),
        Some(false) => format!("backward by {by}"),
        None => format!("by {by}"),
    }
}

/// What a jump was, with its direction and size.
pub(super) fn jump(jump: &Jump) -> String {
    let what = match jump.kind {
        JumpKind::Step => "stepped",
        JumpKind::Slew => "slewed",
        JumpKind::Untold => "jumped",
        JumpKind::ResetAtBoot => "came up after a reboot, set",
    };
    format!("{what} {}", moved(jump))
}

/// Why, in words, with a colour where nothing explains it.
pub(super) fn cause(jump: &Jump) -> String {
    match jump.cause {
        Some(cause) if jump.is_explained() => format!("{}: {}", cause.name(), cause.meaning()),
        Some(cause) => format!("{}: {}", ink(Ink::Bad, "UNEXPLAINED"), cause.meaning()),
        None => format!("{}: no entry tells of it", ink(Ink::Bad, "UNEXPLAINED")),
    }
}

/// What keeps the clock from being held, since when, and the entry that says so.
pub(super) fn in_force(event: &TimeEvent) -> String {
    let since = words::time(event.mark.utc);
    let since = match event.code {
        EventCode::SyncLost => format!("SYNCED was lost at {since}"),
        _ => format!("since {since}"),
    };
    let detail = line(event.detail.as_deref().unwrap_or(event.code.name()));
    let cause = event
        .cause
        .map_or_else(String::new, |cause| format!("{}, ", cause.name()));
    format!("{since}: {detail} ({cause}entry {})", event.mark.entry)
}

/// What happened to a process of the node, and the entry that says so.
pub(super) fn of_node(event: &TimeEvent) -> String {
    let detail = event
        .detail
        .as_deref()
        .map_or_else(String::new, |detail| format!(", {}", line(detail)));
    format!(
        "{} {}{detail} (entry {})",
        event.code.name(),
        event.source,
        event.mark.entry
    )
}

/// What the event of a jump says beside its cause.
pub(super) fn seen(jump: &Jump) -> Option<&str> {
    let detail = jump.detail.as_deref()?;
    let cause = jump.cause.map_or("", TimeCause::meaning);
    let seen = detail.strip_suffix(cause).unwrap_or(detail);
    let seen = seen.trim_end_matches([' ', ':']);
    (!seen.is_empty()).then_some(seen)
}

/// The entry that proves it, or those between which it shows.
pub(super) fn proof(jump: &Jump) -> String {
    match jump.event {
        Some(event) => format!("entry {event}"),
        None => format!("entries {} and {}", jump.before.entry, jump.after.entry),
    }
}

/// Who offered the time, what became of it, and the entry that says so.
pub(super) fn offered(one: &Offered) -> String {
    let (colour, verdict) = match one.is_taken() {
        true => (Ink::Good, "taken".to_owned()),
        false => (Ink::Odd, format!("refused ({})", one.verdict())),
    };
    let detail = one.event.detail.as_deref().unwrap_or_default();
    let detail = detail
        .strip_prefix(one.from.as_str())
        .map_or(detail, |rest| rest.trim_start_matches(": "));
    format!(
        "{}: {}, {} (entry {} of {})",
        one.from,
        ink(colour, &verdict),
        line(detail),
        one.event.mark.entry,
        words::time(one.event.mark.utc)
    )
}

/// Whether chronyd takes what is handed to it.
pub(super) fn refclock(event: &TimeEvent) -> String {
    let entry = event.mark.entry;
    let since = words::time(event.mark.utc);
    match event.code {
        EventCode::RefclockFault => format!(
            "{} since {since}: {} (entry {entry})",
            ink(Ink::Bad, "not"),
            line(event.detail.as_deref().unwrap_or_default())
        ),
        _ => format!("again since {since} (entry {entry})"),
    }
}

/// `entry 1:7 of 2026-...`.
pub(super) fn mark(mark: &Mark) -> String {
    format!("{} (entry {})", words::time(mark.utc), mark.entry)
}

/// An entry, where there is one.
pub(super) fn entry(entry: Option<EntryId>) -> String {
    entry.map_or_else(|| "-".to_owned(), |entry| entry.to_string())
}
