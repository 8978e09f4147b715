//! The answer to "what was the clock worth at this instant, and why did it jump".

use super::account::TimeAccount;
use super::model::{Asked, Cover, Jump, Label, Mark, Run, Stretch, TimeEvent};
use super::node::AfterTheEnd;
use super::offered::Offered;
use evidence::kinds::TimeMap;
use evidence::reasons::EventCode;
use evidence::{EntryId, MonoNs, Stamp, UtcNs};

/// How long before a jump, or before an instant without one near it, signs are looked for.
const SIGNS_BEFORE_NS: u64 = 60_000_000_000;
/// And how long behind it: what a source shows is told some seconds late.
const SIGNS_BEHIND_NS: u64 = 15_000_000_000;
/// An instant so far ahead of the newest entry is answered as of that entry: a node that runs commits one in this time
/// (`HEARTBEAT_NS` of the I/O plane is 10 s, and slots that are longer beat once each).
const AHEAD_NS_MAX: u64 = 60_000_000_000;
/// Signs that are given; those nearest to the jump.
pub(super) const SIGNS_MAX: usize = 64;

/// An event that may have to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The event.
    pub event: TimeEvent,
    /// Nanoseconds from it to the jump or the instant; negative behind it.
    pub before_ns: i64,
}

impl Sign {
    pub(super) fn of(event: &TimeEvent, at: MonoNs) -> Self {
        let before_ns = i128::from(at.0) - i128::from(event.mark.at.0);
        Self {
            before_ns: i64::try_from(before_ns).unwrap_or(0),
            event: event.clone(),
        }
    }
}

/// The instant as one of the clock's courses passed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant, on the clock of its boot.
    pub at: MonoNs,
    /// As it was or would have been stamped.
    pub utc: UtcNs,
    /// What is known there.
    pub stretch: Stretch,
    /// The stamp of the entry asked for, or of the instant under the map in force.
    pub stamp: Option<Stamp>,
    /// What kept the clock from being held then: the loss of SYNCED, and the faults of sources.
    pub in_force: Vec<TimeEvent>,
    /// The nearest jump before it, with nanoseconds from that.
    pub jump_before: Option<(Jump, i64)>,
    /// The newest map in the log at that instant, with its entry: what the label rests on.
    pub map: Option<(EntryId, TimeMap)>,
}

/// Answer to what somebody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWhy {
    /// The log's name.
    pub origin: Option<String>,
    /// What was asked.
    pub asked: Asked,
    /// The site's limit of the bound, in nanoseconds.
    pub limit_ns: Option<u64>,
    /// How far the instant asked about lies ahead of the newest entry, in nanoseconds, where the answer is as of that.
    pub ahead_ns: Option<u64>,
    /// The instant: none where the clock jumped over it or the log does not reach, two where it passed twice.
    pub moments: Vec<Moment>,
    /// The nearest jump before, with nanoseconds from it.
    pub before: Option<(Jump, i64)>,
    /// The nearest jump behind, with nanoseconds to it.
    pub after: Option<(Jump, i64)>,
    /// The jump that leapt over the instant.
    pub over: Option<Jump>,
    /// What the time plane told around the jump before, or around the instant.
    pub signs: Vec<Sign>,
    /// What happened to the node's processes around the instant, or around the time without stamps that it is in.
    pub node: Vec<Sign>,
    /// The node as it ended, where the instant lies behind that and it does not run.
    pub ended: Option<AfterTheEnd>,
    /// Who had offered the time by then, in the same run, and what became of it.
    pub offered: Vec<Offered>,
    /// The newest restart before, and the first behind: the run that ended and the one that began.
    pub restarts: Vec<(Run, Run)>,
    /// First and last mark of the log.
    pub reach: Option<(Mark, Mark)>,
}

