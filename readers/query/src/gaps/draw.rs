//! Draws up the report: due slots against sessions, and the class of each difference. Works on
//! stretches, so that time and memory follow from the number of entries and never from numbers in them.

use super::absent::{Gone, Loss};
use super::cover::Cover;
use super::filter::GapFilter;
use super::ledger::{Account, Due, Expected, Run, Session};
use super::report::{GapReport, Missing, SeqFinding, count};
use evidence::reasons::{DowntimeCause, GapClass};
use evidence::{CommitId, EntryId, MeterId, PointId, Slot};
use std::collections::BTreeMap;

/// Sessions of one meter by numbering and slot, with their own numbers.
type BySlot<'a> = BTreeMap<(usize, u64), (u64, &'a Session)>;

pub(super) fn draw(account: &Account, gone: &Gone, filter: &GapFilter) -> GapReport {
    let mut report = GapReport::default();
    let wanted = |meter: &MeterId| filter.meter.as_ref().is_none_or(|only| only == meter);
    let mut sessions: BTreeMap<&MeterId, BySlot<'_>> = BTreeMap::new();
    for (meter, all) in account.sessions.iter().filter(|(meter, _)| wanted(meter)) {
        count_sessions(account, filter, all.values(), &mut report);
        let by_slot = all
            .iter()
            .filter_map(|(seq, session)| Some((session.slot?, (*seq, session))));
        sessions.insert(meter, by_slot.collect());
        draw_seqs(
            account,
            &gone.ranges,
            filter,
            meter,
            &mut report.seq_findings,
        );
    }
    for (meter, gaps) in account.gaps.iter().filter(|(meter, _)| wanted(meter)) {
        let within = gaps
            .iter()
            .filter(|gap| filter.takes(account.gap_utc(meter, gap)));
        let attempted = within.map(|gap| gap.count);
        report.attempted = attempted.fold(report.attempted, u64::saturating_add);
    }
    for (place, due) in account.due.iter().enumerate() {
        let none = BySlot::new();
        let numbering = NumberingView {
            account,
            gone,
            filter,
            place,
            due,
        };
        let mut covers = BTreeMap::new();
        for (run, next) in numbering.runs() {
            for expected in run
                .expected
                .iter()
                .filter(|expected| wanted(&expected.meter))
            {
                let cover = covers
                    .entry(&expected.meter)
                    .or_insert_with(|| numbering.covers(&expected.meter));
                Stretch {
                    numbering: &numbering,
                    run,
                    next,
                    expected,
                    by_slot: sessions.get(&expected.meter).unwrap_or(&none),
                    covers: cover,
                    report: &mut report,
                }
                .draw();
            }
        }
    }
    let order = |missing: &Missing| {
        let at = missing.first_utc;
        (missing.meter_id.clone(), at.is_none(), at, missing.slot)
    };
    report.missing.sort_by_cached_key(order);
    report
}

fn count_sessions<'a>(
    account: &Account,
    filter: &GapFilter,
    sessions: impl Iterator<Item = &'a Session>,
    report: &mut GapReport,
) {
    let within = |session: &&Session| filter.takes(session.slot.and_then(|slot| account.utc(slot)));
    for session in sessions.filter(within) {
        report.attempted = report
            .attempted
            .saturating_add(u64::from(session.on_the_wire));
        for times in session.readings.values() {
            report.captured += times;
            report.duplicates += times.saturating_sub(1);
        }
    }
}

/// What explains slots of a meter that have no session.
struct Covers {
    gaps: Cover<EntryId>,
    downtimes: Cover<(DowntimeCause, EntryId)>,
    /// Accounted for by a log that is not held here.
    handed: Cover<Option<EntryId>>,
}

/// One numbering, seen by the filter.
struct NumberingView<'a> {
    account: &'a Account,
    gone: &'a Gone,
    filter: &'a GapFilter,
    place: usize,
    due: &'a Due,
}

