//! What `bus watch` shows: each frame as a line or an object, and at the end what was heard.

use super::line;
use crate::commands::decode::{hex, mbus_told, modbus_told};
use crate::commands::ink::{Ink, ink};
use crate::commands::words;
use contract::{Port, PortKind};
use evidence::MonoNs;
use io_plane::UartErrors;
use modbus::rtu::{Heard, Role};
use serde_json::{Value, json};

/// Bytes of a header of TCP before the unit.
const MBAP_UNIT_AT: usize = 6;

/// What is watched.
pub(super) struct Shown<'p> {
    pub(super) port: &'p Port,
    /// The node that has the port says what is on its wire.
    pub(super) beside_node: bool,
    /// What silences are told in.
    pub(super) character_ns: Option<u64>,
    pub(super) began: MonoNs,
}

impl Shown<'_> {
    pub(super) fn heading(&self) -> String {
        let what = match self.beside_node {
            true => format!(
                "port {} of the node: {}",
                self.port.id,
                line::shown(self.port)
            ),
            false => format!("listening on {}", line::shown(self.port)),
        };
        let row = row(["time", "gap", "", "unit", "fn", "bytes", "crc", "what"]);
        format!("{what}\n\n{row}\n")
    }

    pub(super) fn passed(&self, runs: u64) -> String {
        let runs = words::count(runs, "run of bytes", "runs of bytes");
        format!(
            "              {}\n",
            ink(Ink::Bad, &format!("{runs} passed over here"))
        )
    }

    /// Who is asked or answers, as far as the bytes have it.
    pub(super) fn unit(&self, bytes: &[u8]) -> Option<u8> {
        match self.port.kind {
            PortKind::ModbusRtu(_) => bytes.first().copied(),
            PortKind::ModbusTcp { .. } => bytes.get(MBAP_UNIT_AT).copied(),
            PortKind::Mbus(_) => match mbus::link::decode(bytes).ok()? {
                mbus::link::Frame::Ack => None,
                mbus::link::Frame::Short { address, .. }
                | mbus::link::Frame::Long { address, .. } => Some(address),
            },
        }
    }

    fn function(&self, bytes: &[u8]) -> Option<u8> {
        match self.port.kind {
            PortKind::ModbusRtu(_) => bytes.get(1).copied(),
            PortKind::ModbusTcp { .. } => bytes.get(MBAP_UNIT_AT + 1).copied(),
            PortKind::Mbus(_) => None,
        }
    }

    fn decoded(&self, heard: &Heard) -> (String, Value) {
        let request = heard.role == Role::Request;
        match self.port.kind {
            PortKind::ModbusRtu(_) => modbus_told(&heard.bytes, false, request),
            PortKind::ModbusTcp { .. } => modbus_told(&heard.bytes, true, request),
            PortKind::Mbus(_) => mbus_told(&heard.bytes),
        }
    }

    fn at_ns(&self, heard: &Heard) -> u64 {
        heard.begun_ns.saturating_sub(self.began.0)
    }

    /// Silence before a frame, in tenths of a character.
    fn gap_tenths(&self, heard: &Heard) -> Option<u64> {
        Some(heard.gap_ns?.saturating_mul(10) / self.character_ns?.max(1))
    }

    pub(super) fn lines(&self, heard: &Heard) -> String {
        let (told, _) = self.decoded(heard);
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
        let byte = |byte: Option<u8>| byte.map_or_else(String::new, |byte| byte.to_string());
        let crc = match (heard.role, &self.port.kind) {
            (Role::Damaged, _) => ink(Ink::Bad, "BAD"),
            (_, PortKind::ModbusTcp { .. }) => "-  ".to_owned(),
            _ => "ok ".to_owned(),
        };
        let line = row([
            &words::nanoseconds(self.at_ns(heard)),
            &gap,
            way,
            &byte(self.unit(&heard.bytes)),
            &byte(self.function(&heard.bytes)),
            &heard.bytes.len().to_string(),
            &crc,
            &told,
        ]);
        format!("{line}\n              {}\n", hex(&heard.bytes))
    }

    pub(super) fn object(&self, heard: &Heard) -> Value {
        let (_, decoded) = self.decoded(heard);
        let (direction, reply_ns) = match heard.role {
            Role::Request => ("request", None),
            Role::Reply { after_ns } => ("response", Some(after_ns)),
            Role::Unpaired => ("response", None),
            Role::Damaged => ("unknown", None),
        };
        json!({
            "at_ns": self.at_ns(heard),
            "gap_ns": heard.gap_ns,
            "gap_chars_tenths": self.gap_tenths(heard),
            "direction": direction,
            "paired": reply_ns.is_some(),
            "reply_ns": reply_ns,
            "crc_ok": heard.role != Role::Damaged,
            "unit": self.unit(&heard.bytes),
            "function": self.function(&heard.bytes),
            "bytes": hex(&heard.bytes),
            "decoded": decoded,
        })
    }
}

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    requests: u64,
    replies: u64,
    unpaired: u64,
    damaged: u64,
    damaged_bytes: u64,
    slowest: Option<(u64, Option<u8>)>,
    passed: u64,
    uart: Option<UartErrors>,
}

