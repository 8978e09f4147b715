//! Connections that ask nothing: of one process, and of several.

use crate::common::{G1, LONG, Site, head, note};
use ipc::{Channel, IpcError};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Connects as often as it is told to, says so, and sits there until its input ends.
const SITS: &str = "
import socket, sys
held = []
for _ in range(int(sys.argv[2])):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.connect(sys.argv[1])
    held.append(one)
print('sits', flush=True)
sys.stdin.read()
";

/// Another process with connections to the signer.
struct Sitting(Child);

impl Drop for Sitting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sit(site: &Site, connections: u32) -> Sitting {
    let mut command = Command::new("python3");
    command.args(["-c", SITS]).arg(site.socket());
    command.arg(connections.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let said = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    assert!(said.is_ok() && line.starts_with("sits"), "{line}");
    Sitting(child)
}

//= A6.7
#[test]
fn connections_that_ask_nothing_keep_nobody_from_the_keys() {
    let site = Site::new();
    let _signer = site.start();
    let recorder = site.connect();
    note(&recorder, &head(G1, 5, 1));
    let _one = sit(&site, 40);
    note(&recorder, &head(G1, 6, 1));
    // More processes than there are seats for: whoever has one connection keeps it, and a new one comes in.
    let _others: Vec<Sitting> = (0..6).map(|_| sit(&site, 4)).collect();
    note(&recorder, &head(G1, 7, 1));
    note(&site.connect(), &head(G1, 8, 1));
    // Of this process too only so many stand, and fewer where others have fewer: the oldest on which nothing is asked gives way.
    let mine: Vec<Channel> = (0..20).map(|_| site.connect()).collect();
    note(mine.last().unwrap(), &head(G1, 9, 1));
    let ended = mine.iter().filter(|one| {
        let said = one.recv(std::time::Duration::from_millis(50));
        matches!(said, Err(IpcError::Closed))
    });
    let ended = ended.count();
    assert!((16..20).contains(&ended), "{ended} of 20");
    let first = recorder.recv(LONG);
    assert!(matches!(first, Err(IpcError::Closed)), "{first:?}");
}
