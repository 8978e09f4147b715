//! What may have reached the platter when power fails during a command: every choice of sectors, or
//! every prefix of bytes on an FRAM.

use evidence::reasons::TruthClass;

use crate::draw::mix;
use crate::media::{Command, Platter, SECTOR_BYTES, Target};

/// Most choices that are all taken: every subset of twelve sectors.
const ALL_MAX: u64 = 1 << 12;

/// A sector that may hold one of several versions.
#[derive(Debug)]
struct Free {
    at: usize,
    /// The platter's first, then in the order of writing.
    versions: Vec<Vec<u8>>,
    hashes: Vec<u64>,
}

/// The choices of one command.
#[derive(Debug)]
pub(super) enum Choices {
    /// Each sector by itself, in any order.
    Sectors(Sectors),
    /// The first bytes, in the order of writing.
    Bytes(Bytes),
}

/// The sectors of a command, and of what else no flush has covered.
#[derive(Debug)]
pub(super) struct Sectors(Vec<Free>);

/// The bytes of a command, and after how many of them power can fail with a new outcome.
#[derive(Debug)]
pub(super) struct Bytes {
    command: Command,
    cuts: Vec<usize>,
}

/// One choice: a version for each sector, or a number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Versions(Vec<usize>),
    Cut(usize),
}

impl Choices {
    /// What may persist of `command` and of what else is unflushed.
    pub(super) fn of(
        class: TruthClass,
        platter: &Platter,
        unflushed: &[Command],
        command: &Command,
    ) -> Self {
        let truth = matches!(command.target, Target::TruthSlot(_) | Target::Table(_));
        if class == TruthClass::Independent && truth {
            return Self::Bytes(Bytes::of(platter, command));
        }
        Self::Sectors(Sectors::of(platter, unflushed, command))
    }

    /// Those to try: all, or where they are too many the structured ones and `samples` others.
    pub(super) fn list(&self, samples: u64, seed: u64) -> Vec<Choice> {
        match self {
            Self::Sectors(sectors) => sectors.list(samples, seed),
            Self::Bytes(bytes) => bytes.list(samples, seed),
        }
    }

    /// Writes a choice; returns by how much it changes the medium's hash.
    pub(super) fn apply(&self, platter: &mut Platter, choice: &Choice) -> u64 {
        match (self, choice) {
            (Self::Sectors(sectors), Choice::Versions(versions)) => {
                sectors.apply(platter, versions)
            }
            (Self::Bytes(bytes), Choice::Cut(cut)) => bytes.apply(platter, *cut),
            _ => 0,
        }
    }
}

impl Sectors {
    fn of(platter: &Platter, unflushed: &[Command], command: &Command) -> Self {
        let mut free: Vec<Free> = Vec::new();
        for (at, bytes) in unflushed
            .iter()
            .chain([command])
            .flat_map(|command| command.sectors(SECTOR_BYTES))
        {
            let known = free.iter().position(|free| free.at == at);
            let index = known.unwrap_or_else(|| {
                let before = platter.get(at, bytes.len()).unwrap_or_default();
                free.push(Free {
                    at,
                    hashes: vec![sector_hash(at, before)],
                    versions: vec![before.to_vec()],
                });
                free.len() - 1
            });
            if let Some(free) = free.get_mut(index)
                && !free.versions.iter().any(|version| version == bytes)
            {
                free.hashes.push(sector_hash(at, bytes));
                free.versions.push(bytes.to_vec());
            }
        }
        free.retain(|free| free.versions.len() > 1);
        Self(free)
    }

    fn count(&self) -> u64 {
        let versions = self.0.iter().map(|free| free.versions.len() as u64);
        versions.fold(1, u64::saturating_mul)
    }

    fn list(&self, samples: u64, seed: u64) -> Vec<Choice> {
        let count = self.count();
        if count <= ALL_MAX {
            return (0..count).map(|n| self.numbered(n)).collect();
        }
        let last = |index: usize| {
            let free = self.0.get(index);
            free.map_or(0, |free| free.versions.len() - 1)
        };
        let len = self.0.len();
        let choose = |persists: &dyn Fn(usize) -> bool| {
            let version = |index| if persists(index) { last(index) } else { 0 };
            Choice::Versions((0..len).map(version).collect())
        };
        let mut list = vec![choose(&|_| false), choose(&|_| true)];
        for n in 0..len {
            list.push(choose(&|index| index < n));
            list.push(choose(&|index| index >= n));
            list.push(choose(&|index| index == n));
            list.push(choose(&|index| index != n));
        }
        let drawn = |n: u64| {
            let version = |(index, free): (usize, &Free)| {
                let draw = mix(seed ^ mix(n ^ mix(index as u64)));
                usize::try_from(draw % free.versions.len() as u64).unwrap_or(0)
            };
            Choice::Versions(self.0.iter().enumerate().map(version).collect())
        };
        list.extend((0..samples).map(drawn));
        list
    }

