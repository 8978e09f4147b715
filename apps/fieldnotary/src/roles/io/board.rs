//! What points of one card say to the outputs of another and to ports, within this process.
//!
//! A card that is not heard, or has a process of its own, is known to nobody here; an output that depends on it is
//! held back, and a port asks its meters as if it said nothing.

use super::outbox::Outbox;
use evidence::{MonoNs, PointId, SourceId};
use io_plane::outputs::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// How long what a card said counts while its thread gives no sign of life: ten turns of its loop.
const SILENCE_NS_MAX: u64 = 1_000_000_000;

/// The board.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    points: BTreeMap<PointId, (SourceId, Seen)>,
    alive: BTreeMap<SourceId, MonoNs>,
    /// Whoever looks at the board, by card.
    watching: BTreeMap<SourceId, Arc<Outbox>>,
}

impl Shown {
    /// What a point says, unless its card is not heard.
    fn of(&self, point: &PointId, now: MonoNs) -> Seen {
        let heard = self.points.get(point).and_then(|(card, seen)| {
            let heard = self.alive.get(card)?;
            (now.since(*heard) <= SILENCE_NS_MAX).then_some(*seen)
        });
        heard.unwrap_or(Seen::NOTHING)
    }
}

impl Board {
    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings when a point changes.
    pub(super) fn watch(&self, card: &SourceId, outbox: &Arc<Outbox>) {
        let mut shown = self.shown();
        shown.watching.insert(card.clone(), Arc::clone(outbox));
    }

    /// A point of this card says this.
    pub(super) fn show(&self, card: &SourceId, point: PointId, seen: Seen) {
        let mut shown = self.shown();
        shown.points.insert(point, (card.clone(), seen));
        shown.watching.values().for_each(|outbox| outbox.ring());
    }

    /// The card's thread works.
    pub(super) fn alive(&self, card: &SourceId, now: MonoNs) {
        self.shown().alive.insert(card.clone(), now);
    }

    /// The card's thread ends.
    pub(super) fn gone(&self, card: &SourceId) {
        let mut shown = self.shown();
        shown.alive.remove(card);
        shown.watching.remove(card);
        shown.points.retain(|_, (of, _)| of != card);
        shown.watching.values().for_each(|outbox| outbox.ring());
    }

    /// What these points say by now.
    pub(super) fn seen(&self, points: &BTreeSet<PointId>, now: MonoNs) -> BTreeMap<PointId, Seen> {
        let shown = self.shown();
        let all = points.iter();
        all.map(|point| (point.clone(), shown.of(point, now)))
            .collect()
    }

    /// What one point says by now.
    pub(super) fn one(&self, point: &PointId, now: MonoNs) -> Seen {
        self.shown().of(point, now)
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, SILENCE_NS_MAX};
    use evidence::{MonoNs, PointId, Quality, SourceId};
    use io_plane::outputs::{Seen, Value};
    use std::collections::BTreeSet;

    //= R3.2
    #[test]
    fn what_a_silent_card_said_does_not_count_any_more() {
        let board = Board::default();
        let (card, door) = (SourceId::new("dio").unwrap(), PointId::new("door").unwrap());
        let said = Seen {
            value: Some(Value::Switch(true)),
            quality: Quality::GOOD,
            at: MonoNs(5),
        };
        let wanted = BTreeSet::from([door.clone()]);
        let seen = |now: u64| board.seen(&wanted, MonoNs(now)).remove(&door).unwrap();
        assert_eq!(seen(0), Seen::NOTHING);
        board.show(&card, door.clone(), said);
        assert_eq!(seen(0), Seen::NOTHING, "nobody lives there");
        board.alive(&card, MonoNs(10));
        assert_eq!(seen(10 + SILENCE_NS_MAX), said);
        assert_eq!(seen(11 + SILENCE_NS_MAX), Seen::NOTHING);
        board.alive(&card, MonoNs(20));
        assert_eq!(seen(20), said);
        board.gone(&card);
        board.alive(&card, MonoNs(30));
        assert_eq!(seen(30), Seen::NOTHING);
    }
}
