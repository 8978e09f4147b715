//! The account: entries in, in the order of commit; runs, stretches, jumps and events kept.

use super::events::{is_told, moved_ns, plus, reset, seen, seen_between, shifted, told, told_as};
use super::model::{Asked, Cover, Jump, Label, MapEntry, Mark, Point, Run, Stretch, TimeEvent};
use super::node::is_of_node;
use super::points::Points;
use contract::Contract;
use evidence::kinds::{Configuration, Counter, CounterSnapshot, EpochStart, Event};
use evidence::reasons::{EventCode, TimeQuality};
use evidence::{Entry, EntryId, Payload, Stamp, TimeDetail};

/// Counters of the time plane that a snapshot may hold, as the counters' list names them.
const COUNTERS: [&str; 15] = [
    "domain",
    "drift_estimate",
    "gm_id",
    "hw_timestamping",
    "jitter",
    "last_sync_age",
    "offset",
    "osc_quality",
    "out_of_order",
    "path_delay",
    "pkt_loss",
    "port_state",
    "profile",
    "rtc_valid_flag",
    "servo_lock",
];

/// Collects what entries say of time.
#[derive(Clone, Debug, Default)]
pub struct TimeAccount {
    pub(super) runs: Vec<Run>,
    pub(super) stretches: Vec<Stretch>,
    pub(super) jumps: Vec<Jump>,
    pub(super) events: Vec<TimeEvent>,
    /// Ends and restarts of the node's processes.
    pub(super) node: Vec<TimeEvent>,
    pub(super) maps: Vec<MapEntry>,
    pub(super) points: Points,
    /// The newest counters of the time plane, with the entry that holds them.
    pub(super) counters: Vec<(EntryId, Counter)>,
    /// When they were taken, as it was stamped.
    pub(super) counters_utc: Option<evidence::UtcNs>,
    pub(super) newest: Option<(Mark, Stamp)>,
    /// Whether the newest run was told to stop: what is behind its last entry is no silence.
    pub(super) stopped: bool,
    pub(super) asked: Option<Asked>,
    /// The entry that was asked for, with its run.
    pub(super) found: Option<(usize, Mark, Stamp)>,
    parts: Vec<Configuration>,
    pub(super) contract: Option<Contract>,
    /// The latest instant of the run so far, on its clock: entries are not committed in the order of capture.
    cursor: Option<Mark>,
    /// The newest move of the clock that slewing may explain, with its run: an event behind it can tell that it
    /// was a step. And the stretch that would be cut there.
    leap: Option<(usize, Mark, Mark)>,
    edge: Option<Edge>,
}

/// A stretch as it would be if it were cut where the clock moved.
#[derive(Clone, Debug)]
struct Edge {
    old: Stretch,
    new: Stretch,
}

impl TimeAccount {
    /// An empty account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An account that keeps the entry asked for.
    #[must_use]
    pub fn asking(asked: Asked) -> Self {
        Self {
            asked: Some(asked),
            ..Self::default()
        }
    }

    /// The site's limit of the error bound, in nanoseconds, by the newest configuration.
    #[must_use]
    pub fn limit_ns(&self) -> Option<u64> {
        let time = self.contract.as_ref()?.time.as_ref()?;
        Some(time.limit_us.saturating_mul(1_000))
    }

