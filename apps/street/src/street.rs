//! The street without its wires: requests in, replies out at their time, and the log of both.

mod device;

use crate::Stop;
use crate::args::Args;
use crate::damage;
use crate::lines::{Lines, Spoken, Stray, Way};
use crate::log::{Event, Line, Log, hex};
use crate::mbus::Around;
use crate::meter::{At, Meter};
use crate::plan::{Faults, Kind, Plan};
use crate::points::Points;
use crate::site::Site;
use modbus::pdu::{ExceptionCode, Request, Response};
use modbus::{rtu, server};
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// The second copy of a doubled reply comes this much later, a clear silence after the first.
const DOUBLE_GAP: Duration = Duration::from_millis(20);
/// A reply that characters of the line come before follows them by this, a clear silence for whoever reads.
const BEHIND_STRAY: Duration = Duration::from_millis(40);
/// Replies that wait for their time; beyond that a request is refused its reply.
const QUEUE_MAX: usize = 10_000;

/// Where a request came from and its reply goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The serial line of this port.
    Rtu(usize),
    /// The connection of this number.
    Tcp(u64),
}

/// A whole request.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) at_ns: u64,
    pub(crate) port: usize,
    pub(crate) link: Link,
    pub(crate) unit: u8,
    pub(crate) tid: Option<u16>,
    pub(crate) pdu: Vec<u8>,
    /// As it was on the wire.
    pub(crate) bytes: Vec<u8>,
}

/// What is to be said of a request again when its reply leaves.
#[derive(Clone, Debug)]
struct Asked {
    request_no: u64,
    port: usize,
    link: Link,
    meter: Option<usize>,
    unit: u8,
    function: Option<u8>,
    first: Option<u16>,
    count: Option<u16>,
    tid: Option<u16>,
}

/// A reply that waits for its time.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    link: Link,
    /// What the log says of it; the reply of a device of remote I/O is told by its points.
    asked: Option<Asked>,
    values: Vec<u16>,
    exception: Option<u8>,
    fault: Option<&'static str>,
    bytes: Vec<u8>,
    /// The line has done with it what it does.
    carried: bool,
}

