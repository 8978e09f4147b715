//! The syslog role: tells a receiver over TLS of what matters for security. The log itself is its queue: what could not
//! be told yet is read from the committed feed once the receiver is there again.
//!
//! A receiver of syslog confirms nothing. So what was sent counts as received once it was sent [`SETTLED_NS`] ago over
//! a connection that still stands: by then the kernel would have given up on bytes that its peer did not take. Behind
//! a break everything younger is sent once more, and is known by its `entry`.

mod place;
mod stream;
mod words;

use crate::clock;
use crate::paths::DataDir;
use crate::roles::link::RecorderLink;
use contract::Contract;
use evidence::kinds::Event;
use evidence::reasons::EventCode;
use evidence::{CommitId, Entry, MonoNs, SourceId, split_leaf};
use ipc::message::FeedBatch;
use place::Place;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stream::{Receiver, Stream};
use words::Told;

/// Messages that are in hand at once; all others wait in the log.
const QUEUE_MAX: u64 = 256;
/// Entries of the log that may wait for a receiver. Those before are passed over with `syslog_dropped`.
pub(super) const BEHIND_ENTRIES_MAX: u64 = 1_000_000;
/// For so long a connection must stand behind a message before that counts as received: longer than
/// [`stream::UNACKNOWLEDGED_MS_MAX`].
const SETTLED_NS: u64 = 15_000_000_000;
/// How often the place is noted on the medium, at most; behind a restart the messages since come twice.
const NOTED_EVERY_NS: u64 = 10_000_000_000;
/// First and longest wait before the receiver is tried again.
const WAIT_NS: (u64, u64) = (1_000_000_000, 60_000_000_000);
/// Longest wait for new entries, in milliseconds.
const FEED_WAIT_MS: u64 = 200;
/// Pause where there is nothing to be done.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells until it is told to stop.
pub(crate) fn run(
    contract: &Contract,
    data: &DataDir,
    stop: &Arc<AtomicBool>,
) -> Result<(), String> {
    let syslog = contract.syslog.as_ref();
    let syslog = syslog.ok_or("the contract has no [syslog]")?;
    let mut link = RecorderLink::new(&data.recorder_socket(), "syslog", stop);
    let Some(welcome) = link.welcome() else {
        return Ok(());
    };
    let place = Place::open(&data.forwarded(), welcome.generation)?;
    let mut role = Role {
        receiver: Receiver::new(syslog, data.root(), welcome.newest_utc)?,
        told: Told::new(&welcome.origin, welcome.generation),
        stream: None,
        cursor: place.next(),
        sent: VecDeque::new(),
        place,
        noted: clock::mono(),
        tries: Tries::default(),
        link,
        own: SourceId::new("syslog").map_err(|error| error.to_string())?,
    };
    let patience = Duration::from_millis(syslog.timeout_ms);
    while !stop.load(Ordering::Relaxed) {
        sandbox::pulse::busy(patience * 2);
        if role.turn().is_none() {
            break;
        }
    }
    role.place.note()
}

/// When the receiver is tried again.
#[derive(Debug, Default)]
struct Tries {
    wait_ns: u64,
    due: MonoNs,
    /// Whether the log has it that the receiver is out of reach.
    told_down: bool,
}

impl Tries {
    fn failed(&mut self, now: MonoNs) {
        let (first, longest) = WAIT_NS;
        self.wait_ns = self.wait_ns.saturating_mul(2).clamp(first, longest);
        self.due = now.plus_ns(self.wait_ns);
    }
}

struct Role {
    receiver: Receiver,
    told: Told,
    stream: Option<Stream>,
    cursor: CommitId,
    /// Where the cursor stood behind what was sent, and when that was; oldest first.
    sent: VecDeque<(MonoNs, CommitId)>,
    place: Place,
    noted: MonoNs,
    tries: Tries,
    link: RecorderLink,
    own: SourceId,
}

impl Role {
    /// One look; `None` when told to stop.
    fn turn(&mut self) -> Option<()> {
        if self.stream.is_none() {
            if clock::mono() < self.tries.due {
                std::thread::sleep(PAUSE);
                return Some(());
            }
            self.connect()?;
            return Some(());
        }
        let batch = self
            .link
            .pull(self.cursor, words::kinds(), QUEUE_MAX, FEED_WAIT_MS)?;
        if let Err(why) = self.send(&batch) {
            return self.broken(&why);
        }
        self.settle();
        Some(())
    }

