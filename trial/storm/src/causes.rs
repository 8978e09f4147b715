//! Which causes a blow may show as in the log, and whether an entry's cause is that of a blow.

use crate::blow::{Blow, Fault, How, Target};
use crate::diary::{Diary, Window};
use evidence::kinds::{Event, Marker};
use evidence::reasons::{EpochCause, EventCode, MarkerKind};
use evidence::{Entry, Payload};
use serde_json::Value;

/// An entry about a blow may be captured this long after the site went on.
const GRACE_NS: u64 = 3_000_000_000;
/// A request that met a meter's fault may be this much older than the entry about it.
const WIRE_NS: u64 = 3_000_000_000;
/// Clocks of street and node are one; the street may note a request a little later than it left.
const NOTED_NS: u64 = 500_000_000;

/// What the wire looks like to a capturing process that was struck, or to the next one on that wire.
const WIRE: [&str; 8] = [
    "IF_ERR/timeout",
    "IF_ERR/crc",
    "IF_ERR/framing",
    "IF_ERR/foreign_reply",
    "IF_ERR/wrong_shape",
    "IF_ERR/late_reply_window",
    "IF_ERR/connection_lost",
    "IF_ERR/slot_overrun",
];
/// Causes of one meter's own fault; the others are those of the whole wire.
const OF_A_METER: [&str; 4] = ["timeout", "crc", "exception", "wrong_shape"];

/// What a blow may show as: class and cause of what is missing, or an ending of a process that was
/// not struck itself.
pub(crate) fn of(blow: &Blow) -> Vec<&'static str> {
    let capture = |first: &[&'static str]| [first, &WIRE].concat();
    match blow {
        Blow::Strike(Target::Io, How::Terminate) => {
            capture(&["DOWNTIME/process_restart", "SEQ_GAP", "IF_ERR/stopped"])
        }
        Blow::Strike(Target::Io, How::Freeze(_)) => WIRE.to_vec(),
        // To hand out numbers, capture has to start: it is killed for that.
        Blow::Strike(_, How::Step("lease.stored", _)) | Blow::Strike(Target::Io, _) => {
            capture(&["DOWNTIME/process_restart", "SEQ_GAP"])
        }
        Blow::Strike(Target::Supervisor, How::Terminate) => {
            capture(&["DOWNTIME/orderly_stop", "IF_ERR/stopped"])
        }
        Blow::Strike(Target::Supervisor, How::Kill | How::Step(..))
        | Blow::Strike(Target::All, _) => capture(&["DOWNTIME/node_restart", "SEQ_GAP", "ENDED"]),
        Blow::Strike(..) => Vec::new(),
        Blow::Fault(fault) => match fault {
            // The volume takes no writes until everybody ends and starts again.
            Fault::ReadOnly => capture(&["DOWNTIME/node_restart", "SEQ_GAP", "ENDED"]),
            Fault::NoDescriptors(Target::Io) => capture(&[
                "IF_ERR/connect_refused",
                "IF_ERR/port_unavailable",
                "DOWNTIME/process_restart",
                "SEQ_GAP",
                "ENDED",
            ]),
            Fault::NoMemory(Target::Io) => {
                capture(&["DOWNTIME/process_restart", "SEQ_GAP", "ENDED"])
            }
            Fault::NoMemory(_)
            | Fault::NoDescriptors(_)
            | Fault::DiskFull
            | Fault::NoPermission(_) => vec!["ENDED"],
            Fault::Clock(_)
            | Fault::Cut
            | Fault::Slow(_)
            | Fault::Swallow
            | Fault::Reset
            | Fault::Rollback => Vec::new(),
        },
    }
}

/// Whether capture may have to start anew after a blow.
pub(crate) fn ends_capture(blow: &Blow) -> bool {
    of(blow).iter().any(|cause| cause.starts_with("DOWNTIME/"))
}

/// A request that met a fault of its meter, by the street's own log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ailing {
    at_ns: u64,
    meter: String,
    port: String,
}

/// Judges entries by what was done.
pub(crate) struct Judge<'a> {
    diary: &'a Diary,
    ailing: Vec<Ailing>,
    pub(crate) findings: Vec<String>,
    /// Entries that explain something missing.
    pub(crate) judged: u64,
}

