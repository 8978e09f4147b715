//! Lies that the suite must find, to know that it can.

use std::sync::Arc;

use super::kept::keeps;
use super::model::{Expect, Model};
use crate::media::{Command, Device, Target};

/// What is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// The device says durable and writes nothing.
    DeviceLies,
    /// The ring says durable and writes nothing; the truth store is sound.
    VolumeLies,
    /// Writes of the truth store are never flushed, whatever was asked.
    SlotsUnflushed,
    /// An acknowledged entry was another one.
    OtherEntry,
    /// A group was never handed in.
    NothingUnderWay,
    /// The device is blank.
    Blank,
    /// The engine panics.
    Panics,
    /// A sound frame is damaged before the opening.
    Rot,
    /// The keep-ring's device says durable and writes nothing.
    KeepLies,
    /// A kept entry was another one.
    OtherKept,
}

impl Planted {
    /// Whether a whole command does not happen.
    pub(super) fn drops(self, command: &Command) -> bool {
        match self {
            Self::DeviceLies => true,
            Self::VolumeLies => matches!(command.target, Target::Segment(_)),
            Self::KeepLies => matches!(command.target, Target::Keep(_)),
            _ => false,
        }
    }

    /// Whether a command that was to be durable is not.
    pub(super) fn defers(self, command: &Command) -> bool {
        self == Self::SlotsUnflushed && matches!(command.target, Target::TruthSlot(_))
    }

    /// Changes what the suite believes.
    pub(super) fn mislead(self, model: &mut Model, expects: &mut [Expect]) {
        match self {
            Self::OtherEntry => {
                // One that is in every ring: the last before the sequence's last operation.
                let acked = expects.first().map_or(0, |expect| expect.acked);
                let entry = acked
                    .checked_sub(1)
                    .and_then(|index| model.entries.get_mut(index));
                entry.into_iter().for_each(alter);
            }
            Self::OtherKept => {
                let kept = expects
                    .last()
                    .and_then(|expect| expect.kept.last().copied());
                let entry = kept.and_then(|kept| {
                    let mut ids = (kept.begin..kept.end).filter(|id| keeps(*id));
                    usize::try_from(ids.next()?).ok()
                });
                // What the ring itself no longer holds: only the keep-ring can tell.
                let oldest = usize::try_from(model.oldest).unwrap_or(usize::MAX);
                let entry = entry.filter(|id| *id < oldest);
                let entry = entry.and_then(|id| model.entries.get_mut(id));
                entry.into_iter().for_each(alter);
            }
            Self::NothingUnderWay => expects
                .iter_mut()
                .for_each(|expect| expect.under_way = Some(Arc::default())),
            _ => {}
        }
    }

    /// Changes what the engine finds.
    pub(super) fn damage(self, device: &Device, model: &Model) {
        match self {
            Self::Blank => {
                let blank = vec![0; device.map().bytes()];
                device.platter(|platter| platter.write(0, &blank));
            }
            Self::Rot => {
                // The bytes of the first entry, which a young log holds, wherever they lie.
                let first = model.entries.first().map(|entry| entry.bytes.clone());
                let found = first.and_then(|bytes| {
                    device.platter(|platter| {
                        platter
                            .bytes()
                            .windows(bytes.len().max(1))
                            .position(|window| *window == *bytes)
                    })
                });
                if let Some(at) = found {
                    device.rot(at + 8, 1);
                }
            }
            Self::Panics => unreachable!("a planted panic"),
            _ => {}
        }
    }
}

/// Another entry than was handed in, as far as the suite knows.
fn alter(entry: &mut journal::StoredEntry) {
    let mut bytes = entry.bytes.to_vec();
    bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1);
    entry.bytes = bytes.into();
}
