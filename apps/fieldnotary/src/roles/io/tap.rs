//! Taps: what is on the wires of this process, for whoever watches a port. No port is held up for it.

use crate::clock;
use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use crate::roles::runs::Runs;
use evidence::{Blob, SourceId};
use ipc::message::{Message, PortRuns, WireRun, WireSeen, WireWay};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::Listener;

/// How often the recorder is asked which ports are watched.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often it is told what was on their wires.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tap of one port.
#[derive(Debug, Default)]
pub(super) struct Tap {
    watched: AtomicBool,
    next: AtomicU64,
    runs: Mutex<Runs>,
}

impl Tap {
    /// Notes bytes that were sent or read just now, where the port is watched; they are numbered in any case. Nothing is
    /// waited for: where the list is in use this moment, they are passed over.
    fn note(&self, way: WireWay, bytes: &[u8]) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if !self.watched.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(mut runs) = self.runs.try_lock() {
            runs.put(WireRun {
                number,
                at: clock::mono(),
                way,
                bytes: Blob(bytes.to_vec()),
            });
        }
    }

    /// Whether the port is watched by now; what is left of a watch that has ended goes.
    fn watch(&self, watched: bool) {
        let was = self.watched.swap(watched, Ordering::Relaxed);
        if was && !watched {
            *self.held() = Runs::default();
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Tap {
    fn opened(&self) {
        self.note(WireWay::Opened, &[]);
    }

    fn sent(&self, bytes: &[u8]) {
        self.note(WireWay::Sent, bytes);
    }

    fn received(&self, bytes: &[u8]) {
        self.note(WireWay::Received, bytes);
    }
}

/// The taps of the ports of this process.
#[derive(Clone, Debug, Default)]
pub(super) struct Taps(BTreeMap<SourceId, Arc<Tap>>);

impl Taps {
    pub(super) fn of<'p>(ports: impl Iterator<Item = &'p SourceId>) -> Self {
        Self(ports.map(|port| (port.clone(), Arc::default())).collect())
    }

    /// What is told whatever is on the wire of a port.
    pub(super) fn listeners(&self) -> BTreeMap<SourceId, Arc<dyn Listener>> {
        let each = self.0.iter();
        each.map(|(port, tap)| (port.clone(), Arc::clone(tap) as Arc<dyn Listener>))
            .collect()
    }

    /// Begins to tell the recorder, in a thread of its own.
    pub(super) fn tell(self, data: &DataDir, stop: &Arc<AtomicBool>) {
        if self.0.is_empty() {
            return;
        }
        let mut link = RecorderLink::new(&data.recorder_socket(), "io", stop);
        let stop = Arc::clone(stop);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let (ports, more) = self.take();
                let watched = match link.once(&WireSeen { ports }.into(), PATIENCE) {
                    Some(Message::WireWanted(wanted)) => wanted.ports,
                    Some(_) | None => Vec::new(),
                };
                let any = self.watch(&watched);
                std::thread::sleep(match (more, any) {
                    (true, _) => Duration::ZERO,
                    (false, true) => TELL_EVERY,
                    (false, false) => ASK_EVERY,
                });
            }
        });
    }

    /// What one message carries, and whether there may be more.
    fn take(&self) -> (Vec<PortRuns>, bool) {
        let (mut ports, mut more, mut used) = (Vec::new(), false, 0);
        for (port, tap) in &self.0 {
            if !tap.watched.load(Ordering::Relaxed) {
                continue;
            }
            let mut held = tap.held();
            let (runs, next) = held.from(0, &mut used);
            held.forget_before(next);
            more |= held.end() > next;
            drop(held);
            if !runs.is_empty() {
                let port = port.clone();
                ports.push(PortRuns { port, runs });
            }
        }
        (ports, more)
    }

    /// Takes in which ports are watched: whether any of these here is.
    fn watch(&self, watched: &[SourceId]) -> bool {
        let mut any = false;
        for (port, tap) in &self.0 {
            let is = watched.contains(port);
            tap.watch(is);
            any |= is;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::Taps;
    use evidence::SourceId;
    use ipc::limits::WIRE_KEPT_BYTES_MAX;
    use ipc::message::WireWay;

    fn taps() -> (Taps, SourceId) {
        let port = SourceId::new("a").unwrap();
        let other = SourceId::new("b").unwrap();
        (Taps::of([&port, &other].into_iter()), port)
    }

    fn taken(taps: &Taps) -> Vec<(String, Vec<u64>)> {
        let (ports, _) = taps.take();
        let ports = ports.into_iter();
        let numbers = |one: ipc::message::PortRuns| {
            let runs = one.runs.iter().map(|run| run.number).collect();
            (one.port.to_string(), runs)
        };
        ports.map(numbers).collect()
    }

    //= A3.1
    #[test]
    fn only_a_watched_port_is_noted_and_what_is_passed_over_has_a_number_too() {
        let (taps, port) = taps();
        let tap = &taps.0[&port];
        tap.note(WireWay::Sent, &[1]);
        assert!(taken(&taps).is_empty(), "nobody watches");
        assert!(taps.watch(std::slice::from_ref(&port)));
        for tap in taps.0.values() {
            tap.note(WireWay::Sent, &[1]);
        }
        assert_eq!(taken(&taps), [("a".to_owned(), vec![1])]);
        // Whoever carries it on has the list: the port does not wait.
        let held = tap.held();
        tap.note(WireWay::Received, &[2]);
        drop(held);
        tap.note(WireWay::Received, &[3]);
        assert_eq!(taken(&taps), [("a".to_owned(), vec![3])]);
        tap.note(WireWay::Received, &[4]);
        assert!(!taps.watch(&[]));
        assert!(taps.watch(std::slice::from_ref(&port)));
        assert!(
            taken(&taps).is_empty(),
            "what was left is not of this watch"
        );
    }

    #[test]
    fn a_port_that_nobody_carries_on_keeps_a_bounded_list() {
        let (taps, port) = taps();
        taps.watch(std::slice::from_ref(&port));
        for _ in 0..2_000 {
            taps.0[&port].note(WireWay::Received, &[0; 512]);
        }
        let (mut messages, mut runs, mut more) = (0, 0, true);
        while more {
            let (ports, again) = taps.take();
            messages += 1;
            runs += ports.iter().map(|one| one.runs.len()).sum::<usize>();
            more = again;
        }
        assert!(messages > 1 && runs < 1_000, "{messages} {runs}");
        assert!(runs * 512 < WIRE_KEPT_BYTES_MAX);
    }
}
