//! Whose offered time is taken and whose is refused: the newest verdict on each sender.

use super::account::TimeAccount;
use super::model::TimeEvent;
use evidence::reasons::EventCode;
use evidence::{MonoNs, SourceId};
use std::collections::BTreeMap;

/// What became of the times that one sender offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The sender.
    pub from: SourceId,
    /// The event that says so; its cause is why it is refused, and there is none where it is taken.
    pub event: TimeEvent,
}

impl Offered {
    /// Whether it is taken as a source.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.event.code == EventCode::OfferTaken
    }

    /// `taken`, or the reason code of the refusal.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.event.cause {
            Some(cause) => cause.name(),
            None if self.is_taken() => "taken",
            None => self.event.code.name(),
        }
    }
}

impl TimeAccount {
    /// The newest verdict on each sender in a run up to an instant, in the order of their names.
    pub(super) fn offered(&self, run: usize, until: MonoNs) -> Vec<Offered> {
        let codes = [EventCode::OfferTaken, EventCode::SyncRequestRefused];
        let mut newest: BTreeMap<SourceId, TimeEvent> = BTreeMap::new();
        for event in self.events_until(run, until) {
            if codes.contains(&event.code) {
                newest.insert(event.source.clone(), event.clone());
            }
        }
        let offered = newest.into_iter();
        offered
            .map(|(from, event)| Offered { from, event })
            .collect()
    }

    /// The newest word on chronyd's reference clock in a run up to an instant.
    pub(super) fn refclock(&self, run: usize, until: MonoNs) -> Option<TimeEvent> {
        let codes = [EventCode::RefclockFault, EventCode::RefclockBack];
        let events = self.events_until(run, until);
        events
            .filter(|event| codes.contains(&event.code))
            .last()
            .cloned()
    }

    /// The events of a run up to an instant, in the order of commit.
    pub(super) fn events_until(
        &self,
        run: usize,
        until: MonoNs,
    ) -> impl Iterator<Item = &TimeEvent> {
        let events = self.events.iter();
        events.filter(move |event| event.run == run && event.mark.at <= until)
    }
}
