//! Where sequences begin: a young log, one whose ring has been round and is nearly full, and one like that
//! whose entries pass by a keep-ring.

use evidence::reasons::TruthClass;

use super::actor::{Actor, SHAPE, Stuck};
use super::kept::KEEP_SHAPE;
use super::model::Model;
use super::operation::Operation;
use crate::media::{Device, Map};

/// A log that was closed orderly.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) name: &'static str,
    pub(super) class: TruthClass,
    bytes: Vec<u8>,
    model: Model,
    number: u64,
}

/// The classes, with their names.
pub(super) const CLASSES: [(TruthClass, &str); 3] = [
    (TruthClass::Independent, "independent"),
    (TruthClass::SameDeviceSync, "same-device-sync"),
    (TruthClass::SameDeviceDeferred, "same-device-deferred"),
];

const YOUNG: &[Operation] = &[Operation::Append];
/// Refused writes leave segments behind that are nearly empty: there is less to read in each state.
const ROUND: &[Operation] = &[
    Operation::Lease,
    Operation::Group,
    Operation::Refused,
    Operation::Seal,
    Operation::Refused,
    Operation::Seal,
    Operation::Refused,
    Operation::Seal,
    Operation::Refused,
];

/// The base with a keep-ring.
const KEEPING: &str = "keeping";

fn map(name: &str) -> Map {
    let plain = Map::new(SHAPE);
    match name {
        KEEPING => plain.with_keep(KEEP_SHAPE),
        _ => plain,
    }
}

impl Base {
    /// The operations of its sequences.
    pub(super) fn alphabet(&self) -> &'static [Operation] {
        match self.name {
            KEEPING => Operation::KEEPING,
            _ => Operation::PLAIN,
        }
    }

    /// All of them.
    pub(super) fn all() -> Result<Vec<Self>, Stuck> {
        let kinds = [("young", YOUNG), ("round", ROUND), (KEEPING, ROUND)];
        let all = CLASSES.iter().flat_map(|(class, _)| {
            kinds.map(|(name, operations)| Self::build(name, *class, operations))
        });
        all.collect()
    }

    fn build(
        name: &'static str,
        class: TruthClass,
        operations: &[Operation],
    ) -> Result<Self, Stuck> {
        let map = map(name);
        let device = Device::mapped(map, class, vec![0; map.bytes()]);
        let mut actor = Actor::create(device.clone())?;
        for operation in operations {
            actor.perform(*operation)?;
        }
        if name != "young" {
            actor.fill()?;
        }
        actor.close()?;
        Ok(Self {
            name,
            class,
            bytes: device.platter(|platter| platter.bytes().to_vec()),
            number: actor.number(),
            model: actor.model,
        })
    }

    pub(super) fn start(&self) -> Result<Actor, Stuck> {
        let device = Device::mapped(map(self.name), self.class, self.bytes.clone());
        Actor::open(device, self.model.clone(), self.number)
    }

    pub(super) fn class_name(&self) -> &'static str {
        let named = CLASSES.iter().find(|(class, _)| *class == self.class);
        named.map_or("", |(_, name)| name)
    }
}
