//! Drives the engine of one card: edges, samples, time and leases in, records out.

use super::Place;
use super::board::Board;
use super::keeper::Progress;
use super::orders::{About, Orders};
use super::outbox::{CARD_ITEMS_MAX, News, Outbox};
use super::session::{self, Delivery};
use super::work::Watch;
use crate::clock;
use crate::roles::link::RecorderLink;
use contract::{Active, CardKind, Contract, OnLoss, OutputRules};
use evidence::reasons::{CountBasis, ModemOutcome};
use evidence::{MeterId, MonoNs, PointId, Seq, SourceId};
use io_plane::outputs::{Asked, Drive, Seen};
use io_plane::points::{Action, CardEngine, Input, Polled, Restored};
use ipc::message::{CountFloor, Message};
use lines::{Behind, Source, Wanted, WantedOutput, Wires};
use media::{CountBoard, Counts, MarkerBoard, Times};
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest wait, so that a stop is noticed.
const LOOK_UP_NS: u64 = 100_000_000;

/// Captures on one card until it is told to stop.
pub(super) fn run(
    place: &Place<'_>,
    board: &Board,
    wires: &Wires,
    progress: Progress,
) -> Result<(), String> {
    let Place {
        contract,
        data,
        id,
        stop,
        work,
    } = *place;
    let (bell, ringer) = session::bell(id)?;
    let give_up = Arc::new(AtomicBool::new(false));
    let mut link = RecorderLink::for_port(&data.recorder_socket(), id, &give_up);
    let Some(welcome) = session::welcome(&mut link, stop, &give_up) else {
        return Ok(());
    };
    let Some(work) = work.of(id, stop) else {
        return Ok(());
    };
    let on_board = |error: media::MediaError| format!("card {id}: its boards: {error}");
    let (dir, boot, group) = (data.markers(), clock::boot_id(), MeterId::from(id));
    let meters = pulse_meters(contract, id);
    let marks = MarkerBoard::open(&dir, id, boot, std::slice::from_ref(&group));
    let (marks, _, marks_found) = marks.map_err(on_board)?;
    let card = contract.points.cards.get(id);
    let played = card.is_some_and(|card| card.kind == CardKind::Recording);
    let (counts, counted, counts_found) =
        CountBoard::open(&dir, id, played, boot, &meters).map_err(on_board)?;
    for finding in marks_found.iter().chain(&counts_found) {
        eprintln!("io: {id}: its boards: {finding:?}");
    }
    let Some(restored) = restored(&mut link, &meters, &counted)? else {
        return Ok(());
    };
    let engine = CardEngine::new(contract, id, welcome.contract, &restored)
        .map_err(|error| format!("card {id}: {error}"))?;
    let outbox = Outbox::new(ringer, CARD_ITEMS_MAX);
    let mut driver = Driver {
        elsewhere: elsewhere(contract, id),
        known: BTreeMap::new(),
        board,
        wires,
        id,
        group,
        contract,
        engine,
        marks,
        counts,
        outbox: Arc::clone(&outbox),
        bell,
        source: None,
        now: clock::mono(),
        wake_at: MonoNs(0),
        stopped: false,
        progress,
        work,
    };
    driver.number_slots(&mut link)?;
    board.watch(id, &outbox);
    let has_outputs = contract.points.outputs().any(|one| one.card == id);
    let orders =
        has_outputs.then(|| Orders::begin(&data.recorder_socket(), About::Outputs, id, &outbox));
    let delivery = Delivery::begin(outbox, link, id, give_up);
    driver.drive(stop);
    driver.outbox.close();
    let delivered = delivery.end();
    orders.map_or(Ok(()), Orders::end)?;
    delivered
}

/// Takes an input and whatever follows from it, each with its instant, in the order in which it came to be: a sample
/// from before a drive is never behind it.
fn in_order<T>(first: (MonoNs, T), mut take: impl FnMut(MonoNs, T) -> Vec<(MonoNs, T)>) {
    let mut waiting = VecDeque::from([first]);
    while let Some((at, input)) = waiting.pop_front() {
        waiting.extend(take(at, input));
    }
}