impl<'a> NumberingView<'a> {
    fn runs(&self) -> impl Iterator<Item = (&'a Run, Option<&'a Run>)> + use<'a> {
        let next = self.due.runs.iter().skip(1).map(Some);
        self.due.runs.iter().zip(next.chain([None]))
    }

    fn covers(&self, meter: &MeterId) -> Covers {
        let gaps = self.account.gaps.get(meter).into_iter().flatten();
        let known = gaps.filter(|gap| self.due.is_known_to(gap.entry.generation));
        let gaps = known.filter_map(|gap| {
            let slot = gap
                .slot
                .filter(|slot| slot.version == self.due.numbering.2)?;
            let end = slot.number.saturating_add(1);
            Some((end.saturating_sub(gap.count), end, gap.entry))
        });
        let downtimes = self.due.downtimes.iter();
        let mine = downtimes.filter(|down| down.meter.as_ref().is_none_or(|only| only == meter));
        let handed = self
            .account
            .handed_slots(self.place, &self.due.numbering, meter);
        Covers {
            handed: Cover::of(handed.into_iter()),
            gaps: Cover::of(gaps),
            downtimes: Cover::of(mine.map(|down| {
                let first = self.account.silent_from(self.place, meter, down);
                (first, down.end, (down.cause, down.entry))
            })),
        }
    }

    /// The slots of a run that are due and within the filter's times.
    fn window(
        &self,
        run: &Run,
        next: Option<&Run>,
        meter: &MeterId,
        by_slot: &BySlot<'_>,
    ) -> (u64, u64) {
        let last = self.due.last.map_or(0, |last| last.saturating_add(1));
        let mut floor = run.floors.get(meter).copied().unwrap_or(0);
        if let Some(base) = run.base {
            // What the log shows from before the frozen state counts; and where all entries before it
            // are named as lost, the slots that they told of are due as well.
            let mut shown = by_slot.range((self.place, 0)..(self.place, floor));
            floor = shown.next().map_or(floor, |((_, number), _)| *number);
            if self.gone.right_before(run.entry) {
                floor = floor.min(base);
            }
        }
        let mut first = run.first.max(floor);
        let mut end = next.map_or(last, |next| next.first);
        if let Some(replaced) = run.end {
            // What a branch that is not held accounts for was due all the same.
            let handed = self
                .account
                .handed_slots(self.place, &self.due.numbering, meter);
            let handed = handed.iter().map(|(_, end, _)| *end).max();
            end = end.min(replaced.max(handed.unwrap_or(0)));
        }
        if let Some(pace) = self.due.pace {
            let number = |at: evidence::UtcNs| pace.first_from(at);
            first = self
                .filter
                .from
                .map_or(first, |from| first.max(number(from)));
            end = self.filter.to.map_or(end, |to| end.min(number(to)));
        }
        (first, end)
    }
}

/// What was found to be lost at some slots.
#[derive(Clone, Copy)]
struct Found {
    class: GapClass,
    cause: &'static str,
    entry: Option<EntryId>,
}

impl Found {
    fn of(class: GapClass, entry: Option<EntryId>) -> Self {
        Self {
            class,
            cause: class.name(),
            entry,
        }
    }
}

/// The due slots of one meter in one run.
struct Stretch<'a> {
    numbering: &'a NumberingView<'a>,
    run: &'a Run,
    next: Option<&'a Run>,
    expected: &'a Expected,
    by_slot: &'a BySlot<'a>,
    covers: &'a Covers,
    report: &'a mut GapReport,
}

