//! The line between node and collector: a TCP relay of this process that can be cut.
//!
//! A cut closes every connection at once and takes no byte of a new one, as an unplugged line with a
//! modem before it does; the port stays taken, so that nobody else is met there. It can also be slow,
//! swallow what it is given without a word, or break its connections with a reset.

use rustix::net::sockopt::set_socket_linger;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections at once; a further one is closed.
const CONNECTIONS_MAX: usize = 16;
/// Bytes that are carried at once.
const CHUNK_BYTES: usize = 16 * 1_024;
/// How long the carrying threads have to let go of a connection that is reset.
const RESET: Duration = Duration::from_millis(100);
/// How long the collector may take to take a connection.
const CONNECT: Duration = Duration::from_secs(2);

struct Shared {
    cut: AtomicBool,
    closing: AtomicBool,
    resetting: AtomicBool,
    /// Takes bytes and carries none: half of the line is gone.
    swallowing: AtomicBool,
    delay_ms: AtomicU64,
    carried_bytes: AtomicU64,
    refused: AtomicUsize,
    /// Both ends of every connection, by its number.
    open: Mutex<Vec<(u64, TcpStream, TcpStream)>>,
}

impl Shared {
    fn close_all(&self) -> usize {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, near, far) in open.iter() {
            close(near);
            close(far);
        }
        let closed = open.len();
        open.clear();
        closed
    }
}

fn close(stream: &TcpStream) {
    // It fails only where the other end was faster.
    let _ = stream.shutdown(Shutdown::Both);
}

/// A running relay; it ends with this value.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Relay {
    /// Relays to `target` from a port that the system chooses.
    ///
    /// # Errors
    /// When the system has no port.
    pub fn start(target: SocketAddr) -> Result<Self, String> {
        let failed = |error| format!("cannot open the relay to the collector: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            cut: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            resetting: AtomicBool::new(false),
            swallowing: AtomicBool::new(false),
            delay_ms: AtomicU64::new(0),
            carried_bytes: AtomicU64::new(0),
            refused: AtomicUsize::new(0),
            open: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, target, &accepting));
        Ok(Self { address, shared })
    }

    /// Where the node finds it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the line; how many connections that closed.
    pub fn cut(&self) -> usize {
        self.shared.cut.store(true, Ordering::SeqCst);
        self.shared.close_all()
    }

    /// Puts the line back; how many connections it refused meanwhile.
    pub fn restore(&self) -> usize {
        self.shared.cut.store(false, Ordering::SeqCst);
        self.shared.refused.swap(0, Ordering::SeqCst)
    }

    /// Carries nothing more, but closes nothing and says nothing; or carries again. What was swallowed
    /// is lost, so the connections of that time end.
    pub fn swallow(&self, on: bool) {
        self.shared.swallowing.store(on, Ordering::SeqCst);
        if !on {
            self.shared.close_all();
        }
    }

    /// Holds every chunk back for a time; zero for none.
    pub fn delay(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.shared.delay_ms.store(ms, Ordering::SeqCst);
    }

    /// Breaks every connection with a reset instead of an orderly end; how many.
    pub fn reset(&self) -> usize {
        self.shared.resetting.store(true, Ordering::SeqCst);
        let broken = {
            let mut open = self
                .shared
                .open
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for stream in open.iter().flat_map(|(_, near, far)| [near, far]) {
                // Unsent data is thrown away at the close, and the other end is told so.
                let _ = set_socket_linger(stream, Some(Duration::ZERO));
                // Wakes the thread that reads, without a word to the other end.
                let _ = stream.shutdown(Shutdown::Read);
            }
            let broken = open.len();
            open.clear();
            broken
        };
        std::thread::sleep(RESET);
        self.shared.resetting.store(false, Ordering::SeqCst);
        broken
    }

    /// Whether the line is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.shared.cut.load(Ordering::SeqCst)
    }

    /// Bytes carried in both directions.
    #[must_use]
    pub fn carried_bytes(&self) -> u64 {
        self.shared.carried_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect_timeout(&self.address, CONNECT);
    }
}

fn accept(listener: &TcpListener, target: SocketAddr, shared: &Arc<Shared>) {
    let mut number = 0;
    for near in listener.incoming() {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        let Ok(near) = near else { continue };
        number += 1;
        if shared.cut.load(Ordering::SeqCst) {
            shared.refused.fetch_add(1, Ordering::SeqCst);
            close(&near);
        } else if connect(number, &near, target, shared).is_err() {
            close(&near);
        }
    }
}

