//! The wires: one loop over serial lines, TCP connections, signals and the replies whose time comes.
//!
//! One thread serves them all. A late reply is only an entry in the queue, so it holds up nobody, and
//! the log has one writer and one order.

use crate::Stop;
use crate::args::Args;
use crate::clock::mono_ns;
use crate::lines::Stray;
use crate::mbus::Mbus;
use crate::pty::Line;
use crate::site::{Carrier, Site};
use crate::street::{Arrived, Link, Outgoing, Street};
use mbus::application::SecondaryAddress;
use modbus::rtu::{self, Captured, Direction, FrameReader, Timing};
use modbus::tcp::Decoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

/// Silence that ends a request on a pseudo terminal, which has no bit rate.
const LINE_TIMING: Timing = Timing {
    character_ns: 0,
    t15_ns: 5_000_000,
    t35_ns: 5_000_000,
};
/// Open connections; a further one is closed at once.
const CONNECTIONS_MAX: usize = 64;
const READ_BYTES: usize = 1024;

/// The way a wish to stop arrives.
#[derive(Debug)]
pub(crate) struct Signals(UnixStream);

impl Signals {
    /// From here on SIGTERM and SIGINT wake the loop instead of ending the process.
    pub(crate) fn register() -> std::io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        for signal in [Signal::TERM, Signal::INT] {
            signal_hook::low_level::pipe::register(signal.as_raw(), theirs.try_clone()?)?;
        }
        Ok(Self(ours))
    }
}

/// Asks for SIGTERM when the parent ends.
pub(crate) fn die_with_parent() -> std::io::Result<()> {
    let parent = rustix::process::getppid();
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    // It may have ended just before, and then no signal comes.
    if rustix::process::getppid() == parent {
        return Ok(());
    }
    Err(std::io::Error::other("the parent has ended already"))
}

#[derive(Debug)]
struct SerialPort {
    /// Index into [`Site::ports`].
    port: usize,
    line: Line,
    reader: FrameReader,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    stream: TcpStream,
    decoder: Decoder,
}

/// All the wires.
#[derive(Debug)]
pub(crate) struct Server {
    signals: Signals,
    serial: Vec<SerialPort>,
    buses: Vec<(Line, Mbus)>,
    /// With its index into [`Site::ports`].
    listener: Option<(usize, TcpListener, SocketAddr)>,
    connections: Vec<Connection>,
    accepted: u64,
}

/// What `poll` found ready, by position.
struct Ready {
    signals: bool,
    serial: Vec<bool>,
    buses: Vec<bool>,
    listener: bool,
    connections: Vec<bool>,
}

impl Server {
    /// Opens lines and listener.
    pub(crate) fn open(args: &Args, site: &Site, signals: Signals) -> Result<Self, Stop> {
        let dir = &args.dir;
        let mut serial = Vec::new();
        let mut buses = Vec::new();
        let mut listener = None;
        for (port, found) in site.ports.iter().enumerate() {
            match (found.carrier, args.tcp) {
                (Carrier::Rtu, _) => {
                    let reader = FrameReader::new(Direction::Requests, LINE_TIMING);
                    let line = Line::open(dir.join(&found.name))?;
                    serial.push(SerialPort { port, line, reader });
                }
                (Carrier::Mbus, _) => {
                    let bus = Mbus::new(site, port, args.seed, args.mbus_baud)?;
                    buses.push((Line::open(dir.join(&found.name))?, bus));
                }
                (Carrier::Tcp, Some(address)) => {
                    let (socket, actual) = listen(address)
                        .map_err(Stop::host(format_args!("cannot listen on {address}")))?;
                    listener = Some((port, socket, actual));
                }
                (Carrier::Tcp, None) => {}
            }
        }
        Ok(Self {
            signals,
            serial,
            buses,
            listener,
            connections: Vec::new(),
            accepted: 0,
        })
    }

    /// The address actually listened on.
    pub(crate) fn tcp_address(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(|(_, _, address)| *address)
    }

    /// What an M-Bus meter of the site calls itself.
    pub(crate) fn secondary(&self, meter: usize) -> Option<SecondaryAddress> {
        self.buses.iter().find_map(|(_, bus)| bus.secondary(meter))
    }

