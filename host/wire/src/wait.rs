//! Waiting until a wire has bytes, somebody rings, or the time is up.

use crate::transport::Transport;
use rustix::event::{PollFd, PollFlags, poll};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What a wait ended with; neither is set where the time was up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The wire has bytes, or is lost: reading tells.
    pub wire: bool,
    /// The bell rang.
    pub bell: bool,
}

/// Waits no longer than `timeout`. An interrupted wait is a short one.
#[must_use]
pub fn wait(wire: Option<&Transport>, bell: Option<&UnixStream>, timeout: Duration) -> Ready {
    let mut watched = Vec::with_capacity(2);
    watched.extend(wire.map(|wire| PollFd::new(wire, PollFlags::IN)));
    watched.extend(bell.map(|bell| PollFd::new(bell, PollFlags::IN)));
    let timeout = timeout.try_into().ok();
    if poll(&mut watched, timeout.as_ref()).is_err() {
        return Ready::default();
    }
    let mut events = watched.iter().map(|one| !one.revents().is_empty());
    let mut happened = |there: bool| there && events.next().unwrap_or(false);
    Ready {
        wire: happened(wire.is_some()),
        bell: happened(bell.is_some()),
    }
}

/// Waits no longer than `timeout` until the wire takes bytes, or is lost: sending tells.
pub(crate) fn takes(wire: &Transport, timeout: Duration) -> bool {
    let mut watched = [PollFd::new(wire, PollFlags::OUT)];
    let timeout = timeout.try_into().ok();
    poll(&mut watched, timeout.as_ref()).is_ok_and(|count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::{Ready, wait};
    use crate::transport::Transport;
    use std::io::Write;
    use std::net::TcpListener;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn each_is_told_for_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let wire = Transport::tcp(&address, Duration::from_secs(5)).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let (bell, mut ringer) = UnixStream::pair().unwrap();
        let ready = |wire: bool, bell: bool| Ready { wire, bell };
        assert_eq!(wait(None, None, SOON), ready(false, false));
        assert_eq!(wait(Some(&wire), Some(&bell), SOON), ready(false, false));
        ringer.write_all(&[1]).unwrap();
        assert_eq!(wait(None, Some(&bell), SOON), ready(false, true));
        assert_eq!(wait(Some(&wire), Some(&bell), SOON), ready(false, true));
        peer.write_all(&[1]).unwrap();
        let long = Duration::from_secs(5);
        assert_eq!(wait(Some(&wire), None, long), ready(true, false));
        assert_eq!(wait(Some(&wire), Some(&bell), long), ready(true, true));
    }
}