    /// The log's name, by the newest configuration.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        Some(&self.contract.as_ref()?.station.origin)
    }

    /// Takes in one committed entry; damaged records are skipped, verification names them.
    pub fn observe(&mut self, entry: &Entry) {
        let Ok(payload) = entry.payload() else { return };
        let mark = Mark {
            entry: entry.header.id(),
            at: payload.at(),
            utc: entry.stamp.timestamp,
        };
        let before = self.newest.map(|(mark, _)| mark);
        let before_here = self.cursor;
        let run = self.enter(entry, mark);
        if let Payload::EpochStart(epoch) = &payload {
            self.stopped = false;
            self.epoch(run, mark.entry, epoch);
        }
        if let Payload::TimeMap(map) = &payload {
            self.maps.push(MapEntry {
                entry: mark.entry,
                run,
                map: map.clone(),
            });
        }
        self.label(run, mark, &entry.stamp, before);
        match payload {
            Payload::Event(event) => self.event(run, before_here.unwrap_or(mark), mark, event),
            Payload::Configuration(part) => self.configuration(part),
            Payload::CounterSnapshot(snapshot) => self.snapshot(mark, snapshot),
            _ => {}
        }
        if self.asks_for(mark.entry) {
            self.found = Some((run, mark, entry.stamp));
        }
        self.newest = Some((mark, entry.stamp));
    }

    fn asks_for(&self, entry: EntryId) -> bool {
        let Some(Asked::Entry {
            generation,
            commit_id,
        }) = self.asked
        else {
            return false;
        };
        entry.commit_id.0 == commit_id && generation.is_none_or(|only| only == entry.generation.0)
    }

    /// The run of an entry; another epoch begins a new one, and what lay between is a stretch.
    fn enter(&mut self, entry: &Entry, mark: Mark) -> usize {
        let epoch = entry.header.epoch.0;
        let generation = mark.entry.generation;
        if let Some(run) = self.runs.last_mut()
            && run.epoch == epoch
            && run.first.entry.generation == generation
        {
            run.last = mark;
            return self.runs.len().saturating_sub(1);
        }
        let last = self.cursor.take();
        self.runs.push(Run {
            epoch,
            boot: None,
            cause: None,
            entry: None,
            first: mark,
            last: mark,
            first_synced: None,
            ended: None,
        });
        let run = self.runs.len().saturating_sub(1);
        if let Some(last) = last {
            self.stretches.push(Stretch {
                cover: Cover::NotRunning,
                run,
                begin: last,
                end: mark,
                entries: 0,
                bound_ns: None,
                lasted_ns: None,
            });
        }
        run
    }

    /// What the first entry of an epoch tells: whether its clocks compare with those before, and if they were
    /// set meanwhile.
    fn epoch(&mut self, place: usize, entry: EntryId, epoch: &EpochStart) {
        let Some((run, earlier)) = self.runs.split_last_mut() else {
            return;
        };
        run.boot = Some(epoch.boot_id);
        run.cause = Some(epoch.cause);
        run.entry = Some(entry);
        let Some(previous) = earlier.last() else {
            return;
        };
        let same_boot = previous.same_boot(run);
        let first = run.first;
        let between = self
            .stretches
            .iter_mut()
            .rev()
            .find(|one| one.run == place && one.cover == Cover::NotRunning);
        let Some(between) = between else { return };
        let before = between.begin;
        if same_boot == Some(true) {
            between.lasted_ns = Some(first.at.since(before.at));
            let moved = moved_ns(&before, &first);
            let jump = moved.map(|moved_ns| seen(place, before, first, moved_ns));
            self.jumps.extend(jump);
        } else {
            self.jumps.extend(reset(place, before, first, None));
        }
    }

    /// Carries the stretch on, or begins another.
    fn label(&mut self, run: usize, mark: Mark, stamp: &Stamp, before: Option<Mark>) {
        let fresh_run = self.cursor.is_none();
        let gap = !fresh_run
            && before.is_some_and(|before| {
                before.entry.generation == mark.entry.generation
                    && before.entry.commit_id.0.saturating_add(1) < mark.entry.commit_id.0
            });
        if !gap && self.belongs_to_before(run, mark, stamp) {
            return;
        }
        let cursor = self.cursor.unwrap_or(mark);
        // Captured before the latest instant, committed behind it: it says nothing new of when.
        let back_ns = cursor.at.since(mark.at);
        let here = Mark {
            at: mark.at.plus_ns(back_ns),
            utc: plus(mark.utc, back_ns),
            ..mark
        };
        let moved = moved_ns(&cursor, &here).filter(|_| !fresh_run);
        if let Some(moved_ns) = moved {
            self.jumps.push(seen(run, cursor, here, moved_ns));
        }
        if gap {
            self.not_here(run, cursor, here, moved.is_some());
        }
        let label = self.label_of(run, stamp);
        if stamp.quality == TimeQuality::Synced
            && let Some(run) = self.runs.get_mut(run)
        {
            run.first_synced.get_or_insert(here);
        }
        let current = self
            .stretches
            .last_mut()
            .filter(|one| one.run == run && one.cover.label() == Some(&label) && moved.is_none());
        let fresh = current.is_none();
        if !fresh_run && moved.is_none() && shifted(&cursor, &here) {
            self.leap = Some((run, cursor, here));
        }
        if let Some(stretch) = current {
            if shifted(&cursor, &here) {
                let mut old = stretch.clone();
                old.end_at(&cursor, &here);
                let new = Stretch::beginning(here, run, stretch.cover.clone());
                self.edge = Some(Edge { old, new });
            }
            stretch.carry_to(here, stamp.bound_ns);
            if let Some(edge) = &mut self.edge {
                edge.new.carry_to(here, stamp.bound_ns);
            }
        } else {
            self.edge = None;
            if let Some(last) = self.stretches.last_mut()
                && last.run == run
                && last.cover.label().is_some()
            {
                last.end_at(&cursor, &here);
            }
            let mut stretch = Stretch::beginning(here, run, Cover::Labelled(label));
            stretch.carry_to(here, stamp.bound_ns);
            self.stretches.push(stretch);
        }
        let point = Point {
            utc: here.utc,
            bound_ns: stamp.bound_ns,
        };
        self.points.take(point, fresh);
        self.cursor = Some(here);
    }

    /// Captured in a stretch that has ended by now, and committed behind it: it is counted there, ends nothing, and its
    /// stamp, of the clock as it was then, shows no jump.
    fn belongs_to_before(&mut self, run: usize, mark: Mark, stamp: &Stamp) -> bool {
        let [earlier @ .., current] = self.stretches.as_mut_slice() else {
            return false;
        };
        if current.run != run || mark.at >= current.begin.at {
            return false;
        }
        let of_run = |one: &Stretch| one.run == run && one.cover.label().is_some();
        let holds = |one: &Stretch| of_run(one) && one.begin.at <= mark.at;
        // What was captured before the run's first entry belongs to its beginning.
        let place = earlier.iter().rposition(holds);
        let place = place.or_else(|| earlier.iter().position(of_run));
        let Some(stretch) = place.and_then(|place| earlier.get_mut(place)) else {
            return false;
        };
        stretch.entries = stretch.entries.saturating_add(1);
        stretch.bound(stamp.bound_ns);
        true
    }

    /// Entries between the newest one and this are not here. Single ones between two such stretches, as the
    /// keep-rings have them, do not cut the stretch.
    fn not_here(&mut self, run: usize, from: Mark, to: Mark, moved: bool) {
        let alone = |one: &Stretch| one.entries <= 1 && one.cover.label().is_some();
        if let [.., before, last] = self.stretches.as_slice()
            && alone(last)
            && before.cover == Cover::NotHere
            && before.run == run
        {
            self.stretches.pop();
            if let Some(stretch) = self.stretches.last_mut() {
                stretch.end_at(&from, &to);
                return;
            }
        }
        if let Some(last) = self.stretches.last_mut().filter(|one| one.run == run) {
            last.end = Mark {
                entry: last.end.entry,
                ..from
            };
            last.lasted_ns = Some(from.at.since(last.begin.at));
        }
        let mut stretch = Stretch::beginning(from, run, Cover::NotHere);
        stretch.end_at(&from, &to);
        if moved {
            // Where in it the clock moved is not known: it ends on the new one.
            stretch.end = to;
        }
        self.stretches.push(stretch);
    }

    pub(super) fn label_of(&self, run: usize, stamp: &Stamp) -> Label {
        let map = self.maps.last().filter(|map| map.run == run);
        Label {
            quality: stamp.quality,
            status: stamp.status,
            reason: match stamp.detail {
                TimeDetail::Holdover(reason) => Some(reason),
                TimeDetail::Offset(_) => None,
            },
            basis: map.map(|map| map.map.basis.clone()),
        }
    }

    fn event(&mut self, run: usize, before: Mark, mark: Mark, event: Event) {
        let of_node = is_of_node(event.code, event.count);
        if !of_node && !event.code.is_of_time() {
            return;
        }
        let (code, count) = told_as(&event);
        let taken = TimeEvent {
            mark,
            run,
            source: event.source.clone(),
            code,
            cause: event.time_cause,
            count,
            detail: event.detail.clone(),
        };
        if of_node {
            self.node_event(taken);
            return;
        }
        self.events.push(taken);
        match event.code {
            EventCode::TimeStep | EventCode::TimeSlew => {
                if event.code == EventCode::TimeStep {
                    self.cut_at_leap(run, mark, event.count);
                }
                told(&mut self.jumps, run, before, mark, event);
            }
            EventCode::ClockFloored => self.floored(run, mark.entry, &event),
            _ => {}
        }
    }

    /// An event tells of a step: where stamps alone left it open, the stretch is cut now.
    fn cut_at_leap(&mut self, run: usize, told: Mark, count: Option<u64>) {
        let Some((of, before, after)) = self.leap.take() else {
            return;
        };
        let leap = seen_between(run, before, after);
        let alike = count.is_some_and(|ns| {
            ns <= leap.magnitude_ns.saturating_mul(2) && leap.magnitude_ns <= ns.saturating_mul(2)
        });
        if of != run || !alike || !is_told(&after, &told) {
            return;
        }
        self.jumps.push(leap);
        if let Some(edge) = self.edge.take().filter(|edge| edge.new.begin == after) {
            self.stretches.pop();
            self.stretches.extend([edge.old, edge.new]);
        }
    }

    /// The time plane names a clock that came up too early: that is the reset that stamps showed.
    fn floored(&mut self, run: usize, entry: EntryId, event: &Event) {
        let shown = self.jumps.iter_mut().rev().find(|jump| jump.run == run);
        if let Some(jump) = shown.filter(|jump| jump.event.is_none()) {
            jump.cause = event.time_cause;
            jump.event = Some(entry);
            jump.detail.clone_from(&event.detail);
        }
    }

    fn configuration(&mut self, part: Configuration) {
        if part.part == 0 {
            self.parts.clear();
        }
        self.parts.push(part);
        if let Ok(contract) = Contract::from_parts(&self.parts) {
            self.contract = Some(contract);
            self.parts.clear();
        }
    }

    fn snapshot(&mut self, mark: Mark, snapshot: CounterSnapshot) {
        for counter in snapshot.counters {
            if COUNTERS.contains(&counter.name.as_str()) {
                self.counters.retain(|(_, one)| one.name != counter.name);
                self.counters.push((mark.entry, counter));
                self.counters_utc = Some(mark.utc);
            }
        }
    }
}

impl Stretch {
    /// A stretch without an entry yet.
    fn beginning(here: Mark, run: usize, cover: Cover) -> Self {
        Self {
            cover,
            run,
            begin: here,
            end: here,
            entries: 0,
            bound_ns: None,
            lasted_ns: Some(0),
        }
    }

    /// Takes in an entry with its bound.
    fn carry_to(&mut self, here: Mark, bound_ns: Option<u64>) {
        self.end = here;
        self.lasted_ns = Some(here.at.since(self.begin.at));
        self.entries = self.entries.saturating_add(1);
        self.bound(bound_ns);
    }

    /// Ends it where the next one begins, on the clock that held within it.
    pub(super) fn end_at(&mut self, last: &Mark, next: &Mark) {
        self.end = Mark {
            entry: self.end.entry,
            at: next.at,
            utc: plus(last.utc, next.at.since(last.at)),
        };
        self.lasted_ns = Some(next.at.since(self.begin.at));
    }

    fn bound(&mut self, bound_ns: Option<u64>) {
        let Some(bound_ns) = bound_ns else { return };
        let (least, most) = self.bound_ns.unwrap_or((bound_ns, bound_ns));
        self.bound_ns = Some((least.min(bound_ns), most.max(bound_ns)));
    }
}
