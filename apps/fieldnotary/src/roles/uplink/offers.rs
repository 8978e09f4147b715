//! What time the collector says it is, offered to the time process (R6.8).

use contract::limits::HEAD_END;
use evidence::{MonoNs, SourceId};
use exchange::CollectorTime;
use ipc::message::TimeOffer;

/// Answers of so long are compared, and the one that took least is offered: the first one of a connection
/// has a handshake in it.
const GATHER_NS: u64 = 2_000_000_000;
/// Then nothing is offered for so long.
const PAUSE_NS: u64 = 10_000_000_000;

/// Between which two instants an answer was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Before the request was sent.
    pub(super) sent: MonoNs,
    /// When its answer was there.
    pub(super) answered: MonoNs,
}

impl Span {
    /// The time that was said in between, as an offer: of the middle, wrong by half of the way at most.
    fn offer(self, said: CollectorTime, number: u64) -> Option<TimeOffer> {
        let half_ns = self.answered.since(self.sent).div_ceil(2);
        Some(TimeOffer {
            submission_id: number,
            from: SourceId::new(HEAD_END).ok()?,
            at: self.sent.plus_ns(half_ns),
            utc: said.utc,
            uncertainty_ns: half_ns.saturating_add(said.resolution_ns),
        })
    }
}

/// Answers of this moment, and what was offered.
#[derive(Debug, Default)]
pub(super) struct Offers {
    number: u64,
    best: Option<TimeOffer>,
    gathering_since: Option<MonoNs>,
    offered: Option<MonoNs>,
}

impl Offers {
    /// Takes what an answer said.
    pub(super) fn heard(&mut self, span: Span, said: CollectorTime) {
        let now = span.answered;
        if self.offered.is_some_and(|last| now.since(last) < PAUSE_NS) {
            return;
        }
        let Some(offer) = span.offer(said, self.number + 1) else {
            return;
        };
        self.gathering_since.get_or_insert(now);
        let known = self.best.as_ref().map(|best| best.uncertainty_ns);
        if known.is_none_or(|known| offer.uncertainty_ns < known) {
            self.best = Some(offer);
        }
    }

    /// The best of what was gathered, once that is done.
    pub(super) fn due(&mut self, now: MonoNs) -> Option<TimeOffer> {
        self.gathering_since
            .take_if(|since| now.since(*since) >= GATHER_NS)?;
        self.number += 1;
        self.offered = Some(now);
        self.best.take()
    }
}

#[cfg(test)]
mod tests {
    use super::{Offers, Span};
    use evidence::{MonoNs, UtcNs};
    use exchange::CollectorTime;

    const MS: u64 = 1_000_000;

    fn heard(offers: &mut Offers, at_ms: u64, took_ms: u64, said: CollectorTime) {
        let span = Span {
            sent: MonoNs((at_ms - took_ms) * MS),
            answered: MonoNs(at_ms * MS),
        };
        offers.heard(span, said);
    }

    fn said(utc: i64) -> CollectorTime {
        CollectorTime {
            utc: UtcNs(utc),
            resolution_ns: 0,
        }
    }

    //= R6.8
    #[test]
    fn of_the_answers_of_one_moment_the_quickest_is_offered_with_half_its_way_as_bound() {
        let mut offers = Offers::default();
        heard(&mut offers, 1_000, 300, said(1));
        heard(&mut offers, 1_500, 10, said(2));
        heard(&mut offers, 1_600, 40, said(3));
        assert_eq!(offers.due(MonoNs(2_999 * MS)), None);
        let offer = offers.due(MonoNs(3_000 * MS)).unwrap();
        assert_eq!(
            (offer.utc, offer.at, offer.uncertainty_ns),
            (UtcNs(2), MonoNs(1_495 * MS), 5 * MS)
        );
        assert_eq!(offer.from.as_str(), "head-end");
        // Nothing is offered again for a while, and nothing that was heard in between.
        heard(&mut offers, 12_999, 1, said(4));
        assert_eq!(offers.due(MonoNs(20_000 * MS)), None);
        heard(&mut offers, 21_000, 20, said(5));
        let offer = offers.due(MonoNs(23_000 * MS)).unwrap();
        assert_eq!((offer.utc, offer.uncertainty_ns), (UtcNs(5), 10 * MS));
    }

    #[test]
    fn a_time_of_whole_seconds_says_how_coarse_it_is() {
        let mut offers = Offers::default();
        let second = CollectorTime::of_second(100).unwrap();
        heard(&mut offers, 1_000, 10, second);
        let offer = offers.due(MonoNs(3_000 * MS)).unwrap();
        assert_eq!(offer.utc, UtcNs(100_500_000_000));
        assert_eq!(offer.uncertainty_ns, 505 * MS);
    }
}
