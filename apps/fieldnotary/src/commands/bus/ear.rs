//! Frames out of what is on a wire: who asks, who answers, what is no frame. One ear for each language.

use contract::{Echo, Parity, Port, PortKind, SerialLine};
use ipc::message::WireWay;
use modbus::rtu::{Heard, Listener, Role, Timing};
use modbus::tcp::Decoder;
use std::collections::BTreeMap;

/// How late a driver may hand over bytes: only what is no frame waits for it.
const LATENCY_NS: u64 = 20_000_000;
/// Silence behind which bytes of an M-Bus are no frame any more: what a meter may take between two characters, and what
/// adapters hold back.
const MBUS_SILENCE_NS: u64 = 500_000_000;
/// Requests over TCP whose replies may still come.
const TRANSACTIONS_MAX: usize = 64;

/// Somebody who listens.
pub(super) enum Ear {
    Rtu(Box<RtuEar>),
    Tcp(TcpEar),
    Mbus(MbusEar),
}

impl Ear {
    pub(super) fn of(port: &Port) -> Self {
        match &port.kind {
            PortKind::ModbusRtu(line) => Self::Rtu(Box::new(RtuEar::new(line))),
            PortKind::ModbusTcp { .. } => Self::Tcp(TcpEar::default()),
            PortKind::Mbus(_) => Self::Mbus(MbusEar::default()),
        }
    }

    /// What is whole with these bytes, which were sent or read at once at this instant.
    pub(super) fn hear(&mut self, way: WireWay, bytes: &[u8], at_ns: u64) -> Vec<Heard> {
        match (way, self) {
            (WireWay::Opened, ear) => ear.cut(),
            (WireWay::Sent, Self::Rtu(ear)) => ear.sent(bytes, at_ns),
            (WireWay::Received, Self::Rtu(ear)) => ear.listener.feed(bytes, at_ns),
            (WireWay::Sent, Self::Tcp(ear)) => vec![ear.sent(bytes, at_ns)],
            (WireWay::Received, Self::Tcp(ear)) => ear.received(bytes, at_ns),
            (WireWay::Sent, Self::Mbus(ear)) => ear.sent(bytes, at_ns),
            (WireWay::Received, Self::Mbus(ear)) => ear.received(bytes, at_ns),
        }
    }

    /// What silence has ended.
    pub(super) fn poll(&mut self, now_ns: u64) -> Vec<Heard> {
        match self {
            Self::Rtu(ear) => ear.listener.poll(now_ns),
            Self::Tcp(_) => Vec::new(),
            Self::Mbus(ear) => ear.poll(now_ns),
        }
    }

    /// When silence ends what was heard so far.
    pub(super) fn deadline_ns(&self) -> Option<u64> {
        match self {
            Self::Rtu(ear) => ear.listener.deadline_ns(),
            Self::Tcp(_) => None,
            Self::Mbus(ear) => ear.deadline_ns(),
        }
    }

    /// Nothing that follows belongs to what was heard so far, nor answers it.
    pub(super) fn cut(&mut self) -> Vec<Heard> {
        match self {
            Self::Rtu(ear) => {
                let heard = ear.listener.cut();
                ear.listener.ask_anew();
                heard
            }
            Self::Tcp(ear) => ear.cut(),
            Self::Mbus(ear) => {
                ear.asked = None;
                ear.cut()
            }
        }
    }

    /// A character on the line, in nanoseconds; silences are told in them where a line's are due.
    pub(super) const fn character_ns(&self) -> Option<u64> {
        match self {
            Self::Rtu(ear) => Some(ear.timing.character_ns),
            Self::Tcp(_) | Self::Mbus(_) => None,
        }
    }
}

/// On a serial line with Modbus.
pub(super) struct RtuEar {
    listener: Listener,
    timing: Timing,
    /// What is sent is heard as well.
    echo: bool,
}

impl RtuEar {
    fn new(line: &SerialLine) -> Self {
        let parity = u8::from(line.parity != Parity::None);
        let bits = 1 + line.data_bits + parity + line.stop_bits;
        let timing = Timing::from_baud_and_bits(line.baud, bits);
        Self {
            listener: Listener::new(timing, LATENCY_NS),
            timing,
            echo: line.echo == Echo::Heard,
        }
    }

    fn sent(&mut self, bytes: &[u8], at_ns: u64) -> Vec<Heard> {
        let mut out = self.listener.cut();
        self.listener.ask_anew();
        if !self.echo {
            let last_ns = at_ns.saturating_add(self.timing.transfer_ns(bytes.len()));
            out.extend(self.listener.feed(bytes, last_ns));
        }
        out
    }
}