/// Points of other cards that have a say in outputs of this one.
fn elsewhere(contract: &Contract, card: &SourceId) -> BTreeSet<PointId> {
    let points = &contract.points;
    let mine = points.outputs().filter(|output| output.card == card);
    let watched = mine.map(|output| output.rules);
    let watched = watched.flat_map(OutputRules::watched);
    let own: BTreeSet<&PointId> = points.on(card).into_iter().collect();
    watched
        .filter(|point| !own.contains(point))
        .cloned()
        .collect()
}

fn pulse_meters(contract: &Contract, card: &SourceId) -> Vec<PointId> {
    let pulses = contract.points.pulses.values();
    let mine = pulses.filter(|pulse| pulse.card == *card);
    mine.map(|pulse| pulse.id.clone()).collect()
}

/// Where the counts stood: by the log or by the board, whichever is further; `None` when told to stop.
fn restored(
    link: &mut RecorderLink,
    meters: &[PointId],
    board: &Counts,
) -> Result<Option<BTreeMap<PointId, Restored>>, String> {
    let mut restored = BTreeMap::new();
    for point in meters {
        let asked = CountFloor {
            point: point.clone(),
        };
        let log = match link.ask(&asked.into()) {
            Some(Message::CountStart(start)) => start.count,
            Some(other) => return Err(format!("no count of {point}: {other:?}")),
            None => return Ok(None),
        };
        restored.extend(further(log, board.get(point).copied()).map(|one| (point.clone(), one)));
    }
    Ok(Some(restored))
}

fn further(log: Option<u64>, board: Option<u64>) -> Option<Restored> {
    let of = |count: Option<u64>, basis| count.map(|count| Restored { count, basis });
    match board > log {
        true => of(board, CountBasis::Board),
        false => of(log, CountBasis::Log),
    }
}

struct Driver<'a> {
    board: &'a Board,
    wires: &'a Wires,
    /// Points of other cards that have a say in outputs of this one, and what they said.
    elsewhere: BTreeSet<PointId>,
    known: BTreeMap<PointId, Seen>,
    id: &'a SourceId,
    group: MeterId,
    contract: &'a Contract,
    engine: CardEngine,
    marks: MarkerBoard,
    counts: CountBoard,
    outbox: Arc<Outbox>,
    bell: UnixStream,
    source: Option<Box<dyn Source>>,
    /// Every edge up to here has been read: taken before the card is asked for them.
    now: MonoNs,
    wake_at: MonoNs,
    stopped: bool,
    progress: Progress,
    work: Watch,
}

/// Also where the work ended by a fault: what is in the queue is delivered, and no more comes.
impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.board.gone(self.id);
        self.outbox.close();
    }
}

