//! Opens a serial device as the contract describes its line.

use crate::claim::claim;
use crate::device::{is_pseudo_terminal, refusal, trouble};
use crate::{latency, rs485, uart};
use contract::{Parity, SerialLine};
use io_plane::UartErrors;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use serial2::{CharSize, FlowControl, KeepSettings, SerialPort, Settings, StopBits};

/// An open serial device.
#[derive(Debug)]
pub(crate) struct Serial {
    pub(crate) port: SerialPort,
    counted: Option<uart::Counts>,
    /// That there are counters was told.
    told: bool,
    left_out: Vec<String>,
}

impl Serial {
    pub(crate) fn open(line: &SerialLine) -> Result<Self, String> {
        if let Some(why) = trouble(&line.device) {
            return Err(why);
        }
        // Nothing is set on a line before it is known to be this master's.
        let mut port = SerialPort::open(&line.device, KeepSettings)
            .map_err(|error| not_opened(line, &error))?;
        claim(&line.device, &port)?;
        port.get_configuration()
            .and_then(|settings| configured(settings, line))
            .and_then(|settings| port.set_configuration(&settings))
            .map_err(|error| not_opened(line, &error))?;
        let mut left_out = Vec::new();
        if let Some(wish) = &line.rs485 {
            left_out = rs485::apply(&port, wish, line.echo)
                .map_err(|why| format!("{}: {why}", line.device))?;
        }
        latency::lower(&port);
        Ok(Self {
            counted: uart::counts(&port),
            told: false,
            left_out,
            port,
        })
    }

    pub(crate) fn set_speed(&mut self, baud: u32) -> std::io::Result<()> {
        let mut settings = self.port.get_configuration()?;
        settings.set_baud_rate(baud)?;
        self.port.set_configuration(&settings)
    }

    /// What it counted since the last look: at first also that it counts at all, then only what is new.
    pub(crate) fn uart(&mut self) -> Option<UartErrors> {
        let before = self.counted?;
        let now = uart::counts(&self.port)?;
        self.counted = Some(now);
        let new = now.since(&before);
        let first = !std::mem::replace(&mut self.told, true);
        (first || new != UartErrors::default()).then_some(new)
    }

    pub(crate) fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

impl AsFd for Serial {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.port.as_fd()
    }
}

fn configured(mut settings: Settings, line: &SerialLine) -> std::io::Result<Settings> {
    settings.set_raw();
    settings.set_baud_rate(line.baud)?;
    settings.set_char_size(match line.data_bits {
        7 => CharSize::Bits7,
        _ => CharSize::Bits8,
    });
    settings.set_stop_bits(match line.stop_bits {
        2 => StopBits::Two,
        _ => StopBits::One,
    });
    settings.set_parity(match line.parity {
        Parity::None => serial2::Parity::None,
        Parity::Even => serial2::Parity::Even,
        Parity::Odd => serial2::Parity::Odd,
    });
    settings.set_flow_control(FlowControl::None);
    Ok(settings)
}

/// Its name was looked at before; what is left are settings, and what happened in between.
fn not_opened(line: &SerialLine, error: &std::io::Error) -> String {
    if let Some(errno) = Errno::from_io_error(error) {
        return refusal(&line.device, errno);
    }
    let mut words = format!("cannot open {} at {} baud: {error}", line.device, line.baud);
    if is_pseudo_terminal(&line.device) && line.parity != Parity::None {
        words.push_str(
            "; a pseudo-terminal has no parity bit: say parity = \"none\" (by hand: --parity none)",
        );
    }
    words
}
