//! A port's events: numbered like sessions, bounded in rate, nothing dropped without a count.

use crate::action::Batch;
use crate::input::Stream;
use crate::lease::Lease;
use crate::limits::{EVENT_WINDOW_NS, EVENTS_PENDING_MAX, EVENTS_PER_WINDOW_MAX};
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use evidence::limits::{SAMPLE_BYTES_MAX, TEXT_BYTES_MAX};
use evidence::reasons::EventCode;
use evidence::{Blob, Captured, MeterId, MonoNs, Seq, SourceId, kinds};

/// Something to report.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) code: EventCode,
    pub(crate) meter: Option<MeterId>,
    pub(crate) about: Option<Seq>,
    pub(crate) detail: Option<String>,
    pub(crate) sample: Option<Vec<u8>>,
}

impl News {
    pub(crate) fn new(code: EventCode) -> Self {
        Self {
            code,
            meter: None,
            about: None,
            detail: None,
            sample: None,
        }
    }

    pub(crate) fn sample(mut self, bytes: &[u8]) -> Self {
        self.sample = Some(sample(bytes).0);
        self
    }

    pub(crate) fn detail(mut self, mut text: String) -> Self {
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        self.detail = Some(text);
        self
    }
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
    dropped: u64,
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
            self.push(now, news, None);
        } else {
            gate.held += 1;
            gate.first_held.get_or_insert(news);
        }
    }

    /// Closes the windows that have passed.
    pub(crate) fn tick(&mut self, now: MonoNs) {
        let over = |gate: &mut Gate| now.since(gate.since) >= EVENT_WINDOW_NS;
        let closed: Vec<Gate> = self.gates.extract_if(.., over).collect();
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
        if self.pending.len() < EVENTS_PENDING_MAX {
            self.pending.push_back((now, news, count));
        } else {
            self.dropped += count.unwrap_or(1);
        }
    }

    /// The events that have a number now.
    pub(crate) fn flush(&mut self, now: MonoNs, port: &SourceId) -> Vec<Batch> {
        let mut batches = Vec::new();
        while !self.is_empty() {
            let Some(seq) = self.lease.take() else {
                break;
            };
            let next = self.pending.pop_front().unwrap_or_else(|| {
                let lost = core::mem::take(&mut self.dropped);
                (now, News::new(EventCode::QueueOverflow), Some(lost))
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
        self.pending.is_empty() && self.dropped == 0
    }

    /// When the next window with something to report closes.
    pub(crate) fn next_close(&self) -> Option<MonoNs> {
        self.gates
            .iter()
            .filter(|gate| gate.held > 0)
            .map(|gate| gate.since.plus_ns(EVENT_WINDOW_NS))
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
        assert!(log.is_empty());
    }
}
