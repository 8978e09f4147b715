//! The uplink role: drives the exchange with the collector. Sees the log through the feed alone.

mod alarms;
mod feed;
mod https;
mod offers;
mod refusals;
mod statements;
mod tls;

use crate::clock;
use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use crate::roles::standing::Standing;
use alarms::Alarms;
use contract::{Contract, Uplink};
use evidence::kinds::{Ack, Event, Rollback};
use evidence::reasons::{EventCode, RollbackAlarm, RollbackWitness};
use evidence::{Digest, Payload, SourceId};
use exchange::{
    Action, CERTIFICATE_REVOKED, CollectorTime, Conflict, ConflictCause, Failure, Limits, Node,
    NodeConfig, Refusal, Report, Response, Tick, refusal_text,
};
use feed::Feed;
use https::{Answered, Client};
use ipc::message::Message;
use offers::{Offers, Span};
use refusals::Refusals;
use statements::Statements;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest wait before the feed is looked at again.
const FEED_WAIT_MS: u64 = 200;
/// Looks at the feed until missing entries are taken for gone: two minutes, longer than a medium stalls.
const MISSING_LOOKS_MAX: u32 = 1_200;
/// Pause between them.
const MISSING_PAUSE: Duration = Duration::from_millis(100);
/// A refused batch is tried again after this long at the least.
const REFUSED_WAIT_MS: u64 = 10_000;
/// Where statements of new keys are brought to.
const ADD_ROTATION: &str = "add-rotation";
/// The answer to a head that no key signed which counts, and to whoever was taken back.
const FORBIDDEN: u16 = 403;
/// What a node needs that was taken back.
const NEW_KEYS: &str =
    "the node needs new keys, enrolled there (docs/enrolment.md, Take keys back)";

/// Delivers until it is told to stop.
pub(crate) fn run(
    contract: &Contract,
    data: &DataDir,
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let uplink = contract
        .uplink
        .as_ref()
        .ok_or("the contract has no [uplink]")?;
    let mut link = RecorderLink::new(&data.recorder_socket(), "uplink", stop);
    let Some(welcome) = link.welcome() else {
        return Ok(());
    };
    let cosigner = uplink
        .collector_vkey
        .parse()
        .map_err(|error| format!("uplink.collector_key: {error}"))?;
    let config = NodeConfig {
        origin: welcome.origin,
        cosigner,
        limits: limits(uplink),
    };
    let (feed, acked) = Feed::open(&mut link)?;
    let mut role = Role {
        node: Node::new(config, acked),
        feed,
        link,
        client: Client::new(uplink, data.root(), welcome.newest_utc)?,
        own: SourceId::new("uplink").map_err(|error| error.to_string())?,
        refusals: Refusals::default(),
        standing: Standing::new(data.standing()),
        missing: 0,
        offers: Offers::default(),
        alarms: Alarms::default(),
        answered: None,
        statements: Statements::default(),
    };
    // A log that was rolled back may seal nothing, and have nothing to send.
    role.node.ask();
    // A collector that accepts and never answers costs a request's whole time.
    let request = Duration::from_millis(uplink.timeout_ms);
    while !stop.load(Ordering::Relaxed) {
        sandbox::pulse::busy(request);
        if !role.turn() {
            break;
        }
    }
    Ok(())
}

fn limits(uplink: &Uplink) -> Limits {
    Limits {
        backoff_first_ms: uplink.backoff_ms_min,
        backoff_max_ms: uplink.backoff_ms_max,
        request_timeout_ms: uplink.timeout_ms.saturating_mul(2),
        refused_wait_ms: uplink.backoff_ms_max.min(REFUSED_WAIT_MS),
        ..Limits::default()
    }
}

struct Role {
    node: Node,
    feed: Feed,
    link: RecorderLink,
    client: Client,
    own: SourceId,
    refusals: Refusals,
    standing: Standing,
    /// Looks at the feed in a row that did not find the leaves.
    missing: u32,
    offers: Offers,
    /// What the collector finds wrong with this log.
    alarms: Alarms,
    /// When the newest answer was made, where it did not say the time itself.
    answered: Option<Span>,
    statements: Statements,
}

