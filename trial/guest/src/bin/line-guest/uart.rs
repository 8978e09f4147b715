//! The serial line through a real driver of the kernel (8250), and what the adapter must say of it.

use crate::bench::Bench;
use crate::ways::{Verdict, demand};
use contract::{Echo, Parity, Rs485, RtsLevel, SerialLine};
use io_plane::UartErrors;
use serde_json::json;
use std::thread::sleep;
use std::time::Duration;
use wire::{Transport, wait};

/// A read of two holding registers, and its reply.
pub(crate) const ASK: &[u8] = &[0x01, 0x03, 0x00, 0x00, 0x00, 0x02, 0xc4, 0x0b];
pub(crate) const ANSWER: &[u8] = &[0x01, 0x03, 0x04, 0x00, 0x01, 0x00, 0x02, 0x2a, 0x32];
/// What makes the far end hold the line, or speak more than anybody can hold.
pub(crate) const BREAK_PLEASE: &[u8] = b"break\n";
pub(crate) const FLOOD_PLEASE: &[u8] = b"flood\n";
pub(crate) const FLOOD_BYTES: usize = 300_000;

const FLOOD_BAUD: u32 = 115_200;

const DEVICE: &str = "/dev/ttyS2";
/// Looks for what is awaited, and the time between two.
const LOOKS: u32 = 200;
const LOOK: Duration = Duration::from_millis(25);
/// How long nobody reads while the flood comes.
const UNREAD: Duration = Duration::from_secs(3);

fn line(rs485: Option<Rs485>) -> SerialLine {
    SerialLine {
        device: DEVICE.to_owned(),
        baud: 9_600,
        data_bits: 8,
        parity: Parity::Even,
        stop_bits: 1,
        turnaround_ms: 0,
        rs485,
        echo: Echo::None,
    }
}

/// What has come, or comes within a look.
fn heard(wire: &mut Transport) -> Result<Vec<u8>, String> {
    match wait(Some(wire), None, LOOK).wire {
        true => wire.receive(),
        false => Ok(Vec::new()),
    }
}

fn exchange(wire: &mut Transport) -> Result<(), String> {
    wire.send(ASK)?;
    let mut reply = Vec::new();
    for _ in 0..LOOKS {
        reply.extend(heard(wire)?);
        if reply.len() >= ANSWER.len() {
            break;
        }
    }
    demand(reply == ANSWER, || format!("heard {reply:02x?}"))
}

/// What the driver counted, once it counted anything.
fn counted(wire: &mut Transport) -> Result<UartErrors, String> {
    for _ in 0..LOOKS {
        let _bytes = heard(wire)?;
        let new = wire.uart().unwrap_or_default();
        if new != UartErrors::default() {
            return Ok(new);
        }
    }
    Err("the driver counted nothing".to_owned())
}

/// Requests and replies at two speeds; then a break, which is counted as one.
pub(crate) fn exchanges(_bench: &Bench) -> Verdict {
    let driver = || std::fs::read_to_string("/proc/tty/driver/serial").unwrap_or_default();
    exchanged().map_err(|why| format!("{why}; the driver says {}", driver()))
}

fn exchanged() -> Verdict {
    let mut wire = Transport::serial(&line(None))?;
    let counts = wire.uart();
    demand(counts == Some(UartErrors::default()), || {
        format!("at first {counts:?}")
    })?;
    exchange(&mut wire)?;
    wire.set_speed(19_200)?;
    exchange(&mut wire)?;
    wire.send(BREAK_PLEASE)?;
    let new = counted(&mut wire)?;
    let due = UartErrors {
        breaks: 1,
        ..UartErrors::default()
    };
    demand(new == due, || format!("{new:?}"))?;
    Ok(json!({"driver": "8250", "breaks": new.breaks}))
}

/// Of what came while nobody read every byte is heard or counted as lost on this side, and the line goes on behind
/// it. The machine holds back what its kernel cannot take, so here nothing is lost.
pub(crate) fn flood(_bench: &Bench) -> Verdict {
    let mut wire = Transport::serial(&line(None))?;
    let _first = wire.uart();
    // As fast as the machine gives them: what it emulates keeps to the speed that is set.
    wire.set_speed(FLOOD_BAUD)?;
    wire.send(FLOOD_PLEASE)?;
    sleep(UNREAD);
    let (mut taken, mut lost, mut quiet) = (0, 0, 0);
    while quiet < LOOKS / 10 {
        let bytes = heard(&mut wire)?.len() as u64;
        taken += bytes;
        lost += wire.uart().map_or(0, |new| new.buffer_overrun);
        quiet = if bytes == 0 { quiet + 1 } else { 0 };
    }
    demand(taken + lost == FLOOD_BYTES as u64, || {
        format!("{taken} heard, {lost} counted as lost, of {FLOOD_BYTES}")
    })?;
    exchange(&mut wire)?;
    Ok(json!({"sent": FLOOD_BYTES, "heard": taken, "lost": lost}))
}

/// A driver that cannot switch a transceiver says so, and the line is not used as if it did.
pub(crate) fn no_transceiver(_bench: &Bench) -> Verdict {
    let wish = Rs485 {
        rts: RtsLevel::High,
        before_ms: 0,
        after_ms: 0,
    };
    match Transport::serial(&line(Some(wish))) {
        Ok(_) => Err("the driver took what it cannot do".to_owned()),
        Err(why) if why.contains(DEVICE) && why.contains("RS-485") => Ok(json!({"says": why})),
        Err(why) => Err(why),
    }
}
