//! Interval slots of a day on UTC: which slot a reading fills and how well, and which boundaries a step of the
//! clock crossed (U1).
//!
//! Boundaries are multiples of the slot's length since 1970 in UTC, whatever the zone: a zone only says where its
//! day begins and ends, so that a day has 92, 96 or 100 quarters. A slot is named by the boundary at which it
//! begins; what was due nearest to that boundary belongs to it.
//!
//! UTC here has no leap seconds, as stamps have none. A positive leap second is to such a clock a step back by one
//! second across a midnight of UTC, and shows as one.

use alloc::vec::Vec;
use core::fmt;
use evidence::UtcNs;

use crate::limits::{DAY_NS_MAX, SLOT_NS_MAX, SLOT_NS_MIN};

#[cfg(test)]
mod tests;

/// The slots of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    begin: UtcNs,
    length_ns: u64,
    count: u32,
}

/// Why a day has no whole number of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayError {
    /// Slots of this length are not made.
    Length {
        /// The length asked for, in nanoseconds.
        length_ns: u64,
    },
    /// The day has no length, as one that a zone left out, or more than two days.
    Span {
        /// From its begin to its end, in nanoseconds.
        span_ns: i128,
    },
    /// It does not begin or end on a boundary.
    Ragged {
        /// From the last boundary to the day's begin, or else to its end, in nanoseconds.
        off_ns: u64,
    },
}

impl fmt::Display for DayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { length_ns } => write!(
                f,
                "slots of {length_ns} ns are not made: from {SLOT_NS_MIN} to {SLOT_NS_MAX} ns is right"
            ),
            Self::Span { span_ns } => write!(f, "a day of {span_ns} ns is none"),
            Self::Ragged { off_ns } => write!(
                f,
                "the day does not begin and end on a boundary of its slots: one lies {off_ns} ns before"
            ),
        }
    }
}

impl core::error::Error for DayError {}

impl Day {
    /// The slots between two instants of UTC.
    ///
    /// # Errors
    /// [`DayError`] where they are no whole number of slots on boundaries of UTC.
    pub fn new(begin: UtcNs, end: UtcNs, length_ns: u64) -> Result<Self, DayError> {
        if !(SLOT_NS_MIN..=SLOT_NS_MAX).contains(&length_ns) {
            return Err(DayError::Length { length_ns });
        }
        let span_ns = i128::from(end.0) - i128::from(begin.0);
        if !(1..=i128::from(DAY_NS_MAX)).contains(&span_ns) {
            return Err(DayError::Span { span_ns });
        }
        let length = i128::from(length_ns);
        for edge in [begin, end] {
            let off = i128::from(edge.0).rem_euclid(length);
            if off != 0 {
                let off_ns = u64::try_from(off).unwrap_or(u64::MAX);
                return Err(DayError::Ragged { off_ns });
            }
        }
        let count = u32::try_from(span_ns / length).unwrap_or(u32::MAX);
        Ok(Self {
            begin,
            length_ns,
            count,
        })
    }

    /// Where it begins.
    #[must_use]
    pub const fn begin(&self) -> UtcNs {
        self.begin
    }

    /// Where it ends: the first boundary of the next day.
    #[must_use]
    pub fn end(&self) -> UtcNs {
        self.boundary(self.count)
    }

    /// Length of a slot, in nanoseconds.
    #[must_use]
    pub const fn length_ns(&self) -> u64 {
        self.length_ns
    }

    /// How many slots it has.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The boundary at which a slot begins.
    #[must_use]
    pub fn boundary(&self, slot: u32) -> UtcNs {
        let at = i128::from(self.begin.0) + i128::from(slot) * i128::from(self.length_ns);
        UtcNs(i64::try_from(at).unwrap_or(i64::MAX))
    }

    /// The slot that a reading belongs to: the one whose boundary is nearest to when it was due, or to when it was
    /// captured where nobody says when it was due. Half way between two it is the later one's. `None` where that is
    /// of another day.
    #[must_use]
    pub fn place(&self, due: Option<UtcNs>, captured: UtcNs) -> Option<Placed> {
        let slot = self.nearest(due.unwrap_or(captured))?;
        let off_ns = i128::from(captured.0) - i128::from(self.boundary(slot).0);
        let limit = if off_ns < 0 { i64::MIN } else { i64::MAX };
        Some(Placed {
            slot,
            off_ns: i64::try_from(off_ns).unwrap_or(limit),
        })
    }

    /// The slot with the nearest boundary, where that is one of this day.
    #[must_use]
    pub fn nearest(&self, at: UtcNs) -> Option<u32> {
        let half = i128::from(self.length_ns / 2);
        let slot = self.whole_slots(i128::from(at.0) + half);
        u32::try_from(slot).ok().filter(|slot| *slot < self.count)
    }

