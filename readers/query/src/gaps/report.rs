//! The report: due slots against sessions, and the class of each difference.

use super::ledger::{Account, Due, Numbering, Session};
use evidence::reasons::GapClass;
use evidence::{CommitId, EntryId, MeterId, PointId, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// A due reading that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The meter.
    pub meter_id: MeterId,
    /// The point.
    pub point_id: PointId,
    /// The due slot.
    pub slot: Slot,
    /// Number of the session that should have read it, where there was one.
    pub seq: Option<u64>,
    /// Where it was lost.
    pub class: GapClass,
    /// The cause in one word: an attempt's cause, a downtime's cause, or the class's name.
    pub cause: &'static str,
    /// The entry that explains it.
    pub entry: Option<EntryId>,
}

/// A stretch of session numbers that no entry explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeqFinding {
    /// The meter.
    pub meter_id: MeterId,
    /// First unexplained number.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// `COMMIT_GAP` where lost entries lie between its neighbours, else `UNEXPLAINED`.
    pub class: GapClass,
}

/// The account of a log.
#[derive(Clone, Debug, Default)]
pub struct GapReport {
    /// Due slots, counted per meter.
    pub due: u64,
    /// Read sessions in which a request left the node.
    pub attempted: u64,
    /// Readings.
    pub captured: u64,
    /// Readings that share (meter, seq, point) with another.
    pub duplicates: u64,
    /// Due points without a reading.
    pub missing: Vec<Missing>,
    /// Session numbers that nothing explains.
    pub seq_findings: Vec<SeqFinding>,
    /// The first entry of the account; older ones were retired, or there are none.
    pub begins: Option<EntryId>,
}

impl GapReport {
    /// How many of the missing have an entry that explains them.
    #[must_use]
    pub fn missing_explained(&self) -> usize {
        self.missing
            .iter()
            .filter(|missing| missing.class != GapClass::Unexplained)
            .count()
    }
}

type Losses<'a> = &'a [(CommitId, u64, EntryId)];

/// Sessions of one meter by the slot that they serve.
type BySlot<'a> = BTreeMap<Slot, (u64, &'a Session)>;

pub(super) fn draw(account: &Account, losses: Losses<'_>) -> GapReport {
    let mut report = GapReport {
        captured: account.captured,
        ..GapReport::default()
    };
    for sessions in account.sessions.values() {
        report.attempted += count(sessions.values().filter(|session| session.on_the_wire));
        report.duplicates += sessions
            .values()
            .flat_map(|session| session.readings.values())
            .map(|times| times.saturating_sub(1))
            .sum::<u64>();
    }
    report.attempted += account
        .gaps
        .values()
        .flatten()
        .map(|gap| gap.count)
        .sum::<u64>();
    for (numbering, due) in &account.due {
        draw_numbering(account, losses, numbering, due, &mut report);
    }
    for meter in account.sessions.keys() {
        draw_seqs(account, losses, meter, &mut report.seq_findings);
    }
    report
}

fn draw_numbering(
    account: &Account,
    losses: Losses<'_>,
    numbering: &Numbering,
    due: &Due,
    report: &mut GapReport,
) {
    let Some(last) = due.last else { return };
    for (place, run) in due.runs.iter().enumerate() {
        let end = due.runs.get(place + 1).map_or(last + 1, |next| next.first);
        for expected in &run.expected {
            let by_slot = sessions_by_slot(account, &expected.meter);
            for number in run.first..end {
                let slot = Slot {
                    version: numbering.2,
                    number,
                };
                report.due += 1;
                let case = Case {
                    account,
                    losses,
                    due,
                    meter: &expected.meter,
                    slot,
                };
                case.missing_points(&expected.points, &by_slot, &mut report.missing);
            }
        }
    }
}

/// One due slot of one meter.
struct Case<'a> {
    account: &'a Account,
    losses: Losses<'a>,
    due: &'a Due,
    meter: &'a MeterId,
    slot: Slot,
}

