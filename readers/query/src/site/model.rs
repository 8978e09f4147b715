//! What the account of a site tells.

use super::counts::Counts;
use super::follows::Follows;
use evidence::kinds::{Probe, SignOff};
use evidence::{Actor, CommitId, Generation, MeterId, PointId, SourceId, UtcNs};

/// A meter at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The port that it was attached to.
    pub port: SourceId,
    /// Its address there.
    pub address: String,
    /// Since when the log has it there.
    pub from: UtcNs,
    /// The configuration entry that says so.
    pub said_by: (Generation, CommitId),
    /// Until when; nothing while it is there.
    pub to: Option<UtcNs>,
    /// How it was read there.
    pub own: Counts,
    /// How the other meters of the port were read in the same time.
    pub others: Counts,
    /// What the move to this place tells; nothing for the first place.
    pub follows: Option<Follows>,
}

/// What a sign-off found its meter's wiring to be like, and what it has been like since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// When the newest sign-off of the meter was.
    pub at: UtcNs,
    /// What it wrote down.
    pub then: Counts,
    /// What came since.
    pub since: Counts,
}

/// One meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterSite {
    /// It.
    pub meter: MeterId,
    /// Its places, the first one first.
    pub stays: Vec<Stay>,
    /// Against what it is to be compared; nothing where no point was signed off.
    pub baseline: Option<Baseline>,
    /// Its points in the order of the contract.
    pub points: Vec<PointStanding>,
    /// How it was read since the last work on it, and since when that is counted.
    pub since_work: (UtcNs, Counts),
}

/// A point, and whether a person has compared it with the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointStanding {
    /// The point.
    pub point: PointId,
    /// Whether what was compared still holds.
    pub standing: Standing,
    /// The newest comparison, when it was and under which entry.
    pub newest: Option<(UtcNs, CommitId, SignOff)>,
}

/// Whether a point is signed off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never compared.
    Open,
    /// Compared, and it agreed.
    Signed,
    /// Compared, and it did not agree.
    Failed,
    /// Of two states only one was compared, and it agreed.
    Half,
    /// It agreed, and the meter has another place since.
    Moved,
    /// It agreed, and the contract reads the point otherwise since.
    Changed,
}

impl Standing {
    /// The word for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Signed => "signed",
            Self::Failed => "failed",
            Self::Half => "one state",
            Self::Moved => "moved since",
            Self::Changed => "changed since",
        }
    }
}

/// Work of people on a meter, a port, or the station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// When it began, as far as anybody said.
    pub from: Option<UtcNs>,
    /// When it ended; nothing while nobody said so.
    pub to: Option<UtcNs>,
    /// When it was meant to end.
    pub until: Option<UtcNs>,
    /// On which port.
    pub source: Option<SourceId>,
    /// On which meter.
    pub meter: Option<MeterId>,
    /// Who began it.
    pub actor: Actor,
    /// What was done, as it was said at the beginning and at the end.
    pub reasons: Vec<String>,
}

/// A measurement that a person attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// When it was attached.
    pub at: UtcNs,
    /// Under which entry.
    pub entry: (Generation, CommitId),
    /// What was measured.
    pub probe: Probe,
}

/// The account of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteReport {
    /// Meters that the log ever had a place for, by name.
    pub meters: Vec<MeterSite>,
    /// The station's own points that can be compared with the field.
    pub own: Vec<PointStanding>,
    /// Work in the order in which it was said.
    pub work: Vec<Work>,
    /// Measurements in the order in which they were attached.
    pub measured: Vec<Measured>,
}
