//! The wire under a port: a serial device with what its UART counts and how its transceiver is switched, or a
//! TCP connection; and waiting on it. Who reads a port, asks one by hand or listens on one does it through here.

mod claim;
mod device;
mod latency;
mod limits;
mod listener;
mod rs485;
mod serial;
#[cfg(test)]
mod tests;
mod transport;
mod uart;
mod wait;

pub use claim::{claimed, in_use};
pub use device::{is_pseudo_terminal, trouble};
pub use listener::Listener;
pub use transport::Transport;
pub use wait::{Ready, wait};
