//! The node's side: from sealed checkpoint to verified cosignature, over any interruption.

mod answers;
mod backoff;
mod offers;
mod stock;
mod table;
mod upload;
mod words;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use evidence::MonoNs;

use crate::batch::Batch;
use crate::body::Extent;
use crate::limits::{EVIDENCE_TRIES_MAX, REQUEST_ENTRIES_MAX};
use backoff::Backoff;
use offers::Offers;
use stock::Stock;

pub use answers::refusal_text;
pub use table::{Event, State, TABLE};
pub use words::{
    Acked, Action, Conflict, ConflictCause, Failure, Head, Limits, Method, Need, NodeConfig,
    Refusal, Report, Request, RequestId, Response, Sealed, Stats, Supply, SupplyError, Tick,
};

/// Where the collector stands.
#[derive(Clone, Debug)]
struct Position {
    /// Size of the newest checkpoint it took.
    pending: u64,
    /// First entry that it lacks.
    next: u64,
    /// What it wants to see again.
    ticket: Vec<u8>,
}

/// A request that is out.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    id: RequestId,
    deadline: MonoNs,
}

/// The node's state machine. See the crate's page for the order of calls.
#[derive(Clone, Debug)]
pub struct Node {
    config: NodeConfig,
    state: State,
    offers: Offers,
    newest: Option<Sealed>,
    acked: Option<Head>,
    target: Option<Sealed>,
    batch: Option<Batch>,
    position: Option<Position>,
    stock: Option<Stock>,
    in_flight: Option<InFlight>,
    next_id: u64,
    backoff: Backoff,
    moves: u32,
    doubted: bool,
    down: bool,
    regression_told: bool,
    /// Whether the collector is to be asked where it stands, though there may be nothing to send.
    asking: bool,
    evidence_tries: u32,
    conflict: Option<Conflict>,
    reports: VecDeque<Report>,
    stats: Stats,
}

