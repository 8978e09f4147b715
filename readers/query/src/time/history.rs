//! The history: stretches, jumps and events of a span, and what they come to.

use super::account::TimeAccount;
use super::model::{Cover, Jump, JumpKind, Mark, Point, Run, Stretch, TimeEvent};
use evidence::UtcNs;
use evidence::reasons::{EventCode, OffsetBucket, TimeQuality};
use std::collections::BTreeMap;

/// A part of the time, by UTC as it was stamped; by default, all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// From this time on.
    pub from: Option<UtcNs>,
    /// Before this time.
    pub to: Option<UtcNs>,
}

impl Span {
    fn takes(self, at: UtcNs) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }

    /// Whether a jump may be asked for: one of its sides is.
    fn takes_jump(self, jump: &Jump) -> bool {
        self.takes(jump.before.utc) || self.takes(jump.after.utc)
    }

    /// The part of a stretch within the span; `None` where there is none.
    fn clip(self, stretch: &Stretch) -> Option<Stretch> {
        let mut clipped = stretch.clone();
        let (begin, end) = (stretch.begin.utc, stretch.end.utc);
        let late = self.from.filter(|from| *from > begin);
        let early = self.to.filter(|to| *to < end);
        if late.is_some_and(|from| from > end) || self.to.is_some_and(|to| to <= begin) {
            return None;
        }
        if let Some(from) = late {
            clipped.begin = moved_to(&stretch.begin, from);
        }
        if let Some(to) = early {
            clipped.end = moved_to(&stretch.end, to);
        }
        if let (Some(lasted_ns), true) = (stretch.lasted_ns, late.is_some() || early.is_some()) {
            let cut =
                |from: UtcNs, to: UtcNs| u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0);
            let off_ns = cut(begin, clipped.begin.utc).saturating_add(cut(clipped.end.utc, end));
            clipped.lasted_ns = Some(lasted_ns.saturating_sub(off_ns));
        }
        Some(clipped)
    }
}

/// The same mark at another time of its clock.
fn moved_to(mark: &Mark, utc: UtcNs) -> Mark {
    let by = utc.0.saturating_sub(mark.utc.0);
    Mark {
        at: evidence::MonoNs(mark.at.0.saturating_add_signed(by)),
        utc,
        ..*mark
    }
}

/// What a span came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Nanoseconds in which stamps had each quality.
    pub quality_ns: BTreeMap<TimeQuality, u64>,
    /// Nanoseconds in which nothing was stamped, as far as a clock tells.
    pub not_running_ns: u64,
    /// Nanoseconds whose entries are not here.
    pub not_here_ns: u64,
    /// `sync_acquired_cnt`: events that say so.
    pub sync_acquired: u64,
    /// `sync_lost_cnt`.
    pub sync_lost: u64,
    /// Stretches in holdover, whatever their reason; neighbours are one.
    pub holdovers: u64,
    /// Nanoseconds in holdover in all, and in the longest.
    pub holdover_ns: (u64, u64),
    /// Jumps of the clock by magnitude.
    pub jumps: BTreeMap<OffsetBucket, u64>,
    /// How many of them no entry explains.
    pub unexplained: u64,
    /// Runs of the recorder that began.
    pub restarts: u64,
}

impl Totals {
    /// Nanoseconds with a label.
    #[must_use]
    pub fn labelled_ns(&self) -> u64 {
        self.quality_ns
            .values()
            .fold(0, |sum, ns| sum.saturating_add(*ns))
    }
}

/// What the log tells of time over a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeHistory {
    /// The log's name.
    pub origin: Option<String>,
    /// The site's limit of the bound, in nanoseconds.
    pub limit_ns: Option<u64>,
    /// Stretches, in order.
    pub stretches: Vec<Stretch>,
    /// Jumps, in order.
    pub jumps: Vec<Jump>,
    /// Events of the time plane, in order.
    pub events: Vec<TimeEvent>,
    /// Runs of the recorder, all of them: stretches name them by their place.
    pub runs: Vec<Run>,
    /// The bound over time.
    pub points: Vec<Point>,
    /// What it came to.
    pub totals: Totals,
    /// Nanoseconds from boot to the first SYNCED stamp (`boot_to_stable`), of the newest boot that has one.
    pub boot_to_stable_ns: Option<u64>,
}

