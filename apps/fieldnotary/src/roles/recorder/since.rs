//! How the node itself began and ended, whatever its recorder did alone: the next recorder must not take
//! the node's start for a restart of the capturing process, nor its own orderly end for the node's.

use super::slots::StartKind;
use evidence::reasons::{EpochCause, EventCode, MarkerKind};
use evidence::{MonoNs, Payload, SourceId};
use std::collections::{BTreeMap, BTreeSet};

/// Epochs and starts of schedules, as the newest entries tell them.
#[derive(Debug, Default)]
pub(super) struct Since {
    epochs: Vec<Began>,
    /// Whether the node was told to stop since the newest of them.
    stopped: bool,
    /// Whether it was in safe mode since anything was captured.
    safe_mode: bool,
    /// When the newest schedule of each source started.
    starts: BTreeMap<SourceId, MonoNs>,
}

/// An epoch, and whether the node was told to stop before it.
#[derive(Debug)]
struct Began {
    boot: String,
    at: MonoNs,
    cause: EpochCause,
    after_stop: bool,
}

/// How a node ended that was not told to.
fn crash(before: &str, boot: &str) -> StartKind {
    if before == boot {
        StartKind::Crash
    } else {
        StartKind::Reboot
    }
}

impl Since {
    /// Takes in a committed entry, in order of commit.
    pub(super) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::EpochStart(epoch) => {
                self.epochs.push(Began {
                    boot: epoch.boot_id.to_string(),
                    at: epoch.at,
                    cause: epoch.cause,
                    after_stop: std::mem::take(&mut self.stopped),
                });
            }
            Payload::Event(event) if event.code == EventCode::OrderlyStop => self.stopped = true,
            Payload::Event(event) if event.code == EventCode::SafeModeEntered => {
                self.safe_mode = true;
            }
            Payload::Marker(marker) if marker.marker == MarkerKind::ScheduleStart => {
                self.safe_mode = false;
                self.starts.insert(marker.source.clone(), marker.at);
            }
            _ => {}
        }
    }

    /// Whether it was in safe mode since anything was captured.
    pub(super) fn in_safe_mode(&self) -> bool {
        self.safe_mode
    }

    /// How the node itself began. `start` is what is known without these entries.
    pub(super) fn node(&self, start: StartKind, boot: &str, node_started: MonoNs) -> StartKind {
        match (start, self.epochs.last()) {
            (StartKind::Alone, Some(_)) => self.alone(boot, node_started),
            // The recorder closed its log, and nobody told the node to stop: the node ended otherwise.
            (StartKind::Orderly, Some(last)) if !self.stopped => crash(&last.boot, boot),
            _ => start,
        }
    }

    /// How the node began under which the recorder ended alone.
    fn alone(&self, boot: &str, node_started: MonoNs) -> StartKind {
        let mut before: Option<&Began> = None;
        for epoch in &self.epochs {
            if epoch.boot == boot && epoch.at >= node_started {
                return match (epoch.cause, before) {
                    (EpochCause::Adoption, _) => StartKind::Adopted,
                    (EpochCause::OrderlyStart, Some(before)) if !epoch.after_stop => {
                        crash(&before.boot, boot)
                    }
                    (EpochCause::FirstStart, _) => StartKind::Orderly,
                    (EpochCause::OrderlyStart, _) if epoch.after_stop => StartKind::Orderly,
                    (_, Some(before)) => crash(&before.boot, boot),
                    // The entries do not reach back to the node's start: this epoch is the recorder's own.
                    (_, None) => StartKind::Alone,
                };
            }
            before = Some(epoch);
        }
        StartKind::Alone
    }

    /// The sources that captured under this node already: a start of theirs is a restart.
    pub(super) fn captured(self, start: StartKind, node_started: MonoNs) -> BTreeSet<SourceId> {
        let of_node = |(source, at): (SourceId, MonoNs)| (at >= node_started).then_some(source);
        match start {
            StartKind::Alone => self.starts.into_iter().filter_map(of_node).collect(),
            _ => BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Began, Since, StartKind};
    use evidence::reasons::EpochCause;
    use evidence::{MonoNs, SourceId};

    /// Boot, beginning, cause, and whether the node was told to stop before.
    type Epoch = (&'static str, u64, EpochCause, bool);

    fn since(epochs: &[Epoch], stopped: bool) -> Since {
        let epochs = epochs.iter().map(|(boot, at, cause, after_stop)| Began {
            boot: (*boot).to_owned(),
            at: MonoNs(*at),
            cause: *cause,
            after_stop: *after_stop,
        });
        Since {
            epochs: epochs.collect(),
            stopped,
            safe_mode: false,
            starts: [("tcp", 40), ("rs485-1", 90)]
                .map(|(source, at)| (SourceId::new(source).unwrap(), MonoNs(at)))
                .into(),
        }
    }

    fn check(epochs: &[Epoch], stopped: bool, start: StartKind, expected: StartKind) {
        let found = since(epochs, stopped).node(start, "b", MonoNs(50));
        assert_eq!(found, expected, "{epochs:?}");
    }

    //= A4.3
    #[test]
    fn a_recorder_that_ended_alone_leaves_the_nodes_own_start_as_it_was() {
        use EpochCause::{FirstStart, OrderlyStart, Recovery};
        let alone = |epochs: &[Epoch], expected| check(epochs, false, StartKind::Alone, expected);
        let crash = [("b", 10, Recovery, false), ("b", 60, Recovery, false)];
        alone(&crash, StartKind::Crash);
        let reboot = [("a", 10, Recovery, false), ("b", 60, Recovery, false)];
        alone(&reboot, StartKind::Reboot);
        let orderly = [("b", 10, Recovery, false), ("b", 60, OrderlyStart, true)];
        alone(&orderly, StartKind::Orderly);
        let closed = [("b", 10, Recovery, false), ("b", 60, OrderlyStart, false)];
        alone(&closed, StartKind::Crash);
        alone(&[("b", 60, FirstStart, false)], StartKind::Orderly);
        // The node's own start has left the entries that are read: only the recorder's ends are told here.
        alone(&[("b", 60, Recovery, false)], StartKind::Alone);
        alone(&[("b", 60, OrderlyStart, false)], StartKind::Alone);
        alone(&[("b", 60, OrderlyStart, true)], StartKind::Orderly);
        // Too long ago to be seen: it captured meanwhile.
        alone(&[], StartKind::Alone);
        alone(&[("b", 10, Recovery, false)], StartKind::Alone);
    }

    //= A4.3
    #[test]
    fn a_log_that_was_closed_is_no_orderly_stop_unless_the_node_was_told_to() {
        let before = [("b", 10, EpochCause::Recovery, false)];
        check(&before, true, StartKind::Orderly, StartKind::Orderly);
        check(&before, false, StartKind::Orderly, StartKind::Crash);
        let other = [("a", 10, EpochCause::Recovery, false)];
        check(&other, false, StartKind::Orderly, StartKind::Reboot);
        check(&[], false, StartKind::Orderly, StartKind::Orderly);
        check(&other, false, StartKind::Reboot, StartKind::Reboot);
    }

    //= A4.3
    #[test]
    fn only_what_captured_under_this_node_is_restarted() {
        let captured = |start| since(&[], false).captured(start, MonoNs(50)).into_iter();
        let names: Vec<String> = captured(StartKind::Alone).map(|s| s.to_string()).collect();
        assert_eq!(names, ["rs485-1"]);
        assert_eq!(captured(StartKind::Crash).count(), 0);
    }
}