impl Outgoing {
    pub(crate) fn link(&self) -> Link {
        self.link
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A meter and what is special about serving it.
#[derive(Debug)]
struct Served {
    meter: Meter,
    /// Its last reply leaves then; the next cannot overtake it.
    busy_until_ns: u64,
}

/// Meters, faults, replies to come, and the log.
#[derive(Debug)]
pub(crate) struct Street {
    site: Site,
    meters: Vec<Served>,
    faults: Faults,
    lines: Lines,
    points: Points,
    /// What lines did while something was said.
    strays: Vec<Stray>,
    log: Log,
    ready_ns: u64,
    requests: u64,
    replies: u64,
    queued: u64,
    /// By time, then in the order queued.
    queue: BTreeMap<(u64, u64), Outgoing>,
}

impl Street {
    pub(crate) fn new(
        site: Site,
        args: &Args,
        plan: Plan,
        points: Points,
        log: Log,
        ready_ns: u64,
    ) -> Self {
        let (seed, every_s) = (args.seed, args.memory_every.as_secs());
        let meters = (1..).zip(&site.meters).map(|(number, _)| Served {
            meter: Meter::new(seed, number, every_s),
            busy_until_ns: 0,
        });
        Self {
            meters: meters.collect(),
            faults: Faults::new(plan.faults, seed, site.meters.len()),
            lines: Lines::new(plan.lines, seed, &site, ready_ns),
            strays: Vec::new(),
            points,
            site,
            log,
            ready_ns,
            requests: 0,
            replies: 0,
            queued: 0,
            queue: BTreeMap::new(),
        }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Takes a request. `true`: its connection has to be closed.
    pub(crate) fn request(&mut self, arrived: &Arrived) -> Result<bool, Stop> {
        if let Some(device) = self.site.device(arrived.port, arrived.unit) {
            self.ask_device(device, arrived)?;
            return Ok(false);
        }
        self.requests += 1;
        let meter = self.site.meter(arrived.port, arrived.unit);
        let request = Request::decode(&arrived.pdu).ok();
        let asked = Asked {
            request_no: self.requests,
            port: arrived.port,
            link: arrived.link,
            meter,
            unit: arrived.unit,
            function: arrived.pdu.first().copied(),
            first: request.as_ref().map(Request::first),
            count: request.as_ref().map(Request::count),
            tid: arrived.tid,
        };
        let line = line(&self.site, Event::Request, &asked, arrived.at_ns);
        let line = Line {
            bytes: Some(hex(&arrived.bytes)),
            ..line
        };
        self.log.write(&line)?;
        let Some(meter) = meter else {
            self.no_reply(&asked, arrived.at_ns, None, "no such unit on this port")?;
            return Ok(false);
        };
        let lost = self.lines.request(Spoken {
            port: arrived.port,
            meter,
            at_ns: arrived.at_ns,
            character_ns: 0,
            bytes: &arrived.bytes,
        });
        if let Some((fault, reason)) = lost {
            self.no_reply(&asked, arrived.at_ns, Some(fault), reason)?;
            return Ok(false);
        }
        let fault = self.strike(meter, arrived.at_ns);
        let name = fault.map(Kind::name);
        match fault {
            Some(Kind::Silent | Kind::Flaky) => {
                self.no_reply(&asked, arrived.at_ns, name, "ordered")?;
            }
            Some(Kind::Disconnect) => {
                self.no_reply(&asked, arrived.at_ns, name, "ordered")?;
                return Ok(true);
            }
            _ => self.answer(meter, asked, fault, arrived)?,
        }
        Ok(false)
    }

    /// Bytes came that are no request.
    pub(crate) fn noise(&mut self, port: usize, bytes: &[u8], at_ns: u64) -> Result<(), Stop> {
        let line = Line::new(at_ns, Event::Noise, self.site.port_name(port));
        let line = Line {
            bytes: Some(hex(bytes)),
            ..line
        };
        self.log.write(&line)
    }

    /// When the next reply leaves, or a line or a point does something by itself.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        let reply = self.next_reply_ns().into_iter();
        let by_itself = self.lines.next_due_ns().into_iter();
        let due = reply.chain(by_itself);
        due.chain(self.points.next_due_ns()).min()
    }

    /// What wakes the street beside its wires and its times.
    pub(crate) fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.points.fds()
    }

    /// Points do what is due.
    pub(crate) fn play(&mut self, now_ns: u64) -> Result<(), Stop> {
        self.points.act(now_ns, &mut self.log)
    }

    fn next_reply_ns(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((due_ns, _), _)| *due_ns)
    }

    /// A reply whose time has come, as it is behind its line. The caller writes it, then says so.
    pub(crate) fn take_due(&mut self, now_ns: u64) -> Result<Option<Outgoing>, Stop> {
        while self.next_reply_ns().is_some_and(|due_ns| due_ns <= now_ns) {
            let Some((_, mut reply)) = self.queue.pop_first() else {
                break;
            };
            let meter = reply.asked.as_ref().and_then(|asked| asked.meter);
            let way = match (reply.link, meter) {
                (Link::Rtu(port), Some(meter)) if !reply.carried => self.lines.reply(Spoken {
                    port,
                    meter,
                    at_ns: now_ns,
                    character_ns: 0,
                    bytes: &reply.bytes,
                }),
                _ => Way::Sound,
            };
            match way {
                Way::Sound => {}
                Way::Damaged { fault, bytes } => {
                    reply.fault = Some(fault);
                    reply.bytes = bytes;
                }
                Way::Lost { fault, reason } => {
                    if let Some(asked) = &reply.asked {
                        self.no_reply(asked, now_ns, Some(fault), reason)?;
                    }
                    continue;
                }
                Way::Behind(stray) => {
                    self.strays.push(stray);
                    reply.carried = true;
                    self.enqueue(crate::clock::after(now_ns, BEHIND_STRAY), reply);
                    continue;
                }
            }
            return Ok(Some(reply));
        }
        Ok(None)
    }

