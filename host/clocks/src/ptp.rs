//! ptp4l, by its management socket.

use crate::clock::mono;
use crate::error::ClocksError;
use crate::limits::{PUSH_LEASE_S, PUSH_RENEWED_NS};
use crate::probe::Probe;
use crate::socket::{Client, Daemon, Dialogue, address};
use evidence::MonoNs;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::net::SocketAddrUnix;
use std::path::Path;
use time_plane::ptp::{Round, subscribe};
use time_plane::reading::{Fault, Observation, PtpReading, Reading, SourceKind};

/// What our own socket is named after, in the directory that the caller gives.
const NAME: &str = "ptp4l";

/// The probe of one ptp4l.
#[derive(Debug)]
pub struct Ptp4l {
    daemon: Daemon,
    socket: SocketAddrUnix,
    /// The socket that takes GET alone, which version 4 has beside the other one: asked where the other one
    /// may not be. It does not tell how timestamps are taken, nor which clock a card has.
    read_only: Option<SocketAddrUnix>,
    asking: time_plane::ptp::Client,
    client: Client,
    sequence: u16,
    /// When pushes were asked for the last time.
    renewed: MonoNs,
}

impl Dialogue for Round {
    fn request(&mut self) -> Option<Vec<u8>> {
        Self::request(self).map(Vec::from)
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

impl Ptp4l {
    /// A probe of the daemon in this domain. `read_only` is asked where the other socket cannot be: it is
    /// open to everybody, and tells less.
    ///
    /// # Errors
    ///
    /// Where our own socket could not be had.
    pub fn new(
        daemon: &Daemon,
        read_only: Option<&Path>,
        domain: u8,
        transport_specific: u8,
    ) -> Result<Self, ClocksError> {
        let [.., high, low] = std::process::id().to_be_bytes();
        Ok(Self {
            socket: daemon.address()?,
            read_only: read_only.map(address).transpose()?,
            client: Client::bind(daemon, NAME)?,
            daemon: daemon.clone(),
            asking: time_plane::ptp::Client {
                port: u16::from_be_bytes([high, low]),
                domain,
                transport_specific,
            },
            sequence: 0,
            renewed: MonoNs(0),
        })
    }

    /// Asks the daemon to say by itself when a port changes its state or its parent, and from version 4 on that of
    /// the grandmaster: it is not waited for the next look. Where it refuses, looks alone tell.
    fn subscribe(&mut self) {
        let now = mono();
        if now < self.renewed.plus_ns(PUSH_RENEWED_NS) && self.renewed != MonoNs(0) {
            return;
        }
        self.renewed = now;
        let request = subscribe(self.asking, self.sequence, PUSH_LEASE_S);
        self.sequence = self.sequence.wrapping_add(1);
        let _ = self.client.send(&self.socket, &request);
    }

    fn ask(&mut self) -> Result<PtpReading, Fault> {
        if !self.client.is_in_place() {
            self.client = Client::bind(&self.daemon, NAME).map_err(Fault::from)?;
        }
        // What was pushed is in what is asked now; what came late is nobody's.
        self.client.drain(|_| {});
        self.subscribe();
        let socket = self.socket.clone();
        let answered = self.round(&socket);
        if answered.is_err() {
            // Who does not answer has not heard of it either.
            self.renewed = MonoNs(0);
        }
        match (&answered, self.read_only.clone()) {
            (
                Err(Fault::Absent | Fault::Stale | Fault::Denied | Fault::Stranger),
                Some(read_only),
            ) => self.round(&read_only).or(answered),
            _ => answered,
        }
    }

    fn round(&mut self, to: &SocketAddrUnix) -> Result<PtpReading, Fault> {
        let mut round = Round::new(self.asking, self.sequence);
        self.sequence = self.sequence.wrapping_add(Round::SEQUENCES);
        let conversed = self.client.converse(to, &mut round);
        conversed.map_err(|fault| self.daemon.named(fault))?;
        round.finish()
    }
}

impl Probe for Ptp4l {
    fn kind(&self) -> SourceKind {
        SourceKind::Ptp
    }

    fn look(&mut self, _now: MonoNs) -> Observation {
        let outcome = self.ask().map(Reading::Ptp);
        Observation {
            at: mono(),
            outcome,
            source: SourceKind::Ptp,
        }
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        Some(self.client.as_fd())
    }
}
