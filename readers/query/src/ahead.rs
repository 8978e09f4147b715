//! Frames read, proven and judged by several threads ahead of the one that goes through the log.
//!
//! The order of the log stays with that one thread, and so do all findings: it takes from the others only what
//! follows from the bytes of a frame alone. So what comes out does not depend on how many there are.

use journal::{
    FrameReader, Location, ReadAhead, ReadFrame, ReadTruth, ReadVolume, Reader, StoredEntry,
};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Frames that may lie ready or be under way, for each thread: bounds the memory, a frame has up to 1 MiB.
const FRAMES_PER_THREAD_MAX: usize = 4;
/// More threads than this find nothing left to do: one alone keeps the order.
const THREADS_MAX: usize = 16;

/// How many threads this machine has for it.
pub(crate) fn threads() -> usize {
    thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(THREADS_MAX)
}

/// Goes through a log with `threads` threads at work. `note` makes of a frame's entries what `walk` will want
/// of them; it is told by [`Notes::take`].
pub(crate) fn with_threads<V, T, N, R>(
    reader: &Reader<V, T>,
    threads: usize,
    note: impl Fn(&[StoredEntry]) -> N + Sync,
    walk: impl FnOnce(Option<&dyn ReadAhead>, &Notes<'_, N>) -> R,
) -> R
where
    V: ReadVolume + Sync,
    T: ReadTruth,
    N: Send,
{
    let alone = Notes {
        taken: RefCell::new(None),
        make: &note,
    };
    if threads < 2 {
        return walk(None, &alone);
    }
    let pool = Pool {
        state: Mutex::new(State::new(threads)),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..threads.min(THREADS_MAX) {
            let frames = reader.frame_reader();
            let (pool, note) = (&pool, &note);
            let worker = move || pool.work(&frames, note);
            started += usize::from(thread::Builder::new().spawn_scoped(scope, worker).is_ok());
        }
        let _stop = Stop(&pool);
        if started == 0 {
            return walk(None, &alone);
        }
        let taker = Taker {
            pool: &pool,
            notes: &alone,
        };
        walk(Some(&taker), &alone)
    })
}

/// What was noted of the frame that the walk came to last.
pub(crate) struct Notes<'a, N> {
    taken: RefCell<Option<(Location, N)>>,
    make: &'a (dyn Fn(&[StoredEntry]) -> N + 'a),
}

impl<N> Notes<'_, N> {
    /// The note of a frame: as it was made ahead, or made now.
    pub(crate) fn take(&self, at: Location, entries: &[StoredEntry]) -> N {
        match self.taken.borrow_mut().take() {
            Some((place, note)) if place == at => note,
            _ => (self.make)(entries),
        }
    }
}

/// A frame between the threads.
enum Work<N> {
    UnderWay,
    Ready(Box<ReadFrame>, N),
}

struct State<N> {
    /// Where the next frame is looked for; nowhere while one of the threads looks, or where none was found.
    next: Option<Location>,
    looking: bool,
    /// Grows with each new beginning: what belongs to an earlier one is thrown away.
    run: u64,
    frames: VecDeque<(Location, Work<N>)>,
    frames_max: usize,
    /// Set when the walk is over, or a thread ended in a panic: nobody waits for it then.
    over: bool,
}

impl<N> State<N> {
    fn new(threads: usize) -> Self {
        Self {
            next: None,
            looking: false,
            run: 0,
            frames: VecDeque::new(),
            frames_max: threads.min(THREADS_MAX) * FRAMES_PER_THREAD_MAX,
            over: false,
        }
    }
}

struct Pool<N> {
    state: Mutex<State<N>>,
    changed: Condvar,
}

impl<N> Pool<N> {
    fn lock(&self) -> MutexGuard<'_, State<N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<N>>) -> MutexGuard<'g, State<N>> {
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    /// What each thread does: finds the next frame, one thread at a time, and reads it beside the others.
    fn work<V: ReadVolume>(&self, frames: &FrameReader<V>, note: &impl Fn(&[StoredEntry]) -> N) {
        let _stop = StopInPanic(self);
        loop {
            let mut state = self.lock();
            let (at, run) = loop {
                if state.over {
                    return;
                }
                if state.frames.len() < state.frames_max
                    && let Some(at) = state.next.take()
                {
                    break (at, state.run);
                }
                state = self.wait(state);
            };
            state.looking = true;
            drop(state);
            let found = frames.find(at);
            let mut state = self.lock();
            if state.run != run {
                continue;
            }
            state.looking = false;
            let Some(found) = found else {
                self.changed.notify_all();
                continue;
            };
            let at = found.location();
            state.next = Some(found.behind());
            state.frames.push_back((at, Work::UnderWay));
            drop(state);
            self.changed.notify_all();
            let frame = frames.read(found);
            let noted = note(frame.entries());
            let mut state = self.lock();
            if state.run == run
                && let Some((_, work)) = state.frames.iter_mut().find(|(place, _)| *place == at)
            {
                *work = Work::Ready(Box::new(frame), noted);
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    /// The frame at a place, waited for; nothing where none of the threads finds one there.
    fn take(&self, at: Location) -> Option<(ReadFrame, N)> {
        let mut state = self.lock();
        let mut begun = false;
        loop {
            if state.over {
                return None;
            }
            let place = state.frames.iter().position(|(place, _)| *place == at);
            if let Some(place) = place {
                // The walk has passed those before it by.
                state.frames.drain(..place);
                match state.frames.pop_front() {
                    Some((_, Work::Ready(frame, noted))) => {
                        drop(state);
                        self.changed.notify_all();
                        return Some((*frame, noted));
                    }
                    Some(under_way) => state.frames.push_front(under_way),
                    None => return None,
                }
            } else if !state.looking && state.next != Some(at) {
                if begun {
                    return None;
                }
                begun = true;
                state.run += 1;
                state.frames.clear();
                state.next = Some(at);
                self.changed.notify_all();
            } else if !state.looking && !state.frames.is_empty() {
                // The walk has passed all of them by, to the very place that is looked at next: while they
                // fill what may lie ready, nobody would look there.
                begun = true;
                state.run += 1;
                state.frames.clear();
                self.changed.notify_all();
            }
            state = self.wait(state);
        }
    }
}

/// The walk's end of the pool.
struct Taker<'p, N> {
    pool: &'p Pool<N>,
    notes: &'p Notes<'p, N>,
}

impl<N> ReadAhead for Taker<'_, N> {
    fn frame(&self, at: Location) -> Option<ReadFrame> {
        let (frame, noted) = self.pool.take(at)?;
        self.notes.taken.replace(Some((at, noted)));
        Some(frame)
    }
}

/// Ends the threads when the walk ends, however it does.
struct Stop<'p, N>(&'p Pool<N>);

impl<N> Drop for Stop<'_, N> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.changed.notify_all();
    }
}

/// Lets nobody wait for a thread that ended in a panic; the scope passes the panic on.
struct StopInPanic<'p, N>(&'p Pool<N>);

impl<N> Drop for StopInPanic<'_, N> {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(Stop(self.0));
        }
    }
}

#[cfg(test)]
mod tests;