fn heard(bytes: Vec<u8>, at_ns: u64, role: Role) -> Heard {
    Heard {
        bytes,
        begun_ns: at_ns,
        ended_ns: at_ns,
        gap_ns: None,
        role,
    }
}

/// The answer to what was asked then, or to nothing that was heard.
fn answer(asked_ns: Option<u64>, at_ns: u64) -> Role {
    asked_ns.map_or(Role::Unpaired, |asked_ns| Role::Reply {
        after_ns: at_ns.saturating_sub(asked_ns),
    })
}

/// On a connection with Modbus.
#[derive(Default)]
pub(super) struct TcpEar {
    decoder: Decoder,
    /// What was received behind the last frame.
    pending: Vec<u8>,
    begun_ns: u64,
    /// When each transaction began.
    asked: BTreeMap<u16, u64>,
}

impl TcpEar {
    fn sent(&mut self, bytes: &[u8], at_ns: u64) -> Heard {
        let role = match Decoder::new().feed(&mut &*bytes) {
            Ok(Some(frame)) => {
                if self.asked.len() >= TRANSACTIONS_MAX {
                    self.asked.pop_first();
                }
                self.asked.insert(frame.transaction, at_ns);
                Role::Request
            }
            _ => Role::Damaged,
        };
        heard(bytes.to_vec(), at_ns, role)
    }

    fn received(&mut self, bytes: &[u8], at_ns: u64) -> Vec<Heard> {
        if self.pending.is_empty() {
            self.begun_ns = at_ns;
        }
        self.pending.extend_from_slice(bytes);
        let (mut out, mut rest) = (Vec::new(), bytes);
        loop {
            match self.decoder.feed(&mut rest) {
                Ok(Some(frame)) => {
                    let behind = self.pending.split_off(self.pending.len() - rest.len());
                    let whole = std::mem::replace(&mut self.pending, behind);
                    let role = answer(self.asked.remove(&frame.transaction), self.begun_ns);
                    out.push(heard(whole, self.begun_ns, role));
                    self.begun_ns = at_ns;
                }
                Ok(None) => return out,
                Err(_) => {
                    out.extend(self.cut());
                    return out;
                }
            }
        }
    }

    fn cut(&mut self) -> Vec<Heard> {
        self.decoder = Decoder::new();
        self.asked.clear();
        let bytes = std::mem::take(&mut self.pending);
        let damaged = (!bytes.is_empty()).then(|| heard(bytes, self.begun_ns, Role::Damaged));
        damaged.into_iter().collect()
    }
}

/// On an M-Bus: a master asks, one meter answers.
#[derive(Default)]
pub(super) struct MbusEar {
    asked: Option<(Vec<u8>, u64)>,
    pending: Vec<u8>,
    begun_ns: u64,
    last_ns: u64,
}

impl MbusEar {
    fn sent(&mut self, bytes: &[u8], at_ns: u64) -> Vec<Heard> {
        let mut out = self.cut();
        self.asked = Some((bytes.to_vec(), at_ns));
        out.push(heard(bytes.to_vec(), at_ns, Role::Request));
        out
    }

    fn received(&mut self, bytes: &[u8], at_ns: u64) -> Vec<Heard> {
        let mut out = self.poll(at_ns);
        if self.pending.is_empty() {
            self.begun_ns = at_ns;
        }
        self.last_ns = at_ns;
        self.pending.extend_from_slice(bytes);
        if mbus::link::decode(&self.pending).is_ok() {
            let whole = std::mem::take(&mut self.pending);
            // A converter that gives back what it is given: it is shown as asked already.
            if self
                .asked
                .as_ref()
                .is_some_and(|(asked, _)| *asked == whole)
            {
                return out;
            }
            let asked = self.asked.take().map(|(_, asked_ns)| asked_ns);
            out.push(heard(whole, self.begun_ns, answer(asked, self.begun_ns)));
        } else if self.pending.len() > mbus::limits::FRAME_BYTES_MAX {
            out.extend(self.cut());
        }
        out
    }

    fn poll(&mut self, now_ns: u64) -> Vec<Heard> {
        match self.deadline_ns() {
            Some(deadline) if now_ns >= deadline => self.cut(),
            _ => Vec::new(),
        }
    }

    fn deadline_ns(&self) -> Option<u64> {
        let begun = !self.pending.is_empty();
        begun.then(|| self.last_ns.saturating_add(MBUS_SILENCE_NS))
    }

    fn cut(&mut self) -> Vec<Heard> {
        let bytes = std::mem::take(&mut self.pending);
        let damaged = (!bytes.is_empty()).then(|| heard(bytes, self.begun_ns, Role::Damaged));
        damaged.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
