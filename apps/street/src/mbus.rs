//! The M-Bus lines of the street: slaves on a pseudo terminal, each character at its time.

mod damage;
mod files;
mod meter;

pub(crate) use files::read as read_telegrams;
pub(crate) use meter::{Meter, RECORDS, Shown};

use crate::Stop;
use crate::clock::{after, utc_s};
use crate::lines::{self, Lines, Way};
use crate::log::{Event, Line, Log, hex};
use crate::plan::{Faults, Kind};
use crate::site::{Place, Site};
use crate::turns::Turns;
use damage::Struck;
use mbus::application::SecondaryAddress;
use mbus::link::{self, Frame};
use mbus::master::timing::Timing;
use mbus::slave::{Bus, Slave, Spoken, overlay};
use std::collections::BTreeMap;
use std::time::Duration;

/// Characters that wait for their time on one line; a request beyond that is not heard.
const QUEUE_MAX: usize = 4_096;
/// Bytes of a request that has not ended.
const REQUEST_BYTES_MAX: usize = 512;
/// A request that stops longer than this is none: no terminal has a bit rate to tell it by.
const GAP_NS: u64 = 20_000_000;
const REQ_UD2: u8 = 0xB;

/// One of the street's M-Bus meters: measured from the seed, or the telegram of a file.
#[derive(Debug)]
enum Source {
    Made(Meter),
    File,
}

/// What is on its way: the last character of a reply brings its line for the log.
#[derive(Debug)]
struct Character {
    byte: u8,
    ends: Vec<Said>,
}

#[derive(Debug)]
struct Said {
    meter: usize,
    request_no: u64,
    fault: Option<&'static str>,
    bytes: Vec<u8>,
}

/// A reply as it arrives, with the fault that struck it; or the fault and the reason for which nothing does.
type Carried = Result<(Option<&'static str>, Spoken), (Option<&'static str>, &'static str)>;

/// A line with its slaves.
#[derive(Debug)]
pub(crate) struct Mbus {
    /// Index into [`Site::ports`].
    pub(crate) port: usize,
    bus: Bus,
    /// The meter of each slave: its index into [`Site::meters`], and what it says.
    meters: Vec<(usize, Source)>,
    timing: Timing,
    inbox: Vec<u8>,
    heard_ns: u64,
    queue: BTreeMap<(u64, u64), Character>,
    queued: u64,
}

/// What a line needs of the street around it.
pub(crate) struct Around<'s> {
    pub(crate) site: &'s Site,
    pub(crate) faults: &'s mut Faults,
    pub(crate) lines: &'s mut Lines,
    pub(crate) log: &'s mut Log,
    pub(crate) ready_ns: u64,
    /// Numbers of requests and replies, over the whole street.
    pub(crate) requests: &'s mut u64,
    pub(crate) replies: &'s mut u64,
}