impl Stretch<'_> {
    fn draw(&mut self) {
        let meter = &self.expected.meter;
        let (first, end) = self
            .numbering
            .window(self.run, self.next, meter, self.by_slot);
        let slots = end.saturating_sub(first);
        if slots == 0 {
            return;
        }
        self.report.due = self.report.due.saturating_add(slots);
        let summary = self.report.meters.entry(meter.clone()).or_default();
        let readings = slots.saturating_mul(count(&self.expected.points));
        summary.due = summary.due.saturating_add(readings);
        let place = self.numbering.place;
        let (by_slot, mut next) = (self.by_slot, first);
        for ((_, number), (seq, session)) in by_slot.range((place, first)..(place, end)) {
            self.without_session(next, *number);
            self.with_session(*number, *seq, session);
            next = number.saturating_add(1);
        }
        self.without_session(next, end);
    }

    fn without_session(&mut self, first: u64, end: u64) {
        let points = &self.expected.points;
        // Below its floor a run taken up from frozen state speaks of what came before that state.
        let floor = self.run.floors.get(&self.expected.meter).copied();
        let floor = floor.unwrap_or(first).clamp(first, end.max(first));
        let mut left = end.saturating_sub(first);
        for (first, end) in [(first, floor), (floor, end)] {
            for (first, end, found) in self.explain(first, end, end) {
                left = left.saturating_sub(end - first);
                self.missing(points.clone(), (first, end), None, found);
            }
        }
        // What is accounted for by entries that have left the ring is no part of the account.
        self.report.due = self.report.due.saturating_sub(left);
        let meter = self.expected.meter.clone();
        let summary = self.report.meters.entry(meter).or_default();
        let readings = left.saturating_mul(count(points));
        summary.due = summary.due.saturating_sub(readings);
    }

    fn with_session(&mut self, number: u64, seq: u64, session: &Session) {
        let end = number.saturating_add(1);
        let absent = |point: &&PointId| !session.readings.contains_key(*point);
        let absent: Vec<PointId> = self
            .expected
            .points
            .iter()
            .filter(absent)
            .cloned()
            .collect();
        let mut silent = absent;
        for (entry, cause, points) in &session.failed {
            let told = |point: &PointId| points.contains(point);
            let (failed, rest): (Vec<_>, Vec<_>) = silent.into_iter().partition(told);
            silent = rest;
            if !failed.is_empty() {
                let found = Found {
                    class: GapClass::IfErr,
                    cause,
                    entry: Some(*entry),
                };
                self.missing(failed, (number, end), Some(seq), found);
            }
        }
        if !silent.is_empty() {
            for (first, end, found) in self.explain(number, end, number) {
                self.missing(silent.clone(), (first, end), Some(seq), found);
            }
        }
    }

    /// Slots without a reading, cut by what explains them; `later` is where to look for what came after.
    fn explain(&self, first: u64, end: u64, later: u64) -> Vec<(u64, u64, Found)> {
        let mut found = Vec::new();
        for (first, end, gap) in self.covers.gaps.cut(first, end) {
            if let Some(entry) = gap {
                found.push((first, end, Found::of(GapClass::SeqGap, Some(entry))));
                continue;
            }
            for (first, end, down) in self.covers.downtimes.cut(first, end) {
                if let Some((cause, entry)) = down {
                    let what = Found {
                        class: GapClass::Downtime,
                        cause: cause.name(),
                        entry: Some(entry),
                    };
                    found.push((first, end, what));
                    continue;
                }
                for (first, end, handed) in self.covers.handed.cut(first, end) {
                    let what = match handed {
                        Some(Some(entry)) => Found::of(GapClass::CommitGap, Some(entry)),
                        // Accounted for by entries that have left the ring.
                        Some(None) => continue,
                        None => self.unexplained(first, later),
                    };
                    found.push((first, end, what));
                }
            }
        }
        found
    }

    /// No entry names the slots themselves: do lost entries lie between their neighbours?
    fn unexplained(&self, first: u64, later: u64) -> Found {
        let place = self.numbering.place;
        let mut before = self.by_slot.range((place, 0)..(place, first));
        let before = before.next_back().and_then(|(_, (_, s))| s.first);
        let mut after = self.by_slot.range((place, later)..=(place, u64::MAX));
        let after = after.next().and_then(|(_, (_, s))| s.first);
        let until = after.or(self.next.map(|next| next.entry));
        let floor = self.run.floors.get(&self.expected.meter);
        let earlier = floor.is_some_and(|floor| first < *floor);
        let since = if earlier {
            before
        } else {
            before.max(Some(self.run.entry))
        };
        if let Some(entry) = loss_between(&self.numbering.gone.ranges, since, until) {
            return Found::of(GapClass::CommitGap, Some(entry));
        }
        let due = self.numbering.due;
        let over = due.stopped
            || due.until.is_some()
            || self.run.end.is_some()
            || self.numbering.account.has_ended(&due.numbering);
        if until.is_none() && !over {
            return Found::of(GapClass::Open, None);
        }
        Found::of(GapClass::Unexplained, None)
    }

    /// Points that are missing in slots, cut by what the meter's own memory has.
    fn missing(
        &mut self,
        points: Vec<PointId>,
        (first, end): (u64, u64),
        seq: Option<u64>,
        found: Found,
    ) {
        let (account, place) = (self.numbering.account, self.numbering.place);
        let filled = account.filled.of(&self.expected.meter, place, (first, end));
        let mut next = first;
        for (number, fills) in filled {
            let entries: Vec<EntryId> = points
                .iter()
                .filter_map(|point| fills.get(point).copied())
                .collect();
            let ends = entries
                .iter()
                .min()
                .copied()
                .zip(entries.iter().max().copied());
            let Some(ends) = ends else { continue };
            let (there, left): (Vec<_>, Vec<_>) = points
                .iter()
                .cloned()
                .partition(|point| fills.contains_key(point));
            self.lost(points.clone(), (next, number), seq, found, None);
            next = number.saturating_add(1);
            self.lost(there, (number, next), seq, found, Some(ends));
            self.lost(left, (number, next), seq, found, None);
        }
        self.lost(points, (next, end), seq, found, None);
    }

    fn lost(
        &mut self,
        points: Vec<PointId>,
        (first, end): (u64, u64),
        seq: Option<u64>,
        found: Found,
        filled: Option<(EntryId, EntryId)>,
    ) {
        if points.is_empty() || first >= end {
            return;
        }
        let due = self.numbering.due;
        let utc = |number| due.pace.and_then(|pace| pace.utc(number));
        let missing = Missing {
            meter_id: self.expected.meter.clone(),
            all_points: points.len() == self.expected.points.len(),
            points,
            source: due.numbering.0.clone(),
            schedule: due.numbering.1.clone(),
            slot: Slot {
                version: due.numbering.2,
                number: first,
            },
            slots: end - first,
            first_utc: utc(first),
            last_utc: utc(end.saturating_sub(1)),
            seq,
            class: found.class,
            cause: found.cause,
            entry: found.entry,
            last_entry: found.entry,
            entries: u64::from(found.entry.is_some()),
            filled,
        };
        let readings = missing.readings();
        let summary = self
            .report
            .meters
            .entry(missing.meter_id.clone())
            .or_default();
        summary.missing = summary.missing.saturating_add(readings);
        let there = if filled.is_some() { readings } else { 0 };
        summary.filled = summary.filled.saturating_add(there);
        let class = summary.by_class.entry(found.class).or_default();
        *class = class.saturating_add(readings);
        // A session may lose its points in two ways: then the one before the last may go on.
        let neighbours = self.report.missing.iter_mut().rev().take(2);
        for before in neighbours {
            if before.takes(&missing) {
                return;
            }
        }
        self.report.missing.push(missing);
    }
}

