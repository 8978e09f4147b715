//! An overload or a short of the bus, as its level converter reports it (A3.2).

use super::{MS_NS, MbusBus};
use crate::books::Books;
use crate::events::News;
use crate::limits::OVERLOAD_UNKNOWN_NS_MAX;
use crate::outputs::Held;
use alloc::format;
use evidence::MonoNs;
use evidence::reasons::EventCode;
use mbus::master::Power;

/// An overload that was reported and is not over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overload {
    since: MonoNs,
    /// Since when the input that reported it cannot be believed.
    unknown_since: Option<MonoNs>,
}

impl Overload {
    /// When it is taken for over although nothing says so.
    pub(super) fn given_up_at(&self) -> Option<MonoNs> {
        let unknown_since = self.unknown_since?;
        Some(unknown_since.plus_ns(OVERLOAD_UNKNOWN_NS_MAX))
    }
}

impl MbusBus {
    /// Whether the contract says where the converter's report comes from.
    pub(crate) const fn is_told_of_overload(&self) -> bool {
        self.line.overload.is_some()
    }

    /// The converter reports an overload, or reports it no more. The readout under way ends with that as its cause, and
    /// nobody is asked until it is over and meters have had the time to start.
    pub(in crate::bus) fn overload(&mut self, books: &mut Books, now: MonoNs, reported: Held) {
        match (reported, &mut self.overload) {
            (Held::Holds, None) => {
                self.overload = Some(Overload {
                    since: now,
                    unknown_since: None,
                });
                books.bucket.overloads += 1;
                books.events.note(now, News::new(EventCode::BusOverload));
                let actions = self.master.power(Power::Overload, now.0);
                self.perform(books, now, actions);
            }
            (Held::Holds, Some(overload)) => overload.unknown_since = None,
            // A card that misses a poll in the middle of a short says nothing of the bus.
            (Held::Unknown, Some(overload)) => {
                overload.unknown_since.get_or_insert(now);
            }
            (Held::Broken, Some(_)) => self.overload_over(books, now, None),
            (Held::Broken | Held::Unknown, None) => {}
        }
    }

    /// Readings are worth more than a bus held back by an input that says nothing for so long.
    pub(super) fn give_overload_up(&mut self, books: &mut Books, now: MonoNs) {
        let due = self.overload.as_ref().and_then(Overload::given_up_at);
        if due.is_some_and(|due| due <= now) {
            let words = "the input that reports it cannot be believed";
            self.overload_over(books, now, Some(words));
        }
    }

    fn overload_over(&mut self, books: &mut Books, now: MonoNs, why: Option<&str>) {
        let Some(overload) = self.overload.take() else {
            return;
        };
        let lasted_ns = now.since(overload.since);
        let mut words = format!("after {} ms", lasted_ns / MS_NS);
        if let Some(why) = why {
            words = words + "; " + why;
        }
        let mut news = News::new(EventCode::BusOverloadOver).detail(words);
        news.count = Some(lasted_ns);
        books.events.note(now, news);
        // As after an opening: how long meters take to start is the contract's to say.
        if self.baud != self.line.baud() {
            self.turn(books, self.line.baud());
        }
        self.renew(now);
        let power_up_ns = self.line.power_up_ms.saturating_mul(MS_NS);
        self.ready_at = self.ready_at.max(now.plus_ns(power_up_ns));
    }
}
