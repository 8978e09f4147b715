//! Meters' own memories on a Modbus port: asked for what was missed, where nobody else could use the line (U3).

use super::{Aim, Flight, ModbusBus, unit_of};
use crate::action::{Action, Batch};
use crate::books::{Books, Phase};
use crate::input::Stream;
use crate::limits::{MEMORY_ASK_NS, MEMORY_PAUSE_NS, MEMORY_REST_NS};
use crate::recall::{MissedSlot, Recall, Recalled};
use crate::session::MeterState;
use alloc::vec::Vec;
use contract::Meter;
use evidence::kinds::{Backfill, Payload};
use evidence::reasons::BackfillOutcome;
use evidence::{Captured, CommitId, MeterId, MonoNs, SourceId};
use modbus::pdu::Response;

/// The memory of one meter, and where the talk about it stands.
#[derive(Debug)]
pub(super) struct Remembering {
    recall: Recall,
    /// Something may be missing of which the recorder was not asked.
    open: bool,
    /// The recorder was asked and has not answered.
    asked: bool,
    /// It is not asked before.
    ask_at: MonoNs,
    /// The meter's memory is not read before.
    rest_until: MonoNs,
    /// Sessions without all their readings, when the recorder was asked last.
    lacking: u64,
}

impl Remembering {
    /// Of a meter that has a memory. What was missed before the engine began is open.
    pub(super) fn new(meter: &Meter) -> Option<Self> {
        Some(Self {
            recall: Recall::new(meter)?,
            open: true,
            asked: false,
            ask_at: MonoNs(0),
            rest_until: MonoNs(0),
            lacking: 0,
        })
    }

    /// From when on its records are read, or the recorder is asked.
    fn wants_at(&self) -> Option<MonoNs> {
        let rests = self.recall.wants().then_some(self.rest_until);
        let asks = (self.open && !self.asked).then_some(self.ask_at);
        rests.or(asks)
    }
}

impl ModbusBus {
    /// The recorder said which slots of a meter are missing, and whether there are others.
    pub(in crate::bus) fn missed(
        &mut self,
        books: &Books,
        now: MonoNs,
        meter: &MeterId,
        slots: Vec<MissedSlot>,
        others: bool,
    ) {
        let at = books.meters.iter().position(|one| one.meter.id == *meter);
        let memory = at.and_then(|at| self.memories.get_mut(at)?.as_mut());
        if let Some(memory) = memory {
            memory.asked = false;
            memory.open = others || !slots.is_empty();
            memory.ask_at = now.plus_ns(MEMORY_ASK_NS);
            memory.recall.want(slots);
        }
    }

    /// Asks for what was missed, and reads the next record, where nobody waits for the line and nobody will before
    /// that is over.
    pub(super) fn remember(&mut self, books: &mut Books, now: MonoNs) {
        if books.phase != Phase::Running || books.queue_full {
            return;
        }
        for (meter, memory) in books.meters.iter().zip(&mut self.memories) {
            let Some(memory) = memory else { continue };
            memory.open |= meter.lacking != memory.lacking;
            let reads = meter.bucket.frames_ok > 0 && !meter.is_quarantined();
            let idle = !memory.asked && !memory.recall.wants() && memory.ask_at <= now;
            if memory.open && reads && idle {
                (memory.asked, memory.lacking) = (true, meter.lacking);
                let meter = meter.meter.id.clone();
                books.out.push(Action::NeedMissed { meter });
            }
        }
        let due = books
            .schedules
            .iter()
            .filter_map(|one| one.next_due())
            .min();
        let next = (0..books.meters.len()).find_map(|at| {
            let (meter, memory) = (books.meters.get(at)?, self.memories.get(at)?.as_ref()?);
            let request = memory.recall.request()?;
            let until = now.plus_ns(self.longest_ns(meter));
            let fits = due.is_none_or(|due| until <= due) && memory.rest_until <= now;
            let held = self.book.held_until(unit_of(meter), &request, None, now);
            (fits && !meter.is_quarantined() && held.is_none()).then_some((at, request))
        });
        if let Some((at, request)) = next {
            self.send(books, now, at, request, Aim::Aside);
        }
    }

