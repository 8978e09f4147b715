//! Cards of a station's own points on Linux: lines of GPIO chips, channels of hwmon and IIO, recordings; remote I/O over
//! Modbus; PLC modems.
//!
//! [`open`] opens what the contract calls a card; behind it stands one [`Source`], whatever the card is. A
//! source never waits: its host watches [`Source::watched`], or asks again at [`Source::next_at`]. Only a modem does.

mod channels;
mod fault;
mod gpio;
mod limits;
mod modem;
mod recording;
mod remote;
mod uapi;

pub use fault::Fault;
pub use modem::NoAnswer;
pub use recording::{Line, RecordingError, When, Wire, parse_line};
pub use remote::{Behind, Wires};

use contract::{Bias, Card, CardKind, Modem};
use evidence::reasons::ModemOutcome;
use evidence::{Decimal, MonoNs};
use io_plane::outputs::Drive;
use io_plane::points::{Edge, Level};
use rustix::fd::BorrowedFd;
use std::path::Path;

/// A line that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its number on the chip.
    pub line: u32,
    /// What it is to be pulled to.
    pub bias: Bias,
    /// What the kernel is to filter, in microseconds; 0 for nothing.
    pub debounce_us: u32,
}

/// A line that is to be driven from the opening on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedOutput {
    /// Its number on the chip.
    pub line: u32,
    /// The level at which it is safe.
    pub high: bool,
    /// It is taken over as it stands, where it is driven already.
    pub keep: bool,
}

/// An open card.
pub trait Source: Send {
    /// How its lines stand, inputs and outputs.
    ///
    /// # Errors
    /// The card is gone.
    fn levels(&mut self) -> Result<Vec<Level>, Fault>;

    /// Edges that can be read without waiting, in the kernel's order; `now` is the monotonic clock.
    ///
    /// # Errors
    /// The card is gone.
    fn edges(&mut self, now: MonoNs) -> Result<Vec<Edge>, Fault>;

    /// What a channel says at this moment.
    ///
    /// # Errors
    /// It says nothing: a fault of the channel or of the card.
    fn sample(&mut self, channel: &str, now: MonoNs) -> Result<Decimal, Fault>;

    /// The text of a file of the card, without white space around it.
    ///
    /// # Errors
    /// It says nothing: a fault of the file or of the card.
    fn text(&mut self, channel: &str, now: MonoNs) -> Result<String, Fault>;

    /// Drives a line or a channel.
    ///
    /// # Errors
    /// The card did not take it.
    fn drive(&mut self, to: &Drive, now: MonoNs) -> Result<(), Fault>;

    /// The whole answer of the PLC modem that the card is. This waits, as long as the contract says.
    ///
    /// # Errors
    /// How it ended instead, and why.
    fn ask(&mut self, modem: &Modem) -> Result<Vec<u8>, NoAnswer> {
        let why = format!("the card of {} is no modem", modem.id);
        Err((ModemOutcome::Unreachable, why))
    }

    /// What becomes readable when there are edges; `None` where nothing does.
    fn watched(&self) -> Option<BorrowedFd<'_>>;

    /// When to look for edges again where nothing becomes readable.
    fn next_at(&self, now: MonoNs) -> Option<MonoNs>;
}

/// Opens a card without taking its lines, to see whether it can be used; a chip has nothing more to be asked.
///
/// # Errors
/// As [`open`].
pub fn look(card: &Card, now: MonoNs) -> Result<Option<Box<dyn Source>>, Fault> {
    match card.kind {
        CardKind::Gpio => gpio::look(Path::new(&card.path)).map(|()| None),
        // The node that runs may have its line.
        CardKind::Modbus => Ok(None),
        CardKind::ModemHttp | CardKind::ModemSerial | CardKind::ModemCommand => Ok(None),
        CardKind::Hwmon | CardKind::Iio | CardKind::Directory | CardKind::Recording => {
            open(card, None, &[], &[], "", now).map(Some)
        }
    }
}

/// Opens a card, of remote I/O behind its port, with the lines that are wanted, outputs at their level from the first moment on; `consumer` is what others read of who has them.
///
/// # Errors
/// [`Fault`] says what, where and what would be right.
pub fn open(
    card: &Card,
    behind: Option<Behind<'_>>,
    wanted: &[Wanted],
    outputs: &[WantedOutput],
    consumer: &str,
    now: MonoNs,
) -> Result<Box<dyn Source>, Fault> {
    let path = Path::new(&card.path);
    Ok(match card.kind {
        CardKind::Gpio => Box::new(gpio::Chip::open(
            path,
            wanted,
            outputs,
            card.buffer,
            consumer,
        )?),
        CardKind::Hwmon | CardKind::Iio | CardKind::Directory => {
            Box::new(channels::Channels::open(path)?)
        }
        CardKind::Recording => Box::new(recording::Recording::open(path, wanted, outputs, now)?),
        CardKind::Modbus => {
            let (place, behind) = card
                .remote
                .as_ref()
                .zip(behind)
                .ok_or_else(|| Fault::Other {
                    path: path.to_path_buf(),
                    what: "remote I/O without a port".to_owned(),
                })?;
            Box::new(remote::Remote::open(
                card, place, behind, wanted, outputs, now,
            )?)
        }
        CardKind::ModemHttp | CardKind::ModemSerial | CardKind::ModemCommand => {
            Box::new(modem::ModemCard::new(card))
        }
    })
}