impl<'a> Judge<'a> {
    /// `street_log` tells the faults of the meters.
    pub(crate) fn new(diary: &'a Diary, street_log: &str) -> Self {
        let ailing = street_log.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let text = |key: &str| line.get(key)?.as_str().map(str::to_owned);
            text("fault")?;
            Some(Ailing {
                at_ns: line.get("mono_ns")?.as_u64()?,
                meter: text("meter")?,
                port: text("port")?,
            })
        });
        Self {
            diary,
            ailing: ailing.collect(),
            findings: Vec::new(),
            judged: 0,
        }
    }

    /// Judges an entry.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        let Ok(payload) = entry.payload() else {
            return;
        };
        let id = entry.header.commit_id.0;
        let at_ns = payload.at().0;
        match &payload {
            Payload::AttemptFailed(failed) if failed.last => {
                let cause = failed.cause.name();
                let (meter, port) = (failed.meter_id.as_str(), failed.source.as_str());
                if !self.ails(at_ns, meter, port, cause) {
                    self.cause(id, at_ns, &format!("IF_ERR/{cause}"));
                }
            }
            Payload::Downtime(downtime) => {
                self.cause(id, at_ns, &format!("DOWNTIME/{}", downtime.cause.name()));
            }
            Payload::Marker(Marker {
                marker: MarkerKind::SeqGap,
                ..
            }) => self.cause(id, at_ns, "SEQ_GAP"),
            Payload::Loss(loss) => {
                self.cause(id, at_ns, &format!("COMMIT_GAP/{}", loss.cause.name()));
            }
            Payload::EpochStart(epoch) if epoch.cause == EpochCause::TruthLost => {
                self.findings.push(format!(
                    "entry {id}: the truth store was lost, and nobody touched it"
                ));
            }
            Payload::Event(event) => self.ending(id, event),
            _ => {}
        }
    }

    /// Whether a meter's own fault, or one of its wire, is the cause.
    fn ails(&mut self, at_ns: u64, meter: &str, port: &str, cause: &str) -> bool {
        let own = OF_A_METER.contains(&cause);
        let fits = |ailing: &&Ailing| {
            (ailing.at_ns..ailing.at_ns.saturating_add(WIRE_NS))
                .contains(&at_ns.saturating_add(NOTED_NS))
                && ailing.port == port
                && (!own || ailing.meter == meter)
        };
        let found = self.ailing.iter().any(|ailing| fits(&ailing));
        self.judged += u64::from(found);
        found
    }

    fn cause(&mut self, id: u64, at_ns: u64, cause: &str) {
        self.judged += 1;
        if !self.during(at_ns, |window| of(&window.blow).contains(&cause)) {
            let done: Vec<String> = self
                .diary
                .windows
                .iter()
                .filter(|window| covers(window, at_ns))
                .map(|window| window.blow.to_string())
                .collect();
            self.findings.push(format!(
                "entry {id} says {cause} at {:.3} s, and what was done then was: {}",
                seconds(at_ns),
                if done.is_empty() {
                    "nothing".to_owned()
                } else {
                    done.join(", ")
                }
            ));
        }
    }

    /// A process that ended must have been struck, or have met something that ends processes.
    fn ending(&mut self, id: u64, event: &Event) {
        if !matches!(
            event.code,
            EventCode::ProcessKilled | EventCode::ProcessExited
        ) {
            return;
        }
        let detail = event.detail.as_deref().unwrap_or_default();
        let pid = pid_in(detail);
        let struck = |window: &Window| pid.is_some_and(|pid| window.pids.contains(&pid));
        let at_ns = event.at.0;
        let known = self.diary.windows.iter().any(struck)
            || self.during(at_ns, |window| of(&window.blow).contains(&"ENDED"));
        if !known {
            self.findings.push(format!(
                "entry {id}: {} ended at {:.3} s ({detail}), and nothing was done to it",
                event.source,
                seconds(at_ns)
            ));
        }
    }

    fn during(&self, at_ns: u64, fits: impl Fn(&Window) -> bool) -> bool {
        let mut windows = self.diary.windows.iter();
        windows.any(|window| covers(window, at_ns) && fits(window))
    }
}

fn covers(window: &Window, at_ns: u64) -> bool {
    (window.from_ns..=window.to_ns.saturating_add(GRACE_NS)).contains(&at_ns)
}

fn seconds(ns: u64) -> f64 {
    std::time::Duration::from_nanos(ns).as_secs_f64()
}

/// The process id in the words of a supervisor's report.
pub(crate) fn pid_in(detail: &str) -> Option<u64> {
    let digits = detail.strip_prefix("pid ")?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits.get(..end.unwrap_or(digits.len()))?.parse().ok()
}

#[cfg(test)]
mod tests;