    fn connect(&mut self) -> Option<()> {
        match self.receiver.connect() {
            Err(why) => self.broken(&why),
            Ok(stream) => {
                self.stream = Some(stream);
                self.sent.clear();
                self.cursor = self.place.next();
                let was_down = std::mem::take(&mut self.tries).told_down;
                if was_down {
                    self.event(EventCode::SyslogUp, None, String::new())?;
                }
                self.pass_over_what_is_gone()
            }
        }
    }

    /// The receiver is out of reach: the log has that once for each time.
    fn broken(&mut self, why: &str) -> Option<()> {
        self.stream = None;
        self.tries.failed(clock::mono());
        if std::mem::replace(&mut self.tries.told_down, true) {
            return Some(());
        }
        self.event(EventCode::SyslogDown, None, why.to_owned())
    }

    /// What has left the ring, or is further back than may be waited for, cannot be told any more.
    fn pass_over_what_is_gone(&mut self) -> Option<()> {
        if let Some((generation, next)) = self.place.left() {
            let detail = format!(
                "generation {generation} was left, and its entries from {next} on were not told to the receiver: read \
                 them with fieldnotary log --generation {generation}"
            );
            self.event(EventCode::SyslogDropped, None, detail)?;
        }
        let batch = self.link.pull(self.cursor, Vec::new(), 1, 0)?;
        let first = batch.entries.first().map(|entry| entry.commit_id);
        let held = first.unwrap_or(batch.next_cursor);
        let floor = batch.commit_ptr.0.saturating_sub(BEHIND_ENTRIES_MAX);
        let begin = CommitId(held.0.max(floor));
        if begin <= self.cursor {
            return Some(());
        }
        let (from, count) = (self.cursor, begin.0 - self.cursor.0);
        self.cursor = begin;
        self.place.settled(begin);
        let detail = format!(
            "entries {from} to {} are not looked at: they left the ring while the receiver was out of reach, or more \
             than {BEHIND_ENTRIES_MAX} entries wait",
            begin.0 - 1
        );
        self.event(EventCode::SyslogDropped, Some(count), detail)
    }

    /// Sends what a batch has to tell.
    fn send(&mut self, batch: &FeedBatch) -> Result<(), String> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        for entry in &batch.entries {
            let entry = split_leaf(&entry.leaf.0).and_then(|(_, entry)| Entry::decode(entry).ok());
            let message = entry.as_ref().and_then(|entry| self.told.message(entry));
            bytes.extend(message.iter().flat_map(|message| syslog::frame(message)));
        }
        match bytes.is_empty() {
            true => stream.stands()?,
            false => stream.send(&bytes)?,
        }
        let moved = self.cursor != batch.next_cursor;
        self.cursor = batch.next_cursor;
        let nothing_waits = self.sent.is_empty();
        match (moved, bytes.is_empty() && nothing_waits) {
            (false, _) => {}
            // Nothing was sent for these.
            (true, true) => self.place.settled(self.cursor),
            (true, false) => self.sent.push_back((clock::mono(), self.cursor)),
        }
        Ok(())
    }

    /// What was sent long enough ago has been received.
    fn settle(&mut self) {
        let now = clock::mono();
        let old = |(at, _): &(MonoNs, CommitId)| now.since(*at) >= SETTLED_NS;
        while let Some((_, next)) = self.sent.pop_front_if(|one| old(one)) {
            self.place.settled(next);
        }
        if now.since(self.noted) >= NOTED_EVERY_NS {
            self.noted = now;
            // A place that is not noted makes messages come twice behind a restart, no more.
            if let Err(error) = self.place.note() {
                eprintln!("syslog: {error}");
            }
        }
    }

    fn event(&mut self, code: EventCode, count: Option<u64>, detail: String) -> Option<()> {
        let event = Event {
            count,
            detail: (!detail.is_empty()).then_some(detail),
            ..Event::new(clock::mono(), code, self.own.clone())
        };
        self.link.report(&event.into()).map(drop)
    }
}
