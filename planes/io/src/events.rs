//! A port's events: numbered like sessions, bounded in rate, nothing dropped without a count.

use crate::action::Batch;
use crate::input::Stream;
use crate::lease::Lease;
use crate::limits::{
    EVENT_WINDOW_NS, EVENT_WINDOW_NS_MAX, EVENTS_PENDING_MAX, EVENTS_PER_WINDOW_MAX,
};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::limits::{SAMPLE_BYTES_MAX, TEXT_BYTES_MAX};
use evidence::reasons::EventCode;
use evidence::{Blob, Captured, MeterId, MonoNs, Priority, Seq, SourceId, kinds};

/// Something to report.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) code: EventCode,
    pub(crate) meter: Option<MeterId>,
    pub(crate) about: Option<Seq>,
    pub(crate) detail: Option<String>,
    pub(crate) sample: Option<Vec<u8>>,
    /// Of how many it tells, where that is said.
    pub(crate) count: Option<u64>,
}

impl News {
    pub(crate) fn new(code: EventCode) -> Self {
        Self {
            code,
            meter: None,
            about: None,
            detail: None,
            sample: None,
            count: None,
        }
    }

    pub(crate) fn sample(mut self, bytes: &[u8]) -> Self {
        self.sample = Some(sample(bytes).0);
        self
    }

    pub(crate) fn detail(mut self, text: String) -> Self {
        self.detail = Some(bounded(text));
        self
    }
}

/// A text as long as an entry keeps.
pub(crate) fn bounded(mut text: String) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// The first bytes of a sample, as many as are kept.
pub(crate) fn sample(bytes: &[u8]) -> Blob {
    Blob::from(bytes.get(..SAMPLE_BYTES_MAX).unwrap_or(bytes))
}

/// How many events of one code the running window has seen.
#[derive(Debug)]
struct Gate {
    code: EventCode,
    since: MonoNs,
    length_ns: u64,
    seen: u64,
    held: u64,
    first_held: Option<News>,
}

/// The events that wait to leave.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    pub(crate) lease: Lease,
    pending: VecDeque<(MonoNs, News, Option<u64>)>,
    gates: Vec<Gate>,
    /// What the full queue dropped, by code.
    dropped: Vec<(EventCode, u64)>,
}

impl EventLog {
    /// Takes an event: the first few of a window each for themselves, the others as one with a count.
    pub(crate) fn note(&mut self, now: MonoNs, news: News) {
        self.tick(now);
        let code = news.code;
        let at = self.gates.iter().position(|gate| gate.code == code);
        let at = at.unwrap_or_else(|| {
            self.gates.push(Gate {
                code,
                since: now,
                length_ns: EVENT_WINDOW_NS,
                seen: 0,
                held: 0,
                first_held: None,
            });
            self.gates.len() - 1
        });
        let Some(gate) = self.gates.get_mut(at) else {
            return;
        };
        gate.seen += 1;
        if gate.seen <= EVENTS_PER_WINDOW_MAX {
            let count = news.count;
            self.push(now, news, count);
        } else {
            gate.held += news.count.unwrap_or(1);
            gate.first_held.get_or_insert(news);
        }
    }

    /// Closes the windows that have passed. A code that goes on gets windows of twice the length each time, so
    /// that a line that never falls silent costs few entries.
    pub(crate) fn tick(&mut self, now: MonoNs) {
        let over = |gate: &mut Gate| now.since(gate.since) >= gate.length_ns;
        let closed: Vec<Gate> = self.gates.extract_if(.., over).collect();
        let lasting = closed.iter().filter(|gate| gate.held > 0);
        let again = lasting.map(|gate| Gate {
            code: gate.code,
            since: now,
            length_ns: gate.length_ns.saturating_mul(2).min(EVENT_WINDOW_NS_MAX),
            seen: EVENTS_PER_WINDOW_MAX,
            held: 0,
            first_held: None,
        });
        self.gates.extend(again.collect::<Vec<_>>());
        self.report(now, closed);
    }

