//! The station's own points in the account: each record has a number of its own, and those of one slot are its
//! session.

use super::ledger::{Account, Session};
use evidence::kinds::{Analog, ModemReport, Output, PulseCount, Soe};
use evidence::reasons::ModemOutcome;
use evidence::{EntryId, MeterId, PointId, Seq, Slot, SourceId};
use std::collections::BTreeSet;

/// Records of a card whose numbers follow each other.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) end: u64,
    first: EntryId,
    last: EntryId,
}

impl Account {
    /// A change of an input: it has a number and serves no slot.
    pub(super) fn soe(&mut self, id: EntryId, soe: &Soe) {
        self.record(id, &soe.source, soe.seq);
    }

    /// What an output did: as a change of an input.
    pub(super) fn output(&mut self, id: EntryId, output: &Output) {
        self.record(id, &output.source, output.seq);
    }

    /// A count.
    pub(super) fn pulse(&mut self, id: EntryId, pulse: &PulseCount) {
        self.record(id, &pulse.source, pulse.seq);
        let point = &pulse.point_id;
        if let Some(session) = self.served(id, &pulse.source, point, pulse.seq, pulse.slot) {
            *session.readings.entry(point.clone()).or_default() += 1;
        }
    }

    /// An analog value, or that there was none and why.
    pub(super) fn analog(&mut self, id: EntryId, analog: &Analog) {
        self.record(id, &analog.source, analog.seq);
        let point = &analog.point_id;
        let Some(session) = self.served(id, &analog.source, point, analog.seq, analog.slot) else {
            return;
        };
        if analog.raw.is_some() {
            *session.readings.entry(point.clone()).or_default() += 1;
        } else {
            let cause = analog.quality.reason.name();
            session.failed.push((id, cause, vec![point.clone()]));
        }
    }

    /// A poll of a modem; one without an answer has its cause.
    pub(super) fn modem(&mut self, id: EntryId, report: &ModemReport) {
        self.record(id, &report.source, report.seq);
        let point = &report.point_id;
        let served = self.served(id, &report.source, point, report.seq, report.slot);
        let Some(session) = served else { return };
        if report.outcome == ModemOutcome::Answered {
            *session.readings.entry(point.clone()).or_default() += 1;
        } else {
            let cause = report.outcome.name();
            session.failed.push((id, cause, vec![point.clone()]));
        }
    }

    /// A record of a card has a number, whatever it says.
    pub(super) fn record(&mut self, id: EntryId, card: &SourceId, seq: Seq) {
        let group = MeterId::from(card);
        // Also a card without schedules has numbers to be looked at.
        self.sessions.entry(group.clone()).or_default();
        let records = self.records.entry(group).or_default();
        let end = seq.0.saturating_add(1);
        if let Some(mut newest) = records.last_entry()
            && newest.get().end == seq.0
        {
            let newest = newest.get_mut();
            (newest.end, newest.last) = (end, id);
            return;
        }
        let one = Records {
            end,
            first: id,
            last: id,
        };
        records.insert(seq.0, one);
    }

    /// The cards that have a record, and those of the contract in force.
    pub(super) fn cards(&self) -> BTreeSet<MeterId> {
        let contract = self.contract();
        let named = contract.map(|contract| contract.points.cards.keys().map(MeterId::from));
        let named = named.into_iter().flatten();
        named.chain(self.records.keys().cloned()).collect()
    }

    /// The session of a slot that a record of the card serves.
    fn served(
        &mut self,
        id: EntryId,
        card: &SourceId,
        point: &PointId,
        seq: Seq,
        slot: Option<Slot>,
    ) -> Option<&mut Session> {
        let schedule = self.contract()?.points.schedule_of(point)?.clone();
        let (place, number) = self.slot_of(card, schedule, slot?)?;
        let group = MeterId::from(card);
        let known = self.card_slots.entry((card.clone(), place, number));
        let at = *known.or_insert(seq.0);
        let session = self.sessions.entry(group).or_default().entry(at);
        let session = session.or_default();
        session.slot = Some((place, number));
        session.first.get_or_insert(id);
        session.on_the_wire = true;
        Some(session)
    }

    /// The entries on both sides of numbers that nothing explains.
    pub(super) fn entries_around(
        &self,
        meter: &MeterId,
        first: u64,
        end: u64,
    ) -> (Option<EntryId>, Option<EntryId>) {
        if let Some(records) = self.records.get(meter) {
            let before = records.range(..first).next_back();
            let after = records.range(end..).next();
            return (
                before.map(|(_, records)| records.last),
                after.map(|(_, records)| records.first),
            );
        }
        let (before, after) = self.sessions_around(meter, first, end);
        let entry = |session: Option<&Session>| session.and_then(|session| session.first);
        (entry(before), entry(after))
    }

    /// The sessions on both sides of them.
    pub(super) fn sessions_around(
        &self,
        meter: &MeterId,
        first: u64,
        end: u64,
    ) -> (Option<&Session>, Option<&Session>) {
        let sessions = self.sessions.get(meter);
        let before = sessions.and_then(|all| Some(all.range(..first).next_back()?.1));
        let after = sessions.and_then(|all| Some(all.range(end..).next()?.1));
        (before, after)
    }
}
