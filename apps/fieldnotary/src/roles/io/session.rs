//! What a port and a card have in common with the recorder: the welcome, the slots, the delivery.

use super::outbox::Outbox;
use crate::clock;
use crate::roles::link::RecorderLink;
use contract::Contract;
use evidence::{ScheduleId, SourceId};
use io_plane::SlotClock;
use ipc::message::{Message, SlotFloor, Welcome};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest wait, so that a stop is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);
/// How long the last records may wait for the recorder at a stop.
const DRAIN: Duration = Duration::from_secs(4);

/// A bell, and what rings it.
pub(super) fn bell(id: &SourceId) -> Result<(UnixStream, UnixStream), String> {
    let pair = UnixStream::pair().map_err(|error| format!("{id}: cannot make a bell: {error}"))?;
    for end in [&pair.0, &pair.1] {
        end.set_nonblocking(true)
            .map_err(|error| format!("{id}: {error}"))?;
    }
    Ok(pair)
}

/// Waits for the recorder, but not past a stop.
pub(super) fn welcome(
    link: &mut RecorderLink,
    stop: &AtomicBool,
    give_up: &AtomicBool,
) -> Option<Welcome> {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) && !give_up.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK_UP);
            }
            give_up.store(true, Ordering::Relaxed);
        });
        let welcome = link.welcome();
        give_up.store(true, Ordering::Relaxed);
        welcome
    })
    .inspect(|_| give_up.store(false, Ordering::Relaxed))
}

/// Where the slots of a schedule stand; `None` when told to stop before the recorder said it.
pub(super) fn slots(
    link: &mut RecorderLink,
    contract: &Contract,
    id: &SourceId,
    schedule: &ScheduleId,
) -> Result<Option<SlotClock>, String> {
    let Some(plan) = contract.schedules.get(schedule) else {
        return Err(format!("{id}: the contract has no schedule {schedule}"));
    };
    let asked = SlotFloor {
        schedule: schedule.clone(),
    };
    match link.ask(&asked.into()) {
        Some(Message::SlotStart(start)) => Ok(Some(SlotClock {
            version: start.version,
            number_at_anchor: start.number,
            anchor: start.anchor,
            every_ns: plan.every_ms * 1_000_000,
        })),
        Some(other) => Err(format!("{id}: no slots of {schedule}: {other:?}")),
        None => Ok(None),
    }
}

/// The thread that delivers what is in an outbox.
pub(super) struct Delivery {
    id: SourceId,
    thread: JoinHandle<()>,
    give_up: Arc<AtomicBool>,
}

impl Delivery {
    /// Delivers over this link; `give_up` ends also its waiting for a recorder that is down.
    pub(super) fn begin(
        outbox: Arc<Outbox>,
        mut link: RecorderLink,
        id: &SourceId,
        give_up: Arc<AtomicBool>,
    ) -> Self {
        let (id, name) = (id.clone(), id.clone());
        let thread = std::thread::spawn(move || outbox.deliver(&mut link, &name));
        Self {
            id,
            thread,
            give_up,
        }
    }

    /// Waits until the closed outbox is empty, as long as a stop may take.
    pub(super) fn end(self) -> Result<(), String> {
        let deadline = clock::mono().plus_ns(u64::try_from(DRAIN.as_nanos()).unwrap_or(u64::MAX));
        while !self.thread.is_finished() && clock::mono() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.give_up.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| format!("{}: delivery ended by a fault of this program", self.id))
    }
}
