//! What this run of the node had begun before its recorder ended alone: the next recorder must not take
//! the node's own start for a restart of the capturing process.

use super::slots::StartKind;
use evidence::reasons::{EpochCause, MarkerKind};
use evidence::{MonoNs, Payload, SourceId};
use std::collections::{BTreeMap, BTreeSet};

/// Epochs and starts of schedules, as the newest entries tell them.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// Boot, beginning and cause.
    epochs: Vec<(String, MonoNs, EpochCause)>,
    /// When the newest schedule of each source started.
    starts: BTreeMap<SourceId, MonoNs>,
}

impl Since {
    /// Takes in a committed entry, in order of commit.
    pub(super) fn observe(&mut self, payload: &Payload) {
        match payload {
            Payload::EpochStart(epoch) => {
                let boot = epoch.boot_id.to_string();
                self.epochs.push((boot, epoch.at, epoch.cause));
            }
            Payload::Marker(marker) if marker.marker == MarkerKind::ScheduleStart => {
                self.starts.insert(marker.source.clone(), marker.at);
            }
            _ => {}
        }
    }

    /// How the node itself began, where its recorder ended alone since; otherwise as it is.
    pub(super) fn node(&self, start: StartKind, boot: &str, node_started: MonoNs) -> StartKind {
        if start != StartKind::Alone {
            return start;
        }
        let mut before: Option<&str> = None;
        for (epoch_boot, at, cause) in &self.epochs {
            if epoch_boot == boot && *at >= node_started {
                return match cause {
                    EpochCause::FirstStart | EpochCause::OrderlyStart => StartKind::Orderly,
                    EpochCause::Adoption => StartKind::Adopted,
                    EpochCause::Recovery | EpochCause::WriteFailure | EpochCause::TruthLost => {
                        match before {
                            Some(before) if before != boot => StartKind::Reboot,
                            _ => StartKind::Crash,
                        }
                    }
                };
            }
            before = Some(epoch_boot);
        }
        start
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
    use super::{Since, StartKind};
    use evidence::reasons::EpochCause;
    use evidence::{MonoNs, SourceId};

    fn since(epochs: &[(&str, u64, EpochCause)]) -> Since {
        let epochs = epochs
            .iter()
            .map(|(boot, at, cause)| ((*boot).to_owned(), MonoNs(*at), *cause));
        Since {
            epochs: epochs.collect(),
            starts: [("tcp", 40), ("rs485-1", 90)]
                .map(|(source, at)| (SourceId::new(source).unwrap(), MonoNs(at)))
                .into(),
        }
    }

    //= A4.3
    #[test]
    fn a_recorder_that_ended_alone_leaves_the_nodes_own_start_as_it_was() {
        for (epochs, expected) in [
            (
                &[
                    ("b", 10, EpochCause::Recovery),
                    ("b", 60, EpochCause::Recovery),
                ][..],
                StartKind::Crash,
            ),
            (
                &[
                    ("a", 10, EpochCause::Recovery),
                    ("b", 60, EpochCause::Recovery),
                ],
                StartKind::Reboot,
            ),
            (
                &[
                    ("b", 60, EpochCause::OrderlyStart),
                    ("b", 70, EpochCause::Recovery),
                ],
                StartKind::Orderly,
            ),
            (&[("b", 60, EpochCause::FirstStart)], StartKind::Orderly),
            // Too long ago to be seen: it captured meanwhile.
            (&[], StartKind::Alone),
        ] {
            let found = since(epochs).node(StartKind::Alone, "b", MonoNs(50));
            assert_eq!(found, expected, "{epochs:?}");
        }
        let other = since(&[("b", 60, EpochCause::Recovery)]);
        assert_eq!(
            other.node(StartKind::Reboot, "b", MonoNs(50)),
            StartKind::Reboot
        );
    }

    //= A4.3
    #[test]
    fn only_what_captured_under_this_node_is_restarted() {
        let captured = |start| since(&[]).captured(start, MonoNs(50)).into_iter();
        let names: Vec<String> = captured(StartKind::Alone).map(|s| s.to_string()).collect();
        assert_eq!(names, ["rs485-1"]);
        assert_eq!(captured(StartKind::Crash).count(), 0);
    }
}