    /// What lines have done by themselves. The caller writes it where there is something to write, then says so.
    pub(crate) fn take_strays(&mut self, now_ns: u64) -> Vec<Stray> {
        let mut strays = std::mem::take(&mut self.strays);
        strays.extend(self.lines.strays(now_ns));
        strays
    }

    /// A line did this.
    pub(crate) fn strayed(&mut self, stray: &Stray, at_ns: u64) -> Result<(), Stop> {
        let place = stray.meter.and_then(|meter| self.site.meters.get(meter));
        let line = Line::new(at_ns, Event::Disturbance, self.site.port_name(stray.port));
        let line = Line {
            meter: place.map(|place| place.name.as_str()),
            fault: Some(stray.fault),
            reason: Some(stray.reason),
            bytes: (!stray.bytes.is_empty()).then(|| hex(&stray.bytes)),
            ..line
        };
        self.log.write(&line)
    }

    /// The reply left, at the time taken just before.
    pub(crate) fn sent(&mut self, reply: &Outgoing, at_ns: u64) -> Result<(), Stop> {
        let Some(asked) = &reply.asked else {
            return Ok(());
        };
        self.replies += 1;
        let line = Line {
            values: Some(&reply.values),
            exception: reply.exception,
            reply_no: Some(self.replies),
            fault: reply.fault,
            bytes: Some(hex(&reply.bytes)),
            ..line(&self.site, Event::Reply, asked, at_ns)
        };
        self.log.write(&line)
    }

    /// The reply could not leave.
    pub(crate) fn lost(&mut self, reply: &Outgoing, at_ns: u64, reason: &str) -> Result<(), Stop> {
        match &reply.asked {
            Some(asked) => self.no_reply(asked, at_ns, reply.fault, reason),
            None => Ok(()),
        }
    }

    /// A connection is gone, and with it the replies that still had to leave on it.
    pub(crate) fn disconnected(&mut self, connection: u64, at_ns: u64) -> Result<(), Stop> {
        let gone = |reply: &Outgoing| reply.link() == Link::Tcp(connection);
        let lost: Vec<_> = self.queue.extract_if(.., |_, reply| gone(reply)).collect();
        lost.iter()
            .try_for_each(|(_, reply)| self.lost(reply, at_ns, "connection closed"))
    }

    /// The street stops; what still waits is never sent.
    pub(crate) fn stop(&mut self, at_ns: u64) -> Result<(), Stop> {
        let lost = std::mem::take(&mut self.queue);
        lost.values()
            .try_for_each(|reply| self.lost(reply, at_ns, "street stopped"))
    }

    /// The first fault of the plan that strikes this request.
    fn strike(&mut self, meter: usize, at_ns: u64) -> Option<Kind> {
        let running_ns = at_ns.saturating_sub(self.ready_ns);
        self.faults.strike(meter, running_ns)
    }

