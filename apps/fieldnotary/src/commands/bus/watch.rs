//! `fieldnotary bus watch`: what others say on a serial line, frame by frame. Nothing is sent.

use super::line;
use crate::cli::BusWatchArgs;
use crate::clock;
use crate::commands::Ended;
use crate::commands::decode::{hex, modbus_told};
use crate::commands::ink::{Ink, ink};
use crate::commands::words;
use contract::{Parity, Port, PortKind, SerialLine};
use evidence::MonoNs;
use io_plane::UartErrors;
use modbus::rtu::{Heard, Listener, Role, Timing};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wire::{Transport, wait};

/// How late a driver may hand over bytes: only what is no frame waits for it.
const LATENCY_NS: u64 = 20_000_000;
/// Longest wait, so that a stop is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Listens. Ends badly where no whole frame was heard.
pub(super) fn watch(args: &BusWatchArgs) -> Result<Ended, String> {
    let (contract, port) = line::of(&args.line, None)?;
    let port = line::known(&contract, &port)?;
    let PortKind::ModbusRtu(serial) = &port.kind else {
        return Err(format!(
            "bus watch listens to Modbus on a serial line, and this port is {}; of a node's port the last failing frames \
             are in its log: fieldnotary bus failing DIR METER",
            line::shown(port)
        ));
    };
    if let Some(why) = wire::trouble(&serial.device) {
        return Err(why);
    }
    line::is_free(port).map_err(|why| {
        format!(
            "{why}; or listen through a second adapter on the same pair of wires. What failed on a node's port is in its \
             log: fieldnotary bus failing DIR METER"
        )
    })?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
    }
    let mut tap = Tap::open(args, port, serial)?;
    let lost = tap.listen(&stop);
    tap.finish(port);
    match lost {
        Some(why) => Err(format!("{} was lost: {why}", serial.device)),
        None if tap.tally.whole() > 0 => Ok(Ended::Well),
        None => Ok(Ended::Badly),
    }
}

/// What was heard so far.
#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    replies: u64,
    unpaired: u64,
    damaged: u64,
    damaged_bytes: u64,
    slowest: Option<(u64, u8)>,
    uart: Option<UartErrors>,
}

impl Tally {
    fn whole(&self) -> u64 {
        self.requests + self.replies + self.unpaired
    }

    fn frames(&self) -> u64 {
        self.whole() + self.damaged
    }

    fn count(&mut self, heard: &Heard) {
        match heard.role {
            Role::Request => self.requests += 1,
            Role::Reply { after_ns } => {
                self.replies += 1;
                let unit = heard.bytes.first().copied().unwrap_or_default();
                self.slowest = self.slowest.max(Some((after_ns, unit)));
            }
            Role::Unpaired => self.unpaired += 1,
            Role::Damaged => {
                self.damaged += 1;
                self.damaged_bytes += u64::try_from(heard.bytes.len()).unwrap_or(u64::MAX);
            }
        }
    }

    fn uart(&mut self, new: UartErrors) {
        let sum = self.uart.get_or_insert_default();
        sum.framing += new.framing;
        sum.parity += new.parity;
        sum.overrun += new.overrun;
        sum.buffer_overrun += new.buffer_overrun;
        sum.breaks += new.breaks;
    }

    fn json(&self) -> Value {
        let uart = self.uart.map(|uart| {
            json!({"framing": uart.framing, "parity": uart.parity, "overrun": uart.overrun,
                "buffer_overrun": uart.buffer_overrun, "break": uart.breaks})
        });
        json!({"summary": {
            "requests": self.requests, "replies": self.replies, "unpaired": self.unpaired,
            "damaged": self.damaged, "damaged_bytes": self.damaged_bytes,
            "reply_ns_max": self.slowest.map(|(ns, _)| ns), "uart": uart,
        }})
    }

    fn screen(&self, port: &Port) -> String {
        let mut out = format!(
            "\n{}, {}, {} without a request, {} damaged\n",
            words::count(self.requests, "request", "requests"),
            words::count(self.replies, "reply", "replies"),
            self.unpaired,
            words::count(self.damaged, "run", "runs"),
        );
        if let Some((after_ns, unit)) = self.slowest {
            out += &format!(
                "slowest reply: {} by unit {unit}\n",
                words::nanoseconds(after_ns)
            );
        }
        out += &match self.uart {
            Some(uart) => format!(
                "the UART counted {} framing, {} parity, {} overrun, {} breaks\n",
                uart.framing,
                uart.parity,
                uart.overrun + uart.buffer_overrun,
                uart.breaks
            ),
            None => "the driver does not say what its UART counts\n".to_owned(),
        };
        match (self.whole(), self.damaged) {
            (0, 0) => {
                out += "nothing was heard: is anybody asked on this line, and is it this pair of wires?\n"
            }
            (0, _) => {
                out += &format!(
                    "no whole frame: another speed or parity than {}, crossed wires, or not Modbus RTU\n",
                    line::shown(port)
                );
            }
            _ => {}
        }
        out
    }
}

struct Tap<'a> {
    args: &'a BusWatchArgs,
    wire: Transport,
    listener: Listener,
    character_ns: u64,
    began: MonoNs,
    tally: Tally,
}

