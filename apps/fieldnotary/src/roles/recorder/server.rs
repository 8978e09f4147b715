//! The recorder's socket: one thread per connected process, requests answered in order.

use super::booted::Attester;
use super::feed::Feed;
use super::offers::Mailbox;
use super::throttle::{self, Throttle};
use super::watched::Watched;
use super::work::{Answer, Work};
use crate::clock;
use contract::Contract;
use evidence::kinds::Event;
use evidence::reasons::EventCode;
use evidence::{Captured, SourceId, Stream};
use ipc::message::{Attest, Attested, ClockFloor, ErrorCode, Message, MissedFloor, OutputFloor};
use ipc::{Channel, IpcError, Listener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

/// Why a request is refused: its code, and what would be right.
type Refusal = (ErrorCode, String);

/// Processes that may be connected at once.
const CONNECTIONS_MAX: usize = 512;
/// How often a waiting thread looks whether the recorder is closing.
const LOOK_UP: Duration = Duration::from_millis(200);

/// Accepts connections until `closing`.
pub(super) fn serve(
    listener: &Listener,
    work: &SyncSender<Work>,
    feed: &Arc<Feed>,
    contract: &Arc<Contract>,
    attester: &Arc<Attester>,
    closing: &Arc<AtomicBool>,
) {
    let connected = Arc::new(AtomicUsize::new(0));
    let (offers, watched) = (Arc::new(Mailbox::default()), Arc::new(Watched::default()));
    while !closing.load(Ordering::Relaxed) {
        let channel = match listener.accept(LOOK_UP) {
            Ok(Some(channel)) => channel,
            Ok(None) => continue,
            Err(error) => {
                eprintln!("recorder: cannot accept a connection: {error}");
                std::thread::sleep(LOOK_UP);
                continue;
            }
        };
        if connected.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
            connected.fetch_sub(1, Ordering::Relaxed);
            let full = format!("{CONNECTIONS_MAX} processes are connected already");
            let _ = channel.send(&Message::error(ErrorCode::Busy, full));
            continue;
        }
        let session = Session {
            channel,
            work: work.clone(),
            feed: Arc::clone(feed),
            closing: Arc::clone(closing),
            contract: Arc::clone(contract),
            attester: Arc::clone(attester),
            offers: Arc::clone(&offers),
            watched: Arc::clone(&watched),
            source: None,
            throttle: Throttle::new(1, clock::mono().0),
        };
        let connected = Arc::clone(&connected);
        std::thread::spawn(move || {
            session.run();
            connected.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// One connected process.
struct Session {
    channel: Channel,
    work: SyncSender<Work>,
    feed: Arc<Feed>,
    closing: Arc<AtomicBool>,
    contract: Arc<Contract>,
    attester: Arc<Attester>,
    offers: Arc<Mailbox>,
    watched: Arc<Watched>,
    /// Who it says it is: a role, or `io/PORT`.
    source: Option<SourceId>,
    throttle: Throttle,
}

impl Session {
    fn run(mut self) {
        while !self.closing.load(Ordering::Relaxed) {
            let answer = match self.channel.recv(LOOK_UP) {
                Ok(Some(request)) => self.answer(request),
                Ok(None) => continue,
                Err(IpcError::Malformed(error) | IpcError::OtherVersion(error)) => {
                    Some(Message::error(ErrorCode::Malformed, error))
                }
                Err(_) => return,
            };
            let Some(answer) = answer else { return };
            if self.channel.send(&answer).is_err() {
                return;
            }
        }
    }

    /// The answer, or `None` when the recorder is gone.
    fn answer(&mut self, request: Message) -> Option<Message> {
        match request {
            Message::FeedPull(pull) => return Some(self.feed.pull(&pull)),
            Message::FrontierAt(at) => return Some(self.feed.frontier(at.size)),
            Message::TakeOffers(_) => return Some(self.of(|by| self.offers.take(by))),
            Message::WirePull(pull) => {
                let answer = self.watched.pull(&self.contract, &pull, clock::mono());
                return Some(answer);
            }
            _ => {}
        }
        self.slow_down();
        if let Message::WireSeen(seen) = request {
            return Some(self.of(|by| self.watched.see(by, seen, clock::mono())));
        }
        if let Message::TimeOffer(offer) = request {
            return Some(self.of(|by| self.offers.leave(by, offer)));
        }
        if let Message::Attest(asked) = request {
            return self.attest(&asked);
        }
        let (answer, answers) = sync_channel(1);
        match self.work_for(request, answer) {
            Ok(work) => {
                self.work.send(work).ok()?;
                answers.recv().ok()
            }
            Err((code, text)) => Some(Message::error(code, text)),
        }
    }

    /// The signer's answer to whoever asks what this machine is; it is in the log before it is told.
    fn attest(&self, asked: &Attest) -> Option<Message> {
        let uid = match self.channel.peer_credentials() {
            Ok(peer) => peer.uid,
            Err(error) => return Some(Message::error(ErrorCode::Unavailable, error)),
        };
        let entry = match self.attester.answer(&asked.nonce, &asked.name, uid) {
            Ok(entry) => entry,
            Err((code, text)) => return Some(Message::error(code, text)),
        };
        let attestation = entry.clone();
        let (answer, answers) = sync_channel(1);
        self.work.send(Work::Attested { entry, answer }).ok()?;
        Some(match answers.recv().ok()? {
            Message::Accepted(accepted) => Attested {
                commit_id: accepted.first_commit,
                attestation,
            }
            .into(),
            other => other,
        })
    }

    fn work_for(&mut self, request: Message, answer: Answer) -> Result<Work, Refusal> {
        let invalid = |text: String| (ErrorCode::Invalid, text);
        let stream = |text: &str| {
            let parsed = text.parse::<Stream>();
            parsed.map_err(|error| invalid(error.to_string()))
        };
        Ok(match request {
            Message::Hello(hello) => {
                let name = hello.role.strip_prefix("io/").unwrap_or(&hello.role);
                let source = SourceId::new(name).map_err(|e| invalid(e.to_string()))?;
                let per_s = throttle::allowance_per_s(&self.contract, &source);
                self.throttle.allow(per_s);
                self.source = Some(source);
                Work::Welcome { answer }
            }
            Message::Lease(lease) => Work::Lease {
                source: self.introduced()?,
                stream: stream(&lease.stream)?,
                fresh: lease.attempted.is_none(),
                answer,
            },
            Message::SlotFloor(slots) => Work::Slots {
                source: self.introduced()?,
                schedule: slots.schedule,
                answer,
            },
            Message::CountFloor(count) => Work::Count {
                point: count.point,
                answer,
            },
            Message::WorkAsked(_) => Work::UnderWay { answer },
            Message::MissedFloor(MissedFloor { meter }) => Work::Missed { meter, answer },
            Message::ClockFloor(ClockFloor { port }) => Work::Clocks { port, answer },
            Message::OutputFloor(OutputFloor { card }) => Work::Outputs { card, answer },
            Message::Submit(submit) => Work::Submit {
                id: submit.submission_id,
                source: self.introduced()?,
                stream: stream(&submit.stream)?,
                seq: submit.stream_seq,
                records: submit.records,
                answer,
            },
            Message::TimeStatement(time) => Work::Time {
                id: time.submission_id,
                source: self.introduced()?,
                statement: time.statement,
                journal: time.journal,
                events: time.events,
                counters: time.counters,
                answer,
            },
            Message::ProcessEvent(report) => Work::Report {
                id: report.submission_id,
                event: report.event,
                answer,
            },
            Message::AckReport(report) => Work::Report {
                id: report.submission_id,
                event: report.report,
                answer,
            },
            Message::PersonEntry(person) => Work::Person {
                id: person.submission_id,
                uid: self
                    .channel
                    .peer_credentials()
                    .map_err(|error| (ErrorCode::Unavailable, error.to_string()))?
                    .uid,
                entry: person.entry,
                answer,
            },
            Message::SealedHead(_) => Work::Head { answer },
            Message::FirmwareAsked(_) => Work::Firmware { answer },
            Message::Status(_) => Work::Status { answer },
            Message::Stop(_) => Work::Stop { answer },
            other => {
                let text = format!("the recorder does not answer {}", other.name());
                return Err((ErrorCode::Unsupported, text));
            }
        })
    }

    /// Whoever asks for far more than its part of the contract needs waits for its answer, so that the
    /// others' requests are not behind all of its own.
    fn slow_down(&mut self) {
        let pace = self.throttle.take(clock::mono().0);
        if let (Some(count), Some(source)) = (pace.say, &self.source) {
            let event = Event {
                count: Some(count),
                detail: Some(format!(
                    "more than {} requests a second; it waits for its answers",
                    self.throttle.per_s()
                )),
                ..Event::new(clock::mono(), EventCode::ProcessThrottled, source.clone())
            };
            // The answer goes nowhere: nobody asked.
            let (answer, _) = sync_channel(1);
            let event = Captured::new(&event.into());
            let _ = self.work.send(Work::Report {
                id: 0,
                event,
                answer,
            });
        }
        std::thread::sleep(Duration::from_nanos(pace.wait_ns));
    }

    /// What is answered to whoever said who it is.
    fn of(&self, answer: impl FnOnce(&SourceId) -> Message) -> Message {
        match self.introduced() {
            Ok(by) => answer(&by),
            Err((code, text)) => Message::error(code, text),
        }
    }

    fn introduced(&self) -> Result<SourceId, Refusal> {
        self.source.clone().ok_or_else(|| {
            let text = "a process says Hello before it asks for anything";
            (ErrorCode::NotAllowed, text.to_owned())
        })
    }
}