impl TimeAccount {
    /// The history of a span of what was shown so far.
    #[must_use]
    pub fn history(&self, span: Span) -> TimeHistory {
        let stretches: Vec<Stretch> = self
            .stretches
            .iter()
            .filter_map(|stretch| span.clip(stretch))
            .collect();
        let jumps: Vec<Jump> = self
            .jumps
            .iter()
            .filter(|jump| span.takes_jump(jump))
            .cloned()
            .collect();
        let events: Vec<TimeEvent> = self
            .events
            .iter()
            .filter(|event| span.takes(event.mark.utc))
            .cloned()
            .collect();
        let runs = self.runs.iter().skip(1);
        let restarts = runs.filter(|run| span.takes(run.first.utc)).count();
        let totals = Totals {
            restarts: u64::try_from(restarts).unwrap_or(u64::MAX),
            ..totals(&stretches, &jumps, &events)
        };
        TimeHistory {
            origin: self.origin().map(str::to_owned),
            limit_ns: self.limit_ns(),
            points: self.points_in(span, stretches.first()),
            boot_to_stable_ns: self.boot_to_stable_ns(),
            runs: self.runs.clone(),
            stretches,
            jumps,
            events,
            totals,
        }
    }

    /// The bound within a span; what held when it began goes on into it.
    fn points_in(&self, span: Span, first: Option<&Stretch>) -> Vec<Point> {
        let all = self.points.all();
        let labelled = first.is_some_and(|one| one.cover.label().is_some());
        let before = span.from.filter(|_| labelled).and_then(|from| {
            let known = all.iter().rfind(|point| point.utc < from)?;
            Some(Point {
                utc: from,
                ..*known
            })
        });
        let within = all.iter().filter(|point| span.takes(point.utc)).copied();
        before.into_iter().chain(within).collect()
    }

    /// Monotonic time begins at boot: the first SYNCED stamp of a boot says how long that took.
    pub(super) fn boot_to_stable_ns(&self) -> Option<u64> {
        let newest = self
            .runs
            .iter()
            .rev()
            .find(|run| run.first_synced.is_some())?;
        let of_boot = self.runs.iter().filter(|run| run.boot == newest.boot);
        of_boot
            .filter_map(|run| run.first_synced)
            .map(|mark| mark.at.0)
            .min()
    }
}

fn totals(stretches: &[Stretch], jumps: &[Jump], events: &[TimeEvent]) -> Totals {
    let mut totals = Totals::default();
    let mut holdover_ns = None;
    for stretch in stretches {
        let lasted_ns = stretch.lasted_ns.unwrap_or(0);
        let held = match &stretch.cover {
            Cover::Labelled(label) => {
                let sum = totals.quality_ns.entry(label.quality).or_default();
                *sum = sum.saturating_add(lasted_ns);
                label.quality == TimeQuality::Holdover
            }
            Cover::NotRunning => {
                totals.not_running_ns = totals.not_running_ns.saturating_add(lasted_ns);
                false
            }
            Cover::NotHere => {
                totals.not_here_ns = totals.not_here_ns.saturating_add(lasted_ns);
                false
            }
        };
        match (held, &mut holdover_ns) {
            (true, Some(sum)) => *sum = u64::saturating_add(*sum, lasted_ns),
            (true, None) => {
                totals.holdovers = totals.holdovers.saturating_add(1);
                holdover_ns = Some(lasted_ns);
            }
            (false, _) => holdover_ns = None,
        }
        if let Some(sum) = holdover_ns {
            let (all, longest) = &mut totals.holdover_ns;
            *all = all.saturating_add(lasted_ns);
            *longest = sum.max(*longest);
        }
    }
    for jump in jumps.iter().filter(|jump| jump.kind != JumpKind::Slew) {
        *totals
            .jumps
            .entry(OffsetBucket::of(jump.magnitude_ns))
            .or_default() += 1;
        totals.unexplained += u64::from(!jump.is_explained());
    }
    let count = |code: EventCode| {
        let of_it = events.iter().filter(|event| event.code == code).count();
        u64::try_from(of_it).unwrap_or(u64::MAX)
    };
    totals.sync_acquired = count(EventCode::SyncAcquired);
    totals.sync_lost = count(EventCode::SyncLost);
    totals
}