    /// The boundaries of this day that a step crossed or may have crossed, by slot.
    pub fn crossed(&self, step: Step) -> impl Iterator<Item = (u32, Crossing)> + use<> {
        let (day, reach) = (*self, step.possible());
        let slots = reach.map_or(0..0, |(above, to)| {
            let clamp = |slot: i128| {
                u32::try_from(slot.max(0))
                    .unwrap_or(u32::MAX)
                    .min(day.count)
            };
            clamp(day.whole_slots(above).saturating_add(1))
                ..clamp(day.whole_slots(to).saturating_add(1))
        });
        slots.filter_map(move |slot| Some((slot, step.crossing(day.boundary(slot))?)))
    }

    /// Slots from the day's begin to an instant, rounded down.
    fn whole_slots(&self, at: i128) -> i128 {
        (at - i128::from(self.begin.0)).div_euclid(i128::from(self.length_ns))
    }
}

/// Where a reading belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its slot.
    pub slot: u32,
    /// When it was captured, from the slot's boundary on, in nanoseconds; negative before it.
    pub off_ns: i64,
}

/// How a slot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Filled within the tolerance.
    Filled,
    /// Its best reading was captured too early.
    Early,
    /// Its best reading was captured too late.
    Late,
    /// No reading.
    Empty,
    /// The log ends before it can be judged.
    ToCome,
    /// Its boundary lies before the log's begin.
    BeforeLog,
}

impl Grade {
    /// The word for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Early => "early",
            Self::Late => "late",
            Self::Empty => "empty",
            Self::ToCome => "to come",
            Self::BeforeLog => "before the log",
        }
    }
}

/// The best reading of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// When it was captured, from the boundary on, in nanoseconds.
    pub off_ns: i64,
    /// Bound of its stamp's error, in nanoseconds; `None` where nobody can state one.
    pub bound_ns: Option<u64>,
    /// Readings of the slot, this one included.
    pub readings: u32,
}

impl Fill {
    /// How it stands against a tolerance in nanoseconds; at the tolerance it is filled.
    #[must_use]
    pub const fn grade(&self, tolerance_ns: u64) -> Grade {
        match self.off_ns.unsigned_abs() <= tolerance_ns {
            true => Grade::Filled,
            false if self.off_ns < 0 => Grade::Early,
            false => Grade::Late,
        }
    }

    /// Whether the grade would be the same wherever in the bound of its stamp the true time lies.
    #[must_use]
    pub fn is_sure(&self, tolerance_ns: u64) -> bool {
        let Some(bound_ns) = self.bound_ns else {
            return false;
        };
        let off_ns = i128::from(self.off_ns.unsigned_abs());
        let (bound, tolerance) = (i128::from(bound_ns), i128::from(tolerance_ns));
        match self.grade(tolerance_ns) {
            Grade::Filled => off_ns + bound <= tolerance,
            _ => off_ns - bound > tolerance,
        }
    }
}

/// What slots are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// How far from its boundary a reading fills a slot, in nanoseconds.
    pub tolerance_ns: u64,
    /// The log's first and newest instant; `None` where it is empty.
    pub log: Option<(UtcNs, UtcNs)>,
}

impl Measure {
    /// How a slot stands with its best reading. What lies within the tolerance is filled; else a slot is judged only
    /// where the log was there at its boundary, and until no better reading can come.
    #[must_use]
    pub fn grade(&self, boundary: UtcNs, fill: Option<Fill>) -> Grade {
        let grade = fill.map_or(Grade::Empty, |fill| fill.grade(self.tolerance_ns));
        let Some((first, newest)) = self.log.filter(|_| grade != Grade::Filled) else {
            return grade;
        };
        let decided = i128::from(boundary.0) + i128::from(self.tolerance_ns);
        if decided > i128::from(newest.0) {
            Grade::ToCome
        } else if boundary < first {
            Grade::BeforeLog
        } else {
            grade
        }
    }
}

/// The slots of one point over a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    fills: Vec<Option<Fill>>,
}

impl Tally {
    /// A day without readings.
    #[must_use]
    pub fn new(day: &Day) -> Self {
        let slots = usize::try_from(day.count).unwrap_or(usize::MAX);
        Self {
            fills: alloc::vec![None; slots],
        }
    }

