//! The serial line of a port: how it is read, what must hold of it, its canonical form.

use crate::block::Block;
use crate::error::{Report, wrong};
use crate::item::{Item, records};
use crate::limits::{BAUDS, RS485_DELAY_MS_MAX, TURNAROUND_MS_MAX};
use crate::model::{Echo, Parity, Rs485, RtsLevel, SerialLine};
use crate::read::{duration, integer, text, word};
use crate::rules::{Problem, Problems, device, shown_ms};
use crate::words::Switch;
use alloc::format;
use alloc::string::String;
use evidence::cbor::{DecodeError, DecodeFault, Reader, Writer};

records! {
    SerialLine {
        0 device; 1 baud; 2 data_bits; 3 parity; 4 stop_bits; 5 turnaround_ms; 6 rs485; 7 echo;
    }
    Rs485 { 0 rts; 1 before_ms; 2 after_ms; }
}

/// Written only where there is one, as number 1: contracts of before keep their bytes.
impl Item for Echo {
    fn present(&self) -> bool {
        *self == Self::Heard
    }

    fn absent() -> Option<Self> {
        Some(Self::None)
    }

    fn write(&self, writer: &mut Writer) {
        writer.uint(1);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.position();
        match reader.uint()? {
            1 => Ok(Self::Heard),
            _ => Err(reader.fault(at, DecodeFault::OutOfRange("Echo"))),
        }
    }
}

/// The keys that say how the kernel switches the transceiver.
const KERNEL_KEYS: [&str; 3] = ["rs485_rts", "rs485_before", "rs485_after"];

pub(crate) fn read(
    fallback: String,
    block: &mut Block<'_, '_>,
    report: &mut Report<'_>,
) -> SerialLine {
    let switch = block.get(report, "rs485", Switch::Adapter, word);
    let rs485 = match switch {
        Switch::Kernel => Some(Rs485 {
            rts: block.get(report, "rs485_rts", RtsLevel::High, word),
            before_ms: block.get(report, "rs485_before", 0, duration(0..=RS485_DELAY_MS_MAX)),
            after_ms: block.get(report, "rs485_after", 0, duration(0..=RS485_DELAY_MS_MAX)),
        }),
        Switch::Adapter => {
            refuse_kernel_keys(block, report);
            None
        }
    };
    SerialLine {
        device: block.get(report, "device", fallback, text),
        baud: block
            .maybe(report, "baud", integer("such as 9600"))
            .unwrap_or(9_600),
        data_bits: block.get(report, "data_bits", 8, integer("8")),
        parity: block.get(report, "parity", Parity::Even, word),
        stop_bits: block.get(report, "stop_bits", 1, integer("1 or 2")),
        turnaround_ms: block.get(report, "turnaround", 0, duration(0..=TURNAROUND_MS_MAX)),
        rs485,
        echo: block.get(report, "echo", Echo::None, word),
    }
}

/// An adapter that switches by itself is not told how.
fn refuse_kernel_keys(block: &mut Block<'_, '_>, report: &mut Report<'_>) {
    if block.is_faulty("rs485") {
        return;
    }
    for key in KERNEL_KEYS {
        if block.has(key) {
            let problem = Problem {
                keys: match key {
                    "rs485_rts" => &["rs485_rts"],
                    "rs485_before" => &["rs485_before"],
                    _ => &["rs485_after"],
                },
                wrong: wrong(
                    format!("`{key}` is for a transceiver that the kernel switches"),
                    "add rs485 = \"kernel\", or remove the line",
                ),
                absent: false,
            };
            block.problem(report, problem);
        }
    }
}

/// What must hold of it.
pub(crate) fn sound(line: &SerialLine, out: &mut Problems) {
    device(&line.device, out);
    if !BAUDS.contains(&line.baud) {
        let near = BAUDS.iter().min_by_key(|rate| rate.abs_diff(line.baud));
        let advice = near.map_or(String::new(), |near| format!("the nearest one is {near}"));
        out.add(
            &["baud"],
            format!("{} is not a rate of serial lines", line.baud),
            advice,
        );
    }
    out.unless(
        line.data_bits == 8,
        &["data_bits"],
        format!("{} data bits", line.data_bits),
        "Modbus RTU sends whole bytes: write 8, or leave it out",
    );
    out.unless(
        (1..=2).contains(&line.stop_bits),
        &["stop_bits"],
        format!("{} stop bits", line.stop_bits),
        "write 1 or 2",
    );
    out.unless(
        line.turnaround_ms <= TURNAROUND_MS_MAX,
        &["turnaround"],
        format!("a turnaround of {}", shown_ms(line.turnaround_ms)),
        "at most 10s",
    );
    if let Some(rs485) = &line.rs485 {
        delay(rs485.before_ms, &["rs485_before"], out);
        delay(rs485.after_ms, &["rs485_after"], out);
    }
}

fn delay(ms: u64, keys: &'static [&'static str], out: &mut Problems) {
    out.unless(
        ms <= RS485_DELAY_MS_MAX,
        keys,
        format!("a delay of {}", shown_ms(ms)),
        "at most 100ms: drivers take no longer one",
    );
}