impl<'a> Tap<'a> {
    fn open(args: &'a BusWatchArgs, port: &Port, serial: &SerialLine) -> Result<Self, String> {
        let parity = u8::from(serial.parity != Parity::None);
        let bits = 1 + serial.data_bits + parity + serial.stop_bits;
        let timing = Timing::from_baud_and_bits(serial.baud, bits);
        // Nothing is sent: the transceiver stays as it is.
        let wire = Transport::serial(&SerialLine {
            rs485: None,
            ..serial.clone()
        })?;
        if !args.json {
            sayln!("listening on {}\n", line::shown(port));
            sayln!(
                "{}",
                row(["time", "gap", "", "unit", "fn", "bytes", "crc", "what"])
            );
        }
        Ok(Self {
            args,
            wire,
            listener: Listener::new(timing, LATENCY_NS),
            character_ns: timing.character_ns,
            began: clock::mono(),
            tally: Tally::default(),
        })
    }

    /// Until it is told to stop, has heard enough, or the device is lost; why it was.
    fn listen(&mut self, stop: &AtomicBool) -> Option<String> {
        let end = self.args.length.map(|length| self.began.plus_ns(length));
        while !stop.load(Ordering::Relaxed) && !self.is_done() {
            let now = clock::mono();
            if end.is_some_and(|end| now >= end) {
                return None;
            }
            let due = self.listener.deadline_ns().map(MonoNs).into_iter();
            let due = due.chain(end).min();
            let left = due.map_or(LOOK_UP, |due| Duration::from_nanos(due.since(now)));
            if wait(Some(&self.wire), None, left.min(LOOK_UP)).wire {
                let bytes = match self.wire.receive() {
                    Ok(bytes) => bytes,
                    Err(why) => return Some(why),
                };
                let heard = self.listener.feed(&bytes, clock::mono().0);
                self.tell(heard);
            } else {
                let heard = self.listener.poll(clock::mono().0);
                self.tell(heard);
            }
            if let Some(errors) = self.wire.uart() {
                self.tally.uart(errors);
            }
        }
        None
    }

    fn is_done(&self) -> bool {
        self.args
            .count
            .is_some_and(|count| self.tally.frames() >= count)
    }

    fn tell(&mut self, heard: Vec<Heard>) {
        for one in heard {
            if self.is_done() {
                return;
            }
            self.tally.count(&one);
            let at_ns = one.begun_ns.saturating_sub(self.began.0);
            match self.args.json {
                true => sayln!("{}", self.object(&one, at_ns)),
                false => say!("{}", self.lines(&one, at_ns)),
            }
        }
    }

    /// Silence before a frame, in tenths of a character.
    fn gap_tenths(&self, heard: &Heard) -> Option<u64> {
        Some(heard.gap_ns?.saturating_mul(10) / self.character_ns.max(1))
    }

    fn lines(&self, heard: &Heard, at_ns: u64) -> String {
        let (told, _) = modbus_told(&heard.bytes, false, heard.role == Role::Request);
        let way = match heard.role {
            Role::Request => "->",
            Role::Reply { .. } => "<-",
            Role::Unpaired => "<?",
            Role::Damaged => "--",
        };
        let gap = self.gap_tenths(heard);
        let gap = gap.map_or_else(
            || "-".to_owned(),
            |gap| format!("{}.{}", gap / 10, gap % 10),
        );
        let byte = |at: usize| heard.bytes.get(at).map_or_else(String::new, u8::to_string);
        let crc = match heard.role {
            Role::Damaged => ink(Ink::Bad, "BAD"),
            _ => "ok ".to_owned(),
        };
        let line = row([
            &words::nanoseconds(at_ns),
            &gap,
            way,
            &byte(0),
            &byte(1),
            &heard.bytes.len().to_string(),
            &crc,
            &told,
        ]);
        format!("{line}\n              {}\n", hex(&heard.bytes))
    }

    fn object(&self, heard: &Heard, at_ns: u64) -> Value {
        let (_, decoded) = modbus_told(&heard.bytes, false, heard.role == Role::Request);
        let (direction, reply_ns) = match heard.role {
            Role::Request => ("request", None),
            Role::Reply { after_ns } => ("response", Some(after_ns)),
            Role::Unpaired => ("response", None),
            Role::Damaged => ("unknown", None),
        };
        json!({
            "at_ns": at_ns,
            "gap_ns": heard.gap_ns,
            "gap_chars_tenths": self.gap_tenths(heard),
            "direction": direction,
            "paired": reply_ns.is_some(),
            "reply_ns": reply_ns,
            "crc_ok": heard.role != Role::Damaged,
            "unit": heard.bytes.first(),
            "function": heard.bytes.get(1),
            "bytes": hex(&heard.bytes),
            "decoded": decoded,
        })
    }

    fn finish(&mut self, port: &Port) {
        let heard = self.listener.cut();
        self.tell(heard);
        match self.args.json {
            true => sayln!("{}", self.tally.json()),
            false => say!("{}", self.tally.screen(port)),
        }
    }
}

/// Cells under each other, as they come: nobody knows how wide those are that have not come yet.
fn row([time, gap, way, unit, function, bytes, crc, what]: [&str; 8]) -> String {
    let line = format!(
        "{time:>9}  {gap:>8}  {way:<2}  {unit:>4}  {function:>3}  {bytes:>5}  {crc:<3}  {what}"
    );
    line.trim_end().to_owned()
}