    /// From a request to the end of everything that may come of it.
    fn longest_ns(&self, meter: &MeterState) -> u64 {
        let late_ns = match self.wire.is_serial() {
            true => self.late_reply_ns,
            false => 0,
        };
        self.wire
            .silent_ns(meter.timeout_ns)
            .saturating_add(late_ns)
    }

    /// When the memories want something by themselves: what they want already waits for the line to be free.
    pub(super) fn remember_at(&self, last: MonoNs) -> impl Iterator<Item = MonoNs> {
        let memories = self.memories.iter().flatten();
        memories
            .filter_map(Remembering::wants_at)
            .filter(move |at| *at > last)
    }

    /// Whether a memory wants something at this time.
    pub(super) fn would_remember(&self, now: MonoNs) -> bool {
        let mut memories = self.memories.iter().flatten();
        memories.any(|memory| memory.wants_at().is_some_and(|at| at <= now))
    }

    /// A request to a memory has its answer.
    pub(super) fn remembered(
        &mut self,
        books: &mut Books,
        now: MonoNs,
        flight: &Flight,
        response: &Response,
    ) {
        let memory = self.memories.get_mut(flight.meter).and_then(Option::as_mut);
        let (Some(memory), Some(meter)) = (memory, books.meters.get_mut(flight.meter)) else {
            return;
        };
        memory.rest_until = now.plus_ns(MEMORY_REST_NS);
        meter.bucket.frames_ok += 1;
        let found = memory.recall.answered(&meter.meter, response);
        let entries: Vec<Payload> = found
            .iter()
            .flat_map(|one| {
                entries(
                    &meter.meter,
                    &books.origin.port,
                    books.origin.contract,
                    now,
                    one,
                )
            })
            .collect();
        for one in &found {
            match one.record {
                Some(_) => meter.bucket.recalled += 1,
                None => meter.bucket.not_recalled += 1,
            }
        }
        if !entries.is_empty() {
            let stream = Stream::Meter(meter.meter.id.clone());
            books.emit(Batch {
                stream,
                seq: None,
                records: entries.iter().map(Captured::new).collect(),
            });
        }
    }

    /// A request to a memory gave nothing: it is left alone for a while.
    pub(super) fn not_remembered(&mut self, books: &mut Books, now: MonoNs, flight: &Flight) {
        if let Some(memory) = self.memories.get_mut(flight.meter).and_then(Option::as_mut) {
            memory.rest_until = now.plus_ns(MEMORY_PAUSE_NS);
        }
        if let Some(meter) = books.meters.get_mut(flight.meter) {
            meter.bucket.recalls_failed += 1;
        }
    }
}

/// What the log has of a slot that was looked for in a meter's memory.
fn entries(
    meter: &Meter,
    port: &SourceId,
    contract: CommitId,
    now: MonoNs,
    one: &Recalled,
) -> Vec<Payload> {
    let whole = Backfill::absent(
        now,
        meter.id.clone(),
        port.clone(),
        meter.schedule.clone(),
        one.slot,
        contract,
    );
    let Some(record) = &one.record else {
        return Vec::from([whole.into()]);
    };
    let each = record.points.iter().filter_map(|(place, decoded)| {
        let point = meter.points.get(*place)?;
        Some(
            Backfill {
                outcome: BackfillOutcome::Found,
                point_id: Some(point.id.clone()),
                meter_time_s: Some(record.time_s),
                record: Some(u64::from(record.place)),
                raw: Some(decoded.raw.clone()),
                value: decoded.value,
                quality: decoded.quality,
                ..whole.clone()
            }
            .into(),
        )
    });
    each.collect()
}