impl Driver<'_> {
    fn number_slots(&mut self, link: &mut RecorderLink) -> Result<(), String> {
        for schedule in self.engine.schedules() {
            let clock = session::slots(link, self.contract, self.id, &schedule)?;
            let Some(clock) = clock else { return Ok(()) };
            self.feed(Input::Schedule { schedule, clock });
        }
        Ok(())
    }

    fn drive(&mut self, stop: &AtomicBool) {
        let mut told = false;
        while !self.stopped {
            self.progress.made();
            self.now = clock::mono();
            self.board.alive(self.id, self.now);
            self.look_at_board();
            self.read_edges();
            if stop.load(Ordering::Relaxed) && !told {
                told = true;
                self.feed(Input::Stop);
                continue;
            }
            if let Some(work) = self.work.news() {
                self.feed(Input::Work(work));
            }
            if self.now >= self.wake_at {
                self.feed(Input::Tick);
            }
            if self.wait() {
                self.take_news();
            }
        }
    }

    /// What is known of other cards comes before whatever depends on it.
    fn look_at_board(&mut self) {
        if self.elsewhere.is_empty() {
            return;
        }
        let seen = self.board.seen(&self.elsewhere, self.now);
        let changed = seen
            .iter()
            .filter(|(point, seen)| self.known.get(*point) != Some(*seen));
        let changed: Vec<(PointId, Seen)> = changed.map(|(p, seen)| (p.clone(), *seen)).collect();
        self.known = seen;
        for (point, seen) in changed {
            self.feed(Input::Outputs(Asked::Seen { point, seen }));
        }
    }

    fn read_edges(&mut self) {
        let Some(source) = &mut self.source else {
            return;
        };
        match source.edges(self.now) {
            Ok(edges) if edges.is_empty() => {}
            Ok(edges) => self.feed(Input::Edges(edges)),
            Err(fault) => {
                self.source = None;
                self.feed(Input::Lost {
                    detail: fault.to_string(),
                });
            }
        }
    }

    /// Waits for edges, the bell or the time; whether the bell rang.
    fn wait(&self) -> bool {
        let now = clock::mono();
        let look = self.source.as_ref().and_then(|source| source.next_at(now));
        let until = look.map_or(self.wake_at, |at| at.min(self.wake_at));
        let left = Duration::from_nanos(until.since(now).min(LOOK_UP_NS));
        let mut watched = vec![PollFd::new(&self.bell, PollFlags::IN)];
        let card = self.source.as_ref().and_then(|source| source.watched());
        watched.extend(card.as_ref().map(|card| PollFd::new(card, PollFlags::IN)));
        // An interrupted wait is a short one.
        let _ = poll(&mut watched, left.try_into().ok().as_ref());
        watched
            .first()
            .is_some_and(|bell| !bell.revents().is_empty())
    }

    fn take_news(&mut self) {
        // What happened while it waited comes before what was asked meanwhile.
        self.now = clock::mono();
        self.read_edges();
        self.look_at_board();
        for news in self.outbox.answered(&self.bell) {
            self.feed(match news {
                News::Full(full) => Input::QueueFull(full),
                // A card asks for none.
                News::Missed { .. } | News::Clock(_) => continue,
                News::Leased { stream, next, end } => Input::Lease { stream, next, end },
                News::Asked(asked) => Input::Outputs(asked),
            });
        }
    }

    /// Gives the engine an input and does what it wants, and what follows from that.
    fn feed(&mut self, input: Input) {
        in_order((self.now, input), |at, input| {
            let actions = self.engine.handle(at, input).into_iter();
            let follows = actions.filter_map(|action| {
                let input = self.perform(action)?;
                Some((self.now, input))
            });
            follows.collect()
        });
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Open => return Some(self.open()),
            Action::Close => self.source = None,
            Action::Read { channel } => return self.sample(channel),
            Action::Ask { point } => return self.ask(point),
            Action::ReadText { channel } => return self.text(channel),
            Action::Drive { point, to } => return Some(self.give(point, &to)),
            Action::Show { point, seen } => self.board.show(self.id, point, seen),
            Action::Mark { seq, at } => self.mark(seq, at),
            Action::Count { point, count, at } => {
                if let Err(error) = self.counts.count(&point, count, at) {
                    eprintln!("io: {}: the count board: {error}", self.id);
                }
            }
            Action::Emit(batch) => self.outbox.put_batch(self.id, batch),
            Action::NeedLease { stream } => self.outbox.put_lease(self.id, stream),
            Action::WakeAt(at) => self.wake_at = at,
            Action::Stopped => self.stopped = true,
        }
        None
    }

    fn give(&mut self, point: PointId, to: &Drive) -> Input {
        let taken = match &mut self.source {
            Some(source) => source
                .drive(to, self.now)
                .map_err(|fault| fault.to_string()),
            None => Err("the card is not open".to_owned()),
        };
        // The instant from which on a proof counts.
        self.now = clock::mono();
        Input::Outputs(Asked::Driven { point, taken })
    }

    fn open(&mut self) -> Input {
        match self.opened() {
            Ok((source, levels)) => {
                self.source = Some(source);
                Input::Opened(levels)
            }
            Err(detail) => Input::Refused { detail },
        }
    }

    /// It is a device that is asked and may take its time; edges of no kernel are older than what it says.
    fn is_asked(&self) -> bool {
        let card = self.contract.points.cards.get(self.id);
        card.is_some_and(|card| card.remote.is_some())
    }

    fn opened(&mut self) -> Result<(Box<dyn Source>, Vec<io_plane::points::Level>), String> {
        let card = self.contract.points.cards.get(self.id);
        let card = card.ok_or("the contract has no such card")?;
        let wanted = wanted(self.contract, self.id);
        let consumer = format!("fieldnotary {}", self.id);
        let outputs = wanted_outputs(self.contract, self.id);
        let port = card.remote.as_ref();
        let port = port.and_then(|remote| self.contract.ports.get(&remote.port));
        let behind = port.map(|port| Behind {
            port,
            wires: self.wires,
        });
        let opened = lines::open(card, behind, &wanted, &outputs, &consumer, self.now);
        let mut source = opened.map_err(|fault| fault.to_string())?;
        let levels = source.levels().map_err(|fault| fault.to_string())?;
        if self.is_asked() {
            self.now = clock::mono();
        }
        Ok((source, levels))
    }

    fn sample(&mut self, channel: String) -> Option<Input> {
        if self.is_asked() {
            self.now = clock::mono();
        }
        let taken = self.source.as_mut()?.sample(&channel, self.now);
        let taken = taken.map_err(|fault| fault.to_string());
        Some(Input::Sample { channel, taken })
    }

    fn ask(&mut self, point: PointId) -> Option<Input> {
        let modem = self.contract.points.modems.get(&point)?;
        let began = clock::mono();
        let taken = match self.source.as_mut() {
            Some(source) => source.ask(modem),
            None => Err((ModemOutcome::Unreachable, "the card is not open".to_owned())),
        };
        let took_ns = clock::mono().since(began);
        self.now = clock::mono();
        Some(Input::Answer(Polled {
            point,
            taken,
            took_ns,
        }))
    }

    fn text(&mut self, channel: String) -> Option<Input> {
        let taken = self.source.as_mut()?.text(&channel, self.now);
        let taken = taken.map_err(|fault| fault.to_string());
        Some(Input::Text { channel, taken })
    }

    fn mark(&mut self, seq: Seq, at: MonoNs) {
        let marked = self.marks.attempt(&self.group, Times { seq, at }, None);
        if let Err(error) = marked {
            eprintln!("io: {}: the marker board: {error}", self.id);
        }
    }
}

