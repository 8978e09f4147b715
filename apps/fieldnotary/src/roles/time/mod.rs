//! The time role: looks at the clocks and their sources, and states how far stamps can be trusted.

mod counters;
mod offers;
mod policy;
mod probes;
mod shut_out;

use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use clocks::ClockSetSignal;
use contract::Contract;
use evidence::kinds::CounterSnapshot;
use evidence::{Captured, MonoNs, Payload, SourceId};
use ipc::message::{TimeStatement, Welcome};
use offers::{Fetched, Hand};
use probes::Probes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shut_out::ShutOut;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use time_plane::{Before, ClockComparison, Engine};

/// How often the clocks are compared where sources are measured: four looks in the second after which a
/// measurement is old.
const LOOK_EVERY_NS: u64 = 250_000_000;
/// And where none is: nothing changes by itself then.
const IDLE_LOOK_EVERY_NS: u64 = 1_000_000_000;
/// A daemon that tells something by itself is heard at once, and no more often than this.
const TOLD_PAUSE_NS: u64 = 50_000_000;
/// How often the role looks whether it is to stop.
const LOOK_UP_NS: u64 = 50_000_000;

/// Looks until it is told to stop.
pub(crate) fn run(
    contract: &Contract,
    data: &DataDir,
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let source = SourceId::new("time").map_err(|error| error.to_string())?;
    let mut probes = Probes::of(contract, data);
    let shut_out = ShutOut::of(contract);
    let mut signal = ClockSetSignal::new().ok();
    let every_ns = if contract.time.is_some() {
        LOOK_EVERY_NS
    } else {
        IDLE_LOOK_EVERY_NS
    };
    let mut link = RecorderLink::new(&data.recorder_socket(), "time", stop);
    let Some(welcome) = link.welcome() else {
        return Ok(());
    };
    let mut engine = Engine::new(source.clone(), policy::of(contract, welcome.newest_utc));
    engine = engine
        .after(before(welcome))
        .naming(probes::places(contract));
    let mut hand = Hand::of(contract);
    let (mut next, mut looked) = (MonoNs(0), MonoNs(0));
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        sandbox::pulse::alive();
        // Whoever keeps on telling is heard all the same, and no more often.
        let silent = clocks::mono() < looked.plus_ns(TOLD_PAUSE_NS);
        let daemons = if silent { Vec::new() } else { probes.wakes() };
        let woken = wait(signal.as_mut(), &daemons, next.min(probes.awaited()));
        let now = clocks::mono();
        let set = woken == Woken::ClockSet;
        let told = woken == Woken::Daemon;
        if now < next && now < probes.awaited() && !set && !told {
            continue;
        }
        let now = compare();
        looked = now.sample.mono;
        next = now.sample.mono.plus_ns(every_ns);
        if set || told {
            // Whoever made a step by itself knows by how much: until its next one.
            probes.ask_daemons_now();
        }
        if !engine.compare(&now, set) {
            // By the clock of an earlier look nothing is judged and nothing handed over: offers wait with the recorder.
            continue;
        }
        for seen in probes.look() {
            shut_out.look(&seen)?;
            engine.note(&seen);
        }
        if let Fetched::Stopped = offers::fetch(&mut link, &mut engine) {
            break;
        }
        hand.over(&mut engine);
        let Some(statement) = engine.conclude() else {
            continue;
        };
        number += 1;
        let events = statement.events.into_iter();
        let counters = CounterSnapshot {
            at: now.sample.mono,
            counters: counters::counters(&engine, contract, &source),
        };
        let message = TimeStatement {
            submission_id: number,
            statement: Captured::new(&Payload::from(statement.map)),
            journal: statement.journal,
            events: events.map(|event| Captured::new(&event.into())).collect(),
            counters: Captured::new(&counters.into()),
        };
        if link.ask(&message.into()).is_none() {
            break;
        }
    }
    Ok(())
}

/// What the recorder knows of this boot. A statement that is none counts for nothing.
fn before(welcome: Welcome) -> Before {
    let stated = welcome.statement.map(|stated| stated.payload());
    Before {
        map: stated.and_then(|payload| match payload {
            Ok(Payload::TimeMap(map)) => Some(map),
            _ => None,
        }),
        node_was_away: welcome.node_was_away,
        ran_in_this_boot: welcome.ran_in_this_boot,
        boot_to_stable_ns: welcome.boot_to_stable_ns,
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// The time.
    Time,
    /// The kernel signals that the clock was set.
    ClockSet,
    /// A daemon has something to tell.
    Daemon,
}

/// Waits a moment, until then at most.
fn wait(signal: Option<&mut ClockSetSignal>, daemons: &[BorrowedFd<'_>], until: MonoNs) -> Woken {
    let wait_ns = until.since(clocks::mono()).min(LOOK_UP_NS);
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: i64::try_from(wait_ns).unwrap_or(0),
    };
    let own = signal.as_ref().map(|signal| signal.as_fd());
    let heard = |fds: &[PollFd<'_>]| fds.iter().any(|fd| !fd.revents().is_empty());
    let mut fds: Vec<PollFd<'_>> = daemons
        .iter()
        .chain(&own)
        .map(|fd| PollFd::new(fd, PollFlags::IN))
        .collect();
    let _ = poll(&mut fds, Some(&wait));
    let told = heard(fds.get(..daemons.len()).unwrap_or_default());
    drop(fds);
    let set = signal.is_some_and(|signal| signal.take().unwrap_or(false));
    match (set, told) {
        (true, _) => Woken::ClockSet,
        (false, true) => Woken::Daemon,
        (false, false) => Woken::Time,
    }
}

/// The clocks as this node has them: a storm may move its UTC.
fn compare() -> ClockComparison {
    let mut now = clocks::compare();
    now.sample.kernel = clocks::kernel_status();
    now.sample.utc.0 = now.sample.utc.0.saturating_add(steps::utc_offset_ns());
    now
}