    /// Serves until a signal, or until `end_ns`.
    pub(crate) fn run(mut self, mut street: Street, end_ns: Option<u64>) -> Result<(), Stop> {
        loop {
            let deadlines = self
                .serial
                .iter()
                .filter_map(|port| port.reader.deadline_ns());
            let characters = self.buses.iter().filter_map(|(_, bus)| bus.next_due_ns());
            let due = deadlines.chain(characters).chain(street.next_due_ns());
            let wake_ns = due.chain(end_ns).min();
            let ready = self
                .wait(&street, wake_ns)
                .map_err(Stop::host("cannot wait for the wires"))?;
            let now_ns = mono_ns();
            if ready.signals || end_ns.is_some_and(|end_ns| now_ns >= end_ns) {
                return street.stop(now_ns);
            }
            self.read_serial(&ready, &mut street)?;
            self.serve_buses(&ready, &mut street)?;
            self.read_connections(&ready, &mut street)?;
            if ready.listener {
                self.accept();
            }
            while let Some(reply) = street.take_due(mono_ns())? {
                self.send(&reply, &mut street)?;
            }
            for stray in street.take_strays(mono_ns()) {
                self.stray(&stray, &mut street)?;
            }
            street.play(mono_ns())?;
        }
    }

    fn wait(&self, street: &Street, wake_ns: Option<u64>) -> std::io::Result<Ready> {
        let watch = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut fds = vec![PollFd::new(&self.signals.0, PollFlags::IN)];
        fds.extend(self.serial.iter().map(|port| watch(port.line.fd())));
        fds.extend(self.buses.iter().map(|(line, _)| watch(line.fd())));
        fds.extend(
            self.connections
                .iter()
                .map(|c| PollFd::new(&c.stream, PollFlags::IN)),
        );
        fds.extend(
            self.listener
                .iter()
                .map(|(_, socket, _)| PollFd::new(socket, PollFlags::IN)),
        );
        let points = street.fds();
        fds.extend(points.iter().map(|fd| watch(*fd)));
        let timeout = wake_ns.map(|wake_ns| timespec(wake_ns.saturating_sub(mono_ns())));
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut flags = fds.iter().map(|fd| !fd.revents().is_empty());
        Ok(Ready {
            signals: flags.next().unwrap_or_default(),
            serial: flags.by_ref().take(self.serial.len()).collect(),
            buses: flags.by_ref().take(self.buses.len()).collect(),
            connections: flags.by_ref().take(self.connections.len()).collect(),
            listener: flags.next().unwrap_or_default(),
        })
    }

    fn read_serial(&mut self, ready: &Ready, street: &mut Street) -> Result<(), Stop> {
        for (serial, ready) in self.serial.iter_mut().zip(&ready.serial) {
            let mut frames = Vec::new();
            if *ready {
                let mut buffer = [0; READ_BYTES];
                let name = street.site().port_name(serial.port);
                let read = serial.line.read(&mut buffer);
                let count = read.map_err(Stop::host(format_args!("cannot read port {name}")))?;
                serial.line.share();
                let bytes = buffer.get(..count).unwrap_or_default();
                frames.extend(serial.reader.feed(bytes, mono_ns()));
            }
            frames.extend(serial.reader.poll(mono_ns()));
            for frame in frames {
                take_frame(serial.port, frame, street)?;
            }
        }
        Ok(())
    }

    /// Takes what masters wrote, and writes the characters whose time has come.
    fn serve_buses(&mut self, ready: &Ready, street: &mut Street) -> Result<(), Stop> {
        for ((line, bus), ready) in self.buses.iter_mut().zip(&ready.buses) {
            if *ready {
                let mut buffer = [0; READ_BYTES];
                let count = line
                    .read(&mut buffer)
                    .map_err(Stop::host("cannot read an M-Bus"))?;
                line.share();
                let bytes = buffer.get(..count).unwrap_or_default();
                street.around(|around| bus.take(bytes, mono_ns(), around))?;
            }
            street.around(|around| bus.send(mono_ns(), around, |bytes| line.write(bytes)))?;
        }
        Ok(())
    }

    fn read_connections(&mut self, ready: &Ready, street: &mut Street) -> Result<(), Stop> {
        let Some((port, ..)) = self.listener else {
            return Ok(());
        };
        let mut closed = Vec::new();
        for (connection, ready) in self.connections.iter_mut().zip(&ready.connections) {
            if *ready && connection.read(port, street)? {
                closed.push(connection.number);
            }
        }
        closed
            .into_iter()
            .try_for_each(|number| self.close(number, street))
    }

