//! A device command: what a write writes where, and whether it waits for the medium.

use std::sync::Arc;

use super::Fault;

/// What a command wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A segment of the ring.
    Segment(u32),
    /// A slot of the truth store, both copies.
    TruthSlot(u32),
    /// A copy of the lease table.
    Table(u32),
    /// A segment of the keep-ring.
    Keep(u32),
}

/// One device command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it writes to.
    pub target: Target,
    /// Where its bytes go; more than one place for the copies of a slot.
    pub places: Vec<usize>,
    /// The bytes for each place.
    pub bytes: Arc<[u8]>,
    /// Whether it returns only when they are durable.
    pub durable: bool,
}

impl Command {
    /// One command for each of its places.
    pub fn apart(&self) -> impl Iterator<Item = Self> {
        self.places.iter().map(|place| Self {
            places: vec![*place],
            ..self.clone()
        })
    }

    /// Whether it writes every place of another command anew.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.places.iter().all(|place| self.places.contains(place))
    }

    /// Every stretch that it writes: place and bytes, sector by sector in the order of writing.
    pub fn sectors(&self, sector_bytes: usize) -> impl Iterator<Item = (usize, &[u8])> {
        self.places.iter().flat_map(move |place| {
            let chunks = self.bytes.chunks(sector_bytes).enumerate();
            chunks.map(move |(index, bytes)| (place + index * sector_bytes, bytes))
        })
    }
}

/// A command that was submitted, and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The command.
    pub command: Command,
    /// What happened instead.
    pub fault: Option<Fault>,
}
