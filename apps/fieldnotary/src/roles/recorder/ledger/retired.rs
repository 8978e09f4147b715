//! Streams that begin and end: what is still open of one is closed by name, and its numbers never come again.
//!
//! A stream that the contract has no more leaves the lease table and the frozen state, so both stay as small as the
//! contract. What is kept of all such streams together is one number, the floor: none of them used it, or any above. Whatever has no row
//! begins there, a meter that returns as well, and an entry says so.

use super::{Attempted, Ledger};
use contract::Contract;
use evidence::kinds::{Marker, SeqSkip};
use evidence::reasons::{MarkerKind, SkipCause};
use evidence::{MeterId, MonoNs, Payload, Seq, SourceId, Stream};
use std::collections::BTreeSet;

impl Ledger {
    /// The same where the lease table says that no stream without a row has used a number from here on.
    pub(crate) fn above(mut self, floor: u64) -> Self {
        self.floor = self.floor.max(floor);
        self
    }

    /// Where a stream begins that nothing is known of.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// Closes the streams that the contract in force has no more. `was_on` tells the port of a meter that is gone. The
    /// lease table follows with the next lease: until then its rows say no less than the log.
    pub(crate) fn retire(
        &mut self,
        was_on: &dyn Fn(&MeterId) -> SourceId,
        attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
        now: MonoNs,
    ) -> Vec<Payload> {
        let Some(contract) = self.contract.clone() else {
            return Vec::new();
        };
        let known: BTreeSet<Stream> = self
            .windows
            .keys()
            .chain(self.leases.keys())
            .cloned()
            .collect();
        let (stay, gone): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|stream| has_stream(&contract, stream));
        if gone.is_empty() {
            return Vec::new();
        }
        let mut entries = Vec::new();
        // With the floor above them, nothing but an entry can tell where these began.
        let unheard = stay
            .iter()
            .filter(|stream| !self.windows.contains_key(*stream));
        let unheard: Vec<_> = unheard
            .map(|stream| (stream, SkipCause::LeaseAbandoned))
            .collect();
        let gone: Vec<_> = gone
            .iter()
            .map(|stream| (stream, SkipCause::Removed))
            .collect();
        for (stream, cause) in unheard.into_iter().chain(gone) {
            let (source, tried) = match stream {
                Stream::Meter(meter) => (was_on(meter), attempted(meter)),
                Stream::Port(port) => (port.clone(), None),
            };
            let open = self.pending(stream);
            let (closing, end) = self.close(stream, &source, tried, cause, now);
            for entry in &closing {
                self.observe(entry);
            }
            entries.extend(closing);
            if cause == SkipCause::Removed {
                self.forget(stream, end);
                self.closed.insert(stream.clone(), open);
            }
        }
        entries
    }

    /// Closes what is open of a stream: what was attempted is a gap, the rest is skipped. Gives the number behind it; of a
    /// meter that is removed one number more is given up, so that its end is always an entry.
    pub(super) fn close(
        &self,
        stream: &Stream,
        source: &SourceId,
        attempted: Option<Attempted>,
        cause: SkipCause,
        now: MonoNs,
    ) -> (Vec<Payload>, u64) {
        let pending = self.pending(stream);
        let (committed, leased) = (pending.start, pending.end);
        let Stream::Meter(meter) = stream else {
            return (Vec::new(), leased);
        };
        let mut entries = Vec::new();
        let mut next = committed;
        if let Some(attempt) = attempted.filter(|a| (committed..leased).contains(&a.seq)) {
            let gap = Marker {
                at: now,
                marker: MarkerKind::SeqGap,
                source: source.clone(),
                schedule: None,
                slot: attempt.slot,
                meter_id: Some(meter.clone()),
                seq: Some(Seq(committed)),
                count: Some(attempt.seq + 1 - committed),
                last_attempt: Some(attempt.at),
                last_reply: attempt.reply_at,
            };
            entries.push(gap.into());
            next = attempt.seq + 1;
        }
        let end = match cause {
            SkipCause::Removed => leased.max(next.saturating_add(1)),
            SkipCause::LeaseAbandoned | SkipCause::Adoption | SkipCause::Begun => leased,
        };
        if next < end {
            entries.push(skip(now, meter, next, end - next, cause));
        }
        (entries, end)
    }

    /// The beginning of a stream that nothing is known of; above 0 an entry says where, as the meter may have been here before.
    pub(super) fn begin(&self, stream: &Stream, now: MonoNs) -> (Vec<Payload>, u64) {
        match stream {
            Stream::Meter(meter) if self.floor > 0 => {
                let begun = skip(now, meter, self.floor, 1, SkipCause::Begun);
                (vec![begun], self.floor.saturating_add(1))
            }
            Stream::Meter(_) | Stream::Port(_) => (Vec::new(), self.floor),
        }
    }

    pub(super) fn is_known(&self, stream: &Stream) -> bool {
        self.windows.contains_key(stream) || self.leases.contains_key(stream)
    }

    /// Takes in a committed skip.
    pub(super) fn skipped(&mut self, skip: &SeqSkip) {
        let stream = Stream::Meter(skip.meter_id.clone());
        let end = skip.first.0.saturating_add(skip.count);
        self.committed(stream.clone(), end.saturating_sub(1));
        if skip.cause == SkipCause::Removed {
            self.forget(&stream, end);
        }
    }

    /// A stream that has ended at this number. A row above it is that of the same meter, back again since.
    fn forget(&mut self, stream: &Stream, end: u64) {
        self.windows.remove(stream);
        if self.leases.get(stream).is_some_and(|leased| *leased <= end) {
            self.leases.remove(stream);
        }
        self.floor = self.floor.max(end);
    }
}

/// Whether the contract has a meter, port or card of this name.
pub(crate) fn has_stream(contract: &Contract, stream: &Stream) -> bool {
    let cards = &contract.points.cards;
    match stream {
        Stream::Meter(meter) => {
            let mut looks = cards.keys().map(MeterId::from);
            contract.meters.contains_key(meter) || looks.any(|looks| looks == *meter)
        }
        Stream::Port(port) => contract.ports.contains_key(port) || cards.contains_key(port),
    }
}

fn skip(at: MonoNs, meter: &MeterId, first: u64, count: u64, cause: SkipCause) -> Payload {
    SeqSkip {
        at,
        meter_id: meter.clone(),
        first: Seq(first),
        count,
        cause,
    }
    .into()
}

#[cfg(test)]
mod tests;