impl Node {
    /// A node that has `acked` cosigned (the newest ack entry of its journal), if anything.
    #[must_use]
    pub fn new(config: NodeConfig, acked: Option<Head>) -> Self {
        Self {
            config,
            state: State::Starting,
            offers: Offers::default(),
            newest: None,
            acked,
            target: None,
            batch: None,
            position: None,
            stock: None,
            in_flight: None,
            next_id: 0,
            backoff: Backoff::default(),
            moves: 0,
            doubted: false,
            down: false,
            regression_told: false,
            asking: false,
            evidence_tries: 0,
            conflict: None,
            reports: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Tells of a sealed checkpoint: every one as the log is read, from the cosigned size on.
    pub fn offer(&mut self, sealed: Sealed) {
        let size = sealed.head.size;
        if self
            .newest
            .as_ref()
            .is_none_or(|newest| newest.head.size < size)
        {
            self.newest = Some(sealed.clone());
        }
        if self.acked.is_none_or(|acked| acked.size < size) {
            self.offers.add(sealed);
        }
    }

    /// Tells that every checkpoint sealed before now has been offered. Until then nothing is sent:
    /// a collector that knows more than was offered would look like a conflict.
    pub fn caught_up(&mut self) {
        self.step(Event::CaughtUp);
    }

    /// Asks the collector once where it stands, also where there is nothing to send: a log that was rolled back and seals
    /// no more learns of it there.
    pub fn ask(&mut self) {
        self.asking = true;
    }

    /// Takes the leaves that [`Action::NeedLeaves`] asked for, or a first part of them.
    ///
    /// # Errors
    /// Why they are not taken; after [`SupplyError::Changed`] the batch is read anew.
    pub fn supply(&mut self, supply: Supply) -> Result<(), SupplyError> {
        let need = self.need().ok_or(SupplyError::NotAsked)?;
        if supply.from != need.from {
            return Err(SupplyError::Elsewhere {
                expected: need.from,
                got: supply.from,
            });
        }
        if need.frontier {
            let frontier = supply.frontier.as_ref().ok_or(SupplyError::Frontier)?;
            if frontier.size() != need.from {
                return Err(SupplyError::Frontier);
            }
            self.stock = Some(Stock::new(frontier));
        }
        let needed_end = self.first_extent().map_or(0, |extent| extent.end);
        let held_bytes_max = self.config.limits.held_bytes_max;
        let Some(stock) = &mut self.stock else {
            return Err(SupplyError::NotAsked);
        };
        let taken = stock.take(supply, held_bytes_max, needed_end);
        if taken.is_err() {
            self.stock = None;
            if self.state == State::Uploading {
                self.step(Event::Moved);
            }
        }
        taken
    }

    /// Tells that the leaves asked for are gone, and no LOSS entry names them.
    pub fn leaves_unavailable(&mut self) {
        if self.need().is_some() {
            self.begin_conflict(ConflictCause::Unavailable, 0, Vec::new());
            self.step(Event::Unavailable);
        }
    }

    /// What to do now. Call it after every input, until it says to wait.
    pub fn poll(&mut self, tick: Tick) -> Action {
        if let Some(out) = self.in_flight
            && tick.now >= out.deadline
        {
            self.failed(tick, out.id, Failure::Timeout);
        }
        loop {
            if let Some(report) = self.reports.pop_front() {
                return Action::Report(report);
            }
            if let Some(out) = self.in_flight {
                return Action::WaitUntil(out.deadline);
            }
            if let Some(action) = self.act(tick) {
                return action;
            }
        }
    }

    /// Where the node stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The batch under way.
    #[must_use]
    pub const fn batch(&self) -> Option<&Batch> {
        self.batch.as_ref()
    }

    /// Sizes at which the collector may stand once the request just handed out is answered or lost:
    /// its next entry, its newest checkpoint, the checkpoint of the batch, every package end on the way.
    #[must_use]
    pub fn may_stand_at(&self) -> Vec<u64> {
        let Some(position) = &self.position else {
            return Vec::new();
        };
        let end = self.target.as_ref().map_or(0, |target| target.head.size);
        let mut sizes = Vec::from([position.next, position.pending, end]);
        let reach = position
            .next
            .saturating_add(self.config.limits.request_entries_max);
        let mut at = position.next;
        while at < end && at <= reach {
            at = Extent::standard(at, end).end;
            sizes.push(at);
        }
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// What is cosigned.
    #[must_use]
    pub const fn acked(&self) -> Option<Head> {
        self.acked
    }

    /// What was counted.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// One step without input: an action, or `None` when the state moved and is to be asked again.
    fn act(&mut self, tick: Tick) -> Option<Action> {
        match self.state {
            State::Starting | State::Conflict => Some(Action::Nothing),
            State::Idle => self.act_idle(),
            State::BackingOff => {
                let until = self.backoff.until();
                if tick.now < until {
                    return Some(Action::WaitUntil(until));
                }
                self.step(Event::Due);
                None
            }
            State::Probing => Some(self.send_probe(tick)),
            State::Gathering => self.act_gathering(tick),
            State::AwaitingSeal => self.act_awaiting(),
            State::Announcing => self.send_checkpoint(tick),
            State::Uploading => match self.need() {
                Some(need) => {
                    self.stats.rereads = self.stats.rereads.saturating_add(1);
                    Some(Action::NeedLeaves(need))
                }
                None => self.send_entries(tick),
            },
            State::Contesting => Some(self.send_contest(tick)),
            State::Fetching => self.act_fetching(tick),
        }
    }

    fn act_idle(&mut self) -> Option<Action> {
        if self.offers.newest().is_none() {
            if !self.asking {
                return Some(Action::Nothing);
            }
            self.step(Event::Sealed);
            return None;
        }
        let known = self.position.is_some();
        if known && !self.choose_target(0) {
            self.position = None;
        }
        let event = if self.position.is_some() {
            Event::SealedInStep
        } else {
            Event::Sealed
        };
        self.step(event);
        None
    }

    /// Chooses the sealed size to go to; it lies past `above` and not before what was announced.
    fn choose_target(&mut self, above: u64) -> bool {
        let Some(position) = &self.position else {
            return false;
        };
        let acked = self.acked.map_or(0, |head| head.size);
        let least = position
            .pending
            .max(above.saturating_add(1))
            .max(acked.saturating_add(1));
        let most = position
            .next
            .saturating_add(self.config.limits.batch_entries_max);
        let Some(target) = self.offers.pick(least, most).cloned() else {
            return false;
        };
        let from = acked.min(target.head.size);
        let head = target.head;
        self.batch = Some(Batch::new(&self.config.origin, from, head.size, head.root));
        self.target = Some(target);
        true
    }

    fn act_gathering(&mut self, tick: Tick) -> Option<Action> {
        if let Some(need) = self.need() {
            return Some(Action::NeedLeaves(need));
        }
        let Some(target) = self.target.as_ref().map(|sealed| sealed.head) else {
            self.give_up(tick, Event::Mismatch, 0);
            return None;
        };
        let Some(stock) = &self.stock else {
            // Nothing to read: the collector has all entries of the batch already.
            self.step(Event::Gathered);
            return None;
        };
        if stock
            .named_below(target.size)
            .is_some_and(|named| named >= target.size)
        {
            self.step(Event::Unnamed);
            return None;
        }
        if stock.root_at(target.size) == Ok(target.root) {
            self.step(Event::Gathered);
        } else {
            self.stock = None;
            self.reports.push_back(Report::LocalMismatch(target));
            self.give_up(tick, Event::Mismatch, self.config.limits.refused_wait_ms);
        }
        None
    }

    fn act_awaiting(&mut self) -> Option<Action> {
        let end = self.stock.as_ref().map_or(0, Stock::end);
        let named = self.stock.as_ref().and_then(|stock| stock.named_below(end));
        if self.choose_target(named.unwrap_or(0)) {
            self.step(Event::SealedInStep);
            None
        } else {
            Some(Action::Nothing)
        }
    }

    fn act_fetching(&mut self, tick: Tick) -> Option<Action> {
        let until = self.backoff.until();
        if self.evidence_tries > 0 && tick.now < until {
            return Some(Action::WaitUntil(until));
        }
        if self.evidence_tries >= EVIDENCE_TRIES_MAX {
            self.keep_evidence(None);
            return None;
        }
        self.evidence_tries = self.evidence_tries.saturating_add(1);
        Some(self.send_fetch(tick))
    }

    /// The leaves that are missing for the next step.
    fn need(&self) -> Option<Need> {
        let (target, position) = (self.target.as_ref()?, self.position.as_ref()?);
        let end = target.head.size;
        match self.state {
            State::Gathering => {
                let from = self.stock.as_ref().map_or(position.next, Stock::end);
                (from < end).then_some(Need {
                    from,
                    to: end,
                    frontier: self.stock.is_none(),
                })
            }
            State::Uploading => {
                let extent = self.first_extent()?;
                let held = self.stock.as_ref()?.held_end();
                (held < extent.end).then(|| Need {
                    from: held,
                    to: end
                        .min(held.saturating_add(REQUEST_ENTRIES_MAX))
                        .max(extent.end),
                    frontier: false,
                })
            }
            State::Starting
            | State::Idle
            | State::Probing
            | State::AwaitingSeal
            | State::Announcing
            | State::BackingOff
            | State::Contesting
            | State::Fetching
            | State::Conflict => None,
        }
    }

    /// The first package that the collector lacks.
    fn first_extent(&self) -> Option<Extent> {
        let (target, position) = (self.target.as_ref()?, self.position.as_ref()?);
        let end = target.head.size;
        (position.next < end).then(|| match &self.stock {
            Some(stock) => stock.extent(position.next, end),
            None => Extent::standard(position.next, end),
        })
    }

    /// Takes a transition of the table; an event without one changes nothing.
    fn step(&mut self, event: Event) -> bool {
        match self.state.after(event) {
            Some(next) => {
                self.state = next;
                true
            }
            None => false,
        }
    }

    /// Moves by a failure event and begins the wait that it leads to.
    fn give_up(&mut self, tick: Tick, event: Event, floor_ms: u64) {
        if self.step(event) {
            self.stats.backoffs = self.stats.backoffs.saturating_add(1);
            self.backoff.begin(&self.config.limits, tick, floor_ms);
        }
    }

    fn begin_conflict(&mut self, cause: ConflictCause, status: u16, statement: Vec<u8>) {
        let stated = self
            .position
            .as_ref()
            .map_or(0, |position| position.pending);
        self.evidence_tries = 0;
        self.conflict = Some(Conflict {
            cause,
            ours: self.newest.clone(),
            stated,
            status,
            statement,
            checkpoint: None,
        });
    }

    fn keep_evidence(&mut self, checkpoint: Option<Vec<u8>>) {
        if self.step(Event::Kept)
            && let Some(mut conflict) = mem::take(&mut self.conflict)
        {
            conflict.checkpoint = checkpoint;
            self.reports.push_back(Report::Conflict(conflict));
        }
    }

    fn refuse(&mut self, tick: Tick, path: &'static str, status: u16, detail: String) {
        self.stats.refusals = self.stats.refusals.saturating_add(1);
        self.reports.push_back(Report::Refused(Refusal {
            path,
            status,
            detail,
        }));
        self.give_up(tick, Event::Refused, self.config.limits.refused_wait_ms);
    }
}