    fn accept(&mut self) {
        let Some((_, listener, _)) = &self.listener else {
            return;
        };
        while let Ok((stream, _)) = listener.accept() {
            let usable = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true));
            if usable.is_ok() && self.connections.len() < CONNECTIONS_MAX {
                self.accepted += 1;
                let decoder = Decoder::new();
                self.connections.push(Connection {
                    number: self.accepted,
                    stream,
                    decoder,
                });
            }
        }
    }

    fn send(&mut self, reply: &Outgoing, street: &mut Street) -> Result<(), Stop> {
        match reply.link() {
            Link::Rtu(port) => {
                let Some(serial) = self.serial.iter().find(|serial| serial.port == port) else {
                    return Ok(());
                };
                let at_ns = mono_ns();
                match serial.line.write(reply.bytes()) {
                    Ok(true) => street.sent(reply, at_ns),
                    Ok(false) => street.lost(reply, at_ns, "nobody reads the port"),
                    Err(error) => Err(Stop::Host(format!("cannot write to a port: {error}"))),
                }
            }
            Link::Tcp(number) => {
                let mut connections = self.connections.iter_mut();
                let Some(connection) = connections.find(|found| found.number == number) else {
                    return street.lost(reply, mono_ns(), "connection closed");
                };
                let at_ns = mono_ns();
                match connection.stream.write(reply.bytes()) {
                    Ok(written) if written == reply.bytes().len() => street.sent(reply, at_ns),
                    // A peer that reads nothing has filled the socket, or it is gone.
                    _ => {
                        street.lost(reply, at_ns, "connection does not take it")?;
                        self.close(number, street)
                    }
                }
            }
        }
    }

    /// A line does something by itself: what nobody reads has not happened.
    fn stray(&self, stray: &Stray, street: &mut Street) -> Result<(), Stop> {
        let serial = self.serial.iter().find(|one| one.port == stray.port);
        let bus = self.buses.iter().find(|(_, bus)| bus.port == stray.port);
        let line = serial.map(|one| &one.line).or(bus.map(|(line, _)| line));
        let at_ns = mono_ns();
        let written = match line {
            Some(line) if !stray.bytes.is_empty() => line.write(&stray.bytes),
            _ => Ok(true),
        };
        match written.map_err(Stop::host("cannot write to a port"))? {
            true => street.strayed(stray, at_ns),
            false => Ok(()),
        }
    }

    fn close(&mut self, number: u64, street: &mut Street) -> Result<(), Stop> {
        self.connections
            .retain(|connection| connection.number != number);
        street.disconnected(number, mono_ns())
    }
}

impl Connection {
    /// Takes what is there. `true`: the connection has ended, or has to.
    fn read(&mut self, port: usize, street: &mut Street) -> Result<bool, Stop> {
        let mut buffer = [0; READ_BYTES];
        let count = match self.stream.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(count) => count,
            Err(error) => {
                let later = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                return Ok(!later);
            }
        };
        let at_ns = mono_ns();
        let bytes = buffer.get(..count).unwrap_or_default();
        let mut input = bytes;
        loop {
            match self.decoder.feed(&mut input) {
                Ok(Some(frame)) => {
                    let tid = frame.transaction;
                    let arrived = Arrived {
                        at_ns,
                        port,
                        link: Link::Tcp(self.number),
                        unit: frame.unit,
                        tid: Some(tid),
                        bytes: crate::damage::tcp_frame(tid, frame.unit, &frame.pdu),
                        pdu: frame.pdu,
                    };
                    if street.request(&arrived)? {
                        return Ok(true);
                    }
                }
                Ok(None) => return Ok(false),
                Err(_) => {
                    street.noise(port, bytes, at_ns)?;
                    return Ok(true);
                }
            }
        }
    }
}

/// A frame of a serial line: a request if its CRC fits, else noise, which no slave answers.
fn take_frame(port: usize, frame: Captured, street: &mut Street) -> Result<(), Stop> {
    let Ok(whole) = rtu::decode(&frame.bytes) else {
        return street.noise(port, &frame.bytes, frame.last_ns);
    };
    let arrived = Arrived {
        at_ns: frame.last_ns,
        port,
        link: Link::Rtu(port),
        unit: whole.unit,
        tid: None,
        pdu: whole.pdu.to_vec(),
        bytes: frame.bytes,
    };
    // No connection to close on a serial line; the plan does not allow that fault there.
    street.request(&arrived).map(|_| ())
}

fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    let actual = socket.local_addr()?;
    Ok((socket, actual))
}

fn timespec(span_ns: u64) -> Timespec {
    let span = std::time::Duration::from_nanos(span_ns);
    Timespec::try_from(span).unwrap_or(Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    })
}