impl TimeWhy {
    /// The jump that the answer is about: the one that leapt over the instant, or the nearest one before it.
    #[must_use]
    pub fn jump(&self) -> Option<&Jump> {
        self.over
            .as_ref()
            .or(self.before.as_ref().map(|(jump, _)| jump))
    }

    /// Whether the log answers: it reaches there, and no jump that matters there is without a cause.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        let known = self
            .moments
            .iter()
            .any(|one| one.stretch.cover != Cover::NotHere);
        // A node that was told to stop is known not to have run behind that.
        let stopped = self
            .ended
            .as_ref()
            .is_some_and(|end| end.run.ended.is_some());
        (known || stopped || self.over.is_some()) && self.jump().is_none_or(Jump::is_explained)
    }
}

impl TimeAccount {
    /// The answer to what this account was made to ask; `None` where the entry asked for was not shown, or
    /// nothing was asked.
    #[must_use]
    pub fn why(&self) -> Option<TimeWhy> {
        let asked = self.asked?;
        let ahead = match asked {
            Asked::Time(utc) => self.just_ahead(utc),
            Asked::Entry { .. } => None,
        };
        let moments = match (asked, ahead) {
            (Asked::Time(_), Some((newest, _))) => self.passed(newest),
            (Asked::Time(utc), None) => self.passed(utc),
            (Asked::Entry { .. }, _) => vec![self.entry_moment()?],
        };
        let utc = match asked {
            Asked::Time(utc) => utc,
            Asked::Entry { .. } => moments.first()?.utc,
        };
        let place = moments.first().map(|one| (one.stretch.run, one.at));
        let (before, after) = match place {
            Some(place) => self.around(place),
            None => self.around_utc(utc),
        };
        let over = moments.is_empty().then(|| self.over(utc)).flatten();
        let about = over.as_ref().or(before.as_ref());
        let signs = match (about, place) {
            (Some(jump), _) => self.signs(jump.run, jump.after.at),
            (None, Some((run, at))) => self.signs(run, at),
            (None, None) => Vec::new(),
        };
        // On the clock of the boot where that is one and the same; UTC has moved in between.
        let from_jump = |jump: &Jump| match place {
            Some((run, at)) if run == jump.run => {
                i64::try_from(i128::from(at.0) - i128::from(jump.after.at.0)).unwrap_or(i64::MAX)
            }
            _ => utc.0.saturating_sub(jump.after.utc.0),
        };
        Some(TimeWhy {
            origin: self.origin().map(str::to_owned),
            asked,
            limit_ns: self.limit_ns(),
            ahead_ns: ahead.map(|(_, ahead_ns)| ahead_ns),
            restarts: self.restarts(place.map(|(run, _)| run), utc),
            before: before.map(|jump| {
                let ns = from_jump(&jump);
                (jump, ns)
            }),
            after: after.map(|jump| {
                let ns = from_jump(&jump).saturating_neg();
                (jump, ns)
            }),
            ended: moments
                .is_empty()
                .then(|| self.after_the_end(utc))
                .flatten(),
            node: moments
                .first()
                .map_or_else(Vec::new, |one| self.node_around(&one.stretch, one.at)),
            over,
            signs,
            offered: place.map_or_else(Vec::new, |(run, at)| self.offered(run, at)),
            reach: self.reach(),
            moments,
        })
    }

    /// The node does not run: nothing is said of what is behind its last entry.
    pub const fn says_no_more(&mut self) {
        self.stopped = true;
    }

    /// Whether the log has this generation.
    #[must_use]
    pub fn has_generation(&self, generation: u64) -> bool {
        let mut runs = self.runs.iter();
        runs.any(|run| run.first.entry.generation.0 == generation)
    }

    /// First and last mark of the log; `None` where it holds no entry.
    #[must_use]
    pub fn reach(&self) -> Option<(Mark, Mark)> {
        let (newest, _) = self.newest?;
        Some((self.runs.first()?.first, newest))
    }