    /// The n-th of all choices.
    fn numbered(&self, n: u64) -> Choice {
        let mut rest = n;
        let versions = self.0.iter().map(|free| {
            let count = free.versions.len() as u64;
            let version = rest % count;
            rest /= count;
            usize::try_from(version).unwrap_or(0)
        });
        Choice::Versions(versions.collect())
    }

    fn apply(&self, platter: &mut Platter, versions: &[usize]) -> u64 {
        let mut change = 0;
        for (free, version) in self.0.iter().zip(versions) {
            if *version > 0
                && let (Some(bytes), Some(hash)) =
                    (free.versions.get(*version), free.hashes.get(*version))
            {
                platter.write(free.at, bytes);
                change ^= hash ^ free.hashes.first().unwrap_or(&0);
            }
        }
        change
    }
}

impl Bytes {
    fn of(platter: &Platter, command: &Command) -> Self {
        let mut cuts = vec![0];
        let len = command.bytes.len();
        for (copy, place) in command.places.iter().enumerate() {
            let before = platter.get(*place, len).unwrap_or_default();
            let changed = before.iter().zip(command.bytes.iter()).enumerate();
            cuts.extend(
                changed
                    .filter(|(_, (old, new))| old != new)
                    .map(|(index, _)| copy * len + index + 1),
            );
        }
        Self {
            command: command.clone(),
            cuts,
        }
    }

    /// Before the first byte, after the last, between the copies, and some in between.
    fn list(&self, samples: u64, seed: u64) -> Vec<Choice> {
        let len = self.command.bytes.len();
        let between = self.cuts.partition_point(|cut| *cut <= len);
        let always = [
            0,
            1,
            between.saturating_sub(1),
            between,
            self.cuts.len() - 1,
        ];
        let drawn = (0..samples).map(|n| {
            let draw = mix(seed ^ mix(n)) % self.cuts.len() as u64;
            usize::try_from(draw).unwrap_or(0)
        });
        let mut indices: Vec<usize> = if samples >= self.cuts.len() as u64 {
            (0..self.cuts.len()).collect()
        } else {
            always.into_iter().chain(drawn).collect()
        };
        indices.sort_unstable();
        indices.dedup();
        let cuts = indices.iter().filter_map(|index| self.cuts.get(*index));
        cuts.map(|cut| Choice::Cut(*cut)).collect()
    }

    fn apply(&self, platter: &mut Platter, cut: usize) -> u64 {
        let len = self.command.bytes.len();
        let mut change = 0;
        for (copy, place) in self.command.places.iter().enumerate() {
            let here = cut.saturating_sub(copy * len).min(len);
            let Some(bytes) = self.command.bytes.get(..here) else {
                continue;
            };
            for (at, sector) in (*place..)
                .step_by(SECTOR_BYTES)
                .zip(bytes.chunks(SECTOR_BYTES))
            {
                change ^= platter_hash(platter, at);
                platter.write(at, sector);
                change ^= platter_hash(platter, at);
            }
        }
        change
    }
}

/// The hash of a sector as it lies.
fn platter_hash(platter: &Platter, at: usize) -> u64 {
    sector_hash(at, platter.get(at, SECTOR_BYTES).unwrap_or_default())
}

/// A hash of a sector and its place; the exclusive or over all sectors is the medium's.
fn sector_hash(at: usize, bytes: &[u8]) -> u64 {
    let mut hash = mix(at as u64);
    for word in bytes.chunks(8) {
        let mut value = 0;
        for byte in word {
            value = value << 8 | u64::from(*byte);
        }
        hash = (hash ^ value)
            .wrapping_mul(0xD6E8_FEB8_6659_FD93)
            .rotate_left(29);
    }
    mix(hash)
}

/// Writes those sectors of a command; returns by how much that changes the medium's hash.
pub(super) fn persist(
    platter: &mut Platter,
    command: &Command,
    persists: impl Fn(usize) -> bool,
) -> u64 {
    let mut change = 0;
    for (index, (at, bytes)) in command.sectors(SECTOR_BYTES).enumerate() {
        if persists(index) {
            change ^= platter_hash(platter, at);
            platter.write(at, bytes);
            change ^= platter_hash(platter, at);
        }
    }
    change
}