    /// Takes a reading; of several the one nearest to the boundary counts, and of two as near the first.
    pub fn take(&mut self, placed: Placed, bound_ns: Option<u64>) {
        let place = usize::try_from(placed.slot).unwrap_or(usize::MAX);
        let Some(fill) = self.fills.get_mut(place) else {
            return;
        };
        let readings = fill.map_or(1, |fill| fill.readings.saturating_add(1));
        let best = fill
            .filter(|fill| fill.off_ns.unsigned_abs() <= placed.off_ns.unsigned_abs())
            .unwrap_or(Fill {
                off_ns: placed.off_ns,
                bound_ns,
                readings,
            });
        *fill = Some(Fill { readings, ..best });
    }

    /// Every slot of the day in order: how it stands, and its best reading.
    pub fn graded(
        &self,
        day: &Day,
        by: Measure,
    ) -> impl Iterator<Item = (u32, Grade, Option<Fill>)> + '_ {
        let day = *day;
        let slots = (0..).zip(self.fills.iter().copied());
        slots.map(move |(slot, fill)| (slot, by.grade(day.boundary(slot), fill), fill))
    }

    /// How many slots stand in which way.
    #[must_use]
    pub fn counts(&self, day: &Day, by: Measure) -> Counts {
        let mut counts = Counts::default();
        for (_, grade, fill) in self.graded(day, by) {
            let count = match grade {
                Grade::Filled => &mut counts.filled,
                Grade::Early => &mut counts.early,
                Grade::Late => &mut counts.late,
                Grade::Empty => &mut counts.empty,
                Grade::ToCome => &mut counts.to_come,
                Grade::BeforeLog => &mut counts.before_log,
            };
            *count += 1;
            let judged = matches!(grade, Grade::Filled | Grade::Early | Grade::Late);
            let Some(fill) = fill.filter(|_| judged) else {
                continue;
            };
            counts.unsure += u32::from(!fill.is_sure(by.tolerance_ns));
            counts.unbounded += u32::from(fill.bound_ns.is_none());
            counts.bound_ns_max = counts.bound_ns_max.max(fill.bound_ns);
            let worst = counts.off_ns_worst.unwrap_or(0).unsigned_abs();
            if counts.off_ns_worst.is_none() || fill.off_ns.unsigned_abs() > worst {
                counts.off_ns_worst = Some(fill.off_ns);
            }
        }
        counts
    }
}

/// How the slots of a point stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Filled within the tolerance.
    pub filled: u32,
    /// Read too early.
    pub early: u32,
    /// Read too late.
    pub late: u32,
    /// Not read.
    pub empty: u32,
    /// Not decided yet where the log ends.
    pub to_come: u32,
    /// Of before the log's begin.
    pub before_log: u32,
    /// Of those read, slots whose grade the bound of the stamp leaves open.
    pub unsure: u32,
    /// Of those read, slots whose stamp has no bound.
    pub unbounded: u32,
    /// The widest bound stated, in nanoseconds.
    pub bound_ns_max: Option<u64>,
    /// The offset that is farthest from its boundary, in nanoseconds.
    pub off_ns_worst: Option<i64>,
}

/// A step of the clock, as two marks around it show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the clock showed at the last mark before it.
    pub before: UtcNs,
    /// Monotonic time from that mark to the first one behind the step, in nanoseconds: in it the step fell.
    pub passed_ns: u64,
    /// By how much the clock was moved, in nanoseconds; negative back.
    pub moved_ns: i64,
}

/// What a step did to a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// It leapt over it, or went back behind it, wherever between its marks it fell.
    Certain,
    /// It may have, if it fell near the boundary.
    Possible,
}

impl Step {
    /// Whether it crossed a boundary: forward, the clock never showed it; back, the clock showed it twice.
    #[must_use]
    pub fn crossing(self, boundary: UtcNs) -> Option<Crossing> {
        let at = i128::from(boundary.0);
        let within = |(above, to): (i128, i128)| above < at && at <= to;
        self.possible().filter(|reach| within(*reach))?;
        Some(match within(self.certain()) {
            true => Crossing::Certain,
            false => Crossing::Possible,
        })
    }

    /// What the clock showed just before the step lies between these two.
    fn from(self) -> (i128, i128) {
        let before = i128::from(self.before.0);
        (before, before + i128::from(self.passed_ns))
    }

    /// Above the first and up to the second: boundaries crossed by a step that fell somewhere between its marks.
    fn possible(self) -> Option<(i128, i128)> {
        let ((first, last), moved) = (self.from(), i128::from(self.moved_ns));
        match self.moved_ns.signum() {
            1 => Some((first, last + moved)),
            -1 => Some((first + moved, last)),
            _ => None,
        }
    }

    /// The same of a step that fell anywhere between them; empty where the marks are too far apart to tell.
    fn certain(self) -> (i128, i128) {
        let ((first, last), moved) = (self.from(), i128::from(self.moved_ns));
        match self.moved_ns > 0 {
            true => (last, first + moved),
            false => (last + moved, first),
        }
    }
}
