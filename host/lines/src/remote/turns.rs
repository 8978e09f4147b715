//! Whose turn a wire is: one attempt at a time, what moves something first, otherwise whoever came first. Who has to wait
//! for something else than a turn keeps his place and holds nobody up meanwhile.

use evidence::MonoNs;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How urgent an attempt is; the first one goes before all others that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// A write, and what has to be read for it.
    Command,
    /// Any other read.
    Poll,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn<R> {
    /// It was used.
    Over(R),
    /// There was nothing to do with it yet: another one, from then on.
    NotBefore(MonoNs),
}

/// What waits for a turn and from when on, and whether somebody has one.
#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeMap<(Urgency, u64), MonoNs>,
    next: u64,
    taken: bool,
}

impl Queue {
    /// Whose turn is next of those that can use one now.
    fn first(&self, now: MonoNs) -> Option<(Urgency, u64)> {
        let mut able = self.waiting.iter().filter(|(_, from)| **from <= now);
        able.next().map(|(who, _)| *who)
    }
}

/// Turns at something that several threads use.
#[derive(Debug)]
pub(super) struct Turns<T> {
    queue: Mutex<Queue>,
    freed: Condvar,
    clock: fn() -> MonoNs,
    what: Mutex<T>,
}

impl<T> Turns<T> {
    pub(super) fn new(what: T, clock: fn() -> MonoNs) -> Self {
        Self {
            queue: Mutex::default(),
            freed: Condvar::new(),
            clock,
            what: Mutex::new(what),
        }
    }

    /// Waits for turns until one was used. A lock alone would give it back to whoever had it just now and wants it again.
    pub(super) fn with<R>(&self, urgency: Urgency, mut use_it: impl FnMut(&mut T) -> Turn<R>) -> R {
        let mut queue = held(&self.queue);
        let mine = (urgency, queue.next);
        queue.next = queue.next.wrapping_add(1);
        let mut from = MonoNs(0);
        loop {
            let turn = self.turn(queue, mine, from);
            let used = use_it(&mut held(&self.what));
            drop(turn);
            match used {
                Turn::Over(with) => return with,
                Turn::NotBefore(next) => from = next,
            }
            queue = held(&self.queue);
        }
    }

    /// Waits until a turn is this one's, which is not before `from`.
    fn turn(
        &self,
        mut queue: MutexGuard<'_, Queue>,
        mine: (Urgency, u64),
        from: MonoNs,
    ) -> Ends<'_, T> {
        queue.waiting.insert(mine, from);
        loop {
            let now = (self.clock)();
            if !queue.taken && queue.first(now) == Some(mine) {
                break;
            }
            // Whoever ends a turn tells; that a time has come, nobody does.
            queue = match from.since(now) {
                0 => self
                    .freed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner),
                left => {
                    let waited = self.freed.wait_timeout(queue, Duration::from_nanos(left));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        queue.waiting.remove(&mine);
        queue.taken = true;
        Ends(self)
    }
}

/// Ends a turn, also where its user ends.
struct Ends<'t, T>(&'t Turns<T>);

impl<T> Drop for Ends<'_, T> {
    fn drop(&mut self) {
        held(&self.0.queue).taken = false;
        self.0.freed.notify_all();
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::tests::mono;
    use super::{Turn, Turns, Urgency, held};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    const WAIT_NS: u64 = 200_000_000;

    //= R3.2
    #[test]
    fn what_moves_something_goes_first_and_otherwise_whoever_came_first() {
        let turns = Turns::new(Vec::new(), mono);
        let (begun, begins) = channel();
        let (go, goes) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                turns.with(Urgency::Poll, move |_| {
                    begun.send(()).unwrap();
                    goes.recv().unwrap();
                    Turn::Over(())
                });
            });
            begins.recv().unwrap();
            let waits = [
                (Urgency::Poll, "a poll"),
                (Urgency::Poll, "the next poll"),
                (Urgency::Command, "a command"),
            ];
            for (place, (urgency, name)) in waits.into_iter().enumerate() {
                let turns = &turns;
                scope.spawn(move || {
                    turns.with(urgency, |order| {
                        order.push(name);
                        Turn::Over(())
                    });
                });
                while held(&turns.queue).waiting.len() <= place {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            go.send(()).unwrap();
        });
        let order = turns.with(Urgency::Poll, |order| Turn::Over(order.clone()));
        assert_eq!(order, ["a command", "a poll", "the next poll"]);
    }

    /// A turn that cannot be used yet is nobody else's loss, and its place is kept: as the time comes, it is before a
    /// poll that waits for the same time and asked again earlier.
    //= R3.2
    #[test]
    fn who_waits_for_a_time_holds_nobody_up_and_keeps_his_place() {
        let turns = Turns::new(Vec::new(), mono);
        let until = mono().plus_ns(WAIT_NS);
        std::thread::scope(|scope| {
            for (urgency, name) in [(Urgency::Poll, "a poll"), (Urgency::Command, "a command")] {
                let turns = &turns;
                scope.spawn(move || {
                    turns.with(urgency, |order| {
                        if mono() < until {
                            return Turn::NotBefore(until);
                        }
                        order.push(name);
                        Turn::Over(())
                    });
                });
            }
            while held(&turns.queue).waiting.len() < 2 {
                std::thread::sleep(Duration::from_millis(1));
            }
            turns.with(Urgency::Poll, |order| {
                order.push("who can");
                Turn::Over(())
            });
            assert!(mono() < until, "nobody was waited for");
        });
        let order = turns.with(Urgency::Poll, |order| Turn::Over(order.clone()));
        assert_eq!(order, ["who can", "a command", "a poll"]);
    }

    #[test]
    fn a_turn_ends_with_its_user() {
        let turns = Turns::new(0, mono);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            turns.with(Urgency::Poll, |_| -> Turn<()> { panic!("its user ends") });
        }));
        assert!(ended.is_err());
        let number = turns.with(Urgency::Command, |number| Turn::Over(*number));
        assert_eq!(number, 0);
    }
}
