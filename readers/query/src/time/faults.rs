//! What keeps the clock from being held, as the log tells: the loss, a contradiction of sources, and the newest word of
//! each source that failed.

use super::account::TimeAccount;
use super::model::TimeEvent;
use evidence::MonoNs;
use evidence::reasons::EventCode;
use std::collections::BTreeMap;
use time_plane::reading::SourceKind;

impl TimeAccount {
    /// What is in force in a run at an instant: the loss of SYNCED where it has not come back, with its cause, then a
    /// contradiction, then messages that are lost, then the fault of each source that has not come back, in the order of the sources.
    pub(super) fn in_force(&self, run: usize, at: MonoNs) -> Vec<TimeEvent> {
        let began = self.time_began(run, at);
        let (mut lost, mut disputed, mut missing) = (None, None, None);
        let mut faults = BTreeMap::new();
        for event in self.events_until(run, at) {
            match event.code {
                EventCode::SyncLost => lost = Some(event),
                // A process that came again tells anew of what it finds, and of nothing that has ended meanwhile.
                _ if event.mark.at < began => {}
                EventCode::PtpLoss => missing = Some(event),
                EventCode::PtpLossEnded => missing = None,
                EventCode::SourcesDisagree => disputed = Some(event),
                EventCode::SyncAcquired => (lost, disputed) = (None, None),
                EventCode::TimeSourceFault => {
                    faults.insert(source_of(event), event);
                }
                EventCode::TimeSourceBack => {
                    faults.remove(&source_of(event));
                }
                _ => {}
            }
        }
        let faults = faults.into_values();
        lost.into_iter()
            .chain(disputed)
            .chain(missing)
            .chain(faults)
            .cloned()
            .collect()
    }
}

/// The source that an event is about; the words of these events begin with its name.
fn source_of(event: &TimeEvent) -> Option<SourceKind> {
    SourceKind::named_first(event.detail.as_deref()?)
}
