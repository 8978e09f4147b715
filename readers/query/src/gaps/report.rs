//! The report: what is missing, in stretches of slots, and how each meter stands.

use evidence::reasons::GapClass;
use evidence::{EntryId, MeterId, PointId, ScheduleId, Slot, SourceId, UtcNs};
use std::collections::{BTreeMap, BTreeSet};

/// Due readings of one meter that are not there: points times neighbouring slots, lost in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The meter.
    pub meter_id: MeterId,
    /// The points, in the order of the contract.
    pub points: Vec<PointId>,
    /// Whether these are all points of the meter.
    pub all_points: bool,
    /// The port.
    pub source: SourceId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// The first due slot.
    pub slot: Slot,
    /// How many slots in a row.
    pub slots: u64,
    /// When the first of them was due; `None` where no entry says how long its slots are.
    pub first_utc: Option<UtcNs>,
    /// When the last of them was due.
    pub last_utc: Option<UtcNs>,
    /// Number of the first session that should have read them, where there was one.
    pub seq: Option<u64>,
    /// Where they were lost.
    pub class: GapClass,
    /// The cause in one word: an attempt's cause, a downtime's cause, or the class's name.
    pub cause: &'static str,
    /// The entry that explains them, or the first of several.
    pub entry: Option<EntryId>,
    /// The last of these entries.
    pub last_entry: Option<EntryId>,
    /// How many entries that are.
    pub entries: u64,
    /// Where the meter's own memory has them all: the first and the last of the entries that say so.
    pub filled: Option<(EntryId, EntryId)>,
}

impl Missing {
    /// How many readings.
    #[must_use]
    pub fn readings(&self) -> u64 {
        self.slots.saturating_mul(count(&self.points))
    }

    /// The last due slot.
    #[must_use]
    pub fn last_slot(&self) -> Slot {
        let number = self
            .slot
            .number
            .saturating_add(self.slots.saturating_sub(1));
        Slot {
            number,
            ..self.slot
        }
    }

    /// Takes in a stretch that goes on where this one ends, and was lost in the same way.
    pub(super) fn takes(&mut self, next: &Self) -> bool {
        let goes_on = self.meter_id == next.meter_id
            && self.slot.number.saturating_add(self.slots) == next.slot.number
            && (self.slot.version, self.class, self.cause)
                == (next.slot.version, next.class, next.cause)
            && (&self.source, &self.schedule) == (&next.source, &next.schedule)
            && self.points == next.points
            && self.filled.is_some() == next.filled.is_some();
        if goes_on {
            self.slots = self.slots.saturating_add(next.slots);
            self.last_utc = next.last_utc;
            if let (Some(filled), Some(more)) = (&mut self.filled, next.filled) {
                *filled = (filled.0.min(more.0), filled.1.max(more.1));
            }
            if self.last_entry != next.last_entry {
                self.last_entry = next.last_entry;
                self.entries = self.entries.saturating_add(next.entries);
            }
        }
        goes_on
    }
}

/// How a meter stands, in readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeterSummary {
    /// Due: points times due slots.
    pub due: u64,
    /// Due and missing.
    pub missing: u64,
    /// Of the missing, those that the meter's own memory has: each in an entry of its own.
    pub filled: u64,
    /// The missing, by where they were lost.
    pub by_class: BTreeMap<GapClass, u64>,
}

impl MeterSummary {
    /// Due and there.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.due.saturating_sub(self.missing)
    }

    /// Whether every missing reading has an entry that explains it, or may still come.
    #[must_use]
    pub fn explained(&self) -> bool {
        !self.by_class.contains_key(&GapClass::Unexplained)
    }
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
    /// Every meter of which a slot was due, and every card of the station's own points.
    pub meters: BTreeMap<MeterId, MeterSummary>,
    /// Which of them are cards.
    pub cards: BTreeSet<MeterId>,
    /// Due readings that are not there, in order of meter and time.
    pub missing: Vec<Missing>,
    /// Session numbers that nothing explains.
    pub seq_findings: Vec<SeqFinding>,
    /// Entries that LOSS entries name and that are not there: readings among them have no slot here
    /// unless the log around them tells of it.
    pub lost_entries: u64,
    /// The first entry of the account; older ones were retired, or there are none.
    pub begins: Option<EntryId>,
}

impl GapReport {
    /// How many readings are due.
    #[must_use]
    pub fn readings_due(&self) -> u64 {
        self.sum(|meter| meter.due)
    }

    /// How many readings are missing.
    #[must_use]
    pub fn readings_missing(&self) -> u64 {
        self.sum(|meter| meter.missing)
    }

    /// How many of the missing have an entry that explains them, or may still come.
    #[must_use]
    pub fn missing_explained(&self) -> u64 {
        let unexplained = |meter: &MeterSummary| {
            let count = meter.by_class.get(&GapClass::Unexplained);
            meter.missing.saturating_sub(count.copied().unwrap_or(0))
        };
        self.sum(unexplained)
    }

    /// How many of the missing the meters' own memories have.
    #[must_use]
    pub fn readings_filled(&self) -> u64 {
        self.sum(|meter| meter.filled)
    }

    fn sum(&self, of: impl Fn(&MeterSummary) -> u64) -> u64 {
        let each = self.meters.values().map(of);
        each.fold(0, u64::saturating_add)
    }
}

pub(super) fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
