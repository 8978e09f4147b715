//! Who may be connected: a bound for all and one for each process, so that nobody keeps others out by sitting there.

use crate::rate::SECOND_NS;
use std::collections::BTreeMap;

/// Connections served at once; a node needs one or two.
pub(crate) const CONNECTIONS_MAX: usize = 16;
/// Of those, connections of one process. The recorder has one.
pub(crate) const PEER_CONNECTIONS_MAX: usize = 4;
/// A connection on which nothing was asked for so long is ended. The recorder asks with each seal, and connects anew.
pub(crate) const IDLE_NS_MAX: u64 = 300 * SECOND_NS;
const _: () = assert!(PEER_CONNECTIONS_MAX < CONNECTIONS_MAX);

#[derive(Debug)]
struct Seat<C> {
    pid: i32,
    /// Since when nothing is asked on it; `None` while it is answered.
    idle_since_ns: Option<u64>,
    connection: C,
}

/// What becomes of somebody who connects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seated<C> {
    /// It is served under this number.
    Here(u64),
    /// It is, and this other connection ends for it.
    Instead(u64, C),
    /// It is not: all that it could take the place of are being answered.
    Full,
}

/// The connections that are served.
#[derive(Debug)]
pub(crate) struct Seats<C> {
    next: u64,
    taken: BTreeMap<u64, Seat<C>>,
}

impl<C> Default for Seats<C> {
    fn default() -> Self {
        Self {
            next: 0,
            taken: BTreeMap::new(),
        }
    }
}

impl<C> Seats<C> {
    /// A process connects. Where there is no room, a connection gives way on which nothing is asked: of the same process, where
    /// that has as many as one may have; else of the one that has most; of those the one that is silent longest.
    pub(crate) fn sit(&mut self, pid: i32, connection: C, now_ns: u64) -> Seated<C> {
        let own = self.of(pid);
        let gives_way = match (
            own >= PEER_CONNECTIONS_MAX,
            self.taken.len() >= CONNECTIONS_MAX,
        ) {
            (true, _) => self.oldest_idle(|seat| seat.pid == pid),
            (false, true) => self.oldest_idle(|_| true),
            (false, false) => {
                return Seated::Here(self.seat(pid, connection, now_ns));
            }
        };
        match gives_way.and_then(|id| self.taken.remove(&id)) {
            Some(other) => Seated::Instead(self.seat(pid, connection, now_ns), other.connection),
            None => Seated::Full,
        }
    }

    /// Something is asked on a connection; `false` where it had to give way.
    pub(crate) fn asks(&mut self, id: u64) -> bool {
        let seat = self.taken.get_mut(&id);
        seat.map(|seat| seat.idle_since_ns = None).is_some()
    }

    /// It was answered.
    pub(crate) fn answered(&mut self, id: u64, now_ns: u64) {
        if let Some(seat) = self.taken.get_mut(&id) {
            seat.idle_since_ns = Some(now_ns);
        }
    }

    /// A connection is over.
    pub(crate) fn leaves(&mut self, id: u64) {
        self.taken.remove(&id);
    }

    /// Takes away the connections on which nothing was asked for too long.
    pub(crate) fn idle_too_long(&mut self, now_ns: u64) -> Vec<C> {
        let is_over = |seat: &Seat<C>| {
            let since = seat.idle_since_ns;
            since.is_some_and(|since| now_ns.saturating_sub(since) >= IDLE_NS_MAX)
        };
        let over = self.taken.iter().filter(|(_, seat)| is_over(seat));
        let over: Vec<u64> = over.map(|(id, _)| *id).collect();
        let gone = over.iter().filter_map(|id| self.taken.remove(id));
        gone.map(|seat| seat.connection).collect()
    }

    fn seat(&mut self, pid: i32, connection: C, now_ns: u64) -> u64 {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let seat = Seat {
            pid,
            idle_since_ns: Some(now_ns),
            connection,
        };
        self.taken.insert(id, seat);
        id
    }