impl Tally {
    pub(super) fn whole(&self) -> u64 {
        self.requests + self.replies + self.unpaired
    }

    pub(super) fn frames(&self) -> u64 {
        self.whole() + self.damaged
    }

    pub(super) fn count(&mut self, heard: &Heard, unit: Option<u8>) {
        match heard.role {
            Role::Request => self.requests += 1,
            Role::Reply { after_ns } => {
                self.replies += 1;
                self.slowest = self.slowest.max(Some((after_ns, unit)));
            }
            Role::Unpaired => self.unpaired += 1,
            Role::Damaged => {
                self.damaged += 1;
                self.damaged_bytes += u64::try_from(heard.bytes.len()).unwrap_or(u64::MAX);
            }
        }
    }

    pub(super) fn passed(&mut self, runs: u64) {
        self.passed += runs;
    }

    pub(super) fn uart(&mut self, new: UartErrors) {
        let sum = self.uart.get_or_insert_default();
        sum.framing += new.framing;
        sum.parity += new.parity;
        sum.overrun += new.overrun;
        sum.buffer_overrun += new.buffer_overrun;
        sum.breaks += new.breaks;
    }

    pub(super) fn json(&self, shown: &Shown<'_>) -> Value {
        let uart = self.uart.map(|uart| {
            json!({"framing": uart.framing, "parity": uart.parity, "overrun": uart.overrun,
                "buffer_overrun": uart.buffer_overrun, "break": uart.breaks})
        });
        json!({"summary": {
            "requests": self.requests, "replies": self.replies, "unpaired": self.unpaired,
            "damaged": self.damaged, "damaged_bytes": self.damaged_bytes,
            "reply_ns_max": self.slowest.map(|(ns, _)| ns), "uart": uart,
            "passed_over": shown.beside_node.then_some(self.passed),
        }})
    }

    pub(super) fn screen(&self, shown: &Shown<'_>) -> String {
        let mut out = format!(
            "\n{}, {}, {} without a request, {} damaged\n",
            words::count(self.requests, "request", "requests"),
            words::count(self.replies, "reply", "replies"),
            self.unpaired,
            words::count(self.damaged, "run", "runs"),
        );
        if let Some((after_ns, unit)) = self.slowest {
            let by = unit.map_or_else(String::new, |unit| format!(" by unit {unit}"));
            out += &format!("slowest reply: {}{by}\n", words::nanoseconds(after_ns));
        }
        out += &match self.uart {
            _ if shown.beside_node => {
                let passed = words::count(self.passed, "run of bytes was", "runs of bytes were");
                format!("{passed} passed over; what the UART counted is in the node's log\n")
            }
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
            (0, 0) if shown.beside_node => {
                out += "nothing was on the wire: is a meter of this port due in that time?\n";
            }
            (0, 0) => {
                out += "nothing was heard: is anybody asked on this line, and is it this pair of wires?\n"
            }
            (0, _) => {
                out += &format!(
                    "no whole frame: another speed or parity than {}, crossed wires, or not Modbus RTU\n",
                    line::shown(shown.port)
                );
            }
            _ => {}
        }
        out
    }
}

/// Cells under each other, as they come: nobody knows how wide those are that have not come yet.
fn row([time, gap, way, unit, function, bytes, crc, what]: [&str; 8]) -> String {
    let line = format!(
        "{time:>9}  {gap:>8}  {way:<2}  {unit:>4}  {function:>3}  {bytes:>5}  {crc:<3}  {what}"
    );
    line.trim_end().to_owned()
}