    /// Closes every window.
    pub(crate) fn close(&mut self, now: MonoNs) {
        let closed = core::mem::take(&mut self.gates);
        self.report(now, closed);
    }

    fn report(&mut self, now: MonoNs, closed: Vec<Gate>) {
        for gate in closed {
            if let Some(news) = gate.first_held {
                self.push(now, news, Some(gate.held));
            }
        }
    }

    fn push(&mut self, now: MonoNs, news: News, count: Option<u64>) {
        let news = if self.pending.len() < EVENTS_PENDING_MAX {
            Some((now, news, count))
        } else {
            // The least important goes first, of these the oldest; what comes is no better than its equals.
            let (place, least) = self.least();
            let (code, lost, kept) = match self.pending.get(place) {
                Some(_) if least < news.code.priority() => {
                    let dropped = self.pending.remove(place);
                    let (code, lost) =
                        dropped.map_or((news.code, None), |(_, old, n)| (old.code, n));
                    (code, lost, Some((now, news, count)))
                }
                _ => (news.code, count, None),
            };
            self.count_dropped(code, lost.unwrap_or(1));
            kept
        };
        self.pending.extend(news);
    }

    /// Place and priority of the event that is the first to go.
    fn least(&self) -> (usize, Priority) {
        let each = self.pending.iter().enumerate();
        each.map(|(place, (_, news, _))| (place, news.code.priority()))
            .min_by_key(|(place, priority)| (*priority, *place))
            .unwrap_or((0, Priority::Evidence))
    }