fn connect(
    number: u64,
    near: &TcpStream,
    target: SocketAddr,
    shared: &Arc<Shared>,
) -> std::io::Result<()> {
    let far = TcpStream::connect_timeout(&target, CONNECT)?;
    let pairs = [
        (near.try_clone()?, far.try_clone()?),
        (far.try_clone()?, near.try_clone()?),
    ];
    {
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= CONNECTIONS_MAX {
            return Err(std::io::Error::other("too many connections"));
        }
        open.push((number, near.try_clone()?, far));
    }
    if shared.cut.load(Ordering::SeqCst) {
        // The cut came while the connection was made.
        shared.close_all();
        return Ok(());
    }
    for (from, to) in pairs {
        let shared = Arc::clone(shared);
        std::thread::spawn(move || carry(number, from, to, &shared));
    }
    Ok(())
}

/// Carries bytes one way until an end closes; then the whole connection is over.
fn carry(number: u64, mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count) = from.read(&mut chunk) {
        let bytes = chunk.get(..count).unwrap_or_default();
        let delay_ms = shared.delay_ms.load(Ordering::SeqCst);
        if delay_ms > 0 {
            std::thread::sleep(Duration::from_millis(delay_ms));
        }
        if !bytes.is_empty() && shared.swallowing.load(Ordering::SeqCst) {
            continue;
        }
        // Counted before it can be answered.
        let carried = u64::try_from(count).unwrap_or_default();
        shared.carried_bytes.fetch_add(carried, Ordering::Relaxed);
        if bytes.is_empty() || to.write_all(bytes).is_err() {
            break;
        }
    }
    if !shared.resetting.load(Ordering::SeqCst) {
        close(&from);
        close(&to);
    }
    let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(other, ..)| *other != number);
}

#[cfg(test)]
mod tests {
    use super::Relay;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::time::Duration;

    /// Answers every byte with the next one.
    fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() {
                        if stream.write_all(&[byte[0].wrapping_add(1)]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    fn open(relay: &Relay) -> TcpStream {
        let stream = TcpStream::connect(relay.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        stream
    }

    fn ask(stream: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
        let mut answer = [0];
        stream.write_all(&[byte])?;
        stream.read_exact(&mut answer)?;
        Ok(answer[0])
    }

    //= A1.2
    #[test]
    fn a_cut_closes_what_is_open_and_refuses_what_comes() {
        let relay = Relay::start(server()).unwrap();
        let mut first = open(&relay);
        assert_eq!(ask(&mut first, 7).unwrap(), 8);
        assert_eq!(relay.carried_bytes(), 2);
        assert_eq!(relay.cut(), 1);
        assert!(relay.is_cut());
        assert!(
            ask(&mut first, 7).is_err(),
            "the connection outlived the cut"
        );
        assert!(
            ask(&mut open(&relay), 7).is_err(),
            "the cut line took a connection"
        );
        assert!(relay.restore() >= 1);
        assert_eq!(ask(&mut open(&relay), 41).unwrap(), 42);
        assert!(ask(&mut first, 7).is_err(), "a closed connection came back");
    }

    //= A1.2
    #[test]
    fn a_line_can_be_slow_half_gone_or_reset() {
        let relay = Relay::start(server()).unwrap();
        let mut stream = open(&relay);
        relay.delay(Duration::from_millis(60));
        let began = crate::clock::mono();
        assert_eq!(ask(&mut stream, 1).unwrap(), 2);
        assert!(crate::clock::mono().since(began) >= 120_000_000);
        relay.delay(Duration::ZERO);
        relay.swallow(true);
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let silent = ask(&mut stream, 1).unwrap_err();
        assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock, "not closed");
        relay.swallow(false);
        let mut stream = open(&relay);
        assert_eq!(ask(&mut stream, 3).unwrap(), 4);
        assert_eq!(relay.reset(), 1);
        let broken = ask(&mut stream, 1).unwrap_err();
        assert_eq!(broken.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(ask(&mut open(&relay), 5).unwrap(), 6);
    }

    #[test]
    fn a_relay_ends_with_its_value() {
        let relay = Relay::start(server()).unwrap();
        let address = relay.address();
        let mut stream = open(&relay);
        assert_eq!(ask(&mut stream, 1).unwrap(), 2);
        drop(relay);
        assert!(ask(&mut stream, 1).is_err());
        let gone = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            TcpStream::connect(address).is_err()
        });
        assert!(gone, "the port is still served");
    }

    #[test]
    fn connections_are_bounded() {
        let relay = Relay::start(server()).unwrap();
        let mut streams: Vec<_> = (0..super::CONNECTIONS_MAX).map(|_| open(&relay)).collect();
        for stream in &mut streams {
            assert_eq!(ask(stream, 1).unwrap(), 2);
        }
        assert!(ask(&mut open(&relay), 1).is_err());
    }
}