impl Case<'_> {
    fn missing_points(&self, points: &[PointId], by_slot: &BySlot<'_>, out: &mut Vec<Missing>) {
        let session = by_slot.get(&self.slot);
        for point in points {
            if session.is_some_and(|(_, session)| session.readings.contains_key(point)) {
                continue;
            }
            let (class, cause, entry) = self.explain(point, session, by_slot);
            out.push(Missing {
                meter_id: self.meter.clone(),
                point_id: point.clone(),
                slot: self.slot,
                seq: session.map(|(seq, _)| *seq),
                class,
                cause,
                entry,
            });
        }
    }

    fn explain(
        &self,
        point: &PointId,
        session: Option<&(u64, &Session)>,
        by_slot: &BySlot<'_>,
    ) -> (GapClass, &'static str, Option<EntryId>) {
        if let Some((_, session)) = session
            && let Some((entry, cause, points)) = &session.failed
            && points.contains(point)
        {
            return (GapClass::IfErr, cause.name(), Some(*entry));
        }
        let gaps = self.account.gaps.get(self.meter).into_iter().flatten();
        if let Some(gap) = gaps.into_iter().find(|gap| gap.slot == Some(self.slot)) {
            return (GapClass::SeqGap, GapClass::SeqGap.name(), Some(gap.entry));
        }
        let number = self.slot.number;
        let down = self
            .due
            .downtimes
            .iter()
            .find(|(from, to, ..)| (*from..*to).contains(&number));
        if let Some((_, _, cause, entry)) = down {
            return (GapClass::Downtime, cause.name(), Some(*entry));
        }
        let before = by_slot
            .range(..self.slot)
            .next_back()
            .and_then(|(_, (_, s))| s.first);
        let after = by_slot
            .range(self.slot..)
            .next()
            .and_then(|(_, (_, s))| s.first);
        if let Some(entry) = loss_between(self.losses, before, after) {
            return (GapClass::CommitGap, GapClass::CommitGap.name(), Some(entry));
        }
        if after.is_none() && !self.due.stopped {
            return (GapClass::Open, GapClass::Open.name(), None);
        }
        (GapClass::Unexplained, GapClass::Unexplained.name(), None)
    }
}

fn sessions_by_slot<'a>(account: &'a Account, meter: &MeterId) -> BySlot<'a> {
    let sessions = account.sessions.get(meter).into_iter().flatten();
    sessions
        .filter_map(|(seq, session)| Some((session.slot?, (*seq, session))))
        .collect()
}

/// The LOSS entry that names commit ids between two entries, if one does.
fn loss_between(
    losses: Losses<'_>,
    before: Option<EntryId>,
    after: Option<EntryId>,
) -> Option<EntryId> {
    let from = before.map_or(0, |id| id.commit_id.0);
    let to = after.map_or(u64::MAX, |id| id.commit_id.0);
    losses
        .iter()
        .find(|(first, count, _)| first.0 < to && first.0.saturating_add(*count) > from)
        .map(|(_, _, entry)| *entry)
}

fn draw_seqs(account: &Account, losses: Losses<'_>, meter: &MeterId, out: &mut Vec<SeqFinding>) {
    let explained: BTreeSet<(u64, u64)> = account.explained_seqs(meter);
    let Some(mut next) = explained.first().map(|(first, _)| *first) else {
        return;
    };
    for (first, end) in explained {
        if first > next {
            let sessions = account.sessions.get(meter);
            let entry_of = |session: Option<(&u64, &Session)>| session.and_then(|(_, s)| s.first);
            let before = entry_of(sessions.and_then(|all| all.range(..next).next_back()));
            let after = entry_of(sessions.and_then(|all| all.range(first..).next()));
            let lost = loss_between(losses, before, after).is_some();
            out.push(SeqFinding {
                meter_id: meter.clone(),
                first: next,
                count: first - next,
                class: if lost {
                    GapClass::CommitGap
                } else {
                    GapClass::Unexplained
                },
            });
        }
        next = next.max(end);
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