    /// The newest entry's time, where an instant lies ahead of it by no more than a node that runs is silent.
    fn just_ahead(&self, utc: UtcNs) -> Option<(UtcNs, u64)> {
        let (newest, _) = self.newest.filter(|_| !self.stopped)?;
        let ahead_ns = u64::try_from(i128::from(utc.0) - i128::from(newest.utc.0)).ok()?;
        (1..=AHEAD_NS_MAX)
            .contains(&ahead_ns)
            .then_some((newest.utc, ahead_ns))
    }

    fn entry_moment(&self) -> Option<Moment> {
        let (run, mark, stamp) = self.found?;
        let map = self.map_before(run, mark.entry);
        let label = Label {
            basis: map.as_ref().map(|(_, map)| map.basis.clone()),
            ..self.label_of(run, &stamp)
        };
        // Entries are not committed in the order of capture: it may lie in a stretch that ended before its commit, and
        // its own stamp is what it was worth.
        let holds = |one: &&Stretch| {
            let alike = one
                .cover
                .label()
                .is_some_and(|other| other.is_alike(&label));
            one.run == run && alike && (one.begin.at..=one.end.at).contains(&mark.at)
        };
        let stretch = self.stretches.iter().rev().find(holds).cloned();
        let stretch = stretch.unwrap_or(Stretch {
            cover: Cover::Labelled(label),
            run,
            begin: mark,
            end: mark,
            entries: 1,
            bound_ns: None,
            lasted_ns: Some(0),
        });
        Some(Moment {
            at: mark.at,
            utc: mark.utc,
            stamp: Some(stamp),
            jump_before: self.last_jump(run, mark.at),
            map,
            in_force: self.in_force(run, mark.at),
            stretch,
        })
    }

    /// The newest map of a run in the log up to an entry.
    fn map_before(&self, run: usize, entry: EntryId) -> Option<(EntryId, TimeMap)> {
        let known = |map: &&super::model::MapEntry| map.run == run && map.entry <= entry;
        let map = self.maps.iter().rev().find(known)?;
        Some((map.entry, map.map.clone()))
    }

    /// Every stretch in which the clock showed this time.
    fn passed(&self, utc: UtcNs) -> Vec<Moment> {
        let newest = self.newest.map(|(mark, _)| mark.entry);
        let within = |one: &&Stretch| {
            let last = Some(one.end.entry) == newest && one.end.utc == utc;
            one.begin.utc <= utc && (utc < one.end.utc || last)
        };
        let moment = |stretch: &Stretch| {
            let into_ns = utc.0.saturating_sub(stretch.begin.utc.0);
            let at = stretch.begin.at.plus_ns(into_ns.unsigned_abs());
            let maps = self.maps.iter().rev();
            let map = maps
                .filter(|map| map.run == stretch.run && stretch.cover.label().is_some())
                .find(|map| map.map.as_of <= at);
            // The bound may have been renewed since by maps that are no entries: only the label is certain.
            Moment {
                at,
                utc,
                stretch: stretch.clone(),
                stamp: None,
                jump_before: self.last_jump(stretch.run, at),
                in_force: match stretch.cover {
                    Cover::Labelled(_) => self.in_force(stretch.run, at),
                    Cover::NotRunning | Cover::NotHere => Vec::new(),
                },
                map: map.map(|map| (map.entry, map.map.clone())),
            }
        };
        let mut moments: Vec<Moment> = Vec::new();
        for moment in self.stretches.iter().filter(within).map(moment) {
            // Where one label ends and the next begins the clock was corrected by little; it was not set back.
            let last = moments.last();
            if last.is_some_and(|last| !self.jumped_between(last, &moment)) {
                moments.pop();
            }
            moments.push(moment);
        }
        moments
    }

