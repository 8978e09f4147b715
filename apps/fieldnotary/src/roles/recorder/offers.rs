//! Offered times on their way to the time process: whoever hears one leaves it here, and it is fetched
//! at the next look at the clocks.

use contract::limits::HEAD_END;
use evidence::{CommitId, SourceId};
use ipc::Message;
use ipc::message::{Accepted, ErrorCode, Offers, TimeOffer};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Offers that may wait; the time process fetches them several times a second.
const OFFERS_WAITING_MAX: usize = 64;
/// Who hears the head-end.
const UPLINK: &str = "uplink";
/// Who judges offers.
const TIME: &str = "time";

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Mailbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    offers: VecDeque<TimeOffer>,
    dropped: u64,
}

impl Mailbox {
    /// Leaves an offer that the process `by` heard. Where too many wait the oldest gives way.
    pub(super) fn leave(&self, by: &SourceId, offer: TimeOffer) -> Message {
        // Nobody speaks for another: the uplink hears the head-end, a server its own masters.
        let may = match by.as_str() {
            UPLINK => HEAD_END,
            own => own,
        };
        if offer.from.as_str() != may {
            let text = format!(
                "{by} cannot offer the time of {}; it may offer that of {may}",
                offer.from
            );
            return Message::error(ErrorCode::NotAllowed, text);
        }
        let accepted = Accepted {
            submission_id: offer.submission_id,
            first_commit: CommitId(0),
            count: 0,
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.offers.len() >= OFFERS_WAITING_MAX {
            waiting.offers.pop_front();
            waiting.dropped = waiting.dropped.saturating_add(1);
        }
        waiting.offers.push_back(offer);
        accepted.into()
    }

    /// Everything that waits, for the time process.
    pub(super) fn take(&self, by: &SourceId) -> Message {
        if by.as_str() != TIME {
            let text = format!("{by} does not judge offered times; the time process does");
            return Message::error(ErrorCode::NotAllowed, text);
        }
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { offers, dropped } = std::mem::take(&mut *waiting);
        Offers {
            offers: offers.into(),
            dropped,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Mailbox, OFFERS_WAITING_MAX};
    use evidence::{MonoNs, SourceId, UtcNs};
    use ipc::Message;
    use ipc::message::{ErrorCode, TimeOffer};

    fn source(name: &str) -> SourceId {
        SourceId::new(name).unwrap()
    }

    fn offer(from: &str, number: u64) -> TimeOffer {
        TimeOffer {
            submission_id: number,
            from: source(from),
            at: MonoNs(number),
            utc: UtcNs(0),
            uncertainty_ns: 1,
        }
    }

    fn refused(answer: &Message) -> bool {
        matches!(answer, Message::Error(error) if error.code == ErrorCode::NotAllowed)
    }

    //= R6.8
    #[test]
    fn nobody_offers_the_time_of_another_and_only_the_time_process_fetches_it() {
        for (by, from, may) in [
            ("uplink", "head-end", true),
            ("scada-1", "scada-1", true),
            ("scada-1", "head-end", false),
            ("uplink", "scada-1", false),
            ("uplink", "uplink", false),
        ] {
            let mailbox = Mailbox::default();
            let answer = mailbox.leave(&source(by), offer(from, 1));
            assert_eq!(!refused(&answer), may, "{by} {from}");
            assert!(refused(&mailbox.take(&source(by))));
            let Message::Offers(taken) = mailbox.take(&source("time")) else {
                panic!("no offers");
            };
            assert_eq!(taken.offers.len(), usize::from(may), "{by} {from}");
        }
    }

    #[test]
    fn while_nobody_fetches_them_the_oldest_give_way_and_are_counted() {
        let mailbox = Mailbox::default();
        let many = u64::try_from(OFFERS_WAITING_MAX).unwrap();
        for number in 0..many + 3 {
            mailbox.leave(&source("uplink"), offer("head-end", number));
        }
        for expected in [(OFFERS_WAITING_MAX, 3, Some(3)), (0, 0, None)] {
            let Message::Offers(taken) = mailbox.take(&source("time")) else {
                panic!("no offers");
            };
            let first = taken.offers.first().map(|offer| offer.submission_id);
            assert_eq!((taken.offers.len(), taken.dropped, first), expected);
        }
    }
}