impl Role {
    /// One step of the exchange; false when told to stop.
    fn turn(&mut self) -> bool {
        if !self.offer_time() {
            return false;
        }
        match self.node.poll(tick()) {
            Action::Nothing => self.read_feed(FEED_WAIT_MS),
            Action::WaitUntil(then) => {
                let left_ms = then.since(clock::mono()) / 1_000_000;
                self.read_feed(left_ms.clamp(1, FEED_WAIT_MS))
            }
            Action::NeedLeaves(need) => self.supply(need),
            Action::Send(request) => {
                // A place that is not noted is no harm until the ring is full; delivery goes on.
                if let Err(error) = self.standing.note(self.node.may_stand_at()) {
                    eprintln!("uplink: {error}");
                }
                let is_checkpoint = request.path.ends_with("add-checkpoint");
                steps::pass(if is_checkpoint {
                    "checkpoint.sending"
                } else {
                    "entries.sending"
                });
                // Whoever is told of a head by new keys has been told of these.
                let told = match is_checkpoint {
                    true => self.tell_of_rotations(),
                    false => Ok(true),
                };
                let outcome = match told {
                    Ok(true) => self.client.send(&request),
                    Ok(false) => return false,
                    Err(failure) => Err(failure),
                };
                steps::pass(if is_checkpoint {
                    "checkpoint.answered"
                } else {
                    "entries.answered"
                });
                match outcome {
                    Ok(answered) => {
                        let alarm = answered.alarm.and_then(|alarm| self.alarms.heard(alarm));
                        let response = self.heard(answered);
                        let by_other_keys = is_checkpoint && response.status == FORBIDDEN;
                        self.node.answered(tick(), request.id, response);
                        if let Some(found) = alarm
                            && !self.hand_over(found.into())
                        {
                            return false;
                        }
                        if by_other_keys {
                            return self.statements.refused(&mut self.link, clock::mono());
                        }
                    }
                    Err(failure) => self.node.failed(tick(), request.id, failure),
                }
                true
            }
            Action::Report(report) => self.report(report),
        }
    }

