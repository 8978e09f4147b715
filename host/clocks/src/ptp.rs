//! ptp4l, by its management socket.

use crate::clock::mono;
use crate::error::ClocksError;
use crate::limits::PUSHES_MAX;
use crate::probe::Probe;
use crate::socket::{Client, Daemon, Dialogue, address};
use evidence::MonoNs;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::net::SocketAddrUnix;
use std::collections::VecDeque;
use std::path::Path;
use time_plane::ptp::{Accepted, Body, DataSet, Round, decode, subscribe};
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
    pushes: VecDeque<DataSet>,
}

/// A round, and the pushes that come between its answers.
struct Asked<'a> {
    round: Round,
    pushes: &'a mut VecDeque<DataSet>,
}

impl Dialogue for Asked<'_> {
    fn request(&mut self) -> Option<Vec<u8>> {
        self.round.request().map(Vec::from)
    }

    fn is_waiting(&self) -> bool {
        self.round.is_waiting()
    }

    fn accept(&mut self, bytes: &[u8]) {
        if let Accepted::Pushed(set) = self.round.accept(bytes) {
            keep(self.pushes, set);
        }
    }

    fn give_up(&mut self) {
        self.round.give_up();
    }
}

fn keep(pushes: &mut VecDeque<DataSet>, set: DataSet) {
    if pushes.len() >= PUSHES_MAX {
        pushes.pop_front();
    }
    pushes.push_back(set);
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
            pushes: VecDeque::new(),
        })
    }

    /// Subscribes to pushes for `lease_s` seconds: port states, and from version 4 on measurements and
    /// parents. The probe's descriptor becomes readable with each; [`Self::take_pushes`] has them.
    ///
    /// # Errors
    ///
    /// Why the request could not be sent.
    pub fn subscribe(&mut self, lease_s: u16) -> Result<(), Fault> {
        let request = subscribe(self.asking, self.sequence, lease_s);
        self.sequence = self.sequence.wrapping_add(1);
        self.client.send(&self.socket, &request)
    }

    /// What was pushed since the last time: the newest [`PUSHES_MAX`].
    pub fn take_pushes(&mut self) -> Vec<DataSet> {
        self.drain();
        self.pushes.drain(..).collect()
    }

    /// Takes what came in by itself. Late answers are data sets like pushes, and as true as they.
    fn drain(&mut self) {
        let (asking, pushes) = (self.asking, &mut self.pushes);
        self.client.drain(|bytes| match decode(bytes) {
            Ok(message) if message.to_port == asking.port => {
                if let Body::Set(set) = message.body {
                    keep(pushes, set);
                }
            }
            _ => {}
        });
    }

    fn ask(&mut self) -> Result<PtpReading, Fault> {
        if !self.client.is_in_place() {
            self.client = Client::bind(&self.daemon, NAME).map_err(Fault::from)?;
        }
        self.drain();
        let socket = self.socket.clone();
        let answered = self.round(&socket);
        match (&answered, self.read_only.clone()) {
            (Err(Fault::Absent | Fault::Stale | Fault::Denied), Some(read_only)) => {
                self.round(&read_only).or(answered)
            }
            _ => answered,
        }
    }

    fn round(&mut self, to: &SocketAddrUnix) -> Result<PtpReading, Fault> {
        let mut asked = Asked {
            round: Round::new(self.asking, self.sequence),
            pushes: &mut self.pushes,
        };
        self.sequence = self.sequence.wrapping_add(Round::SEQUENCES);
        self.client.converse(to, &mut asked)?;
        asked.round.finish()
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
}

impl AsFd for Ptp4l {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }
}
