//! Whose turn a wire is: one attempt at a time, what moves something first, otherwise whoever came first.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How urgent an attempt is; the first one goes before all others that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// A write, and what has to be read for it.
    Command,
    /// Any other read.
    Poll,
}

/// What waits for a turn, and whether somebody has one.
#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeSet<(Urgency, u64)>,
    next: u64,
    taken: bool,
}

/// Turns at something that several threads use.
#[derive(Debug)]
pub(super) struct Turns<T> {
    queue: Mutex<Queue>,
    freed: Condvar,
    what: Mutex<T>,
}

impl<T> Turns<T> {
    pub(super) fn new(what: T) -> Self {
        Self {
            queue: Mutex::default(),
            freed: Condvar::new(),
            what: Mutex::new(what),
        }
    }

    /// Waits for a turn and uses it. A lock alone would give it back to whoever had it just now and wants it again.
    pub(super) fn with<R>(&self, urgency: Urgency, use_it: impl FnOnce(&mut T) -> R) -> R {
        let mut queue = held(&self.queue);
        let mine = (urgency, queue.next);
        queue.next = queue.next.wrapping_add(1);
        queue.waiting.insert(mine);
        while queue.taken || queue.waiting.first() != Some(&mine) {
            queue = self
                .freed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiting.remove(&mine);
        queue.taken = true;
        drop(queue);
        let _ends = Ends(self);
        use_it(&mut held(&self.what))
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
    use super::{Turns, Urgency, held};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    //= R3.2
    #[test]
    fn what_moves_something_goes_first_and_otherwise_whoever_came_first() {
        let turns = Turns::new(Vec::new());
        let (begun, begins) = channel();
        let (go, goes) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                turns.with(Urgency::Poll, move |_| {
                    begun.send(()).unwrap();
                    goes.recv().unwrap();
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
                scope.spawn(move || turns.with(urgency, |order| order.push(name)));
                while held(&turns.queue).waiting.len() <= place {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            go.send(()).unwrap();
        });
        let order = turns.with(Urgency::Poll, |order| order.clone());
        assert_eq!(order, ["a command", "a poll", "the next poll"]);
    }

    #[test]
    fn a_turn_ends_with_its_user() {
        let turns = Turns::new(0);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            turns.with(Urgency::Poll, |_| panic!("its user ends"));
        }));
        assert!(ended.is_err());
        assert_eq!(turns.with(Urgency::Command, |number| *number), 0);
    }
}