    /// Lets a line of an M-Bus do something in its street.
    pub(crate) fn around<T>(&mut self, work: impl FnOnce(&mut Around<'_>) -> T) -> T {
        work(&mut Around {
            site: &self.site,
            faults: &mut self.faults,
            lines: &mut self.lines,
            log: &mut self.log,
            ready_ns: self.ready_ns,
            requests: &mut self.requests,
            replies: &mut self.replies,
        })
    }

    fn answer(
        &mut self,
        meter: usize,
        asked: Asked,
        fault: Option<Kind>,
        arrived: &Arrived,
    ) -> Result<(), Stop> {
        let name = fault.map(Kind::name);
        if self.queue.len() >= QUEUE_MAX {
            return self.no_reply(&asked, arrived.at_ns, name, "too many replies wait");
        }
        let running_ns = arrived.at_ns.saturating_sub(self.ready_ns);
        let turns = self.faults.turns(meter, running_ns);
        let units = self
            .site
            .meters
            .iter()
            .filter(|place| place.port == arrived.port);
        let units = units.map(|place| place.unit);
        let Some(served) = self.meters.get_mut(meter) else {
            return Ok(());
        };
        let response = match (fault, arrived.pdu.first()) {
            (Some(Kind::Exception(code)), Some(function)) => {
                let code = ExceptionCode::from_code(code);
                Some(Response::Exception {
                    function: *function,
                    code,
                })
            }
            _ => server::serve(
                &arrived.pdu,
                &mut At {
                    meter: &mut served.meter,
                    running_ns,
                    turns,
                    utc_s: crate::clock::utc_s(),
                },
            ),
        };
        let Some(response) = response else {
            return self.no_reply(&asked, arrived.at_ns, name, "nothing to answer under");
        };
        let unit = match fault {
            Some(Kind::WrongUnit(Some(unit))) => unit,
            Some(Kind::WrongUnit(None)) => damage::other_unit(arrived.unit, units),
            _ => arrived.unit,
        };
        let pdu = response.encode();
        let frame = match arrived.tid {
            Some(tid) => damage::tcp_frame(tid, unit, &pdu),
            None => rtu::encode(unit, &pdu),
        };
        let bytes = match fault {
            Some(Kind::CorruptCrc) => match self.faults.noise(meter) {
                Some(noise) => damage::flip_bit(frame, noise),
                None => frame,
            },
            Some(Kind::Truncate) => damage::truncate(frame),
            _ => frame,
        };
        let delay = match fault {
            Some(Kind::Late(delay)) => delay,
            _ => Duration::ZERO,
        };
        let due_ns = crate::clock::after(arrived.at_ns, delay).max(served.busy_until_ns);
        let copy_due_ns = crate::clock::after(due_ns, DOUBLE_GAP);
        let doubled = fault == Some(Kind::Double);
        served.busy_until_ns = if doubled { copy_due_ns } else { due_ns };
        let exception = exception_of(&response);
        let values = response.registers().map(|found| found.values().collect());
        let values = values.unwrap_or_default();
        let reply = Outgoing {
            link: asked.link,
            asked: Some(asked),
            values,
            exception,
            fault: name,
            bytes,
            carried: false,
        };
        if doubled {
            self.enqueue(copy_due_ns, reply.clone());
        }
        self.enqueue(due_ns, reply);
        Ok(())
    }

    fn enqueue(&mut self, due_ns: u64, reply: Outgoing) {
        self.queued += 1;
        self.queue.insert((due_ns, self.queued), reply);
    }

    fn no_reply(
        &mut self,
        asked: &Asked,
        at_ns: u64,
        fault: Option<&str>,
        reason: &str,
    ) -> Result<(), Stop> {
        let line = Line {
            fault,
            reason: Some(reason),
            ..line(&self.site, Event::NoReply, asked, at_ns)
        };
        self.log.write(&line)
    }
}

fn exception_of(response: &Response) -> Option<u8> {
    match response {
        Response::Exception { code, .. } => Some(code.code()),
        _ => None,
    }
}

/// The part of a line that comes from the request.
fn line<'a>(site: &'a Site, event: Event, asked: &Asked, at_ns: u64) -> Line<'a> {
    let place = asked.meter.and_then(|meter| site.meters.get(meter));
    Line {
        meter: place.map(|place| place.name.as_str()),
        unit: Some(asked.unit),
        function: asked.function,
        first_register: asked.first,
        count: asked.count,
        request_no: Some(asked.request_no),
        tid: asked.tid,
        ..Line::new(at_ns, event, site.port_name(asked.port))
    }
}
