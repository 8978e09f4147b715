//! A connection to a node's recorder, as anyone outside may have it.

use crate::clock;
use ipc::Channel;
use ipc::message::Hello;
use std::path::Path;
use std::time::Duration;

/// How long the recorder may take to answer.
const ANSWER: Duration = Duration::from_millis(500);
/// How long to look for its socket.
const CONNECT: Duration = Duration::from_millis(30);

/// A connection that was answered once; `None` where nobody answers.
#[must_use]
pub fn connect(socket: &Path, role: &str) -> Option<Channel> {
    let channel = Channel::connect(socket, CONNECT).ok()?;
    let hello = Hello {
        role: role.to_owned(),
        pid: u64::from(std::process::id()),
        incarnation: clock::mono().0,
    };
    channel.ask(&hello.into(), ANSWER).ok()?;
    Some(channel)
}