    /// Whether a jump, or a restart, lies between two passes of the clock.
    fn jumped_between(&self, one: &Moment, other: &Moment) -> bool {
        let (run, other_run) = (one.stretch.run, other.stretch.run);
        let mut jumps = self.jumps.iter();
        run != other_run
            || jumps.any(|jump| {
                jump.run == run && one.stretch.begin.at < jump.after.at && jump.after.at <= other.at
            })
    }

    /// The nearest jumps before and behind a place on the clock of a run.
    fn around(&self, (run, at): (usize, MonoNs)) -> (Option<Jump>, Option<Jump>) {
        let before = |jump: &&Jump| (jump.run, jump.after.at) <= (run, at);
        (
            self.jumps.iter().rev().find(before).cloned(),
            self.jumps.iter().find(|jump| !before(jump)).cloned(),
        )
    }

    /// The nearest jump before a place in a run, with nanoseconds from it.
    fn last_jump(&self, run: usize, at: MonoNs) -> Option<(Jump, i64)> {
        let of_run = |jump: &&Jump| jump.run == run && jump.after.at <= at;
        let jump = self.jumps.iter().rev().find(of_run)?;
        let ns = i64::try_from(at.since(jump.after.at)).unwrap_or(i64::MAX);
        Some((jump.clone(), ns))
    }

    fn around_utc(&self, utc: UtcNs) -> (Option<Jump>, Option<Jump>) {
        (
            self.jumps
                .iter()
                .rev()
                .find(|jump| jump.after.utc <= utc)
                .cloned(),
            self.jumps
                .iter()
                .find(|jump| jump.before.utc >= utc)
                .cloned(),
        )
    }

    /// The jump that went over a time.
    fn over(&self, utc: UtcNs) -> Option<Jump> {
        let leapt = |jump: &&Jump| jump.before.utc <= utc && utc < jump.after.utc;
        self.jumps.iter().find(leapt).cloned()
    }

    fn signs(&self, run: usize, at: MonoNs) -> Vec<Sign> {
        let near = self.events.iter().filter(|event| event.run == run);
        let near = near.filter(|event| {
            !matches!(event.code, EventCode::TimingOverBudget)
                && at.since(event.mark.at) <= SIGNS_BEFORE_NS
                && event.mark.at.since(at) <= SIGNS_BEHIND_NS
        });
        let mut signs: Vec<Sign> = near.map(|event| Sign::of(event, at)).collect();
        let in_all: Vec<Sign> = signs
            .iter()
            .filter_map(|sign| Some(Sign::of(self.in_all(&sign.event)?, at)))
            .filter(|sign| !signs.contains(sign))
            .collect();
        signs.extend(in_all);
        signs.sort_by_key(|sign| sign.before_ns.unsigned_abs());
        signs.truncate(SIGNS_MAX);
        signs.sort_by_key(|sign| sign.event.mark.entry);
        signs
    }

    /// How far a source had jumped in all, where the first figure was a part and the whole was told later.
    fn in_all(&self, first: &TimeEvent) -> Option<&TimeEvent> {
        if first.code != EventCode::TimeSourceMoved {
            return None;
        }
        let later = self
            .events
            .iter()
            .filter(|event| event.run == first.run && event.mark.entry > first.mark.entry);
        let codes = [EventCode::TimeSourceMoved, EventCode::TimeSourceMovedInAll];
        let mut later = later.filter(|event| codes.contains(&event.code));
        later
            .next()
            .filter(|event| event.code == EventCode::TimeSourceMovedInAll)
    }

    fn restarts(&self, run: Option<usize>, utc: UtcNs) -> Vec<(Run, Run)> {
        let run = run.unwrap_or_else(|| {
            let began = |one: &Run| one.first.utc <= utc;
            self.runs.iter().rposition(began).unwrap_or(0)
        });
        let pairs = self.runs.iter().zip(self.runs.iter().skip(1));
        pairs
            .skip(run.saturating_sub(1))
            .take(if run == 0 { 1 } else { 2 })
            .map(|(one, next)| (one.clone(), next.clone()))
            .collect()
    }
}