impl Mbus {
    /// The line of a port, with its meters of the site.
    pub(crate) fn new(site: &Site, port: usize, seed: u64, baud: u32) -> Result<Self, Stop> {
        let mut slaves = Vec::new();
        let mut meters = Vec::new();
        for (at, place) in site.meters.iter().enumerate() {
            if place.port != port {
                continue;
            }
            let number = u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1);
            let (telegrams, source) = match &place.telegram {
                Some((_, frame)) => (vec![frame.clone()], Source::File),
                None => {
                    let mut meter = Meter::new(seed, number);
                    let now = Turns::default();
                    let first = meter.telegram(place.unit, 0, &now, utc_s());
                    (vec![first], Source::Made(meter))
                }
            };
            let mut slave = Slave::new(telegrams, baud)
                .ok_or_else(|| Stop::Host(format!("{}: its telegram is none", place.name)))?;
            slave.primary = place.unit;
            if matches!(source, Source::Made(_)) {
                slave.access_number = Some(1);
            }
            slaves.push(slave);
            meters.push((at, source));
        }
        Ok(Self {
            port,
            bus: Bus { slaves },
            meters,
            timing: Timing::new(baud),
            inbox: Vec::new(),
            heard_ns: 0,
            queue: BTreeMap::new(),
            queued: 0,
        })
    }

    /// What a meter of the site calls itself.
    pub(crate) fn secondary(&self, meter: usize) -> Option<SecondaryAddress> {
        let at = self.meters.iter().position(|(at, _)| *at == meter)?;
        self.bus.slaves.get(at).map(|slave| slave.secondary)
    }

    /// When the next character leaves.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((due_ns, _), _)| *due_ns)
    }

    /// Bytes that the master wrote.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        at_ns: u64,
        around: &mut Around<'_>,
    ) -> Result<(), Stop> {
        if at_ns.saturating_sub(self.heard_ns) > GAP_NS {
            self.drop_inbox(at_ns, around)?;
        }
        self.heard_ns = at_ns;
        self.inbox.extend_from_slice(bytes);
        if link::decode(&self.inbox).is_ok() {
            let request = std::mem::take(&mut self.inbox);
            return self.request(&request, at_ns, around);
        }
        if self.inbox.len() > REQUEST_BYTES_MAX {
            self.drop_inbox(at_ns, around)?;
        }
        Ok(())
    }

    /// What did not become a request is noise.
    fn drop_inbox(&mut self, at_ns: u64, around: &mut Around<'_>) -> Result<(), Stop> {
        let noise = std::mem::take(&mut self.inbox);
        if noise.is_empty() {
            return Ok(());
        }
        let line = Line::new(at_ns, Event::Noise, around.site.port_name(self.port));
        around.log.write(&Line {
            bytes: Some(hex(&noise)),
            ..line
        })
    }

    fn request(&mut self, frame: &[u8], at_ns: u64, around: &mut Around<'_>) -> Result<(), Stop> {
        *around.requests += 1;
        let request_no = *around.requests;
        let asked = Line {
            unit: address(frame),
            function: control(frame),
            request_no: Some(request_no),
            ..Line::new(at_ns, Event::Request, around.site.port_name(self.port))
        };
        around.log.write(&Line {
            bytes: Some(hex(frame)),
            ..asked.clone()
        })?;
        self.measure(frame, at_ns, around);
        let spoken = self.bus.receive(frame, self.timing.baud());
        for ((meter, _), slave) in self.meters.iter().zip(&mut self.bus.slaves) {
            if around.lines.is_down(*meter, at_ns) {
                slave.lose_power();
            }
        }
        let (mut said, mut line) = (Vec::new(), Vec::new());
        for one in &spoken {
            let Some((meter, _)) = self.meters.get(one.by) else {
                continue;
            };
            let asked = Line {
                meter: around
                    .site
                    .meters
                    .get(*meter)
                    .map(|place| place.name.as_str()),
                ..asked.clone()
            };
            let begun_ns = at_ns.saturating_add(self.timing.transfer_ns(frame.len()));
            let carried = self.carried(*meter, one, frame, (at_ns, begun_ns), around);
            let lost = |(fault, reason): (Option<&'static str>, &'static str)| Line {
                event: Event::NoReply,
                fault,
                reason: Some(reason),
                ..asked.clone()
            };
            for way in carried {
                match way {
                    Ok((fault, reply)) => {
                        said.push(Said {
                            meter: *meter,
                            request_no,
                            fault,
                            bytes: reply.bytes.clone(),
                        });
                        line.push(reply);
                    }
                    Err(why) => around.log.write(&lost(why))?,
                }
            }
        }
        if line.is_empty() {
            return Ok(());
        }
        self.enqueue(frame.len(), at_ns, &line, said);
        Ok(())
    }

    /// What arrives of the replies of a meter, each with the fault that struck it; or why there is none.
    fn carried(
        &self,
        meter: usize,
        said: &Spoken,
        frame: &[u8],
        (asked_ns, begun_ns): (u64, u64),
        around: &mut Around<'_>,
    ) -> Vec<Carried> {
        let character_ns = self.timing.transfer_ns(1);
        let spoken = lines::Spoken {
            port: self.port,
            meter,
            at_ns: asked_ns,
            character_ns,
            bytes: frame,
        };
        if let Some((fault, reason)) = around.lines.request(spoken) {
            return vec![Err((Some(fault), reason))];
        }
        let running_ns = asked_ns.saturating_sub(around.ready_ns);
        let kind = around.faults.strike(meter, running_ns);
        let places = around.site.meters.iter();
        let struck = Struck {
            kind,
            timing: self.timing,
            others: places.map(|place: &Place| place.unit).collect(),
        };
        let replies = match around.faults.noise(meter) {
            Some(noise) => struck.replies(said, noise),
            None => vec![said.clone()],
        };
        let fault = kind.map(Kind::name);
        if replies.is_empty() || self.queue.len() > QUEUE_MAX {
            return vec![Err((fault, "ordered"))];
        }
        let carry = |reply: Spoken| {
            let at_ns = begun_ns.saturating_add(self.timing.bits_ns(reply.after_bits));
            let way = around.lines.reply(lines::Spoken {
                at_ns,
                bytes: &reply.bytes,
                ..spoken
            });
            match way {
                Way::Damaged { fault, bytes } => Ok((Some(fault), Spoken { bytes, ..reply })),
                Way::Lost { fault, reason } => Err((Some(fault), reason)),
                Way::Sound | Way::Behind(_) => Ok((fault, reply)),
            }
        };
        replies.into_iter().map(carry).collect()
    }

    /// Puts what the bus makes of all replies on the line, character by character.
    fn enqueue(&mut self, request: usize, at_ns: u64, spoken: &[Spoken], said: Vec<Said>) {
        let begun_ns = at_ns.saturating_add(self.timing.transfer_ns(request));
        let characters = overlay(spoken);
        let last = characters.len().saturating_sub(1);
        let mut said = Some(said);
        for (place, character) in characters.into_iter().enumerate() {
            self.queued += 1;
            let wait = Duration::from_nanos(self.timing.bits_ns(character.after_bits));
            let ends = match place == last {
                true => said.take().unwrap_or_default(),
                false => Vec::new(),
            };
            let due = (after(begun_ns, wait), self.queued);
            let byte = character.byte;
            self.queue.insert(due, Character { byte, ends });
        }
    }

    /// Before a request for data the meters measure.
    fn measure(&mut self, frame: &[u8], at_ns: u64, around: &Around<'_>) {
        let Ok(Frame::Short { control, .. }) = link::decode(frame) else {
            return;
        };
        if control.function() != REQ_UD2 {
            return;
        }
        let running_ns = at_ns.saturating_sub(around.ready_ns);
        for ((at, source), slave) in self.meters.iter_mut().zip(&mut self.bus.slaves) {
            if let Source::Made(meter) = source {
                let turns = around.faults.turns(*at, running_ns);
                let telegram = meter.telegram(slave.primary, running_ns, &turns, utc_s());
                slave.serve(vec![telegram]);
                slave.secondary = meter.secondary;
            }
        }
    }

    /// The bytes whose time has come, and the replies that end with them.
    fn due(&mut self, now_ns: u64) -> (Vec<u8>, Vec<Said>) {
        let (mut bytes, mut ended) = (Vec::new(), Vec::new());
        while self.next_due_ns().is_some_and(|due_ns| due_ns <= now_ns) {
            if let Some((_, character)) = self.queue.pop_first() {
                bytes.push(character.byte);
                ended.extend(character.ends);
            }
        }
        (bytes, ended)
    }

    /// Writes what is due with `write`, which says whether the line took it.
    pub(crate) fn send(
        &mut self,
        now_ns: u64,
        around: &mut Around<'_>,
        write: impl FnOnce(&[u8]) -> std::io::Result<bool>,
    ) -> Result<(), Stop> {
        let (bytes, ended) = self.due(now_ns);
        if bytes.is_empty() {
            return Ok(());
        }
        let taken = write(&bytes).map_err(Stop::host("cannot write to a port"))?;
        for said in ended {
            let place = around.site.meters.get(said.meter);
            let event = match taken {
                true => Event::Reply,
                false => Event::NoReply,
            };
            *around.replies += u64::from(taken);
            let line = Line {
                meter: place.map(|place| place.name.as_str()),
                unit: place.map(|place| place.unit),
                request_no: Some(said.request_no),
                reply_no: taken.then_some(*around.replies),
                fault: said.fault,
                reason: (!taken).then_some("nobody reads the port"),
                bytes: Some(hex(&said.bytes)),
                ..Line::new(now_ns, event, around.site.port_name(self.port))
            };
            around.log.write(&line)?;
        }
        Ok(())
    }
}

fn address(frame: &[u8]) -> Option<u8> {
    match link::decode(frame) {
        Ok(Frame::Short { address, .. } | Frame::Long { address, .. }) => Some(address),
        _ => None,
    }
}

fn control(frame: &[u8]) -> Option<u8> {
    match link::decode(frame) {
        Ok(Frame::Short { control, .. } | Frame::Long { control, .. }) => Some(control.byte()),
        _ => None,
    }
}