/// The LOSS entry that names commit ids between two entries, if one does.
fn loss_between(
    losses: &[Loss],
    before: Option<EntryId>,
    after: Option<EntryId>,
) -> Option<EntryId> {
    // A LOSS entry names entries of its own generation.
    let lies_between = |(first, count, named_by): &&(CommitId, u64, EntryId)| {
        let at = |commit_id: u64| EntryId {
            generation: named_by.generation,
            commit_id: CommitId(commit_id),
        };
        let end = at(first.0.saturating_add(*count));
        after.is_none_or(|after| at(first.0) < after) && before.is_none_or(|before| end > before)
    };
    let found = losses.iter().find(lies_between);
    found.map(|(_, _, entry)| *entry)
}

fn draw_seqs(
    account: &Account,
    losses: &[Loss],
    filter: &GapFilter,
    meter: &MeterId,
    out: &mut Vec<SeqFinding>,
) {
    let explained = account.explained_seqs(meter);
    let Some(mut next) = explained.first().map(|(first, _)| *first) else {
        return;
    };
    for (first, end) in explained {
        let from = next;
        if first > next && !account.handed_seqs(meter, next, first) {
            let (before, after) = account.entries_around(meter, next, first);
            let lost = loss_between(losses, before, after).is_some();
            let (before, after) = account.sessions_around(meter, next, first);
            next = next.max(end);
            let due = |session: Option<&Session>| account.utc(session?.slot?);
            if !filter.meets(due(before), due(after)) {
                continue;
            }
            out.push(SeqFinding {
                meter_id: meter.clone(),
                first: from,
                count: first - from,
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