    fn count_dropped(&mut self, code: EventCode, lost: u64) {
        match self.dropped.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += lost,
            None => self.dropped.push((code, lost)),
        }
    }

    /// One event that names and counts what was dropped.
    fn overflow(&mut self) -> (News, u64) {
        let dropped = core::mem::take(&mut self.dropped);
        let total = dropped.iter().map(|(_, count)| count).sum();
        let named: Vec<String> = dropped
            .iter()
            .map(|(code, count)| format!("{count} {code}"))
            .collect();
        let words = format!("the queue of events was full: {}", named.join(", "));
        (News::new(EventCode::QueueOverflow).detail(words), total)
    }

    /// The events that have a number now.
    pub(crate) fn flush(&mut self, now: MonoNs, port: &SourceId) -> Vec<Batch> {
        let mut batches = Vec::new();
        while !self.is_empty() {
            let Some(seq) = self.lease.take() else {
                break;
            };
            let next = self.pending.pop_front().unwrap_or_else(|| {
                let (news, lost) = self.overflow();
                (now, news, Some(lost))
            });
            let (at, news, count) = next;
            let event = kinds::Event {
                at,
                code: news.code,
                source: port.clone(),
                meter_id: news.meter,
                seq: Some(seq),
                about_seq: news.about,
                count,
                detail: news.detail,
                sample: news.sample.map(Blob),
                time_cause: None,
                moved_ns: None,
            };
            batches.push(Batch {
                stream: Stream::Port,
                seq: Some(seq),
                records: Vec::from([Captured::new(&event.into())]),
            });
        }
        batches
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.dropped.is_empty()
    }

    /// When the next window with something to report closes.
    pub(crate) fn next_close(&self) -> Option<MonoNs> {
        self.gates
            .iter()
            .filter(|gate| gate.held > 0)
            .map(|gate| gate.since.plus_ns(gate.length_ns))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::{EventLog, News};
    use crate::limits::{EVENT_WINDOW_NS, EVENTS_PENDING_MAX, EVENTS_PER_WINDOW_MAX};
    use evidence::kinds::{Event, Payload};
    use evidence::limits::SAMPLE_BYTES_MAX;
    use evidence::reasons::EventCode;
    use evidence::{MonoNs, Seq, SourceId};
    use std::vec::Vec;

    fn flush(log: &mut EventLog) -> Vec<Event> {
        let port = SourceId::new("p").unwrap();
        let event = |batch: crate::Batch| match batch.records[0].payload().unwrap() {
            Payload::Event(event) => event,
            other => panic!("{other:?}"),
        };
        log.flush(MonoNs(9), &port).into_iter().map(event).collect()
    }

    fn noise() -> News {
        News::new(EventCode::LineNoise).sample(&[0xAA; 300])
    }

    //= A3.1
    #[test]
    fn a_burst_is_a_few_events_and_one_with_the_count_of_the_rest() {
        let mut log = EventLog::default();
        log.lease.grant(Seq(10), Seq(100));
        for _ in 0..1_000 {
            log.note(MonoNs(5), noise());
        }
        log.note(MonoNs(5), News::new(EventCode::ForeignReply));
        assert_eq!(log.next_close(), Some(MonoNs(5 + EVENT_WINDOW_NS)));
        log.tick(MonoNs(5 + EVENT_WINDOW_NS));
        let events = flush(&mut log);
        let of_noise: Vec<_> = events
            .iter()
            .filter(|event| event.code == EventCode::LineNoise)
            .collect();
        let counted: u64 = of_noise.iter().map(|event| event.count.unwrap_or(1)).sum();
        assert_eq!(counted, 1_000);
        assert_eq!(of_noise.len() as u64, EVENTS_PER_WINDOW_MAX + 1);
        assert_eq!(
            of_noise[0].sample.as_ref().unwrap().0.len(),
            SAMPLE_BYTES_MAX
        );
        let numbers: Vec<u64> = events.iter().map(|event| event.seq.unwrap().0).collect();
        assert_eq!(numbers, (10..10 + events.len() as u64).collect::<Vec<_>>());
    }

    //= A5.6
    #[test]
    fn what_the_queue_cannot_hold_is_counted() {
        let mut log = EventLog::default();
        let events = 2 * EVENTS_PENDING_MAX as u64;
        for at in 0..events {
            log.note(MonoNs(at * EVENT_WINDOW_NS), noise());
        }
        assert!(flush(&mut log).is_empty());
        log.lease.grant(Seq(0), Seq(1_000));
        let found = flush(&mut log);
        assert_eq!(found.len(), EVENTS_PENDING_MAX + 1);
        let last = found.last().unwrap();
        assert_eq!(last.code, EventCode::QueueOverflow);
        assert_eq!(last.count, Some(events - EVENTS_PENDING_MAX as u64));
        let words = last.detail.as_deref().unwrap();
        assert!(words.contains("64 line_noise"), "{words}");
        assert!(log.is_empty());
    }

    //= R10.4
    #[test]
    fn a_full_queue_drops_samples_before_what_the_port_did() {
        let mut log = EventLog::default();
        let at = |n: u64| MonoNs(n * EVENT_WINDOW_NS);
        for n in 0..EVENTS_PENDING_MAX as u64 {
            log.note(at(n), noise());
        }
        log.note(at(1_000), News::new(EventCode::PortLost));
        log.note(at(1_001), noise());
        log.note(at(1_002), News::new(EventCode::PortOpened));
        log.lease.grant(Seq(0), Seq(1_000));
        let found = flush(&mut log);
        let has = |code| found.iter().filter(|event| event.code == code).count();
        assert_eq!(
            (has(EventCode::PortLost), has(EventCode::PortOpened)),
            (1, 1)
        );
        assert_eq!(has(EventCode::LineNoise), EVENTS_PENDING_MAX - 2);
        assert_eq!(found.last().unwrap().count, Some(3), "{:?}", found.last());
        // A queue full of what may not go drops what comes, whatever it is, and counts it.
        let mut log = EventLog::default();
        for n in 0..=EVENTS_PENDING_MAX as u64 {
            log.note(at(n), News::new(EventCode::PortLost));
        }
        log.lease.grant(Seq(0), Seq(1_000));
        let words = flush(&mut log).pop().unwrap().detail.unwrap();
        assert!(words.contains("1 port_lost"), "{words}");
    }
}