    /// Brings what keys state of those that follow them; false when told to stop. A refusal is told: where the collector
    /// does not know the keys otherwise, the head that follows is refused for them.
    fn tell_of_rotations(&mut self) -> Result<bool, Failure> {
        while let Some(statement) = self.statements.next() {
            let answered = self.client.tell(ADD_ROTATION, statement)?;
            self.statements.answered();
            let refusal = Refusal {
                path: ADD_ROTATION,
                status: answered.status,
                detail: refusal_text(&answered.body),
            };
            if answered.status != 200 && !self.report(Report::Refused(refusal)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes an answer: what it says of the time, and the rest.
    fn heard(&mut self, answered: Answered) -> Response {
        let Answered {
            response,
            span,
            time,
            ..
        } = answered;
        self.answered = time.is_none().then_some(span);
        if let Some(said) = time {
            self.offers.heard(span, said);
        }
        response
    }

    /// Offers to the time process what the collector said of the time; false when told to stop.
    fn offer_time(&mut self) -> bool {
        let Some(offer) = self.offers.due(clock::mono()) else {
            return true;
        };
        match self.link.ask(&offer.into()) {
            Some(Message::Accepted(_)) => true,
            Some(other) => {
                eprintln!("uplink: the recorder did not take the collector's time: {other:?}");
                true
            }
            None => false,
        }
    }

    fn read_feed(&mut self, wait_ms: u64) -> bool {
        let Some(news) = self.feed.checkpoints(&mut self.link, wait_ms) else {
            return false;
        };
        self.statements.heard(news.rotations);
        for sealed in news.sealed {
            self.node.offer(sealed);
        }
        if news.caught_up {
            self.node.caught_up();
        }
        true
    }

    /// What is missing just now may be named, or readable, a moment later: only what stays missing for
    /// [`MISSING_LOOKS_MAX`] looks is gone.
    fn supply(&mut self, need: exchange::Need) -> bool {
        let Some(supply) = feed::supply(&mut self.link, need) else {
            return false;
        };
        match supply {
            Ok(supply) => {
                self.missing = 0;
                if let Err(error) = self.node.supply(supply) {
                    eprintln!("uplink: {error}");
                }
            }
            Err(reason) if self.missing >= MISSING_LOOKS_MAX => {
                self.missing = 0;
                eprintln!("uplink: entries from {} on: {reason}", need.from);
                self.node.leaves_unavailable();
            }
            Err(_) => {
                self.missing += 1;
                std::thread::sleep(MISSING_PAUSE);
            }
        }
        true
    }

    /// Hands to the recorder what becomes evidence.
    fn report(&mut self, report: Report) -> bool {
        let payload = match report {
            Report::Acked(acked) => {
                // A collector that says no time of its own has signed one, of whole seconds.
                let said = CollectorTime::of_second(acked.time_s);
                if let Some((span, said)) = self.answered.take().zip(said) {
                    self.offers.heard(span, said);
                }
                Payload::from(Ack {
                    at: clock::mono(),
                    collector: acked.cosigner,
                    size: acked.head.size,
                    root: Digest(acked.head.root.0),
                    cosignature: acked.line,
                })
            }
            Report::Down(failure) => self.event(EventCode::UplinkDown, self.client.why(failure)),
            Report::Up => self.event(EventCode::UplinkUp, String::new()),
            Report::Refused(refusal) => {
                let words = refusal_words(&refusal);
                match self.refusals.heard(words, clock::mono()) {
                    Some((words, count)) => self.refused(words, count),
                    None => return true,
                }
            }
            Report::Regressed { stated, cosigned } => self.event(
                EventCode::UplinkConflict,
                format!("the collector states {stated}, but it cosigned {cosigned}: it lost data"),
            ),
            Report::LocalMismatch(head) => self.event(
                EventCode::UplinkConflict,
                format!(
                    "the leaves of this node do not give the root it sealed at {}",
                    head.size
                ),
            ),
            Report::Conflict(conflict) => {
                let words = format!(
                    "delivery stops ({}): the collector states size {} (status {}); {}",
                    conflict.cause.name(),
                    conflict.stated,
                    conflict.status,
                    cure(conflict.cause)
                );
                let rollback = rolled_back(&conflict, &words);
                let event = self.event(EventCode::UplinkConflict, words);
                return self.hand_over(event)
                    && rollback.is_none_or(|rollback| self.hand_over(rollback.into()));
            }
        };
        self.hand_over(payload)
    }

    fn hand_over(&mut self, payload: Payload) -> bool {
        // What the recorder does not take it has said; the place in the log does not hang on it.
        self.link.report(&payload).is_some()
    }

    fn refused(&self, words: String, count: u64) -> Payload {
        let mut payload = self.event(EventCode::UplinkRefused, words);
        if let Payload::Event(event) = &mut payload {
            event.count = Some(count);
        }
        payload
    }

    fn event(&self, code: EventCode, detail: String) -> Payload {
        Event {
            detail: (!detail.is_empty()).then_some(detail),
            ..Event::new(clock::mono(), code, self.own.clone())
        }
        .into()
    }
}

/// What was refused. An answer of success is refused by this side: what it says does not hold.
fn refusal_words(refusal: &Refusal) -> String {
    let Refusal {
        path,
        status,
        detail,
    } = refusal;
    match *status {
        200 if detail.contains("cosignature") => format!(
            "{path} was taken, but {detail}: it is not by the key of uplink.collector_key, which must be the \
             one that the collector says when it starts (vkey of its collector.json)"
        ),
        0 => format!("{path} was not sent: {detail}"),
        FORBIDDEN if detail.starts_with(CERTIFICATE_REVOKED) => {
            // Whatever was asked: one refusal, told once.
            format!("the collector answered {status}: {detail}; {NEW_KEYS}")
        }
        _ => format!("{path} answered {status}: {detail}"),
    }
}

/// What the collector's answer says of this log: it is the second witness of a rollback.
fn rolled_back(conflict: &Conflict, words: &str) -> Option<Rollback> {
    let alarm = match conflict.cause {
        ConflictCause::Ahead => RollbackAlarm::OlderImage,
        ConflictCause::Contradicted => RollbackAlarm::ClonedImage,
        ConflictCause::Unavailable => return None,
    };
    Some(Rollback {
        at: clock::mono(),
        alarm,
        witness: RollbackWitness::Collector,
        size: conflict.ours.as_ref().map_or(0, |ours| ours.head.size),
        known_size: Some(conflict.stated),
        counter: None,
        bound: None,
        value: None,
        detail: words.to_owned(),
    })
}

/// What a person can do about a conflict.
fn cure(cause: ConflictCause) -> &'static str {
    match cause {
        ConflictCause::Ahead => {
            "it holds more of this log than is here: this directory is an older copy, or another node has \
             its identity. Is there a newer disk of this node? Put it back, and the log goes on from it. Does another node run? Stop the \
             one that must not. Only where neither helps, `fieldnotary adopt DIR --cause conflict --reason TEXT` begins a new generation here"
        }
        ConflictCause::Contradicted => {
            "it holds another log under this name: this directory is an older copy that went on, or another \
             node has its identity. Is there a newer disk of this node? Put it back. Does another node run? Stop the one that must \
             not. Only where neither helps, `fieldnotary adopt DIR --cause conflict --reason TEXT` begins a new generation here"
        }
        ConflictCause::Unavailable => {
            "entries that the collector lacks are gone here and no LOSS entry carries their hashes; a \
             restart tries once more, `fieldnotary adopt DIR --reason TEXT` begins a new generation behind them"
        }
    }
}

fn tick() -> Tick {
    let mut random = [0u8; 8];
    // Without randomness the jitter is fixed, nothing else.
    let _ = getrandom::fill(&mut random);
    Tick {
        now: clock::mono(),
        random: u64::from_be_bytes(random),
    }
}
