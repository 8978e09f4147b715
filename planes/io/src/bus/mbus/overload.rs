//! An overload or a short of the bus, as its level converter reports it (A3.2).

use super::{MS_NS, MbusBus};
use crate::books::Books;
use crate::events::News;
use crate::outputs::Held;
use alloc::string::String;
use evidence::MonoNs;
use evidence::reasons::EventCode;
use mbus::master::Power;

impl MbusBus {
    /// Whether the contract says where the converter's report comes from.
    pub(crate) const fn is_told_of_overload(&self) -> bool {
        self.line.overload.is_some()
    }

    /// The converter reports an overload, or reports it no more. The readout under way ends with that as its cause, and
    /// nobody is asked until it is over and meters have had the time to start.
    pub(in crate::bus) fn overload(&mut self, books: &mut Books, now: MonoNs, reported: Held) {
        let power = match (reported, self.overload_since) {
            (Held::Holds, None) => {
                self.overload_since = Some(now);
                books.bucket.overloads += 1;
                books.events.note(now, News::new(EventCode::BusOverload));
                Power::Overload
            }
            (Held::Broken | Held::Unknown, Some(since)) => {
                self.overload_since = None;
                let power_up_ns = self.line.power_up_ms.saturating_mul(MS_NS);
                self.ready_at = self.ready_at.max(now.plus_ns(power_up_ns));
                let mut news = News::new(EventCode::BusOverloadOver);
                news.count = Some(now.since(since));
                if reported == Held::Unknown {
                    // Readings are worth more than a bus held back by an input that says nothing.
                    news =
                        news.detail(String::from("the input that reports it cannot be believed"));
                }
                books.events.note(now, news);
                Power::On
            }
            (Held::Holds, Some(_)) | (Held::Broken | Held::Unknown, None) => return,
        };
        let actions = self.master.power(power, now.0);
        self.perform(books, now, actions);
    }
}
