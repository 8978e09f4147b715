//! chronyd, by its command socket.

use crate::clock::mono;
use crate::error::ClocksError;
use crate::probe::Probe;
use crate::socket::{Client, Daemon, Dialogue};
use evidence::MonoNs;
use rustix::net::SocketAddrUnix;
use time_plane::chrony::Round;
use time_plane::reading::{ChronyReading, Fault, Observation, Reading, SourceKind};

/// What our own socket is named after, in the directory that the caller gives.
const NAME: &str = "chronyd";

/// The probe of one chronyd. It drops root and runs as a user of its own, who must be among the trusted.
#[derive(Debug)]
pub struct Chronyd {
    daemon: Daemon,
    socket: SocketAddrUnix,
    client: Client,
    sequence: u32,
}

impl Dialogue for Round {
    fn request(&mut self) -> Option<Vec<u8>> {
        Self::request(self).map(|request| request.bytes().to_vec())
    }

    fn is_waiting(&self) -> bool {
        Self::is_waiting(self)
    }

    fn accept(&mut self, bytes: &[u8]) {
        Self::accept(self, bytes);
    }

    fn give_up(&mut self) {
        Self::give_up(self);
    }
}

impl Chronyd {
    /// A probe of the daemon.
    ///
    /// # Errors
    ///
    /// Where our own socket could not be had.
    pub fn new(daemon: &Daemon) -> Result<Self, ClocksError> {
        Ok(Self {
            socket: daemon.address()?,
            client: Client::bind(daemon, NAME)?,
            daemon: daemon.clone(),
            // The first number is nobody's guess; late answers to one before us are not ours.
            sequence: u32::try_from(mono().0 & u64::from(u32::MAX)).unwrap_or(0),
        })
    }

    fn ask(&mut self) -> Result<ChronyReading, Fault> {
        if !self.client.is_in_place() {
            self.client = Client::bind(&self.daemon, NAME).map_err(Fault::from)?;
        }
        self.client.drain(|_| {});
        let mut round = Round::new(self.sequence);
        let conversed = self.client.converse(&self.socket, &mut round);
        self.sequence = round.next_sequence();
        conversed.map_err(|fault| self.daemon.named(fault))?;
        round.finish()
    }
}

impl Probe for Chronyd {
    fn kind(&self) -> SourceKind {
        SourceKind::Chrony
    }

    fn look(&mut self, _now: MonoNs) -> Observation {
        let outcome = self.ask().map(Reading::Chrony);
        Observation {
            at: mono(),
            outcome,
            source: SourceKind::Chrony,
        }
    }
}
