//! The io role: each port and each card has its threads, kept apart so that one's trouble stays its own.

mod board;
mod card;
mod keeper;
mod orders;
mod outbox;
mod port;
mod session;
mod tap;
mod work;

use crate::clock;
use crate::paths::DataDir;
use crate::supervisor::Reports;
use board::Board;
use contract::Contract;
use evidence::SourceId;
use keeper::{Keeper, News, Progress};
use lines::Wires;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tap::Taps;
use work::UnderWay;

/// How often the ports are looked after.
const LOOK_UP: Duration = Duration::from_millis(20);

/// Captures on the ports and cards of the contract, or on those named, until it is told to stop.
pub(crate) fn run(
    contract: &Contract,
    data: &DataDir,
    only: &[String],
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let reports = Reports::to(data.recorder_socket(), "io");
    let work = UnderWay::ask(data, stop);
    let wanted = |id: &SourceId| only.is_empty() || only.iter().any(|port| port == id.as_str());
    // Remote cards of a port are one process's, for they share its wire.
    let cards = contract.points.cards.values();
    let cards = cards.filter(|card| {
        let port = card.remote.as_ref().map(|remote| &remote.port);
        wanted(port.unwrap_or(&card.id))
    });
    let taps = Taps::of(contract.ports.keys().filter(|id| wanted(id)));
    let listeners = taps.listeners();
    let wires = Wires::new(clock::mono, listeners.clone());
    let board = Arc::new(Board::default());
    let cards = cards.map(|card| {
        let (board, wires) = (Arc::clone(&board), wires.clone());
        let run = move |place: &Place<'_>, progress| card::run(place, &board, &wires, progress);
        keeper(contract, data, &card.id, stop, &work, run)
    });
    // Who is behind a port of remote I/O are its cards.
    let ports = listeners.iter();
    let ports = ports.filter(|(id, _)| !contract.points.has_port(id));
    let ports = ports.map(|(id, tap)| {
        let (tap, board) = (Arc::clone(tap), Arc::clone(&board));
        let run = move |place: &Place<'_>, progress| port::run(place, &tap, &board, progress);
        keeper(contract, data, id, stop, &work, run)
    });
    let mut keepers: Vec<Keeper> = ports.collect();
    taps.tell(data, stop);
    keepers.extend(cards);
    loop {
        sandbox::pulse::alive();
        let stopping = stop.load(Ordering::Relaxed);
        for keeper in &mut keepers {
            for news in keeper.tend(clock::mono().0 / 1_000_000, stopping) {
                tell(&reports, keeper.port(), news);
            }
        }
        if stopping && keepers.iter().all(Keeper::is_done) {
            return Ok(());
        }
        std::thread::sleep(LOOK_UP);
    }
}

/// What a port or a card works with.
struct Place<'a> {
    contract: &'a Contract,
    data: &'a DataDir,
    id: &'a SourceId,
    stop: &'a Arc<AtomicBool>,
    work: &'a UnderWay,
}

fn keeper(
    contract: &Contract,
    data: &DataDir,
    id: &SourceId,
    stop: &Arc<AtomicBool>,
    work: &UnderWay,
    run: impl Fn(&Place<'_>, Progress) -> Result<(), String> + Send + Sync + 'static,
) -> Keeper {
    let (contract, data, id, stop) = (contract.clone(), data.clone(), id.clone(), Arc::clone(stop));
    let (name, work) = (id.to_string(), work.clone());
    Keeper::new(&name, move |progress| {
        let place = Place {
            contract: &contract,
            data: &data,
            id: &id,
            stop: &stop,
            work: &work,
        };
        run(&place, progress)
    })
}

fn tell(reports: &Reports, port: &str, news: News) {
    eprintln!("io: {port}: {}", news.words);
    reports.send(news.code, port, 1, news.words);
}