    /// How many one process has.
    fn of(&self, pid: i32) -> usize {
        self.taken.values().filter(|seat| seat.pid == pid).count()
    }

    fn oldest_idle(&self, may: impl Fn(&Seat<C>) -> bool) -> Option<u64> {
        let idle = self.taken.iter().filter_map(|(id, seat)| {
            let since = seat.idle_since_ns.filter(|_| may(seat))?;
            Some((usize::MAX - self.of(seat.pid), since, *id))
        });
        idle.min().map(|(_, _, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::{CONNECTIONS_MAX, IDLE_NS_MAX, PEER_CONNECTIONS_MAX, Seated, Seats};

    const RECORDER: i32 = 1;

    /// Seats with one of the recorder, and those of others as many as they get; each connection is who has it.
    fn full(others: impl Iterator<Item = i32>) -> Seats<i32> {
        let mut seats = Seats::default();
        assert_eq!(seats.sit(RECORDER, RECORDER, 0), Seated::Here(0));
        for (pid, at) in others.zip(1..) {
            let _ = seats.sit(pid, pid, at);
        }
        seats
    }

    //= A6.7
    #[test]
    fn who_sits_there_and_asks_nothing_keeps_nobody_out() {
        // One process with as many connections as it likes.
        let mut seats = full(std::iter::repeat_n(7, 100));
        assert_eq!(seats.taken.len(), 1 + PEER_CONNECTIONS_MAX);
        assert!(seats.asks(0), "the recorder is where it was");
        // As many processes as there are seats: the recorder still has its own, and somebody new comes in.
        let hordes = (0..100).map(|n| 10 + n % 8);
        let mut seats = full(hordes);
        assert_eq!(seats.taken.len(), CONNECTIONS_MAX);
        assert!(seats.asks(0));
        seats.answered(0, 500);
        let Seated::Instead(id, 10..18) = seats.sit(RECORDER, RECORDER, 501) else {
            panic!("{seats:?}");
        };
        assert!(seats.asks(id) && seats.asks(0));
        // One connection each: who was silent longest gives way, whoever that is.
        let mut seats = full(10..100);
        assert_eq!(seats.taken.len(), CONNECTIONS_MAX);
        assert!(!seats.asks(0), "it connects anew");
        assert!(matches!(
            seats.sit(RECORDER, RECORDER, 500),
            Seated::Instead(_, _)
        ));
    }

    //= A6.7
    #[test]
    fn what_is_being_answered_is_never_ended_for_another() {
        let mut seats = full(10..25);
        for id in 0..16 {
            assert!(seats.asks(id));
        }
        assert_eq!(seats.sit(99, 99, 100), Seated::Full);
        assert!(seats.idle_too_long(u64::MAX).is_empty());
        seats.answered(3, 100);
        assert_eq!(seats.sit(99, 99, 101), Seated::Instead(16, 12));
        // A process with as many as one may have takes the place of its own alone.
        let mut seats = full(std::iter::repeat_n(7, PEER_CONNECTIONS_MAX));
        for id in 1..=4 {
            assert!(seats.asks(id));
        }
        assert_eq!(seats.sit(7, 7, 100), Seated::Full);
        seats.answered(2, 100);
        assert_eq!(seats.sit(7, 7, 101), Seated::Instead(5, 7));
        assert!(!seats.asks(2));
    }

    //= A6.7
    #[test]
    fn a_connection_on_which_nothing_is_asked_ends_after_its_time() {
        let mut seats = full([7, 8].into_iter());
        assert!(seats.asks(0) && seats.asks(1));
        seats.answered(0, 50);
        assert!(seats.idle_too_long(IDLE_NS_MAX + 1).is_empty());
        assert_eq!(seats.idle_too_long(IDLE_NS_MAX + 2), [8], "it never asked");
        assert_eq!(seats.idle_too_long(IDLE_NS_MAX + 50), [RECORDER]);
        assert!(
            seats.idle_too_long(u64::MAX).is_empty(),
            "it is being answered"
        );
        seats.leaves(1);
        assert_eq!(seats.taken.len(), 0);
    }
}
