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
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use time_plane::{Before, ClockComparison, Engine};

/// How often the clocks are compared where sources are measured: four looks in the second after which a
/// measurement is old.
const LOOK_EVERY_NS: u64 = 250_000_000;
/// And where none is: nothing changes by itself then.
const IDLE_LOOK_EVERY_NS: u64 = 1_000_000_000;
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
    let mut next = MonoNs(0);
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        sandbox::pulse::alive();
        let set = wait(signal.as_mut(), next.min(probes.awaited()));
        let now = clocks::mono();
        if now < next && now < probes.awaited() && !set {
            continue;
        }
        let now = compare();
        next = now.sample.mono.plus_ns(every_ns);
        engine.compare(&now, set);
        if set {
            // Whoever made a step by itself knows by how much: until its next one.
            probes.ask_daemons_now();
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
        ran_in_this_boot: welcome.ran_in_this_boot,
        boot_to_stable_ns: welcome.boot_to_stable_ns,
    }
}

/// Waits a moment, until then at most; `true` where the kernel signals that the clock was set.
fn wait(signal: Option<&mut ClockSetSignal>, until: MonoNs) -> bool {
    let wait_ns = until.since(clocks::mono()).min(LOOK_UP_NS);
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: i64::try_from(wait_ns).unwrap_or(0),
    };
    let Some(signal) = signal else {
        let _ = poll(&mut [], Some(&wait));
        return false;
    };
    let fd = signal.as_fd();
    let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&wait));
    signal.take().unwrap_or(false)
}

/// The clocks as this node has them: a storm may move its UTC.
fn compare() -> ClockComparison {
    let mut now = clocks::compare();
    now.sample.kernel = clocks::kernel_status();
    now.sample.utc.0 = now.sample.utc.0.saturating_add(steps::utc_offset_ns());
    now
}