/// The lines that the points of a card need.
fn wanted(contract: &Contract, card: &SourceId) -> Vec<Wanted> {
    let points = &contract.points;
    let hardware = |policy: &PointId| {
        let us = points
            .policies
            .get(policy)
            .map_or(0, |policy| policy.hardware_us);
        u32::try_from(us).unwrap_or(u32::MAX)
    };
    let inputs = points.inputs.values().filter(|one| one.card == *card);
    let inputs = inputs.flat_map(|one| {
        let lines = [Some(one.line), one.fault_line].into_iter().flatten();
        lines.map(|line| Wanted {
            line,
            bias: one.bias,
            debounce_us: hardware(&one.policy),
        })
    });
    let pulses = points.pulses.values().filter(|one| one.card == *card);
    let pulses = pulses.map(|one| Wanted {
        line: one.line,
        bias: one.bias,
        debounce_us: hardware(&one.policy),
    });
    inputs.chain(pulses).collect()
}

/// The lines that outputs of a card drive, and where they are safe.
fn wanted_outputs(contract: &Contract, card: &SourceId) -> Vec<WantedOutput> {
    let outputs = contract.points.digital_outputs.values();
    let mine = outputs.filter(|output| output.card == *card);
    mine.map(|output| WantedOutput {
        line: output.line,
        high: output.safe == (output.active == Active::High),
        keep: output.rules.on_loss == OnLoss::Hold,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{further, in_order};
    use evidence::MonoNs;
    use evidence::reasons::CountBasis;

    //= R3.2
    #[test]
    fn what_follows_is_taken_in_the_order_and_with_the_instant_in_which_it_came_to_be() {
        let mut taken = Vec::new();
        in_order((MonoNs(1), "tick"), |at, input| {
            taken.push((at.0, input));
            match input {
                "tick" => vec![(MonoNs(1), "sample"), (MonoNs(5), "driven")],
                "sample" => vec![(MonoNs(5), "text")],
                _ => Vec::new(),
            }
        });
        let expected = [(1, "tick"), (1, "sample"), (5, "driven"), (5, "text")];
        assert_eq!(taken, expected);
    }

    //= A3.3
    #[test]
    fn a_count_comes_back_as_the_larger_of_log_and_board() {
        let check = |log, board, expected| {
            let found = further(log, board).map(|one| (one.count, one.basis));
            assert_eq!(found, expected, "{log:?} {board:?}");
        };
        check(None, None, None);
        check(Some(7), None, Some((7, CountBasis::Log)));
        check(None, Some(7), Some((7, CountBasis::Board)));
        check(Some(7), Some(8), Some((8, CountBasis::Board)));
        check(Some(8), Some(7), Some((8, CountBasis::Log)));
        check(Some(8), Some(8), Some((8, CountBasis::Log)));
    }
}
